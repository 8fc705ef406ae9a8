-- Monitors of performance: realised, estimated, calibration, attribution, fairness, all features together.
\ir include/begin.sql
select plan(37);

create function pg_temp.u(i bigint, k integer) returns double precision language sql immutable as
	$$ select (hashint8extended(i, k) & 1048575) / 1048576.0::float8 $$;
create function pg_temp.near(a double precision, b double precision, what text) returns text language sql as
	$$ select ok(coalesce(abs(a - b) <= 1e-9, a is null and b is null), format('%s: %s against %s', what, a, b)) $$;

-- A row a minute for 17 days.  Day 11: other labels.  Day 12: only cases that are hard to tell.  Day 13: no labels yet.  Day 14: few rows.
-- Day 15: one region differs.  Day 16: what mattered does not vary any more.
create temp table raw as
	select i, i / 1440 as day, 'r' || i % 3 as region, pg_temp.u(i, 1) as a, pg_temp.u(i, 2) as b, pg_temp.u(i, 3) as chance, pg_temp.u(i, 4) as noise
	  from generate_series(0, 17 * 1440 - 1) i;
create temp table aged as
	select *, case day when 12 then .4 + a / 5 when 15 then case region when 'r0' then a / 2 else a end when 16 then .5 else a end as age from raw;
create table application as
	select i, timestamptz '2026-03-02 00:00+00' + i * interval '1 minute' as at, region, age, b * 10 as income,
		   case when day <> 13 then (chance < 1 / (1 + exp(-(10 * (age - .5) + 1.5 * (b - .5))))) <> (day = 11 and noise < .4) end as good
	  from aged where day <> 14 or i % 72 = 0;
create table history as select age, income, good from application where at < '2026-03-12 00:00+00';
set local timezone = 'UTC';
select version from mlops.train('credit', 'history', 'good', algorithm => 'logistic_regression') \gset
select mlops.deploy('credit', capture => '{"mode": "off"}') \gset

-- What training keeps of rows that it did not see, where it keeps them.
create temp table held_out as
	select row_number() over () - 1 as place, h.*, mlops.predict_class('credit', h) as class, mlops.predict_proba('credit', h) as probability
	  from (select age, income, good from application where at >= '2026-03-10 00:00+00' and at < '2026-03-12 00:00+00') h;
create function pg_temp.encode(x double precision) returns bytea language sql as
	$$ select '\x03'::bytea || string_agg(substring(float8send(x) from i for 1), ''::bytea order by i desc) from generate_series(1, 8) i $$;
insert into mlops.reference_model (model_id, version, kind, content)
select m.id, 1, 'performance', (select mlops.binary_performance(good, class = 'true', probability) from held_out) from mlops.model m where m.name = 'credit'
on conflict do nothing;
insert into mlops.reference_sample (model_id, version, position, features, prediction, class, probability, outcome)
select m.id, 1, min(h.place), array_agg(pg_temp.encode(h.age) || pg_temp.encode(h.income) order by h.place), array_agg((h.class = 'true')::int::float8 order by h.place),
	   array_agg(h.class order by h.place), array_agg(h.probability order by h.place), array_agg(h.good::text order by h.place)
  from mlops.model m, held_out h where m.name = 'credit' and not exists (select from mlops.reference_sample s where s.model_id = m.id) group by m.id, h.place / 1000;

select mlops.create_monitor('credit', 'daily', source => 'application', at => 'at', outcome => 'good', window_size => '1 day', segments => '{region}',
	metrics => '{realised,estimated,calibration,attribution,fairness,slope,intercept}', schedule => null) as monitor \gset
select count(*) as found from mlops.run_monitor(:monitor, since => '2026-03-12', until => '2026-03-19') \gset
create temp table result as
	select extract(day from lower(r.period))::int - 2 as day, r.* from mlops.monitor_result r where r.monitor_id = :monitor;
create function pg_temp.verdict(d integer, k text, m text, s text default '') returns text language sql as
	$$ select verdict from result where day = d and kind = k and metric = m and segment = s $$;
create function pg_temp.value(d integer, k text, m text, s text default '') returns double precision language sql as
	$$ select value from result where day = d and kind = k and metric = m and segment = s $$;
