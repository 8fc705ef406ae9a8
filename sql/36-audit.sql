-- The record: what was done that must be known later, as a chain of hashes.
--
-- Nobody writes here.  Triggers (85-audit.sql) collect events in memory, and C appends them just before the commit; what was written stays.

create table mlops.audit_event
(
	seq			bigint primary key check (seq > 0),
	at			timestamptz not null,
	project_id	bigint check (project_id > 0),
	actor		text not null,
	role		text not null,
	action		text not null,
	object		text not null,
	before		jsonb check (jsonb_typeof(before) = 'object'),
	after		jsonb check (jsonb_typeof(after) = 'object'),
	prev_hash	bytea not null check (octet_length(prev_hash) = 32),
	hash		bytea not null check (octet_length(hash) = 32)
);
comment on table mlops.audit_event is 'What was done that must be known later: who, when, to what; each event holds the hash of the one before, so that mlops.verify_audit() finds what was changed';
comment on column mlops.audit_event.seq is 'From 1, in the order of commits, without gaps';
comment on column mlops.audit_event.at is 'When it was done; the commit came later';
comment on column mlops.audit_event.project_id is 'Whose members see it; NULL: superusers only';
comment on column mlops.audit_event.actor is 'Who had connected: session_user';
comment on column mlops.audit_event.role is 'As whom: the role that was set, else session_user';
comment on column mlops.audit_event.action is 'insert, update, delete or truncate; forget, finding, retrain or rollback where a function says more';
comment on column mlops.audit_event.object is 'The table and the row''s key';
comment on column mlops.audit_event.before is 'The row as it was; NULL: there was none';
comment on column mlops.audit_event.after is 'The row as it is then, or what the function says; NULL: there is none';
comment on column mlops.audit_event.prev_hash is 'The hash of the event before; of the first, zeros';
comment on column mlops.audit_event.hash is 'SHA-256 of prev_hash and of the text of the jsonb array of the columns before it, with the microseconds since 1970 for at, in UTF-8';

alter table mlops.audit_event enable row level security;
grant select on mlops.audit_event to public;
create policy audit_event_view on mlops.audit_event for select
	using (project_id in (select mlops.accessible_projects('view')));

create function mlops.note_event(project_id bigint, action text, object text, detail jsonb) returns void
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_note_event';
comment on function mlops.note_event(bigint, text, text, jsonb) is 'Has the transaction leave an event in mlops.audit_event when it commits; for functions of ours';

create function mlops.verify_audit() returns table (seq bigint, problem text)
language c stable parallel restricted as 'MODULE_PATHNAME', 'mlops_verify_audit';
comment on function mlops.verify_audit() is
'Where the chain of events is broken: events that were changed, replaced, moved or removed; no rows where it holds. What was cut off at its end shows against a head that was kept elsewhere';

create function mlops.audit_head(out seq bigint, out hash bytea)
language c stable parallel restricted as 'MODULE_PATHNAME', 'mlops_audit_head';
comment on function mlops.audit_head() is 'Number and hash of the last event, to be kept where nobody who can write here can write; NULLs where there is none';

-- How many events there are tells of other people's projects: the DBA grants these.
revoke execute on function mlops.note_event(bigint, text, text, jsonb), mlops.verify_audit(), mlops.audit_head() from public;
