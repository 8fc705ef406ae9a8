-- Runs: what was tried, side by side; which is the best.

create function mlops.larger_is_better(metric text) returns boolean
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_larger_is_better';
comment on function mlops.larger_is_better(text) is 'Whether larger values of a metric are better; NULL for a name that is none of ours';

create view mlops.runs with (security_invoker) as
	select r.id as run_id, p.name as project, e.name as experiment, r.model_name as model, v.version, r.kind, r.state, r.algorithm, r.task, r.target,
		   coalesce((select jsonb_object_agg(l.name, l.value)
					   from (select distinct on (m.name) m.name, m.value from mlops.metric m
							  where m.run_id operator(pg_catalog.=) r.id and (m.step operator(pg_catalog.=) 0 or m.origin operator(pg_catalog.=) 'reported')
							  order by m.name, m.step operator(pg_catalog.=) 0 desc, m.step desc) l), '{}') as metrics,
		   coalesce((select jsonb_object_agg(a.name, a.value) from mlops.run_param a where a.run_id operator(pg_catalog.=) r.id), '{}')
			   operator(pg_catalog.||) r.params as params,
		   coalesce((select jsonb_object_agg(t.name, t.value) from mlops.run_tag t where t.run_id operator(pg_catalog.=) r.id), '{}') as tags,
		   r.rows_train, r.rows_test, r.finished_at operator(pg_catalog.-) r.started_at as duration, r.current_user_name as run_by, r.started_at, r.finished_at,
		   r.message, r.project_id, r.experiment_id, v.model_id
	  from mlops.run r
	  join mlops.project p on p.id operator(pg_catalog.=) r.project_id
	  left join mlops.experiment e on e.id operator(pg_catalog.=) r.experiment_id
	  left join (select distinct on (x.run_id) x.run_id, x.model_id, x.version from mlops.model_version x where x.run_id is not null
				  order by x.run_id, x.model_id, x.version) v on v.run_id operator(pg_catalog.=) r.id;
comment on view mlops.runs is 'What was run, with its results, parameters and tags; measured here, or reported (kind)';
comment on column mlops.runs.version is 'The version that it made; NULL: none, or one that was dropped';
comment on column mlops.runs.metrics is 'Results by name; of metrics that were reported by step only, those of the last step';
comment on column mlops.runs.params is 'What a training was given, and what people reported beside it';
grant select on mlops.runs to public;

-- ---- The standard errors that training froze with a version ----

create function mlops.metric_interval(model_id bigint, version integer, metric text, value double precision, out low double precision, out high double precision)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select case when metric_interval.metric = any ('{rmse,mae,mape,log_loss,brier,ece,roc_auc,pr_auc,accuracy,balanced_accuracy,precision,recall,f1}') or metric_interval.metric like 'macro%'
				   or metric_interval.metric like 'weighted%' then greatest(0, metric_interval.value - e.half) else metric_interval.value - e.half end,
		   case when metric_interval.metric = any ('{rmse,mae,mape,log_loss}') then metric_interval.value + e.half else least(1, metric_interval.value + e.half) end
	  from (select 1.959963984540054 * (n.content -> metric_interval.metric ->> 'se_component')::double precision
				   / sqrt((n.content -> metric_interval.metric ->> 'n')::double precision) as half
			  from mlops.reference_model n
			 where n.model_id = metric_interval.model_id and n.version = metric_interval.version and n.kind = 'performance' and n.name = '') e
	 where e.half is not null
$$;
comment on function mlops.metric_interval(bigint, integer, text, double precision) is
'The 95 % interval of a metric that a version has on its held-out rows, from the standard error that was frozen with it; NULL where there is none';

-- ---- Comparing ----

