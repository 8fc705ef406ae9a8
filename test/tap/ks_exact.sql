-- The test on raw columns: exact whatever their lengths, NULLs and workers.
\ir include/begin.sql
select plan(8);
select is((mlops.ks_exact(r, r + 50)).d, .5::float8, 'd') from generate_series(1, 100) r;
select ok(abs((mlops.ks_exact(r, r + 50)).p - 1.0024645454361508e-11) < 1e-19, 'p') from generate_series(1, 100) r;
select is((mlops.ks_exact(case when i <= 1000 then i end, case when i between 51 and 550 then i end)).d, .45::float8, 'columns of different lengths') from generate_series(1, 1200) i;
select is((mlops.ks_exact(null::float8, 1)).d, null, 'one column is empty');
select is(mlops.ks_exact(x, x), null, 'no rows') from generate_series(1, 0) x;
select is((mlops.ks_exact(x, x)).d, 0::float8, 'NaN and infinities are passed over') from unnest('{1,NaN,Infinity,2}'::float8[]) x;
create table both_columns as select i * 7919 % 10007 as a, i * 10473 % 9001 as b from generate_series(1, 30000) i;
create temp table serial as select mlops.ks_exact(a, b) as k from both_columns;
select ok(abs((k).d - (mlops.ks((select mlops.profile(a) from both_columns), (select mlops.profile(b) from both_columns))).d) < .004, 'wide cells see nearly as much')
  from serial;
set local max_parallel_workers_per_gather = 2;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
set local min_parallel_table_scan_size = 0;
select is(mlops.ks_exact(a, b)::text, (select k::text from serial), 'parallel workers') from both_columns;
select * from finish();
rollback;
