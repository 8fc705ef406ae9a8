-- Monitors of features together, of what they contribute, and of how segments are treated.

-- ---- The reference's rows in the columns of the model ----

create function mlops.reference_source(model_id bigint, version integer, features text[] default null, most integer default null) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select format('select %s from (select x.features from mlops.reference_sample s, unnest(s.features) with ordinality x (features, place)'
				  ' where s.model_id = %s and s.version = %s order by s.position, x.place limit %s) r'
				  ' cross join lateral (select mlops.decode_features(%L, r.features) as features offset 0) d',
				  mlops.decoded_columns(s.model_id, s.version, reference_source.features), s.model_id, s.version, coalesce(most::text, 'all'),
				  array_agg(s.name order by s.position))
	  from mlops.model_signature s
	 where s.model_id = reference_source.model_id and s.version = reference_source.version and s.role = 'feature'
	 group by s.model_id, s.version
$$;
comment on function mlops.reference_source(bigint, integer, text[], integer) is 'A SELECT of the features of the held-out rows that a version keeps, or of so many of them';

create function mlops.window_sample(source text, columns text, rows integer) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	-- by hash of the time, so that the same window gives the same sample
	select format('(select %s from (%s) w where w.mlops_segment = '''' and w.mlops_seen order by hashtextextended(concat(w.mlops_at, w.mlops_entity), 42) limit %s)',
				  columns, source, rows)
$$;
comment on function mlops.window_sample(text, text, integer) is 'A SELECT of columns of some of a window''s rows whose features are known';

create function mlops.reference_count(model_id bigint, version integer) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select coalesce(sum(cardinality(s.outcome)), 0) from mlops.reference_sample s
	 where s.model_id = reference_count.model_id and s.version = reference_count.version
$$;
comment on function mlops.reference_count(bigint, integer) is 'How many held-out rows of a version the caller may see';

-- ---- Attribution ----

create function mlops.mean_influence(model text, source text) returns table (feature text, influence double precision)
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
	select b.feature, avg(abs(b.contribution)) from mlops.explain_batch(model, source) b where b.feature <> '(base value)' group by b.feature
$$;
comment on function mlops.mean_influence(text, text) is 'How much each feature contributes to the predictions for the rows of a source, either way, on average';

create function mlops.monitor_attribution(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	most constant integer := 500;		-- rows of each side
	least_rows constant integer := 100;
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_attribution.monitor_id);
	judged constant integer := mlops.monitor_version(m.id, period);
	model constant text := mlops.version_reference(m.model_id, judged);
	threshold constant double precision := coalesce((m.thresholds ->> 'ndcg')::double precision,
		(select c.threshold from mlops.monitor_metric c where c.kind = 'attribution' and c.metric = 'ndcg'));
	found_rows bigint;
	base jsonb;
	result mlops.monitor_value := mlops.no_value('attribution', 'ndcg', null);
begin
	execute format('select count(*) from (%s) w where w.mlops_segment = '''' and w.mlops_seen', source) into found_rows;
	if mlops.reference_count(m.model_id, judged) = 0 then
		return next mlops.no_value('attribution', 'ndcg', 'no reference rows', found_rows);
		return;
	elsif found_rows < coalesce(m.min_rows, least_rows) then
		return next mlops.no_value('attribution', 'ndcg', 'too few rows', found_rows);
		return;
	end if;
	-- the reference's stay what they are: those that an earlier window has are taken from there
	select (select jsonb_object_agg(e.key, e.value -> 0) from jsonb_each(r.detail) e) into base
	  from mlops.monitor_result r
	 where r.monitor_id = m.id and r.version = judged and r.kind = 'attribution' and r.metric = 'ndcg' and r.value is not null
	   and r.period < tstzrange(lower(monitor_attribution.period), null)
	 order by r.period desc limit 1;
	if base is null then
		base := (select jsonb_object_agg(r.feature, r.influence) from mlops.mean_influence(model, mlops.reference_source(m.model_id, judged, null, most)) r);
	end if;
	select mlops.ndcg((base ->> c.feature)::double precision, c.influence),
		   jsonb_object_agg(c.feature, jsonb_build_array((base ->> c.feature)::double precision, c.influence))
	  into result.value, result.detail
	  from mlops.mean_influence(model, mlops.window_sample(source, 'w.*', most)) c where base ? c.feature;
	result.rows := found_rows;
	result.reference := 1;
	result.threshold := threshold;
	result.beyond := result.value < threshold;
	return next result;
