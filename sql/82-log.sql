-- Log: what people report of runs, beside what was measured: metrics, parameters, tags, notes, and whole runs that were done elsewhere.
-- Reported runs and metrics stand in the tables of evidence with the origin "reported", so they are written as the extension's owner; parameters and
-- tags are tables of their own, which those who train write under row-level security.

create table mlops.run_param
(
	run_id		bigint not null references mlops.run on delete cascade,
	name		text not null check (length(name) between 1 and 200),
	value		jsonb not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	primary key (run_id, name)
);
comment on table mlops.run_param is 'Parameters of runs, as people reported them; what a training here had is in mlops.run.params';

create table mlops.run_tag
(
	run_id		bigint not null references mlops.run on delete cascade,
	name		text not null check (length(name) between 1 and 200),
	value		text not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	primary key (run_id, name)
);
comment on table mlops.run_tag is 'What people mark runs with; it may change';

-- ---- Security: members see; those who train write ----

grant select on mlops.run_param, mlops.run_tag to public;

alter table mlops.run_param enable row level security;
grant insert (run_id, name, value) on mlops.run_param to public;
create policy run_param_view on mlops.run_param for select
	using (run_id in (select r.id from mlops.run r));
create policy run_param_log on mlops.run_param for insert
	with check (run_id in (select r.id from mlops.run r where r.project_id in (select mlops.accessible_projects('train'))));

alter table mlops.run_tag enable row level security;
grant insert (run_id, name, value), update (value), delete on mlops.run_tag to public;
create policy run_tag_view on mlops.run_tag for select
	using (run_id in (select r.id from mlops.run r));
create policy run_tag_set on mlops.run_tag for insert
	with check (run_id in (select r.id from mlops.run r where r.project_id in (select mlops.accessible_projects('train'))));
create policy run_tag_change on mlops.run_tag for update
	using (run_id in (select r.id from mlops.run r where r.project_id in (select mlops.accessible_projects('train'))));
create policy run_tag_remove on mlops.run_tag for delete
	using (run_id in (select r.id from mlops.run r where r.project_id in (select mlops.accessible_projects('train'))));

create function mlops.run_param_is_new() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if not mlops.is_restoring() and exists (select from mlops.run r where r.id = new.run_id and r.params ? new.name) then
		raise exception 'run % had parameter "%" already', new.run_id, new.name
			using errcode = 'duplicate_object', hint = 'What a training here was given is not reported again.';
	end if;
	return new;
end
$$;
comment on function mlops.run_param_is_new() is 'Trigger: nobody reports a parameter that a training here had';
revoke execute on function mlops.run_param_is_new() from public;

create trigger run_param_new before insert on mlops.run_param
	for each row execute function mlops.run_param_is_new();
create trigger run_param_stamp before insert on mlops.run_param
	for each row execute function mlops.setter_stamp();
create trigger run_param_immutable before update or delete on mlops.run_param
	for each row execute function mlops.refuse_change();
create trigger run_tag_stamp before insert or update on mlops.run_tag
	for each row execute function mlops.setter_stamp();

-- ---- What is written as the extension's owner, after C has checked the caller ----

