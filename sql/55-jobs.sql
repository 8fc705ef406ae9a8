-- Jobs: work without a client.  What is to be done is in mlops.job, what was done in mlops.job_run; background workers do it.
-- The launcher starts a scheduler where something is due; that runs mlops.plan_jobs(), which decides, and is gone; workers execute.

create function mlops.clock() returns timestamptz
language c volatile parallel safe as 'MODULE_PATHNAME', 'mlops_clock';
comment on function mlops.clock() is 'The time that schedules go by: now, or that of the setting mlops.now';

create function mlops.next_run(schedule text, after timestamptz default mlops.clock(), zone text default current_setting('TimeZone'),
							   "from" timestamptz default mlops.clock()) returns timestamptz
language c stable strict parallel safe as 'MODULE_PATHNAME', 'mlops_next_run';
comment on function mlops.next_run(text, timestamptz, text, timestamptz) is
'When a schedule is due next after a time: a cron expression of five fields in a time zone, or an interval counted from a time';

-- ---- Tables ----

create table mlops.job
(
	id			bigint generated always as identity primary key,
	name		text check (length(name) between 1 and 200),
	kind		text not null,
	args		jsonb not null,
	schedule	text,
	next_run	timestamptz,
	enabled		boolean not null default true,
	owner		regrole not null,
	session_role regrole not null,
	settings	jsonb not null,
	project_id	bigint references mlops.project on delete cascade,
	max_attempts integer not null default 3 check (max_attempts between 1 and 100),
	retry_delay	interval not null default '5 seconds' check (retry_delay > interval '0'),
	created_at	timestamptz not null default clock_timestamp(),
	constraint job_schedule_check check ((schedule is null) = (name is null) and (schedule is null) = (next_run is null))
);
comment on table mlops.job is 'Background work: submitted once, or scheduled under a name';
comment on column mlops.job.args is 'Arguments of its kind, checked when the job was made';
comment on column mlops.job.schedule is 'Interval or cron expression, in the time zone of settings; NULL: submitted, to run once';
comment on column mlops.job.next_run is 'When a run is due; NULL: submitted, to run once';
comment on column mlops.job.enabled is 'Whether runs are begun; the owner may change it';
comment on column mlops.job.owner is 'Whose rights it has: current_user when it was made';
comment on column mlops.job.session_role is 'Who connects: session_user when it was made, or the owner where a function had taken on its definer''s rights';
comment on column mlops.job.settings is 'search_path, TimeZone, DateStyle and IntervalStyle when it was made; its runs have them';
comment on column mlops.job.max_attempts is 'How often a run begins, where workers die or what fails may pass by itself';
comment on column mlops.job.retry_delay is 'Between the first two attempts; doubled each time, at most an hour';

create unique index job_name_key on mlops.job (owner, name);
create index job_due on mlops.job (next_run) where enabled;

create table mlops.job_run
(
	id			bigint generated always as identity primary key,
	job_id		bigint not null references mlops.job on delete cascade,
	kind		text not null,
	state		text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
	progress	double precision not null default 0,
	attempts	integer not null default 0,
	message		text,
	queued_at	timestamptz not null default mlops.clock(),
	not_before	timestamptz not null default mlops.clock(),
	started_at	timestamptz,
	finished_at	timestamptz,
	checkpoint	jsonb
);
comment on table mlops.job_run is 'What became of a job, each time that it was due';
comment on column mlops.job_run.progress is 'From 0 to 1, as committed; mlops.progress shows what goes on now';
comment on column mlops.job_run.attempts is 'How often a worker began it';
comment on column mlops.job_run.message is 'What it did, or why it failed';
comment on column mlops.job_run.not_before is 'When a worker may begin it: later than queued_at where an attempt failed';
comment on column mlops.job_run.started_at is 'When the last attempt began';
comment on column mlops.job_run.checkpoint is 'Where the next attempt goes on';

create index job_run_job on mlops.job_run (job_id, id);
create index job_run_unfinished on mlops.job_run (not_before, id) where finished_at is null;

-- ---- Security: a job is its owner's; members of its project see it ----

