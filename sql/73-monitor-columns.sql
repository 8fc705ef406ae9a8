-- Monitors of columns: drift of features and predictions, data quality.  One scan of a window makes all its profiles.

-- ---- The rows of a window ----

-- Types of signatures come from users' tables and from imported models: they stand in queries only where they are PostgreSQL's own.
create function mlops.plain_type(type text, categories integer) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
	select case when type in ('boolean', 'smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'date', 'timestamp without time zone',
							  'timestamp with time zone', 'interval', 'uuid', 'text', 'character varying', 'character', 'name') then type
				when categories is not null then 'text' else 'double precision' end
$$;
comment on function mlops.plain_type(text, integer) is 'The type of a feature as queries of ours name it: text or double precision for types that are not PostgreSQL''s own';

create function mlops.window_columns(monitor_id bigint, version integer, source text default null)
returns table (name text, type text, expression text, failure text, available boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = window_columns.monitor_id);
	given constant text := coalesce(window_columns.source, m.source);
	captured text[];
	numbers constant text[] := '{smallint,integer,bigint,real,double precision,numeric}';
begin
	if given is null then
		captured := array(select distinct n from mlops.capture_layout l, unnest(l.names) n where l.model_id = m.model_id and l.version = window_columns.version);
		return query
			select s.name, t.plain,
				   case when s.name = any (captured) then format('(d.features ->> %L)::%s', s.name, t.plain) else 'null::' || t.plain end,
				   null::text, s.name = any (captured) and s.type not like '%[]'
			  from mlops.model_signature s
			 cross join lateral (select mlops.plain_type(s.type, s.categories) as plain) t
			 where s.model_id = m.model_id and s.version = window_columns.version and s.position > 0 order by s.position;
		return;
	end if;
	return query
		select s.name, t.plain,
			   case when c.name is null then 'null::' || t.plain
					when text_for_number then format('mlops.read_number(s.%I::text)', s.name)
					-- wider numbers stay what they are: the model takes them, and a cast might not
					when c.type = s.type or t.plain <> s.type or (c.type = any (numbers) and s.type = any (numbers)) then format('s.%I', s.name)
					else format('s.%I::%s', s.name, t.plain) end,
			   case when text_for_number then format('(s.%1$I is not null and mlops.read_number(s.%1$I::text) is null)', s.name) end,
			   c.name is not null and s.type not like '%[]'
		  from mlops.model_signature s
		  left join mlops.source_columns(given) c on c.name = s.name
		  cross join lateral (select coalesce((c.type in ('text', 'name') or c.type like 'character%') and
			  s.type = any (numbers), false) as text_for_number, mlops.plain_type(s.type, s.categories) as plain) t
		 where s.model_id = m.model_id and s.version = window_columns.version and s.position > 0 order by s.position;
end
$$;
comment on function mlops.window_columns(bigint, integer, text) is 'The features of a version as a monitor, or a source instead of its own, has them';

create function mlops.captured_rows(m mlops.monitor, version integer, period tstzrange) returns text
language sql stable
set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD'
as $$
	select format(
		'select %1$s, p.at as mlops_at,'
		' coalesce((select o.value from mlops.outcome o where o.prediction_id = p.prediction_id and o.model_id = p.model_id order by o.id desc limit 1),'
		' (select o.value from mlops.outcome o where o.model_id = p.model_id and o.entity_key = p.entity_key and o.observed_at >= p.at'
		' order by o.observed_at, o.id desc limit 1)) as mlops_outcome,'
		' p.prediction as mlops_prediction, p.class as mlops_class, p.probability as mlops_probability, p.weight as mlops_weight,'
		' p.entity_key as mlops_entity, f.prediction_id is not null as mlops_seen, null::text[] as mlops_failed'
		' from mlops.prediction p'
		' left join mlops.prediction_features f on f.prediction_id = p.prediction_id and f.at = p.at and f.at >= %2$L and f.at < %3$L'
		' left join mlops.capture_layout l on l.id = f.layout_id'
		' cross join lateral (select mlops.decode_features(l.names, f.features) as features offset 0) d'
		' where p.model_id = %4$s and p.version = %5$s and p.at >= %2$L and p.at < %3$L offset 0',
		(select string_agg(c.expression || format(' as %I', c.name), ', ') from mlops.window_columns(m.id, version) c),
		lower(period), upper(period), m.model_id, version)
$$;
comment on function mlops.captured_rows(mlops.monitor, integer, tstzrange) is 'A SELECT of captured predictions of a version as mlops.window_query() has them';

