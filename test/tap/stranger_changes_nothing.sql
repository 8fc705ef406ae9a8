-- A role without access can insert, update, delete and truncate in no table of the extension, but begin a project of its own.
\ir include/begin.sql
\ir include/registry.sql
select mlops.deploy('diagnosis', 1);
select mlops.set_alias('diagnosis', 'champion', 1);

create temporary table tables as
	select c.oid::regclass as name, c.relname
	  from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition;
grant select on tables to public;

-- A copy of each table as it is, from which the stranger tries to insert, with the columns that are granted, or with all where none is.
select format('create temporary table copy_%s as select * from %s; grant select on copy_%s to public', relname, name, relname) from tables \gexec
create function pg_temp.insertion(t regclass) returns text language sql as $$
	with columns as (select a.attname, a.attnum, has_column_privilege('sten_stranger', t, a.attname, 'insert') as granted
					   from pg_attribute a where a.attrelid = t and a.attnum > 0 and not a.attisdropped and a.attidentity = '')
	select format('insert into %s (%s) select %2$s from pg_temp.copy_%s', t, string_agg(quote_ident(attname), ', ' order by attnum),
				  (select relname from pg_class where oid = t))
	  from columns where granted or not exists (select from columns where granted)
$$;
create temporary table insertions as select name, pg_temp.insertion(name) as statement from tables where name <> 'mlops.project'::regclass;
create temporary table updates as
	select t.name, format('update %s set %I = %2$I', t.name,
						  (select a.attname from pg_attribute a where a.attrelid = t.name and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
							order by has_column_privilege('sten_stranger', t.name, a.attname, 'update') desc, a.attnum limit 1)) as statement
	  from tables t;
grant select on insertions, updates to public;

-- Rows that a statement changes, or -1 where it is refused.
create function pg_temp.changes(statement text) returns bigint language plpgsql as $$
declare n bigint;
begin
	execute statement;
	get diagnostics n = row_count;
	return n;
exception when insufficient_privilege then
	return -1;
end
$$;

select plan((select 4 * count(*)::integer from tables));
set local role sten_stranger;
select is(pg_temp.changes(statement), -1::bigint, format('insert into %s', name)) from insertions;
select cmp_ok(pg_temp.changes(statement), '<=', 0::bigint, format('update %s', name)) from updates;
select cmp_ok(pg_temp.changes(format('delete from %s', name)), '<=', 0::bigint, format('delete from %s', name)) from tables;
select is(pg_temp.changes(format('truncate %s cascade', name)), -1::bigint, format('truncate %s', name)) from tables;
reset role;
select results_eq('select (select count(*) from mlops.project), (select count(*) from mlops.model_chunk), (select count(*) from mlops.deployment where upper_inf(valid))',
				  'select 1::bigint, 3::bigint, 1::bigint', 'everything is as it was');
select * from finish();
rollback;
