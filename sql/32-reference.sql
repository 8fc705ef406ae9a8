-- Tables: what a version learned from, frozen when it was trained, so that monitors need not read the training rows again.
--
-- Written with the version, by C, and removed with it.  What could not be frozen has no row: a version that was imported has none.
-- Segments are those of train(split => '{"segments": [...]}'), as 'column=value'; '' stands for all rows.

create table mlops.reference_profile
(
	model_id	bigint not null,
	version		integer not null,
	role		text not null check (role in ('feature', 'target', 'prediction')),
	name		text not null,
	segment		text not null default '',
	rows		bigint not null,
	profile		mlops.distribution not null,
	primary key (model_id, version, role, name, segment),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.reference_profile is
'The distribution of each feature and of the target over all rows that a training used, and of the predictions of its held-out rows';
comment on column mlops.reference_profile.name is
'The column; of predictions prediction (the value, of two classes the probability of the positive one) and class';
comment on column mlops.reference_profile.segment is 'The empty text: all rows; else those of a segment, column=value';
comment on column mlops.reference_profile.rows is 'Rows that were counted, those without a value among them';
alter table mlops.reference_profile alter column profile set storage external;

create table mlops.reference_slice
(
	model_id	bigint not null,
	version		integer not null,
	period		tstzrange not null check (not isempty(period)),
	role		text not null check (role in ('feature', 'target', 'prediction')),
	name		text not null,
	rows		bigint not null,
	counts		bigint[] not null,
	primary key (model_id, version, period, role, name),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.reference_slice is
'Of a version whose split goes by time: the same columns slice by slice, counted in the cells of their reference profiles';
comment on column mlops.reference_slice.period is 'Slices are of one width, and begin at multiples of it from Monday 2000-01-03 on, UTC; one without rows is left out';
comment on column mlops.reference_slice.counts is 'Rows in each cell, in the order of mlops.cell_counts(profile, profile): slices add up by position, and all of them give the profile';

create table mlops.reference_model
(
	model_id	bigint not null,
	version		integer not null,
	kind		text not null check (kind in ('calibrator', 'loss', 'components', 'performance')),
	name		text not null default '',
	content		jsonb not null default '{}',
	artifact	mlops.artifact,
	primary key (model_id, version, kind, name),
	foreign key (model_id, version) references mlops.model_version on delete cascade,
	constraint reference_model_artifact check ((kind = 'loss') = (artifact is not null))
);
comment on table mlops.reference_model is
'Fitted on held-out rows: a calibrator of probabilities, models of the loss, principal components of the features, standard errors of metrics';
comment on column mlops.reference_model.name is 'Of a loss the metric that it predicts, such as mae; else empty';
comment on column mlops.reference_model.content is
'calibrator: {class: {x, y}}, to be interpolated; components: {columns, mean, scale, components, error_mean, error_sd}; performance: {metric: {value, se_component, n}}, where the standard error on n rows is se_component / sqrt(n)';
comment on column mlops.reference_model.artifact is 'Of a loss: the model that predicts it from the features and the prediction';

create table mlops.reference_sample
(
	model_id	bigint not null,
	version		integer not null,
	position	integer not null,
	features	bytea[] not null,
	prediction	double precision[] not null,
	class		text[] not null,
	probability	double precision[] not null,
	outcome		text[] not null,
	at			timestamptz[] not null,
	primary key (model_id, version, position),
	foreign key (model_id, version) references mlops.model_version on delete cascade,
	constraint reference_sample_aligned check (cardinality(features) = all (array[cardinality(prediction), cardinality(class), cardinality(probability), cardinality(outcome), cardinality(at)]))
);
comment on table mlops.reference_sample is
'At most 10,000 held-out rows with what the version answers and what was true, up to a thousand a row; mlops.reference_rows() reads them. Seen by those who see captured features';
comment on column mlops.reference_sample.position is 'Number of the first of them, from 0';
comment on column mlops.reference_sample.features is 'Of each the values one after the other, in the order of the signature, as captured features are';
comment on column mlops.reference_sample.prediction is 'The value; of a classification the label, where labels are numbers or booleans';
comment on column mlops.reference_sample.class is 'Of a classification';
comment on column mlops.reference_sample.probability is 'Of two classes that of the positive one, of more that of the class';
comment on column mlops.reference_sample.outcome is 'The target''s value';
comment on column mlops.reference_sample.at is 'Where the split goes by time: when it was, as the middle of its slice (mlops.reference_slice)';
alter table mlops.reference_sample alter column features set storage external;