create function mlops.source_rows(m mlops.monitor, version integer, source text, period tstzrange) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp set datestyle = 'ISO, YMD'
as $$
declare
	columns constant text[] := array(select c.name from mlops.source_columns(source) c);
	given constant text := (select c.type from mlops.source_columns(source) c where c.name = m.prediction);
	task constant text := (select v.task from mlops.model_version v where v.model_id = m.model_id and v.version = source_rows.version);
	model constant text := quote_literal(mlops.version_reference(m.model_id, version));
	features text;
	failures text;
	answers text;
	answered boolean;
	rows text;
begin
	select string_agg(c.expression || format(' as %I', c.name), ', '),
		   coalesce('array_remove(array[' || string_agg(format('case when %s then %L end', c.failure, c.name), ', ') filter (where c.failure is not null)
					|| '], null)', 'null::text[]'),
		   bool_and(c.name = any (columns))
	  into features, failures, answered
	  from mlops.window_columns(m.id, version, source) c;
	rows := format('select %s, %s as mlops_at, %s as mlops_outcome, %s as mlops_given, 1::double precision as mlops_weight,'
				   ' null::text as mlops_entity, true as mlops_seen, %s as mlops_failed%s from (%s) s%s',
				   features,
				   case when m.at = any (columns) then format('s.%I::timestamptz', m.at) else 'null::timestamptz' end,
				   case when m.outcome = any (columns) then format('s.%I::text', m.outcome) else 'null::text' end,
				   case when m.prediction = any (columns) then format('s.%I', m.prediction) else 'null::text' end,
				   failures,
				   (select coalesce(string_agg(format(', %s as %I', case when g = any (columns) then format('s.%I::text', g) else 'null::text' end,
													  'mlops_by_' || g), ''), '') from unnest(m.segments) g),
				   source,
				   case when period is not null then format(' where s.%1$I >= %2$L and s.%1$I < %3$L', m.at, lower(period), upper(period)) end);

	-- a prediction that is given: a value, the probability of the positive class, or a class; else what the version predicts
	answers := case
		when given is not null and task = 'regression' then 'r.mlops_given::double precision, null::text, null::double precision'
		when given in ('real', 'double precision', 'numeric') and task = 'binary' then 'null::double precision, null::text, r.mlops_given::double precision'
		when given is not null then 'null::double precision, r.mlops_given::text, null::double precision'
		when not answered then 'null::double precision, null::text, null::double precision'
		when task = 'regression' then format('mlops.predict(%s, r), null::text, null::double precision', model)
		when task = 'binary' then format('null::double precision, mlops.predict_class(%1$s, r), mlops.predict_proba(%1$s, r)', model)
		else format('null::double precision, mlops.predict_class(%1$s, r), mlops.predict_proba(%1$s, r, mlops.predict_class(%1$s, r))', model) end;
	return format('select r.*, a.mlops_prediction, a.mlops_class, a.mlops_probability from (%s) r'
				  ' cross join lateral (select %s offset 0) a (mlops_prediction, mlops_class, mlops_probability) offset 0', rows, answers);
end
$$;
comment on function mlops.source_rows(mlops.monitor, integer, text, tstzrange) is 'A SELECT of a source''s rows as mlops.window_query() has them; without a period all of them';

