-- docs/security.md prints the matrix that the tests of levels are made of: where this fails, scripts/security_matrix --write prints it anew.
\ir include/begin.sql
\ir include/matrix.sql
\ir include/matrix_markdown.sql
\set document `cat docs/security.md 2>/dev/null || cat ../../docs/security.md`
select plan(1);
select is(substring(:'document' from '<!-- begin matrix -->\n(.*)\n<!-- end matrix -->'), (select string_agg(line, e'\n') from pg_temp.matrix_markdown() line),
	'docs/security.md and matrix.sql agree');
select * from finish();
rollback;
