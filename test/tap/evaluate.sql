-- How good a version is: as it was measured, and on other rows.
\ir include/begin.sql
\ir include/refusal.sql
create table seen as select n % 31 as a, 'k' || n % 5 as b, (n % 31) * 2.0::float8 + n % 5 as y, n % 31 > 15 as yes, n % 3 as three from generate_series(1, 620) n;
create table unseen as select * from seen where a < 10;
select mlops.train('reg', 'seen', 'y', features => '{a,b}');
select mlops.train('bin', 'seen', 'yes', features => '{b,y}');
select mlops.train('multi', 'select *, ''c'' || three as c from seen', 'c', features => '{a,b}');

select plan(19);
select set_eq($$select metric from mlops.evaluate('reg@1')$$,
			  $$values ('rmse'), ('mae'), ('r2'), ('mape'), ('median_absolute_error'), ('baseline_rmse'), ('baseline_mae'), ('baseline_r2'), ('baseline_mape'),
					   ('baseline_median_absolute_error')$$, 'the metrics of a regression, and the baseline''s');
select is((select value from mlops.evaluate('reg@1') where metric = 'rmse'), (select (metrics ->> 'rmse')::float8 from mlops.model_version v
			join mlops.model m on m.id = v.model_id where m.name = 'reg'), 'are those stored');
select is((select value from mlops.metric where name = 'rmse'), (select value from mlops.evaluate('reg@1') where metric = 'rmse'), 'and those of its run');
select ok(abs((select value from mlops.evaluate('reg@1', 'seen') where metric = 'rmse')
			  - (select sqrt(avg((mlops.predict('reg@1', s) - y) ^ 2)) from seen s)) <= 1e-9, 'on rows: as computed by hand');
select is((select value from mlops.evaluate('bin@1', 'seen') where metric = 'accuracy'),
		  (select avg((mlops.predict('bin@1', s) = yes::int)::int)::float8 from seen s), 'the accuracy of a classification');
select is((select value from mlops.evaluate('multi@1', 'select *, ''c'' || three as c from seen') where metric = 'accuracy'),
		  (select avg((mlops.predict_class('multi@1', s) = 'c' || three)::int)::float8 from seen s), 'of three classes');
select ok(exists (select from mlops.evaluate('multi@1') where metric = 'recall[c1]'), 'each class has its own');
select is((select sum(value) from mlops.evaluate('multi@1', 'select *, ''c'' || three as c from seen') where metric like 'support[%'), 620::float8, 'whose supports are the rows');
select is((select value from mlops.evaluate('reg@1', 'select y, b::varchar, a::float8 from unseen') where metric = 'mae'),
		  (select value from mlops.evaluate('reg@1', 'unseen') where metric = 'mae'), 'columns are matched by name, whatever their numbers'' type');
select matches(pg_temp.refusal($$select mlops.evaluate('reg@1', 'select a, y from seen')$$), '^42703 .*"b"', 'a column that lacks');
select matches(pg_temp.refusal($$select mlops.evaluate('reg@1', 'select a, b from seen')$$), '^42703 .*"y"', 'a target that lacks');
select matches(pg_temp.refusal($$select mlops.evaluate('reg@1', 'select ''x'' as a, b, y from seen')$$), '^42804 .*"a"', 'a column of another type');
select matches(pg_temp.refusal($$select mlops.evaluate('reg@1', 'select * from seen where false')$$), '^22000 .*row', 'no rows');
select matches(pg_temp.refusal($$select mlops.evaluate('reg@1', 'select a, b, null::float8 as y from seen')$$), '^22000 no rows are left .*"y"', 'no row with a target');
select matches(pg_temp.refusal($$select mlops.evaluate('reg@1', 'delete from seen returning *')$$), '^0A000 ', 'it only reads');
select matches(pg_temp.refusal($$select mlops.evaluate('reg')$$), '^55000 ', 'a model that is not deployed has no live version');
select matches(pg_temp.refusal($$select mlops.evaluate('rge@1')$$), '^42704 .*"reg"', 'no such model');
select matches(pg_temp.refusal($$select mlops.evaluate(null)$$), '^22023 .*"model"', 'NULL');
set local transaction_read_only = on;
select lives_ok($$select mlops.evaluate('reg@1', 'seen')$$, 'in a read-only transaction');
select * from finish();
rollback;
