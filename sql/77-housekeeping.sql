-- Housekeeping: what grows old is removed once a day, by a job that mlops.plan_jobs() makes where there is something to do.

create function mlops.run_housekeeping_job(job_id bigint, args jsonb) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	again constant interval := '10 minutes';
	old record;
begin
	select * into old from mlops.remove_old_predictions(mlops.clock());
	if old.days_in_use = 0 then
		return format('%s captured predictions removed', old.removed);
	end if;
	update mlops.job j set next_run = least(j.next_run, mlops.clock() + again) where j.id = run_housekeeping_job.job_id;
	return format('%s captured predictions removed; those of %s days are in use, and are tried again in %s', old.removed, old.days_in_use, again);
end
$$;
comment on function mlops.run_housekeeping_job(bigint, jsonb) is 'The work of the job "mlops housekeeping"; what it did';
revoke execute on function mlops.run_housekeeping_job(bigint, jsonb) from public;
