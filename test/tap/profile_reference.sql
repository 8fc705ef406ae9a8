-- A column is counted into a reference's cells, and is as far from it as if it had cells of its own.
\ir include/begin.sql
select plan(7);
create table history as select sqrt(i * 7919 % 20011) as x, case when i % 100 < 92 then 0 else i end as gain from generate_series(1, 20000) i;
create table today as select sqrt(i * 104729 % 19997) + .5 as x, case when i % 2 = 0 then 0 else i end as gain from generate_series(1, 900) i;
create temp table reference as select mlops.profile(x) as x, mlops.profile(gain) as gain from history;
select is(mlops.psi(r.x, frozen), mlops.psi(r.x, own), 'psi')
  from reference r, (select mlops.profile(t.x, r.x) as frozen, mlops.profile(t.x) as own from reference r, today t) c;
select is(mlops.tvd((select x from reference), mlops.profile(x, (select x from reference))), mlops.tvd((select x from reference), mlops.profile(x)),
		  'tvd, of a sub-select') from today;
select ok(mlops.psi((select gain from reference), mlops.profile(gain)) > .5, 'a value that loses much of its mass is seen') from today;
select ok(mlops.psi(mlops.profile(x), (select x from reference)) = 0, 'nothing has moved') from history;
select is((mlops.profile(1, null::mlops.distribution))::text, mlops.profile(1)::text, 'no reference, cells of its own');
select throws_ok($$select mlops.profile('a'::text, (select x from reference))$$, '42804',
				 'values of kind category cannot be counted into the cells of a distribution of kind number');
select is(mlops.profile(t.x, (select x from reference))::jsonb ->> 'rows', '900', 'all rows are there') from today t;
select * from finish();
rollback;
