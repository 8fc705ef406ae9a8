-- In a project with a policy nothing goes live of which it does not hold, by function or by hand.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select set_config('test.screening', :'screening', true);
select plan(28);
select is(pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.9", "calibrated": "ece <= 0.05"}, "approvals": {"reviewer": 1}, "valid_for": "90 days"}'), 2, 'a policy has the next number');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), '55000', 'a version that nobody approved does not go live');
select is(pg_temp.as_role('anna_owner', $$select mlops.deploy('screening', 1)$$), '55000', 'not for the owner either');
select is(pg_temp.as_role('olga_operator', $$insert into mlops.deployment (model_id, version) values (current_setting('test.screening')::bigint, 1)$$), '55000', 'nor by hand');
select is(pg_temp.as_role('olga_operator', $$insert into mlops.deployment (model_id, version, action) values (current_setting('test.screening')::bigint, 1, 'rollback')$$), '55000', 'nor as a rollback of nothing');
select throws_ok($$insert into mlops.deployment (model_id, version) values (current_setting('test.screening')::bigint, 1)$$, '55000',
				 'version 1 of model "screening" may not go live: the policy of its project does not hold', 'a superuser is told, too');
set local role olga_operator;
select results_eq($$select * from mlops.why_not('screening', 1)$$,
	$$values ('accurate', true, 'roc_auc >= 0.9; roc_auc is 0.93'), ('calibrated', true, 'ece <= 0.05; ece is 0.02'), ('approvals by reviewer', false, '0 of 1; approved by nobody')$$,
	'why_not() tells each rule');
reset role;
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1)$$), '55000', 'nobody approves what is under no review');
select is(pg_temp.as_role('sam_scientist', $$select mlops.request_review('screening', n) from generate_series(1, 4) n$$), 'done', 'a scientist asks for reviews');
select is((select array_agg(holds order by version, name) from mlops.evidence where model_id = :screening and kind = 'check'), '{t,t,f,t,f,f,t,t}', 'which are evidence of how the checks stood');
select is((select detail from mlops.evidence where model_id = :screening and version = 1 and name = 'accurate'),
		  '{"facts": {"roc_auc": 0.93}, "condition": "roc_auc >= 0.9"}', 'with the facts');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', n) from generate_series(1, 4) n$$), 'done', 'a reviewer approves');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening')$$), '22004', 'saying which version');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening@1')$$), 'done', 'by either way');
select is(pg_temp.missing(1), '{}', 'the policy holds');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), 'done', 'and the version goes live');
select is((select policy_version from mlops.deployment where model_id = :screening), 2, 'by that policy, which is recorded');
select is(pg_temp.missing(2), '{accurate}', 'what is approved and not accurate');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 2)$$), '55000', 'does not');
select is(pg_temp.missing(3), '{accurate,calibrated}', 'what an importer says of a version does not count');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening@3')$$), '55000', 'and it does not go live');

-- the champion
select is(pg_temp.set_policy('{"checks": {"better": "champion.roc_auc is null or roc_auc > champion.roc_auc - 0.01", "than nothing": "roc_auc > baseline.roc_auc"}}'), 3, 'a policy that compares');
select is(pg_temp.missing(4), '{"than nothing"}', 'what is not known does not hold');
select is(pg_temp.missing(2), '{better,"than nothing"}', 'a version is compared with the one that is live');
set local role olga_operator;
select mlops.undeploy('screening');
reset role;
select is(pg_temp.missing(2), '{better,"than nothing"}', 'or was last: to end its deployment does not lower the bar');
select is((mlops.version_facts(:screening, 1) -> 'champion' ->> 'version')::integer, 1, 'which is a fact');

-- a project without a policy
set local role anna_owner;
select mlops.create_project('lab') as lab \gset
reset role;
update mlops.model set project_id = :lab where id = :screening;
set local role anna_owner;
select is_empty($$select * from mlops.why_not('screening', 3)$$, 'without a policy nothing is asked');
select lives_ok($$select mlops.deploy('screening', 3)$$, 'and everything may go live');
reset role;
select * from finish();
rollback;
