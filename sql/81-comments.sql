-- Comments: what people say about any object, whom they mention, and who wants to hear of it.
-- An object is named by its kind and its name or number: 'model churn', 'version churn@3', 'run 12', 'project sales', 'experiment sales/depth'.

-- ---- Objects ----

create function mlops.object_project(kind text, id bigint) returns bigint
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select case kind
		when 'project' then (select p.id from mlops.project p where p.id = object_project.id)
		when 'experiment' then (select e.project_id from mlops.experiment e where e.id = object_project.id)
		when 'run' then (select r.project_id from mlops.run r where r.id = object_project.id)
		when 'snapshot' then (select s.project_id from mlops.snapshot s where s.id = object_project.id)
		when 'model' then (select m.project_id from mlops.model m where m.id = object_project.id)
		when 'version' then (select m.project_id from mlops.model m where m.id = object_project.id)
		when 'deployment' then (select m.project_id from mlops.deployment d join mlops.model m on m.id = d.model_id where d.id = object_project.id)
		when 'monitor' then (select m.project_id from mlops.monitor o join mlops.model m on m.id = o.model_id where o.id = object_project.id)
		when 'alert' then (select m.project_id from mlops.raised_alert a join mlops.model m on m.id = a.model_id where a.id = object_project.id)
		when 'finding' then (select f.project_id from mlops.finding f where f.id = object_project.id)
		when 'job' then (select j.project_id from mlops.job j where j.id = object_project.id)
	end
$$;
comment on function mlops.object_project(text, bigint) is
'The project of an object: project, experiment, run, snapshot, model, version (by the model''s id), deployment, monitor, alert, finding or job; NULL where the caller sees none';

create function mlops.find_object(object text, out kind text, out id bigint, out version integer, out project_id bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	named constant text := substring(object from '^\w+\s+(.*\S)\s*$');
	home text;
begin
	kind := substring(object from '^(\w+)\s');
	case
		when named is null or kind is null or kind <> all ('{project,experiment,run,snapshot,model,version,deployment,monitor,alert,finding,job}') then
			raise exception 'invalid name of an object: %', coalesce(quote_literal(object), 'NULL')
				using errcode = 'invalid_name',
					hint = 'It is the kind, a space and the name or number: model churn, version churn@3, project sales, experiment sales/depth, and run, snapshot, deployment, monitor, alert, finding or job with a number.';
		when kind = 'project' then
			id := mlops.find_project(named, 'view');
		when kind = 'model' then
			select r.model_id into id from mlops.resolve_model(named, 'model', 'view') r;
		when kind = 'version' then
			select r.model_id, r.version into id, version from mlops.resolve_model(named, 'newest', 'view') r;
		when kind = 'experiment' then
			home := substring(named from '^([^/]*)/');
			begin
				select e.id into strict id
				  from mlops.experiment e join mlops.project p on p.id = e.project_id
				 where e.name = case when home is null then named else substr(named, length(home) + 2) end and (home is null or p.name = home);
			exception when too_many_rows then
				raise exception 'experiment name "%" is ambiguous', named
					using errcode = 'ambiguous_alias', hint = 'Give the project, too: project/experiment.';
			when no_data_found then
				null;
			end;
		when named ~ '^[0-9]{1,18}$' then
			id := named::bigint;
		else
			null;
	end case;
	project_id := mlops.object_project(kind, id);
	if project_id is null then
		raise exception 'there is no %', object
			using errcode = 'undefined_object', hint = 'Or you may not see it.';
	end if;
end
$$;
comment on function mlops.find_object(text) is 'What a text such as "model churn" or "run 12" names; a version''s id is its model''s';

-- ---- Comments ----

create table mlops.comment
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete cascade,
	object_kind	text not null
				check (object_kind in ('project', 'experiment', 'run', 'snapshot', 'model', 'version', 'deployment', 'monitor', 'alert', 'finding', 'job')),
	object_id	bigint not null,
	version		integer,
	text		text not null check (length(text) between 1 and 10000),
	mentions	text[] not null default '{}',
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	constraint comment_version check ((object_kind = 'version') = (version is not null))
);
comment on table mlops.comment is 'What people said about an object; a comment stays as it is, and what is wrong is said in another';
comment on column mlops.comment.object_id is 'Of a version its model''s';
comment on column mlops.comment.mentions is 'Roles that the text mentions: @name or @"name"';
create index comment_object on mlops.comment (object_kind, object_id, id);
create index comment_project on mlops.comment (project_id, id);

create table mlops.subscription
(
	project_id	bigint not null references mlops.project on delete cascade,
	object_kind	text not null,
	object_id	bigint not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	primary key (object_kind, object_id, set_by)
);
comment on table mlops.subscription is 'Who wants to hear of comments on an object: on all of a project, or on a model and its versions';
create index subscription_project on mlops.subscription (project_id);

grant select on mlops.comment, mlops.subscription to public;

alter table mlops.comment enable row level security;
grant insert (object_kind, object_id, version, text) on mlops.comment to public;
create policy comment_view on mlops.comment for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy comment_say on mlops.comment for insert
	with check (project_id in (select mlops.accessible_projects('view')));

alter table mlops.subscription enable row level security;
grant insert (object_kind, object_id), delete on mlops.subscription to public;
create policy subscription_view on mlops.subscription for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy subscription_begin on mlops.subscription for insert
	with check (project_id in (select mlops.accessible_projects('view')) and set_by operator(pg_catalog.=) current_user);
create policy subscription_end on mlops.subscription for delete
	using (set_by operator(pg_catalog.=) current_user);

