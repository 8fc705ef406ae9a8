-- mlops.max_memory: refused before the start, with the bytes that are needed; set by administrators only.
\ir include/begin.sql
\ir include/refusal.sql
create role ann;
create table wide as select n as a, n * 2 as b, n * 3.0::float8 as y from generate_series(1, 300000) n;
analyze wide;
select plan(5);
set local mlops.max_memory = '8MB';
create function pg_temp.refused(source text) returns text language sql as $$ select pg_temp.refusal(format('select mlops.train(''m'', %L, ''y'')', source)) $$;
select matches(pg_temp.refused('select *, a * 1.0::float8 as c, b * 1.0::float8 as d, a * 2.0::float8 as e, b * 2.0::float8 as f from wide'),
			   '^54000 about 300000 rows .*need 1[0-9]{7} bytes.*8388608', 'by the planner''s estimate');
select matches(pg_temp.refused('select *, a * 1.0::float8 as c, b * 1.0::float8 as d from wide where a % 1 = 0'),
			   '^54000 the rows need more than 8388608 bytes.* [0-9]{7} bytes', 'when it is full');
select matches(pg_temp.refused('select * from wide limit 100000'), '^54000 the training needs [0-9]+ bytes', 'by the trainer');
reset mlops.max_memory;
set local role ann;
select matches(pg_temp.refusal($$set mlops.max_memory = '1TB'$$), '^42501 ', 'not by users');
select matches(pg_temp.refusal($$set mlops.max_memry = '1TB'$$), '^(42602|22023|42704) .*mlops', 'no such setting');
select * from finish();
rollback;