create function mlops.segment_rows(m mlops.monitor, version integer, source text, rows text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	segments constant text := 'array[''''' || coalesce((select string_agg(format(', %L || coalesce(%s, ''NULL'')', g || '=',
		case when source is null then format('r.%I::text', g) else format('r.%I', 'mlops_by_' || g) end), '') from unnest(m.segments) g), '') || ']';
begin
	return format('select %s, r.mlops_at, r.mlops_outcome, r.mlops_prediction, r.mlops_class, r.mlops_probability, r.mlops_weight, g.mlops_segment,'
				  ' r.mlops_entity, r.mlops_seen, r.mlops_failed from (%s) r cross join lateral unnest(%s) g (mlops_segment)',
				  (select string_agg(format('r.%I', c.name), ', ') from mlops.window_columns(m.id, version, source) c), rows, segments)
		-- a column of many values, such as a key, would make as many groups
		|| case when m.segments <> '{}' then
			format(' where g.mlops_segment = any (array(select t.s from (select u.s, row_number() over (partition by u.n order by count(*) desc, u.s) as place'
				   ' from (%s) r cross join lateral unnest(%s) with ordinality u (s, n) group by u.s, u.n having u.n = 1 or count(*) >= %s) t where t.place <= 50))',
				   -- of captured rows, which the monitor's maker may not see, groups are not single people
				   rows, segments, case when source is null then 20 else 1 end)
		   else '' end;
end
$$;
comment on function mlops.segment_rows(mlops.monitor, integer, text, text) is
'A SELECT of rows once for all and once for each column of segments, of at most 50 values each';

create function mlops.window_query(monitor_id bigint, period tstzrange) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = window_query.monitor_id);
	version constant integer := mlops.monitor_version(window_query.monitor_id, window_query.period);
begin
	return mlops.segment_rows(m, version, m.source, case when m.source is null then mlops.captured_rows(m, version, window_query.period)
													   else mlops.source_rows(m, version, m.source, window_query.period) end);
end
$$;
comment on function mlops.window_query(bigint, tstzrange) is
'A SELECT of a window''s rows: the features; mlops_at, _outcome, _prediction, _class, _probability, _weight, _segment (a row is in the empty one and once in each of its own), _entity; _seen: whether the features are known; _failed: those that are of the wrong type';

-- ---- Profiles ----

create function mlops.window_profiles(monitor_id bigint, version integer, rows_query text, predictions boolean default true, source text default null)
returns table (segment text, rows bigint, seen bigint, newest timestamptz, duplicates bigint, roles text[], names text[], profiles mlops.distribution[],
			   failures bigint[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = window_profiles.monitor_id);
	task constant text := (select v.task from mlops.model_version v where v.model_id = m.model_id and v.version = window_profiles.version);
	columns record;
begin
	-- what training took for a category is counted as one
	select array_agg(c.role order by c.place) as roles, array_agg(c.name order by c.place) as names,
		   string_agg(format('mlops.profile(%s)%s', c.expression, c.filter), ', ' order by c.place) as profiles,
		   string_agg(c.failures, ', ' order by c.place) as failures,
		   string_agg(format('w.%I', c.name), ', ' order by c.place) filter (where c.role = 'feature') as features
	  into columns
	  from (select 'feature' as role, f.name,
				   case when mlops.profile_kind(p.profile) = 'category' then format('w.%I::text', f.name) else format('w.%I', f.name) end as expression,
				   ' filter (where w.mlops_seen)' as filter,
				   case when f.failure is null then '0::bigint'
						else format('count(*) filter (where %L = any (w.mlops_failed))', f.name) end as failures,
				   row_number() over () as place
			  from mlops.window_columns(window_profiles.monitor_id, window_profiles.version, window_profiles.source) f
			  left join mlops.reference_profile p
				on p.model_id = m.model_id and p.version = window_profiles.version and p.role = 'feature' and p.name = f.name and p.segment = ''
			 where f.available and (m.features is null or f.name = any (m.features))
			union all
			select 'prediction', v.name, v.expression, '', '0::bigint', 1000000 + v.place
			  from (values ('prediction', 'w.mlops_prediction', 'regression', 1), ('prediction', 'w.mlops_probability', 'binary', 1),
						   ('class', 'w.mlops_class', 'binary', 2), ('class', 'w.mlops_class', 'multiclass', 2)) v (name, expression, of_task, place)
			 where predictions and v.of_task = task) c;
	-- names within functions that a view calls mean what they did to whoever made the monitor
	if m.source is not null then
		perform set_config('search_path', m.settings ->> 'search_path', true);
	end if;
	return query execute format(
		'select w.mlops_segment, count(*), count(*) filter (where w.mlops_seen), max(w.mlops_at), %s, $1, $2, array[%s]::mlops.distribution[], array[%s]::bigint[]'
		' from (%s) w group by w.mlops_segment',
		case when m.source is null then 'null::bigint'
			 else format('count(*) - count(distinct hash_record_extended(row(%s), 0))', concat_ws(', ', columns.features, 'w.mlops_at', 'w.mlops_outcome')) end,
		columns.profiles, columns.failures, rows_query)
		using columns.roles, columns.names;
end
$$;
comment on function mlops.window_profiles(bigint, integer, text, boolean, text) is
'The distributions of a window''s features and predictions by segment, in one scan; seen: rows whose features are known; failures: texts that are no numbers';

create function mlops.monitor_references(monitor_id bigint, period tstzrange, version integer)
returns table (role text, name text, segment text, profile mlops.distribution)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = monitor_references.monitor_id);
	before tstzrange;
begin
	case m.reference
		when 'training' then
			return query select p.role, p.name, p.segment, p.profile from mlops.reference_profile p
				where p.model_id = m.model_id and p.version = monitor_references.version and p.role in ('feature', 'prediction');
		when 'previous' then
			before := tstzrange(mlops.window_start(lower(period) - interval '1 microsecond', m.window_size), lower(period));
			return query select u.role, u.name, w.segment, u.profile
				from mlops.window_profiles(m.id, monitor_references.version, mlops.window_query(m.id, before)) w,
					 unnest(w.roles, w.names, w.profiles) u (role, name, profile)
				where u.profile is not null;
		else
			return query select p.role, p.name, p.segment, p.profile from mlops.monitor_reference p where p.monitor_id = m.id;
	end case;
end
$$;
comment on function mlops.monitor_references(bigint, tstzrange, integer) is 'The distributions that a window is compared with';

create function mlops.reference_of_query(monitor_id bigint) returns mlops.monitor_reference[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = reference_of_query.monitor_id);
	version constant integer := coalesce((select d.version from mlops.deployment d where d.model_id = m.model_id and upper_inf(d.valid)),
										 (select max(v.version) from mlops.model_version v where v.model_id = m.model_id));
begin
	return array(
		select row(m.id, u.role, u.name, w.segment, w.rows, u.profile)::mlops.monitor_reference
		  from mlops.window_profiles(m.id, version, mlops.segment_rows(m, version, m.reference, mlops.source_rows(m, version, m.reference, null)), true,
									 m.reference) w,
			   unnest(w.roles, w.names, w.profiles) u (role, name, profile)
		 where u.profile is not null);
end
$$;
comment on function mlops.reference_of_query(bigint) is 'The distributions of the rows of a monitor''s reference, where that is a query';

-- ---- Thresholds from the reference's own time ----

create function mlops.window_scores(model_id bigint, version integer, role text, name text, metric text, width interval, leave_out boolean)
returns table (begins timestamptz, score double precision)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	-- slices become windows of the monitor's width; what begins or ends amid one has few rows, and is no example
	with s as (select r.period, r.rows, r.counts, mlops.window_start(lower(r.period) + (upper(r.period) - lower(r.period)) / 2, width) as begins
				 from mlops.reference_slice r
				where r.model_id = window_scores.model_id and r.version = window_scores.version and r.role = window_scores.role and r.name = window_scores.name),
	w as (select s.begins, sum(s.rows) as rows from s group by s.begins),
	k as (select w.begins, row_number() over (order by w.begins)::integer as place from w
		   where w.rows >= (select percentile_cont(0.5) within group (order by x.rows) / 2 from w x))
	select k.begins, c.scores[k.place]
	  from k, (select mlops.slice_scores(window_scores.metric, array_agg(s.counts order by s.period), array_agg(k.place order by s.period), window_scores.leave_out)
				 from s left join k on k.begins = s.begins having count(k.place) > 0) c (scores)
$$;
comment on function mlops.window_scores(bigint, integer, text, text, text, interval, boolean) is
'How far each window of a reference''s own time is from all of them, or from the others: those of its slices that make up windows of a width';

create function mlops.slice_threshold(model_id bigint, version integer, role text, name text, metric text, width interval, period tstzrange,
									  power double precision, out threshold double precision, out windows integer, out center double precision,
									  out deviation double precision)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
	-- the window that is judged is no example for itself
	select percentile_disc(0.99) within group (order by x.score), count(x.score), avg(cbrt(x.score ^ slice_threshold.power)),
		   stddev_samp(cbrt(x.score ^ slice_threshold.power)) * sqrt(1 + 1.0 / nullif(count(x.score), 0))
	  into threshold, windows, center, deviation
	  from mlops.window_scores(slice_threshold.model_id, slice_threshold.version, slice_threshold.role, slice_threshold.name, slice_threshold.metric, width, true) x
	 where not x.begins <@ slice_threshold.period;
	-- few windows do not reach that quantile themselves.  What one more window reaches follows from their cube roots, which are nearly normal
	-- where scores are like chi-square (Wilson and Hilferty 1931)
	if windows between 2 and 99 then
		threshold := greatest(threshold, greatest(center + mlops.student_quantile(0.01, windows - 1) * deviation, 0) ^ (3 / slice_threshold.power));
	end if;
end
$$;
comment on function mlops.slice_threshold(bigint, integer, text, text, text, interval, tstzrange, double precision) is
'What a column''s windows in the training time are apart from the others: the quantile .99, by which windows of autocorrelated time are judged; and of the cube roots the mean, and the standard error of one more; power: that of the metric in PSI';

create function mlops.reference_counts(model_id bigint, version integer, role text, name text, before bigint[], period tstzrange,
									   out counts bigint[], out left_out boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
	select array_agg(greatest(u.count - o.count, 0) order by u.place), true into counts, left_out
	  from unnest(before) with ordinality u (count, place)
	  join (select c.place, sum(c.count)::bigint as count
			  from mlops.reference_slice s, unnest(s.counts) with ordinality c (count, place)
			 where s.model_id = reference_counts.model_id and s.version = reference_counts.version and s.role = reference_counts.role
			   and s.name = reference_counts.name and reference_counts.period @> lower(s.period) + (upper(s.period) - lower(s.period)) / 2
			 group by c.place) o on o.place = u.place
	having count(*) > 0 and sum(greatest(u.count - o.count, 0)) > 0;
	if counts is null then
		counts := before;
		left_out := false;
	end if;
end
$$;
comment on function mlops.reference_counts(bigint, integer, text, text, bigint[], tstzrange) is
'The counts of a reference in its cells, without those of its own slices that lie in a window: rows are not compared with themselves';
