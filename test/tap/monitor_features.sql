-- Monitors of all features together, of regressions and of many classes; what they rest on.
\ir include/begin.sql
select plan(41);
create function pg_temp.u(i bigint, k integer) returns double precision language sql immutable as
	$$ select (hashint8extended(i, k) & 1048575) / 1048576.0::float8 $$;
create function pg_temp.near(a double precision, b double precision, what text) returns text language sql as
	$$ select ok(coalesce(abs(a - b) <= 1e-9, a is null and b is null), format('%s: %s against %s', what, a, b)) $$;

-- Intervals of shares: what statsmodels 0.14 says, methods newcomb and log.
select unnest(array[pg_temp.near(c.low, x.low, 'lower limit of the difference'), pg_temp.near(c.high, x.high, 'upper limit of the difference'),
	   pg_temp.near(c.difference, x.a / x.b - x.c / x.d, 'difference')])
  from (values (40::float8, 480::float8, 130::float8, 960::float8, -0.08367041293737665, -0.017432082176417132), (5, 30, 9, 25, -0.4093379974832107, 0.037677700871487696),
	(0, 40, 5, 60, -0.18068942018334413, 0.01619857474467877)) x (a, b, c, d, low, high), mlops.compare_rates(x.a, x.b, x.c, x.d) c;
select unnest(array[pg_temp.near(c.ratio_low, x.low, 'lower limit of the ratio'), pg_temp.near(c.ratio_high, x.high, 'upper limit of the ratio')])
  from (values (40::float8, 480::float8, 130::float8, 960::float8, 0.43932030750018786, 0.862009377638226), (5, 30, 9, 25, 0.17802435175383102, 1.2039628453292959)) x (a, b, c, d, low, high), mlops.compare_rates(x.a, x.b, x.c, x.d) c;
select is((mlops.compare_rates(0, 0, 1, 2)).difference, null, 'no rows, no share');
select is((mlops.compare_rates(0, 5, 1, 2)).ratio_low, null, 'no hits, no interval of the ratio');

-- Two sets of rows that can be told apart, and that cannot.
create table mixed as select i % 2 = 0 as current, pg_temp.u(i, 1) as a, pg_temp.u(i, 2) as b, 'c' || i % 3 as c from generate_series(1, 4000) i;
select ok(mlops.domain_auc('mixed', 'current') between .45 and .55, 'alike');
select ok(mlops.domain_auc('select current, a + case when current then .3 else 0 end as a, b, c from mixed', 'current') > .65, 'one column has moved');
select ok(mlops.domain_auc('select current, a, case when current then a else 1 - a end + b / 100 as b from mixed', 'current') > .95, 'no column has moved by itself');
select is(mlops.domain_auc('mixed', 'current', 2, 7), mlops.domain_auc('mixed', 'current', 2, 7), 'the same again');
select throws_ok($$ select mlops.domain_auc('mixed', 'current', 0) $$, '22023', 'repeats must be between 1 and 100');
select throws_ok($$ select mlops.domain_auc('mixed', 'other') $$, '42703', null, 'no such label');
select is(mlops.domain_auc('mixed', null), null, 'NULL');

-- A regression and a model of three classes; day 9: the first feature of both is worth nothing; day 10: features hang together otherwise.
set local timezone = 'UTC';
create table reading as
	select timestamptz '2026-03-02 00:00+00' + i * interval '1 minute' as at, x, case when i / 1440 = 10 then 1 - x else x end + pg_temp.u(i, 5) / 20 as y,
		   x * 10 + (pg_temp.u(i, 3) - .5) * case when i / 1440 = 9 then 40 else 2 + 4 * x end as level,
		   (array['low', 'middle', 'high'])[1 + floor(3 * least(.999, greatest(0, case when i / 1440 = 9 then pg_temp.u(i, 6) else x + (pg_temp.u(i, 4) - .5) / 2 end)))::int] as kind
	  from (select i, pg_temp.u(i, 1) as x from generate_series(0, 11 * 1440 - 1) i) s;
select version as level_version from mlops.train('level', $$select x, y, level from reading where at < '2026-03-10 00:00+00'$$, 'level', algorithm => 'linear_regression') \gset
select version as kind_version from mlops.train('kind', $$select x, y, kind from reading where at < '2026-03-10 00:00+00'$$, 'kind', algorithm => 'logistic_regression') \gset
select version as error_version from mlops.train('error', $$select s.x, s.y, s.prediction, abs(s.level - s.prediction) as error
	from (select r.*, mlops.predict('level@1', r) as prediction from reading r where at < '2026-03-10 00:00+00') s$$, 'error', params => '{"n_estimators": 30}') \gset
