-- Outcomes that a query finds: it is bound to a model once, and read again and again.

create function mlops.bind_outcomes(model text, source text, lateness interval default '7 days', schedule text default '1 hour') returns bigint
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_bind_outcomes';
comment on function mlops.bind_outcomes(text, text, interval, text) is
'Binds a query (entity_key, label, observed_at) that finds a model''s outcomes: what is there is recorded now, what comes later by a job of this schedule (NULL: by mlops.read_outcomes() only); the number recorded';

create function mlops.read_outcomes(model text) returns bigint
language c volatile parallel unsafe strict as 'MODULE_PATHNAME', 'mlops_read_outcomes';
comment on function mlops.read_outcomes(text) is
'Records what the caller''s bound query finds that was not there before, as far back as its lateness; the number recorded';

create function mlops.read_bound_outcomes(model_id bigint) returns bigint
language c volatile parallel unsafe strict as 'MODULE_PATHNAME', 'mlops_read_bound_outcomes';
comment on function mlops.read_bound_outcomes(bigint) is 'The same by the model''s id; NULL where the caller has bound no query to it';

-- ---- Jobs of kind outcomes ----

create function mlops.check_outcomes_job(args jsonb, out checked jsonb, out project_id bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	target bigint;
begin
	if args ->> 'model' is null then
		raise exception 'a job of kind outcomes needs the argument "model"'
			using errcode = 'invalid_parameter_value';
	end if;
	select r.model_id, r.project_id into target, check_outcomes_job.project_id from mlops.resolve_model(args ->> 'model', 'model', 'predict') r;
	checked := args || jsonb_build_object('model_id', target);
end
$$;
comment on function mlops.check_outcomes_job(jsonb) is 'Checks the arguments of a job that reads outcomes: the model, whose id is kept';

create function mlops.run_outcomes_job(job_id bigint, args jsonb) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	recorded constant bigint := mlops.read_bound_outcomes((args ->> 'model_id')::bigint);
begin
	if recorded is null then
		update mlops.job j set enabled = false where j.id = run_outcomes_job.job_id and j.schedule is not null;
		return 'no query of its owner''s is bound to the model any more, so the schedule is switched off';
	end if;
	return format('%s outcomes recorded', recorded);
end
$$;
comment on function mlops.run_outcomes_job(bigint, jsonb) is 'The work of a job that reads outcomes; what it did';
