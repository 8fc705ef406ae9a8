-- Alerts: what monitors raise, who is told, and what follows from it.
-- Alerts are evidence, written as the extension's owner (mlops.raise_alerts()); acknowledgements, findings, routes and actions are people's, who
-- write them under row-level security.  An action is done by a job with the rights of whoever set it (mlops.perform_action()).

-- ---- Tables ----

create table mlops.raised_alert
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	monitor_id	bigint not null references mlops.monitor on delete cascade,
	kind		text not null,
	segment		text not null,
	feature		text not null,
	severity	text not null check (severity in ('warning', 'critical')),
	version		integer not null,
	evidence	jsonb not null,
	windows		integer not null default 1 check (windows > 0),
	quiet_windows integer not null default 0,
	first_period tstzrange not null,
	last_period tstzrange not null,
	quiet_period tstzrange,
	opened_at	timestamptz not null default clock_timestamp(),
	seen_at		timestamptz not null default clock_timestamp(),
	closed_at	timestamptz
);
comment on table mlops.raised_alert is 'What monitors raised: one row for as long as a cause lasts; mlops.alert shows it with names and acknowledgements';
comment on column mlops.raised_alert.feature is 'The column that drifted; empty where it is the model as a whole';
comment on column mlops.raised_alert.severity is 'critical: in two windows one after the other, and far beyond its threshold or in what the model achieves; it does not fall again';
comment on column mlops.raised_alert.evidence is 'The metrics that alert, in the last window: value, reference, threshold, noise_floor, p_value';
comment on column mlops.raised_alert.windows is 'In how many windows the cause was seen';
comment on column mlops.raised_alert.quiet_windows is 'How many windows in a row it was not seen since';
comment on column mlops.raised_alert.quiet_period is 'The last of those';
create unique index raised_alert_open_key on mlops.raised_alert (monitor_id, kind, segment, feature) where closed_at is null;
create index raised_alert_model on mlops.raised_alert (model_id, id);

create table mlops.acknowledgement
(
	alert_id	bigint primary key references mlops.raised_alert on delete cascade,
	note		text,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp()
);
comment on table mlops.acknowledgement is 'Who took note of an alert, and what they said';

create table mlops.finding
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete cascade,
	model_id	bigint references mlops.model on delete cascade,
	source		text not null default 'person' check (source in ('review', 'monitor', 'policy', 'person')),
	alert_id	bigint references mlops.raised_alert on delete set null,
	title		text not null check (length(title) between 1 and 500),
	detail		text,
	severity	text not null default 'medium' check (severity in ('low', 'medium', 'high')),
	assignee	text,
	due			date,
	state		text not null default 'open' check (state in ('open', 'resolved', 'accepted')),
	resolution	text,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	opened_by	text not null default current_user,
	opened_at	timestamptz not null default clock_timestamp(),
	constraint finding_resolution check (state = 'open' or resolution is not null)
);
comment on table mlops.finding is 'What a person must resolve: opened by people, and by the actions of monitors';
comment on column mlops.finding.state is 'open; resolved: it is mended; accepted: it stays as it is, for the reason that resolution gives';
comment on column mlops.finding.set_by is 'Who changed it last';
create index finding_open on mlops.finding (project_id, due) where state = 'open';

create table mlops.alert_route
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete cascade,
	model_id	bigint references mlops.model on delete cascade,
	kind		text not null check (kind in ('notify', 'log', 'function', 'outbox')),
	target		text,
	severity	text not null default 'warning' check (severity in ('warning', 'critical')),
	enabled		boolean not null default true,
	owner		regrole not null,
	session_role regrole not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	constraint alert_route_target check ((kind in ('notify', 'function')) = (target is not null)),
	constraint alert_route_channel check (kind <> 'notify' or octet_length(target) between 1 and 63)
);
comment on table mlops.alert_route is 'Who is told of alerts beside those who listen on mlops_alert';
comment on column mlops.alert_route.model_id is 'NULL: all models of the project';
comment on column mlops.alert_route.target is 'notify: a channel; function: a function of one jsonb argument, which a job calls with the rights of the route''s owner';
comment on column mlops.alert_route.severity is 'The least severity that it is told of';

