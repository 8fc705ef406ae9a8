-- Monitors of a source: what is an alert, what is none, windows and their replacement.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/watched.sql
create function pg_temp.alerts(day date) returns text language sql as $$
	select string_agg(concat_ws(' ', r.kind, nullif(r.feature, ''), r.metric), ', ' order by r.kind, r.feature, r.metric)
	  from mlops.monitor_result r where r.verdict = 'alert' and r.segment = '' and lower(r.period) = day $$;
create temporary table made as
	select mlops.create_monitor('risk', 'daily', source => 'trade', at => 'at', outcome => 'score', schedule => null) as id;
select plan(39);

create temporary table run as select r.* from made, mlops.run_monitor(made.id, '2024-02-05', '2024-02-16') r;
select is(count(distinct period), 11::bigint, 'eleven days') from run;
select is(min(lower(period)), '2024-02-05'::timestamptz, 'from midnight') from run;
select is(pg_temp.alerts('2024-02-05'), null, 'nothing on a day like those of training');
select is(pg_temp.alerts('2024-02-08'), null, 'nor on another');
select is(pg_temp.alerts('2024-02-10'), 'attribution ndcg, drift amount psi, prediction_drift prediction psi, quality amount out_of_range', 'amounts that are twice as much; errors stay what they were, and no estimate says otherwise');
select is(pg_temp.alerts('2024-02-11'), 'drift share_drifted, drift kind psi, drift units psi, prediction_drift prediction psi, quality kind unseen, quality units null_rate',
		  'missing and new values: two of four features');
select ok(pg_temp.alerts('2024-02-12') ~ 'quality amount out_of_range', 'values below the least');
select is(pg_temp.alerts('2024-02-13'), 'quality duplicates, quality volume_change', 'rows that are there twice');
select is(pg_temp.alerts('2024-02-14'), 'quality freshness, quality volume_change', 'rows end at six');
select is(pg_temp.alerts('2024-02-15'), 'quality volume_change', 'no rows');
select is((select string_agg(distinct verdict, ', ') from run where lower(period) = '2024-02-15' and kind = 'drift'), 'insufficient data', 'which says so');
select ok(value > 0.5 and threshold = 0.1 and noise_floor between 0.005 and 0.1 and p_value < 1e-10, 'a row says why') from run
 where lower(period) = '2024-02-10' and feature = 'amount' and metric = 'psi';
select ok(abs(value - 0.333) < 0.02, 'a rate of missing values') from run where lower(period) = '2024-02-11' and feature = 'units' and metric = 'null_rate';
select ok((detail ->> 'mean_shift')::float8 > 8 and (detail ->> 'wasserstein')::float8 between 95 and 105 and (detail ->> 'ks')::float8 > 0.9, 'with the other distances')
  from mlops.drift where lower(period) = '2024-02-10' and feature = 'amount';
select ok(value between 0.2 and 0.4, 'one of four features drifts') from run where lower(period) = '2024-02-10' and metric = 'share_drifted';

-- windows are replaced
select is((select count(*) from mlops.run_monitor((select id from made), '2024-02-10', '2024-02-11')), (select count(*) from run where lower(period) = '2024-02-10'), 'a window again');
select is((select count(*) from mlops.monitor_result), (select count(*) from run), 'replaces it');
select is((select count(distinct period) from mlops.run_monitor((select id from made), '2024-02-10 12:00', '2024-02-11 12:00')), 2::bigint, 'each that since and until are in');
select lives_ok($$delete from trade where at >= '2024-02-10' and at < '2024-02-11'$$);
select is((select string_agg(distinct metric, ', ' order by metric) from mlops.run_monitor((select id from made), '2024-02-10', '2024-02-11') where verdict = 'alert'), 'volume_change',
		  'what is gone is gone');

-- from the last window on
set local mlops.now = '2024-02-18 03:00+00';
select is((select array_agg(distinct lower(period) order by lower(period)) from mlops.run_monitor((select id from made))), '{2024-02-16,2024-02-17}'::timestamptz[],
		  'the days that are over since the last one');
select is((select count(*) from mlops.run_monitor((select id from made))), 0::bigint, 'and then none');

-- segments
create temporary table parted as
	select mlops.create_monitor('risk', 'by region', source => 'trade', at => 'at', segments => '{region}', window_size => '7 days', schedule => null,
								metrics => '{drift,quality}') as id;
