-- Monitors: making one, the windows that it computes, how verdicts are reached.
--
-- mlops.run_monitor() computes window by window: C applies the monitor's settings and decides with whose rights the rows are read, the
-- functions mlops.monitor_...() look at a window's rows, and mlops.store_results() decides and writes, as the extension's owner.

alter table mlops.monitor add constraint monitor_job foreign key (job_id) references mlops.job on delete set null;

-- ---- Making and removing ----

create function mlops.create_monitor(model text, name text, source text default null, at text default null, outcome text default null,
	prediction text default null, schedule text default '1 hour', window_size interval default '1 day', reference text default 'training',
	features text[] default null, segments text[] default '{}', metrics text[] default null, thresholds jsonb default '{}',
	preset text default null, min_rows integer default null, delay interval default '0') returns bigint
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_create_monitor';
comment on function mlops.create_monitor(text, text, text, text, text, text, text, interval, text, text[], text[], text[], jsonb, text, integer, interval) is
'Watches a model: its captured predictions, or a source with the features, a time column at, perhaps outcome and prediction; compared with what it was trained on (training), the window before (previous) or a query''s rows. The monitor''s id';

create function mlops.drop_monitor(monitor bigint) returns void
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_drop_monitor';
comment on function mlops.drop_monitor(bigint) is 'Removes a monitor with its results and its job; for its owner and the owners of the project';

create function mlops.compute_monitor(monitor bigint, since timestamptz, until timestamptz) returns tstzrange
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_compute_monitor';
comment on function mlops.compute_monitor(bigint, timestamptz, timestamptz) is 'The work of mlops.run_monitor(): from the first to the last window that was computed; NULL where none was';

