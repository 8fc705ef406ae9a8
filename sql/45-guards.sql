-- Guards: what must hold whoever writes, by function or by hand.
-- Who and when are filled in here, from the server's clock and the current role; nobody can state them.
-- A restore fires these triggers, too: its rows are complete, and stay as they are.  The functions of 50 and 70 that write such rows do it with
-- row_security on, so a superuser who has switched it off for himself is not taken for a restore there.

create function mlops.is_restoring() returns boolean
	language c stable parallel safe as 'MODULE_PATHNAME', 'mlops_is_restoring';
comment on function mlops.is_restoring() is 'Whether rows come out of a dump: a superuser writes, and row_security is off';

-- ---- Evidence: what is written stays ----

create trigger snapshot_immutable before update or delete on mlops.snapshot
	for each row execute function mlops.refuse_change();
create trigger run_immutable before update or delete on mlops.run
	for each row when (old.state <> 'running') execute function mlops.refuse_change();
create trigger metric_immutable before update or delete on mlops.metric
	for each row execute function mlops.refuse_change();
create trigger model_version_immutable before delete on mlops.model_version
	for each row execute function mlops.refuse_change();
create trigger model_signature_immutable before update or delete on mlops.model_signature
	for each row execute function mlops.refuse_change();
create trigger model_chunk_immutable before update or delete on mlops.model_chunk
	for each row execute function mlops.refuse_change();
create trigger reference_profile_immutable before update or delete on mlops.reference_profile
	for each row execute function mlops.refuse_change();
create trigger reference_slice_immutable before update or delete on mlops.reference_slice
	for each row execute function mlops.refuse_change();
create trigger reference_model_immutable before update or delete on mlops.reference_model
	for each row execute function mlops.refuse_change();
create trigger reference_sample_immutable before update or delete on mlops.reference_sample
	for each row execute function mlops.refuse_change();
create trigger alias_history_immutable before update or delete on mlops.alias_history
	for each row execute function mlops.refuse_change();

-- TRUNCATE fires no row triggers.
create trigger snapshot_keep before truncate on mlops.snapshot
	for each statement execute function mlops.refuse_change();
create trigger run_keep before truncate on mlops.run
	for each statement execute function mlops.refuse_change();
create trigger metric_keep before truncate on mlops.metric
	for each statement execute function mlops.refuse_change();
create trigger model_version_keep before truncate on mlops.model_version
	for each statement execute function mlops.refuse_change();
create trigger model_signature_keep before truncate on mlops.model_signature
	for each statement execute function mlops.refuse_change();
create trigger model_chunk_keep before truncate on mlops.model_chunk
	for each statement execute function mlops.refuse_change();
create trigger reference_profile_keep before truncate on mlops.reference_profile
	for each statement execute function mlops.refuse_change();
create trigger reference_slice_keep before truncate on mlops.reference_slice
	for each statement execute function mlops.refuse_change();
create trigger reference_model_keep before truncate on mlops.reference_model
	for each statement execute function mlops.refuse_change();
create trigger reference_sample_keep before truncate on mlops.reference_sample
	for each statement execute function mlops.refuse_change();
create trigger alias_history_keep before truncate on mlops.alias_history
	for each statement execute function mlops.refuse_change();

-- ---- A project's first member is its owner ----

create function mlops.project_owner() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
	-- with the extension's owner's rights this must not run for a table of somebody else's
	if tg_relid <> 'mlops.project'::regclass then
		raise exception 'mlops.project_owner() is a trigger of mlops.project'
			using errcode = 'trigger_protocol_violated';
	end if;
	if not mlops.is_restoring() then
		insert into mlops.project_member (project_id, member, access, granted_by)
		values (new.id, quote_ident(new.owner_name)::regrole, 'owner', new.owner_name);
	end if;
	return null;
end
$$;
comment on function mlops.project_owner() is 'Trigger: whoever makes a project owns it; the owner''s membership is written for the owner, who is not a member yet';

-- A personal project is written together with its member.
create trigger project_owner after insert on mlops.project
	for each row when (not new.is_personal) execute function mlops.project_owner();

-- ---- A project keeps an owner ----

create function mlops.project_keeps_owner() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	project text;
begin
	-- two owners who remove each other wait here; a project that is being deleted is gone already
	select p.name into project from mlops.project p where p.id = old.project_id for update;
	if found and not exists (select from mlops.project_member m join pg_roles r on r.oid = m.member
							  where m.project_id = old.project_id and m.access = 'owner' and m.member <> old.member) then
		raise exception 'role "%" is the last owner of project "%"', pg_get_userbyid(old.member), project
			using errcode = 'object_in_use', hint = 'Grant access "owner" to another role first.';
	end if;
	return old;