create function mlops.compare(run_ids bigint[])
	returns table (kind text, name text, "values" jsonb, low double precision[], high double precision[], best bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	unknown bigint;
begin
	if coalesce(cardinality(run_ids), 0) not between 1 and 100 or array_position(run_ids, null) is not null then
		raise exception 'mlops.compare() takes 1 to 100 runs'
			using errcode = 'invalid_parameter_value', hint = 'Give their numbers as an array: ''{12, 14}''.';
	end if;
	select n into unknown from unnest(run_ids) n where not exists (select from mlops.run r where r.id = n) limit 1;
	if found then
		raise exception 'there is no run %', unknown
			using errcode = 'undefined_object', hint = 'Runs are in mlops.runs.';
	end if;

	-- what each run is, had and got; in the order in which they were asked for
	return query
		with run as materialized (
			select u.place, r.*
			  from unnest(run_ids) with ordinality u (id, place) join mlops.runs r on r.run_id = u.id
		), fact as (
			select r.place, f.kind, f.name, f.value,
				   case when f.kind = 'metric' and jsonb_typeof(f.value) = 'number' then (f.value #>> '{}')::double precision end as number
			  from run r, lateral (
				select 'about' as kind, a.key as name, a.value
				  from jsonb_each(jsonb_build_object('model', r.model, 'algorithm', r.algorithm, 'task', r.task, 'target', r.target, 'rows_train', r.rows_train,
													 'rows_test', r.rows_test, 'kind', r.kind, 'project', r.project, 'experiment', r.experiment,
													 'version', r.version, 'run_by', r.run_by)) a
				union all select 'parameter', a.key, a.value from jsonb_each(r.params) a
				union all select 'tag', a.key, a.value from jsonb_each(r.tags) a
				union all select 'data', 'fingerprint', (select to_jsonb(s.fingerprint::text) from mlops.run o join mlops.snapshot s on s.id = o.snapshot_id where o.id = r.run_id)
				union all select 'metric', a.key, a.value from jsonb_each(r.metrics) a) f
		), line as (
			select n.kind, n.name, jsonb_agg(coalesce(f.value, 'null') order by r.place) as "values",
				   array_agg(i.low order by r.place) as low, array_agg(i.high order by r.place) as high,
				   array_agg(r.run_id order by (case when d.better then 1 else -1 end) * f.number desc, r.place)
					   filter (where d.better is not null and f.number is not null) as ranked
			  from (select distinct fact.kind, fact.name from fact) n
			  cross join run r
			  left join fact f on f.place = r.place and f.kind = n.kind and f.name = n.name
			  left join lateral (select case when n.kind = 'metric' then mlops.larger_is_better(n.name) end as better) d on true
			  left join lateral mlops.metric_interval(r.model_id, r.version, n.name, f.number) i on f.number is not null
			 group by n.kind, n.name
		)
		select l.kind, l.name, l."values", case when num_nulls(variadic l.low) < cardinality(l.low) then l.low end,
			   case when num_nulls(variadic l.high) < cardinality(l.high) then l.high end, l.ranked[1]
		  from line l
		 where l.kind = 'metric' or exists (select from jsonb_array_elements(l."values") v where v <> l."values" -> 0)
		 order by array_position('{about,data,parameter,tag,metric}', l.kind), l.name;
end
$$;
comment on function mlops.compare(bigint[]) is
'Runs side by side, in their order: all metrics with 95 % intervals and the best run, and of parameters, tags, data and the rest what differs';

-- ---- Ranking ----

create function mlops.leaderboard(experiment text, metric text default null)
	returns table (rank bigint, run_id bigint, model text, version integer, algorithm text, ranked_by text, value double precision, low double precision,
				   high double precision, origin text, params jsonb, tags jsonb, run_by text, finished_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
	about mlops.experiment;
	chosen text;
	larger boolean;
	task text;
begin
	select e.* into about from mlops.find_object('experiment ' || leaderboard.experiment) o join mlops.experiment e on e.id = o.id;
	if about.id is null then
		raise exception 'the experiment must not be NULL'
			using errcode = 'null_value_not_allowed';
	end if;
	select min(r.task) into task from mlops.run r where r.experiment_id = about.id having min(r.task) = max(r.task);
	chosen := coalesce(leaderboard.metric, about.metric, case when task is not null then mlops.main_metric(task) end);
	if chosen is null then
		if not exists (select from mlops.run r where r.experiment_id = about.id) then
			return;
		end if;
		raise exception 'the runs of experiment "%" are of several tasks', about.name
			using errcode = 'invalid_parameter_value', hint = 'Say by which metric they are ranked.';
	end if;
	larger := coalesce(case when chosen = about.metric then about.direction end = 'maximize', mlops.larger_is_better(chosen));
	if larger is null then
		raise exception 'which way metric "%" is better is not known', chosen
			using errcode = 'invalid_parameter_value', hint = 'Set metric and direction of the experiment: update mlops.experiment set direction = ''maximize'' where id = ….';
	end if;
	return query
		select rank() over (order by (case when larger then -1 else 1 end) * m.value), r.run_id, r.model, r.version, r.algorithm, chosen, m.value, i.low, i.high,
			   case when exists (select from mlops.metric o where o.run_id = r.run_id and o.name = chosen and o.origin = 'measured') then 'measured' else 'reported' end,
			   r.params, r.tags, r.run_by, r.finished_at
		  from mlops.runs r
		 cross join lateral (select (r.metrics ->> chosen)::double precision as value) m
		  left join lateral mlops.metric_interval(r.model_id, r.version, chosen, m.value) i on true
		 where r.experiment_id = about.id and m.value is not null
		 order by 1, r.run_id;
end
$$;
comment on function mlops.leaderboard(text, text) is
'The runs of an experiment (project/experiment), the best first, by the experiment''s metric and direction, or by another metric; with 95 % intervals, and whether it was measured here or reported';
