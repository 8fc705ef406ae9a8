-- Housekeeping: what grows old is removed once a day, by a job that mlops.plan_jobs() makes where there is something to do.

create function mlops.run_housekeeping_job(job_id bigint, args jsonb) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	return format('%s captured predictions removed', mlops.apply_retention(mlops.clock()));
end
$$;
comment on function mlops.run_housekeeping_job(bigint, jsonb) is 'The work of the job "mlops housekeeping"; what it did';
revoke execute on function mlops.run_housekeeping_job(bigint, jsonb) from public;
