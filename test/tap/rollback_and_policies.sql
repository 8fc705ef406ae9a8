-- A rollback to what went live by a policy is always possible; to what is revoked, or never was approved, it is not.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select plan(13);
-- without a policy that asks for anything
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 3)$$), 'done', 'what went live by an empty policy') ;
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.9"}, "approvals": {"reviewer": 1}, "valid_for": "1 day"}') as policy;
select mlops.request_review('screening', n) from generate_series(1, 4) n;
select pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', n) from generate_series(1, 4) n$$) as approved;
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), 'done', 'one by one that asks');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 4)$$), 'done', 'another');

-- the bar is raised, and approvals end with their policy
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.99"}, "approvals": {"reviewer": 2}}') as policy;
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), '55000', 'now neither would go live');
select is(pg_temp.as_role('olga_operator', $$select mlops.rollback('screening')$$), 'done', 'but a rollback goes back');
select results_eq($$select version, policy_version from mlops.deployment where upper_inf(valid) and restores is not null$$, $$values (1, 2)$$, 'by the policy of that time');
select is(pg_temp.as_role('olga_operator', $$select mlops.rollback('screening')$$), 'done', 'and further');
select is((select version from mlops.deployment where upper_inf(valid)), 3, 'to the first one');
select is(pg_temp.as_role('olga_operator', $$select mlops.rollback('screening')$$), '55000', 'not beyond');

-- not to what was revoked: it is passed over
set local role olga_operator;
select mlops.undeploy('screening');
select mlops.revoke('screening', 4, 'learned from the wrong table');
reset role;
select is(pg_temp.as_role('olga_operator', format('insert into mlops.deployment (model_id, version, action, restores) select model_id, 4, ''rollback'', id from mlops.deployment where model_id = %s and version = 4', :screening)), '55000', 'what is revoked is not restored by hand');
select is(pg_temp.as_role('anna_owner', $$select mlops.deploy('screening', 4, override => 'please')$$), '55000', 'nor by an owner''s word');

-- nor to what was live before there was any policy
set local role anna_owner;
select mlops.create_project('lab') as lab \gset
reset role;
update mlops.model set project_id = :lab where id = :screening;
set local role anna_owner;
select mlops.deploy('screening', 2);
select mlops.deploy('screening', 1);
select mlops.set_policy('lab', '{"checks": {"accurate": "roc_auc >= 0.99"}}');
select throws_ok($$select mlops.rollback('screening')$$, '55000', 'version 2 of model "screening" may not go live: the policy of its project does not hold', 'what was never approved meets the gate');
select is((select version from mlops.deployment where model_id = :screening and upper_inf(valid)), 1, 'and nothing has changed');
reset role;
select * from finish();
rollback;