create table mlops.alert_outbox
(
	id			bigint generated always as identity primary key,
	route_id	bigint not null references mlops.alert_route on delete cascade,
	alert_id	bigint not null references mlops.raised_alert on delete cascade,
	payload		jsonb not null,
	queued_at	timestamptz not null default clock_timestamp(),
	sent_at		timestamptz
);
comment on table mlops.alert_outbox is 'Messages that an outside sender takes (for update skip locked) and marks as sent: webhooks, mail';
create index alert_outbox_waiting on mlops.alert_outbox (id) where sent_at is null;

create table mlops.monitor_action
(
	id			bigint generated always as identity primary key,
	monitor_id	bigint not null references mlops.monitor on delete cascade,
	action		text not null check (action in ('finding', 'retrain', 'rollback')),
	severity	text not null default 'critical' check (severity in ('warning', 'critical')),
	args		jsonb not null default '{}',
	every		interval not null default '1 day' check (every > interval '0'),
	enabled		boolean not null default true,
	owner		regrole not null,
	session_role regrole not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	constraint monitor_action_key unique (monitor_id, action)
);
comment on table mlops.monitor_action is 'What follows by itself from a monitor''s alerts; done by a job with the rights of its owner';
comment on column mlops.monitor_action.severity is 'The least severity that it follows from';
comment on column mlops.monitor_action.args is 'retrain: source, deploy, margin; finding: assignee, due (an interval), severity';
comment on column mlops.monitor_action.every is 'It is done at most once in this time';

create table mlops.action_run
(
	id			bigint generated always as identity primary key,
	action_id	bigint references mlops.monitor_action on delete set null,
	action		text not null,
	alert_id	bigint not null references mlops.raised_alert on delete cascade,
	job_id		bigint,
	state		text not null default 'queued' check (state in ('queued', 'done', 'refused')),
	detail		text,
	deployment_id bigint,
	queued_at	timestamptz not null default clock_timestamp(),
	finished_at	timestamptz
);
comment on table mlops.action_run is 'What was done because of an alert, or why it was not';
comment on column mlops.action_run.action_id is 'NULL: the action was replaced or removed since';
comment on column mlops.action_run.job_id is 'The job that does it, whose runs say why it failed';
comment on column mlops.action_run.deployment_id is 'The deployment that it made; alerts about that one cause no further action';
create index action_run_alert on mlops.action_run (alert_id, id);

-- ---- Security: members see; those who deploy acknowledge, route and act ----

grant update (close_after) on mlops.monitor to public;
create policy monitor_close on mlops.monitor for update
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('deploy'))));

grant select on mlops.raised_alert, mlops.acknowledgement, mlops.finding, mlops.alert_route, mlops.alert_outbox, mlops.monitor_action, mlops.action_run to public;

alter table mlops.raised_alert enable row level security;
create policy raised_alert_view on mlops.raised_alert for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.acknowledgement enable row level security;
grant insert (alert_id, note) on mlops.acknowledgement to public;
create policy acknowledgement_view on mlops.acknowledgement for select
	using (alert_id in (select a.id from mlops.raised_alert a));
create policy acknowledgement_give on mlops.acknowledgement for insert
	with check (alert_id in (select a.id from mlops.raised_alert a join mlops.model m on m.id operator(pg_catalog.=) a.model_id
							  where m.project_id in (select mlops.accessible_projects('deploy'))));

alter table mlops.finding enable row level security;
grant insert (project_id, model_id, alert_id, title, detail, severity, assignee, due),
	update (title, detail, severity, assignee, due, state, resolution) on mlops.finding to public;
create policy finding_view on mlops.finding for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy finding_open on mlops.finding for insert
	with check (project_id in (select mlops.accessible_projects('view'))
				and (alert_id is null or alert_id in (select a.id from mlops.raised_alert a))
				and (model_id is null or exists (select from mlops.model m where m.id operator(pg_catalog.=) finding.model_id
																			   and m.project_id operator(pg_catalog.=) finding.project_id)));
-- what a review or a policy found is for those who review to settle
create policy finding_train on mlops.finding for update
	using (source operator(pg_catalog.=) any (array['person', 'monitor']) and project_id in (select mlops.accessible_projects('train')));
