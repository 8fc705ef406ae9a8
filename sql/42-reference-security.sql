-- Security of what versions learned from: summaries are for viewers, rows for those who see captured features.

grant select on mlops.reference_profile, mlops.reference_slice, mlops.reference_model, mlops.reference_sample to public;

alter table mlops.reference_profile enable row level security;
create policy reference_profile_view on mlops.reference_profile for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.reference_slice enable row level security;
create policy reference_slice_view on mlops.reference_slice for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.reference_model enable row level security;
create policy reference_model_view on mlops.reference_model for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.reference_sample enable row level security;
create policy reference_sample_review on mlops.reference_sample for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review'))));
create policy reference_sample_open on mlops.reference_sample for select
	using (model_id in (select m.id from mlops.model m join mlops.project p on p.id operator(pg_catalog.=) m.project_id
						 where p.features_for operator(pg_catalog.=) 'viewer' and p.id in (select mlops.accessible_projects('view'))));