end
$$;
comment on function mlops.monitor_attribution(bigint, tstzrange, text) is
'Kind attribution of a monitor in one window: whether features contribute to predictions in the order that they had; the detail has both means of each';

-- ---- All features together ----

create function mlops.judge_domain(m mlops.monitor, judged integer, source text, threshold double precision) returns mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	most constant integer := 5000;		-- rows of each side
	held_out constant double precision := 0.2;	-- as mlops.domain_auc() has it
	features constant text[] := array(select c.name from mlops.window_columns(m.id, judged) c
									   where c.available and (m.features is null or c.name = any (m.features)));
	columns constant text := (select string_agg(format('w.%I', f), ', ') from unnest(features) f);
	result mlops.monitor_value := mlops.no_value('multivariate', 'domain_auc', null);
	reference_rows double precision := least(mlops.reference_count(m.model_id, judged), most);
	found_rows double precision;
	error double precision;
begin
	execute format('select count(*) from (%s) w where w.mlops_segment = '''' and w.mlops_seen', source) into result.rows;
	found_rows := least(result.rows, most);
	if columns is null or reference_rows = 0 then
		result.detail := jsonb_build_object('reason', 'no reference rows');
		return result;
	end if;
	-- of samples that are alike, by the rows of one part held out: on the safe side, for the parts are several
	error := sqrt((held_out * (reference_rows + found_rows) + 1) / (12 * held_out ^ 2 * reference_rows * nullif(found_rows, 0)));
	if found_rows < coalesce(m.min_rows, 0) or coalesce(3 * error > 2 * (threshold - 0.5), true) then
		result.detail := jsonb_build_object('reason', 'too few rows');
		return result;
	end if;
	result.value := mlops.domain_auc(format('select true as mlops_current, w.* from %s w union all select false, %s from (%s) w',
		mlops.window_sample(source, columns, most), columns, mlops.reference_source(m.model_id, judged, features, most)), 'mlops_current');
	result.reference := 0.5;
	result.threshold := threshold;
	result.noise_floor := 0.5 + 3 * error;
	result.p_value := mlops.normal_tail((result.value - 0.5) / error);
	result.beyond := result.value >= greatest(threshold, result.noise_floor);
	result.detail := jsonb_build_object('reference_rows', reference_rows, 'rows', found_rows, 'standard_error', error);
	return result;
end
$$;
comment on function mlops.judge_domain(mlops.monitor, integer, text, double precision) is 'How well a model tells a window''s rows from the reference''s';

create function mlops.judge_components(m mlops.monitor, judged integer, source text, threshold double precision) returns mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	components constant jsonb := (select r.content from mlops.reference_model r
		where r.model_id = m.model_id and r.version = judged and r.kind = 'components');
	result mlops.monitor_value := mlops.no_value('multivariate', 'reconstruction_error', 'no components');
	error double precision;
begin
	if components is null then
		return result;
	end if;
	execute format('select count(*), avg(mlops.reconstruction_error($1, array[%s])) from (%s) w where w.mlops_segment = '''' and w.mlops_seen',
		(select string_agg(format(case s.type when 'boolean' then 'w.%I::integer::double precision' else 'w.%I::double precision' end, c.name), ', ' order by c.place)
		   from jsonb_array_elements_text(components -> 'columns') with ordinality c (name, place)
		   join mlops.model_signature s on s.model_id = m.model_id and s.version = judged and s.name = c.name), source)
	   into result.rows, result.value using components;
	error := (components ->> 'error_sd')::double precision * sqrt(1.0 / nullif(result.rows, 0) + coalesce(1.0 / nullif(mlops.reference_count(m.model_id, judged), 0), 0));
	result.reference := (components ->> 'error_mean')::double precision;
	result.threshold := threshold * result.reference;
	result.noise_floor := 3 * error;
	result.p_value := 2 * mlops.normal_tail(abs(result.value - result.reference) / nullif(error, 0));
	result.beyond := abs(result.value - result.reference) >= greatest(result.threshold, result.noise_floor);
	result.detail := jsonb_build_object('standard_error', error);
	if result.rows < m.min_rows or (m.min_rows is null and not result.beyond and result.noise_floor > 2 * result.threshold) then
		result.beyond := null;
		result.detail := result.detail || '{"reason": "too few rows"}';
	end if;
	return result;
