-- What people report of runs: it is found beside what was measured, told apart from it, and never takes its place.
\ir include/begin.sql
\ir include/registry.sql
create function pg_temp.counts() returns text language sql as
	$$ select format('%s %s', (select count(*) from mlops.metric where origin = 'measured'), (select count(*) from mlops.run where kind <> 'reported')) $$;
select pg_temp.counts() as before \gset
select plan(26);

set local role sam_scientist;
select isnt(mlops.log_run('diagnosis', 'binary', 'diagnosis', 'mlp', params => '{"layers": 3}', metrics => '{"roc_auc": 0.97, "lift": null}', project => 'clinic',
						  experiment => 'elsewhere', started_at => '2026-01-01', finished_at => '2026-01-02'), null, 'a run that was done elsewhere');
select max(id) as reported from mlops.run \gset
select results_eq($$select kind, run_by, project, experiment, model, algorithm, version, metrics, params, duration from mlops.runs where kind = 'reported'$$,
	$$values ('reported', 'sam_scientist', 'clinic', 'elsewhere', 'diagnosis', 'mlp', null::integer, '{"lift": null, "roc_auc": 0.97}'::jsonb, '{"layers": 3}'::jsonb, interval '1 day')$$,
	'it is among the runs');
select lives_ok(format('select mlops.log_metric(%s, ''loss'', %s, %s)', :reported, 1.0::float8 / n, n), 'a metric, step ' || n) from generate_series(1, 3) n;
select is((select metrics ->> 'loss' from mlops.runs where run_id = :reported)::float8, 1.0::float8 / 3, 'the last step stands for it');
select lives_ok(format('select mlops.log_metric(%s, ''broken'', ''NaN'')', :reported), 'a value that is none');
select is((select array_agg(distinct origin) from mlops.metric where run_id = :reported), '{reported}', 'all of it is reported');
select throws_ok(format('select mlops.log_metric(%s, ''loss'', 0, 3)', :reported), '42710', null, 'what was reported stays');
select throws_ok(format('select mlops.log_metric(%s, ''roc_auc'', 1)', :run), '42710', null, 'what was measured is not reported');
select throws_ok(format('select mlops.log_metric(%s, ''roc_auc'', 1, 7)', :run), '42710', null, 'at no step');
select lives_ok(format('select mlops.log_metric(%s, ''profit'', 1200)', :run), 'another number of a run that was measured');
select lives_ok(format('select mlops.log_param(%s, ''optimizer'', ''adam''), mlops.log_param(%1$s, ''rate'', 0.1), mlops.log_param(%1$s, ''sizes'', array[64, 8])', :reported),
	'parameters: a text, a number, an array');
select is((select params from mlops.runs where run_id = :reported), '{"layers": 3, "optimizer": "adam", "rate": 0.1, "sizes": [64, 8]}', 'they stand with the run');
select throws_ok(format('select mlops.log_param(%s, ''rate'', 1)', :reported), '42710', null, 'they stay');
select throws_ok(format('select mlops.log_param(%s, ''layers'', 1)', :reported), '42710', null, 'as do those that the run began with');
select lives_ok(format('select mlops.log_tag(%s, ''team'', ''risk''), mlops.log_tag(%1$s, ''team'', ''fraud''), mlops.log_tag(%1$s, ''odd'')', :reported), 'tags, changed');
select lives_ok(format('select mlops.log_tag(%s, ''odd'', null)', :reported), 'and removed');
select is((select tags from mlops.runs where run_id = :reported), '{"team": "fraud"}', 'stand with the run');
select isnt(mlops.log_note(:reported, 'a first try'), null, 'a note is a comment');
select throws_ok(format('insert into mlops.metric (run_id, name, value) values (%s, ''x'', 1)', :run), '42501', null, 'nobody writes metrics by hand');
select throws_ok($$select mlops.store_reported_metric(1, 'x', 1, 0)$$, '42501', null, 'nor by the function behind');
select throws_ok($$select mlops.log_run('diagnosis', 'binary', 'diagnosis', 'mlp', metrics => '{"roc_auc": "high"}', project => 'clinic')$$, '22023', null, 'a metric is a number');
set local role vera_viewer;
select throws_ok(format('select mlops.log_metric(%s, ''x'', 1)', :run), '42501', null, 'a viewer reports nothing');
set local role paul_predictor;
select throws_ok(format('select mlops.log_metric(%s, ''x'', 1)', :run), '42704', null, 'a predictor knows of no run');
reset role;
select is(pg_temp.counts(), :'before', 'nothing is measured that was not before');
select * from finish();
rollback;
