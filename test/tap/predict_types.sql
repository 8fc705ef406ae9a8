-- Each type is read as training read it; types that are near enough will do.
\ir include/begin.sql
\ir include/trained.sql
create domain small_domain as smallint;
create type thing_type as (small small_domain, whole numeric, big int, single float8, double real, amount float8, share int, flag boolean, day date, at date,
						   zoned timestamptz, took interval, colour name, code text, shade text, key text, x numeric[]);
create function pg_temp.price_with(change jsonb, id int default 1) returns float8 language sql as
	$$ select mlops.predict('price', to_jsonb(t) || change) from thing t where t.id = price_with.id $$;
create function pg_temp.outcome(statement text) returns text language plpgsql as $$
declare
	answer text;
begin
	execute statement into answer;
	return coalesce(answer, 'NULL');
exception when others then
	return sqlstate;
end $$;
select plan(25);
select is_empty($$select from thing t where mlops.predict('price', row(small, whole, big, single, double::real, amount, share, flag, day, at::date, zoned, took,
														  colour, code, shade, key, x)::thing_type)
									<> mlops.predict('price', to_jsonb(t) || jsonb_build_object('at', at::date, 'double', double::real::float8, 'share', share::int))$$,
				'domains, name, wider and narrower numbers, a date for a timestamp');
select is(pg_temp.price_with('{"code": "a"}', 4), pg_temp.price_with('{}', 4), 'char(n) with its blanks or without');
select isnt(pg_temp.price_with('{"colour": "red"}', 1), pg_temp.price_with('{"colour": "blue"}', 1), 'a text counts');
select isnt(pg_temp.price_with('{"shade": "dark"}', 1), pg_temp.price_with('{"shade": "none"}', 1), 'an enum counts');
select isnt(pg_temp.price_with('{"key": "00000000-0000-0000-0000-000000000001"}', 1),
			pg_temp.price_with('{"key": "00000000-0000-0000-0000-000000000002"}', 1), 'a uuid counts');
select is(pg_temp.price_with('{"flag": 1}'), pg_temp.price_with('{"flag": true}'), 'a boolean as a number');
select is(pg_temp.price_with('{"whole": 1e1}'), pg_temp.price_with('{"whole": 10}'), 'a number as it is written');
select is(pg_temp.price_with('{"single": 0.1}'), pg_temp.price_with('{"single": 0.10000000149011612}'), 'a real is rounded to a real');
select isnt(pg_temp.price_with('{"double": 0.1}'), pg_temp.price_with('{"double": 0.10000000149011612}'), 'a double precision is not');
select is(pg_temp.price_with('{"day": "2020-02-03"}'), pg_temp.price_with('{"day": "2020-02-03 "}'), 'a date');
select is(pg_temp.price_with('{"at": "2020-02-03T00:00:00"}'), pg_temp.price_with('{"at": "2020-02-03"}'), 'a timestamp');
select is(pg_temp.price_with('{"zoned": "2020-02-03 12:00:00+00"}'), pg_temp.price_with('{"zoned": "2020-02-03T17:30:00+05:30"}'), 'a timestamp with time zone');
select is(pg_temp.price_with('{"took": "1 day"}'), pg_temp.price_with('{"took": "PT24H"}'), 'an interval');
select is(pg_temp.price_with('{"took": "1 year"}'), pg_temp.price_with('{"took": "8766 hours"}'), 'by its seconds');
set local timezone = 'Etc/GMT-3';
select is(pg_temp.price_with('{"zoned": "2020-02-03 12:00:00"}'), pg_temp.price_with('{"zoned": "2020-02-03 09:00:00Z"}'),
		  'a reference reads a timestamp without offset in the session''s zone');
create temporary table shelf as select mlops.export_model('price') as model;
create function pg_temp.artifact_with(change text) returns text language sql as $$
	select pg_temp.outcome(format('select mlops.predict(s.model, to_jsonb(t) || %L) from shelf s, thing t where t.id = 1', change)) $$;
select is(pg_temp.artifact_with('{"zoned": "2020-02-03 12:00:00"}'), '22007', 'a value does not: it depends on no setting');
select is(pg_temp.artifact_with('{"zoned": "2020-02-03"}'), '22007', 'nor a date');
select is(pg_temp.artifact_with('{"zoned": "2020-02-03 12:00:00 EST"}'), '22007', 'nor an abbreviation');
select is(pg_temp.artifact_with('{"zoned": "2020-02-03 12:00:00-03"}'), pg_temp.price_with('{"zoned": "2020-02-03 15:00:00Z"}')::text, 'but an offset');
select is(pg_temp.artifact_with('{"took": "-1 day 02:00"}'), '22007', 'nor a sign that IntervalStyle decides about');
select is(pg_temp.artifact_with('{"took": "-1 day +02:00"}'), pg_temp.price_with('{"took": "-22 hours"}')::text, 'but two signs');
select is(pg_temp.artifact_with('{"day": "today"}'), '22007', 'nor the day it is');
select is(pg_temp.outcome($$select mlops.predict('price', r) from (select t.*, 'x'::text as y from thing t where id = 1) r$$), pg_temp.price_with('{}')::text, 'columns too many');
alter type shade add value 'dim';
select is(pg_temp.outcome($$select mlops.predict('price', to_jsonb(t) || '{"shade": "dim"}') from thing t where id = 1$$), pg_temp.price_with('{"shade": null}')::text,
		  'a level that the enum got later is unseen');
alter type shade rename value 'dark' to 'black';
select is(pg_temp.outcome($$select mlops.predict('price', t) from thing t where shade = 'black' and id = (select min(id) from thing where shade = 'black')$$),
		  (select mlops.predict('price', to_jsonb(t) || '{"shade": null}')::text from thing t where id = (select min(id) from thing where shade = 'black')),
		  'and one that was renamed');
select * from finish();
rollback;
