-- Timeline: the story of a model, from what was written down elsewhere.

create function mlops.timeline(model text) returns table (at timestamptz, event text, detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	/* before the query: the caller's right is asked even where there is nothing to tell */
	target constant bigint := (select r.model_id from mlops.resolve_model(timeline.model, 'model', 'view') r);
begin
	return query
	select e.at, e.event, e.detail
	  from (
		select v.created_at as at, case v.origin when 'measured' then 'trained' else 'imported' end as event,
			   format('version %s by %s: %s%s', v.version, v.created_by, v.algorithm,
					  coalesce(', ' || (select string_agg(format('%s %s', q.key, round(q.value::numeric, 4)), ', ' order by q.key)
										  from jsonb_each_text(v.metrics) q where q.key in ('roc_auc', 'rmse', 'log_loss', 'r2', 'accuracy')), '')) as detail
		  from mlops.model_version v where v.model_id = target
		union all
		select lower(d.valid), case d.action when 'rollback' then 'rolled back' else 'deployed' end,
			   format('version %s by %s%s', d.version, d.deployed_by,
					  case when exists (select from mlops.action_run x where x.deployment_id = d.id) then ', because of an alert' else '' end
					  || coalesce(', AGAINST THE POLICY: ' || d.override, ''))
		  from mlops.deployment d where d.model_id = target
		union all
		select upper(d.valid), 'undeployed', format('version %s by %s', d.version, d.ended_by)
		  from mlops.deployment d where d.model_id = target and not upper_inf(d.valid)
		   and not exists (select from mlops.deployment n where n.model_id = target and lower(n.valid) = upper(d.valid))
		union all
		select h.set_at, 'alias', case when h.version is null then format('%s removed by %s', h.name, h.set_by)
									   else format('%s is version %s, by %s', h.name, h.version, h.set_by) end
		  from mlops.alias_history h where h.model_id = target
		union all
		select o.created_at, 'monitor', format('%s, by %s', o.name, pg_get_userbyid(o.owner)) from mlops.monitor o where o.model_id = target
		union all
		select a.opened, 'alert', format('%s of monitor %s: %s%s%s, first in %s', a.alert_id, a.monitor, a.kind, coalesce(' of ' || nullif(a.feature, ''), ''),
										 coalesce(' in ' || nullif(a.segment, ''), ''), a.first_period)
		  from mlops.alert a where a.model_id = target
		union all
		select a.acknowledged_at, 'acknowledged', format('alert %s by %s%s', a.alert_id, a.acknowledged_by, coalesce(': ' || a.note, ''))
		  from mlops.alert a where a.model_id = target and a.acknowledged_by is not null
		union all
		select a.closed, 'closed', format('alert %s, after %s windows', a.alert_id, a.windows) from mlops.alert a where a.model_id = target and a.closed is not null
		union all
		select coalesce(x.finished_at, x.queued_at), 'action', format('%s because of alert %s: %s%s', x.action, x.alert_id, x.state, coalesce(', ' || x.detail, ''))
		  from mlops.action_run x
		  join mlops.raised_alert a on a.id = x.alert_id
		 where a.model_id = target
		union all
		select c.compared_at, 'compared',
			   format('version %s with %s by %s: %s', c.challenger, c.champion, c.compared_by,
					  case when c.comparison ? 'why_not' then c.comparison ->> 'why_not'
						   else format('%s; %s differs by %s (%s) on %s rows', case when (c.comparison ->> 'better')::boolean then 'better' else 'not better' end,
									   c.comparison ->> 'metric', round((c.comparison ->> 'difference')::numeric, 4),
									   case when (c.comparison ->> 'p_value')::float8 < .0001 then 'p < 0.0001'
											else 'p ' || round((c.comparison ->> 'p_value')::numeric, 4) end, c.comparison ->> 'rows') end)
		  from mlops.comparison c where c.model_id = target
		union all
		select w.requested_at, 'review', format('version %s: requested by %s%s', w.version, w.requested_by, coalesce(', ' || w.note, '')) from mlops.review w where w.model_id = target
		union all
		select a.decided_at, case a.decision when 'conditional' then 'approved' else a.decision end,
			   format('version %s by %s%s%s', a.version, a.decided_by, coalesce(', if by ' || a.due || ': ' || a.conditions, ''), coalesce(', ' || a.comment, ''))
		  from mlops.approval a where a.model_id = target
		union all
		select r.revoked_at, 'revoked', format('version %s by %s: %s', r.version, r.revoked_by, r.reason) from mlops.revocation r where r.model_id = target
		union all
		select f.opened_at, 'finding', format('%s: %s', f.id, f.title) from mlops.finding f where f.model_id = target
		union all
		select f.set_at, f.state, format('finding %s by %s: %s', f.id, f.set_by, f.resolution) from mlops.finding f where f.model_id = target and f.state <> 'open'
	  ) e
	 order by e.at, e.event, e.detail;
end
$$;
comment on function mlops.timeline(text) is
'What happened to a model, in the order of time: versions, reviews, decisions, deployments, revocations, aliases, monitors, alerts, actions, comparisons, findings';
