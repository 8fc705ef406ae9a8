-- Tables of captured predictions and of outcomes.
--
-- mlops.prediction and mlops.prediction_features are partitioned by day (UTC).  The script makes no partition and gives them neither key nor
-- index: each partition gets its own when it is made, at run time, so that a dump restores.  No foreign key points here or from here: rows
-- come by the thousand, and outlive the version that answered.  What is too old goes with its partition (mlops.set_retention).

create table mlops.prediction
(
	prediction_id bigint not null,
	at			timestamptz not null,
	model_id	bigint not null,
	version		integer not null,
	deployment_id bigint,
	entity_key	text,
	request_id	text,
	prediction	double precision,
	class		text,
	probability	double precision,
	latency		real,
	weight		double precision not null,
	captured_by	text not null
) partition by range (at);
comment on table mlops.prediction is 'What deployed models answered; mlops.captured shows it with names, features and outcomes';
comment on column mlops.prediction.prediction_id is 'Holds its time to the millisecond: mlops.prediction_time()';
comment on column mlops.prediction.deployment_id is 'NULL: mlops.score() was asked for a version by its number or alias';
comment on column mlops.prediction.prediction is 'The value; of a classification the label, where labels are numbers or booleans';
comment on column mlops.prediction.probability is 'Of two classes that of the positive one, of more that of the class';
comment on column mlops.prediction.latency is 'Microseconds that reading the row and predicting took';
comment on column mlops.prediction.weight is 'How many rows this one stands for, where not all were captured';

-- Ids of one millisecond differ by it where there is no shared memory to count in.
create sequence mlops.prediction_low as bigint minvalue 0 maxvalue 2097151 cycle;
comment on sequence mlops.prediction_low is 'The low part of ids that mlops.score() gives where mlops is not in shared_preload_libraries';

create table mlops.prediction_features
(
	prediction_id bigint not null,
	at			timestamptz not null,
	model_id	bigint not null,
	layout_id	bigint not null,
	features	bytea not null
) partition by range (at);
comment on table mlops.prediction_features is 'What deployed models were asked: a row for each of mlops.prediction whose deployment captures features';
comment on column mlops.prediction_features.features is 'The values one after the other; mlops.decode_features() reads them';

create table mlops.capture_layout
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	version		integer not null,
	deployment_id bigint not null,
	names		text[] not null,
	constraint capture_layout_key unique (model_id, version, deployment_id)
);
comment on table mlops.capture_layout is 'Which columns captured features have, in their order: the version''s without masked ones, then those that are kept also';
comment on column mlops.capture_layout.deployment_id is '0: none';

create table mlops.capture_count
(
	model_id	bigint primary key references mlops.model on delete cascade,
	captured	bigint not null,
	dropped		bigint not null,
	lost		bigint not null,
	sampled		bigint not null,
	standby		bigint not null,
	uncommitted	bigint not null
);
comment on table mlops.capture_count is 'Rows that were captured and that were not, of each model; mlops.capture_status adds what shared memory has counted since';

create table mlops.prediction_error
(
	model_id	bigint not null references mlops.model on delete cascade,
	at			timestamptz not null,
	version		integer not null,
	sqlstate	text not null,
	errors		bigint not null,
	primary key (model_id, at, version, sqlstate)
);
comment on table mlops.prediction_error is 'Predictions by live deployments that ended with an error, counted by minute and SQLSTATE; cancelled queries are none';
comment on column mlops.prediction_error.at is 'Where the minute begins';
comment on column mlops.prediction_error.sqlstate is 'Classes 22 and 42: wrong features, or a function that the model has not; 53: out of memory; XX: a fault of the server';

create table mlops.request
(
	model_id	bigint not null references mlops.model on delete cascade,
	request_id	text not null,
	prediction_id bigint not null,
	at			timestamptz not null,
	version		integer not null,
	prediction	double precision,
	class		text,
	probability	double precision,
	primary key (model_id, request_id)
);
comment on table mlops.request is 'Answers of mlops.score() by request, so that a request that is repeated gets the same one';

create table mlops.retention
(
	model_id	bigint primary key references mlops.model on delete cascade,
	keep		interval not null check (keep > interval '0'),
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp()
);
comment on table mlops.retention is 'How long captured predictions of a model are kept; without a row, for ever';

create table mlops.outcome_binding
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	source		text not null,
	settings	jsonb not null,
	lateness	interval not null,
	read_until	timestamptz,
	read_at		timestamptz,
	owner_name	text not null,
	session_user_name text not null,
	created_at	timestamptz not null default clock_timestamp(),
	constraint outcome_binding_key unique (model_id, owner_name)
);
comment on table mlops.outcome_binding is 'Queries that find outcomes of a model''s predictions; each is run by its owner only';
comment on column mlops.outcome_binding.lateness is 'A label that comes that much later than others is still found';
comment on column mlops.outcome_binding.read_until is 'The newest observed_at that was read';

create table mlops.outcome
(
	id			bigint generated always as identity primary key,
	model_id	bigint references mlops.model on delete cascade,
	prediction_id bigint,
	entity_key	text,
	value		text not null,
	observed_at	timestamptz not null default clock_timestamp(),
	recorded_at	timestamptz not null default clock_timestamp(),
	recorded_by	text not null default current_user,
	constraint outcome_of_what check ((prediction_id is null) <> (entity_key is null)),
	constraint outcome_model check (model_id is not null)
);
comment on table mlops.outcome is 'What turned out: of a prediction, or of an entity at a time, and then of the predictions about it before. Nothing is overwritten: a corrected label is another row';
comment on column mlops.outcome.model_id is 'Found by the prediction where it is left out';
comment on column mlops.outcome.observed_at is 'When it was so';
comment on column mlops.outcome.recorded_at is 'When it was written here';
create index outcome_prediction on mlops.outcome (prediction_id, id) where prediction_id is not null;
create index outcome_entity on mlops.outcome (model_id, entity_key, observed_at, id) where entity_key is not null;