create function mlops.store_reported_metric(run_id bigint, name text, value double precision, step integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if length(name) not between 1 and 200 then
		raise exception 'invalid name of a metric %', quote_literal(name)
			using errcode = 'invalid_name', hint = 'A name has 1 to 200 characters.';
	elsif step < 0 then
		raise exception 'invalid step %', step
			using errcode = 'invalid_parameter_value', hint = 'Step 0 is the result, steps from 1 are iterations.';
	elsif exists (select from mlops.metric m where m.run_id = store_reported_metric.run_id and m.name = store_reported_metric.name and m.origin = 'measured') then
		raise exception 'metric "%" of run % was measured here', name, run_id
			using errcode = 'duplicate_object', hint = 'Report it by another name.';
	end if;
	insert into mlops.metric (run_id, name, step, value, origin)
	values (store_reported_metric.run_id, store_reported_metric.name, store_reported_metric.step, store_reported_metric.value, 'reported')
	on conflict do nothing;
	if not found then
		raise exception 'metric "%" of run % is reported for step % already', name, run_id, step
			using errcode = 'duplicate_object', hint = 'What was reported stays; report it for another step.';
	end if;
end
$$;
comment on function mlops.store_reported_metric(bigint, text, double precision, integer) is 'Writes a metric of the origin "reported"; NULL stands for a value that is undefined';

create function mlops.store_reported_run(model text, task text, target text, algorithm text, params jsonb, metrics jsonb, project_id bigint, experiment text,
										 started_at timestamptz, finished_at timestamptz, session_user_name text, current_user_name text) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	made bigint;
	part bigint;
	reported record;
begin
	if model !~ '^[^/@\s]([^/@]*[^/@\s])?$' or octet_length(model) > 200 then
		raise exception 'invalid model name %', quote_literal(model)
			using errcode = 'invalid_name', hint = 'A name has 1 to 200 bytes, no "/" and no "@", and no space at its ends.';
	elsif task not in ('regression', 'binary', 'multiclass') then
		raise exception 'unknown task %', quote_literal(task)
			using errcode = 'invalid_parameter_value', hint = 'Tasks are regression, binary and multiclass.';
	elsif jsonb_typeof(params) <> 'object' or jsonb_typeof(metrics) <> 'object' then
		raise exception 'params and metrics must be objects'
			using errcode = 'invalid_parameter_value';
	elsif exists (select from jsonb_each(metrics) m where jsonb_typeof(m.value) not in ('number', 'null')) then
		raise exception 'a metric must be a number'
			using errcode = 'invalid_parameter_value';
	elsif finished_at < started_at then
		raise exception 'a run cannot finish before it starts'
			using errcode = 'invalid_parameter_value';
	elsif experiment is not null and length(experiment) not between 1 and 200 then
		raise exception 'invalid experiment name %', quote_literal(experiment)
			using errcode = 'invalid_name', hint = 'A name has 1 to 200 characters.';
	end if;
	if experiment is not null then
		insert into mlops.experiment (project_id, name, created_by)
		values (store_reported_run.project_id, experiment, store_reported_run.current_user_name)
		on conflict do nothing;
		select e.id into part from mlops.experiment e where e.project_id = store_reported_run.project_id and e.name = experiment;
	end if;
	insert into mlops.run (project_id, experiment_id, kind, state, model_name, algorithm, task, target, arguments, params, metrics, seed, device, threads, trainer,
						   rows_train, rows_validation, rows_test, rows_dropped, session_user_name, current_user_name, started_at, finished_at)
	values (store_reported_run.project_id, part, 'reported', 'succeeded', model, store_reported_run.algorithm, store_reported_run.task, store_reported_run.target,
			'{}', store_reported_run.params, '{}', 0, 'cpu', 0, '', 0, 0, 0, 0, store_reported_run.session_user_name, store_reported_run.current_user_name,
			store_reported_run.started_at, store_reported_run.finished_at)
	returning id into made;
	for reported in select m.key, m.value from jsonb_each_text(metrics) m loop
		perform mlops.store_reported_metric(made, reported.key, reported.value::double precision, 0);
	end loop;
	return made;
end
$$;
comment on function mlops.store_reported_run(text, text, text, text, jsonb, jsonb, bigint, text, timestamptz, timestamptz, text, text) is
'Writes a run of the kind "reported" with its metrics; its id';
revoke execute on function mlops.store_reported_metric(bigint, text, double precision, integer),
	mlops.store_reported_run(text, text, text, text, jsonb, jsonb, bigint, text, timestamptz, timestamptz, text, text) from public;

-- ---- What users call ----

create function mlops.log_run(model text, task text, target text, algorithm text, params jsonb default '{}', metrics jsonb default '{}', project text default null,
							  experiment text default null, started_at timestamptz default clock_timestamp(), finished_at timestamptz default clock_timestamp()) returns bigint
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_log_run';
comment on function mlops.log_run(text, text, text, text, jsonb, jsonb, text, text, timestamptz, timestamptz) is
'Reports a run that was done elsewhere, which is then found, compared and ranked with others; its id.  Nothing about it counts as measured';

create function mlops.log_metric(run_id bigint, name text, value double precision, step integer default 0) returns void
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_log_metric';
comment on function mlops.log_metric(bigint, text, double precision, integer) is
'Reports a metric of a run: step 0 is the result, steps from 1 are iterations.  It stays, has the origin "reported", and no gate counts it';

create function mlops.log_param(run_id bigint, name text, value anycompatible) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	if run_id is null or name is null or value is null then
		raise exception '% must not be NULL', case when run_id is null then 'run_id' when name is null then 'name' else 'value' end
			using errcode = 'null_value_not_allowed';
	elsif mlops.object_project('run', run_id) is null then
		raise exception 'there is no run %', run_id
			using errcode = 'undefined_object', hint = 'Runs are in mlops.runs.';
	end if;
	insert into mlops.run_param (run_id, name, value) values (log_param.run_id, log_param.name, to_jsonb(log_param.value))
	on conflict do nothing;
	if not found then
		raise exception 'parameter "%" of run % is reported already', name, run_id
			using errcode = 'duplicate_object', hint = 'What was reported stays.';
	end if;
end
$$;
comment on function mlops.log_param(bigint, text, anycompatible) is 'Reports a parameter of a run: text, a number, a boolean, JSON; it stays';

create function mlops.log_tag(run_id bigint, name text, value text default '') returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	if run_id is null or name is null then
		raise exception '% must not be NULL', case when run_id is null then 'run_id' else 'name' end
			using errcode = 'null_value_not_allowed';
	elsif mlops.object_project('run', run_id) is null then
		raise exception 'there is no run %', run_id
			using errcode = 'undefined_object', hint = 'Runs are in mlops.runs.';
	elsif value is null then
		delete from mlops.run_tag t where t.run_id = log_tag.run_id and t.name = log_tag.name;
		return;
	end if;
	insert into mlops.run_tag as t (run_id, name, value) values (log_tag.run_id, log_tag.name, log_tag.value)
	on conflict on constraint run_tag_pkey do update set value = excluded.value;
end
$$;
comment on function mlops.log_tag(bigint, text, text) is 'Marks a run with a tag, or changes it; NULL removes it';

create function mlops.log_note(run_id bigint, note text) returns bigint
language sql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
	select mlops.add_comment('run ' || run_id, note)
$$;
comment on function mlops.log_note(bigint, text) is 'Adds a note to a run: a comment on it; its id';