create function mlops.object_stamp() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if mlops.is_restoring() then
		return new;
	end if;
	-- of an object that the caller does not see it stays NULL, which no policy lets pass
	new.project_id := mlops.object_project(new.object_kind, new.object_id);
	new.set_by := current_user;
	new.set_at := clock_timestamp();
	if tg_table_name = 'comment' then
		if new.version is not null and not exists (select from mlops.model_version v where v.model_id = new.object_id and v.version = new.version) then
			raise exception 'the model has no version %', new.version
				using errcode = 'undefined_object';
		end if;
		new.mentions := array(select distinct r.rolname::text
								from regexp_matches(new.text, '(?<![\w@.])@(?:"((?:[^"]|"")+)"|([[:alpha:]_][\w$]*))', 'g') m
								join pg_roles r on r.rolname = coalesce(replace(m[1], '""', '"'), lower(m[2]))
							   order by 1);
	end if;
	return new;
end
$$;
comment on function mlops.object_stamp() is 'Trigger: which project an object is of, who said it and when, whom a comment mentions';

create function mlops.tell_comment() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	told jsonb;
begin
	if mlops.is_restoring() then
		return null;
	end if;
	told := (select coalesce(jsonb_agg(r.oid::bigint order by r.oid), '[]')
			   from pg_roles r
			  where r.rolname <> new.set_by
				and (r.rolname = any (new.mentions)
					 or r.rolname in (select s.set_by from mlops.subscription s
									   where s.project_id = new.project_id
										 and (s.object_kind = 'project' or s.object_kind = new.object_kind and s.object_id = new.object_id
											  or s.object_kind = 'model' and new.object_kind = 'version' and s.object_id = new.object_id))));
	-- anybody may listen, so it is numbers only; a notice has at most 8,000 bytes
	perform pg_notify('mlops_comment',
					  (jsonb_build_object('comment_id', new.id) || case when jsonb_array_length(told) <= 500 then jsonb_build_object('for', told) else '{}' end)::text);
	return null;
end
$$;
comment on function mlops.tell_comment() is 'Trigger: tells those who LISTEN mlops_comment of a comment: its id, and the OIDs of roles that are mentioned or have subscribed';

create trigger comment_stamp before insert on mlops.comment
	for each row execute function mlops.object_stamp();
create trigger comment_tell after insert on mlops.comment
	for each row execute function mlops.tell_comment();
create trigger comment_immutable before update or delete on mlops.comment
	for each row execute function mlops.refuse_change();
create trigger comment_keep before truncate on mlops.comment
	for each statement execute function mlops.refuse_change();
create trigger subscription_stamp before insert on mlops.subscription
	for each row execute function mlops.object_stamp();
revoke execute on function mlops.object_stamp(), mlops.tell_comment() from public;

create function mlops.add_comment(object text, "text" text) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	about record;
	made bigint;
begin
	if add_comment."text" is null or length(add_comment."text") not between 1 and 10000 then
		raise exception 'a comment has 1 to 10,000 characters'
			using errcode = 'invalid_parameter_value';
	end if;
	select o.* into about from mlops.find_object(add_comment.object) o;
	insert into mlops.comment (object_kind, object_id, version, text)
	values (about.kind, about.id, about.version, add_comment."text")
	returning id into made;
	return made;
end
$$;
comment on function mlops.add_comment(text, text) is
'Says something about an object, such as "model churn" or "run 12", for all who view its project; @name mentions a role, which is told on the channel mlops_comment; the comment''s id';

create function mlops.comments(object text) returns setof mlops.comment
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	about record;
begin
	select o.* into about from mlops.find_object(comments.object) o;
	return query
		select c.* from mlops.comment c
		 where c.object_kind = about.kind and c.object_id = about.id and c.version is not distinct from about.version
		 order by c.id;
end
$$;
comment on function mlops.comments(text) is 'The comments on an object, the oldest first';

create function mlops.subscribe(object text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	insert into mlops.subscription (object_kind, object_id)
	select o.kind, o.id from mlops.find_object(subscribe.object) o
	on conflict on constraint subscription_pkey do nothing;
end
$$;
comment on function mlops.subscribe(text) is 'Tells the caller of comments on an object from now on: of a project, on all of it; of a model, on its versions, too';

create function mlops.unsubscribe(object text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	delete from mlops.subscription s using mlops.find_object(unsubscribe.object) o
	 where s.object_kind = o.kind and s.object_id = o.id and s.set_by = current_user;
	if not found then
		raise exception 'you have not subscribed to %', object
			using errcode = 'undefined_object', hint = 'Subscriptions are in mlops.subscription.';
	end if;
end
$$;
comment on function mlops.unsubscribe(text) is 'Ends a subscription of the caller''s';

create view mlops.inbox with (security_invoker) as
	select c.set_at as at, c.set_by as "from", case when current_user::text operator(pg_catalog.=) any (c.mentions) then 'mention' else 'subscription' end as reason,
		   c.object_kind, c.object_id, c.version, c.text, c.id as comment_id
	  from mlops.comment c
	 where c.set_by operator(pg_catalog.<>) current_user
	   and (current_user::text operator(pg_catalog.=) any (c.mentions)
			or exists (select from mlops.subscription s
						where s.set_by operator(pg_catalog.=) current_user and s.project_id operator(pg_catalog.=) c.project_id and c.set_at operator(pg_catalog.>=) s.set_at
						  and (s.object_kind operator(pg_catalog.=) 'project'
							   or s.object_kind operator(pg_catalog.=) c.object_kind and s.object_id operator(pg_catalog.=) c.object_id
							   or s.object_kind operator(pg_catalog.=) 'model' and c.object_kind operator(pg_catalog.=) 'version' and s.object_id operator(pg_catalog.=) c.object_id)));
comment on view mlops.inbox is 'Comments of others that mention the caller, or on what the caller has subscribed to since then';
grant select on mlops.inbox to public;
