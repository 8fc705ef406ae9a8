-- Monitors: what they compute.  A kind is a function mlops.monitor_<kind>(monitor_id, period, source); drift, prediction_drift and quality
-- come from one scan, of mlops.monitor_columns().

create view mlops.monitor_metric with (security_invoker) as
	select v.kind, v.metric, v.threshold, v.usual, v.meaning
	  from (values
		('drift', 'psi', 0.1::double precision, true, 'population stability index of a feature, nats'),
		('drift', 'kl', 0.1, false, 'Kullback-Leibler divergence, nats'),
		('drift', 'js_divergence_bits', 0.1, false, 'Jensen-Shannon divergence, bits'),
		('drift', 'js_distance_base2', 0.1, false, 'Jensen-Shannon distance, base 2'),
		('drift', 'js_distance_nats', 0.1, false, 'Jensen-Shannon distance, natural logarithm'),
		('drift', 'hellinger', 0.1, false, 'Hellinger distance'),
		('drift', 'tvd', 0.1, false, 'total variation distance'),
		('drift', 'l_inf', 0.1, false, 'greatest difference of a cell''s shares'),
		('drift', 'cramers_v', 0.1, false, 'Cramer''s V'),
		('drift', 'chi2', 0.05, false, 'p of the chi-square test: an alert where it is below its threshold'),
		('drift', 'ks', 0.1, false, 'Kolmogorov-Smirnov statistic of numbers'),
		('drift', 'ks_p', 0.05, false, 'p of the Kolmogorov-Smirnov test: an alert where it is below its threshold'),
		('drift', 'ks_robust', 0.1, false, 'Kolmogorov-Smirnov statistic less what chance makes of it, as Deequ has it'),
		('drift', 'l_inf_robust', 0.1, false, 'greatest difference of a cell''s shares less what chance makes of it, as Deequ has it'),
		('drift', 'wasserstein_normed', 0.1, false, 'Wasserstein distance in standard deviations of the reference'),
		('drift', 'mean_shift', 0.25, false, 'difference of the means in standard deviations of the reference, either way'),
		('drift', 'share_drifted', 0.5, true, 'share of the features that drift'),
		('drift', 'importance_drifted', 0.3, true, 'the same by the version''s importance of features, where it has one'),
		('prediction_drift', 'psi', 0.1, true, 'population stability index of predictions'),
		('quality', 'null_rate', 0.01, true, 'share of rows without a value; the threshold is how much more than the reference'),
		('quality', 'out_of_range', 0.01, true, 'share of numbers beyond the least and the greatest of the reference'),
		('quality', 'unseen', 0.01, true, 'share of texts that the reference has not'),
		('quality', 'not_finite', 0.01, true, 'share of NaN and infinities'),
		('quality', 'type_failures', 0.01, true, 'share of texts of the source that are no numbers where the model has numbers'),
		('quality', 'duplicates', 0.01, true, 'share of rows of the source that repeat another of the window: features, time and outcome'),
		('quality', 'freshness', null, true, 'seconds from the newest row to the end of the window; the threshold is half the window where none is given'),
		('quality', 'volume_change', 0.5, true, 'rows, as a share more or less than in the 20 windows before'),
		('health', 'requests', null, true, 'captured requests, those that sampling left out included'),
		('health', 'latency_p50', null, true, 'median of the latency, microseconds'),
		('health', 'latency_p95', null, true, '95 % quantile of the latency, microseconds'),
		('health', 'latency_p99', null, true, '99 % quantile of the latency, microseconds'),
		('health', 'capture_loss', 0.01, true, 'share of rows that were to be captured and are lost, since the window before was computed')
	  ) v (kind, metric, threshold, usual, meaning);
comment on view mlops.monitor_metric is 'What monitors compute: kinds and their metrics';
comment on column mlops.monitor_metric.threshold is 'What a value must reach for an alert, unless the monitor has another; NULL: none, or not fixed';
comment on column mlops.monitor_metric.usual is 'Whether it is computed where a monitor names the kind only, or nothing';
grant select on mlops.monitor_metric to public;