end
$$;
comment on function mlops.judge_components(mlops.monitor, integer, text, double precision) is 'How far a window''s rows lie from the principal components of the reference, beside its own rows';

create function mlops.monitor_multivariate(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_multivariate.monitor_id);
	judged constant integer := mlops.monitor_version(m.id, period);
	c record;
begin
	for c in
		select w.metric, coalesce((m.thresholds ->> w.metric)::double precision, w.threshold) as threshold
		  from mlops.monitor_metric w
		 where w.kind = 'multivariate' and (w.usual or 'multivariate' = any (m.metrics) or w.metric = any (m.metrics)) order by w.metric
	loop
		if c.metric = 'domain_auc' then
			return next mlops.judge_domain(m, judged, source, c.threshold);
		else
			return next mlops.judge_components(m, judged, source, c.threshold);
		end if;
	end loop;
end
$$;
comment on function mlops.monitor_multivariate(bigint, tstzrange, text) is
'Kind multivariate of a monitor in one window: whether the features together are as they were; computed where the monitor names it';

-- ---- Fairness ----

create function mlops.compare_rates(hits double precision, rows double precision, other_hits double precision, other_rows double precision,
	out difference double precision, out low double precision, out high double precision, out ratio double precision, out ratio_low double precision,
	out ratio_high double precision)
language sql immutable strict parallel safe
set search_path = pg_catalog, pg_temp
as $$
	with share as (
		select hits / nullif(rows, 0) as p, other_hits / nullif(other_rows, 0) as q, 1.959963984540054::double precision as z),
	-- Wilson's limits of either share
	limits as (
		select s.*,
			   (p + z ^ 2 / (2 * rows) - z * sqrt(p * (1 - p) / rows + z ^ 2 / (4 * rows ^ 2))) / (1 + z ^ 2 / rows) as p_low,
			   (p + z ^ 2 / (2 * rows) + z * sqrt(p * (1 - p) / rows + z ^ 2 / (4 * rows ^ 2))) / (1 + z ^ 2 / rows) as p_high,
			   (q + z ^ 2 / (2 * other_rows) - z * sqrt(q * (1 - q) / other_rows + z ^ 2 / (4 * other_rows ^ 2))) / (1 + z ^ 2 / other_rows) as q_low,
			   (q + z ^ 2 / (2 * other_rows) + z * sqrt(q * (1 - q) / other_rows + z ^ 2 / (4 * other_rows ^ 2))) / (1 + z ^ 2 / other_rows) as q_high,
			   z * sqrt(1 / nullif(hits, 0) - 1 / rows + 1 / nullif(other_hits, 0) - 1 / other_rows) as log_error
		  from share s where p is not null and q is not null)
	select p - q, p - q - sqrt((p - p_low) ^ 2 + (q_high - q) ^ 2), p - q + sqrt((p_high - p) ^ 2 + (q - q_low) ^ 2),
		   p / nullif(q, 0), p / nullif(q, 0) * exp(-log_error), p / nullif(q, 0) * exp(log_error)
	  from limits
$$;
comment on function mlops.compare_rates(double precision, double precision, double precision, double precision) is
'The difference of two shares and their ratio with 95 % intervals (Newcombe 1998, hybrid score; Katz 1978, logarithm); NULL where a share, or of the ratio a count, is missing';

