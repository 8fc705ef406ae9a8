-- Numbers, booleans, dates, times and texts of any type can be profiled; what cannot is refused.
\ir include/begin.sql
select plan(19);
create type pg_temp.shade as enum ('light', 'dark');
create domain pg_temp.age as int;
create temp table odd as
select i::int2 as small, i as whole, i::int8 as large, i::float4 as single, i::float8 as double, i::numeric as exact, i > 3 as flag, date '2024-01-01' + i as day,
	   timestamp '2024-01-01' + i * interval '1 h' as moment, timestamptz '2024-01-01 00:00+00' + i * interval '1 h' as zoned, i * interval '1 min' as long,
	   'text ' || i % 2 as words, ('v' || i % 2)::varchar(9) as varying, ('c' || i % 2)::char(9) as padded, ('n' || i % 2)::name as named,
	   (enum_range(null::pg_temp.shade))[1 + i % 2] as shade, i::pg_temp.age as age
  from generate_series(1, 5) i;
set local timezone to 'UTC';
select is(mlops.profile(small)::jsonb #>> '{mean}', '3', 'smallint') from odd;
select is(mlops.profile(whole)::jsonb #>> '{quantiles,0.25}', '2', 'integer') from odd;
select is(mlops.profile(large)::jsonb #>> '{max}', '5', 'bigint') from odd;
select is(mlops.profile(single)::jsonb #>> '{min}', '1', 'real') from odd;
select is(mlops.profile(double)::jsonb #>> '{distinct}', '5', 'double precision') from odd;
select is(mlops.profile(exact)::jsonb #>> '{kind}', 'number', 'numeric') from odd;
select is(mlops.profile(age)::jsonb #>> '{mean}', '3', 'a domain') from odd;
select is(mlops.profile(flag)::jsonb #>> '{mean}', '0.4', 'boolean') from odd;
select is(mlops.profile(day)::jsonb #>> '{max}', '2024-01-06', 'date') from odd;
select is(mlops.profile(moment)::jsonb #>> '{quantiles,0.5}', '2024-01-01 03:00:00', 'timestamp') from odd;
select is(mlops.profile(zoned)::jsonb #>> '{min}', '2024-01-01 01:00:00+00', 'timestamptz') from odd;
select is(mlops.profile(long)::jsonb #>> '{max}', '00:05:00', 'interval') from odd;
select is(mlops.profile(words)::jsonb #>> '{top,0,value}', 'text 1', 'text') from odd;
select is(mlops.profile(varying)::jsonb #>> '{top,0,value}', 'v1', 'varchar') from odd;
select is(mlops.profile(padded)::jsonb #>> '{top,0,value}', 'c1', 'char without its blanks') from odd;
select is(mlops.profile(named)::jsonb #>> '{top,0,count}', '3', 'name') from odd;
select is(mlops.profile(shade)::jsonb #>> '{top,0,value}', 'dark', 'enum') from odd;
select throws_ok('select mlops.profile(array[1])', '42804', 'values of type integer[] cannot be profiled');
select throws_ok('select mlops.merge(p) from (select mlops.profile(1) as p union all select mlops.profile(true)) s', '42804',
				 'a distribution of kind boolean cannot be merged with one of kind number');
select * from finish();
rollback;
