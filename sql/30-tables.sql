-- Tables: the registry.  Everything here is row-secured (40-security.sql) and dumped (90-dump.sql).
-- Users read what their access shows them; evidence is written by C and by the functions of 60 to 70, as the extension's owner.
-- Actors are stored as text, so that a record outlives the role it names; members are roles, so that a rename follows.

create table mlops.project
(
	id			bigint generated always as identity primary key,
	name		text not null,
	goal		text,
	stage		text not null default 'ideation'
				check (stage in ('ideation', 'data', 'development', 'validation', 'production', 'retired')),
	tags		text[] not null default '{}',
	owner_name	text not null default current_user,
	is_personal	boolean not null default false,
	features_for text not null default 'reviewer' check (features_for in ('reviewer', 'viewer')),
	guard_sources text not null default 'warn' check (guard_sources in ('warn', 'refuse')),
	status		text not null default 'active' check (status in ('active', 'blocked', 'done')),
	status_reason text,
	target_metric text,
	target_value double precision,
	target_direction text check (target_direction in ('maximize', 'minimize')),
	value		numeric,
	starts_on	date,
	due_on		date,
	created_at	timestamptz not null default clock_timestamp(),
	constraint project_blocked_check check (status <> 'blocked' or status_reason is not null),
	constraint project_target_check check (num_nulls(target_metric, target_value, target_direction) in (0, 3)),
	constraint project_dates_check check (due_on >= starts_on),
	constraint project_name_check check (is_personal or (name ~ '^[^/@\s]([^/@]*[^/@\s])?$' and name !~ '^#[0-9]+$' and octet_length(name) <= 200))
);
comment on table mlops.project is 'A piece of business work; the unit of access control';
comment on column mlops.project.status_reason is 'Why it is blocked, or what else is to be known';
comment on column mlops.project.target_metric is 'What a live version must reach for the goal: metric, value and direction';
comment on column mlops.project.value is 'What reaching the goal is worth, in whatever unit its owners count';
comment on column mlops.project.features_for is 'Who sees what its models were asked: those who review, or all who view';
comment on column mlops.project.guard_sources is 'What becomes of a command that takes away what its live models read: a warning and a finding, or a refusal';
comment on column mlops.project.is_personal is 'Made at the first train() without a project; its name is what its owner''s was then';

-- Unique for its owner only: a name that is unique among all projects would tell a stranger which ones exist.
create unique index project_name_key on mlops.project (name, owner_name) where not is_personal;

create table mlops.project_member
(
	project_id	bigint not null references mlops.project on delete cascade,
	member		regrole not null,
	access		text not null check (access in ('viewer', 'predictor', 'scientist', 'reviewer', 'operator', 'owner')),
	granted_by	text not null default current_user,
	granted_at	timestamptz not null default clock_timestamp(),
	is_personal	boolean not null default false,
	primary key (project_id, member, access)
);
comment on table mlops.project_member is 'Which role has which access to which project; whoever has the role''s rights has the access';
comment on column mlops.project_member.is_personal is 'The project is the member''s own: train() without a project finds it here, whatever the role is called now';

create unique index project_member_personal_key on mlops.project_member (member) where is_personal;

create table mlops.experiment
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete cascade,
	name		text not null check (length(name) between 1 and 200),
	metric		text,
	direction	text check (direction in ('maximize', 'minimize')),
	created_by	text not null default current_user,
	created_at	timestamptz not null default clock_timestamp(),
	unique (project_id, name)
);
comment on table mlops.experiment is 'A named group of runs in a project, with an objective metric and a direction';

create table mlops.snapshot
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete cascade,
	kind		text not null default 'training' check (kind in ('training', 'taken')),
	query		text not null,
	settings	jsonb not null,
	role_name	text not null,
	row_security_applied boolean not null,
	row_count	bigint not null,
	fingerprint	numeric not null,
	columns		jsonb not null,
	taken_at	timestamptz not null default clock_timestamp()
);
comment on table mlops.snapshot is 'Evidence of what a query returned: its text with qualified names, the settings it depends on, rows, fingerprint, a profile of each column';
comment on column mlops.snapshot.role_name is 'Whose rights it ran with: current_user, or where retrain() repeated a query the role that gave it first';
comment on column mlops.snapshot.kind is 'training: of the columns that a training used; taken: of all columns, by mlops.take_snapshot(), whose fingerprint is another';
comment on column mlops.snapshot.settings is 'search_path, TimeZone, DateStyle and IntervalStyle under which the query ran';
comment on column mlops.snapshot.fingerprint is 'Sum of the row hashes modulo 2^128: the same for the same rows in any order';

