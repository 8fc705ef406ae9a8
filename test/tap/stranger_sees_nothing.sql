-- Every table of the extension has rows here, and a role without access sees none of them: a new table without a policy fails.
\ir include/begin.sql
\ir include/registry.sql
select mlops.deploy('diagnosis', 1);
select mlops.set_alias('diagnosis', 'champion', 1);

create temporary table tables as
	select c.oid::regclass as name from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition;
create function pg_temp.row_count(name regclass) returns bigint language plpgsql as
	$$ declare n bigint; begin execute format('select count(*) from %s', name) into n; return n; end $$;
grant select on tables to public;

select plan((select 2 * count(*)::integer from tables));
select cmp_ok(pg_temp.row_count(name), '>', 0::bigint, format('%s has rows', name)) from tables;
set local role sten_stranger;
select is(pg_temp.row_count(name), 0::bigint, format('a stranger sees nothing in %s', name)) from tables;
reset role;
select * from finish();
rollback;
