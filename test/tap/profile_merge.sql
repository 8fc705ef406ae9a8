-- Merged, combined by parallel workers or counted at once: the same counts; what is subtracted was never there.
\ir include/begin.sql
select plan(13);
create table many as select i as id, i * 7919 % 100003 / 17.0::float8 as number, 'text ' || i * 7919 % 30011 as words from generate_series(1, 60000) i;
-- what does not depend on the order of rows
create function pg_temp.counts(mlops.distribution) returns jsonb language sql as $$ select $1::jsonb - 'mean' - 'sd' - 'top' $$;
create temp table whole as select mlops.profile(number) as n, mlops.profile(words) as w, mlops.profile(id % 5) as few from many;
create temp table parts as select id % 7 as part, mlops.profile(number) as n, mlops.profile(words) as w, mlops.profile(id % 5) as few from many group by 1;
select is(pg_temp.counts(mlops.merge(p.n)), pg_temp.counts((select n from whole)), 'numbers') from parts p;
select is(pg_temp.counts(mlops.merge(p.w)), pg_temp.counts((select w from whole)), 'texts') from parts p;
select is(pg_temp.counts(mlops.merge(p.n order by part desc)), pg_temp.counts(mlops.merge(p.n order by part)), 'in any order') from parts p;
select is(mlops.psi((select n from whole), mlops.merge(p.n)), 0::float8, 'no distance') from parts p;
select ok(abs((mlops.merge(p.n)::jsonb ->> 'sd')::float8 - (select stddev_samp(number) from many)) < 1e-6, 'deviation') from parts p;
select is(pg_temp.counts(mlops.merge(x)), pg_temp.counts((select n from whole)), 'of what was merged before')
  from (select mlops.merge(n) as x from parts group by part % 2) s;
select is((mlops.subtract(w.few, p.few) :: jsonb) - 'mean' - 'sd', (r.few::jsonb) - 'mean' - 'sd', 'subtracted')
  from whole w, parts p, (select mlops.profile(id % 5) as few from many where id % 7 <> 3) r where p.part = 3;
select is((mlops.subtract(w.n, p.n) :: jsonb) ->> 'rows', (60000 - (p.n::jsonb ->> 'rows')::int)::text, 'also from wide cells')
  from whole w, parts p where p.part = 3;
select is((mlops.subtract(w.n, p.n) :: jsonb) ->> 'distinct_is', 'unknown', 'though not how many distinct values are left')
  from whole w, parts p where p.part = 3;
select throws_ok('select mlops.subtract(a.n, b.n) from parts a, parts b where a.part = 1 and b.part = 2', '22000',
				 'the distribution to subtract has rows that the other one has not');
set local max_parallel_workers_per_gather = 2;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
set local min_parallel_table_scan_size = 0;
create function pg_temp.plan_of(query text) returns setof text language plpgsql as $$ begin return query execute 'explain (costs off) ' || query; end $$;
select ok(bool_or(line ~ 'Partial Aggregate'), 'workers take part') from pg_temp.plan_of('select mlops.profile(number), mlops.profile(words) from many') line;
select is(pg_temp.counts(mlops.profile(number)), pg_temp.counts((select n from whole)), 'parallel numbers') from many;
select is(pg_temp.counts(mlops.profile(words)), pg_temp.counts((select w from whole)), 'parallel texts') from many;
select * from finish();
rollback;
