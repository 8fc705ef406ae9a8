-- A function in SQL or PL/pgSQL, or with its owner's rights, finds its names where the extension put them, whoever calls it.
\ir include/begin.sql
select plan(2);
select is_empty($$
	select p.oid::regprocedure from pg_proc p join pg_language l on l.oid = p.prolang
	 where p.pronamespace = 'mlops'::regnamespace and (p.prosecdef or l.lanname in ('plpgsql', 'sql'))
	   and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
$$, 'search_path is pinned');
select is_empty($$
	select p.oid::regprocedure from pg_proc p join pg_language l on l.oid = p.prolang
	 where p.pronamespace = 'mlops'::regnamespace and p.prosecdef and p.prorettype <> 'trigger'::regtype
$$, 'nothing that a user can call has its owner''s rights');
select * from finish();
rollback;
