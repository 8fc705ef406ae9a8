-- Retrain: a model trained anew like its live version, compared with it, and deployed where it is better.

create table mlops.comparison
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	champion	integer not null,
	challenger	integer not null,
	run_id		bigint,
	comparison	jsonb not null,
	deployed	boolean not null,
	compared_by	text not null,
	compared_at	timestamptz not null default clock_timestamp()
);
comment on table mlops.comparison is 'How a new version did beside the one before, on rows that neither was trained on, and whether it went live';
comment on column mlops.comparison.champion is 'The version that was live, or the newest before';
comment on column mlops.comparison.comparison is 'metric, rows, difference (positive: the challenger is better), standard_error, margin, p_value, and all metrics of both; or why_not; held_back: what the project''s policy missed';
create index comparison_model on mlops.comparison (model_id, id);

alter table mlops.comparison enable row level security;
grant select on mlops.comparison to public;
create policy comparison_view on mlops.comparison for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

create trigger comparison_immutable before update or delete on mlops.comparison
	for each row execute function mlops.refuse_change();
create trigger comparison_keep before truncate on mlops.comparison
	for each statement execute function mlops.refuse_change();

create function mlops.retrain_plan(model_id bigint, version integer, reference text, source text) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select jsonb_build_object(
			'args', jsonb_strip_nulls(jsonb_build_object(
				'model', reference, 'source', coalesce(source, s.query), 'target', r.target, 'algorithm', r.algorithm, 'params', (r.arguments -> 'params') - 'init_model',
				'task', r.task, 'features', r.arguments -> 'features', 'preprocess', r.arguments -> 'preprocess', 'split', r.arguments -> 'split',
				'weight', r.arguments -> 'weight', 'seed', r.seed)),
			'settings', s.settings, 'test_part', r.test_part)
	  from mlops.model_version v
	  join mlops.run r on r.id = v.run_id
	  join mlops.snapshot s on s.id = r.snapshot_id
	 where v.model_id = retrain_plan.model_id and v.version = retrain_plan.version
$$;
comment on function mlops.retrain_plan(bigint, integer, text, text) is
'The arguments of train() that repeat a version''s training, the settings its query was written under, and what it held out; NULL where it was not trained here';
revoke execute on function mlops.retrain_plan(bigint, integer, text, text) from public;

create function mlops.retrain(model text, source text default null, deploy text default 'if_better', margin double precision default 0,
							  out run_id bigint, out version integer, out deployed boolean, out comparison jsonb)
language c volatile parallel unsafe cost 1000000 as 'MODULE_PATHNAME', 'mlops_retrain';
comment on function mlops.retrain(text, text, text, double precision) is
'Trains a model anew like its live version, on the same query or another, compares both on rows that neither was trained on, and deploys the new one: if_better (by more than margin, significantly), never or always, where the project''s policy lets it';
