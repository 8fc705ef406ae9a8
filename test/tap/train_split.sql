-- Which rows are test rows.
\ir include/begin.sql
\ir include/refusal.sql
create table visits as
	select n, n % 11 as a, n % 7 as b, '2024-01-01'::timestamptz + n * interval '1 hour' as at, 'g' || n % 50 as who, n % 4 = 0 as held,
		   case when n % 10 < 6 then 'train' when n % 10 < 8 then 'validation' else 'test' end as part, (n % 11) * 3.0::float8 + n % 7 as y,
		   case when n % 10 = 0 then 'rare' else 'common' end as label
	  from generate_series(1, 1000) n;
create function pg_temp.parts(split text, target text default 'y') returns text language plpgsql as $$
declare
	new_run bigint;
begin
	select run_id into new_run from mlops.train('m', 'visits', target, split => split::jsonb, exclude => '{n}', params => '{"n_estimators": 3}');
	return (select format('%s %s %s', rows_train, rows_validation, rows_test) from mlops.run where id = new_run);
end
$$;
create function pg_temp.features() returns text language sql as
	$$ select string_agg(s.name, ',' order by s.position) from mlops.model_signature s
		where s.version = (select max(version) from mlops.model_version) and s.role = 'feature' $$;

select plan(21);
select is(pg_temp.parts('{}', 'label'), '800 0 200', 'a fifth, exactly, where it is stratified');
select is(pg_temp.parts('{"test": 0.25, "validation": 0.25}', 'label'), '500 250 250', 'validation beside it');
select is(pg_temp.parts('{"test": 0}'), '1000 0 0', 'none');
select is((select metrics -> 'rmse' from mlops.model_version order by version desc limit 1), null, 'then there are no metrics');
select is(pg_temp.parts('{"column": "held"}'), '750 0 250', 'a boolean: true is test');
select is(pg_temp.features(), 'a,b,at,who,part,label', 'and no feature');
select is(pg_temp.parts('{"column": "part"}'), '600 200 200', 'a text: train, validation, test');
select is(pg_temp.parts('{"time": "at", "test": 0.1}'), '900 0 100', 'the latest');
select is(pg_temp.parts('{"time": "at"}'), '800 0 200', 'by default a fifth');
select isnt(pg_temp.parts('{"group": "who", "test": 0.3}'), '1000 0 0', 'whole groups');
select is(substring(pg_temp.parts('{"group": "who", "test": 0.3}') from '\d+$')::int % 20, 0, 'of 20 rows each');
select is(pg_temp.features(), 'a,b,at,held,part,label', 'the group is no feature');
select lives_ok($$select mlops.train('m', 'visits', 'y', features => '{a,who}', split => '{"group": "who"}')$$, 'unless it is listed');
select is(pg_temp.features(), 'a,who', 'then it is both');
select matches(pg_temp.refusal($$select pg_temp.parts('{"tset": 0.1}')$$), '^22023 .*"tset".*"test"', 'an unknown key');
select matches(pg_temp.refusal($$select pg_temp.parts('{"test": 1}')$$), '^22023 .*"test".*less than 1', 'all rows');
select matches(pg_temp.refusal($$select pg_temp.parts('{"test": 0.6, "validation": 0.4}')$$), '^22023 .*no rows to train', 'together all');
select matches(pg_temp.refusal($$select pg_temp.parts('{"test": "half"}')$$), '^22023 .*"test".*number', 'no number');
select matches(pg_temp.refusal($$select pg_temp.parts('{"column": "held", "time": "at"}')$$), '^22023 .*"column".*"time"', 'two at once');
select matches(pg_temp.refusal($$select pg_temp.parts('{"column": "helt"}')$$), '^42703 .*"helt".*"held"', 'no such column');
select matches(pg_temp.refusal($$select pg_temp.parts('{"column": "at"}')$$), '^42804 .*"at".*boolean', 'a column of another type');
select * from finish();
rollback;
