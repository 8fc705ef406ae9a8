-- recipe(): how a version turns each column into features.
\ir include/begin.sql
\ir include/trained.sql
update thing set whole = null where id % 10 = 0;
select mlops.train('trees', 'thing', 'price', features => '{whole,colour,day}', params => '{"n_estimators": 2}');
select mlops.train('line', 'thing', 'price', 'linear_regression', features => '{whole,colour,flag}', split => '{"test": 0}');
select plan(10);
select results_eq($$select position, "column", type, kind, missing, encoding, scaling from mlops.recipe('trees@1')$$,
				  $$values (1, 'whole', 'integer', 'number', 'native', 'native', 'none'), (2, 'colour', 'text', 'category', 'native', 'native', 'none'),
						   (3, 'day', 'date', 'date', 'native', 'native', 'none')$$, 'trees take columns as they are');
select is(categories, '{blue,green,red}', 'the levels of a category') from mlops.recipe('trees@1') where "column" = 'colour';
select results_eq($$select encoding, scaling, indicator, features from mlops.recipe('line@1') where "column" = 'whole'$$, $$values ('native', 'standard', true, 2)$$,
				  'a linear model scales, and marks what was missing');
select is(fill::float8, (select percentile_cont(0.5) within group (order by whole) from thing), 'a missing number becomes the median') from mlops.recipe('line@1') where "column" = 'whole';
select ok(abs(center - (select avg(coalesce(whole, r.fill::float8)) from thing)) < 1e-9, 'the mean is subtracted') from mlops.recipe('line@1') r where "column" = 'whole';
select results_eq($$select encoding, features, fill from mlops.recipe('line@1') where "column" = 'colour'$$,
				  $$select 'onehot', 3, (select colour from thing group by 1 order by count(*) desc, 1 limit 1)$$, 'a category becomes a feature a level');
select results_eq($$select lowest, highest, n_missing from mlops.recipe('line@1') where "column" = 'whole'$$,
				  $$select min(whole)::float8, max(whole)::float8, 40::bigint from thing$$, 'what training saw');
select throws_ok($$select * from mlops.recipe('line')$$, '55000', null, 'a bare name means the live version');
select mlops.deploy('line');
select is((select count(*) from mlops.recipe('line')), 3::bigint, 'when there is one');
select is_empty($$select * from mlops.recipe(null)$$, 'NULL has none');
select * from finish();
rollback;
