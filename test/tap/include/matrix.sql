-- Who may do what: object by operation by level, in one place.  levels_see_what_they_should.sql and levels_do_what_they_may.sql test all of it,
-- and docs/security.md prints it (scripts/security_matrix).  A table, view or function that is not here fails the tests.

create temporary table reach (word text primary key, levels text[] not null);
insert into reach values
	('everybody', '{viewer,predictor,scientist,reviewer,operator,owner,stranger}'),
	('members', '{viewer,predictor,scientist,reviewer,operator,owner}'),
	('viewers', '{viewer,scientist,reviewer,operator,owner}'),		-- right view
	('predictors', '{predictor,scientist,operator,owner}'),			-- right predict
	('scientists', '{scientist,owner}'),							-- right train
	('reviewers', '{reviewer,owner}'),								-- right review
	('operators', '{operator,owner}'),								-- right deploy
	('owners', '{owner}'),											-- right own
	('testers', '{scientist,reviewer,owner}'),						-- train or review
	('workers', '{scientist,operator,owner}'),						-- train or deploy
	('deciders', '{reviewer,operator,owner}'),						-- review or deploy
	('settlers', '{scientist,reviewer,operator,owner}'),			-- train, review or deploy
	('its maker', '{scientist}'),									-- whoever made it: in the tests the scientist
	('whom it names', '{reviewer}'),								-- in the tests the reviewer
	('nobody', '{}');

-- Tables and views.  insertion: a row that whoever may insert can insert; change: where setting a column to itself is none; {name}: what the tests call so.
create temporary table matrix_table (name text primary key, reads text not null, inserts text not null, updates text not null, deletes text not null,
	insertion text, change text, deletion text);
