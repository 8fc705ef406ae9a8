-- The record is written by the server alone, and stays: for a superuser, too.
\ir include/begin.sql
\ir include/registry.sql
\ir include/refusal.sql
select plan(15);

select unnest(array[
	matches(pg_temp.refusal($$insert into mlops.audit_event values (2, now(), null, 'a', 'a', 'forget', 'model x', null, null, sha256('x'), sha256('x'))$$),
			'^55000 mlops.audit_event is written by the server'),
	matches(pg_temp.refusal($$update mlops.audit_event set actor = 'nobody'$$), '^55000'),
	matches(pg_temp.refusal('delete from mlops.audit_event'), '^55000'),
	matches(pg_temp.refusal('truncate mlops.audit_event'), '^55000')]);

set local role anna_owner;
select unnest(array[
	matches(pg_temp.refusal($$insert into mlops.audit_event values (2, now(), null, 'a', 'a', 'forget', 'model x', null, null, sha256('x'), sha256('x'))$$), '^42501'),
	matches(pg_temp.refusal($$update mlops.audit_event set actor = 'nobody'$$), '^42501'),
	matches(pg_temp.refusal('delete from mlops.audit_event'), '^42501'),
	matches(pg_temp.refusal('truncate mlops.audit_event'), '^42501'),
	matches(pg_temp.refusal($$select mlops.note_event(1, 'forget', 'model x', '{}')$$), '^42501'),
	matches(pg_temp.refusal('select * from mlops.verify_audit()'), '^42501'),
	matches(pg_temp.refusal('select mlops.audit_head()'), '^42501'),
	matches(pg_temp.refusal($$create temporary table t (i int); create trigger t after insert on t for each row execute function mlops.record_event()$$), '^42501')]);
reset role;

-- a trigger of ours, put on other tables by who may
create table public.other (id bigint);
create trigger other after insert on public.other for each row execute function mlops.record_event();
select matches(pg_temp.refusal('insert into public.other values (1)'), '^39P01 mlops.record_event\(\) is a trigger of tables of mlops');

-- whom the DBA lets check, checks all of it without seeing any of it
grant execute on function mlops.verify_audit(), mlops.audit_head() to sten_stranger;
set local role sten_stranger;
select is((select count(*) from mlops.audit_event), 0::bigint, 'an auditor of the chain sees no events');
select is((select seq || ' ' || problem from mlops.verify_audit()), '1 the event was changed: its hash is not that of its content', 'but what is wrong');
reset role;
select * from finish();
rollback;