create table mlops.model
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete restrict,
	name		text not null,
	description	text,
	last_version integer not null default 0,
	created_by	text not null default current_user,
	created_at	timestamptz not null default clock_timestamp(),
	constraint model_name_check check (name ~ '^[^/@\s]([^/@]*[^/@\s])?$' and octet_length(name) <= 200),
	constraint model_name_key unique (name, project_id)
);
comment on table mlops.model is 'A name in the registry, unique in its project';
comment on column mlops.model.description is 'What it predicts and for whom; whoever trains or deploys may write it, and may therefore lock the row';
comment on column mlops.model.last_version is 'The newest number ever given; numbers of dropped versions do not come back';

create table mlops.run
(
	id			bigint generated always as identity primary key,
	project_id	bigint not null references mlops.project on delete cascade,
	experiment_id bigint references mlops.experiment on delete set null,
	kind		text not null check (kind in ('train', 'evaluate', 'reproduce', 'reported')),
	state		text not null check (state in ('running', 'succeeded', 'failed', 'cancelled')),
	model_name	text not null,
	algorithm	text not null,
	task		text not null check (task in ('regression', 'binary', 'multiclass')),
	target		text not null,
	arguments	jsonb not null,
	params		jsonb not null,
	metrics		jsonb not null,
	snapshot_id	bigint references mlops.snapshot on delete restrict,
	seed		bigint not null,
	device		text not null check (device in ('cpu', 'gpu')),
	threads		integer not null,
	trainer		text not null,
	rows_train	bigint not null,
	rows_validation bigint not null,
	rows_test	bigint not null,
	rows_dropped bigint not null,
	timing		jsonb not null default '{}',
	test_part	jsonb,
	init_model_id bigint,
	init_version integer,
	init_sha256	bytea,
	reproduces	bigint references mlops.run on delete cascade,
	message		text,
	session_user_name text not null,
	current_user_name text not null,
	started_at	timestamptz not null,
	finished_at	timestamptz not null,
	constraint run_init_check check (num_nulls(init_model_id, init_version, init_sha256) in (0, 3))
);
comment on table mlops.run is 'One execution: arguments, parameters, snapshot, seed, device, outcome, who ran it as whom';
comment on column mlops.run.kind is 'reported: done elsewhere, and told by mlops.log_run(); nothing about it was measured here';
comment on column mlops.run.arguments is 'What the caller gave: source, target, features, exclude, params, preprocess, split, weight, as resolved';
comment on column mlops.run.timing is 'Seconds by phase: scan (the query), then in the trainer start, hash, order, split, levels, profile, freeze columns, gather, recipe, fit, evaluate, freeze answers, write';
comment on column mlops.run.test_part is 'Which rows it certainly held out, whatever rows a later training has: by (random, column, time, group), column, seed, and membership keys, below which rows of a class are in the test part';
comment on column mlops.run.init_model_id is 'The model whose version the training went on from (init_model); no foreign key, for the record outlives a dropped version';
comment on column mlops.run.init_version is 'That version';
comment on column mlops.run.init_sha256 is 'SHA-256 of its bytes, by which it is known where it was imported; the artifact made names it, too, in the parameter init_model';
comment on column mlops.run.reproduces is 'The run that mlops.reproduce() repeated by this one, of which nothing but the record was kept';
comment on column mlops.run.trainer is 'Version of the trainer that fitted';

create table mlops.metric
(
	run_id		bigint not null references mlops.run on delete cascade,
	name		text not null,
	step		integer not null default 0,
	value		double precision,
	origin		text not null default 'measured' check (origin in ('measured', 'reported')),
	primary key (run_id, name, step)
);
comment on table mlops.metric is 'Metrics of a run by step: step 0 is the result, steps from 1 are iterations: train_loss, validation_loss, and both of the metric that stops a training early';

