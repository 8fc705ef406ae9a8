-- The install script makes what is not there: nothing that somebody put there before is taken for ours, or given to whoever installs.
\ir include/begin.sql
create function pg_temp.script() returns text language sql as $$
	select regexp_replace(pg_read_file((select c.setting from pg_config c where c.name = 'SHAREDIR') || '/extension/mlops--' || e.extversion || '.sql'), '--[^\n]*', '', 'g')
	  from pg_extension e where e.extname = 'mlops'
$$;
select plan(3);
select cmp_ok((select count(*) from regexp_matches(pg_temp.script(), '^create (function|table|view)', 'gn')), '>', 300::bigint, 'the script is read');
select is_empty($$select m[1] from regexp_matches(pg_temp.script(), '(create\s+or\s+replace[^\n]*)', 'gi') m$$, 'it replaces nothing');
select is_empty($$select m[1] from regexp_matches(pg_temp.script(), '(create\s+[a-z ]+\s+if\s+not\s+exists[^\n]*)', 'gi') m$$, 'it takes over nothing');
select * from finish();
rollback;
