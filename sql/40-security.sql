-- Security: who sees and writes which rows of the registry.
--
-- Rows are shown by membership.  accessible_projects(right) is asked once a query (a hashed sub-plan) and reads the members as their
-- owner does, so that no policy asks a policed table about itself.  Tables without a project of their own ask their parent.
--
--	see		that a model exists, and its signature: every member
--	view	the registry: every member but the predictor
--	train	new versions, experiments, the bytes of models
--	deploy	deployments and aliases
--	own		members, the project itself
--
-- Users write only what is granted here by column; who did it and when is filled in by the server (45-guards.sql).  Evidence (run, metric,
-- snapshot, model_version, model_signature, model_chunk, alias_history) is written by C as the extension's owner, after it checked the caller.

-- ---- What everybody may ask; row-level security answers ----

grant select on mlops.project, mlops.project_member, mlops.experiment, mlops.snapshot, mlops.run, mlops.metric, mlops.model, mlops.model_version,
	mlops.model_signature, mlops.model_chunk, mlops.alias, mlops.alias_history, mlops.deployment to public;

-- ---- project: any role may begin one, and then owns it (trigger project_owner) ----

alter table mlops.project enable row level security;
grant insert (name, goal, stage, tags), update (name, goal, stage, tags, features_for, guard_sources, status, status_reason, target_metric, target_value, target_direction, value,
	starts_on, due_on) on mlops.project to public;
create policy project_view on mlops.project for select
	using (id in (select mlops.accessible_projects('view')));
create policy project_create on mlops.project for insert
	with check (owner_name operator(pg_catalog.=) current_user and not is_personal);
create policy project_update on mlops.project for update
	using (id in (select mlops.accessible_projects('own')));

-- ---- project_member ----

alter table mlops.project_member enable row level security;
grant insert (project_id, member, access), delete on mlops.project_member to public;
create policy project_member_view on mlops.project_member for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy project_member_grant on mlops.project_member for insert
	with check (project_id in (select mlops.accessible_projects('own')));
create policy project_member_revoke on mlops.project_member for delete
	using (project_id in (select mlops.accessible_projects('own')));

-- ---- experiment ----

alter table mlops.experiment enable row level security;
grant insert (project_id, name, metric, direction), update (name, metric, direction) on mlops.experiment to public;
create policy experiment_view on mlops.experiment for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy experiment_create on mlops.experiment for insert
	with check (project_id in (select mlops.accessible_projects('train')));
create policy experiment_update on mlops.experiment for update
	using (project_id in (select mlops.accessible_projects('train')));

-- ---- snapshot, run, metric ----

alter table mlops.snapshot enable row level security;
create policy snapshot_view on mlops.snapshot for select
	using (project_id in (select mlops.accessible_projects('view')));

alter table mlops.run enable row level security;
create policy run_view on mlops.run for select
	using (project_id in (select mlops.accessible_projects('view')));

alter table mlops.metric enable row level security;
create policy metric_view on mlops.metric for select
	using (run_id in (select r.id from mlops.run r));

-- ---- model: its description may be written, and its row locked, by those who train and those who deploy ----

alter table mlops.model enable row level security;
grant update (description) on mlops.model to public;
create policy model_see on mlops.model for select
	using (project_id in (select mlops.accessible_projects('see')));
create policy model_train on mlops.model for update
	using (project_id in (select mlops.accessible_projects('train')));
create policy model_deploy on mlops.model for update
	using (project_id in (select mlops.accessible_projects('deploy')));

-- ---- versions: what a predictor may know is a table of its own, and so are the bytes ----

alter table mlops.model_version enable row level security;
create policy model_version_view on mlops.model_version for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.model_signature enable row level security;
create policy model_signature_see on mlops.model_signature for select
	using (model_id in (select m.id from mlops.model m));

alter table mlops.model_chunk enable row level security;
create policy model_chunk_train on mlops.model_chunk for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('train'))));

-- ---- alias, alias_history ----

alter table mlops.alias enable row level security;
grant insert (model_id, name, version), update (version), delete on mlops.alias to public;
create policy alias_view on mlops.alias for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy alias_set on mlops.alias for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('deploy'))));
create policy alias_move on mlops.alias for update
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('deploy'))));
create policy alias_drop on mlops.alias for delete
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('deploy'))));

alter table mlops.alias_history enable row level security;
create policy alias_history_view on mlops.alias_history for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

-- ---- deployment: begun by an insert, ended by closing its range ----

alter table mlops.deployment enable row level security;
grant insert (model_id, version, strategy, action, restores, capture, override), update (valid) on mlops.deployment to public;
create policy deployment_view on mlops.deployment for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy deployment_begin on mlops.deployment for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('deploy'))));
create policy deployment_end on mlops.deployment for update
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('deploy'))));
