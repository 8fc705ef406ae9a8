-- What each level of access shows, table by table.
\ir include/begin.sql
\ir include/registry.sql
select mlops.deploy('diagnosis', 1);
select mlops.set_alias('diagnosis', 'champion', 1);

create function pg_temp.shown() returns text language plpgsql as $$
declare
	shown text := '';
	t record;
	n bigint;
begin
	for t in select relname from pg_class where relnamespace = 'mlops'::regnamespace and relkind in ('r', 'p') and not relispartition order by relname collate "C" loop
		execute format('select count(*) from mlops.%I', t.relname) into n;
		if n > 0 then
			shown := shown || ' ' || t.relname;
		end if;
	end loop;
	return ltrim(shown);
end
$$;

\set registry 'acceptance_test acknowledgement action_run alert_route alias alias_history approval audit_event capture_count capture_layout comment comparison deployment evidence experiment finding job job_run metric model model_card_field model_signature model_version monitor monitor_action monitor_reference monitor_result outcome policy prediction prediction_error project project_member raised_alert reference_model reference_profile reference_slice request retention review revocation run run_param run_source run_tag snapshot subscription'
\set with_features 'acceptance_test acknowledgement action_run alert_route alias alias_history approval audit_event capture_count capture_layout comment comparison deployment evidence evidence_row experiment finding job job_run metric model model_card_field model_signature model_version monitor monitor_action monitor_reference monitor_result outcome outcome_binding policy prediction prediction_error prediction_features project project_member raised_alert reference_model reference_profile reference_sample reference_slice request retention review revocation run run_param run_source run_tag snapshot subscription'
\set everything 'acceptance_test acknowledgement action_run alert_outbox alert_route alias alias_history approval audit_event capture_count capture_layout comment comparison deployment evidence evidence_row experiment finding job job_run metric model model_card_field model_chunk model_signature model_version monitor monitor_action monitor_reference monitor_result outcome outcome_binding policy prediction prediction_error prediction_features project project_member raised_alert reference_model reference_profile reference_sample reference_slice request retention review revocation run run_param run_source run_tag snapshot snapshot_row subscription'
\set with_bytes 'acceptance_test acknowledgement action_run alert_route alias alias_history approval audit_event capture_count capture_layout comment comparison deployment evidence experiment finding job job_run metric model model_card_field model_chunk model_signature model_version monitor monitor_action monitor_reference monitor_result outcome outcome_binding policy prediction prediction_error project project_member raised_alert reference_model reference_profile reference_slice request retention review revocation run run_param run_source run_tag snapshot snapshot_row subscription'
\set for_operators 'acceptance_test acknowledgement action_run alert_outbox alert_route alias alias_history approval audit_event capture_count capture_layout comment comparison deployment evidence experiment finding job job_run metric model model_card_field model_signature model_version monitor monitor_action monitor_reference monitor_result outcome policy prediction prediction_error project project_member raised_alert reference_model reference_profile reference_slice request retention review revocation run run_param run_source run_tag snapshot subscription'
select plan(6);
set local role vera_viewer;
select is(pg_temp.shown(), :'registry', 'a viewer sees the registry, not the bytes');
set local role paul_predictor;
select is(pg_temp.shown(), 'capture_layout model model_signature', 'a predictor sees names and signatures');
set local role sam_scientist;
select is(pg_temp.shown(), :'with_bytes', 'a scientist sees the bytes and the queries, too');
set local role rita_reviewer;
select is(pg_temp.shown(), :'with_features', 'a reviewer sees what a viewer sees, what models were asked, which rows broke tests, and which queries find outcomes');
set local role olga_operator;
select is(pg_temp.shown(), :'for_operators', 'an operator sees what a viewer sees, and messages to be sent');
set local role anna_owner;
select is(pg_temp.shown(), :'everything', 'an owner sees everything');
reset role;
select * from finish();
rollback;
