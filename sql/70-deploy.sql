-- Deploy: which version answers predict(model), and the names of versions.
-- All of it runs with the caller's rights and in the caller's transaction; the triggers of 45-guards.sql fill in time and actor.

-- The first statement of every change: later ones see what a deployment that went before has left.
create function mlops.lock_model(model_id bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if model_id is null then
		raise exception 'the model must not be NULL'
			using errcode = 'null_value_not_allowed';
	end if;
	perform from mlops.model m where m.id = lock_model.model_id for no key update;
	if not found then
		raise exception 'the model was dropped meanwhile'
			using errcode = 'undefined_object';
	end if;
end
$$;
comment on function mlops.lock_model(bigint) is 'Holds off other deployments and the removal of a model until the end of the transaction; it takes the right to deploy or train';

create function mlops.deploy(model text, version integer default null, strategy text default 'all', capture jsonb default null,
							 override text default null) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target record;
	live record;
	made bigint;
begin
	if strategy is distinct from 'all' then
		raise exception 'invalid strategy %', coalesce(quote_literal(strategy), 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'This release has one strategy, all.';
	end if;
	select r.* into target from mlops.resolve_model(deploy.model, case when deploy.version is null then 'newest' else 'model' end, 'deploy') r;
	target.version := coalesce(deploy.version, target.version);
	perform mlops.lock_model(target.model_id);

	select d.id, d.version, d.capture into live from mlops.deployment d where d.model_id = target.model_id and upper_inf(d.valid);
	if live.version = target.version and coalesce(mlops.capture_settings(deploy.capture) = live.capture, deploy.capture is null) then
		raise notice 'version % of model "%" is live already', target.version, split_part(model, '@', 1);
		return live.id;
	end if;
	update mlops.deployment d set valid = tstzrange(lower(d.valid), clock_timestamp()) where d.id = live.id;
	insert into mlops.deployment (model_id, version, strategy, capture, override)
	values (target.model_id, target.version, deploy.strategy, deploy.capture, deploy.override)
	returning id into made;

	-- a model whose predictions are captured is watched, unless somebody watches it already
	if mlops.can_capture() and not exists (select from mlops.monitor m where m.model_id = target.model_id)
		and exists (select from mlops.deployment d where d.id = made and d.capture ->> 'mode' <> 'off') then
		begin
			perform mlops.create_monitor(split_part(model, '@', 1), 'default');
		exception when invalid_authorization_specification or insufficient_privilege then
			raise notice 'nothing watches the deployment: %', sqlerrm
				using hint = 'Make a monitor with mlops.create_monitor() as a role that can log in.';
		end;
	end if;
	return made;
end
$$;
comment on function mlops.deploy(text, integer, text, jsonb, text) is
	'Makes a version answer predict(model) from now on, the newest where version is NULL; the id of the deployment.  The model may also be given as model@version or model@alias.  capture says what of its predictions is captured; NULL: as before, and at first everything.  Captured predictions are watched by a monitor named default, unless the model has one.  In a project with a policy that must hold (mlops.why_not()); override is an owner''s reason why it goes live all the same, and opens a finding';

create function mlops.rollback(model text, steps integer default 1, out deployment_id bigint, out version integer) returns record
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target bigint;
	live record;
	place record;
begin
	if steps is null or steps < 1 then
		raise exception 'invalid number of steps %', coalesce(steps::text, 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'It is 1 or more.';
	end if;
	select r.model_id into target from mlops.resolve_model(rollback.model, 'model', 'deploy') r;
	perform mlops.lock_model(target);
	select d.id, d.version into live from mlops.deployment d where d.model_id = target and upper_inf(d.valid);

	-- Where the history stands: the deployment that is live, or that the live rollback brought back; where nothing is live, behind the last one.
	-- A step goes to the latest one before it with another version that still exists and was not revoked.  What a rollback left behind is never met again.
	select coalesce(d.restores, d.id) as id, d.version into place from mlops.deployment d where d.id = live.id;
	for step in 1 .. steps loop
		select coalesce(d.restores, d.id) as id, d.version into place
		  from mlops.deployment d
		 where d.model_id = target
		   and (place.id is null or d.id < place.id)
		   and d.version is distinct from place.version
		   and exists (select from mlops.model_version v where v.model_id = d.model_id and v.version = d.version and not v.revoked)
		 order by d.id desc
		 limit 1;
		if not found then
			raise exception 'model "%" has no %', model, case steps when 1 then 'earlier deployment' else format('%s earlier deployments', steps) end
				using errcode = 'object_not_in_prerequisite_state',
					detail = case step when 1 then 'There is none to go back to.' when 2 then 'There is one.' else format('There are %s.', step - 1) end,
					hint = 'The history is in mlops.deployment; mlops.deploy() deploys any version.';
		end if;
	end loop;

	update mlops.deployment d set valid = tstzrange(lower(d.valid), clock_timestamp()) where d.id = live.id;
	insert into mlops.deployment (model_id, version, action, restores)
	values (target, place.version, 'rollback', place.id)
	returning id into deployment_id;
	version := place.version;
	raise notice 'version % of model "%" is live again, instead of %', place.version, model, coalesce('version ' || live.version, 'none');
end
$$;
comment on function mlops.rollback(text, integer) is
	'Goes back in the history of a model''s deployments, past versions that were dropped or revoked: the deployment that is live now, and its version.  A second call goes further back';

create function mlops.undeploy(model text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	target bigint;
begin
	select r.model_id into target from mlops.resolve_model(undeploy.model, 'model', 'deploy') r;
	perform mlops.lock_model(target);
	update mlops.deployment d set valid = tstzrange(lower(d.valid), clock_timestamp()) where d.model_id = target and upper_inf(d.valid);
	if not found then
		raise exception 'model "%" is not deployed', model
			using errcode = 'object_not_in_prerequisite_state';
	end if;
end
$$;
comment on function mlops.undeploy(text) is 'Ends the live deployment of a model: predict(model) is an error until the next one';

create function mlops.deployed_at(model text, at timestamptz) returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	/* before the query: a plan that finds no row to compare with would not ask */
	target constant bigint := (select r.model_id from mlops.resolve_model(deployed_at.model, 'model', 'view') r);
begin
	return (select d.version from mlops.deployment d where d.model_id = target and d.valid @> deployed_at.at);
end
$$;
comment on function mlops.deployed_at(text, timestamptz) is 'The version that answered predict(model) at a time; NULL where none was deployed';

create function mlops.set_alias(model text, alias text, version integer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target bigint;
begin
	if alias is null or alias !~ '^[A-Za-z_][A-Za-z0-9_.-]*$' or length(alias) > 100 then
		raise exception 'invalid alias %', coalesce(quote_literal(alias), 'NULL')
			using errcode = 'invalid_name', hint = 'An alias begins with a letter or "_" and has letters, digits, "_", "." and "-", at most 100 in all.';
	end if;
	select r.model_id into target from mlops.resolve_model(set_alias.model, 'model', 'deploy') r;
	perform mlops.lock_model(target);
	if not exists (select from mlops.model_version v where v.model_id = target and v.version = set_alias.version) then
		raise exception 'model "%" has no version %', model, coalesce(version::text, 'NULL')
			using errcode = 'undefined_object',
				detail = format('Its versions are: %s.', (select coalesce(string_agg(v.version::text, ', ' order by v.version), 'none')
															from mlops.model_version v where v.model_id = target));
	end if;
	insert into mlops.alias as a (model_id, name, version)
	values (target, set_alias.alias, set_alias.version)
	on conflict on constraint alias_pkey do update set version = excluded.version where a.version <> excluded.version;
end
$$;
comment on function mlops.set_alias(text, text, integer) is 'Makes an alias of a model point to a version; where it pointed before is kept in mlops.alias_history';

create function mlops.drop_alias(model text, alias text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target bigint;
begin
	select r.model_id into target from mlops.resolve_model(drop_alias.model, 'model', 'deploy') r;
	perform mlops.lock_model(target);
	delete from mlops.alias a where a.model_id = target and a.name = drop_alias.alias;
	if not found then
		raise exception 'model "%" has no alias "%"', model, alias
			using errcode = 'undefined_object',
				detail = format('Its aliases are: %s.', (select coalesce(string_agg(a.name, ', ' order by a.name), 'none')
														   from mlops.alias a where a.model_id = target));
	end if;
end
$$;
comment on function mlops.drop_alias(text, text) is 'Removes an alias of a model; its history stays';
