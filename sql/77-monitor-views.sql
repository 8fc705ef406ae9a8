-- What monitors found, with names: long, one row a metric, and wide, one row a window.

create view mlops.drift with (security_invoker) as
	select d.name as model, m.name as monitor, r.version, r.period, r.kind, r.segment, r.feature, r.metric, r.value, r.p_value, r.noise_floor, r.threshold,
		   r.verdict, r.rows, r.detail, r.computed_at, r.model_id, r.monitor_id
	  from mlops.monitor_result r
	  join mlops.monitor m on m.id operator(pg_catalog.=) r.monitor_id
	  join mlops.model d on d.id operator(pg_catalog.=) r.model_id
	 where r.kind in ('drift', 'prediction_drift', 'multivariate', 'attribution');
comment on view mlops.drift is 'How far features, predictions and attributions are from the reference, window by window';
comment on column mlops.drift.feature is 'The empty text: of all features together';
comment on column mlops.drift.detail is 'Other distances of the same column, and what the verdict rests on';
grant select on mlops.drift to public;

create view mlops.quality with (security_invoker) as
	select d.name as model, m.name as monitor, r.version, r.period, r.kind, r.segment, r.feature, r.metric, r.value, r.reference, r.p_value, r.noise_floor, r.threshold,
		   r.verdict, r.rows, r.detail, r.computed_at, r.model_id, r.monitor_id
	  from mlops.monitor_result r
	  join mlops.monitor m on m.id operator(pg_catalog.=) r.monitor_id
	  join mlops.model d on d.id operator(pg_catalog.=) r.model_id
	 where r.kind operator(pg_catalog.=) 'quality';
comment on view mlops.quality is 'Missing, impossible, unknown and repeated values, late and missing rows, window by window';
grant select on mlops.quality to public;

create view mlops.performance with (security_invoker) as
	select d.name as model, m.name as monitor, r.version, r.period, r.kind, r.segment, r.feature, r.metric, r.value, r.reference, r.p_value, r.noise_floor, r.threshold,
		   r.verdict, r.rows, r.detail, r.computed_at, r.model_id, r.monitor_id
	  from mlops.monitor_result r
	  join mlops.monitor m on m.id operator(pg_catalog.=) r.monitor_id
	  join mlops.model d on d.id operator(pg_catalog.=) r.model_id
	 where r.kind in ('realised', 'estimated', 'calibration', 'fairness');
comment on view mlops.performance is 'How good predictions are, window by window: realised, where outcomes are known, and estimated, where they are not';
grant select on mlops.performance to public;

create view mlops.health with (security_invoker) as
	select d.name as model, m.name as monitor, r.version, r.period, r.kind, r.segment, r.metric, r.value, r.p_value, r.noise_floor, r.threshold, r.verdict, r.rows, r.detail, r.computed_at,
		   r.model_id, r.monitor_id
	  from mlops.monitor_result r
	  join mlops.monitor m on m.id operator(pg_catalog.=) r.monitor_id
	  join mlops.model d on d.id operator(pg_catalog.=) r.model_id
	 where r.kind operator(pg_catalog.=) 'health';
comment on view mlops.health is 'Requests, latencies, errors and losses of captured predictions, window by window';
grant select on mlops.health to public;

create view mlops.monitor_window with (security_invoker) as
	select d.name as model, m.name as monitor, r.version, r.period, lower(r.period) as starts, upper(r.period) as ends, r.segment,
		   max(r.rows) as rows,
		   count(*) filter (where r.verdict operator(pg_catalog.=) 'alert') as alerts,
		   count(*) filter (where r.verdict operator(pg_catalog.=) 'insufficient data') as insufficient,
		   string_agg(distinct r.feature, ', ' order by r.feature) filter (where r.kind operator(pg_catalog.=) 'drift' and r.verdict operator(pg_catalog.=) 'alert' and r.feature operator(pg_catalog.<>) '') as drifted,
		   max(r.value) filter (where r.metric operator(pg_catalog.=) 'share_drifted') as share_drifted,
		   max(r.value) filter (where r.metric operator(pg_catalog.=) 'importance_drifted') as importance_drifted,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'drift' and r.metric operator(pg_catalog.=) 'psi') as greatest_psi,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'prediction_drift' and r.metric operator(pg_catalog.=) 'psi') as prediction_psi,
		   max(r.value) filter (where r.metric operator(pg_catalog.=) 'null_rate') as greatest_null_rate,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'realised' and r.metric operator(pg_catalog.=) 'roc_auc') as roc_auc,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'estimated' and r.metric operator(pg_catalog.=) 'roc_auc') as estimated_roc_auc,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'realised' and r.metric operator(pg_catalog.=) 'accuracy') as accuracy,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'estimated' and r.metric operator(pg_catalog.=) 'accuracy') as estimated_accuracy,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'realised' and r.metric operator(pg_catalog.=) 'rmse') as rmse,
		   max(r.value) filter (where r.kind operator(pg_catalog.=) 'estimated' and r.metric operator(pg_catalog.=) 'rmse') as estimated_rmse,
		   max(r.value) filter (where r.metric operator(pg_catalog.=) 'requests') as requests,
		   max(r.value) filter (where r.metric operator(pg_catalog.=) 'latency_p95') as latency_p95,
		   max(r.value) filter (where r.metric operator(pg_catalog.=) 'errors') as errors,
		   max(r.computed_at) as computed_at, r.model_id, r.monitor_id
	  from mlops.monitor_result r
	  join mlops.monitor m on m.id operator(pg_catalog.=) r.monitor_id
	  join mlops.model d on d.id operator(pg_catalog.=) r.model_id
	 group by d.name, m.name, r.version, r.period, r.segment, r.model_id, r.monitor_id;
comment on view mlops.monitor_window is 'One row a window and segment, with what matters most side by side: for dashboards';
comment on column mlops.monitor_window.drifted is 'The features that are an alert';
comment on column mlops.monitor_window.errors is 'Share of requests that ended with an error';
grant select on mlops.monitor_window to public;
