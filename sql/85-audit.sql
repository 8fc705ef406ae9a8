-- The record's triggers: on every table that people govern with.
--
-- A table is listed here, or among those that test/tap/every_table_is_recorded.sql says are not: evidence, which is written once by the server
-- and stays, and what is counted, captured or queued.  Triggers fire always: session_replication_role does not switch them off.

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

-- After each row, and after TRUNCATE.  Of some tables the server itself changes columns all the time: those are left out of "update of".
do $$
declare
	governed record;
begin
	for governed in
		select t.*
		  from (values ('project', null, ''), ('project_member', null, ''), ('experiment', null, ''),
					   ('model', 'project_id, name, description', ''), ('model_version', null, ''),
					   ('alias', null, ''), ('deployment', null, ''),
					   ('retention', null, ''), ('outcome_binding', 'source, settings, lateness, owner_name, session_user_name', '''source'''),
					   ('monitor', null, ''), ('acknowledgement', null, ''), ('finding', null, ''),
					   ('alert_route', null, ''), ('monitor_action', null, ''),
					   ('job', 'name, kind, args, schedule, enabled, owner, session_role, settings, project_id, max_attempts, retry_delay', '')
			   ) t (name, written, secret)
	loop
		execute format('create trigger audit_%s after insert or delete or update%s on mlops.%I for each row execute function mlops.record_event(%s)',
					   governed.name, ' of ' || governed.written, governed.name, governed.secret);
		execute format('create trigger audit_%s_truncate after truncate on mlops.%I for each statement execute function mlops.record_event()',
					   governed.name, governed.name);
		execute format('alter table mlops.%I enable always trigger audit_%s', governed.name, governed.name);
		execute format('alter table mlops.%I enable always trigger audit_%s_truncate', governed.name, governed.name);
	end loop;
end
$$;

revoke execute on function mlops.audit_event_restores(), mlops.record_event() from public;
