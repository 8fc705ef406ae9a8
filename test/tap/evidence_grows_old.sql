-- What was measured longer ago than the policy allows does not count; the bar that the champion sets does not sink with time.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select plan(8);
set local session_replication_role = replica;
update mlops.model_version set created_at = clock_timestamp() - interval '100 days' where model_id = :screening and version in (1, 4);
reset session_replication_role;
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.7", "no worse": "champion.roc_auc is null or roc_auc >= champion.roc_auc"}}') as policy;
select is(pg_temp.missing(1), '{}', 'without a limit evidence does not age');
select pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$) as deployed;
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.7", "no worse": "champion.roc_auc is null or roc_auc >= champion.roc_auc"}, "valid_for": "101 days"}') as policy;
select is(pg_temp.missing(4), '{}', 'what is young enough counts');
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.7", "no worse": "champion.roc_auc is null or roc_auc >= champion.roc_auc"}, "valid_for": "99 days"}') as policy;
select is(pg_temp.missing(4), '{accurate,"no worse"}', 'what is older does not');
select is((select detail from mlops.why_not('screening', 4) where check_name = 'accurate'),
		  format('roc_auc >= 0.7; roc_auc is unknown; its training, on %s, is longer ago than the policy allows', (clock_timestamp() - interval '100 days')::date), 'which is said');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 4)$$), '55000', 'and it does not go live');
select is(pg_temp.missing(2), '{"no worse"}', 'a young version is compared with an old champion');

-- tests
insert into mlops.acceptance_test (model_id, name, query, expectation) values (:screening, 'asked', 'select ''{model}''::text as asked', 'asked like ''%screening@2''');
select pg_temp.set_policy('{"checks": {"tested": "tests_failed = 0 and tests_missing = 0"}, "valid_for": "99 days"}') as policy;
select count(*) from mlops.run_tests('screening', 2);
select is(pg_temp.missing(2), '{}', 'a test that was run today');
set local session_replication_role = replica;
update mlops.evidence set measured_at = clock_timestamp() - interval '100 days' where kind = 'test';
reset session_replication_role;
select is(pg_temp.missing(2), '{tested}', 'and one that was run long ago');
select * from finish();
rollback;
