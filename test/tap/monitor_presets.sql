-- Presets choose distances and thresholds as their tools do.  Evidently's figures are those of include/presets.py on the same rows.
\ir include/begin.sql
create function pg_temp.rows(first integer, n integer, moved integer)
returns table (at timestamptz, wide float8, few integer, word text, y float8) language sql as $$
	select timestamptz '2024-01-01 00:00+00' + i * interval '1 second' / 2, (i * 7919::bigint % 1009) / 10.0 + 4 * moved, i * 31 % 7 % (3 + moved),
		   case when i * 13 % 10 < 5 + moved then 'a' when i % 2 = 0 then 'b' else 'c' end, i % 10
	  from generate_series(first, first + n - 1) i $$;
create table small as select * from pg_temp.rows(1, 800, 0);
create table large as select * from pg_temp.rows(1, 4000, 0);
create table later as select * from pg_temp.rows(100001, 500, 1);
select from mlops.train('m', 'large', 'y', 'linear_regression', exclude => '{at}');
create function pg_temp.found(preset text, reference text) returns table (feature text, metric text, value float8, threshold float8, verdict text) language sql as $$
	select r.feature, r.metric, r.value, r.threshold, r.verdict
	  from mlops.create_monitor('m', preset || reference, source => 'later', at => 'at', preset => preset, reference => reference, schedule => null, metrics => '{drift}') as made,
		   mlops.run_monitor(made, '2024-01-01 12:00+00', '2024-01-01 15:00+00') r where r.feature is not null $$;
select plan(13);
create temporary table few as select * from pg_temp.found('evidently', 'small');
create temporary table many as select * from pg_temp.found('evidently', 'large');
select is((select string_agg(feature || ' ' || metric || ' ' || verdict, ', ' order by feature) from few), 'few chi2 alert, wide ks_p ok, word chi2 alert', 'Evidently, 800 rows');
select is((select string_agg(feature || ' ' || metric || ' ' || verdict, ', ' order by feature) from many),
		  'few js_distance_nats alert, wide wasserstein_normed alert, word js_distance_nats ok', 'Evidently, 4,000 rows');
select ok(abs(value - 0.6553651306383136) < 1e-9, 'p of Kolmogorov and Smirnov is Evidently''s') from few where feature = 'wide';
select ok(abs(value - 0.13475701467052364) < 1e-9, 'so is the Wasserstein distance') from many where feature = 'wide';
select ok(abs(value - 0.2384615183431923) < 1e-9, 'and the Jensen-Shannon distance of numbers of few values') from many where feature = 'few';
select ok(abs(value - 0.085497055700649) < 1e-9, 'and of texts') from many where feature = 'word';
select ok(value between 1.62e-6 and 1e-3, 'its chi-square takes the reference for the truth: 1.6e-6; ours knows that it is a sample') from few where feature = 'word';
select is((select string_agg(feature || ' ' || metric || ' ' || threshold, ', ' order by feature) from pg_temp.found('nannyml', 'large')),
		  'few js_distance_base2 0.1, wide js_distance_base2 0.1, word js_distance_base2 0.1', 'NannyML, of a reference without times');
select is((select string_agg(feature || ' ' || metric || ' ' || threshold, ', ' order by feature) from pg_temp.found('sagemaker', 'large')),
		  'few ks_robust 0.1, wide ks_robust 0.1, word l_inf_robust 0.1', 'SageMaker');
select is((select string_agg(feature || ' ' || metric || ' ' || threshold, ', ' order by feature) from pg_temp.found('vertex', 'large')),
		  'few js_divergence_bits 0.3, wide js_divergence_bits 0.3, word l_inf 0.3', 'Vertex');
select is((select string_agg(feature || ' ' || metric || ' ' || threshold, ', ' order by feature) from pg_temp.found('azure', 'large')),
		  'few wasserstein_normed 0.1, wide wasserstein_normed 0.1, word js_distance_base2 0.1', 'Azure');
select is((select string_agg(feature || ' ' || metric || ' ' || threshold, ', ' order by feature) from pg_temp.found('domino', 'large')),
		  'few psi 0.1, wide psi 0.1, word psi 0.1', 'Domino');
select is((select count(*) from mlops.monitor_result where noise_floor is not null or p_value is not null), 0::bigint, 'all judge by the threshold alone');
select * from finish();
rollback;
