-- Progress: what trainings and scorings are doing now, on the whole server.

create function mlops.list_progress() returns table (
	pid integer, database name, role name, job_id bigint, kind text, model text, phase text, done bigint, total bigint, started_at timestamptz,
	phase_started_at timestamptz)
language c volatile strict parallel restricted rows 10 as 'MODULE_PATHNAME', 'mlops_list_progress';
comment on function mlops.list_progress() is 'The rows of view mlops.progress';

create view mlops.progress with (security_invoker) as
	select p.pid, p.database, p.role, p.job_id, p.kind, p.model, p.phase, p.done, p.total,
		   case when p.done > 0 and p.total >= p.done then (clock_timestamp() - p.phase_started_at) * ((p.total - p.done)::double precision / p.done) end as eta,
		   p.started_at, p.phase_started_at
	  from mlops.list_progress() as p;
comment on view mlops.progress is
	'What every training and scoring on the server is doing, of the caller''s roles and of projects that the caller may see; members of pg_monitor see all, without the names of others'' models. Empty where mlops is not preloaded';
comment on column mlops.progress.done is 'Steps of the phase: rows, or iterations';
comment on column mlops.progress.total is 'Steps that the phase is expected to have; NULL: nobody knows';
comment on column mlops.progress.eta is 'How long the phase will go on, if it does as before';
grant select on mlops.progress to public;
