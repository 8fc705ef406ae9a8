-- Odd rows have a defined answer.
\ir include/begin.sql
\ir include/refusal.sql
create function pg_temp.answer(query text, rest text default '') returns text language sql as
	$$ select pg_temp.refusal(format('select mlops.train(''m'', %L, ''y'', params => ''{"n_estimators": 3}'' %s)', query, rest)) $$;
create function pg_temp.last_run() returns mlops.run language sql as $$ select r from mlops.run r order by id desc limit 1 $$;
create function pg_temp.profile(name text) returns jsonb language sql as
	$$ select c from (select columns from mlops.snapshot order by id desc limit 1) s, jsonb_array_elements(s.columns) c where c ->> 'name' = name $$;
create table rows as select n, n % 13 as x, (n % 13) * 2.0::float8 as y from generate_series(1, 100) n;

select plan(31);
select matches(pg_temp.answer('select * from rows where false'), '^22000 .*row', 'no rows');
select matches(pg_temp.answer('select * from rows where n = 1'), '^22000 .*row', 'one row');
select matches(pg_temp.answer('select * from rows where n = 1', $$, split => '{"test": 0}'$$), '^22000 .*row', 'even without test rows');
select is(pg_temp.answer('select * from rows where n <= 2', $$, split => '{"test": 0}'$$), 'accepted', 'two rows are learned from');
select matches(pg_temp.answer('select x, null::float8 as y from rows'), '^22000 .*"y".*NULL', 'a target that is NULL everywhere');
select matches(pg_temp.answer('select x, ''NaN''::float8 as y from rows'), '^22000 .*"y"', 'or NaN');
select matches(pg_temp.answer('select x, 1.5::float8 as y from rows'), '^22000 .*"y"', 'a constant target');
select matches(pg_temp.answer('select x, ''a'' as y from rows'), '^22000 .*"y"', 'a single class');
select matches(pg_temp.answer('select x, case n when 5 then ''Infinity''::float8 else y end as y from rows'), '^22000 .*"y".*infinite', 'an infinite target');
select matches(pg_temp.refusal($$select mlops.train('m', 'select x, 1.7e308 * (n % 2) as y from rows', 'y', task => 'regression', algorithm => 'baseline')$$),
			   '^22000 .*"y".*too large', 'a target whose sum is infinite');
select matches(pg_temp.refusal($$select mlops.train('m', 'select x, y, 1e308 as w from rows', 'y', task => 'regression', weight => 'w', algorithm => 'baseline')$$),
			   '^22000 .*"w".*too large', 'weights whose sum is infinite');
select matches(pg_temp.answer('select x, n % 2 as y, 1e40 as w from rows', $$, weight => 'w'$$), '^22000 .*weight.*1e\+40', 'weights beyond what boosting takes');
select is(pg_temp.answer('select x, case when n > 10 then y end as y from rows'), 'accepted', 'NULLs in the target');
select is((pg_temp.last_run()).rows_dropped, 10::bigint, 'are left out and counted');
select is((pg_temp.last_run()).rows_train + (pg_temp.last_run()).rows_test, 90::bigint, 'the others are used');
select is(pg_temp.answer('select x, 1 as constant, null::float8 as nothing, null::text as no_text, ''id'' || n as id, y from rows'), 'accepted',
		  'constant, empty and distinct columns');
select is(pg_temp.profile('nothing') ->> 'missing', '100', 'counted as missing');
select is(pg_temp.profile('id') ->> 'distinct', '100', 'counted as distinct');
select is(pg_temp.answer('select case n % 10 when 1 then ''Infinity'' when 2 then ''-Infinity'' when 3 then ''NaN'' else n::text end::float8 as x, y from rows'), 'accepted',
		  'infinities and NaN in a feature of trees');
select is(pg_temp.profile('x') ->> 'missing', '10', 'NaN is missing');
select is(pg_temp.answer((select 'select ' || string_agg(format('n %% %s as c%s', k % 31 + 2, k), ', ') || ', y from rows' from generate_series(1, 1599) k)), 'accepted',
		  '1,600 columns');
select is((select count(*) from mlops.model_signature where version = (select max(version) from mlops.model_version)), 1600::bigint, 'each in the signature');
select is(pg_temp.answer('select n % 300 as x, ''class '' || n % 300 as y from generate_series(1, 3000) n'), 'accepted', '300 classes');
select is((pg_temp.last_run()).task, 'multiclass', 'are a classification');
select is(pg_temp.answer('select repeat(''long '', 40) || n % 3 as x, y from rows'), 'accepted', 'a category of 200 characters');
select is(pg_temp.answer('select ''''::text as empty, case n % 2 when 0 then '''' else ''a'' end as x, y from rows'), 'accepted', 'an empty category');
select is(pg_temp.answer('select 9007199254740993::int8 + n as x, 0.1234567890123456789 * n as z, y from rows'), 'accepted', 'digits that are rounded');
select is(pg_temp.answer('select x, 1.0 as w, y from rows', $$, weight => 'w'$$), 'accepted', 'weights');
select matches(pg_temp.answer('select x, -1.0 as w, y from rows', $$, weight => 'w'$$), '^22000 .*"w".*negative', 'negative weights');
select matches(pg_temp.answer('select x, 0.0 as w, y from rows', $$, weight => 'w'$$), '^22000 ', 'weights that are all 0');
select matches(pg_temp.answer('select * from rows', $$, split => '{"test": 0.001}'$$), '^accepted', 'a part that comes out empty');
select * from finish();
rollback;
