-- The views of algorithms and parameters say what train() takes.
\ir include/begin.sql
create table house as select n as area, n * 2.5::float8 as price, n % 2 = 0 as flag from generate_series(1, 40) n;
select plan(5);
select set_eq('select name from mlops.algorithm', array['gradient_boosting', 'linear_regression', 'logistic_regression', 'random_forest', 'extra_trees', 'decision_tree', 'baseline'], 'the algorithms');
select results_eq($$select "default", range from mlops.algorithm_parameter where algorithm = 'gradient_boosting' and name = 'learning_rate'$$,
				  $$select '0.1', range from mlops.algorithm_parameter where algorithm = 'gradient_boosting' and name = 'learning_rate'$$, 'a default');
select is((select count(*) from mlops.algorithm_parameter where meaning = '' or range = '' or "default" = '' or type not in ('integer', 'number', 'boolean', 'word', 'number or word', 'object', 'model')), 0::bigint, 'each parameter is described');
select lives_ok(format('select mlops.train(''m'', ''house'', %L, algorithm => %L, features => ''{area}'')', case when 'regression' = any (tasks) then 'price' else 'flag' end, name),
				name || ' trains') from mlops.algorithm where name = 'baseline';
create role nobody_in_particular;
set local role nobody_in_particular;
select ok(exists (select from mlops.algorithm_parameter), 'anybody may ask');
select * from finish();
rollback;