create policy finding_review on mlops.finding for update
	using (project_id in (select mlops.accessible_projects('review')));
create policy finding_deploy on mlops.finding for update
	using (source operator(pg_catalog.=) any (array['person', 'monitor']) and project_id in (select mlops.accessible_projects('deploy')));

alter table mlops.alert_route enable row level security;
grant insert (project_id, model_id, kind, target, severity), update (enabled, severity), delete on mlops.alert_route to public;
create policy alert_route_view on mlops.alert_route for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy alert_route_add on mlops.alert_route for insert
	with check (project_id in (select mlops.accessible_projects('deploy'))
				and (model_id is null or exists (select from mlops.model m where m.id operator(pg_catalog.=) alert_route.model_id
																			   and m.project_id operator(pg_catalog.=) alert_route.project_id)));
create policy alert_route_switch on mlops.alert_route for update
	using (project_id in (select mlops.accessible_projects('deploy')));
create policy alert_route_remove on mlops.alert_route for delete
	using (project_id in (select mlops.accessible_projects('deploy')));

alter table mlops.alert_outbox enable row level security;
grant update (sent_at), delete on mlops.alert_outbox to public;
create policy alert_outbox_view on mlops.alert_outbox for select
	using (route_id in (select r.id from mlops.alert_route r where r.project_id in (select mlops.accessible_projects('deploy'))));
create policy alert_outbox_send on mlops.alert_outbox for update
	using (route_id in (select r.id from mlops.alert_route r where r.project_id in (select mlops.accessible_projects('deploy'))));
create policy alert_outbox_clear on mlops.alert_outbox for delete
	using (route_id in (select r.id from mlops.alert_route r where r.project_id in (select mlops.accessible_projects('deploy'))));

alter table mlops.monitor_action enable row level security;
grant insert (monitor_id, action, severity, args, every), update (enabled), delete on mlops.monitor_action to public;
create policy monitor_action_view on mlops.monitor_action for select
	using (monitor_id in (select o.id from mlops.monitor o));
create policy monitor_action_set on mlops.monitor_action for insert
	with check (monitor_id in (select o.id from mlops.monitor o join mlops.model m on m.id operator(pg_catalog.=) o.model_id
								where m.project_id in (select mlops.accessible_projects('deploy'))));
create policy monitor_action_switch on mlops.monitor_action for update
	using (monitor_id in (select o.id from mlops.monitor o join mlops.model m on m.id operator(pg_catalog.=) o.model_id
						   where m.project_id in (select mlops.accessible_projects('deploy'))));
create policy monitor_action_remove on mlops.monitor_action for delete
	using (monitor_id in (select o.id from mlops.monitor o join mlops.model m on m.id operator(pg_catalog.=) o.model_id
						   where m.project_id in (select mlops.accessible_projects('deploy'))));

alter table mlops.action_run enable row level security;
create policy action_run_view on mlops.action_run for select
	using (alert_id in (select a.id from mlops.raised_alert a));

-- ---- Guards: who and when; whose rights an action has ----

create function mlops.job_session() returns regrole
	language c stable as 'MODULE_PATHNAME', 'mlops_job_session';
comment on function mlops.job_session() is 'Whom a worker connects as for a job of the caller''s: session_user, or the caller where a function had taken on its definer''s rights; an error where that role cannot connect';

create function mlops.worker_stamp() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if not mlops.is_restoring() then
		new.set_by := current_user;
		new.set_at := clock_timestamp();
		new.owner := quote_ident(current_user)::regrole;
		new.session_role := mlops.job_session();
		-- what a job will call is a function's name, not a statement
		if tg_table_name = 'alert_route' then
			if new.kind = 'function' and to_regprocedure(new.target || '(jsonb)') is null then
				raise exception 'there is no function %(jsonb)', new.target
					using errcode = 'undefined_function', hint = 'Give its name with the schema, without arguments.';
			end if;
		end if;
	end if;
	return new;
end
$$;
comment on function mlops.worker_stamp() is 'Trigger: whose rights the jobs of a route or an action have: those of whoever makes it, whoever switches it on';

