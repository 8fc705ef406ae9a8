-- Windows are of the monitor's time zone, whatever the type of the column that says when a row was.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
create table visit (at timestamp, radius float8);
create function pg_temp.rows(day date) returns text language sql as $$
	select mlops.source_rows(o, 1, 'select * from public.visit', tstzrange(day, day + 1)) from mlops.monitor o where o.name = 'daily' $$;
insert into mlops.model_signature (model_id, version, position, name, type, role) values (:diagnosis, 1, 1, 'radius', 'double precision', 'feature');
update mlops.monitor set source = 'select * from public.visit', at = 'at';
select plan(3);
set local timezone = 'America/New_York';
set local datestyle = 'SQL, DMY';
select ok(pg_temp.rows('2024-01-05') like '%s.at >= ''2024-01-05 00:00:00-05'' and s.at < ''2024-01-06 00:00:00-05''%', 'from midnight to midnight there, in a form that every style reads');
insert into visit select timestamp '2024-01-05' + i * interval '1 hour', i from generate_series(-1, 24) i;
create function pg_temp.hours() returns text language plpgsql as $$
declare
	found text;
begin
	execute format('select min(r.radius) || '' to '' || max(r.radius) from (%s) r', pg_temp.rows('2024-01-05')) into found;
	return found;
end
$$;
select is(pg_temp.hours(), '0 to 23', 'rows of a time without a zone are those of that day');
alter table visit alter at type timestamptz;
select is(pg_temp.hours(), '0 to 23', 'as are those of one with');
select * from finish();
rollback;
