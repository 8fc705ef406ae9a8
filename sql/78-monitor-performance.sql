-- Monitors of performance: realised against outcomes, estimated without them, and whether probabilities still mean what they said.
--
-- A metric is beyond where it is worse than the reference's both by the threshold, a share of the reference's value, and by three standard errors
-- of the difference.  threshold and noise_floor are the values that it must be past.  A window too small to show even twice the threshold is
-- insufficient data.

create function mlops.normal_tail(z double precision) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_normal_tail';
comment on function mlops.normal_tail(double precision) is 'How likely a standard normal variable is to exceed z';

-- ---- What a version is compared with ----

create function mlops.positive_label(model_id bigint, version integer) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select v.metrics #>> '{confusion_matrix,labels,1}' from mlops.model_version v
	 where v.model_id = positive_label.model_id and v.version = positive_label.version and v.task = 'binary'
$$;
comment on function mlops.positive_label(bigint, integer) is 'The positive class of a version of two classes, the second; NULL where it was not measured on any rows';

create function mlops.is_label(value text, label text) returns boolean
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_is_label';
comment on function mlops.is_label(text, text) is 'Whether an outcome is a class: by its text, numbers by their value';

create function mlops.performance_query(task text, label text, source text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select case task
		when 'regression' then format(
			'select w.mlops_segment as segment, count(*) as rows, mlops.regression_performance(mlops.read_number(w.mlops_outcome), w.mlops_prediction, w.mlops_weight)'
			' as metrics from (%s) w where w.mlops_outcome is not null and w.mlops_prediction is not null group by 1', source)
		when 'binary' then format(
			-- without probabilities there is nothing that ranks, and nothing that costs
			'select w.segment, w.rows, case when w.scored then w.metrics else w.metrics - ''{roc_auc,pr_auc,log_loss,brier,ece}''::text[] end as metrics'
			' from (select w.mlops_segment as segment, count(*) as rows, bool_or(w.mlops_probability is not null) as scored,'
			' mlops.binary_performance(mlops.is_label(w.mlops_outcome, %1$L), coalesce(mlops.is_label(w.mlops_class, %1$L), w.mlops_probability > 0.5),'
			' coalesce(w.mlops_probability, mlops.is_label(w.mlops_class, %1$L)::integer), w.mlops_weight) as metrics'
			' from (%2$s) w where w.mlops_outcome is not null and num_nonnulls(w.mlops_class, w.mlops_probability) > 0 group by 1) w', label, source)
		else format(
			'select w.mlops_segment as segment, count(*) as rows, mlops.class_performance(w.mlops_outcome, w.mlops_class, w.mlops_weight) as metrics'
			' from (%s) w where w.mlops_outcome is not null and w.mlops_class is not null group by 1', source) end
$$;
comment on function mlops.performance_query(text, text, text) is 'A SELECT of the rows with an outcome, and of the metrics, of each segment of such rows as mlops.window_query() gives';

create function mlops.reference_query(model_id bigint, version integer, segment text, period tstzrange) returns text
language sql stable
set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD'
as $$
	select format(
		'select %L as mlops_segment, r.outcome as mlops_outcome, r.prediction as mlops_prediction, r.class as mlops_class,'
		' r.probability as mlops_probability, 1::double precision as mlops_weight from mlops.%I(%s, %s) r where (r.at is null or not r.at <@ %L::tstzrange) and %s',
		segment, case when s.is_feature then 'reference_rows' else 'reference_answers' end, model_id, version, period,
		case when segment = '' then 'true'
			 -- rows are kept with their features, not with other columns
			 when not s.is_feature then 'false'
			 else format('coalesce(r.features ->> %L, ''NULL'') = %L', s.column_name, substr(segment, strpos(segment, '=') + 1)) end)
	  from (select split_part(segment, '=', 1) as column_name, exists (
				select from mlops.model_signature f
				 where f.model_id = reference_query.model_id and f.version = reference_query.version and f.role = 'feature'
				   and f.name = split_part(segment, '=', 1)) as is_feature) s
$$;
comment on function mlops.reference_query(bigint, integer, text, tstzrange) is
'A SELECT of the held-out rows that a version keeps, of a segment, in columns as those of mlops.window_query(); without those of the window that is judged';

create function mlops.reference_performance(model_id bigint, version integer, segment text, period tstzrange) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	v mlops.model_version := (select v from mlops.model_version v where v.model_id = reference_performance.model_id and v.version = reference_performance.version);
	metrics jsonb;
	w record;
begin
	if segment = '' and not exists (select from mlops.reference_slice r
									 where r.model_id = v.model_id and r.version = v.version and r.role = 'prediction'
									   and lower(r.period) + (upper(r.period) - lower(r.period)) / 2 <@ reference_performance.period) then
		select r.content into metrics from mlops.reference_model r
		 where r.model_id = v.model_id and r.version = v.version and r.kind = 'performance';
		-- a version that keeps none was measured nevertheless: the errors are then those of the window
		return coalesce(metrics, (select jsonb_object_agg(e.key, jsonb_build_object('value', e.value)) from jsonb_each(v.metrics) e
								   where jsonb_typeof(e.value) = 'number'));
	end if;
	execute mlops.performance_query(v.task, mlops.positive_label(v.model_id, v.version), mlops.reference_query(v.model_id, v.version, segment, period)) into w;
	return w.metrics;
end
$$;
comment on function mlops.reference_performance(bigint, integer, text, tstzrange) is
'The metrics of a version on rows that it has not seen, with what their standard errors follow from: {metric: {value, se_component, n}}; of a segment, or for a window of held-out rows, those of the rows that it keeps and that are not in the window';

-- Rows in time are not independent: from window to window a metric differs by more than its standard error says.  How much, the windows of the
-- held-out time tell, where the split goes by time.

create function mlops.usual_windows(model_id bigint, version integer, width interval, period tstzrange, features boolean default false) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD'
as $$
declare
	least_windows constant integer := 6;
	times timestamptz[];
	windows text[];
begin
	-- slices of predictions are of held-out rows, and their middles the times of rows.  A window of which less than half is held out is no example,
	-- and neither is the one that is judged
	with t as (select x.at, x.rows, mlops.window_start(x.at, width) as begins
				 from (select lower(r.period) + (upper(r.period) - lower(r.period)) / 2 as at, max(r.rows) as rows
						 from mlops.reference_slice r
						where r.model_id = usual_windows.model_id and r.version = usual_windows.version and r.role = 'prediction' group by r.period) x),
	w as (select t.begins, sum(t.rows) as rows from t group by t.begins)
	select array_agg(t.at), array_agg(t.begins::text) into times, windows
	  from t join w using (begins)
	 where w.rows >= (select percentile_cont(0.5) within group (order by x.rows) / 2 from w x) and not t.begins <@ usual_windows.period
	having count(distinct t.begins) >= least_windows;
	return format(
		'select %sd.outcome as mlops_outcome, d.prediction as mlops_prediction, d.class as mlops_class, d.probability as mlops_probability,'
		' 1::double precision as mlops_weight, u.begins as mlops_segment from mlops.%I(%s, %s) d join unnest(%L::timestamptz[], %L::text[]) u (at, begins) on u.at = d.at',
		case when features then mlops.decoded_columns(usual_windows.model_id, usual_windows.version) || ', ' end,
		case when features then 'reference_rows' else 'reference_answers' end, usual_windows.model_id, usual_windows.version, times, windows)
	 where times is not null;
end
$$;
comment on function mlops.usual_windows(bigint, integer, interval, tstzrange, boolean) is
'A SELECT of the held-out rows that a version keeps, in columns as those of mlops.window_query(), with their window of a width as the segment; NULL where there are fewer than six such windows beside the one that is judged';

create function mlops.usual_metrics(query text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	usual jsonb;
begin
	if query is null then
		return null;
	end if;
	execute format(
		'select jsonb_object_agg(u.metric, jsonb_build_object(''windows'', u.windows, ''mean'', u.mean, ''error'', u.deviation * sqrt(1 + 1.0 / u.windows)))'
		' from (select e.key as metric, count(v.value) as windows, avg(v.value) as mean, stddev_samp(v.value) as deviation'
		' from (%s) q (segment, rows, metrics) cross join lateral jsonb_each(q.metrics) e'
		' cross join lateral (select (case jsonb_typeof(e.value) when ''object'' then e.value -> ''value'' when ''number'' then e.value end)::double precision) v (value)'
		' group by 1) u where u.windows >= 6', query) into usual;
	return usual;
end
$$;
comment on function mlops.usual_metrics(text) is
'From a SELECT of the metrics of windows: {metric: {windows, mean, error}}, error being the standard error of one window more';

create function mlops.learned_from(model_id bigint, version integer, period tstzrange) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	-- slices of predictions are of held-out rows only
	select exists (
		select from mlops.reference_slice f
		 where f.model_id = learned_from.model_id and f.version = learned_from.version and f.role = 'feature' and f.period <@ learned_from.period
		   and not exists (select from mlops.reference_slice p
							where p.model_id = f.model_id and p.version = f.version and p.role = 'prediction' and p.period = f.period))
$$;
comment on function mlops.learned_from(bigint, integer, tstzrange) is
'Whether a version whose split goes by time learned from rows of a window: what it answers to them says nothing about others';

-- ---- Verdicts ----

create function mlops.judge_metrics(m mlops.monitor, kind text, segment text, rows bigint, current jsonb, reference jsonb, by_window jsonb default null) returns setof mlops.monitor_value
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	share double precision;
	sign integer;
	worse double precision;
	error double precision;
	component double precision;
	chance double precision;
	result mlops.monitor_value;
	w record;
begin
	result.kind := kind;
	result.segment := segment;
	result.feature := '';
	result.rows := rows;
	for w in
		select x.metric, x.threshold, (current -> x.metric ->> 'value')::double precision as value, (current -> x.metric ->> 'se_component')::double precision as own,
			   (current -> x.metric ->> 'n')::double precision as n, (reference -> x.metric ->> 'value')::double precision as reference,
			   (reference -> x.metric ->> 'se_component')::double precision as component, (reference -> x.metric ->> 'n')::double precision as reference_n,
			   (by_window -> x.metric ->> 'windows')::integer - 1 as freedom, (by_window -> x.metric ->> 'error')::double precision as usual_error
		  from mlops.monitor_metric x
		 where x.kind = judge_metrics.kind and current ? x.metric
		   and (x.usual or x.metric = any (m.metrics))
		 order by x.metric
	loop
		-- of losses more is worse, of the others less
		sign := case when w.metric in ('log_loss', 'brier', 'ece', 'rmse', 'mae', 'mape') then 1 else -1 end;
		share := coalesce((m.thresholds ->> w.metric)::double precision, w.threshold);
		component := coalesce(w.component, w.own);
		error := component * sqrt(1 / w.n + coalesce(1 / w.reference_n, 0));
		worse := sign * (w.value - w.reference);
		chance := greatest(3 * error, mlops.student_quantile(mlops.normal_tail(3), w.freedom) * w.usual_error);
		result.metric := w.metric;
		result.value := w.value;
		result.reference := w.reference;
		result.threshold := w.reference + sign * share * abs(w.reference);
		result.noise_floor := w.reference + sign * chance;
		result.p_value := case when error > 0 then mlops.normal_tail(worse / error) when error = 0 then case when worse > 0 then 0 else 1 end end;
		if w.usual_error > 0 then
			result.p_value := greatest(result.p_value, mlops.student_tail(worse / w.usual_error, w.freedom));
		end if;
		result.beyond := worse >= share * abs(w.reference) and worse >= chance and worse > 0;
		if rows < m.min_rows or (m.min_rows is null and not result.beyond and 3 * error > 2 * share * abs(w.reference)) then
			result.beyond := null;
		end if;
		result.detail := jsonb_strip_nulls(jsonb_build_object('standard_error', component / sqrt(w.n), 'windows', w.freedom + 1, 'low', w.value - 3 * component / sqrt(w.n),
			'high', w.value + 3 * component / sqrt(w.n), 'reason', case when w.value is null then 'the rows do not define it' when w.reference is null then 'no reference'
																		when result.beyond is null then 'too few rows' end));
		return next result;
	end loop;
end
$$;
comment on function mlops.judge_metrics(mlops.monitor, text, text, bigint, jsonb, jsonb, jsonb) is
'Metrics of a window beside those of the reference, both as {metric: {value, se_component, n}}: how much worse, and whether by more than chance, and by more than usual from window to window (mlops.usual_metrics)';

create function mlops.no_value(kind text, metric text, reason text, rows bigint default 0) returns mlops.monitor_value
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select row(kind, '', '', metric, null, null, null, null, null, null, rows, jsonb_build_object('reason', reason))::mlops.monitor_value
$$;
comment on function mlops.no_value(text, text, text, bigint) is 'What a window has of a metric that could not be computed: insufficient data, and why';

create function mlops.main_metric(task text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select case task when 'regression' then 'rmse' when 'binary' then 'roc_auc' else 'accuracy' end
$$;
comment on function mlops.main_metric(text) is 'The metric that stands for a task';

-- ---- Realised: against outcomes ----

create function mlops.monitor_realised(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_realised.monitor_id);
	judged constant integer := mlops.monitor_version(m.id, period);
	task constant text := (select v.task from mlops.model_version v where v.model_id = m.model_id and v.version = judged);
	label constant text := mlops.positive_label(m.model_id, judged);
	past text;
	by_window jsonb;
	w record;
	any_rows boolean := false;
begin
	if mlops.learned_from(m.model_id, judged, period) then
		return next mlops.no_value('realised', mlops.main_metric(task), 'the version learned from these rows');
		return;
	end if;
	if task = 'binary' and label is null then
		return next mlops.no_value('realised', mlops.main_metric(task), 'the version was not measured on held-out rows');
		return;
	end if;
	past := mlops.usual_windows(m.model_id, judged, m.window_size, period);
	if past is not null then
		by_window := mlops.usual_metrics(mlops.performance_query(task, label, past));
	end if;
	for w in execute mlops.performance_query(task, label, source) loop
		any_rows := any_rows or w.segment = '';
		return query select v.* from mlops.judge_metrics(m, 'realised', w.segment, w.rows, w.metrics,
														 mlops.reference_performance(m.model_id, judged, w.segment, period), case when w.segment = '' then by_window end) v;
	end loop;
	if not any_rows then
		return next mlops.no_value('realised', mlops.main_metric(task), 'no outcomes');
	end if;
end
$$;
comment on function mlops.monitor_realised(bigint, tstzrange, text) is 'Kind realised of a monitor in one window: metrics of the rows whose outcome is known';

-- ---- Estimated: without outcomes ----

create function mlops.cbpe_query(task text, label text, model text, calibrator jsonb, source text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select case task
		when 'binary' then format(
			'select w.mlops_segment as segment, count(*) as rows, mlops.cbpe(%s, coalesce(mlops.is_label(w.mlops_class, %L), w.mlops_probability > 0.5),'
			' w.mlops_probability, w.mlops_weight) - ''{ece,log_loss,brier}''::text[] as metrics'
			' from (%s) w where w.mlops_probability is not null group by 1',
			case when calibrator ? label then format('mlops.isotonic_value(%L, w.mlops_probability)', calibrator -> label) else 'w.mlops_probability' end,
			label, source)
		-- each class against the rest, its probabilities calibrated and brought to a sum of 1; then the mean over the classes
		else format(
			'select c.segment, sum(c.predicted)::bigint as rows, jsonb_build_object('
			' ''accuracy'', jsonb_build_object(''value'', sum(c.hits) / nullif(sum(c.weight), 0), ''n'', max(c.n)),'
			' ''macro_precision'', jsonb_build_object(''value'', avg(coalesce((c.m #>> ''{precision,value}'')::double precision, 0)), ''n'', max(c.n)),'
			' ''macro_recall'', jsonb_build_object(''value'', avg(coalesce((c.m #>> ''{recall,value}'')::double precision, 0)), ''n'', max(c.n)),'
			' ''balanced_accuracy'', jsonb_build_object(''value'', avg(coalesce((c.m #>> ''{recall,value}'')::double precision, 0)), ''n'', max(c.n)),'
			' ''macro_f1'', jsonb_build_object(''value'', avg(coalesce((c.m #>> ''{f1,value}'')::double precision, 0)), ''n'', max(c.n))) as metrics'
			' from (select p.segment, p.label, count(*) filter (where p.class = p.label) as predicted,'
			' sum(p.weight * p.p) filter (where p.class = p.label) as hits, sum(p.weight) filter (where p.class = p.label) as weight,'
			' sum(p.weight) ^ 2 / nullif(sum(p.weight ^ 2), 0) as n, mlops.cbpe(p.p, p.class = p.label, p.raw, p.weight) as m'
			' from (select s.segment, s.class, s.weight, e.label, e.raw, least(e.p / nullif(sum(e.p) over (partition by s.row), 0), 1) as p'
			' from (select row_number() over () as row, w.mlops_segment as segment, w.mlops_class as class, w.mlops_weight as weight,'
			' mlops.predict_all(%L, w) as answers from (%s) w where w.mlops_class is not null) s'
			' cross join lateral (select a.key as label, a.value::double precision as raw,'
			' coalesce(mlops.isotonic_value(%L::jsonb -> a.key, a.value::double precision), a.value::double precision) as p'
			' from jsonb_each_text(s.answers) a) e) p group by 1, 2) c group by 1', model, source, calibrator) end
$$;
comment on function mlops.cbpe_query(text, text, text, jsonb, text) is
'A SELECT of the rows and of the metrics to be expected of each segment of a window''s rows, from calibrated probabilities';

create function mlops.dle_query(model_id bigint, version integer, source text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select format(
		'select w.mlops_segment as segment, count(*) as rows, jsonb_build_object(%s) as metrics from (select w.*, w.mlops_prediction as prediction from (%s) w'
		' where w.mlops_prediction is not null) w group by 1',
		string_agg(format(
			'%L, jsonb_build_object(''value'', %s, ''n'', sum(w.mlops_weight) ^ 2 / nullif(sum(w.mlops_weight ^ 2), 0))',
			case r.name when 'mse' then 'rmse' else r.name end,
			format(case r.name when 'mse' then 'sqrt(%s)' else '%s' end, format(
				'sum(w.mlops_weight * greatest(mlops.predict((select r.artifact from mlops.reference_model r where r.model_id = %s and r.version = %s and r.kind = ''loss'' and r.name = %L), w), 0))'
				' / nullif(sum(w.mlops_weight), 0)', r.model_id, r.version, r.name))), ', '), source)
	  from mlops.reference_model r
	 where r.model_id = dle_query.model_id and r.version = dle_query.version and r.kind = 'loss'
	having count(*) > 0
$$;
comment on function mlops.dle_query(bigint, integer, text) is
'A SELECT of the rows and of the losses to be expected of each segment of a window''s rows, from the models of the loss; NULL where there are none';

create function mlops.monitor_estimated(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_estimated.monitor_id);
	judged constant integer := mlops.monitor_version(m.id, period);
	task constant text := (select v.task from mlops.model_version v where v.model_id = m.model_id and v.version = judged);
	label constant text := mlops.positive_label(m.model_id, judged);
	model constant text := mlops.version_reference(m.model_id, judged);
	calibrator jsonb;
	query text;
	past text;
	by_window jsonb;
	w record;
	any_rows boolean := false;
begin
	if mlops.learned_from(m.model_id, judged, period) then
		return next mlops.no_value('estimated', mlops.main_metric(task), 'the version learned from these rows');
		return;
	end if;
	-- whether probabilities need calibrating was found out together with the reference's performance
	if not exists (select from mlops.reference_model r where r.model_id = m.model_id and r.version = judged and r.kind = 'performance') then
		return next mlops.no_value('estimated', mlops.main_metric(task), 'no reference');
		return;
	end if;
	select r.content into calibrator from mlops.reference_model r where r.model_id = m.model_id and r.version = judged and r.kind = 'calibrator';
	calibrator := coalesce(calibrator, '{}');
	query := case task when 'regression' then mlops.dle_query(m.model_id, judged, source) else mlops.cbpe_query(task, label, model, calibrator, source) end;
	if query is null then
		return next mlops.no_value('estimated', mlops.main_metric(task), 'no model of the loss');
		return;
	end if;
	past := mlops.usual_windows(m.model_id, judged, m.window_size, period, task <> 'binary');
	if past is not null then
		by_window := mlops.usual_metrics(
			case task when 'regression' then mlops.dle_query(m.model_id, judged, past) else mlops.cbpe_query(task, label, model, calibrator, past) end);
	end if;
	for w in execute query loop
		any_rows := any_rows or w.segment = '';
		return query select v.* from mlops.judge_metrics(m, 'estimated', w.segment, w.rows, w.metrics,
														 mlops.reference_performance(m.model_id, judged, w.segment, period), case when w.segment = '' then by_window end) v;
	end loop;
	if not any_rows then
		return next mlops.no_value('estimated', mlops.main_metric(task), case when task = 'regression' then 'no rows' else 'no probabilities' end);
	end if;
end
$$;
comment on function mlops.monitor_estimated(bigint, tstzrange, text) is
'Kind estimated of a monitor in one window: metrics to be expected of outcomes still unknown, by confidence (CBPE) or by a model of the loss (DLE). That assumes that only the features move, not what they mean';

-- ---- Calibration ----

create function mlops.calibration_query(label text, calibrator jsonb, source text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select format(
		-- calibrated probabilities may be 0 and 1, and have no log odds: slope and intercept are those of the model's own
		'select w.mlops_segment as segment, count(*) as rows, mlops.calibration(%1$s, w.mlops_probability, w.mlops_weight) || '
		'(mlops.calibration(%1$s, %2$s, w.mlops_weight) - ''{slope,slope_se,intercept,intercept_se}''::text[]) as measures'
		' from (%3$s) w where w.mlops_outcome is not null and w.mlops_probability is not null group by 1',
		-- of more than two classes the probability is that of the class answered
		case when label is null then 'mlops.is_label(w.mlops_outcome, w.mlops_class)' else format('mlops.is_label(w.mlops_outcome, %L)', label) end,
		case when calibrator ? label then format('mlops.isotonic_value(%L, w.mlops_probability)', calibrator -> label) else 'w.mlops_probability' end, source)
$$;
comment on function mlops.calibration_query(text, jsonb, text) is 'A SELECT of the rows and of the calibration of each segment of a window''s rows';

create function mlops.monitor_calibration(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_calibration.monitor_id);
	judged constant integer := mlops.monitor_version(m.id, period);
	task constant text := (select v.task from mlops.model_version v where v.model_id = m.model_id and v.version = judged);
	label constant text := mlops.positive_label(m.model_id, judged);
	calibrator constant jsonb := coalesce((select r.content from mlops.reference_model r
		where r.model_id = m.model_id and r.version = judged and r.kind = 'calibrator'), '{}');
	-- a version that keeps no rows was measured nevertheless
	measured constant double precision := (select (v.metrics ->> 'ece')::double precision from mlops.model_version v
		where v.model_id = m.model_id and v.version = judged and calibrator = '{}');
	past text;
	by_window jsonb;
	chance double precision;
	w record;
	x record;
	base record;
	result mlops.monitor_value;
	any_rows boolean := false;
begin
	if task = 'regression' then
		return;
	elsif mlops.learned_from(m.model_id, judged, period) then
		return next mlops.no_value('calibration', 'ece', 'the version learned from these rows');
		return;
	end if;
	past := mlops.usual_windows(m.model_id, judged, m.window_size, period);
	if past is not null then
		by_window := mlops.usual_metrics(mlops.calibration_query(label, calibrator, past));
	end if;
	for w in execute mlops.calibration_query(label, calibrator, source) loop
		any_rows := any_rows or w.segment = '';
		execute mlops.calibration_query(label, calibrator, mlops.reference_query(m.model_id, judged, w.segment, period)) into base;
		result := row('calibration', w.segment, '', null, null, null, null, null, null, null, w.rows, null);
		for x in
			select c.metric, coalesce((m.thresholds ->> c.metric)::double precision, c.threshold) as threshold, (w.measures ->> c.metric)::double precision as value,
				   coalesce((base.measures ->> c.metric)::double precision, case when c.metric = 'ece' then measured end) as reference,
				   (w.measures ->> (c.metric || '_se'))::double precision as error,
				   (base.measures ->> (c.metric || '_se'))::double precision as reference_error,
				   (past.found ->> 'windows')::integer - 1 as freedom, (past.found ->> 'mean')::double precision as usual_mean,
				   (past.found ->> 'error')::double precision as usual_error
			  from mlops.monitor_metric c cross join lateral (select case when w.segment = '' then by_window -> c.metric end) past (found)
			 where c.kind = 'calibration' and (c.usual or c.metric = any (m.metrics)) order by c.metric
		loop
			result.metric := x.metric;
			result.value := x.value;
			result.reference := x.reference;
			chance := mlops.student_quantile(mlops.normal_tail(3), x.freedom) * x.usual_error;
			if x.metric = 'ece' then
				result.threshold := x.reference + x.threshold;
				result.noise_floor := greatest((w.measures ->> 'ece_floor')::double precision, x.usual_mean + chance);
				result.p_value := (w.measures ->> 'p_value')::double precision;
				result.beyond := x.value >= greatest(result.threshold, result.noise_floor);
			else
				-- either way: what it must be farther than from the reference
				result.threshold := x.threshold;
				result.noise_floor := greatest(3 * sqrt(x.error ^ 2 + x.reference_error ^ 2), chance);
				result.p_value := 2 * mlops.normal_tail(abs(x.value - x.reference) / nullif(sqrt(x.error ^ 2 + x.reference_error ^ 2), 0));
				result.beyond := abs(x.value - x.reference) >= greatest(result.threshold, result.noise_floor);
			end if;
			if x.usual_error > 0 then
				result.p_value := greatest(result.p_value, case x.metric
					when 'ece' then mlops.student_tail((x.value - x.usual_mean) / x.usual_error, x.freedom)
					else 2 * mlops.student_tail(abs(x.value - x.reference) / x.usual_error, x.freedom) end);
			end if;
			if x.reference is null or w.rows < m.min_rows or (m.min_rows is null and not result.beyond and result.noise_floor > 2 * result.threshold) then
				result.beyond := null;
			end if;
			result.detail := w.measures || jsonb_strip_nulls(jsonb_build_object('reason',
				case when x.reference is null then 'no reference' when result.beyond is null then 'too few rows' end));
			return next result;
		end loop;
	end loop;
	if not any_rows then
		return next mlops.no_value('calibration', 'ece', 'no outcomes with probabilities');
	end if;
end
$$;
comment on function mlops.monitor_calibration(bigint, tstzrange, text) is
'Kind calibration of a monitor in one window: whether the probabilities, calibrated as the reference asks for, still mean what they say';
