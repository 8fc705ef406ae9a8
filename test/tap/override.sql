-- An owner may let a version go live against the policy: with a reason, a finding, and a mark that stays.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select set_config('test.screening', :'screening', true);
select plan(17);
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.9"}, "approvals": {"reviewer": 1}}') as policy;
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 2, override => 'the old one burns')$$), '42501', 'an operator does not override');
select is(pg_temp.as_role('olga_operator', $$insert into mlops.deployment (model_id, version, override) values (current_setting('test.screening')::bigint, 2, 'the old one burns')$$), '42501', 'nor by hand');
select is(pg_temp.as_role('anna_owner', $$select mlops.deploy('screening', 2, override => '')$$), '23514', 'there is a reason');
select is(pg_temp.as_role('anna_owner', $$select mlops.deploy('screening', 2, override => 'the old one burns')$$), 'done', 'an owner does');
select results_eq($$select version, policy_version, override, deployed_by from mlops.deployment where model_id = current_setting('test.screening')::bigint$$,
	$$values (2, null::integer, 'the old one burns', 'anna_owner')$$, 'which stays in the deployment');
select results_eq($$select source, severity, state, opened_by, title from mlops.finding where source = 'policy'$$,
	$$values ('policy', 'high', 'open', 'anna_owner', 'version 2 of model "screening" went live against the policy: the old one burns')$$, 'opens a finding');
select matches((select detail from mlops.finding where source = 'policy'), 'accurate: roc_auc >= 0.9; roc_auc is 0.75; approvals by reviewer: 0 of 1', 'that says what was missing');
select is((select override from mlops.version_stage where model = 'screening' and version = 2), 'the old one burns', 'stands in the stages');
select matches((select detail from mlops.timeline('screening') where event = 'deployed'), 'AGAINST THE POLICY: the old one burns', 'and in the timeline');
select is(pg_temp.as_role('olga_operator', $$update mlops.deployment set override = null$$), '42501', 'nobody takes it out');
set local role anna_owner;
select throws_ok($$update mlops.finding set source = 'person'$$, '42501', null, 'or says that it was a person''s');
reset role;

-- where the policy holds there is nothing to override
select mlops.request_review('screening', 1);
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1)$$), 'done', 'what is approved');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1, override => 'to be sure')$$), 'done', 'needs no override');
select is((select override from mlops.deployment where model_id = :screening and upper_inf(valid)), null, 'and has none');

-- nor does an override make an approval
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 2)$$), '55000', 'once is not again');
select is(pg_temp.as_role('olga_operator', $$select mlops.rollback('screening')$$), '55000', 'nor by a rollback');
select is(pg_temp.as_role('olga_operator', format('insert into mlops.deployment (model_id, version, action, restores) select model_id, 2, ''rollback'', id from mlops.deployment where model_id = %s and version = 2', :screening)), '55000', 'nor by hand');
select * from finish();
rollback;
