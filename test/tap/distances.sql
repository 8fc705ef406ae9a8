-- Distances between distributions are those that are published for these samples.
\ir include/begin.sql
select plan(29);
create temp table sample as
select mlops.profile(v) filter (where side = 'r') as r, mlops.profile(v) filter (where side = 'c') as c, mlops.profile(v) filter (where side = 'e') as e
  from (values ('r', 'a', 40), ('r', 'b', 30), ('r', 'c', 20), ('r', 'd', 10), ('c', 'a', 30), ('c', 'b', 30), ('c', 'c', 25), ('c', 'd', 15),
			   ('e', 'a', 30), ('e', 'b', 30), ('e', 'c', 25), ('e', 'e', 15)) s (side, v, n), generate_series(1, n);
create function pg_temp.near(a float8, b float8, what text) returns text language sql as $$
	select ok(abs(a - b) <= 1e-9 * abs(b), what || ': ' || a)
$$;
select pg_temp.near(mlops.psi(r, c, smoothing => 0), .060198640216296805, 'psi') from sample;
select pg_temp.near(mlops.psi(c, r, smoothing => 0), .060198640216296805, 'psi is symmetric') from sample;
select pg_temp.near(mlops.kl(r, c, smoothing => 0), .02989760790705423, 'kl') from sample;
select pg_temp.near(mlops.kl(c, r, smoothing => 0), .030301032309242568, 'kl the other way') from sample;
select pg_temp.near(mlops.js_divergence_bits(r, c), .010809214617578495, 'js divergence') from sample;
select pg_temp.near(mlops.js_distance_base2(r, c), .10396737285119001, 'js distance') from sample;
select pg_temp.near(mlops.hellinger(r, c), .08665191052184985, 'hellinger') from sample;
select pg_temp.near(mlops.tvd(r, c), .1, 'tvd') from sample;
select pg_temp.near(mlops.l_inf(r, c), .1, 'l_inf') from sample;
select pg_temp.near((mlops.chi2(r, c)).statistic, 2.984126984126984, 'chi2') from sample;
select is((mlops.chi2(r, c)).freedom, 3::float8, 'its freedom') from sample;
select pg_temp.near((mlops.chi2(r, c)).p_value, .39407896313656443, 'its p') from sample;
select pg_temp.near((mlops.g_test(r, c)).statistic, 2.9969506544967253, 'g') from sample;
select pg_temp.near((mlops.g_test(r, c)).p_value, .3920955643480888, 'its p') from sample;
select pg_temp.near(mlops.psi(r, e), .8378736895571003, 'psi with a new and a vanished category, smoothed') from sample;
select pg_temp.near(mlops.psi(r, e, smoothing => 0, epsilon => 1e-4), 1.8262618732060405, 'by epsilon') from sample;
select is(mlops.psi(r, e, smoothing => 0), 'Infinity', 'by nothing') from sample;
select is(mlops.psi(r, r) + mlops.kl(r, r) + mlops.js_distance_base2(r, r) + mlops.hellinger(r, r) + mlops.tvd(r, r) + mlops.cramers_v(r, r), 0::float8,
		  'a distribution is as far from itself as can be') from sample;
select pg_temp.near(mlops.cramers_v(r, c, yates => true), .2160257918350864, 'cramers_v')
  from (select mlops.profile(i <= 200) as r, mlops.profile(i <= 400) as c from generate_series(1, 1000) i) s;

create temp table numbers as
select mlops.profile(i) filter (where i <= 100) as r, mlops.profile(i) filter (where i > 50) as c from generate_series(1, 150) i;
select pg_temp.near((mlops.ks(r, c)).d, .5, 'ks') from numbers;
select pg_temp.near((mlops.ks(r, c)).p, 1.0024645454361508e-11, 'its p') from numbers;
select pg_temp.near(mlops.wasserstein(r, c), 50, 'wasserstein') from numbers;
select pg_temp.near(mlops.wasserstein_normed(r, c), 1.7321374166049877, 'wasserstein_normed') from numbers;
select pg_temp.near(mlops.mean_shift(c, r), -1.7321374166049877, 'mean_shift') from numbers;
select pg_temp.near(mlops.energy(r, c), 6.455230437405005, 'energy') from numbers;
select throws_ok('select mlops.ks(r, r) from sample', '42804', 'a distribution of texts has no order that this distance could use');
select throws_ok('select mlops.psi(s.r, n.r) from sample s, numbers n', '42804', 'a distribution of kind category cannot be compared with one of kind number');
select throws_ok('select mlops.psi(r, c, smoothing => -1) from numbers', '22023', 'argument "smoothing" must be 0 or more');
select is(mlops.psi(r, mlops.subtract(r, r)), null, 'no rows, no distance') from numbers;
select * from finish();
rollback;