end
$$;
comment on function mlops.project_keeps_owner() is 'Trigger: the last owner of a project cannot be removed';

create trigger project_keeps_owner before delete on mlops.project_member
	for each row when (old.access = 'owner') execute function mlops.project_keeps_owner();

-- ---- Aliases: who and when, and a history ----

create function mlops.setter_stamp() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if not mlops.is_restoring() then
		new.set_by := current_user;
		new.set_at := clock_timestamp();
	end if;
	return new;
end
$$;
comment on function mlops.setter_stamp() is 'Trigger: who sets an alias or how long predictions are kept, and when';

create function mlops.record_alias() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_record_alias';
comment on function mlops.record_alias() is 'Trigger: writes an alias''s move into its history, which users cannot';

create trigger alias_stamp before insert or update on mlops.alias
	for each row execute function mlops.setter_stamp();
create trigger alias_record after insert or update or delete on mlops.alias
	for each row execute function mlops.record_alias();

-- ---- Deployments: begin now, end now, and only for versions that exist ----

create function mlops.deployment_begins() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	model_name text;
	last_end timestamptz;
begin
	if mlops.is_restoring() then
		return new;
	end if;
	if new.valid is not null then
		raise exception 'the time of a deployment is set by the server'
			using errcode = 'invalid_parameter_value', hint = 'Leave out the column "valid".';
	end if;

	-- one deployment of a model at a time, and none while it is being dropped; of a model that is not there the constraints speak
	select m.name into model_name from mlops.model m where m.id = new.model_id for no key update;
	if found and not exists (select from mlops.model_version v where v.model_id = new.model_id and v.version = new.version) then
		raise exception 'model "%" has no version %', model_name, new.version
			using errcode = 'undefined_object',
				detail = format('Its versions are: %s.', (select coalesce(string_agg(v.version::text, ', ' order by v.version), 'none')
															from mlops.model_version v where v.model_id = new.model_id));
	end if;
	if new.restores is not null and not exists (select from mlops.deployment d where d.id = new.restores and d.model_id = new.model_id
												   and d.version = new.version and d.restores is null) then
		raise exception 'deployment % cannot be restored', new.restores
			using errcode = 'invalid_parameter_value', detail = 'It is not a deployment of this version of this model, or is a rollback itself.';
	end if;

	-- without a gap behind one that this statement ended, or one that it waited for; the clock may step back, but ranges never overlap
	last_end := (select max(upper(d.valid)) from mlops.deployment d where d.model_id = new.model_id);
	new.valid := tstzrange(case when last_end >= statement_timestamp() then last_end else greatest(clock_timestamp(), last_end) end, null);
	new.deployed_by := current_user;
	new.ended_by := null;
	return new;
end
$$;
comment on function mlops.deployment_begins() is 'Trigger: a deployment is of a version that exists, and begins now';

create function mlops.deployment_ends() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	ended mlops.deployment := old;
begin
	if not upper_inf(old.valid) or upper_inf(new.valid) then
		raise exception 'deployments are immutable but for their end'
			using errcode = 'object_not_in_prerequisite_state', hint = 'Use mlops.deploy(), mlops.rollback() or mlops.undeploy().';
	end if;
	ended.valid := new.valid;
	ended.ended_by := new.ended_by;
	if new is distinct from ended then
		raise exception 'deployments are immutable but for their end'
			using errcode = 'object_not_in_prerequisite_state', hint = 'Use mlops.deploy(), mlops.rollback() or mlops.undeploy().';
	end if;

	-- a deployment that began in a transaction before ours may begin after now()
	new.valid := tstzrange(lower(old.valid), greatest(clock_timestamp(), lower(old.valid) + interval '1 microsecond'));
	-- that of a revoked version ends by its revocation
	new.ended_by := coalesce((select r.revoked_by from mlops.revocation r where r.model_id = old.model_id and r.version = old.version), current_user);
	return new;
end
$$;
comment on function mlops.deployment_ends() is 'Trigger: of a deployment only its end is ever written, once, and that is now';

create trigger deployment_begins before insert on mlops.deployment
	for each row execute function mlops.deployment_begins();
create trigger deployment_ends before update on mlops.deployment
	for each row execute function mlops.deployment_ends();

-- ---- Our triggers are for our tables: whoever may execute a function may put it on a table of theirs ----

revoke execute on function mlops.refuse_change(), mlops.project_owner(), mlops.project_keeps_owner(), mlops.setter_stamp(), mlops.record_alias(),
	mlops.deployment_begins(), mlops.deployment_ends() from public;
