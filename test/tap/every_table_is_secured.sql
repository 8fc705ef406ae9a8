-- Every table has row security and a policy for reading; every view runs with the rights of whoever reads it.
\ir include/begin.sql
select plan(3);
select is_empty($$
	select c.oid::regclass from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and not c.relrowsecurity
$$, 'every table has row-level security');
select is_empty($$
	select c.oid::regclass from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
	   and not exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd in ('r', '*'))
$$, 'every table has a policy for reading');
select is_empty($$
	select c.oid::regclass from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind = 'v'
	   and not coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions) or 'security_invoker=1' = any (c.reloptions), false)
$$, 'every view is security_invoker');
select * from finish();
rollback;
