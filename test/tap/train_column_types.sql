-- Which types columns may have, and what they become.
\ir include/begin.sql
\ir include/refusal.sql
create type mood as enum ('sad', 'glad');
create domain percent as numeric check (value between 0 and 100);
create domain word as text;
create table everything as
	select n::int2 as i2, n::int4 as i4, n::int8 as i8, n::float4 as f4, n::float8 as f8, n::numeric / 8 as num, n % 2 = 0 as yes,
		   '2000-01-01'::date + n as day, '2000-01-01'::timestamp + n * interval '1 second' as moment,
		   '2000-01-01 00:00+00'::timestamptz + n * interval '1 minute' as instant, n * interval '1 hour' as span,
		   't' || n % 3 as txt, ('v' || n % 3)::varchar(10) as vc, ('c' || n % 3)::char(5) as ch, (case n % 2 when 0 then 'sad' else 'glad' end)::mood as feeling,
		   ('00000000-0000-0000-0000-00000000000' || n % 3)::uuid as id, ('n' || n % 3)::name as nam, (n % 2 + 65)::"char" as one, (n % 100)::percent as pct,
		   ('w' || n % 4)::word as wrd, array[n, n * 2]::float8[] as vec,
		   '{}'::jsonb as doc, '10.0.0.1'::inet as ip, point(n, n) as spot, array['x'] as tags, '(,)'::int4range as span_of_ints,
		   n * 3.0::float8 as target
	  from generate_series(1, 40) n;

select plan(14);
select lives_ok($$select mlops.train('m', 'everything', 'target', algorithm => 'gradient_boosting', params => '{"n_estimators": 2}')$$, 'all at once');
select results_eq($$select c ->> 'name', c ->> 'kind', c ->> 'type' from (select columns from mlops.snapshot order by id desc limit 1) s,
						   jsonb_array_elements(s.columns) with ordinality as e (c, n) where c ->> 'role' = 'feature' order by n$$,
				  $$values ('i2', 'number', 'smallint'), ('i4', 'number', 'integer'), ('i8', 'number', 'bigint'), ('f4', 'number', 'real'),
						   ('f8', 'number', 'double precision'), ('num', 'number', 'numeric'), ('yes', 'boolean', 'boolean'), ('day', 'date', 'date'),
						   ('moment', 'timestamp', 'timestamp without time zone'), ('instant', 'timestamptz', 'timestamp with time zone'),
						   ('span', 'interval', 'interval'), ('txt', 'category', 'text'), ('vc', 'category', 'character varying'),
						   ('ch', 'category', 'character'), ('feeling', 'category', 'public.mood'), ('id', 'category', 'uuid'), ('nam', 'category', 'name'),
						   ('one', 'category', '"char"'), ('pct', 'number', 'public.percent'), ('wrd', 'category', 'public.word'),
						   ('vec[1]', 'number', 'double precision'), ('vec[2]', 'number', 'double precision')$$, 'kinds and types');
create function pg_temp.profile(name text) returns jsonb language sql as
	$$ select c from (select columns from mlops.snapshot order by id desc limit 1) s, jsonb_array_elements(s.columns) c where c ->> 'name' = name $$;
select is(pg_temp.profile('day') ->> 'max', '40', 'a date counts days since 2000-01-01');
select is(pg_temp.profile('moment') ->> 'max', '40000000', 'a timestamp microseconds');
select is(pg_temp.profile('instant') ->> 'max', '2400000000', 'with time zone too');
select is(pg_temp.profile('span') ->> 'max', '144000', 'an interval seconds');
select is(pg_temp.profile('yes') ->> 'mean', '0.5', 'a boolean is 0 or 1');
select is(pg_temp.profile('num') ->> 'max', '5', 'numeric');
select is(pg_temp.profile('ch') ->> 'distinct', '3', 'char(n)');
select is(pg_temp.profile('vec[2]') ->> 'max', '80', 'an array''s element');
select is(mlops.predict('m@1', e), mlops.predict('m@1', to_jsonb(e) - '{doc,ip,spot,tags,span_of_ints}'::text[]), 'a row and its jsonb mean the same')
  from everything e where i4 = 7;
select matches(pg_temp.refusal($$select mlops.train('m', 'everything', 'target', features => '{f8,doc}')$$), '^42804 .*"doc".*jsonb', 'a listed column of another type');
select matches(pg_temp.refusal($$select mlops.train('m', 'everything', 'doc')$$), '^42804 .*"doc".*jsonb', 'a target of another type');
select matches(pg_temp.refusal($$select mlops.train('m', 'everything', 'target', weight => 'txt')$$), '^42804 .*"txt".*text', 'a weight that is no number');
select * from finish();
rollback;
