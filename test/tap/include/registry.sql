-- A registry with rows in every table, written by hand as only a superuser may, so that these tests need no trainer:
-- project clinic of anna_owner, with a member at each level, and model diagnosis with versions 1 to 3.
create role anna_owner;
create role sam_scientist;
create role olga_operator;
create role rita_reviewer;
create role vera_viewer;
create role paul_predictor;
create role sten_stranger;

set local role anna_owner;
select mlops.create_project('clinic', goal => 'find malignant tumours early') as clinic \gset
select mlops.grant_access('clinic', 'sam_scientist', 'scientist');
select mlops.grant_access('clinic', 'olga_operator', 'operator');
select mlops.grant_access('clinic', 'rita_reviewer', 'reviewer');
select mlops.grant_access('clinic', 'vera_viewer', 'viewer');
select mlops.grant_access('clinic', 'paul_predictor', 'predictor');
reset role;

insert into mlops.experiment (project_id, name) values (:clinic, 'first steps') returning id as experiment \gset
insert into mlops.snapshot (project_id, query, settings, role_name, row_security_applied, row_count, fingerprint, columns)
values (:clinic, 'select * from public.tumour', '{}', 'sam_scientist', false, 569, 42, '[]') returning id as snapshot \gset
insert into mlops.run (project_id, experiment_id, kind, state, model_name, algorithm, task, target, arguments, params, metrics, snapshot_id, seed, device,
					   threads, trainer, rows_train, rows_validation, rows_test, rows_dropped, session_user_name, current_user_name, started_at, finished_at)
values (:clinic, :experiment, 'train', 'succeeded', 'diagnosis', 'baseline', 'binary', 'diagnosis', '{}', '{}', '{}', :snapshot, 42, 'cpu',
		1, '0.1', 455, 0, 114, 0, 'sam_scientist', 'sam_scientist', now(), now()) returning id as run \gset
insert into mlops.metric (run_id, name, value) values (:run, 'roc_auc', 0.5);
insert into mlops.run_source (run_id, relation, kind, columns, types) values (:run, 'public.tumour', 'table', '{radius}', '{integer}');
insert into mlops.snapshot_row (snapshot_id, position, content) values (:snapshot, 1, '{"radius": 1}');
insert into mlops.model (project_id, name, last_version, created_by) values (:clinic, 'diagnosis', 3, 'sam_scientist') returning id as diagnosis \gset
insert into mlops.model_version (model_id, version, run_id, algorithm, task, size, sha256, params, metrics, origin)
select :diagnosis, n, :run, 'baseline', 'binary', 1, sha256('x'), '{}', '{}', 'measured' from generate_series(1, 3) n;
insert into mlops.model_signature (model_id, version, position, name, type, role)
select :diagnosis, n, 0, 'diagnosis', 'text', 'target' from generate_series(1, 3) n;
insert into mlops.job (kind, args, owner, session_role, settings, project_id)
values ('sql', '{"statement": "select 1"}', 'sam_scientist', 'sam_scientist', '{}', :clinic) returning id as job \gset
insert into mlops.job_run (job_id, kind, state, finished_at) values (:job, 'sql', 'succeeded', now());
insert into mlops.model_chunk (model_id, version, chunk, bytes) select :diagnosis, n, 0, 'x' from generate_series(1, 3) n;

select mlops.make_prediction_partition(now());
insert into mlops.prediction (prediction_id, at, model_id, version, entity_key, class, probability, weight, captured_by)
values (1, now(), :diagnosis, 1, 'patient 1', 'benign', 0.1, 1, 'paul_predictor');
insert into mlops.capture_layout (model_id, version, deployment_id, names) values (:diagnosis, 1, 0, '{radius}') returning id as layout \gset
insert into mlops.prediction_features (prediction_id, at, model_id, layout_id, features) values (1, now(), :diagnosis, :layout, '\x0154');
insert into mlops.capture_count (model_id, captured, dropped, lost, sampled, standby, uncommitted) values (:diagnosis, 1, 2, 3, 4, 5, 6);
insert into mlops.prediction_error (model_id, at, version, sqlstate, errors) values (:diagnosis, '2026-01-01', 1, '42703', 7);
insert into mlops.request (model_id, request_id, prediction_id, at, version) values (:diagnosis, 'visit 1', 1, now(), 1);
insert into mlops.retention (model_id, keep) values (:diagnosis, '10 years');
insert into mlops.outcome (model_id, prediction_id, value) values (:diagnosis, 1, 'malignant');
insert into mlops.outcome_binding (model_id, source, settings, lateness, owner_name, session_user_name)
values (:diagnosis, 'select 1', '{}', '7 days', 'sam_scientist', 'sam_scientist');