create table mlops.model_version
(
	model_id	bigint not null references mlops.model on delete cascade,
	version		integer not null check (version > 0),
	run_id		bigint references mlops.run on delete restrict,
	algorithm	text not null,
	task		text not null check (task in ('regression', 'binary', 'multiclass')),
	size		bigint not null,
	sha256		bytea not null check (octet_length(sha256) = 32),
	params		jsonb not null,
	metrics		jsonb not null,
	origin		text not null check (origin in ('measured', 'reported')),
	created_by	text not null default current_user,
	session_user_name text not null default session_user,
	created_at	timestamptz not null default clock_timestamp(),
	revoked		boolean not null default false,
	primary key (model_id, version)
);
comment on table mlops.model_version is 'An immutable trained artifact of a model: sha256 of its bytes, parameters, metrics, the run that made it';
comment on column mlops.model_version.session_user_name is 'As whom its author had connected';
comment on column mlops.model_version.revoked is 'Set by mlops.revoke() only, and for good: it answers nobody';
comment on column mlops.model_version.origin is 'measured: trained here; reported: imported, so its metrics are the importer''s claim';

create table mlops.model_signature
(
	model_id	bigint not null,
	version		integer not null,
	position	integer not null,
	name		text not null,
	type		text not null,
	role		text not null check (role in ('feature', 'target')),
	categories	integer,
	primary key (model_id, version, position),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.model_signature is 'What a version expects and answers: one row a column; position 0 is the target. Predictors may read it';

create table mlops.model_chunk
(
	model_id	bigint not null,
	version		integer not null,
	chunk		integer not null,
	bytes		bytea not null check (octet_length(bytes) <= 1048576),
	primary key (model_id, version, chunk),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.model_chunk is 'The bytes of a version in pieces of at most 1 MB, without the four bytes of a varlena header';
alter table mlops.model_chunk alter column bytes set storage external;

create table mlops.alias
(
	model_id	bigint not null references mlops.model on delete cascade,
	name		text not null check (name ~ '^[A-Za-z_][A-Za-z0-9_.-]*$' and length(name) <= 100),
	version		integer not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	primary key (model_id, name),
	foreign key (model_id, version) references mlops.model_version on delete no action
);
comment on table mlops.alias is 'A movable name for one version; where it pointed before is in alias_history';

create table mlops.alias_history
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	name		text not null,
	version		integer,
	set_by		text not null,
	set_at		timestamptz not null
);
create index alias_history_model on mlops.alias_history (model_id, name, id);
comment on table mlops.alias_history is 'Every move of every alias, in order of id; version is NULL where the alias was removed';

create table mlops.deployment
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	version		integer not null,
	strategy	text not null default 'all' check (strategy in ('all')),
	valid		tstzrange not null check (not isempty(valid) and lower(valid) is not null),
	action		text not null default 'deploy' check (action in ('deploy', 'rollback')),
	restores	bigint references mlops.deployment on delete cascade,
	capture		jsonb not null,
	policy_version integer,
	override	text check (length(override) > 0),
	deployed_by	text not null default current_user,
	ended_by	text,
	constraint deployment_restores_check check ((action = 'rollback') = (restores is not null)),
	constraint deployment_one_at_a_time
		exclude using gist (int8range(model_id, model_id, '[]') with &&, valid with &&)
);
comment on table mlops.deployment is 'Which version answers predict(model), over which time range; an open range is live, and a model has at most one';
comment on column mlops.deployment.valid is 'Set by the server: from the deployment to its end; the next one begins where it ends';
comment on column mlops.deployment.version is 'Checked when the row is made; no foreign key, for the history outlives a dropped version';
comment on column mlops.deployment.capture is 'What of its predictions is captured: mode, sample, features, key, mask, also';
comment on column mlops.deployment.policy_version is 'The policy that held when it began; NULL: there was none, or it did not hold';
comment on column mlops.deployment.override is 'Why an owner let it go live against the policy';
comment on column mlops.deployment.restores is 'Of a rollback: the deployment that it brought back, from which the next rollback goes on';

create unique index deployment_live_key on mlops.deployment (model_id) where upper_inf(valid);
create index deployment_model on mlops.deployment (model_id, id);
