-- Every table is recorded in mlops.audit_event row by row and when truncated, whatever session_replication_role says, or is listed here as one that is not.
\ir include/begin.sql
select plan(5);

-- What the server writes once of trainings and monitors, what is counted, captured, queued or received, and rows that broke tests; as 85-audit.sql has it.
create temporary table unrecorded (name text);
insert into unrecorded values
	('snapshot'), ('snapshot_row'), ('run'), ('run_source'), ('metric'), ('model_signature'), ('model_chunk'), ('alias_history'),
	('prediction'), ('prediction_features'), ('capture_layout'), ('capture_count'), ('prediction_error'), ('request'), ('outcome'),
	('reference_profile'), ('reference_slice'), ('reference_model'), ('reference_sample'),
	('monitor_reference'), ('monitor_result'), ('raised_alert'), ('alert_outbox'), ('action_run'), ('comparison'),
	('job_run'), ('evidence_row'), ('audit_event');

create temporary view recorded as
select c.relname as name,
	   bool_or((t.tgtype & 1) = 1 and (t.tgtype & 2) = 0 and (t.tgtype & 28) = 28) as rows,
	   bool_or((t.tgtype & 1) = 0 and (t.tgtype & 2) = 0 and (t.tgtype & 32) = 32) as truncation,
	   bool_and(t.tgenabled = 'A' and t.tgqual is null) as always
  from pg_class c join pg_trigger t on t.tgrelid = c.oid
 where c.relnamespace = 'mlops'::regnamespace and t.tgfoid = 'mlops.record_event()'::regprocedure
 group by c.relname;

select is_empty($$
	select c.relname from pg_class c
	 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
	   and c.relname not in (select name from recorded) and c.relname not in (select name from unrecorded)
$$, 'every table is recorded, or is known not to be');
select is_empty('select name from recorded where not (rows and truncation and always)', 'inserts, updates, deletes and truncation, always');
select is_empty('select name from recorded intersect select name from unrecorded', 'none is both');
select is_empty($$select name from unrecorded except select relname from pg_class where relnamespace = 'mlops'::regnamespace$$, 'and each is there');

-- of columns: an update of one that people may write is recorded
select is_empty($$
	select c.relname, a.attname
	  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
	  join pg_trigger t on t.tgrelid = c.oid and t.tgfoid = 'mlops.record_event()'::regprocedure and (t.tgtype & 1) = 1
	 where c.relnamespace = 'mlops'::regnamespace and cardinality(t.tgattr::int2[]) > 0 and not a.attnum = any (t.tgattr::int2[])
	   and has_column_privilege('public', c.oid, a.attnum, 'update')
$$, 'every column that users may write is recorded');
select * from finish();
rollback;
