-- What follows from alerts: who is told, what is done.  All but the last function runs as the extension's owner, within mlops.run_monitor() or an action's job.

create function mlops.queue_statement(owner regrole, session_role regrole, project_id bigint, statement text) returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
	with made as (insert into mlops.job (kind, args, owner, session_role, settings, project_id)
				  values ('sql', jsonb_build_object('statement', statement), owner, session_role,
						  '{"search_path": "pg_catalog, pg_temp", "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "postgres"}', project_id)
				  returning id),
	queued as (insert into mlops.job_run (job_id, kind) select m.id, 'sql' from made m returning job_id)
	select q.job_id from queued q
$$;
comment on function mlops.queue_statement(regrole, regrole, bigint, text) is 'Has a background worker run one statement of ours with a role''s rights; the job''s id';

create function mlops.send_alert(alert_id bigint, event text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	told record;
	route record;
	payload jsonb;
begin
	select a.*, m.name as model, m.project_id, p.name as project, o.name as monitor into told
	  from mlops.raised_alert a join mlops.model m on m.id = a.model_id join mlops.project p on p.id = m.project_id join mlops.monitor o on o.id = a.monitor_id
	 where a.id = send_alert.alert_id;
	payload := jsonb_build_object('alert_id', told.id, 'event', event, 'severity', told.severity, 'model_id', told.model_id, 'monitor_id', told.monitor_id);
	-- anybody may listen: ids only
	perform pg_notify('mlops_alert', payload::text);
	payload := payload || jsonb_build_object('project', told.project, 'model', told.model, 'monitor', told.monitor, 'kind', told.kind, 'segment', told.segment,
											 'feature', told.feature, 'version', told.version, 'period', told.last_period, 'windows', told.windows,
											 'evidence', told.evidence);
	for route in
		select r.* from mlops.alert_route r
		 where r.project_id = told.project_id and coalesce(r.model_id, told.model_id) = told.model_id and r.enabled
		   and (r.severity = 'warning' or told.severity = 'critical')
		   -- who made it may have lost all access since
		   and exists (select from mlops.project_member pm where pm.project_id = told.project_id and pm.access <> 'predictor' and pg_has_role(r.owner, pm.member, 'usage'))
		 order by r.id
	loop
		case route.kind
			-- a notification has at most 8,000 bytes; mlops.alert has the rest
			when 'notify' then
				perform pg_notify(route.target, case when octet_length(payload::text) < 7900 then payload
													 else payload - '{evidence,segment,feature,project,model,monitor}'::text[] end::text);
			when 'log' then raise log 'alert of model "%" (%): %', told.model, event, payload;
			when 'function' then
				perform mlops.queue_statement(route.owner, route.session_role, told.project_id,
											  format('select %s(%L::pg_catalog.jsonb)', route.target, payload));
			when 'outbox' then
				insert into mlops.alert_outbox (route_id, alert_id, payload) values (route.id, told.id, payload);
		end case;
	end loop;
end
$$;
comment on function mlops.send_alert(bigint, text) is 'Tells those who listen, and all routes, that an alert was opened, became critical or was closed';

create function mlops.act_on_alert(alert_id bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	raised record;
	act record;
	run bigint;
begin
	select a.*, m.project_id, m.name as model into raised from mlops.raised_alert a join mlops.model m on m.id = a.model_id where a.id = act_on_alert.alert_id;
	for act in
		select n.* from mlops.monitor_action n
		 where n.monitor_id = raised.monitor_id and n.enabled and (n.severity = 'warning' or raised.severity = 'critical')
		   and not exists (select from mlops.action_run x join mlops.raised_alert y on y.id = x.alert_id
							where y.monitor_id = raised.monitor_id and x.action = n.action
							  and (x.alert_id = raised.id or x.queued_at > clock_timestamp() - n.every and n.action <> 'finding'))
		 order by n.id
	loop
		insert into mlops.action_run (action_id, action, alert_id) values (act.id, act.action, raised.id) returning id into run;
		if act.action = 'finding' then
			-- arguments that are wrong must not take the alert with them
			begin
				insert into mlops.finding (project_id, model_id, source, alert_id, title, severity, assignee, due)
				values (raised.project_id, raised.model_id, 'monitor', raised.id,
						left(format('%s of model %s%s', raised.kind, raised.model, coalesce(': ' || nullif(raised.feature, ''), '')), 500),
						coalesce(act.args ->> 'severity', case raised.severity when 'critical' then 'high' else 'medium' end),
						act.args ->> 'assignee', (current_date + (act.args ->> 'due')::interval)::date);
				perform mlops.finish_action(run, null);
			exception when data_exception or integrity_constraint_violation then
				perform mlops.finish_action(run, jsonb_build_object('refused', sqlerrm));
			end;
		else
			update mlops.action_run x
			   set job_id = mlops.queue_statement(act.owner, act.session_role, raised.project_id, format('select mlops.perform_action(%s)', run))
			 where x.id = run;
		end if;
	end loop;
end
$$;
comment on function mlops.act_on_alert(bigint) is 'Begins the actions that follow from an alert, each once an alert and not more often than it may';

create function mlops.raise_alerts(monitor_id bigint, period tstzrange) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	watched record;
	cause record;
	quiet record;
	alert record;
	opened integer := 0;
begin
	-- an earlier window than the newest tells of the past: what it led to was decided then
	if exists (select from mlops.monitor_result r where r.monitor_id = raise_alerts.monitor_id and r.period > raise_alerts.period and lower(r.period) > lower(raise_alerts.period)) then
		return 0;
	end if;
	select o.model_id, o.close_after into watched from mlops.monitor o where o.id = raise_alerts.monitor_id;

	for cause in
		select r.kind, r.segment, r.feature, max(r.version) as version,
			   bool_or(r.kind in ('realised', 'quality') or r.value >= 2.5 * r.threshold) as grave,
			   jsonb_agg(jsonb_strip_nulls(jsonb_build_object('metric', r.metric, 'value', r.value, 'reference', r.reference, 'threshold', r.threshold,
															  'noise_floor', r.noise_floor, 'p_value', r.p_value))
						 order by r.p_value, r.metric) as evidence
		  from mlops.monitor_result r
		 where r.monitor_id = raise_alerts.monitor_id and r.period = raise_alerts.period and r.verdict = 'alert'
		 group by r.kind, r.segment, r.feature
		 order by r.kind, r.segment, r.feature
	loop
		update mlops.raised_alert a
		   set windows = a.windows + (a.last_period <> raise_alerts.period)::integer,
			   severity = case when cause.grave and a.quiet_windows = 0 and a.first_period <> raise_alerts.period then 'critical' else a.severity end,
			   evidence = cause.evidence, version = cause.version, last_period = raise_alerts.period, seen_at = clock_timestamp(),
			   quiet_windows = 0, quiet_period = null
		  from mlops.raised_alert before
		 where a.monitor_id = raise_alerts.monitor_id and a.kind = cause.kind and a.segment = cause.segment and a.feature = cause.feature
		   and a.closed_at is null and before.id = a.id
		returning a.id, a.severity, a.severity <> before.severity as worse into alert;
		if not found then
			insert into mlops.raised_alert (model_id, monitor_id, kind, segment, feature, severity, version, evidence, first_period, last_period)
			values (watched.model_id, raise_alerts.monitor_id, cause.kind, cause.segment, cause.feature, 'warning', cause.version, cause.evidence,
					raise_alerts.period, raise_alerts.period)
			returning id into alert;
			opened := opened + 1;
			perform mlops.send_alert(alert.id, 'opened');
		elsif alert.worse then
			perform mlops.send_alert(alert.id, 'critical');
		end if;
		perform mlops.act_on_alert(alert.id);
	end loop;

	-- gone where it was looked for and not found
	for quiet in
		update mlops.raised_alert a
		   set quiet_windows = a.quiet_windows + (a.quiet_period is distinct from raise_alerts.period)::integer, quiet_period = raise_alerts.period
		 where a.monitor_id = raise_alerts.monitor_id and a.closed_at is null and a.last_period <> raise_alerts.period
		   and exists (select from mlops.monitor_result r
						where r.monitor_id = raise_alerts.monitor_id and r.period = raise_alerts.period and r.verdict = 'ok'
						  and r.kind = a.kind and r.segment = a.segment and r.feature = a.feature)
		returning a.id, a.quiet_windows
	loop
		continue when quiet.quiet_windows < watched.close_after;
		update mlops.raised_alert a set closed_at = clock_timestamp() where a.id = quiet.id;
		perform mlops.send_alert(quiet.id, 'closed');
	end loop;
	return opened;
end
$$;
comment on function mlops.raise_alerts(bigint, tstzrange) is
'Opens, renews and closes alerts by what a monitor found in its newest window, tells of them and begins what follows; how many were opened';

create function mlops.plan_action(run_id bigint, caller oid) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	run record;
	live record;
begin
	select x.state, n.action, n.args, n.every, a.opened_at, a.model_id, a.version, '#' || m.project_id || '/' || m.name as model
	  into run
	  from mlops.action_run x join mlops.monitor_action n on n.id = x.action_id join mlops.raised_alert a on a.id = x.alert_id
	  join mlops.model m on m.id = a.model_id
	 where x.id = plan_action.run_id and n.owner = plan_action.caller for update of x;
	if not found or run.state <> 'queued' then
		return null;
	end if;
	-- no deployment comes between what is looked at now and what is done
	perform mlops.lock_model(run.model_id);
	select d.id, d.version, d.valid, exists (select from mlops.action_run x where x.deployment_id = d.id) as by_action into live
	  from mlops.deployment d where d.model_id = run.model_id and upper_inf(d.valid);
	if live.by_action and (lower(live.valid) >= run.opened_at or lower(live.valid) > clock_timestamp() - run.every) then
		return jsonb_build_object('refused', 'the live deployment is itself what followed from an alert: a person decides');
	end if;
	if run.action = 'rollback' and live.version is distinct from run.version then
		return jsonb_build_object('refused', format('version %s, which the alert is about, is not live', run.version));
	end if;
	if run.action = 'rollback' then
		return jsonb_build_object('statement', format('select to_jsonb(r) from mlops.rollback(%L) r', run.model));
	end if;
	if run.args ->> 'source' is null and not mlops.has_query_of(plan_action.caller, run.model_id, live.version) then
		return jsonb_build_object('refused', 'the version was trained on the query of a role whose rights the action has not: give it a source');
	end if;
	return jsonb_build_object('statement',
		format('select to_jsonb(r) from mlops.retrain(%L, source => %L, deploy => %L, margin => %L) r', run.model, run.args ->> 'source',
			   coalesce(run.args ->> 'deploy', 'if_better'), coalesce(run.args ->> 'margin', '0')));
end
$$;
comment on function mlops.plan_action(bigint, oid) is
'What is to be done for an action of a role: a statement, or why it is refused; NULL where there is nothing. An action is never begun by what it led to itself';

create function mlops.finish_action(run_id bigint, result jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	done record;
begin
	update mlops.action_run x
	   set state = case when result ? 'refused' then 'refused' else 'done' end, finished_at = clock_timestamp(),
		   detail = coalesce(result ->> 'refused', result::text),
		   deployment_id = case when result ->> 'deployment_id' is not null or (result ->> 'deployed')::boolean
								then (select d.id from mlops.deployment d where d.model_id = a.model_id and upper_inf(d.valid)) end
	  from mlops.raised_alert a
	 where x.id = finish_action.run_id and a.id = x.alert_id
	returning x.alert_id, x.state, x.action, a.model_id, a.monitor_id, (select n.owner from mlops.monitor_action n where n.id = x.action_id) as owner into done;
	perform mlops.note_event(m.project_id, done.action, 'model ' || m.name,
							 jsonb_build_object('alert_id', done.alert_id, 'monitor_id', done.monitor_id, 'owner', done.owner::regrole, 'state', done.state,
												'result', result))
	   from mlops.model m where m.id = done.model_id;
end
$$;
comment on function mlops.finish_action(bigint, jsonb) is 'Writes down what an action did, and leaves an event in mlops.audit_event';

create function mlops.perform_action(run_id bigint) returns text
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_perform_action';
comment on function mlops.perform_action(bigint) is
'Does what follows from an alert, with the rights of the action''s owner, who calls it by a job: all of it and its record, or nothing; what it did';

revoke execute on function mlops.queue_statement(regrole, regrole, bigint, text), mlops.send_alert(bigint, text), mlops.act_on_alert(bigint),
	mlops.raise_alerts(bigint, tstzrange), mlops.plan_action(bigint, oid), mlops.finish_action(bigint, jsonb) from public;
