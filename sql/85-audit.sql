-- The record's triggers: on every table, but those that are named here: what the server writes once of trainings and monitors and which stays,
-- what is counted, captured, queued or received, and rows that broke tests, which must not stay.  Reviews, the evidence for them and revocations
-- are recorded.  A table that is added is recorded unless it is named.  Triggers fire always: session_replication_role does not switch them off.

-- ---- The record itself: rows come from the server, or out of a dump, and stay ----

create function mlops.audit_event_restores() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if not mlops.is_restoring() then
		raise exception 'mlops.audit_event is written by the server'
			using errcode = 'object_not_in_prerequisite_state', hint = 'What is done to the tables of mlops is recorded by itself.';
	end if;
	return new;
end
$$;
comment on function mlops.audit_event_restores() is 'Trigger: events are inserted by a restore only; the server writes them without asking triggers';

create trigger audit_event_restores before insert on mlops.audit_event
	for each row execute function mlops.audit_event_restores();
create trigger audit_event_immutable before update or delete on mlops.audit_event
	for each row execute function mlops.refuse_change();
create trigger audit_event_keep before truncate on mlops.audit_event
	for each statement execute function mlops.refuse_change();

-- ---- What is recorded ----

create function mlops.record_event() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_record_event';
comment on function mlops.record_event() is
'Trigger: has the transaction leave an event in mlops.audit_event; arguments are columns that not all who view may read, of which it has the SHA-256';

-- After each row, and after TRUNCATE.  Where the server itself changes columns all the time, updates of the others are recorded.
do $$
declare
	unrecorded constant text[] := '{snapshot,snapshot_row,run,run_source,metric,model_signature,model_chunk,alias_history,
		prediction,prediction_features,capture_layout,capture_count,prediction_error,request,outcome,
		reference_profile,reference_slice,reference_model,reference_sample,
		monitor_reference,monitor_result,raised_alert,alert_outbox,action_run,comparison,job_run,evidence_row,audit_event}';
	written constant jsonb := '{"model": "project_id, name, description",
								"outcome_binding": "source, settings, lateness, owner_name, session_user_name",
								"job": "name, kind, args, schedule, enabled, owner, session_role, settings, project_id, max_attempts, retry_delay"}';
	secret constant jsonb := '{"outcome_binding": "source", "evidence": "detail"}';
	recorded name;
begin
	for recorded in
		select c.relname from pg_catalog.pg_class c
		 where c.relnamespace operator(pg_catalog.=) 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
		   and c.relname::text operator(pg_catalog.<>) all (unrecorded)
		 order by c.relname
	loop
		execute format('create trigger audit_%1$s after insert or delete or update%2$s on mlops.%1$I for each row execute function mlops.record_event(%3$s)',
					   recorded, ' of ' || (written ->> recorded), quote_literal(secret ->> recorded));
		execute format('create trigger audit_%1$s_truncate after truncate on mlops.%1$I for each statement execute function mlops.record_event()', recorded);
		execute format('alter table mlops.%1$I enable always trigger audit_%1$s, enable always trigger audit_%1$s_truncate', recorded);
	end loop;
end
$$;

revoke execute on function mlops.audit_event_restores(), mlops.record_event() from public;