create trigger acknowledgement_stamp before insert on mlops.acknowledgement
	for each row execute function mlops.setter_stamp();
create trigger acknowledgement_immutable before update on mlops.acknowledgement
	for each row execute function mlops.refuse_change();
create trigger finding_stamp before insert or update on mlops.finding
	for each row execute function mlops.setter_stamp();
create trigger alert_route_stamp before insert on mlops.alert_route
	for each row execute function mlops.worker_stamp();
create trigger monitor_action_stamp before insert on mlops.monitor_action
	for each row execute function mlops.worker_stamp();

-- ---- What people see and call ----

create view mlops.alert with (security_invoker) as
	select a.id as alert_id, m.name as model, o.name as monitor,
		   case when a.closed_at is not null then 'closed' when k.alert_id is not null then 'acknowledged' else 'open' end as state,
		   a.severity, a.kind, a.segment, a.feature, a.version, a.windows, a.first_period, a.last_period, a.opened_at as opened, a.seen_at as last_seen,
		   a.closed_at as closed, a.evidence, k.set_by as acknowledged_by, k.set_at as acknowledged_at, k.note, a.model_id, a.monitor_id
	  from mlops.raised_alert a
	  join mlops.model m on m.id operator(pg_catalog.=) a.model_id
	  join mlops.monitor o on o.id operator(pg_catalog.=) a.monitor_id
	  left join mlops.acknowledgement k on k.alert_id operator(pg_catalog.=) a.id;
comment on view mlops.alert is 'What monitors raised: one row a cause, from its first window until it is gone';
comment on column mlops.alert.state is 'open; acknowledged: somebody took note; closed: the cause was gone for some windows (mlops.monitor.close_after)';
comment on column mlops.alert.feature is 'The column that drifted; empty where it is the model as a whole';
comment on column mlops.alert.windows is 'In how many windows the cause was seen';
comment on column mlops.alert.evidence is 'The metrics that alert, in the last window: value, reference, threshold, noise_floor, p_value';
grant select on mlops.alert to public;

create function mlops.acknowledge_alert(alert_id bigint, note text default null) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	known record;
begin
	select a.state, a.acknowledged_by into known from mlops.alert a where a.alert_id = acknowledge_alert.alert_id;
	if not found then
		raise exception 'there is no alert %', coalesce(alert_id::text, 'NULL')
			using errcode = 'undefined_object', hint = 'Alerts are in mlops.alert.';
	elsif known.acknowledged_by is not null then
		raise exception 'alert % is acknowledged by "%" already', alert_id, known.acknowledged_by
			using errcode = 'object_not_in_prerequisite_state';
	end if;
	insert into mlops.acknowledgement (alert_id, note) values (acknowledge_alert.alert_id, acknowledge_alert.note);
end
$$;
comment on function mlops.acknowledge_alert(bigint, text) is 'Takes note of an alert, with the caller''s name; it takes the right to deploy';

create function mlops.route_alerts(project text, kind text, target text default null, model text default null, severity text default 'warning') returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	about_project bigint;
	about_model bigint;
	callee regprocedure;
	made bigint;
