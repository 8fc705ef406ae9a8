-- Snapshots: what a query returned, whatever the order of its rows; and how two of them differ.
\ir include/begin.sql
\ir include/refusal.sql
create role liz;
create role vera;
create role paul;
create role sten;
create table visit as
	select n as id, (n * 37 % 101)::float8 as weight, case n % 3 when 0 then 'north' when 1 then 'south' end as side, (n % 7)::numeric as tests,
		   timestamptz '2024-01-01 00:00+00' + n * interval '7 hours' as at, array[n, n + 1] as pair, json_build_object('n', n) as doc, n % 2 = 0 as even
	  from generate_series(1, 500) n;
grant select on visit to liz;
set local role liz;
select mlops.create_project('lab') as lab \gset
select mlops.grant_access('lab', 'vera', 'viewer'), mlops.grant_access('lab', 'paul', 'predictor');
create function pg_temp.fingerprint(query text) returns numeric language plpgsql as $$
declare
	taken constant bigint := mlops.take_snapshot(query, project => 'lab');
begin
	return (select s.fingerprint from mlops.snapshot s where s.id = taken);
end
$$;
select plan(31);

select mlops.take_snapshot('visit', project => 'lab') as first \gset
select results_eq(format('select kind, query, role_name, row_security_applied, row_count from mlops.snapshot where id = %s', :first),
	$$values ('taken', E'SELECT id,\n    weight,\n    side,\n    tests,\n    at,\n    pair,\n    doc,\n    even\n   FROM public.visit', 'liz', false, 500::bigint)$$, 'what was asked by whom');
select is((select c - 'stddev' - 'mean' from mlops.snapshot s, jsonb_array_elements(s.columns) c where s.id = :first and c ->> 'name' = 'weight'),
	'{"name": "weight", "type": "double precision", "min": 0, "max": 100, "missing": 0, "distinct": 101}', 'a number');
select is((select c from mlops.snapshot s, jsonb_array_elements(s.columns) c where s.id = :first and c ->> 'name' = 'side'), '{"name": "side", "type": "text", "missing": 167, "distinct": 2}', 'a text');
select is((select c ->> 'min' from mlops.snapshot s, jsonb_array_elements(s.columns) c where s.id = :first and c ->> 'name' = 'at') ~ '^2024-01-01', true, 'a time');
select is((select c from mlops.snapshot s, jsonb_array_elements(s.columns) c where s.id = :first and c ->> 'name' = 'doc'), '{"name": "doc", "type": "json", "missing": 0}', 'what cannot be profiled');
select is((select count(*) from mlops.snapshot_row), 0::bigint, 'rows are not kept unless that is asked for');

-- ---- The same rows ----

select mlops.take_snapshot('select * from visit order by weight, id desc', project => 'lab') as ordered \gset
select is((select array_agg(d.what) from mlops.diff_snapshots(:first, :ordered) d), '{query}', 'in another order they are the same');
reset role;
update visit set tests = tests::text::numeric(10, 3), weight = case when weight = 0 then '-0'::float8 else weight end;
set local role liz;
select is_empty(format('select * from mlops.diff_snapshots(%s, %s)', :first, mlops.take_snapshot('visit', project => 'lab')), 'equal values in other forms are the same');
set local timezone = 'Asia/Tokyo';
select is((select array_agg(d.what) from mlops.diff_snapshots(:first, mlops.take_snapshot('visit', project => 'lab')) d), '{settings}', 'under other settings, too, and those are said');
reset timezone;
select is(pg_temp.fingerprint('select * from visit where false'), 0::numeric, 'no rows');
select is((select s.fingerprint * 2 % 2::numeric ^ 128 from mlops.snapshot s where s.id = :first),
	pg_temp.fingerprint('select * from visit union all select * from visit'), 'rows that come twice count twice');
select isnt(pg_temp.fingerprint('select 1 as a, null::int as b'),
	pg_temp.fingerprint('select null::int as a, 1 as b'), 'a value in another column is another row');
select isnt(pg_temp.fingerprint('select 1 as a'),
	pg_temp.fingerprint('select null::int as a'), 'and NULL is a value of its own');

-- ---- Others ----

