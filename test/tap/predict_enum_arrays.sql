-- Values of an enum within an array are what they are called now, not what they were called when they were first seen.
\ir include/begin.sql
create type mood as enum ('calm', 'cross', 'glad');
create table day as select array[(enum_range(null::mood))[i % 3 + 1], (enum_range(null::mood))[i % 2 + 1]] as moods, (i % 3) * 10.0 + i % 2 as score from generate_series(1, 300) i;
-- an array serves for columns that are named as its elements
select mlops.train('score', 'select moods[1] as "moods[1]", moods[2] as "moods[2]", score from day', 'score', algorithm => 'linear_regression');
select mlops.deploy('score', capture => '{"mode": "off"}');
-- one expression, whose state is kept while the names change
create function pg_temp.answers(variadic steps text[]) returns float8[] language plpgsql as $$
declare
	answers float8[] := '{}';
	d day;
	step text;
begin
	select * into d from day where moods = array['glad', 'cross']::mood[] limit 1;
	foreach step in array steps loop
		execute step;
		answers := answers || mlops.predict('score', d);
	end loop;
	return answers;
end
$$;
create function pg_temp.expected(variadic moods text[]) returns float8 language sql as $$ select round(mlops.predict('score', jsonb_build_object('moods[1]', moods[1], 'moods[2]', moods[2]))::numeric, 9)::float8 $$;
select plan(4);
select results_eq($$select round(a::numeric, 9)::float8 from unnest(pg_temp.answers('select 1', 'alter type mood rename value ''glad'' to ''merry''', 'alter type mood rename value ''calm'' to ''glad''',
	'alter type mood rename value ''merry'' to ''calm''')) a$$,
	$$values (pg_temp.expected('glad', 'cross')), (pg_temp.expected('merry', 'cross')), (pg_temp.expected('merry', 'cross')), (pg_temp.expected('calm', 'cross'))$$, 'in one expression');
select isnt(pg_temp.expected('glad', 'cross'), pg_temp.expected('calm', 'cross'), 'which makes a difference');
select isnt(pg_temp.expected('glad', 'cross'), pg_temp.expected('merry', 'cross'), 'as does a name that training never saw');
prepare ask as select round(mlops.predict('score', d)::numeric, 9)::float8 from day d where d.moods = array['calm', 'cross']::mood[] limit 1;
execute ask;
alter type mood rename value 'calm' to 'quiet';
alter type mood rename value 'glad' to 'calm';
select results_eq('execute ask', $$values (pg_temp.expected('calm', 'cross'))$$, 'from one statement to the next');
select * from finish();
rollback;
