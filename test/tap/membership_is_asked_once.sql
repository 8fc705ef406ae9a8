-- Policies compare with a hashed sub-select, so that membership is evaluated once a query and not once a row.
\ir include/begin.sql
\ir include/registry.sql

create function pg_temp.plan_of(statement text) returns text language plpgsql as $$
declare line text; lines text := '';
begin
	for line in execute 'explain ' || statement loop lines := lines || line || E'\n'; end loop;
	return lines;
end
$$;
create temporary table tables as
	select c.oid::regclass as name from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition;
grant select on tables to public;

select plan((select count(*)::integer from tables));
set local role vera_viewer;
select matches(pg_temp.plan_of(format('select * from %s', name)), 'hashed SubPlan', format('%s', name)) from tables;
reset role;
select * from finish();
rollback;
