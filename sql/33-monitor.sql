-- Tables of monitors: what is watched, what it is compared with, what came out.
--
-- A monitor is made by mlops.create_monitor(), which checks it, and its results are written by mlops.run_monitor() alone; both as the
-- extension's owner, so that nobody writes a verdict by hand.

create table mlops.monitor
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	name		text not null check (length(name) between 1 and 200),
	source		text,
	at			text,
	outcome		text,
	prediction	text,
	settings	jsonb not null,
	schedule	text,
	window_size	interval not null,
	reference	text not null,
	features	text[],
	segments	text[] not null default '{}',
	metrics		text[],
	thresholds	jsonb not null default '{}',
	preset		text,
	min_rows	integer check (min_rows > 0),
	delay		interval not null default '0',
	owner		regrole not null,
	session_role regrole not null,
	enabled		boolean not null default true,
	job_id		bigint,
	created_at	timestamptz not null default clock_timestamp(),
	constraint monitor_key unique (model_id, name),
	constraint monitor_source_check check ((source is null) = (at is null) and (source is not null or num_nonnulls(outcome, prediction) = 0))
);
comment on table mlops.monitor is 'What is watched of a model, how often, and compared with what; mlops.run_monitor() does it';
comment on column mlops.monitor.source is 'A query with qualified names; NULL: the captured predictions';
comment on column mlops.monitor.at is 'The column of the source that says when a row was';
comment on column mlops.monitor.settings is 'search_path, TimeZone, DateStyle and IntervalStyle when it was made; its windows are days and weeks of that zone';
comment on column mlops.monitor.reference is 'training: what the version learned from; previous: the window before; else the query whose rows were profiled when the monitor was made';
comment on column mlops.monitor.features is 'The features that are watched; NULL: all';
comment on column mlops.monitor.metrics is 'Kinds or metrics, which mlops.monitor_metric lists; NULL: all kinds with their usual metrics';
comment on column mlops.monitor.thresholds is 'Thresholds instead of the usual ones, by metric';
comment on column mlops.monitor.min_rows is 'Windows of fewer rows are too small; NULL: as many as the threshold needs against chance';
comment on column mlops.monitor.delay is 'A window is computed that much after its end, so that late rows and outcomes are in it';
comment on column mlops.monitor.owner is 'Whose rights the source is read with: current_user when it was made';
comment on column mlops.monitor.session_role is 'Who connects for scheduled runs';
comment on column mlops.monitor.enabled is 'Whether scheduled runs compute anything';
comment on column mlops.monitor.job_id is 'The job that runs it; NULL: it runs only when it is called';

create table mlops.monitor_reference
(
	monitor_id	bigint not null references mlops.monitor on delete cascade,
	role		text not null check (role in ('feature', 'prediction')),
	name		text not null,
	segment		text not null default '',
	rows		bigint not null,
	profile		mlops.distribution not null,
	primary key (monitor_id, role, name, segment)
);
comment on table mlops.monitor_reference is 'What a monitor whose reference is a query compares with: profiles of its rows when the monitor was made';

create table mlops.monitor_result
(
	monitor_id	bigint not null references mlops.monitor on delete cascade,
	model_id	bigint not null,
	version		integer not null,
	period		tstzrange not null,
	kind		text not null,
	segment		text not null default '',
	feature		text not null default '',
	metric		text not null,
	value		double precision,
	reference	double precision,
	p_value		double precision,
	noise_floor double precision,
	threshold	double precision,
	verdict		text not null check (verdict in ('ok', 'alert', 'insufficient data')),
	rows		bigint,
	detail		jsonb,
	computed_at	timestamptz not null default clock_timestamp(),
	constraint monitor_result_pkey primary key (monitor_id, period, kind, segment, feature, metric)
);
comment on table mlops.monitor_result is 'What a monitor found in a window: one row a metric; mlops.drift, mlops.quality, mlops.performance and mlops.health show it with names';
comment on column mlops.monitor_result.segment is 'The empty text: all rows; else column=value';
comment on column mlops.monitor_result.feature is 'The empty text where the metric is of no single column';
comment on column mlops.monitor_result.reference is 'The same of the reference, where it has one';
comment on column mlops.monitor_result.p_value is 'How likely a difference like this is by chance; adjusted for the number of tests in the window before the verdict';
comment on column mlops.monitor_result.noise_floor is 'What chance alone exceeds in one window of a hundred';
comment on column mlops.monitor_result.rows is 'Rows of the window that were looked at';
create index monitor_result_model on mlops.monitor_result (model_id, kind, period);

create type mlops.monitor_value as
(
	kind text, segment text, feature text, metric text, value double precision, reference double precision, p_value double precision,
	noise_floor double precision, threshold double precision, beyond boolean, rows bigint, detail jsonb
);
comment on type mlops.monitor_value is
'What a monitor_... function finds in one window; beyond: past its threshold and its noise floor, whatever p says; NULL: insufficient data';

-- ---- Security: monitors and their results are for viewers ----

grant select on mlops.monitor, mlops.monitor_reference, mlops.monitor_result to public;

alter table mlops.monitor enable row level security;
create policy monitor_view on mlops.monitor for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.monitor_reference enable row level security;
create policy monitor_reference_view on mlops.monitor_reference for select
	using (monitor_id in (select m.id from mlops.monitor m));

alter table mlops.monitor_result enable row level security;
create policy monitor_result_view on mlops.monitor_result for select
	using (monitor_id in (select m.id from mlops.monitor m));
