-- What each level of access reads, inserts, updates and deletes, table by table, as include/matrix.sql says; so does docs/security.md.
\ir include/begin.sql
\ir include/registry.sql
\ir include/levels.sql
\ir include/matrix.sql

create temporary view relation as
select c.oid, c.relname as name, c.relkind
  from pg_class c
 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition;

-- A column that may be set to itself: one that is granted, or where none is any.
create function pg_temp.column_to_set(t oid) returns name language sql as $$
	select a.attname from pg_attribute a
	 where a.attrelid = t and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
	 order by has_column_privilege('public', t, a.attnum, 'update') desc, a.attnum limit 1
$$;

create temporary table attempt as
select x.name, o.operation, o.allowed, pg_temp.filled(o.statement) as statement
  from matrix_table x join relation r on r.name = x.name
 cross join lateral (values
	('reads', x.reads, format('select from mlops.%I', x.name)),
	('inserts', x.inserts, 'insert into mlops.' || quote_ident(x.name) || coalesce(' ' || x.insertion, ' default values')),
	('updates', x.updates, 'update mlops.' || quote_ident(x.name) || ' ' || coalesce(x.change, format('set %1$I = %1$I', pg_temp.column_to_set(r.oid)))),
	('deletes', x.deletes, concat_ws(' ', 'delete from mlops.' || quote_ident(x.name), x.deletion))
 ) o (operation, allowed, statement)
 where o.allowed <> '';

-- What nobody may do, and an insert that no policy lets pass, is refused; other rows are not there.  No training is under way here.
create temporary table expected as
select a.name, a.operation, p.level, p.role, a.statement,
	   case when p.level = any (r.levels) and a.name <> 'progress' then 'ok' when a.allowed <> 'nobody' and a.operation <> 'inserts' then 'nothing' else '42501' end as outcome
  from attempt a join reach r on r.word = a.allowed cross join person p;

select plan(4 + (select count(*)::integer from expected));
select is_empty('select name from relation except select name from matrix_table', 'every table and view is in the matrix');
select is_empty('select name from matrix_table except select name from relation', 'and each is there');
select is_empty($$select name, operation, allowed from attempt where allowed not in (select word from reach)$$, 'the matrix says who in words that it explains');
select is_empty($$select name from matrix_table where (inserts = 'nobody') <> (insertion is null) and inserts <> ''$$, 'and how whoever may insert does');
select is(pg_temp.outcome(role, statement), outcome, format('%s %s %s', level, operation, name)) from expected;
select * from finish();
rollback;
