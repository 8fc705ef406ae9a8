-- Runs side by side and in order: what differs, intervals, the best, by a metric that is better when it is small, too.
\ir include/begin.sql
\ir include/trained.sql
select mlops.create_project('census');
select mlops.create_experiment('census', 'depth', 'rmse');
select mlops.create_experiment('census', 'empty');
select run_id as shallow from mlops.train('price', 'thing', 'price', 'linear_regression', project => 'census', experiment => 'depth', features => '{small}') \gset
select run_id as deep from mlops.train('price', 'thing', 'price', 'linear_regression', project => 'census', experiment => 'depth', features => '{small,whole}',
									   params => '{"reg_lambda": 2}') \gset
select mlops.log_run('price', 'regression', 'price', 'mlp', metrics => '{"rmse": 1e-3}', project => 'census', experiment => 'depth') as elsewhere \gset
create temporary table compared as select * from mlops.compare(array[:deep, :shallow]);
select plan(16);
select results_eq($$select name, "values" from compared where kind = 'parameter'$$, $$values ('reg_lambda', '[2, 0]'::jsonb)$$, 'of the parameters what differs');
select results_eq($$select name from compared where kind = 'about'$$, $$values ('version')$$, 'and of what they are');
select is((select count(*) from compared where kind = 'data'), 1::bigint, 'they learned from other columns');
select is((select best from compared where name = 'rmse'), :deep::bigint, 'the smaller error is the better one');
select is((select best from compared where name = 'r2'), :deep::bigint, 'the larger share explained is');
select ok(bool_and(low[1] < (("values" -> 0)::float8) and (("values" -> 0)::float8) < high[1] and low[1] >= 0), 'intervals lie about the values') from compared where name = 'rmse';
select ok(abs((high[1] - low[1]) / 2 - 1.959963984540054 * (select (m.content -> 'rmse' ->> 'se_component')::float8 / sqrt((m.content -> 'rmse' ->> 'n')::float8)
	from mlops.reference_model m join mlops.model_version v using (model_id, version) where v.run_id = :deep and m.kind = 'performance')) < 1e-9, 'by the frozen standard error')
  from compared where name = 'rmse';
select is((select count(*) from mlops.compare(array[:deep, :elsewhere]) c where c.name = 'rmse' and c.low[2] is null and c.high[2] is null and c.low[1] is not null), 1::bigint,
	'what was reported has no interval');
select throws_ok($$select * from mlops.compare('{}')$$, '22023', null, 'no runs');
select throws_ok($$select * from mlops.compare('{0}')$$, '42704', null, 'a run that there is not');

select results_eq($$select rank, run_id, origin, ranked_by from mlops.leaderboard('census/depth')$$,
	format($$values (1::bigint, %s::bigint, 'reported', 'rmse'), (2, %s, 'measured', 'rmse'), (3, %s, 'measured', 'rmse')$$, :elsewhere, :deep, :shallow), 'the best is first, and says where it comes from');
select results_eq($$select run_id from mlops.leaderboard('census/depth', 'r2')$$, format('values (%s::bigint), (%s)', :deep, :shallow), 'by another metric, those that have it');
select is_empty($$select from mlops.leaderboard('census/empty')$$, 'an experiment without runs');
select throws_ok($$select * from mlops.leaderboard('census/nothing')$$, '42704', null, 'an experiment that there is not');
select throws_ok($$select * from mlops.leaderboard('census/depth', 'profit')$$, '22023', null, 'a metric of which nobody says which way is better');
update mlops.experiment set metric = 'profit', direction = 'maximize' where name = 'depth';
select mlops.log_metric(:deep, 'profit', 5), mlops.log_metric(:shallow, 'profit', 7);
select results_eq($$select run_id from mlops.leaderboard('census/depth')$$, format('values (%s::bigint), (%s)', :shallow, :deep), 'unless the experiment does');
select * from finish();
rollback;