insert into matrix_table values
	('acceptance_test', 'viewers', 'testers', 'nobody', 'reviewers', '(model_id, name, query, expectation) values ({diagnosis}, ''another answer'', ''select ''''{model}'''' as asked'', ''asked <> '''''''''')', null, null),
	('acknowledgement', 'viewers', 'operators', 'nobody', 'nobody', '(alert_id) values ({alert})', null, null),
	('action_run', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('alert_outbox', 'operators', 'nobody', 'operators', 'operators', null, null, null),
	('alert_route', 'viewers', 'operators', 'operators', 'operators', '(project_id, kind) values ({clinic}, ''log'')', null, null),
	('alias', 'viewers', 'operators', 'operators', 'operators', '(model_id, name, version) values ({diagnosis}, ''challenger'', 1)', null, null),
	('alias_history', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('approval', 'viewers', 'reviewers', 'nobody', 'nobody', '(model_id, version, decision, comment) values ({diagnosis}, 3, ''rejected'', ''too few patients'')', null, null),
	('audit_event', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('capture_count', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('capture_layout', 'members', 'nobody', 'nobody', 'nobody', null, null, null),
	('comment', 'viewers', 'viewers', 'nobody', 'nobody', '(object_kind, object_id, text) values (''model'', {diagnosis}, ''why?'')', null, null),
	('comparison', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('deployment', 'viewers', 'operators', 'operators', 'nobody', '(model_id, version) values ({spare}, 1)', 'set valid = tstzrange(lower(valid), clock_timestamp()) where upper_inf(valid)', null),
	('evidence', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('evidence_row', 'reviewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('experiment', 'viewers', 'scientists', 'scientists', 'nobody', '(project_id, name) values ({clinic}, ''second steps'')', null, null),
	('finding', 'viewers', 'viewers', 'settlers', 'nobody', '(project_id, title) values ({clinic}, ''the scale is wrong'')', null, null),
	('job', 'viewers', 'nobody', 'its maker', 'nobody', null, null, null),
	('job_run', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('metric', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('model', 'members', 'nobody', 'workers', 'nobody', null, null, null),
	('model_card_field', 'viewers', 'scientists', 'scientists', 'scientists', '(model_id, name, value) values ({spare}, ''purpose'', ''"triage"'')', null, null),
	('model_chunk', 'scientists', 'nobody', 'nobody', 'nobody', null, null, null),
	('model_signature', 'members', 'nobody', 'nobody', 'nobody', null, null, null),
	('model_version', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('monitor', 'viewers', 'nobody', 'operators', 'nobody', null, null, null),
	('monitor_action', 'viewers', 'operators', 'operators', 'operators', '(monitor_id, action, severity, every) values ({monitor}, ''finding'', ''critical'', ''1 day'')', null, null),
	('monitor_reference', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('monitor_result', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('outcome', 'viewers', 'predictors', 'nobody', 'nobody', '(model_id, prediction_id, value) values ({diagnosis}, 1, ''benign'')', null, null),
	('outcome_binding', 'testers', 'nobody', 'nobody', 'nobody', null, null, null),
	('policy', 'viewers', 'owners', 'nobody', 'nobody', '(project_id, body) values ({clinic}, ''{}'')', null, null),
	('prediction', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('prediction_error', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('prediction_features', 'reviewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('project', 'viewers', 'everybody', 'owners', 'nobody', '(name) values (''another'')', null, null),
	('project_member', 'viewers', 'owners', 'nobody', 'owners', '(project_id, member, access) values ({clinic}, ''sten_stranger'', ''viewer'')', null, 'where access = ''viewer'''),
	('raised_alert', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('reference_model', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('reference_profile', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('reference_sample', 'reviewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('reference_slice', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('request', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('retention', 'viewers', 'owners', 'owners', 'owners', '(model_id, keep) values ({spare}, ''1 year'')', null, null),
	('review', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('revocation', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('run', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('run_param', 'viewers', 'scientists', 'nobody', 'nobody', '(run_id, name, value) values ({run}, ''colour'', ''"red"'')', null, null),
	('run_source', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('run_tag', 'viewers', 'scientists', 'scientists', 'scientists', '(run_id, name, value) values ({run}, ''colour'', ''red'')', null, null),
	('snapshot', 'viewers', 'nobody', 'nobody', 'nobody', null, null, null),
	('snapshot_row', 'scientists', 'nobody', 'nobody', 'nobody', null, null, null),
	('subscription', 'viewers', 'viewers', 'nobody', 'viewers', '(object_kind, object_id) values (''model'', {spare})', null, null),
	('access', 'viewers', '', '', '', null, null, null),
	('alert', 'viewers', '', '', '', null, null, null),
	('algorithm', 'everybody', '', '', '', null, null, null),
	('algorithm_parameter', 'everybody', '', '', '', null, null, null),
	('capture_status', 'viewers', '', '', '', null, null, null),
	('captured', 'viewers', '', '', '', null, null, null),
	('card_field', 'everybody', '', '', '', null, null, null),
	('drift', 'viewers', '', '', '', null, null, null),
	('health', 'viewers', '', '', '', null, null, null),
	('inbox', 'whom it names', '', '', '', null, null, null),
	('inventory', 'viewers', '', '', '', null, null, null),
	('model_cache', 'members', '', '', '', null, null, null),
	('monitor_metric', 'everybody', '', '', '', null, null, null),
	('monitor_window', 'viewers', '', '', '', null, null, null),
	('outcome_coverage', 'viewers', '', '', '', null, null, null),
	('performance', 'viewers', '', '', '', null, null, null),
	('portfolio', 'viewers', '', '', '', null, null, null),
	('progress', 'viewers', '', '', '', null, null, null),
	('quality', 'viewers', '', '', '', null, null, null),
	('runs', 'viewers', '', '', '', null, null, null),
	('version_stage', 'viewers', '', '', '', null, null, null);

-- Functions that ask for a right, each with a call.  visible: who is told that the object is there: whoever else may not is refused with 42501,
-- and who is not told with 42704; refusal: what they get where it is something else, or "nothing" for no rows.
create temporary table matrix_function (name text primary key, allowed text not null, visible text, refusal text, call text);
insert into matrix_function values
	('accessible_projects', 'viewers', null, 'nothing', 'select * from mlops.accessible_projects(''view'')'),
	('acknowledge_alert', 'operators', 'viewers', null, 'select mlops.acknowledge_alert({alert}, ''seen'')'),
	('add_comment', 'viewers', 'members', null, 'select mlops.add_comment(''model diagnosis'', ''why?'')'),
	('add_test', 'testers', 'members', null, 'select mlops.add_test(''diagnosis'', ''another answer'', ''select ''''{model}'''' as asked'', ''asked <> '''''''''')'),
	('approve', 'reviewers', 'members', null, 'select mlops.approve(''diagnosis'', 3)'),
	('bind_outcomes', 'predictors', 'members', null, 'select mlops.bind_outcomes(''spare'', ''select ''''a'''' as entity_key, ''''b'''' as label, now() as observed_at'')'),
	('cancel_job', 'its maker', null, '42501 42704', 'select mlops.cancel_job({job})'),
	('coefficients', 'scientists', 'members', null, 'select * from mlops.coefficients(''cells'')'),
	('comments', 'viewers', 'members', null, 'select * from mlops.comments(''model diagnosis'')'),
	('compare', 'viewers', null, '42704', 'select * from mlops.compare(array[{run}])'),
	('create_experiment', 'scientists', 'viewers', null, 'select mlops.create_experiment(''clinic'', ''second steps'')'),
	('create_monitor', 'workers', 'members', null, 'select mlops.create_monitor(''cells'', ''another'')'),
	('create_prediction_view', 'predictors', 'members', null, 'select mlops.create_prediction_view(''answer'', ''cells'', ''public.cell'', ''id'')'),
	('decide', 'reviewers', 'members', null, 'select mlops.decide(''diagnosis'', 3, ''approved'', null, null, null, null, null)'),
	('deploy', 'operators', 'members', null, 'select mlops.deploy(''diagnosis'', 1)'),
	('deployed_at', 'viewers', 'members', null, 'select mlops.deployed_at(''diagnosis'', now())'),
	('diff_snapshots', 'viewers', null, '42704', 'select * from mlops.diff_snapshots({snapshot}, {snapshot})'),
	('drop_alias', 'operators', 'members', null, 'select mlops.drop_alias(''diagnosis'', ''champion'')'),
	('drop_model', 'owners', 'members', null, 'select mlops.drop_model(''spare'')'),
	('drop_monitor', 'operators', 'viewers', null, 'select mlops.drop_monitor({monitor})'),
	('drop_test', 'reviewers', 'members', null, 'select mlops.drop_test(''diagnosis'', ''some answer'')'),
	('evaluate', 'viewers', 'members', null, 'select * from mlops.evaluate(''cells'')'),
	('explain', 'predictors', 'members', null, 'select * from mlops.explain(''cells'', ''{"radius": 1}''::jsonb)'),
	('explain_batch', 'predictors', 'members', null, 'select * from mlops.explain_batch(''cells'', ''public.cell'')'),
	('explain_class', 'predictors', 'members', null, 'select * from mlops.explain_class(''cells'', ''{"radius": 1}''::jsonb, ''true'')'),
	('explain_interactions', 'predictors', 'members', null, 'select * from mlops.explain_interactions(''leaves'', ''{"radius": 1}''::jsonb)'),
	('explain_text', 'predictors', 'members', null, 'select mlops.explain_text(''cells'', ''{"radius": 1}''::jsonb)'),
	('export_model', 'scientists', 'members', null, 'select mlops.export_model(''cells'')'),
	('find', 'viewers', null, 'nothing', 'select * from mlops.find(''diagnosis'')'),
	('find_object', 'viewers', 'members', null, 'select * from mlops.find_object(''model diagnosis'')'),
	('find_project', 'viewers', null, '42704', 'select mlops.find_project(''clinic'', ''view'')'),
	('forget', 'owners', 'members', null, 'select mlops.forget(''diagnosis'', ''patient 1'')'),
	('grant_access', 'owners', 'viewers', null, 'select mlops.grant_access(''clinic'', ''sten_stranger'', ''viewer'')'),
	('ice', 'predictors', 'members', null, 'select * from mlops.ice(''cells'', ''public.cell'', ''radius'')'),
	('import_model', 'scientists', 'members', null, 'select mlops.import_model(''copy'', (select model from shelf), ''clinic'')'),
	('importance', 'viewers', 'members', null, 'select * from mlops.importance(''leaves'')'),
	('leaderboard', 'viewers', null, '42704', 'select * from mlops.leaderboard(''first steps'')'),
	('lineage', 'viewers', null, 'nothing 42704', 'select * from mlops.lineage(''diagnosis'')'),
	('lock_for_review', 'reviewers', null, '42501', 'select mlops.lock_for_review({diagnosis})'),
	('lock_model', 'workers', null, '42704', 'select mlops.lock_model({diagnosis})'),
	('log_metric', 'scientists', 'viewers', null, 'select mlops.log_metric({run}, ''cost'', 1)'),
	('log_note', 'viewers', null, '42704', 'select mlops.log_note({run}, ''a note'')'),
	('log_param', 'scientists', 'viewers', null, 'select mlops.log_param({run}, ''colour'', ''red''::text)'),
	('log_run', 'scientists', 'members', null, 'select mlops.log_run(''elsewhere'', ''binary'', ''malignant'', ''net'', project => ''clinic'')'),
	('log_tag', 'scientists', 'viewers', null, 'select mlops.log_tag({run}, ''colour'', ''red'')'),
	('mean_influence', 'predictors', 'members', null, 'select * from mlops.mean_influence(''cells'', ''public.cell'')'),
	('model_card', 'viewers', 'members', null, 'select mlops.model_card(''cells'')'),
	('model_card_text', 'viewers', 'members', null, 'select mlops.model_card_text(''cells'')'),
	('on_alert', 'operators', 'viewers', null, 'select mlops.on_alert({monitor}, ''finding'')'),
	('partial_dependence', 'predictors', 'members', null, 'select * from mlops.partial_dependence(''cells'', ''public.cell'', ''radius'')'),
	('predict', 'predictors', 'members', null, 'select mlops.predict(''cells'', ''{"radius": 1}''::jsonb)'),
	('predict_all', 'predictors', 'members', null, 'select mlops.predict_all(''cells'', ''{"radius": 1}''::jsonb)'),
	('predict_batch', 'predictors', 'members', null, 'select * from mlops.predict_batch(''cells'', ''public.cell'')'),
	('predict_class', 'predictors', 'members', null, 'select mlops.predict_class(''cells'', ''{"radius": 1}''::jsonb)'),
	('predict_proba', 'predictors', 'members', null, 'select mlops.predict_proba(''cells'', ''{"radius": 1}''::jsonb)'),
	('predict_top', 'predictors', 'members', null, 'select * from mlops.predict_top(''cells'', ''{"radius": 1}''::jsonb)'),
	('recipe', 'viewers', 'members', null, 'select * from mlops.recipe(''cells'')'),
	('record_outcome', 'predictors', 'members', null, 'select mlops.record_outcome(''diagnosis'', ''patient 1'', now(), ''benign'')'),
	('reference_answers', 'reviewers', null, 'nothing', 'select * from mlops.reference_answers({diagnosis}, 1)'),
	('reference_rows', 'reviewers', null, 'nothing', 'select * from mlops.reference_rows({diagnosis}, 1)'),
	('reject', 'reviewers', 'members', null, 'select mlops.reject(''diagnosis'', 3, ''too few patients'')'),
	('reproduce', 'scientists', 'viewers', null, 'select * from mlops.reproduce({cells_run})'),
	('request_review', 'settlers', 'members', null, 'select mlops.request_review(''diagnosis'', 1)'),
	('resolve_model', 'members', 'members', null, 'select * from mlops.resolve_model(''diagnosis'')'),
	('retrain', 'scientists', 'members', null, 'select * from mlops.retrain(''cells'', ''select * from public.cell'', ''never'')'),
	('revoke', 'deciders', 'members', null, 'select mlops.revoke(''diagnosis'', 1, ''the scale was wrong'')'),
	('revoke_access', 'owners', 'viewers', null, 'select mlops.revoke_access(''clinic'', ''extra_viewer'')'),
	('role_report', 'viewers', null, 'nothing', 'select * from mlops.role_report()'),
	('rollback', 'operators', 'members', null, 'select * from mlops.rollback(''diagnosis'')'),
	('route_alerts', 'operators', null, '42704', 'select mlops.route_alerts(''clinic'', ''log'')'),
	('run_monitor', 'workers', 'viewers', null, 'select * from mlops.run_monitor({watch})'),
	('run_tests', 'settlers', 'members', null, 'select * from mlops.run_tests(''diagnosis'', 1)'),
	('score', 'predictors', 'members', null, 'select * from mlops.score(''cells'', ''a cell'', ''{"radius": 1}''::jsonb)'),
	('score_table', 'predictors', 'members', null, 'select mlops.score_table(''cells'', ''select * from public.cell'', ''public.scored'', ''id'')'),
	('search', 'viewers', null, 'nothing', 'select * from mlops.search(''rows_train > 0'')'),
	('set_alias', 'operators', 'members', null, 'select mlops.set_alias(''diagnosis'', ''challenger'', 1)'),
	('set_card', 'scientists', 'members', null, 'select mlops.set_card(''diagnosis'', ''{"purpose": "triage"}'')'),
	('set_policy', 'owners', 'viewers', null, 'select mlops.set_policy(''clinic'', ''{}'')'),
	('set_retention', 'owners', 'members', null, 'select mlops.set_retention(''diagnosis'', ''1 year'')'),
	('subscribe', 'viewers', 'members', null, 'select mlops.subscribe(''model spare'')'),
	('take_snapshot', 'scientists', 'members', null, 'select mlops.take_snapshot(''select 1 as one'', project => ''clinic'')'),
	('timeline', 'viewers', 'members', null, 'select * from mlops.timeline(''diagnosis'')'),
	('train', 'scientists', 'members', null, 'select * from mlops.train(''more'', ''public.cell'', ''malignant'', ''baseline'', project => ''clinic'')'),
	('tree_text', 'scientists', 'members', null, 'select mlops.tree_text(''leaves'')'),
	('trees', 'scientists', 'members', null, 'select * from mlops.trees(''leaves'')'),
	('undeploy', 'operators', 'members', null, 'select mlops.undeploy(''diagnosis'')'),
	('unsubscribe', 'viewers', 'members', null, 'select mlops.unsubscribe(''model diagnosis'')'),
	('what_if', 'predictors', 'members', null, 'select * from mlops.what_if(''cells'', ''{"radius": 1}''::jsonb, ''{"radius": 2}'')'),
	('why_not', 'viewers', 'members', null, 'select * from mlops.why_not(''diagnosis'', 1)');

-- Functions that everybody may call: they compute from what they are given, or read with the rights of whoever calls, or are about what the caller made.
insert into matrix_function (name, allowed)
select name, 'everybody' from unnest(regexp_split_to_array($$
	adjust_p approval_checks approval_counts artifact_from_bytea artifact_in artifact_out artifact_recv artifact_send artifact_to_bytea
	artifact_to_jsonb binary_performance binary_performance_finish calibration calibration_finish calibration_query can_capture capture_settings
	captured_rows cbpe cbpe_finish cbpe_query cell_counts champion_version chance_of_rate check_outcomes_job check_policy check_quality
	check_rows chi2 class_performance class_performance_count class_performance_finish clock column_differences column_distances compare_cells
	compare_column compare_profiles compare_rates compute_monitor compute_window condition_facts condition_holds condition_names cramers_v
	create_project decode_features decoded_columns describe distribution_from_bytea distribution_in distribution_out distribution_recv
	distribution_send distribution_to_bytea distribution_to_jsonb dle_query domain_auc drift_metrics energy fairness_query flush_capture g_test
	gate_checks gate_refusal gate_state has_query_of hellinger is_fact is_label is_restoring isotonic isotonic_finish isotonic_value job_session
	js_distance_base2 js_divergence_bits judge_components judge_domain judge_fairness judge_metrics judge_test kl ks ks_exact ks_exact_count
	ks_exact_finish ks_exact_merge l_inf larger_is_better learned_from lineage_of list_algorithms list_cached_models list_capture
	list_parameters list_progress main_metric mean_shift merge metric_interval metric_names monitor_attribution monitor_calibration
	monitor_columns monitor_estimated monitor_fairness monitor_health monitor_multivariate monitor_realised monitor_references monitor_version
	ndcg ndcg_finish next_run no_value noise_floor normal_tail object_project perform_action performance_query plain_type policy_in_force
	positive_label pr_auc pr_auc_finish predict_support prediction_time preset_threshold profile profile_count profile_kind profile_merge psi
	psi_equivalent quantile read_bound_outcomes read_number read_outcomes reconstruction_error reference_count reference_counts reference_of_query
	reference_performance reference_query reference_source regression_performance regression_performance_finish review_level rights_of roc_auc
	roc_auc_finish rows_count rows_merge run_outcomes_job schedule_job segment_rows slice_scores slice_threshold source_columns source_rows
	stage_of standing_decisions student_quantile student_tail submit subtract test_facts training_drift tvd two_proportions unschedule_job
	usual_metrics usual_windows version_authors version_facts version_reference wait_for wasserstein wasserstein_normed weigh_drift window_columns
	window_end window_p window_profiles window_query window_sample window_scores window_start
$$, '\s+')) name where name <> '';

-- Functions that only the extension calls: triggers, and what C and jobs call as the extension's owner, after they checked the caller.
insert into matrix_function (name, allowed)
select name, 'nobody' from unnest(regexp_split_to_array($$
	acceptance_test_begins act_on_alert apply_retention approval_begins approval_finding audit_event_restores audit_head broken_sources
	card_field_is_valid compare_reproduction deployment_begins deployment_captures deployment_ends deployment_gate end_run find_capture_layout
	finish_action guard_live_sources guard_sources is_dumped is_half_restored make_prediction_partition model_predictions_go monitor_job_goes
	monitor_windows note_event object_stamp outcome_stamp plan_action plan_jobs policy_begins project_keeps_owner project_owner queue_statement
	raise_alerts record_alias record_event refuse_change remove_old_predictions reproduce_plan retrain_plan run_housekeeping_job
	run_param_is_new send_alert setter_stamp store_reported_metric store_reported_run store_results store_review store_revocation store_source
	tell_comment verify_audit version_changes wake_jobs worker_stamp
$$, '\s+')) name where name <> '';