create function mlops.fairness_query(label text, source text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	-- of each group how many rows count as (where weights differ, fewer), and how many of them are called positive
	select format(
		'with w as (select w.mlops_segment as segment, w.mlops_weight as weight, coalesce(mlops.is_label(w.mlops_class, %1$L), w.mlops_probability > 0.5) as called,'
		' mlops.is_label(w.mlops_outcome, %1$L) as outcome from (%2$s) w where num_nonnulls(w.mlops_class, w.mlops_probability) > 0),'
		' g as (select w.segment, k.metric, count(*) as rows, sum(w.weight) as total, sum(w.weight ^ 2) as squares, coalesce(sum(w.weight) filter (where w.called), 0) as hits'
		' from w join (values (''selection_rate_difference'', null), (''tpr_difference'', true), (''fpr_difference'', false)) k (metric, outcome)'
		' on k.outcome is null or k.outcome = w.outcome group by 1, 2),'
		' r as (select g.segment, g.metric, g.rows, g.hits, g.total, g.squares, a.hits - g.hits as other_hits, a.total - g.total as other_total, a.squares - g.squares as other_squares'
		' from g join g a on a.segment = '''' and a.metric = g.metric where g.segment <> '''')'
		' select r.segment, r.metric, r.rows, c.* from r cross join lateral mlops.compare_rates(r.hits * r.total / nullif(r.squares, 0), r.total ^ 2 / nullif(r.squares, 0),'
		' r.other_hits * r.other_total / nullif(r.other_squares, 0), r.other_total ^ 2 / nullif(r.other_squares, 0)) c order by 1, 2', label, source)
$$;
comment on function mlops.fairness_query(text, text) is 'A SELECT of how often rows of each segment are called positive beside all others, of all, of the positives and of the negatives';

create function mlops.judge_fairness(m mlops.monitor, metric text, value double precision, low double precision, high double precision, threshold double precision)
returns mlops.monitor_value
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
	result mlops.monitor_value := mlops.no_value('fairness', metric, null);
	of_ratio constant boolean := metric = 'disparate_impact';
	most constant double precision := case when of_ratio then 1 / nullif(threshold, 0) else threshold end;
	least_allowed constant double precision := case when of_ratio then threshold else -threshold end;
begin
	result.value := value;
	result.reference := case when of_ratio then 1 else 0 end;
	result.threshold := threshold;
	-- an alert is an interval that has nothing in common with what is allowed
	result.beyond := high < least_allowed or low > most;
	if not result.beyond and (case when of_ratio then ln(high / low) > 2 * ln(most / least_allowed) else high - low > 2 * (most - least_allowed) end) then
		result.beyond := null;
	end if;
	result.detail := jsonb_strip_nulls(jsonb_build_object('low', low, 'high', high, 'reason', case when result.beyond is null then 'too few rows' end));
	return result;
end
$$;
comment on function mlops.judge_fairness(mlops.monitor, text, double precision, double precision, double precision, double precision) is
'A difference or a ratio with its interval against the range that is allowed';

create function mlops.monitor_fairness(monitor_id bigint, period tstzrange, source text) returns setof mlops.monitor_value
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select x from mlops.monitor x where x.id = monitor_fairness.monitor_id);
	label constant text := mlops.positive_label(m.model_id, mlops.monitor_version(m.id, period));
	r record;
	c record;
	result mlops.monitor_value;
begin
	if label is null or m.segments = '{}' then
		return;
	end if;
	for r in execute mlops.fairness_query(label, source) loop
		for c in
			select w.metric, coalesce((m.thresholds ->> w.metric)::double precision, w.threshold) as threshold
			  from mlops.monitor_metric w
			 where w.kind = 'fairness' and (w.usual or w.metric = any (m.metrics))
			   and (w.metric = r.metric or (w.metric = 'disparate_impact' and r.metric = 'selection_rate_difference')) order by w.metric
		loop
			result := case when c.metric = 'disparate_impact' then mlops.judge_fairness(m, c.metric, r.ratio, r.ratio_low, r.ratio_high, c.threshold)
						   else mlops.judge_fairness(m, c.metric, r.difference, r.low, r.high, c.threshold) end;
			result.segment := r.segment;
			result.rows := r.rows;
			if r.rows < m.min_rows then
				result.beyond := null;
			end if;
			return next result;
		end loop;
	end loop;
end
$$;
comment on function mlops.monitor_fairness(bigint, tstzrange, text) is
'Kind fairness of a monitor in one window: how a model of two classes treats each segment beside all other rows';