create function mlops.run_monitor(monitor bigint, since timestamptz default null, until timestamptz default null)
returns table (period tstzrange, kind text, segment text, feature text, metric text, value double precision, p_value double precision,
			   noise_floor double precision, threshold double precision, verdict text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
	computed tstzrange := mlops.compute_monitor(run_monitor.monitor, run_monitor.since, run_monitor.until);
begin
	return query
		select r.period, r.kind, r.segment, nullif(r.feature, ''), r.metric, r.value, r.p_value, r.noise_floor, r.threshold, r.verdict
		  from mlops.monitor_result r
		 where r.monitor_id = run_monitor.monitor and r.period <@ computed
		   -- what an index can look for: ranges are in the order of their beginnings
		   and r.period >= tstzrange(lower(computed), lower(computed), '[]') and r.period < tstzrange(upper(computed), null)
		 order by r.period, r.kind, r.segment, r.feature, r.metric;
end
$$;
comment on function mlops.run_monitor(bigint, timestamptz, timestamptz) is
'Computes a monitor''s windows from since to until, the one that holds each included, and replaces what was there; without since those that ended after the last one computed; without until those that are over. The results';

-- ---- Windows ----

create function mlops.window_start(at timestamptz, width interval) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	origin constant timestamp := '2000-01-03';		-- a Monday
	months constant integer := extract(year from width) * 12 + extract(month from width);
	days constant integer := extract(day from width);
	seconds constant interval := width - make_interval(months => months, days => days);
begin
	if num_nulls(nullif(months, 0), nullif(days, 0), nullif(seconds, interval '0')) <> 2 or width <= interval '0' then
		raise exception 'invalid window size %', width
			using errcode = 'invalid_parameter_value', hint = 'A window is of months, of days or of hours and less, such as ''1 month'', ''7 days'' or ''1 hour''.';
	end if;
	if months > 0 then
		return date_trunc('month', origin) + make_interval(months =>
			floor((extract(year from at) * 12 + extract(month from at) - extract(year from origin) * 12 - extract(month from origin)) / months)::integer * months);
	elsif days > 0 then
		return date_bin(width, at::timestamp, origin);
	else
		return date_bin(width, at, origin::timestamptz);
	end if;
end
$$;
comment on function mlops.window_start(timestamptz, interval) is
'Where the window begins that a time is in: windows of months and days by the calendar of the session''s time zone, weeks on Mondays; shorter ones by the clock';

create function mlops.window_end(start timestamptz, width interval) returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	-- a day is from midnight to midnight, however long; what is shorter is counted in seconds
	select case when extract(day from width) = 0 and width < interval '1 month' then start + width else (start::timestamp + width)::timestamptz end
$$;
comment on function mlops.window_end(timestamptz, interval) is 'Where the window ends that begins at a time';

create function mlops.monitor_windows(monitor_id bigint, since timestamptz, until timestamptz) returns tstzrange[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	most constant integer := 10000;
	over constant timestamptz := (select mlops.clock() - m.delay from mlops.monitor m where m.id = monitor_windows.monitor_id);
	width constant interval := (select m.window_size from mlops.monitor m where m.id = monitor_windows.monitor_id);
	start timestamptz;
	windows tstzrange[] := '{}';
begin
	if not isfinite(coalesce(since, over)) or not isfinite(coalesce(until, over)) then
		raise exception 'a monitor runs over a finite time'
			using errcode = 'datetime_field_overflow', hint = 'Give finite times as since and until.';
	elsif since > until then
		raise exception 'a monitor cannot run from % to %, which is before', since, until
			using errcode = 'invalid_parameter_value', hint = 'Give the earlier time as since.';
	end if;
	-- those that are over: from the last one computed on, and at first the last one
	start := mlops.window_start(coalesce(since,
		-- a window that was looked at before it was over is looked at again
		(select max(upper(r.period)) from mlops.monitor_result r where r.monitor_id = monitor_windows.monitor_id and upper(r.period) <= r.computed_at),
		mlops.window_start(over, width) - interval '1 microsecond'), width);
	while start < least(coalesce(until, over), mlops.clock()) and (until is not null or mlops.window_end(start, width) <= over) loop
		windows := windows || tstzrange(start, mlops.window_end(start, width));
		start := upper(windows[cardinality(windows)]);
		if cardinality(windows) > most then
			raise exception 'there are more than % windows from % to %', most, coalesce(since, lower(windows[1])), coalesce(until, over)
				using errcode = 'program_limit_exceeded', hint = 'Run the monitor over shorter times one after the other.';
		end if;
	end loop;
	return windows;
end
$$;
comment on function mlops.monitor_windows(bigint, timestamptz, timestamptz) is 'The windows that mlops.run_monitor() computes for its arguments';

-- ---- Which version, and what is called ----

create function mlops.monitor_version(monitor_id bigint, period tstzrange) returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = monitor_version.monitor_id);
begin
	return coalesce(
		case when m.source is null then
			(select p.version from mlops.prediction p
			  where p.model_id = m.model_id and p.at >= lower(monitor_version.period) and p.at < upper(monitor_version.period)
			  group by p.version order by sum(p.weight) desc, p.version desc limit 1)
		end,
		(select d.version from mlops.deployment d where d.model_id = m.model_id and upper_inf(d.valid)),
		(select max(v.version) from mlops.model_version v where v.model_id = m.model_id));
end
$$;
comment on function mlops.monitor_version(bigint, tstzrange) is
'The version that a window is about: the one that answered most captured requests in it; of a source the live one, or else the newest';

create function mlops.version_reference(model_id bigint, version integer) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select '#' || m.project_id || '/' || m.name || '@' || version_reference.version from mlops.model m where m.id = version_reference.model_id
$$;
comment on function mlops.version_reference(bigint, integer) is 'A version as functions are given it, whoever asks and whatever else has its project''s name: #project/model@version';

create function mlops.compute_window(monitor_id bigint, period tstzrange) returns mlops.monitor_value[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	m mlops.monitor := (select m from mlops.monitor m where m.id = compute_window.monitor_id);
	source constant text := mlops.window_query(compute_window.monitor_id, compute_window.period);
	computation text;
	part mlops.monitor_value[];
	found_all mlops.monitor_value[] := '{}';
begin
	for computation in
		select distinct case when k.kind in ('drift', 'prediction_drift', 'quality') then 'columns' else k.kind end
		  from (select w.kind, bool_or(m.metrics is null or w.kind = any (m.metrics) or w.metric = any (m.metrics)) as wanted
				  from mlops.monitor_metric w group by w.kind) k
		 where k.wanted
		 order by 1
	loop
		execute format('select array_agg(v) from mlops.%I($1, $2, $3) v', 'monitor_' || computation)
		   into part using compute_window.monitor_id, compute_window.period, source;
		found_all := found_all || coalesce(part, '{}');
	end loop;
	if exists (select from unnest(found_all) v where v.kind = 'drift' and v.feature <> '') then
		found_all := found_all || array(select v from mlops.weigh_drift(m, mlops.monitor_version(m.id, compute_window.period), '', found_all) v);
	end if;
	return found_all;
end
$$;
comment on function mlops.compute_window(bigint, tstzrange) is 'What a monitor finds in one window, with the rights of the caller';

-- ---- Verdicts ----

create function mlops.store_results(monitor_id bigint, period tstzrange, version integer, results mlops.monitor_value[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	-- a window that overlaps began at most two widths ago: by that the index finds it
	delete from mlops.monitor_result r using mlops.monitor o
	 where o.id = store_results.monitor_id and r.monitor_id = store_results.monitor_id and r.period && store_results.period
	   and r.period >= tstzrange(lower(store_results.period) - 2 * o.window_size, lower(store_results.period) - 2 * o.window_size, '[]')
	   and r.period < tstzrange(upper(store_results.period), null);
	insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, segment, feature, metric, value, reference, p_value, noise_floor,
									  threshold, verdict, rows, detail, computed_at)
	with m as (select * from mlops.monitor x where x.id = store_results.monitor_id),
	a as (select mlops.window_p(results) as p)
	select m.id, m.model_id, store_results.version, store_results.period, v.kind, coalesce(v.segment, ''), coalesce(v.feature, ''), v.metric,
		   -- what a monitor of captured rows says of a column must not be what it says of a person
		   case when m.source is not null or v.feature is null or coalesce(v.rows, 20) >= 20 then v.value end, v.reference, v.p_value, v.noise_floor, v.threshold,
		   case when v.beyond is null then 'insufficient data'
				when v.beyond and coalesce(a.p[v.ordinality], 0) <= case v.kind when 'quality' then 0.01 else 0.05 end then 'alert'
				else 'ok' end,
		   v.rows, v.detail, mlops.clock()
	  from unnest(results) with ordinality v, a, m
	 where m.metrics is null or v.kind = any (m.metrics) or v.metric = any (m.metrics);
	perform mlops.raise_alerts(store_results.monitor_id, store_results.period);
end
$$;
comment on function mlops.store_results(bigint, tstzrange, integer, mlops.monitor_value[]) is
'Writes what was found in a window instead of what was there: an alert is what is beyond threshold and noise floor and has a p that stays small for so many tests';

create function mlops.monitor_job_goes() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	delete from mlops.job j where j.id = old.job_id;
	return null;
end
$$;
comment on function mlops.monitor_job_goes() is 'Trigger: the job of a monitor that is removed goes with it';

create trigger monitor_job_goes after delete on mlops.monitor
	for each row when (old.job_id is not null) execute function mlops.monitor_job_goes();

revoke execute on function mlops.monitor_job_goes(), mlops.store_results(bigint, tstzrange, integer, mlops.monitor_value[]), mlops.monitor_windows(bigint, timestamptz, timestamptz) from public;

-- ---- Numbers that verdicts rest on ----

create function mlops.compare_cells(reference bigint[], current bigint[], out cells integer, out psi double precision, out kl double precision,
	out js_divergence_bits double precision, out js_distance_base2 double precision, out hellinger double precision, out tvd double precision,
	out l_inf double precision, out cramers_v double precision, out chi2 double precision, out freedom double precision, out p_value double precision)
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_compare_cells';
comment on function mlops.compare_cells(bigint[], bigint[]) is
'All distances between counts in the same cells (mlops.cell_counts), and the chi-square test; cells: those that are not empty in both';

create function mlops.slice_scores(metric text, slices bigint[], windows integer[], leave_out boolean default true) returns double precision[]
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_slice_scores';
comment on function mlops.slice_scores(text, bigint[], integer[], boolean) is
'How far each window of a reference''s own slices is from the rest of them: counts of slices, a row each, and the number of the window that each is in (NULL: of none)';

create function mlops.noise_floor(cells integer, reference_rows double precision, current_rows double precision, level double precision default 0.99)
returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_noise_floor';
comment on function mlops.noise_floor(integer, double precision, double precision, double precision) is
'The quantile of PSI between two samples of the same: (1/n + 1/m) times that of chi-square with one degree of freedom less than cells';

create function mlops.two_proportions(reference_hits double precision, reference_rows double precision, hits double precision, rows double precision,
	out z double precision, out p_value double precision)
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_two_proportions';
comment on function mlops.two_proportions(double precision, double precision, double precision, double precision) is
'The z test of two shares, with the pooled one, and its two-sided p';

create function mlops.student_tail(t double precision, freedom double precision) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_student_tail';
comment on function mlops.student_tail(double precision, double precision) is 'How likely a variable of Student''s t distribution is to exceed t';

create function mlops.student_quantile(upper double precision, freedom double precision) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_student_quantile';
comment on function mlops.student_quantile(double precision, double precision) is 'What a variable of Student''s t distribution exceeds with this probability';

create function mlops.adjust_p(p double precision[]) returns double precision[]
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_adjust_p';
comment on function mlops.adjust_p(double precision[]) is
'p of several tests, adjusted so that rejecting those at most alpha keeps the false discovery rate (Benjamini and Hochberg); NULL is no test';

create function mlops.read_number(value text) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_read_number';
comment on function mlops.read_number(text) is 'A text as a number; NULL where it is none';

create function mlops.source_columns(source text) returns table (name text, type text)
language c stable strict parallel safe rows 20 as 'MODULE_PATHNAME', 'mlops_source_columns';
comment on function mlops.source_columns(text) is 'The columns of a table, view or SELECT';
