-- Portfolio: how each project stands, in one row.

create view mlops.portfolio with (security_invoker) as
	select p.name as project, p.goal, p.stage, p.status, p.status_reason, p.owner_name as owner,
		   (select pg_catalog.count(distinct b.member) from mlops.project_member b where b.project_id operator(pg_catalog.=) p.id) as members,
		   p.tags, p.starts_on, p.due_on,
		   p.status operator(pg_catalog.<>) 'done' and p.due_on operator(pg_catalog.<) current_date as overdue,
		   d.models, d.live_versions, p.target_metric, p.target_value, d.best_live,
		   case when p.target_direction operator(pg_catalog.=) 'minimize' then d.best_live operator(pg_catalog.<=) p.target_value
				else d.best_live operator(pg_catalog.>=) p.target_value end as target_met,
		   case when a.critical operator(pg_catalog.>) 0 then 'critical' when a.open operator(pg_catalog.>) 0 then 'warning'
				when d.live_versions operator(pg_catalog.=) 0 then 'not live' when d.unwatched operator(pg_catalog.>) 0 then 'unwatched' else 'ok' end as health,
		   a.open as open_alerts, f.open as open_findings, f.overdue as overdue_findings, r.runs, r.last_run,
		   extract(day from now() operator(pg_catalog.-) r.last_run)::integer as days_since_last_run,
		   r.train_seconds, p.value, p.id as project_id
	  from mlops.project p
	 cross join lateral (
		select pg_catalog.count(*) as models, pg_catalog.count(l.version) as live_versions,
			   case when p.target_direction operator(pg_catalog.=) 'minimize' then pg_catalog.min(q.value) else pg_catalog.max(q.value) end as best_live,
			   pg_catalog.count(*) filter (where l.version is not null and not exists (select from mlops.monitor o where o.model_id operator(pg_catalog.=) m.id and o.enabled)) as unwatched
		  from mlops.model m
		  left join mlops.deployment l on l.model_id operator(pg_catalog.=) m.id and upper_inf(l.valid)
		  left join mlops.model_version v on v.model_id operator(pg_catalog.=) l.model_id and v.version operator(pg_catalog.=) l.version
		  left join lateral (select (v.metrics operator(pg_catalog.->>) p.target_metric)::double precision as value
							  where v.origin operator(pg_catalog.=) 'measured'
								and pg_catalog.jsonb_typeof(v.metrics operator(pg_catalog.->) p.target_metric) operator(pg_catalog.=) 'number') q on true
		 where m.project_id operator(pg_catalog.=) p.id) d
	 cross join lateral (
		select pg_catalog.count(*) as open, pg_catalog.count(*) filter (where x.severity operator(pg_catalog.=) 'critical') as critical
		  from mlops.raised_alert x join mlops.model m on m.id operator(pg_catalog.=) x.model_id
		 where m.project_id operator(pg_catalog.=) p.id and x.closed_at is null) a
	 cross join lateral (
		select pg_catalog.count(*) as open, pg_catalog.count(*) filter (where x.due operator(pg_catalog.<) current_date) as overdue
		  from mlops.finding x where x.project_id operator(pg_catalog.=) p.id and x.state operator(pg_catalog.=) 'open') f
	 cross join lateral (
		select pg_catalog.count(*) as runs, pg_catalog.max(x.finished_at) as last_run,
			   pg_catalog.sum(extract(epoch from x.finished_at operator(pg_catalog.-) x.started_at)) filter (where x.kind operator(pg_catalog.<>) 'reported') as train_seconds
		  from mlops.run x where x.project_id operator(pg_catalog.=) p.id) r;
comment on view mlops.portfolio is 'Each project that the caller views: its goal, how it stands, its models, health, what is open, what it took';
comment on column mlops.portfolio.best_live is 'The best measured value of the target metric among live versions';
comment on column mlops.portfolio.health is 'critical or warning: an alert is open; not live; unwatched: something live has no monitor; ok';
comment on column mlops.portfolio.train_seconds is 'How long its trainings took, in all';
comment on column mlops.portfolio.value is 'What reaching the goal is worth, as its owner says';
grant select on mlops.portfolio to public;
