-- The numbers that verdicts of monitors rest on: published examples.
\ir include/begin.sql
\ir include/refusal.sql
select plan(39);
-- Benjamini and Hochberg (1995)
select is((select array_agg(round(x::numeric, 6)) from unnest(mlops.adjust_p('{.0001,.0004,.0019,.0095,.0201,.0278,.0298,.0344,.0459,.324,.4262,.5719,.6528,.759,1}')) x),
		  '{0.001500,0.003000,0.009500,0.035625,0.060300,0.063857,0.063857,0.064500,0.076500,0.486000,0.581182,0.714875,0.753231,0.813214,1.000000}',
		  'adjusted p; four are at most .05');
select is(mlops.adjust_p('{0.5,null,0.01}'), '{0.5,null,0.02}', 'NULL is no test');
select is(mlops.adjust_p('{}'), '{}', 'no tests');
select is(mlops.adjust_p('{null}'), '{null}', 'no test at all');
-- two proportions
select ok(abs(t.z + 2.6444294267397255) < 1e-9 and abs(t.p_value - 0.008182876859376994) < 1e-9, '200 of 1,000 against 130 of 500') from mlops.two_proportions(200, 1000, 130, 500) t;
select is(t::text, '(0,1)', 'nothing in either') from mlops.two_proportions(0, 1000, 0, 500) t;
select is(t::text, '(,)', 'no rows') from mlops.two_proportions(0, 0, 1, 500) t;
-- noise
select ok(abs(mlops.noise_floor(10, 1000, 1000, 0.95) - 0.0338) < 1e-4, '10 cells, 1,000 and 1,000 rows');
select ok(abs(mlops.noise_floor(20, 10000, 200, 0.95) - 0.154) < 3e-4, '20 cells, 10,000 and 200 rows');
select is(mlops.noise_floor(1, 1000, 1000), 0::float8, 'one cell');
select is(mlops.noise_floor(10, 1000, 0), null, 'no rows');
select matches(pg_temp.refusal('select mlops.noise_floor(10, 1, 1, 1)'), '^22023 .*level', 'a level beyond');
-- the same cells of a, b, c, d: 40, 30, 20, 10 and 30, 30, 25, 15
select is(c.cells, 4, 'four cells') from mlops.compare_cells('{0,0,0,40,30,20,10}', '{0,0,0,30,30,25,15}') c;
select ok(abs(c.js_divergence_bits - .010809214617578495) < 1e-9, 'js divergence') from mlops.compare_cells('{40,30,20,10,0}', '{30,30,25,15,0}') c;
select ok(abs(c.js_distance_base2 - .10396737285119001) < 1e-9, 'js distance') from mlops.compare_cells('{40,30,20,10}', '{30,30,25,15}') c;
select ok(abs(c.hellinger - .08665191052184985) < 1e-9, 'hellinger') from mlops.compare_cells('{40,30,20,10}', '{30,30,25,15}') c;
select ok(abs(c.tvd - .1) < 1e-9 and abs(c.l_inf - .1) < 1e-9, 'tvd, l_inf') from mlops.compare_cells('{40,30,20,10}', '{30,30,25,15}') c;
select ok(abs(c.chi2 - 2.984126984126984) < 1e-9 and c.freedom = 3 and abs(c.p_value - .39407896313656443) < 1e-9, 'chi-square') from mlops.compare_cells('{40,30,20,10}', '{30,30,25,15}') c;
select ok(abs(c.psi - .8378736895571003) < 1e-9, 'psi, smoothed as Jeffreys has it, with a category that is new') from mlops.compare_cells('{40,30,20,10,0}', '{30,30,25,0,15}') c;
select is((c).psi, null, 'no rows') from mlops.compare_cells('{40,30}', '{0,0}') c;
select matches(pg_temp.refusal($$select mlops.compare_cells('{1,2}', '{1}')$$), '^22023 .*different cells', 'other cells');
select matches(pg_temp.refusal($$select mlops.compare_cells('{1,-2}', '{1,1}')$$), '^22023 .*negative', 'less than nothing');
select matches(pg_temp.refusal($$select mlops.compare_cells(array_fill(1::bigint, '{65}'), array_fill(1::bigint, '{65}'))$$), '^22023 .*65 cells', 'too many');
-- a window against the other slices: {40,30,20,10} and {30,30,25,15}
select ok(abs(s[1] - s[2]) < 1e-12 and abs(s[1] - .1) < 1e-12, 'each of two windows against the other') from mlops.slice_scores('tvd', '{{40,30,20,10},{30,30,25,15}}', '{1,2}') s;
select ok(abs(s[1] - .05) < 1e-12 and abs(s[2] - .05) < 1e-12, 'against both') from mlops.slice_scores('tvd', '{{40,30,20,10},{30,30,25,15}}', '{1,2}', false) s;
select ok(cardinality(s) = 1 and abs(s[1] - .1) < 1e-12, 'slices of one window add up; the others are a reference only')
  from mlops.slice_scores('tvd', '{{20,20,10,5},{20,10,10,5},{30,30,25,15}}', '{1,1,null}') s;