create temp table direct as
	select extract(day from at)::int - 2 as day, mlops.binary_performance(good, class = 'true', p) as m, mlops.cbpe(p, class = 'true') as e, mlops.calibration(good, p) as c
	  from (select a.*, mlops.predict_class('credit', a) as class, mlops.predict_proba('credit', a) as p from application a where at >= '2026-03-12 00:00+00') s group by 1;

-- Realised.
select pg_temp.near(pg_temp.value(10, 'realised', k), (m -> k ->> 'value')::float8, 'realised ' || k) from direct, unnest('{roc_auc,accuracy,precision,recall,f1}'::text[]) k where day = 10;
select results_eq($$ select distinct verdict from result where day = 10 and segment = '' $$, $$ values ('ok') $$, 'a day like those before');
select is(pg_temp.verdict(11, 'realised', k), 'alert', 'other labels: ' || k) from unnest('{roc_auc,accuracy,precision,recall,f1}'::text[]) k;
select ok(value < threshold and value < noise_floor and p_value < 1e-6 and abs(threshold - .9 * reference) < 1e-9
		  and abs(noise_floor - (reference - 3 * (detail ->> 'standard_error')::float8 * sqrt(1 + rows / (select (content #>> '{accuracy,n}')::float8 from mlops.reference_model where kind = 'performance')))) < 1e-9,
		  'ten per cent, and three standard errors')
  from result where day = 11 and kind = 'realised' and metric = 'accuracy' and segment = '';
select is(pg_temp.verdict(13, 'realised', 'roc_auc'), 'insufficient data', 'no labels yet');
select is((select detail ->> 'reason' from result where day = 13 and kind = 'realised'), 'no outcomes', 'and why');
select is(pg_temp.verdict(14, 'realised', 'precision'), 'insufficient data', 'few rows');
select ok(bool_and(verdict in ('ok', 'insufficient data')), 'segments of a day like those before') from result where day = 10 and segment <> '';
select is((select array_agg(distinct segment order by segment) from result where day = 11 and kind = 'realised' and metric = 'accuracy'), '{"",region=r0,region=r1,region=r2}', 'segments');

-- Estimated.
select ok(abs(pg_temp.value(10, 'estimated', k) - (e -> k ->> 'value')::float8) < .01, format('estimated %s: %s', k, pg_temp.value(10, 'estimated', k)))
  from direct, unnest('{roc_auc,accuracy,f1}'::text[]) k where day = 10;
select ok(abs(pg_temp.value(d, 'estimated', k) - (m -> k ->> 'value')::float8) < 4 * (m -> k ->> 'se')::float8, format('day %s: %s is as estimated', d, k))
  from direct, unnest('{10,12}'::int[]) d, unnest('{roc_auc,accuracy}'::text[]) k where day = d;
select is(pg_temp.verdict(12, 'estimated', 'roc_auc'), 'alert', 'cases that are hard to tell are expected to be');
select is(pg_temp.verdict(11, 'estimated', 'roc_auc'), 'ok', 'other labels are not seen without them');
select is(pg_temp.verdict(13, 'estimated', 'roc_auc'), 'ok', 'no labels are needed');
select ok((detail ->> 'low')::float8 < value and value < (detail ->> 'high')::float8, 'the band') from result where day = 13 and kind = 'estimated' and metric = 'accuracy' and segment = '';

-- Calibration.
select ok(abs(pg_temp.value(10, 'calibration', 'ece') - (c ->> 'ece')::float8) < .03, 'expected calibration error') from direct where day = 10;
select is(pg_temp.verdict(11, 'calibration', k), 'alert', 'other labels: ' || k) from unnest('{ece,slope}'::text[]) k;
select is(pg_temp.verdict(12, 'calibration', 'ece'), 'ok', 'hard cases are not miscalibrated');

-- Attribution: age does not vary any more.
select is(pg_temp.verdict(10, 'attribution', 'ndcg'), 'ok', 'features matter as before');
select is(pg_temp.verdict(16, 'attribution', 'ndcg'), 'alert', 'what mattered does not any more');
select is(pg_temp.verdict(14, 'attribution', 'ndcg'), 'insufficient data', 'few rows');

-- Fairness.
select is(pg_temp.verdict(15, 'fairness', 'disparate_impact', 'region=r0'), 'alert', 'one region is called positive less often');
select is(pg_temp.verdict(15, 'fairness', 'selection_rate_difference', 'region=r0'), 'alert', 'and by how much');
select * from finish();
rollback;