update trade set amount = amount + 30 where region = 'north' and at between '2024-02-05' and '2024-02-08';
create temporary table regions as select r.* from parted, mlops.run_monitor(parted.id, '2024-02-05', '2024-02-06') r;
select is((select string_agg(distinct segment, ',' order by segment) from regions), ',region=north,region=south', 'all rows, and each region');
select ok((select verdict = 'alert' from regions where segment = 'region=north' and feature = 'amount' and metric = 'psi'), 'the north moved');
select ok((select verdict = 'ok' from regions where segment = 'region=south' and feature = 'amount' and metric = 'psi'), 'the south did not');
select is((select string_agg(distinct kind, ',' order by kind) from regions), 'drift,quality', 'the kinds that were asked for');

-- numbers that come as texts; a column of predictions
create table raw as select t.at, t.region, case when t.at < '2024-02-02 06:00' then 'n/a' else t.amount::text end as amount, t.kind, t.units, 5.0::float8 as guess from trade t;
create temporary table texts as
	select mlops.create_monitor('risk', 'texts', source => 'raw', at => 'at', prediction => 'guess', schedule => null) as id;
create temporary table of_texts as select r.* from texts, mlops.run_monitor(texts.id, '2024-02-02', '2024-02-03') r;
select ok((select verdict = 'alert' and value = 0.25 from of_texts where metric = 'type_failures' and feature = 'amount'), 'texts that are no numbers');
select ok((select value = 0 from of_texts where metric = 'null_rate' and feature = 'amount'), 'are not missing');
select is((select verdict from of_texts where kind = 'prediction_drift'), 'alert', 'a prediction that is always the same');

-- what it is compared with
create temporary table before as
	select mlops.create_monitor('risk', 'previous', source => 'trade', at => 'at', reference => 'previous', schedule => null, metrics => '{drift}', min_rows => 300) as id;
select is((select string_agg(distinct feature, ',') from before, mlops.run_monitor(before.id, '2024-02-11', '2024-02-12') r where verdict = 'alert' and feature is not null),
		  null, 'nothing to compare with after a day without rows');
select is((select string_agg(distinct feature, ',') from before, mlops.run_monitor(before.id, '2024-02-12', '2024-02-13') r where verdict = 'alert' and feature is not null),
		  'amount,kind,units', 'a day after another');
create temporary table frozen as
	select mlops.create_monitor('risk', 'query', source => 'trade', at => 'at', reference => $$select * from trade where at between '2024-02-11' and '2024-02-12'$$,
								schedule => null, metrics => '{drift}', min_rows => 300) as id;
delete from trade where at::date = '2024-02-11';
select is((select string_agg(distinct feature, ',') from frozen, mlops.run_monitor(frozen.id, '2024-02-09', '2024-02-10') r where verdict = 'alert' and feature is not null),
		  'kind,units', 'rows that were profiled when the monitor was made');
select is((select count(*) from mlops.monitor_reference), 5::bigint, 'of features and predictions');

-- thresholds and metrics of the user's
create temporary table strict as
	select mlops.create_monitor('risk', 'strict', source => 'trade', at => 'at', metrics => '{ks,wasserstein_normed,hellinger}', thresholds => '{"ks": 0.9}', schedule => null) as id;
create temporary table of_strict as select r.* from strict, mlops.run_monitor(strict.id, '2024-02-09', '2024-02-10') r;
select is((select string_agg(distinct metric, ',' order by metric) from of_strict where feature = 'amount'), 'hellinger,ks,wasserstein_normed', 'those that were asked for');
select is((select string_agg(distinct metric, ',' order by metric) from of_strict where feature = 'kind'), 'hellinger', 'texts have no order');
select is((select threshold from of_strict where feature = 'amount' and metric = 'ks'), 0.9::float8, 'a threshold of the user''s');
select is((select threshold from of_strict where feature = 'amount' and metric = 'hellinger'), 0.1::float8, 'and the usual one');

-- the views
select is((select count(*) from mlops.drift) + (select count(*) from mlops.quality) + (select count(*) from mlops.performance) + (select count(*) from mlops.health),
		  (select count(*) from mlops.monitor_result), 'each result is in a view');
select is((select drifted from mlops.monitor_window where monitor = 'by region' and segment = 'region=north'), 'amount, kind, units', 'the wide one');
select * from finish();
rollback;