grant select on mlops.job, mlops.job_run to public;
alter table mlops.job enable row level security;
grant update (enabled) on mlops.job to public;
create policy job_view on mlops.job for select
	using (pg_catalog.pg_has_role(owner, 'usage') or project_id in (select mlops.accessible_projects('view')));
create policy job_switch on mlops.job for update
	using (pg_catalog.pg_has_role(owner, 'usage'));
alter table mlops.job_run enable row level security;
create policy job_run_view on mlops.job_run for select
	using (job_id in (select j.id from mlops.job j));

-- ---- The launcher hears of new work when it is committed, whoever writes it: a function of ours, or a restore ----

create function mlops.wake_jobs() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_wake_jobs';
comment on function mlops.wake_jobs() is 'Trigger: when the transaction commits, the launcher looks for work here';
revoke execute on function mlops.wake_jobs() from public;

create trigger job_wake after insert or update of enabled, schedule, next_run on mlops.job
	for each statement execute function mlops.wake_jobs();
create trigger job_run_wake after insert on mlops.job_run
	for each statement execute function mlops.wake_jobs();

-- ---- What users call ----

create function mlops.submit(kind text, args jsonb default '{}', max_attempts integer default 3, retry_delay interval default '5 seconds') returns bigint
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_submit';
comment on function mlops.submit(text, jsonb, integer, interval) is
'Has a background worker do something once, when the caller''s transaction has committed: train, score_table, monitor or sql; the job''s id';

create function mlops.schedule_job(name text, schedule text, kind text, args jsonb default '{}', max_attempts integer default 3,
								   retry_delay interval default '5 seconds') returns bigint
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_schedule_job';
comment on function mlops.schedule_job(text, text, text, jsonb, integer, interval) is
'Has a background worker do something again and again, by an interval or a cron expression; replaces the caller''s job of this name; the job''s id';

create function mlops.unschedule_job(name text) returns bigint
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_unschedule_job';
comment on function mlops.unschedule_job(text) is 'Removes a scheduled job of the caller''s with its runs, and cancels one that is under way; the job''s id';

create function mlops.cancel_job(job_id bigint) returns boolean
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_cancel_job';
comment on function mlops.cancel_job(bigint) is 'Cancels the run of a job that is queued or running; false where there is none. A schedule goes on';

create function mlops.wait_for(job_id bigint, timeout interval default '1 hour') returns text
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_wait_for';
comment on function mlops.wait_for(bigint, interval) is
'Waits until the newest run of a job has ended; its state: succeeded, failed or cancelled. An error only where the time is over';

-- ---- What the workers call, as the extension's owner ----

create function mlops.end_run(run_id bigint, outcome text, message text, again boolean) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	ended text;
begin
	update mlops.job_run r
	   set state = case when next.again then 'queued' else end_run.outcome end,
		   progress = case end_run.outcome when 'succeeded' then 1 else r.progress end,
		   message = coalesce(end_run.message, r.message),
		   not_before = case when next.again then mlops.clock() + next.delay else r.not_before end,
		   finished_at = case when not next.again then mlops.clock() end
	  from (select j.id, end_run.again and x.attempts < j.max_attempts as again,
				   least(least(j.retry_delay, interval '1 hour') * 2 ^ least(greatest(x.attempts - 1, 0), 20), interval '1 hour') as delay
			  from mlops.job_run x join mlops.job j on j.id = x.job_id where x.id = end_run.run_id) next
	 where r.id = end_run.run_id and r.state in ('queued', 'running')
	returning r.state into ended;
	return ended;
end
$$;
comment on function mlops.end_run(bigint, text, text, boolean) is
'Writes down how a run ended, or, again, queues it once more where it has attempts left; the state that it has now';

