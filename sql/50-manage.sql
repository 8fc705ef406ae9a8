-- Manage: projects, their members, experiments.
-- All of it runs with the caller's rights: the policies of 40-security.sql decide, the functions say why.

create function mlops.find_project(project text, "right" text) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	visible bigint[] := array(select p.id from mlops.project p where p.name = find_project.project and not p.is_personal);
	allowed bigint[] := array(select p.id from mlops.project p
							   where p.id = any (visible) and p.id in (select mlops.accessible_projects(find_project."right")));
begin
	case
		when cardinality(allowed) = 1 then
			return allowed[1];
		when cardinality(allowed) > 1 then
			raise exception 'project name "%" is ambiguous', project
				using errcode = 'ambiguous_alias',
					detail = format('It is the name of projects owned by %s.',
									(select string_agg(p.owner_name, ', ' order by p.owner_name) from mlops.project p where p.id = any (allowed))),
					hint = 'Rename one of them: update mlops.project set name = … where id = ….';
		when cardinality(visible) > 0 then
			raise exception 'permission denied for project "%"', project
				using errcode = 'insufficient_privilege',
					hint = format('It takes access as %s; an owner of the project gives it with mlops.grant_access().',
								  case find_project."right" when 'own' then 'owner' when 'train' then 'scientist or owner' else 'a member' end);
		else
			raise exception 'project "%" does not exist', project
				using errcode = 'undefined_object',
					hint = coalesce((select 'Projects that you can see: ' || string_agg(quote_ident(n.name), ', ' order by n.name) || '.'
									   from (select distinct p.name from mlops.project p where not p.is_personal order by p.name limit 20) n),
									'Make it with mlops.create_project().');
	end case;
end
$$;
comment on function mlops.find_project(text, text) is 'The project of this name in which the caller has a right: see, view, predict, train, review, deploy or own';

create function mlops.create_project(name text, goal text default null, stage text default 'ideation', tags text[] default '{}') returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	stages constant text[] := '{ideation,data,development,validation,production,retired}';
begin
	if name is null or name !~ '^[^/@\s]([^/@]*[^/@\s])?$' or name ~ '^#[0-9]+$' or octet_length(name) > 200 then
		raise exception 'invalid project name %', coalesce(quote_literal(name), 'NULL')
			using errcode = 'invalid_name', hint = 'A name has 1 to 200 bytes, no "/" and no "@", no space at its ends, and is not "#" and a number.';
	end if;
	if stage is null or stage <> all (stages) then
		raise exception 'invalid stage %', coalesce(quote_literal(stage), 'NULL')
			using errcode = 'invalid_parameter_value', hint = format('The stages are %s.', array_to_string(stages, ', '));
	end if;
	if exists (select from mlops.project p where p.name = create_project.name and not p.is_personal) then
		raise exception 'project "%" already exists', name
			using errcode = 'duplicate_object', hint = 'Choose another name.';
	end if;

	-- a trigger makes the caller its owner; before that the caller could not read it back
	insert into mlops.project (name, goal, stage, tags)
	values (create_project.name, create_project.goal, create_project.stage, coalesce(create_project.tags, '{}'));
	return (select p.id from mlops.project p where p.name = create_project.name and p.owner_name = current_user and not p.is_personal);
end
$$;
comment on function mlops.create_project(text, text, text, text[]) is
	'Makes a project that the caller owns; its id.  Stages: ideation, data, development, validation, production, retired';

create function mlops.grant_access(project text, grantee regrole, access text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	levels constant text[] := '{viewer,predictor,scientist,reviewer,operator,owner}';
begin
	if access is null or access <> all (levels) then
		raise exception 'invalid access level %', coalesce(quote_literal(access), 'NULL')
			using errcode = 'invalid_parameter_value', hint = format('The levels are %s.', array_to_string(levels, ', '));
	end if;
	if not exists (select from pg_roles r where r.oid = grantee) then
		raise exception 'role % does not exist', coalesce(quote_literal(grantee::text), 'NULL')
			using errcode = 'undefined_object';
	end if;
	insert into mlops.project_member (project_id, member, access)
	values (mlops.find_project(grant_access.project, 'own'), grant_access.grantee, grant_access.access)
	on conflict do nothing;
end
$$;
comment on function mlops.grant_access(text, regrole, text) is
	'Gives a role access to a project of the caller''s: viewer, predictor, scientist, reviewer, operator or owner';

create function mlops.revoke_access(project text, grantee regrole, access text default null) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	delete from mlops.project_member m
	 where m.project_id = mlops.find_project(revoke_access.project, 'own')
	   and m.member = revoke_access.grantee
	   and (revoke_access.access is null or m.access = revoke_access.access);
	if not found then
		raise exception 'role "%" has no %access to project "%"', pg_get_userbyid(grantee), coalesce(access || ' ', ''), project
			using errcode = 'undefined_object', hint = 'Members are in mlops.project_member; rights may also come from a role that is a member.';
	end if;
end
$$;
comment on function mlops.revoke_access(text, regrole, text) is
	'Takes a level of access, or all of them where access is NULL, from a member of a project; the last owner stays';

create function mlops.create_experiment(project text, name text, metric text default null, direction text default null) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	home bigint := mlops.find_project(project, 'train');
	made bigint;
begin
	if name is null or length(name) not between 1 and 200 then
		raise exception 'invalid experiment name %', coalesce(quote_literal(name), 'NULL')
			using errcode = 'invalid_name', hint = 'A name has 1 to 200 characters.';
	end if;
	if direction not in ('maximize', 'minimize') then
		raise exception 'invalid direction %', quote_literal(direction)
			using errcode = 'invalid_parameter_value', hint = 'The directions are maximize and minimize.';
	end if;
	insert into mlops.experiment (project_id, name, metric, direction)
	values (home, create_experiment.name, create_experiment.metric, create_experiment.direction)
	on conflict do nothing
	returning id into made;
	if made is null then
		raise exception 'experiment "%" already exists in project "%"', name, project
			using errcode = 'duplicate_object', hint = 'Choose another name.';
	end if;
	return made;
end
$$;
comment on function mlops.create_experiment(text, text, text, text) is
	'Makes an experiment in a project: a named group of runs, with an objective metric and a direction, maximize or minimize; its id';
