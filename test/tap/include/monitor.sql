-- A monitor of model diagnosis, the only one, and windows of one result each, as mlops.run_monitor() would write them.
delete from mlops.monitor;
delete from mlops.finding;
delete from mlops.alert_route;
insert into mlops.monitor (model_id, name, settings, window_size, reference, owner, session_role)
values (:diagnosis, 'daily', '{}', '1 day', 'training', 'olga_operator', 'olga_operator') returning id as monitor \gset
create function pg_temp.window(day integer, verdict text) returns integer language plpgsql as $$
declare
	watching constant bigint := (select o.id from mlops.monitor o where o.name = 'daily');
	days constant tstzrange := tstzrange(timestamptz '2026-01-01' + day * interval '1 day', timestamptz '2026-01-02' + day * interval '1 day');
begin
	delete from mlops.monitor_result r where r.monitor_id = watching and r.period = days;
	insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, feature, metric, value, threshold, verdict)
	select watching, o.model_id, coalesce((select d.version from mlops.deployment d where d.model_id = o.model_id and upper_inf(d.valid)), 1), days, 'drift', 'radius', 'psi', 0.3, 0.1, verdict from mlops.monitor o where o.id = watching;
	return mlops.raise_alerts(watching, days);
end
$$;
