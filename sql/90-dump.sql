-- Dump: the registry is the users' data.  pg_dump writes the rows of all tables, in the order of their foreign keys, and where the
-- identity sequences stand.  Captured predictions lie in partitions that are no part of the extension: they are dumped as tables, and attached again.  A membership of a role that was dropped means nothing, and its OID would mean another role elsewhere.

select pg_catalog.pg_extension_config_dump('mlops.project', '');
select pg_catalog.pg_extension_config_dump('mlops.project_member', 'where exists (select from pg_catalog.pg_roles r where r.oid = member)');
select pg_catalog.pg_extension_config_dump('mlops.experiment', '');
select pg_catalog.pg_extension_config_dump('mlops.snapshot', '');
select pg_catalog.pg_extension_config_dump('mlops.snapshot_row', '');
select pg_catalog.pg_extension_config_dump('mlops.model', '');
select pg_catalog.pg_extension_config_dump('mlops.run', '');
select pg_catalog.pg_extension_config_dump('mlops.metric', '');
select pg_catalog.pg_extension_config_dump('mlops.run_source', '');
select pg_catalog.pg_extension_config_dump('mlops.model_version', '');
select pg_catalog.pg_extension_config_dump('mlops.model_signature', '');
select pg_catalog.pg_extension_config_dump('mlops.model_chunk', '');
select pg_catalog.pg_extension_config_dump('mlops.reference_profile', '');
select pg_catalog.pg_extension_config_dump('mlops.reference_slice', '');
select pg_catalog.pg_extension_config_dump('mlops.reference_model', '');
select pg_catalog.pg_extension_config_dump('mlops.reference_sample', '');
select pg_catalog.pg_extension_config_dump('mlops.policy', '');
select pg_catalog.pg_extension_config_dump('mlops.acceptance_test', 'where exists (select from pg_catalog.pg_roles o where o.oid = owner)');
select pg_catalog.pg_extension_config_dump('mlops.review', '');
select pg_catalog.pg_extension_config_dump('mlops.evidence', '');
select pg_catalog.pg_extension_config_dump('mlops.evidence_row', '');
select pg_catalog.pg_extension_config_dump('mlops.approval', '');
select pg_catalog.pg_extension_config_dump('mlops.revocation', '');
select pg_catalog.pg_extension_config_dump('mlops.alias', '');
select pg_catalog.pg_extension_config_dump('mlops.alias_history', '');
select pg_catalog.pg_extension_config_dump('mlops.deployment', '');
select pg_catalog.pg_extension_config_dump('mlops.capture_layout', '');
select pg_catalog.pg_extension_config_dump('mlops.capture_count', '');
select pg_catalog.pg_extension_config_dump('mlops.prediction_error', '');
select pg_catalog.pg_extension_config_dump('mlops.request', '');
select pg_catalog.pg_extension_config_dump('mlops.retention', '');
select pg_catalog.pg_extension_config_dump('mlops.outcome_binding', '');
select pg_catalog.pg_extension_config_dump('mlops.outcome', '');
select pg_catalog.pg_extension_config_dump('mlops.audit_event', '');
select pg_catalog.pg_extension_config_dump('mlops.comment', '');
select pg_catalog.pg_extension_config_dump('mlops.subscription', '');
select pg_catalog.pg_extension_config_dump('mlops.run_param', '');
select pg_catalog.pg_extension_config_dump('mlops.run_tag', '');
select pg_catalog.pg_extension_config_dump('mlops.model_card_field', '');

-- What was to be done once and was not is no part of a dump; schedules are, where their roles are there.  The extension's own job is made anew.
select pg_catalog.pg_extension_config_dump('mlops.job', 'where kind <> ''housekeeping'' and exists (select from pg_catalog.pg_roles o where o.oid = owner) and exists (select from pg_catalog.pg_roles s where s.oid = session_role) and (schedule is not null or exists (select from mlops.job_run r where r.job_id = job.id and r.finished_at is not null))');
select pg_catalog.pg_extension_config_dump('mlops.job_run', 'where kind <> ''housekeeping'' and finished_at is not null and exists (select from mlops.job j join pg_catalog.pg_roles o on o.oid = j.owner join pg_catalog.pg_roles s on s.oid = j.session_role where j.id = job_id)');

