-- Row security binds no role with BYPASSRLS: the gate refuses those who may not deploy itself, in the words of row security.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select plan(6);
create role ben_bypass bypassrls;
select set_config('test.screening', :'screening', true);
select pg_temp.set_policy('{"approvals": {"reviewer": 1}}') as policy;
set local role ben_bypass;
select throws_ok(format('insert into mlops.deployment (model_id, version) values (%s, 1)', :screening), '42501',
				 'new row violates row-level security policy for table "deployment"', 'who is no member deploys nothing');
select throws_ok($$insert into mlops.deployment (model_id, version) values (999999, 1)$$, '42501',
				 'new row violates row-level security policy for table "deployment"', 'and is told the same of a model that is not there');
select throws_ok(format('insert into mlops.acceptance_test (model_id, name, query, expectation) values (%s, ''x'', ''select ''''{model}'''' as a'', ''a is not null'')', :screening), '42501',
				 'new row violates row-level security policy for table "acceptance_test"', 'adds no tests');
select throws_ok(format('insert into mlops.approval (model_id, version, decision, conditions, due) values (%s, 1, ''conditional'', ''x'', current_date)', :screening), '42501',
				 format('permission denied to review model %s', :screening), 'and decides nothing');
reset role;
select is((select count(*) from mlops.deployment d where d.model_id = :screening), 0::bigint, 'nothing is live');
select throws_ok(format('insert into mlops.deployment (model_id, version) values (%s, 1)', :screening), '55000', null, 'a superuser meets the policy');
select * from finish();
rollback;