insert into mlops.reference_model (model_id, version, kind, name, artifact)
select id, 1, 'loss', 'mae', mlops.export_model('error@1') from mlops.model where name = 'level' on conflict do nothing;
-- the one principal component of two features that are nearly the same: half of what remains is the noise of the second
insert into mlops.reference_model (model_id, version, kind, content)
select id, 1, 'components', (
	select jsonb_build_object('columns', '["x", "y"]'::jsonb, 'mean', c.mean, 'scale', c.scale, 'components', c.components, 'error_mean', avg(e), 'error_sd', stddev_pop(e))
	  from (select jsonb_build_array(avg(x), avg(y)) as mean, jsonb_build_array(stddev_pop(x), stddev_pop(y)) as scale,
				   jsonb_build_array(jsonb_build_array(sqrt(.5), sqrt(.5))) as components from reading where at < '2026-03-10 00:00+00') c,
		   lateral (select mlops.reconstruction_error(to_jsonb(c), array[r.x, r.y]) as e from reading r where at < '2026-03-10 00:00+00') e
	 group by c.mean, c.scale, c.components)
  from mlops.model where name = 'level' on conflict do nothing;
select mlops.create_monitor('level', 'daily', source => 'reading', at => 'at', outcome => 'level', window_size => '1 day', schedule => null,
	metrics => '{realised,estimated,calibration,fairness,multivariate}') as level \gset
select mlops.create_monitor('kind', 'daily', source => 'reading', at => 'at', outcome => 'kind', window_size => '1 day', schedule => null,
	metrics => '{realised,estimated}') as kind \gset
select count(*) as found from mlops.run_monitor(:level, since => '2026-03-10', until => '2026-03-13') \gset
select count(*) as found from mlops.run_monitor(:kind, since => '2026-03-10', until => '2026-03-12') \gset
create temp table result as select extract(day from lower(r.period))::int - 2 as day, r.monitor_id, r.kind, r.metric, r.value, r.reference, r.verdict, r.detail from mlops.monitor_result r;
create function pg_temp.verdict(m bigint, d integer, k text, name text) returns text language sql as
	$$ select verdict from result where monitor_id = m and day = d and kind = k and metric = name $$;

select is(pg_temp.verdict(:level, d, 'realised', metric), expected, format('day %s: %s is %s', d, metric, expected))
  from (values (8, 'rmse', 'ok'), (8, 'mae', 'ok'), (9, 'rmse', 'alert'), (9, 'mae', 'alert')) v (d, metric, expected);
select pg_temp.near(r.value, (select (mlops.regression_performance(level, mlops.predict('level@1', w)) #>> '{rmse,value}')::float8 from reading w where at::date = '2026-03-10'), 'rmse')
  from result r where monitor_id = :level and day = 8 and kind = 'realised' and metric = 'rmse';
select ok(abs(e.value - r.value) < .1 * r.value, format('the loss is about as expected: %s, %s', e.value, r.value))
  from result e join result r using (monitor_id, day, metric) where monitor_id = :level and day = 8 and metric = 'mae' and e.kind = 'estimated' and r.kind = 'realised';
select is(pg_temp.verdict(:level, 9, 'estimated', 'mae'), 'ok', 'labels alone are not seen without them');
select is(pg_temp.verdict(:level, d, 'multivariate', metric), expected, format('day %s: %s is %s', d, metric, expected))
  from (values (8, 'domain_auc', 'ok'), (8, 'reconstruction_error', 'ok'), (10, 'domain_auc', 'alert'), (10, 'reconstruction_error', 'alert')) v (d, metric, expected);
select is((select count(*) from result where monitor_id = :level and kind in ('calibration', 'fairness')), 0::bigint, 'values have neither calibration nor fairness');

select is(pg_temp.verdict(:kind, d, 'realised', metric), expected, format('classes, day %s: %s is %s', d, metric, expected))
  from (values (8, 'accuracy', 'ok'), (8, 'macro_f1', 'ok'), (9, 'accuracy', 'alert'), (9, 'macro_f1', 'alert')) v (d, metric, expected);
select ok(abs(e.value - r.value) < .05, format('classes: %s is about as expected: %s, %s', metric, e.value, r.value))
  from result e join result r using (monitor_id, day, metric) where monitor_id = :kind and day = 8 and e.kind = 'estimated' and r.kind = 'realised' order by metric;
select is(pg_temp.verdict(:kind, 9, 'estimated', 'accuracy'), 'ok', 'labels alone are not seen without them');
select * from finish();
rollback;
