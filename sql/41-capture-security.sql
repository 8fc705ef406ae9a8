-- Security of captured predictions: answers are for viewers, features for reviewers unless the project says otherwise, and nobody writes either.

grant select on mlops.prediction, mlops.prediction_features, mlops.capture_layout, mlops.capture_count, mlops.prediction_error, mlops.retention, mlops.outcome, mlops.outcome_binding,
	mlops.request to public;

alter table mlops.prediction enable row level security;
create policy prediction_view on mlops.prediction for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.prediction_features enable row level security;
create policy prediction_features_review on mlops.prediction_features for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review'))));
create policy prediction_features_open on mlops.prediction_features for select
	using (model_id in (select m.id from mlops.model m join mlops.project p on p.id operator(pg_catalog.=) m.project_id
						 where p.features_for operator(pg_catalog.=) 'viewer' and p.id in (select mlops.accessible_projects('view'))));

alter table mlops.capture_layout enable row level security;
create policy capture_layout_see on mlops.capture_layout for select
	using (model_id in (select m.id from mlops.model m));

alter table mlops.capture_count enable row level security;
create policy capture_count_view on mlops.capture_count for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.prediction_error enable row level security;
create policy prediction_error_view on mlops.prediction_error for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.request enable row level security;
create policy request_view on mlops.request for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

-- ---- retention: set by those who own the project ----

alter table mlops.retention enable row level security;
grant insert (model_id, keep), update (keep), delete on mlops.retention to public;
create policy retention_view on mlops.retention for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy retention_set on mlops.retention for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('own'))));
create policy retention_change on mlops.retention for update
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('own'))));
create policy retention_end on mlops.retention for delete
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('own'))));

-- ---- outcomes: recorded by those who predict, never changed; what a bound query reads is for its owner and for those who work on models ----

alter table mlops.outcome enable row level security;
grant insert (model_id, prediction_id, entity_key, value, observed_at) on mlops.outcome to public;
create policy outcome_view on mlops.outcome for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy outcome_record on mlops.outcome for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('predict'))));

alter table mlops.outcome_binding enable row level security;
create policy outcome_binding_own on mlops.outcome_binding for select
	using (owner_name operator(pg_catalog.=) current_user);
create policy outcome_binding_work on mlops.outcome_binding for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('train')))
		   or model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review'))));
