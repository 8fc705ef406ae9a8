-- Monitors of columns, continued: from profiles to values with thresholds, noise floors and p.

create function mlops.drift_metrics(preset text, metrics text[], kind text, reference_rows bigint, distinct_values double precision) returns text[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
	number constant boolean := kind <> 'category';
	chosen text[];
begin
	case preset
		when 'evidently' then
			return array[case when reference_rows > 1000 then case when number and distinct_values > 5 then 'wasserstein_normed' else 'js_distance_nats' end
							  when number and distinct_values > 5 then 'ks_p' else 'chi2' end];
		when 'nannyml' then
			return '{js_distance_base2}';
		when 'sagemaker' then
			return array[case when number then 'ks_robust' else 'l_inf_robust' end];
		when 'vertex' then
			return array[case when number then 'js_divergence_bits' else 'l_inf' end];
		when 'azure' then
			return array[case when number then 'wasserstein_normed' else 'js_distance_base2' end];
		when 'domino' then
			return '{psi}';
		else
			chosen := array(select m from unnest(metrics) m
							 where m in ('psi', 'kl', 'js_divergence_bits', 'js_distance_base2', 'js_distance_nats', 'hellinger', 'tvd', 'l_inf',
										 'l_inf_robust', 'cramers_v', 'chi2')
								or number and m in ('ks', 'ks_p', 'ks_robust', 'wasserstein_normed', 'mean_shift'));
			return case when chosen = '{}' then '{psi}' else chosen end;
	end case;
end
$$;
comment on function mlops.drift_metrics(text, text[], text, bigint, double precision) is
'What a column''s drift is measured by: as a preset''s tool chooses, else those that a monitor names, else PSI';

create function mlops.preset_threshold(preset text, metric text) returns double precision
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select case when metric in ('ks_p', 'chi2') then 0.05 when preset = 'vertex' then 0.3 when preset is not null then 0.1 end
$$;
comment on function mlops.preset_threshold(text, text) is 'The threshold that a preset''s tool has by default; NULL without a preset';

-- For small shifts PSI = factor * value ^ power: by it noise floors and least numbers of rows of all distances come from those of PSI.
create function mlops.psi_equivalent(metric text, out factor double precision, out power double precision)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select v.factor, v.power
	  from (values ('psi', 1, 1), ('kl', 2, 1), ('js_divergence_bits', 8 * ln(2::double precision), 1), ('js_distance_base2', 8 * ln(2::double precision), 2),
				   ('js_distance_nats', 8, 2), ('hellinger', 8, 2), ('tvd', 4, 2), ('l_inf', 4, 2), ('cramers_v', 4, 2), ('ks', 4, 2),
				   ('wasserstein_normed', 1, 2), ('mean_shift', 1, 2)) v (metric, factor, power)
	 where v.metric = psi_equivalent.metric
$$;
comment on function mlops.psi_equivalent(text) is 'How a distance is about that of PSI where distributions are close: factor * value ^ power';

create function mlops.column_distances(before bigint[], compared mlops.profile_comparison) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
	cells record := mlops.compare_cells(before, compared.now);
	n constant double precision := (select sum(c) from unnest(before) c);
	m constant double precision := (select sum(c) from unnest(compared.now) c);
	chance constant double precision := 1.8 * sqrt(1 / n + 1 / m);
begin
	return jsonb_strip_nulls(jsonb_build_object('cells', cells.cells, 'reference_rows', n, 'rows', m, 'psi', cells.psi, 'kl', cells.kl,
		'js_divergence_bits', cells.js_divergence_bits, 'js_distance_base2', cells.js_distance_base2,
		'js_distance_nats', cells.js_distance_base2 * sqrt(ln(2::double precision)), 'hellinger', cells.hellinger, 'tvd', cells.tvd, 'l_inf', cells.l_inf,
		'l_inf_robust', greatest(0, cells.l_inf - chance), 'cramers_v', cells.cramers_v, 'chi2', cells.p_value, 'chi2_statistic', cells.chi2,
		'ks', compared.ks, 'ks_p', compared.ks_p, 'ks_robust', case when compared.ks is not null then greatest(0, compared.ks - chance) end,
		'wasserstein', compared.wasserstein, 'wasserstein_normed', compared.wasserstein_normed, 'mean_shift', abs(compared.mean_shift)));
end
$$;
comment on function mlops.column_distances(bigint[], mlops.profile_comparison) is
'All distances of a column by their names; before: the counts of the reference, perhaps without some of its rows';

create function mlops.compare_column(m mlops.monitor, version integer, period tstzrange, segment text, role text, name text,
									 known boolean, compared mlops.profile_comparison, rows bigint)
returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	found_kind constant text := case role when 'feature' then 'drift' else 'prediction_drift' end;
	base record;
	distances jsonb;
	slices record;
	scale record;
	measure text;
	result mlops.monitor_value;
	is_p boolean;
	is_fitted boolean;
	enough boolean;
begin
	result.kind := found_kind;
	result.segment := segment;
	result.feature := name;
	result.rows := coalesce(rows, 0);
	if compared.before is null or result.rows = 0 then
		result.metric := (mlops.drift_metrics(m.preset, m.metrics, 'category', 0, 0))[1];
		result.detail := jsonb_build_object('reason', case when known then 'no rows' else 'no reference' end);
		return next result;
		return;
	end if;

	-- windows of the training time are compared with the rest of it
	if m.reference = 'training' and segment = '' then
		base := mlops.reference_counts(m.model_id, version, role, name, compared.before, period);
	else
		select compared.before as counts, false as left_out into base;
	end if;
	distances := mlops.column_distances(base.counts, compared);

	-- what a version answers to rows that it learned from says nothing about what it answers to others
	is_fitted := role = 'prediction' and m.reference = 'training' and not base.left_out and exists (
		select from mlops.reference_slice s where s.model_id = m.model_id and s.version = compare_column.version and s.role = 'feature' and s.period <@ compare_column.period);
	foreach measure in array mlops.drift_metrics(m.preset, m.metrics, compared.kind, compared.rows, compared.distinct_values) loop
		is_p := measure in ('ks_p', 'chi2');
		select e.factor, e.power into scale from mlops.psi_equivalent(measure) e;
		result.metric := measure;
		result.value := (distances ->> measure)::double precision;
		result.p_value := case when scale.power is null then null when measure in ('ks', 'wasserstein_normed', 'mean_shift') then (distances ->> 'ks_p')::double precision
							   else (distances ->> 'chi2')::double precision end;
		result.threshold := coalesce((m.thresholds ->> measure)::double precision, mlops.preset_threshold(m.preset, measure),
									 (select w.threshold from mlops.monitor_metric w where w.kind = 'drift' and w.metric = measure));
		result.noise_floor := (mlops.noise_floor((distances ->> 'cells')::integer, (distances ->> 'reference_rows')::double precision, result.rows)
							   / scale.factor) ^ (1 / scale.power);
		result.detail := distances || case when base.left_out then '{"left_out": true}' when is_fitted then '{"reason": "the version learned from these rows"}'
										   else '{}' end::jsonb;

		-- windows of autocorrelated rows differ by more than chance makes of independent ones
		if m.reference = 'training' and not m.thresholds ? measure and coalesce(m.preset, 'nannyml') = 'nannyml'
			and measure in ('psi', 'kl', 'js_divergence_bits', 'js_distance_base2', 'hellinger', 'tvd', 'l_inf', 'cramers_v')
			and exists (select from mlops.reference_slice s where s.model_id = m.model_id and s.version = compare_column.version) then
			if m.preset = 'nannyml' then
				select avg(x.score) + 3 * stddev_pop(x.score) as threshold, count(x.score) as windows into slices
				  from mlops.window_scores(m.model_id, version, role, name, measure, m.window_size, false) x;
			else
				slices := mlops.slice_threshold(m.model_id, version, role, name, measure, m.window_size, period, scale.power);
			end if;
			if slices.windows >= 6 then
				result.detail := result.detail || jsonb_build_object('fixed_threshold', result.threshold, 'windows', slices.windows);
				result.threshold := case when m.preset = 'nannyml' then slices.threshold else greatest(result.threshold, slices.threshold) end;
				-- and p of one window more among those
				if m.preset is null and slices.deviation > 0 then
					result.p_value := greatest(result.p_value, mlops.student_tail((cbrt(result.value ^ scale.power) - slices.center) / slices.deviation,
																				  slices.windows - 1));
				end if;
			end if;
		end if;

		-- presets judge as their tools do: by the threshold alone
		if m.preset is not null then
			result.noise_floor := null;
			result.p_value := null;
		end if;
		enough := case when is_fitted then false
					   when m.min_rows is not null then result.rows >= m.min_rows
					   when m.preset is not null or scale.power is null then true
					   else mlops.noise_floor((distances ->> 'cells')::integer, (distances ->> 'reference_rows')::double precision, result.rows, 0.95)
						   <= scale.factor * result.threshold ^ scale.power / 2 end;
		result.beyond := case when enough then case when is_p then result.value < result.threshold
													else result.value >= result.threshold and result.value >= coalesce(result.noise_floor, 0) end end;
		return next result;
	end loop;
end
$$;
comment on function mlops.compare_column(mlops.monitor, integer, tstzrange, text, text, text, boolean, mlops.profile_comparison, bigint) is
'The drift of one column in one window and segment';

create function mlops.check_quality(m mlops.monitor, segment text, name text, compared mlops.profile_comparison, failures bigint, rows bigint)
returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	r constant bigint[] := compared.before;
	c constant bigint[] := compared.now;
	is_text constant boolean := compared.kind = 'category';
	n constant double precision := (select sum(x) from unnest(r) x);
	part record;
	result mlops.monitor_value;
begin
	result.kind := 'quality';
	result.segment := segment;
	result.feature := name;
	result.rows := coalesce(rows, 0);

	-- cells: below, above, between or unseen, NULL, not finite
	for part in
		select v.metric, v.before, v.now
		  from (values ('null_rate', r[4], c[4] - failures, true),
					   ('out_of_range', 0, c[1] + c[2], not is_text),
					   ('unseen', 0, c[3], is_text),
					   ('not_finite', r[5], c[5], r[5] + c[5] > 0),
					   ('type_failures', 0, failures, failures > 0)) v (metric, before, now, holds)
		 where v.holds
	loop
		result.metric := part.metric;
		result.value := part.now / nullif(result.rows, 0)::double precision;
		result.reference := part.before / n;
		result.p_value := (mlops.two_proportions(part.before, n, part.now, result.rows)).p_value;
		result.threshold := coalesce((m.thresholds ->> part.metric)::double precision,
									 (select w.threshold from mlops.monitor_metric w where w.kind = 'quality' and w.metric = part.metric));
		result.beyond := case when result.rows >= coalesce(m.min_rows, 30) then result.value - result.reference >= result.threshold end;
		return next result;
	end loop;
end
$$;
comment on function mlops.check_quality(mlops.monitor, text, text, mlops.profile_comparison, bigint, bigint) is
'The quality of one feature in one window and segment, from the counts of reference and window: shares that must not grow';

create function mlops.check_rows(m mlops.monitor, period tstzrange, rows bigint, newest timestamptz, duplicates bigint) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	width constant double precision := extract(epoch from upper(period) - lower(period));
	past record;
	result mlops.monitor_value;
begin
	result.kind := 'quality';
	result.segment := '';
	result.rows := rows;
	if duplicates is not null then
		result.metric := 'duplicates';
		result.value := duplicates / nullif(rows, 0)::double precision;
		result.threshold := coalesce((m.thresholds ->> 'duplicates')::double precision, 0.01);
		result.beyond := case when rows >= coalesce(m.min_rows, 30) then result.value >= result.threshold end;
		return next result;
	end if;

	result.metric := 'freshness';
	result.value := extract(epoch from least(upper(period), mlops.clock()) - newest);
	result.threshold := coalesce((m.thresholds ->> 'freshness')::double precision, width / 2);
	result.beyond := result.value >= result.threshold;
	return next result;

	-- medians, so that a day that was odd does not make the next one usual
	with w as (select p.rows from mlops.monitor_result p
				where p.monitor_id = m.id and p.metric = 'volume_change' and p.kind = 'quality' and p.period < check_rows.period
				order by p.period desc limit 20),
	u as (select percentile_cont(0.5) within group (order by w.rows) as rows, count(*) as windows from w)
	select u.rows, u.windows, 1.4826 * percentile_cont(0.5) within group (order by abs(w.rows - u.rows)) as deviation
	  into past from u left join w on true group by u.rows, u.windows;
	result.metric := 'volume_change';
	result.reference := 0;
	result.value := rows / nullif(past.rows, 0) - 1;
	result.noise_floor := 3 * past.deviation / nullif(past.rows, 0);
	result.threshold := coalesce((m.thresholds ->> 'volume_change')::double precision, 0.5);
	result.beyond := case when past.windows >= 3 and upper(period) <= mlops.clock() then abs(result.value) >= greatest(result.threshold, result.noise_floor) end;
	result.detail := jsonb_build_object('usual_rows', past.rows, 'windows', past.windows);
	return next result;
end
$$;
comment on function mlops.check_rows(mlops.monitor, tstzrange, bigint, timestamptz, bigint) is 'The quality of a window''s rows as such: duplicates, freshness, volume';

create function mlops.window_p(results mlops.monitor_value[]) returns double precision[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	-- what has too few rows is no test
	select mlops.adjust_p(array_agg(case when u.beyond is not null then u.p_value end order by u.ordinality)) from unnest(results) with ordinality u
$$;
comment on function mlops.window_p(mlops.monitor_value[]) is
'p of all that was found in a window, adjusted for the number of its tests, of whatever kind: what wakes somebody is the window';

create function mlops.weigh_drift(m mlops.monitor, version integer, segment text, results mlops.monitor_value[]) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	adjusted constant double precision[] := mlops.window_p(results);
	result mlops.monitor_value;
	shares record;
	weights jsonb;
begin
	begin
		select jsonb_object_agg(i.feature, i.importance) into weights from mlops.importance(mlops.version_reference(m.model_id, version)) i;
	exception when feature_not_supported or ambiguous_alias then
		weights := null;					-- no trees: features count alike
	end;
	select count(*) filter (where f.drifted) / nullif(count(*), 0)::double precision as plain,
		   sum((weights ->> f.feature)::double precision) filter (where f.drifted)
			   / nullif(sum((weights ->> f.feature)::double precision), 0) as weighted,
		   count(*) as features, max(f.rows) as rows
	  into shares
	  from (select v.feature, bool_or(v.beyond and coalesce(adjusted[v.ordinality], 0) <= 0.05) as drifted, max(v.rows) as rows
			  from unnest(results) with ordinality v
			 where v.kind = 'drift' and v.segment = weigh_drift.segment and v.beyond is not null
			 group by v.feature) f;
	result.kind := 'drift';
	result.segment := segment;
	result.rows := shares.rows;
	result.detail := jsonb_build_object('features', shares.features);
	result.metric := 'share_drifted';
	result.value := shares.plain;
	result.threshold := coalesce((m.thresholds ->> 'share_drifted')::double precision, 0.5);
	result.beyond := shares.plain >= result.threshold;
	return next result;
	if weights is not null then
		result.metric := 'importance_drifted';
		result.value := coalesce(shares.weighted, case when shares.features > 0 then 0 end);
		result.threshold := coalesce((m.thresholds ->> 'importance_drifted')::double precision, 0.3);
		result.beyond := result.value >= result.threshold;
		return next result;
	end if;
end
$$;
comment on function mlops.weigh_drift(mlops.monitor, integer, text, mlops.monitor_value[]) is
'How much of a version''s features drifts, counted alike and by their importance';

create function mlops.monitor_columns(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_columns.monitor_id);
	version constant integer := mlops.monitor_version(m.id, period);
	kinds constant text[] := array(select distinct w.kind from mlops.monitor_metric w where m.metrics is null or w.kind = any (m.metrics) or w.metric = any (m.metrics));
	found_all mlops.monitor_value[] := '{}';
	reference record;
	w record;
	c record;
	any_rows boolean := false;
begin
	select array_agg(r.role) as roles, array_agg(r.name) as names, array_agg(r.segment) as segments, array_agg(r.profile) as profiles
	  into reference from mlops.monitor_references(m.id, period, version) r;
	for w in select p.* from mlops.window_profiles(m.id, version, source, 'prediction_drift' = any (kinds)) p order by p.segment loop
		any_rows := true;
		for c in
			select f.role, f.name, f.failures, r.profile is not null as known, mlops.compare_profiles(r.profile, f.profile) as compared
			  from unnest(w.roles, w.names, w.profiles, w.failures) f (role, name, profile, failures)
			  left join unnest(reference.roles, reference.names, reference.segments, reference.profiles) r (role, name, segment, profile)
				on r.role = f.role and r.name = f.name and r.segment = w.segment
		loop
			if (c.role = 'feature' and 'drift' = any (kinds)) or (c.role = 'prediction' and 'prediction_drift' = any (kinds)) then
				found_all := found_all || array(select v from mlops.compare_column(m, version, period, w.segment, c.role, c.name, c.known, c.compared,
																				  case c.role when 'feature' then w.seen else w.rows end) v);
			end if;
			if c.role = 'feature' and 'quality' = any (kinds) and (c.compared).before is not null then
				found_all := found_all || array(select v from mlops.check_quality(m, w.segment, c.name, c.compared, c.failures, w.seen) v);
			end if;
		end loop;
		if w.segment = '' and 'quality' = any (kinds) then
			found_all := found_all || array(select v from mlops.check_rows(m, period, w.rows, w.newest, w.duplicates) v);
		end if;
	end loop;

	if not any_rows then
		found_all := array(select row(k, '', '', case k when 'quality' then 'null_rate' else 'psi' end, null, null, null, null, null, null, 0,
									  '{"reason": "no rows"}')::mlops.monitor_value
							 from unnest(array['drift', 'prediction_drift', 'quality']) k where k = any (kinds));
		if 'quality' = any (kinds) then
			found_all := found_all || array(select v from mlops.check_rows(m, period, 0, null, null) v);
		end if;
	end if;
	return query select * from unnest(found_all);
end
$$;
comment on function mlops.monitor_columns(bigint, tstzrange, text) is 'Kinds drift, prediction_drift and quality of a monitor in one window, from one scan';

create function mlops.chance_of_rate(rate double precision, expected double precision, n double precision) returns double precision
language sql immutable strict parallel safe
set search_path = pg_catalog, pg_temp
as $$
	select case when rate <= expected then 1
				when expected <= 0 then 0
				-- 0 * ln(0) is 0; what is smaller than e^-700 is an error of exp()
				else exp(greatest(-n * (rate * ln(rate / expected) + case when rate < 1 then (1 - rate) * ln((1 - rate) / (1 - expected)) else 0 end), -700)) end
$$;
comment on function mlops.chance_of_rate(double precision, double precision, double precision) is
'At most so likely is a share of rate or more among n where expected is the rule: the bound of Chernoff and Hoeffding';

create function mlops.monitor_health(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_health.monitor_id);
	requests record;
	counted record;
	before jsonb;
	part record;
	result mlops.monitor_value;
begin
	if m.source is not null then
		return;
	end if;
	result.kind := 'health';
	result.segment := '';
	select count(*) as rows, coalesce(sum(p.weight), 0) as requests, percentile_cont(array[0.5, 0.95, 0.99]) within group (order by p.latency) as latency
	  into requests
	  from mlops.prediction p where p.model_id = m.model_id and p.at >= lower(period) and p.at < upper(period);
	result.rows := requests.rows;
	for part in
		select v.metric, v.value from (values ('requests', requests.requests), ('latency_p50', requests.latency[1]), ('latency_p95', requests.latency[2]),
											 ('latency_p99', requests.latency[3])) v (metric, value)
	loop
		result.metric := part.metric;
		result.value := part.value;
		result.threshold := (m.thresholds ->> part.metric)::double precision;
		-- few requests are what is watched, and long latencies
		result.beyond := case when part.value is not null then
			coalesce(case when part.metric = 'requests' then part.value < result.threshold else part.value >= result.threshold end, false) end;
		return next result;
	end loop;

	-- beyond chance: so many errors, or more, at the threshold's rate (Chernoff's bound)
	select coalesce(sum(e.errors), 0) as errors into counted from mlops.prediction_error e where e.model_id = m.model_id and e.at >= lower(period) and e.at < upper(period);
	result.metric := 'errors';
	result.rows := requests.rows + counted.errors;
	result.value := counted.errors / nullif(requests.requests + counted.errors, 0);
	result.threshold := coalesce((m.thresholds ->> 'errors')::double precision, 0.01);
	result.p_value := case when result.value > result.threshold then
		mlops.chance_of_rate(result.value, result.threshold, requests.requests + counted.errors) else 1 end;
	result.beyond := result.value >= result.threshold;
	return next result;
	result.p_value := null;
	result.rows := requests.rows;

	-- losses are counted on and on: those since the window before was computed
	select s.captured, s.dropped + s.lost as missing into counted from mlops.capture_status s where s.model_id = m.model_id;
	before := (select r.detail from mlops.monitor_result r
				where r.monitor_id = m.id and r.kind = 'health' and r.metric = 'capture_loss' and r.period < monitor_health.period
				order by r.period desc limit 1);
	result.metric := 'capture_loss';
	result.detail := jsonb_build_object('captured', coalesce(counted.captured, 0), 'missing', coalesce(counted.missing, 0));
	result.value := (counted.missing - coalesce((before ->> 'missing')::bigint, 0))
		/ nullif(counted.captured + counted.missing - coalesce((before ->> 'captured')::bigint, 0) - coalesce((before ->> 'missing')::bigint, 0), 0)::double precision;
	result.threshold := coalesce((m.thresholds ->> 'capture_loss')::double precision, 0.01);
	result.beyond := result.value >= result.threshold;
	return next result;
end
$$;
comment on function mlops.monitor_health(bigint, tstzrange, text) is 'Kind health of a monitor of captured predictions in one window: requests, latencies, errors, losses';
