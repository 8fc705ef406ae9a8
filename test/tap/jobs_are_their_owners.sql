-- A job is its owner's: others neither see nor change it; members of its project see it.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/registry.sql
create role ann login;
create role bob login;
alter role sam_scientist login;
grant ann to bob;
set local session authorization ann;
select mlops.submit('sql', '{"statement": "select 1"}') as once \gset
select mlops.schedule_job('nightly', '15 2 * * *', 'sql', '{"statement": "select 1"}') as nightly \gset
reset session authorization;

select plan(27);
set local role ann;
select is((select count(*) from mlops.job), 2::bigint, 'an owner sees jobs');
select is((select count(*) from mlops.job_run), 1::bigint, 'and runs');
select matches(pg_temp.refusal($$insert into mlops.job (kind, args, owner, session_role, settings) values ('sql', '{}', 'postgres', 'postgres', '{}')$$), '^42501 ', 'a job is not inserted');
select matches(pg_temp.refusal($$insert into mlops.job_run (job_id, kind) values (1, 'sql')$$), '^42501 ', 'nor a run');
select matches(pg_temp.refusal($$update mlops.job set owner = 'anna_owner'$$), '^42501 ', 'nobody is made an owner');
select matches(pg_temp.refusal($$update mlops.job set args = '{}'$$), '^42501 ', 'what was checked stays');
select matches(pg_temp.refusal($$update mlops.job_run set state = 'succeeded'$$), '^42501 ', 'so does what was done');
select matches(pg_temp.refusal($$delete from mlops.job$$), '^42501 ', 'and that there was something');
select is(pg_temp.refusal($$update mlops.job set enabled = false where name = 'nightly'$$), 'accepted', 'a job may be switched off');
select is((select enabled from mlops.job where name = 'nightly'), false, 'and is');
select matches(pg_temp.refusal($$select mlops.end_run(1, 'succeeded', null, false)$$), '^42501 ', 'the workers'' functions are theirs');
select matches(pg_temp.refusal($$select mlops.plan_jobs('{}', '{}', 1)$$), '^42501 ', 'all of them');
create temporary table ours (id int);
select matches(pg_temp.refusal($$create trigger t after insert on ours for each statement execute function mlops.wake_jobs()$$), '^42501 ', 'and so are triggers');
set local role sten_stranger;
select is((select count(*) from mlops.job) + (select count(*) from mlops.job_run), 0::bigint, 'a stranger sees nothing');
select matches(pg_temp.refusal(format('select mlops.cancel_job(%s)', :once)), '^42704 ', 'and cannot cancel');
select matches(pg_temp.refusal(format('select mlops.wait_for(%s, ''1 ms'')', :once)), '^42704 ', 'nor wait');
select matches(pg_temp.refusal($$select mlops.unschedule_job('nightly')$$), '^42704 ', 'nor unschedule');
set local role bob;
select is((select count(*) from mlops.job), 2::bigint, 'a member of the owner''s role sees jobs');
select is(mlops.cancel_job(:once), true, 'and cancels them');
select is((select state || ': ' || message from mlops.job_run where job_id = :once), 'cancelled: cancelled before it began', 'which is recorded');
select is(mlops.cancel_job(:once), false, 'once');
set local role vera_viewer;
select is((select count(*) from mlops.job), 1::bigint, 'a viewer sees the project''s jobs');
select is((select count(*) from mlops.job_run), 1::bigint, 'and their runs');
select matches(pg_temp.refusal($$select mlops.cancel_job(id) from mlops.job$$), '^42501 .*sam_scientist', 'but cannot cancel them');
set local role paul_predictor;
select is((select count(*) from mlops.job), 0::bigint, 'a predictor does not');
set local role ann;
select is(mlops.unschedule_job('nightly'), :nightly::bigint, 'an owner removes a schedule');
select is((select count(*) from mlops.job where name is not null), 0::bigint, 'for good');
reset role;
select * from finish();
rollback;
