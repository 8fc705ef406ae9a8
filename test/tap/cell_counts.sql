-- Counts of a distribution in the cells of a reference: arrays align, add up, and are those that distances are made of.
\ir include/begin.sql
select plan(10);
create temp table d as
select mlops.profile(v) filter (where side = 'r') as r, mlops.profile(v) filter (where side = 'c') as c,
	   mlops.profile(v) filter (where side = 'd') as d
  from (select 'r' as side, case when i <= 500 then 0 else i end::float8 as v from generate_series(1, 1000) i
		union all select 'c', nullif(i, 7) from generate_series(-3, 2000) i
		union all select 'd', case when i < 3 then 'NaN' when i < 5 then '-Infinity' else 0.5 end from generate_series(1, 10) i) s;
select is((mlops.cell_counts(r, c))[1:6], '{3,1000,0,1,0,0}'::bigint[], 'below, above, between, NULL, NaN and infinities, other') from d;
select is((mlops.cell_counts(r, c))[7], 1::bigint, 'the point comes first') from d;
select is((mlops.cell_counts(r, r))[7:], '{500,100,100,100,100,100}'::bigint[], 'then equal shares of the rest') from d;
select is((mlops.cell_counts(r, d))[1:6], '{0,0,0,0,4,0}'::bigint[], 'values that are none') from d;
select is((mlops.cell_counts(r, d))[7:], '{0,6,0,0,0,0}'::bigint[], 'what the reference has not is counted with the range beside it') from d;
select is(cardinality(mlops.cell_counts(r, c)), cardinality(mlops.cell_counts(r, d)), 'arrays of one reference align') from d;
select is((select array_agg(a + b order by i) from unnest(mlops.cell_counts(r, c), mlops.cell_counts(r, d)) with ordinality u (a, b, i)),
		  mlops.cell_counts(r, (select mlops.merge(x) from (values (c), (d)) v (x))), 'and add up') from d;
select ok(abs(mlops.tvd(r, c) - (select sum(abs(a / 1000.0 - b / 2004.0)) / 2 from unnest(mlops.cell_counts(r, r), mlops.cell_counts(r, c)) u (a, b))) < 1e-12,
		  'they are what distances see') from d;
select is(mlops.cell_counts(t.r, t.c), '{0,0,1,1,0,0,3,1}'::bigint[], 'texts: unseen, NULL, then by frequency')
  from (select mlops.profile(v) filter (where side = 'r') as r, mlops.profile(v) filter (where side = 'c') as c
		  from (values ('r', 'a'), ('r', 'a'), ('r', 'b'), ('c', 'a'), ('c', 'a'), ('c', 'a'), ('c', 'b'), ('c', 'z'), ('c', null)) v (side, v)) t;
select throws_ok($$select mlops.cell_counts(mlops.profile(1), mlops.profile('x'::text))$$, '42804', null, 'kinds must be comparable');
select * from finish();
rollback;
