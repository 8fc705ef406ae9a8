-- Reproduction: a run repeated from its record, and compared with it.

create function mlops.reproduce_plan(run_id bigint) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select jsonb_build_object(
			'project_id', r.project_id,
			'why_not', case
				when r.kind <> 'train' then format('run %s is of kind %s; trainings can be repeated', r.id, r.kind)
				when r.state <> 'succeeded' then format('run %s has %s', r.id, r.state)
				when s.id is null then format('run %s has no snapshot', r.id)
				when r.init_version is not null and i.sha256 is distinct from r.init_sha256
					then format('version %s, which the training went on from, is not there any more', r.init_version)
				end,
			'args', jsonb_strip_nulls(jsonb_build_object(
				'model', format('#%s/%s', r.project_id, r.model_name), 'source', s.query, 'target', r.target, 'algorithm', r.algorithm,
				-- by its numbers: names may have changed since
				'params', (r.arguments -> 'params') || case when i.sha256 is null then '{}'
															else jsonb_build_object('init_model', format('#%s/%s@%s', im.project_id, im.name, i.version)) end,
				'task', r.task, 'features', r.arguments -> 'features', 'preprocess', r.arguments -> 'preprocess', 'split', r.arguments -> 'split',
				'weight', r.arguments -> 'weight', 'seed', r.seed)),
			'settings', s.settings, 'author', s.role_name)
	  from mlops.run r
	  left join mlops.snapshot s on s.id = r.snapshot_id
	  left join mlops.model_version i on i.model_id = r.init_model_id and i.version = r.init_version
	  left join mlops.model im on im.id = i.model_id
	 where r.id = reproduce_plan.run_id
$$;
comment on function mlops.reproduce_plan(bigint) is 'The arguments of train() that repeat a run, the settings its query was written under, whose it is, and its project; why_not where it cannot be repeated';

create function mlops.column_differences(before jsonb, after jsonb) returns jsonb
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
	select coalesce(jsonb_object_agg(coalesce(b.name, a.name), jsonb_strip_nulls(jsonb_build_object('then', b.facts, 'now', a.facts))), '{}')
	  from (select c ->> 'name' as name, c - 'name' as facts from jsonb_array_elements(before) c) b
	  full join (select c ->> 'name' as name, c - 'name' as facts from jsonb_array_elements(after) c) a on a.name = b.name
	 where a.name is null or b.name is null
		-- sums of the same numbers in another order differ in their last digits
		or exists (select from jsonb_each(b.facts) x full join jsonb_each(a.facts) y on y.key = x.key
					where case when jsonb_typeof(x.value) = 'number' and jsonb_typeof(y.value) = 'number'
								then abs(x.value::numeric - y.value::numeric) > 1e-12 * abs(x.value::numeric)
								else x.value is distinct from y.value end)
$$;
comment on function mlops.column_differences(jsonb, jsonb) is 'Which columns of two snapshots differ in type, role or values, and how; NULLs are left out';

create function mlops.compare_reproduction(run_id bigint, repeated_as bigint, sha256 bytea, why_not text) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	with pair as (
		select jsonb_build_object('rows', s.row_count, 'fingerprint', s.fingerprint, 'role', s.role_name, 'row_security', s.row_security_applied, 'settings', s.settings,
								  'trainer', r.trainer, 'device', r.device, 'threads', r.threads, 'rows_train', r.rows_train, 'rows_test', r.rows_test,
								  'sha256', coalesce((select encode(v.sha256, 'hex') from mlops.model_version v where v.run_id = r.id),
													 case when r.id = compare_reproduction.repeated_as then encode(compare_reproduction.sha256, 'hex') end)) as facts,
			   s.columns, r.metrics, r.id
		  from mlops.run r join mlops.snapshot s on s.id = r.snapshot_id
		 where r.id in (compare_reproduction.run_id, compare_reproduction.repeated_as)),
	both_of as (
		select a.facts as was, b.facts as is_now, a.columns as columns_were, b.columns as columns_are, a.metrics as metrics_were, b.metrics as metrics_are
		  from pair a join pair b on a.id = compare_reproduction.run_id and b.id = compare_reproduction.repeated_as),
	differences as (
		select (select coalesce(jsonb_object_agg(w.key, jsonb_build_object('then', w.value, 'now', b.is_now -> w.key)), '{}')
				  from jsonb_each(b.was) w where w.value <> b.is_now -> w.key) as facts,
			   mlops.column_differences(b.columns_were, b.columns_are) as columns,
			   (select coalesce(jsonb_object_agg(coalesce(w.key, n.key), jsonb_build_object('then', w.value, 'now', n.value)), '{}')
				  from jsonb_each(b.metrics_were) w full join jsonb_each(b.metrics_are) n on n.key = w.key where w.value is distinct from n.value) as metrics,
			   b.*
		  from both_of b)
	select coalesce((select jsonb_build_object(
			'same_rows', d.was -> 'fingerprint' = d.is_now -> 'fingerprint' and d.was -> 'rows' = d.is_now -> 'rows',
			'same_artifact', nullif(d.was -> 'sha256', 'null') = d.is_now -> 'sha256',
			'same_metrics', d.metrics = '{}',
			'detail', jsonb_build_object('run', compare_reproduction.run_id, 'repeated_as', compare_reproduction.repeated_as, 'differences', d.facts, 'columns', d.columns, 'metrics', d.metrics)
					  || case when d.was ->> 'sha256' is null then jsonb_build_object('version', 'it was dropped: there is nothing to compare the model with') else '{}' end)
		  from differences d),
		jsonb_build_object('detail', jsonb_build_object('run', compare_reproduction.run_id, 'why_not', compare_reproduction.why_not)))
$$;
comment on function mlops.compare_reproduction(bigint, bigint, bytea, text) is 'What mlops.reproduce() returns: a run beside the one that repeats it, or why it was not repeated';

create function mlops.reproduce(run_id bigint, out same_rows boolean, out same_artifact boolean, out same_metrics boolean, out detail jsonb)
language c volatile strict parallel unsafe cost 1000000 as 'MODULE_PATHNAME', 'mlops_reproduce';
comment on function mlops.reproduce(bigint) is
'Repeats a training by its record, with the rights of its query''s author where the caller has them, else with the caller''s: whether the query returns the same rows, the same model comes of them, byte for byte, with the same metrics; and what differs, or why it cannot be repeated';

revoke execute on function mlops.reproduce_plan(bigint), mlops.compare_reproduction(bigint, bigint, bytea, text) from public;
