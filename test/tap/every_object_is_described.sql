-- Every function, table, view and type of the extension has a comment.
\ir include/begin.sql
select plan(4);
select is_empty($$
	select p.oid::regprocedure from pg_proc p
	 where p.pronamespace = 'mlops'::regnamespace and obj_description(p.oid, 'pg_proc') is null
$$, 'functions');
select is_empty($$
	select c.oid::regclass from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and obj_description(c.oid, 'pg_class') is null
$$, 'tables and views');
select is_empty($$
	select t.oid::regtype from pg_type t
	 where t.typnamespace = 'mlops'::regnamespace and t.typelem = 0 and obj_description(t.oid, 'pg_type') is null
	   and not exists (select from pg_class c where c.oid = t.typrelid and c.relkind <> 'c')
$$, 'types');
select isnt(obj_description('mlops'::regnamespace, 'pg_namespace'), null, 'the schema');
select * from finish();
rollback;