begin
	if kind is null or kind not in ('notify', 'log', 'function', 'outbox') then
		raise exception 'unknown kind of route %', coalesce(quote_literal(kind), 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'Kinds are notify, log, function and outbox.';
	elsif severity is null or severity not in ('warning', 'critical') then
		raise exception 'unknown severity %', coalesce(quote_literal(severity), 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'Severities are warning and critical.';
	elsif (kind in ('notify', 'function')) <> (target is not null) then
		raise exception 'a route of kind % %', kind, case when target is null then 'needs a target' else 'has no target' end
			using errcode = 'invalid_parameter_value', hint = 'The target of notify is a channel, that of function a function of one jsonb argument.';
	end if;
	select p.id into about_project from mlops.project p where p.name = route_alerts.project
	   and p.id in (select mlops.accessible_projects('deploy')) order by p.id limit 1;
	if not found then
		raise exception 'there is no project "%" whose alerts you may route', project
			using errcode = 'undefined_object', hint = 'It takes the access operator or owner; projects are in mlops.project.';
	end if;
	if model is not null then
		select r.model_id into about_model from mlops.resolve_model(route_alerts.project || '/' || route_alerts.model, 'model', 'deploy') r;
	end if;
	if kind = 'function' then
		callee := to_regprocedure(target || '(jsonb)');
		if callee is null then
			raise exception 'there is no function %(jsonb)', target
				using errcode = 'undefined_function', hint = 'Give its name with the schema, without arguments.';
		elsif not has_function_privilege(callee, 'execute') then
			raise exception 'permission denied for function %', callee
				using errcode = 'insufficient_privilege';
		end if;
		target := (select format('%I.%I', n.nspname, f.proname) from pg_proc f join pg_namespace n on n.oid = f.pronamespace where f.oid = callee);
	end if;
	insert into mlops.alert_route (project_id, model_id, kind, target, severity)
	values (about_project, about_model, route_alerts.kind, route_alerts.target, route_alerts.severity)
	returning id into made;
	return made;
end
$$;
comment on function mlops.route_alerts(text, text, text, text, text) is
'Tells somebody of a project''s alerts, or of one model''s: notify (a channel), log (the server''s), function (of one jsonb argument, called by a job), outbox (a row of mlops.alert_outbox for an outside sender); the route''s id';

create function mlops.on_alert(monitor bigint, action text, severity text default 'critical', args jsonb default '{}', every interval default '1 day') returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	known constant jsonb := '{"finding": ["assignee", "due", "severity"], "retrain": ["source", "deploy", "margin"], "rollback": []}';
	unknown text;
	made bigint;
begin
	if action is null or not known ? action then
		raise exception 'unknown action %', coalesce(quote_literal(action), 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'Actions are finding, retrain and rollback.';
	elsif severity is null or severity not in ('warning', 'critical') then
		raise exception 'unknown severity %', coalesce(quote_literal(severity), 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'Severities are warning and critical.';
	elsif every is null or every <= interval '0' then
		raise exception 'invalid interval %', coalesce(every::text, 'NULL')
			using errcode = 'invalid_parameter_value', hint = 'It is longer than 0: an action is done at most once in this time.';
	elsif jsonb_typeof(args) is distinct from 'object' then
		raise exception 'args must be an object'
			using errcode = 'invalid_parameter_value';
	end if;
	select k into unknown from jsonb_object_keys(args) k where not known -> action ? k limit 1;
	if found then
		raise exception 'action % has no argument "%"', action, unknown
			using errcode = 'invalid_parameter_value',
				hint = coalesce(format('Its arguments are %s.', (select nullif(string_agg(k, ', '), '') from jsonb_array_elements_text(known -> action) k)),
								'It has none.');
	end if;
	if coalesce(args ->> 'deploy', 'never') not in ('if_better', 'never', 'always') then
		raise exception 'unknown value of "deploy": %', args ->> 'deploy'
			using errcode = 'invalid_parameter_value', hint = 'It is if_better, never or always.';
	end if;
	if action = 'finding' and coalesce(args ->> 'severity', 'low') not in ('low', 'medium', 'high') then
		raise exception 'unknown value of "severity": %', args ->> 'severity'
			using errcode = 'invalid_parameter_value', hint = 'The severity of a finding is low, medium or high.';
	end if;
	perform (args ->> 'margin')::double precision, (args ->> 'due')::interval;
	if not exists (select from mlops.monitor o where o.id = on_alert.monitor) then
		raise exception 'there is no monitor %', coalesce(monitor::text, 'NULL')
			using errcode = 'undefined_object', hint = 'Monitors are in mlops.monitor.';
	end if;
	delete from mlops.monitor_action a where a.monitor_id = on_alert.monitor and a.action = on_alert.action;
	insert into mlops.monitor_action (monitor_id, action, severity, args, every)
	values (on_alert.monitor, on_alert.action, on_alert.severity, on_alert.args, on_alert.every)
	returning id into made;
	return made;
end
$$;
comment on function mlops.on_alert(bigint, text, text, jsonb, interval) is
'Has something follow by itself from a monitor''s alerts: finding, retrain (args: source, deploy, margin) or rollback, at most once in every; replaces the monitor''s action of this name; the action''s id';

revoke execute on function mlops.worker_stamp() from public;