-- A monitor goes with its roles and its job, and takes with it what refers to it.
create function mlops.is_dumped(monitor_id bigint) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select exists (select from mlops.monitor m
					where m.id = is_dumped.monitor_id
					  and exists (select from pg_roles o where o.oid = m.owner) and exists (select from pg_roles s where s.oid = m.session_role)
					  and (m.job_id is null or exists (select from mlops.job j join pg_roles o on o.oid = j.owner join pg_roles s on s.oid = j.session_role
														where j.id = m.job_id)))
$$;
comment on function mlops.is_dumped(bigint) is 'Whether a monitor is part of a dump: its roles, and those of its job, are there';
revoke execute on function mlops.is_dumped(bigint) from public;

select pg_catalog.pg_extension_config_dump('mlops.monitor', 'where mlops.is_dumped(id)');
select pg_catalog.pg_extension_config_dump('mlops.monitor_reference', 'where mlops.is_dumped(monitor_id)');
select pg_catalog.pg_extension_config_dump('mlops.monitor_result', 'where mlops.is_dumped(monitor_id)');
select pg_catalog.pg_extension_config_dump('mlops.raised_alert', 'where mlops.is_dumped(monitor_id)');
select pg_catalog.pg_extension_config_dump('mlops.acknowledgement', 'where exists (select from mlops.raised_alert a where a.id = alert_id and mlops.is_dumped(a.monitor_id))');
select pg_catalog.pg_extension_config_dump('mlops.finding', 'where alert_id is null or exists (select from mlops.raised_alert a where a.id = alert_id and mlops.is_dumped(a.monitor_id))');
select pg_catalog.pg_extension_config_dump('mlops.comparison', '');

-- Routes and actions have rights of roles, which may be gone.
select pg_catalog.pg_extension_config_dump('mlops.alert_route', 'where exists (select from pg_catalog.pg_roles o where o.oid = owner) and exists (select from pg_catalog.pg_roles s where s.oid = session_role)');
select pg_catalog.pg_extension_config_dump('mlops.alert_outbox', 'where exists (select from mlops.alert_route r join pg_catalog.pg_roles o on o.oid = r.owner join pg_catalog.pg_roles s on s.oid = r.session_role where r.id = route_id) and exists (select from mlops.raised_alert a where a.id = alert_id and mlops.is_dumped(a.monitor_id))');
select pg_catalog.pg_extension_config_dump('mlops.monitor_action', 'where mlops.is_dumped(monitor_id) and exists (select from pg_catalog.pg_roles o where o.oid = owner) and exists (select from pg_catalog.pg_roles s where s.oid = session_role)');
select pg_catalog.pg_extension_config_dump('mlops.action_run', 'where exists (select from mlops.raised_alert a where a.id = alert_id and mlops.is_dumped(a.monitor_id)) and (action_id is null or exists (select from mlops.monitor_action n join pg_catalog.pg_roles o on o.oid = n.owner join pg_catalog.pg_roles s on s.oid = n.session_role where n.id = action_id))');

select pg_catalog.pg_extension_config_dump('mlops.project_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.monitor_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.raised_alert_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.finding_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.alert_route_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.alert_outbox_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.monitor_action_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.action_run_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.comparison_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.job_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.job_run_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.experiment_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.snapshot_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.model_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.run_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.acceptance_test_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.review_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.evidence_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.approval_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.alias_history_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.deployment_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.capture_layout_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.outcome_binding_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.outcome_id_seq', '');
select pg_catalog.pg_extension_config_dump('mlops.comment_id_seq', '');