create function mlops.plan_jobs(active bigint[], unstarted bigint[], free integer,
								out run_ids bigint[], out job_ids bigint[], out roles oid[], out next_due timestamptz, out waiting boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	clock constant timestamptz := mlops.clock();
	due record;
begin
	-- workers that died, and those that could not begin; a run that somebody's transaction has locked is for a later look
	perform mlops.end_run(r.id, 'failed', 'the worker was terminated, or the server went down', true)
	   from (select x.id from mlops.job_run x where x.finished_at is null and x.state = 'running' and x.id <> all (active)
				for update skip locked) r;
	update mlops.job_run r set attempts = r.attempts + 1 where r.id = any (unstarted) and r.state = 'queued';
	perform mlops.end_run(r.id, 'failed', 'the worker could not begin: see the server''s log', true)
	   from mlops.job_run r where r.id = any (unstarted) and r.state = 'queued';

	-- nobody's jobs: their roles were dropped
	update mlops.job j set enabled = false
	 where j.enabled and j.schedule is not null
	   and not (exists (select from pg_roles o where o.oid = j.owner) and exists (select from pg_roles s where s.oid = j.session_role));

	-- schedules; whatever was missed is one run, and one that is still under way is not joined by another
	for due in
		select j.id, j.kind, j.schedule, j.next_run, j.settings from mlops.job j
		 where j.enabled and j.next_run <= clock order by j.next_run, j.id for update skip locked
	loop
		begin
			update mlops.job j set next_run = mlops.next_run(due.schedule, clock, due.settings ->> 'TimeZone', due.next_run) where j.id = due.id;
			if not exists (select from mlops.job_run r where r.job_id = due.id and r.finished_at is null) then
				insert into mlops.job_run (job_id, kind) values (due.id, due.kind);
			end if;
		exception when data_exception then
			update mlops.job j set enabled = false where j.id = due.id;
			insert into mlops.job_run (job_id, kind, state, message, finished_at)
			values (due.id, due.kind, 'failed', 'the schedule cannot go on: ' || sqlerrm, clock);
		end;
	end loop;

	-- roles that are gone, or may not connect any more
	perform mlops.end_run(r.id, 'failed', 'the role that it would run as does not exist, or cannot connect', false)
	   from mlops.job_run r join mlops.job j on j.id = r.job_id
	  where r.finished_at is null and r.state = 'queued' and r.id <> all (active)
		and not (exists (select from pg_roles o where o.oid = j.owner)
				 and exists (select from pg_roles s where s.oid = j.session_role and s.rolcanlogin and (s.rolvaliduntil > now()) is not false
								and has_database_privilege(s.oid, current_database(), 'connect')));

	select array_agg(q.id order by q.not_before, q.id), array_agg(q.job_id order by q.not_before, q.id),
		   array_agg(q.session_role::oid order by q.not_before, q.id)
	  into run_ids, job_ids, roles
	  from (select r.id, r.job_id, r.not_before, j.session_role from mlops.job_run r join mlops.job j on j.id = r.job_id
			 where r.finished_at is null and r.state = 'queued' and r.not_before <= clock and r.id <> all (active)
			 order by r.not_before, r.id limit free) q;

	next_due := least((select min(j.next_run) from mlops.job j where j.enabled),
					  (select min(r.not_before) from mlops.job_run r
						where r.finished_at is null and r.state = 'queued' and r.not_before > clock and r.id <> all (active)));
	waiting := exists (select from mlops.job_run r where r.finished_at is null and r.state = 'queued' and r.not_before <= clock
						  and r.id <> all (active) and r.id <> all (coalesce(run_ids, '{}')));

	-- what is older than anybody wants to know, unless somebody's transaction has it
	delete from mlops.job_run r
	 where r.id in (select x.id from mlops.job_run x
					 where x.finished_at < clock - current_setting('mlops.job_history')::interval for update skip locked);
	delete from mlops.job j
	 where j.id in (select x.id from mlops.job x
					 where x.schedule is null and not exists (select from mlops.job_run r where r.job_id = x.id) for update skip locked);
end
$$;
comment on function mlops.plan_jobs(bigint[], bigint[], integer) is
'The scheduler''s work: ends the runs of workers that died, queues what is due, and picks as many runs as there are free workers';

revoke execute on function mlops.end_run(bigint, text, text, boolean), mlops.plan_jobs(bigint[], bigint[], integer) from public;