insert into mlops.reference_profile (model_id, version, role, name, rows, profile)
select :diagnosis, 1, 'feature', 'radius', count(*), mlops.profile(r) from unnest(array[1, 2, 3]) r;
insert into mlops.reference_slice (model_id, version, period, role, name, rows, counts)
values (:diagnosis, 1, '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)', 'feature', 'radius', 1, '{1}');
insert into mlops.reference_model (model_id, version, kind, content) values (:diagnosis, 1, 'performance', '{}');
insert into mlops.reference_sample (model_id, version, position, features, prediction, class, probability, outcome, at)
values (:diagnosis, 1, 0, array['\x0154'::bytea], '{null}', '{benign}', '{0.1}', '{benign}', '{NULL}');

insert into mlops.monitor (model_id, name, settings, window_size, reference, owner, session_role)
values (:diagnosis, 'default', '{}', '1 day', 'training', 'olga_operator', 'olga_operator') returning id as monitor \gset
insert into mlops.monitor_reference (monitor_id, role, name, rows, profile)
select :monitor, 'feature', 'radius', count(*), mlops.profile(r) from unnest(array[1, 2, 3]) r;
insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, feature, metric, verdict)
values (:monitor, :diagnosis, 1, '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)', 'drift', 'radius', 'psi', 'insufficient data');

insert into mlops.raised_alert (model_id, monitor_id, kind, segment, feature, severity, version, evidence, first_period, last_period)
values (:diagnosis, :monitor, 'drift', '', 'radius', 'warning', 1, '[]', '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)', '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)')
returning id as alert \gset
insert into mlops.acknowledgement (alert_id, note) values (:alert, 'the scale was new');
insert into mlops.finding (project_id, model_id, alert_id, title) values (:clinic, :diagnosis, :alert, 'radius is in inches');
set local session_replication_role = replica;
insert into mlops.audit_event (seq, at, project_id, actor, role, action, object, prev_hash, hash)
values (1, now(), :clinic, 'anna_owner', 'anna_owner', 'forget', 'model diagnosis', sha256('x'), sha256('y'));
insert into mlops.alert_route (project_id, kind, owner, session_role) values (:clinic, 'outbox', 'olga_operator', 'olga_operator') returning id as route \gset
insert into mlops.monitor_action (monitor_id, action, owner, session_role) values (:monitor, 'rollback', 'olga_operator', 'olga_operator') returning id as action \gset
reset session_replication_role;
insert into mlops.alert_outbox (route_id, alert_id, payload) values (:route, :alert, '{}');
insert into mlops.action_run (action_id, action, alert_id, state) values (:action, 'rollback', :alert, 'refused');
insert into mlops.comparison (model_id, champion, challenger, run_id, comparison, deployed, compared_by)
values (:diagnosis, 1, 2, :run, '{"why_not": "other columns"}', false, 'sam_scientist');

-- a policy that asks for nothing, and what there is of a review
insert into mlops.policy (project_id, body) values (:clinic, '{}');
insert into mlops.acceptance_test (model_id, name, query, expectation) values (:diagnosis, 'some answer', 'select ''{model}'' as asked', 'asked <> ''''');
insert into mlops.review (model_id, version, sha256, policy_version, requested_by, requested_session)
values (:diagnosis, 3, sha256('x'), 1, 'sam_scientist', 'sam_scientist') returning id as review \gset
insert into mlops.evidence (model_id, version, review_id, kind, name, holds, detail, sha256, measured_by, measured_session)
values (:diagnosis, 3, :review, 'check', 'accurate', true, '{}', sha256('x'), 'sam_scientist', 'sam_scientist') returning id as evidence \gset
insert into mlops.evidence_row values (:evidence, '{"radius": 1}');
set local session_replication_role = replica;
insert into mlops.approval (model_id, version, review_id, decision, level, sha256, policy_version, decided_by)
values (:diagnosis, 3, :review, 'approved', 'reviewer', sha256('x'), 1, 'rita_reviewer');
insert into mlops.revocation (model_id, version, reason, revoked_by, revoked_session) values (:diagnosis, 2, 'only for its row', 'olga_operator', 'olga_operator');
reset session_replication_role;
insert into mlops.comment (object_kind, object_id, text) values ('model', :diagnosis, 'ask @rita_reviewer');
insert into mlops.subscription (object_kind, object_id) values ('project', :clinic);
insert into mlops.run_param (run_id, name, value) values (:run, 'nurse', '"anna"');
insert into mlops.run_tag (run_id, name, value) values (:run, 'team', 'oncology');
insert into mlops.model_card_field (model_id, name, value) values (:diagnosis, 'purpose', '"find malignant tumours"');