select is(mlops.slice_scores('tvd', '{{0,0},{3,4}}', '{1,2}'), '{null,null}', 'a window without rows, and one without a reference');
select is(mlops.slice_scores('tvd', '{{1,2},{3,4}}', '{null,null}'), '{}', 'no windows');
select matches(pg_temp.refusal($$select mlops.slice_scores('psy', '{{1},{2}}', '{1,2}')$$), '^22023 .*"psy".*psi, kl.*"psi"', 'an unknown metric');
select matches(pg_temp.refusal($$select mlops.slice_scores('psi', '{{1},{2}}', '{1,3}')$$), '^22023 .*numbered from 1', 'windows beyond');
-- Deequ: 1.8 sqrt((n + m) / nm)
select ok(abs((mlops.column_distances(mlops.cell_counts(r, r), mlops.compare_profiles(r, c)) ->> 'ks_robust')::float8 - .01950155281000758) < 1e-9, 'a KS statistic of .1 less what chance makes of it')
  from (select mlops.profile(x) as r, mlops.profile(case when x <= 100 then x + 1000 else x end) as c from generate_series(1, 1000) x) s;
-- Chernoff's bound is one: never below the binomial tail, and no more than a few times it
create function pg_temp.tail(hits integer, n integer, rate float8) returns float8 language sql as $$
	with recursive t(k, p) as (select 0, (1 - rate) ^ n union all select k + 1, p * (n - k) / (k + 1) * rate / (1 - rate) from t where k < least(n, hits + 20))
	select sum(t.p) from t where t.k between hits and hits + 20 $$;
select ok(bool_and(mlops.chance_of_rate(k / n::float8, r, n) between 0.999999 * pg_temp.tail(k, n, r) and least(1, 20 * pg_temp.tail(k, n, r))), 'so many errors where fewer are the rule')
  from (values (2, 3, .01), (6, 100, .01), (1, 3, .01), (20, 1000, .01), (60, 200, .2), (5, 5, .3)) v (k, n, r);
select is(array[mlops.chance_of_rate(.01, .01, 100), mlops.chance_of_rate(0, .01, 100), mlops.chance_of_rate(.5, 0, 4), mlops.chance_of_rate(0, 0, 4)], '{1,1,0,1}', 'no more than the rule; what may not be at all');
select ok(mlops.chance_of_rate(.9, .01, 1e9) between 0 and 1e-300, 'next to none');
-- what monitors ask at once is what the functions for people say
select ok(c.before = mlops.cell_counts(r, r) and c.now = mlops.cell_counts(r, n) and c.ks = (mlops.ks(r, n)).d and c.ks_p = (mlops.ks(r, n)).p
		  and c.wasserstein = mlops.wasserstein(r, n) and c.wasserstein_normed = mlops.wasserstein_normed(r, n) and c.mean_shift = mlops.mean_shift(r, n)
		  and c.kind = 'number' and c.kind = mlops.profile_kind(r) and c.rows = 1000 and c.distinct_values = 1000, 'numbers compared at once')
  from (select mlops.profile(x) as r, mlops.profile(1.5 * x) as n from generate_series(1, 1000) x) s, mlops.compare_profiles(r, n) c;
select ok(c.kind = 'category' and num_nonnulls(c.ks, c.ks_p, c.wasserstein, c.wasserstein_normed, c.mean_shift) = 0 and c.now = mlops.cell_counts(r, n), 'texts, which have no order')
  from (select mlops.profile(x) as r, mlops.profile(x || 'a') as n from unnest('{a,b,b,c}'::text[]) x) s, mlops.compare_profiles(r, n) c;
select ok(abs(mlops.student_quantile(0.01, 8) - 2.8964594477096224) < 1e-12 and abs(mlops.student_tail(3, 8) - 0.008535840616891326) < 1e-15, 'Student''s t as scipy has it');
select matches(pg_temp.refusal('select mlops.student_tail(1, 0)'), '^22023 .*freedom', 'no degrees of freedom');
select matches(pg_temp.refusal('select mlops.student_quantile(1, 5)'), '^22023 .*between 0 and 1', 'no probability');
select * from finish();
rollback;