reset role;
update visit set weight = 250 where id = 1;
delete from visit where id = 2;
set local role liz;
select mlops.take_snapshot('visit', project => 'lab') as later \gset
select is((select string_agg(d.what || coalesce(' ' || d.name, ''), ', ' order by d.what, d.name) from mlops.diff_snapshots(:first, :later) d where d.name is null or d.name in ('weight', 'pair', 'even', 'doc')),
	'column even, column weight, fingerprint, row_count', 'rows that changed or went');
select is((select array[d.before ->> 'max', d.after ->> 'max'] from mlops.diff_snapshots(:first, :later) d where d.name = 'weight'), '{100,250}', 'show in their columns');
select is((select string_agg(d.what || ' ' || d.name || ' ' || (d.after is null), ', ' order by d.name) from mlops.diff_snapshots(mlops.take_snapshot('select id, side from visit', project => 'lab'),
																											mlops.take_snapshot('select id, 1 as one from visit', project => 'lab')) d where d.what = 'column'),
	'column one false, column side true', 'columns that are new or gone');
select is((select count(*) from mlops.diff_snapshots(mlops.take_snapshot('select id from visit', project => 'lab'), mlops.take_snapshot('select id, 1 as one from visit', project => 'lab')) d
			where d.what = 'fingerprint'), 0::bigint, 'fingerprints of other columns are not compared');

-- ---- Rows that are kept ----

select mlops.take_snapshot('select id, weight, side from visit', keep_rows => true, project => 'lab') as kept \gset
select is((select count(*) || ' ' || min(position) || ' ' || max(position) from mlops.snapshot_row where snapshot_id = :kept), '499 1 499', 'rows are kept');
select is((select content from mlops.snapshot_row where snapshot_id = :kept and content @> '{"id": 3}'), '{"id": 3, "side": "north", "weight": 10}', 'as they were');
reset role;
update visit set side = 'west' where id = 3;
insert into visit (id) values (1000);
set local role liz;
select mlops.take_snapshot('select id, weight, side from visit', keep_rows => true, project => 'lab') as kept_later \gset
select set_eq(format($$select d.before, d.after from mlops.diff_snapshots(%s, %s) d where d.what = 'row'$$, :kept, :kept_later), $$values
	('{"id": 3, "side": "north", "weight": 10}'::jsonb, null::jsonb), (null, '{"id": 3, "side": "west", "weight": 10}'), (null, '{"id": 1000, "side": null, "weight": null}')$$,
	'and compared one by one');
select mlops.take_snapshot('select i from generate_series(1, 2500) i', keep_rows => true, project => 'lab') as many \gset
select is((select sum((content ->> 'i')::int) || ' ' || count(distinct position) from mlops.snapshot_row where snapshot_id = :many), '3126250 2500', 'many rows');

-- ---- Who may ----

set local role vera;
select is((select count(*) from mlops.snapshot_row), 0::bigint, 'a viewer sees no rows');
select is((select count(*) from mlops.diff_snapshots(:kept, :kept_later) d where d.what = 'row'), 0::bigint, 'nor by a comparison');
select matches(pg_temp.refusal($$select mlops.take_snapshot('visit', project => 'lab')$$), '^42501');
set local role sten;
select matches(pg_temp.refusal(format('select * from mlops.diff_snapshots(%s, %s)', :first, :later)), '^42704');
select matches(pg_temp.refusal($$select mlops.take_snapshot('select 1 as a', project => 'lab')$$), '^42704');
set local role liz;
select matches(pg_temp.refusal($$select mlops.take_snapshot('delete from visit', project => 'lab')$$), '^0A000');
select matches(pg_temp.refusal('select mlops.take_snapshot(null)'), '^22023');
reset role;
select matches(pg_temp.refusal('update mlops.snapshot_row set position = 0'), '^55000');
select matches(pg_temp.refusal('truncate mlops.snapshot_row'), '^55000');

-- of a training
set local role liz;
set client_min_messages = error;
select run_id as run from mlops.train('weigh', 'select weight, tests, even from visit', 'weight', project => 'lab', algorithm => 'baseline') \gset
select is((select string_agg(d.what, ', ' order by d.what) from mlops.run r, mlops.diff_snapshots(r.snapshot_id, (select mlops.take_snapshot('select weight, tests, even from visit', project => 'lab'))) d
			where r.id = :run and d.what <> 'column'), 'kind', 'a training''s snapshot is of another kind, and its fingerprint is not compared');
select * from finish();
rollback;
