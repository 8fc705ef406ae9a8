-- The statements of scripts/demo, for psql: what is between \set ECHO queries and \set ECHO none is shown before its result.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
set client_min_messages = notice;
create extension mlops;

create table tumour
(
	id integer generated always as identity primary key,
	mean_radius float8, mean_texture float8, mean_perimeter float8, mean_area float8, mean_smoothness float8, mean_compactness float8,
	mean_concavity float8, mean_concave_points float8, mean_symmetry float8, mean_fractal_dimension float8,
	radius_error float8, texture_error float8, perimeter_error float8, area_error float8, smoothness_error float8, compactness_error float8,
	concavity_error float8, concave_points_error float8, symmetry_error float8, fractal_dimension_error float8,
	worst_radius float8, worst_texture float8, worst_perimeter float8, worst_area float8, worst_smoothness float8, worst_compactness float8,
	worst_concavity float8, worst_concave_points float8, worst_symmetry float8, worst_fractal_dimension float8,
	diagnosis text
);
\copy tumour (mean_radius, mean_texture, mean_perimeter, mean_area, mean_smoothness, mean_compactness, mean_concavity, mean_concave_points, mean_symmetry, mean_fractal_dimension, radius_error, texture_error, perimeter_error, area_error, smoothness_error, compactness_error, concavity_error, concave_points_error, symmetry_error, fractal_dimension_error, worst_radius, worst_texture, worst_perimeter, worst_area, worst_smoothness, worst_compactness, worst_concavity, worst_concave_points, worst_symmetry, worst_fractal_dimension, diagnosis) from 'data/breast_cancer.csv' with (format csv, header)

create table patient
(
	age integer, sex integer, bmi float8, blood_pressure float8, total_cholesterol float8, ldl float8, hdl float8, cholesterol_ratio float8,
	log_triglycerides float8, glucose float8, progression integer
);
\copy patient from 'data/diabetes.csv' with (format csv, header)
analyze;

\echo 'Two tables of real data are loaded (see data/README.md):'
\echo '  tumour    569 rows: 30 measurements of cell nuclei, and the diagnosis, malignant or benign'
\echo '  patient   442 rows: 10 measurements, and how far diabetes had progressed a year later'
\echo
\echo '== A project, and a model of the diagnosis.  A fifth of the rows is held out to test it.'
\echo
\set ECHO queries
select mlops.create_project('clinic', goal => 'find malignant tumours early');
select version, algorithm, task, round((metrics ->> 'roc_auc')::numeric, 4) as roc_auc, duration
  from mlops.train('diagnosis', 'tumour', 'diagnosis', project => 'clinic', exclude => '{id}');
\set ECHO none

\echo '== How good is it, and how good would the constant guess be?'
\echo
\set ECHO queries
select m.metric, round(m.value::numeric, 4) as model, round(b.value::numeric, 4) as constant
  from mlops.evaluate('diagnosis@1') m join mlops.evaluate('diagnosis@1') b on b.metric = 'baseline_' || m.metric
 where m.metric in ('roc_auc', 'accuracy', 'recall', 'log_loss') order by m.metric;
\set ECHO none

\echo '== Deploy it; now predictions are a function of a row.'
\echo
\set ECHO queries
select mlops.deploy('diagnosis') as deployment;
select id, diagnosis, mlops.predict_class('diagnosis', t) as predicted, round(mlops.predict_proba('diagnosis', t)::numeric, 4) as malignant
  from tumour t where id in (1, 20, 41, 74) order by id;
\set ECHO none

\echo '== The same from jsonb: what if tumour 20 were larger, rougher and more dented?'
\echo
\set ECHO queries
select round(mlops.predict_proba('diagnosis', to_jsonb(t))::numeric, 4) as malignant,
       round(mlops.predict_proba('diagnosis', to_jsonb(t) || '{"worst_radius": 25, "worst_area": 1500, "worst_perimeter": 150,
                                                               "worst_texture": 35, "worst_concave_points": 0.25}')::numeric, 4) as what_if
  from tumour t where id = 20;
\set ECHO none

\echo '== A regression from a query, and a prediction from single values.'
\echo
\set ECHO queries
select version, algorithm, task, round((metrics ->> 'rmse')::numeric, 2) as rmse, round((metrics -> 'baseline' ->> 'rmse')::numeric, 2) as constant
  from mlops.train('progression', 'select * from patient where age >= 20', 'progression', algorithm => 'linear_regression', project => 'clinic');
select mlops.deploy('progression') as deployment;
select round(mlops.predict('progression', p)::numeric, 1) as progression
  from (select 59 as age, 2 as sex, 32.1 as bmi, 101 as blood_pressure, 157 as total_cholesterol, 93.2 as ldl, 38 as hdl,
               4 as cholesterol_ratio, 4.86 as log_triglycerides, 87 as glucose) p;
select round(mlops.predict('progression', array[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.86, 87])::numeric, 1) as progression;
\set ECHO none

\echo '== A second version of the diagnosis, by another algorithm.  Nobody sees it before it is deployed.'
\echo
\set ECHO queries
select version, algorithm, round((metrics ->> 'roc_auc')::numeric, 4) as roc_auc
  from mlops.train('diagnosis', 'tumour', 'diagnosis', algorithm => 'logistic_regression', exclude => '{id}');
select v.version, v.algorithm, round((v.metrics ->> 'roc_auc')::numeric, 4) as roc_auc, round((v.metrics ->> 'log_loss')::numeric, 4) as log_loss, v.size
  from mlops.model_version v join mlops.model m on m.id = v.model_id where m.name = 'diagnosis' order by v.version;
select mlops.deploy('diagnosis', 2) as deployment;
\set ECHO none

\echo '== What the deployment was asked and answered is on record, without anybody having set that up; and so is what turned out.'
\echo
\set ECHO queries
select count(mlops.predict_class('diagnosis', t)) as asked from tumour t where id <= 200;
select mlops.flush_capture('20 s');
select c.version, c.class, count(*), round(avg(c.probability)::numeric, 3) as malignant, round(avg((c.features ->> 'worst_radius')::numeric), 1) as worst_radius
  from mlops.captured c where c.model = 'diagnosis' group by 1, 2 order by 1, 2;
select s.prediction_id as prediction, s.class from tumour t, mlops.score('diagnosis', t.id::text, t, request_id => 'visit 300') s where t.id = 300 \gset
select mlops.record_outcome(:prediction, 'benign');
select entity_key, class as said, outcome as was, weight, captured_by from mlops.captured where request_id = 'visit 300';
select model, captured, dropped, skipped, waiting from mlops.capture_status where model = 'diagnosis';
\set ECHO none

\echo '== Second thoughts: roll back.  Deployments are transactions, and their history stays.'
\echo
\set ECHO queries
select * from mlops.rollback('diagnosis');
select d.id, d.version, d.action, to_char(lower(d.valid), 'HH24:MI:SS.MS') as from, to_char(upper(d.valid), 'HH24:MI:SS.MS') as until
  from mlops.deployment d join mlops.model m on m.id = d.model_id where m.name = 'diagnosis' order by d.id;
\set ECHO none

\echo '== Score the whole table every night, and once now, in the background.'
\echo
\set ECHO queries
create table diagnosis_score (id integer primary key, class text, probability float8, version integer);
select mlops.schedule_job('nightly scores', '15 2 * * *', 'score_table',
                          '{"model": "diagnosis", "source": "tumour", "destination": "diagnosis_score", "key": "id", "mode": "upsert"}') as nightly;
select mlops.submit('score_table',
                    '{"model": "diagnosis", "source": "tumour", "destination": "diagnosis_score", "key": "id", "mode": "upsert"}') as job \gset
select mlops.wait_for(:job, '1 minute');
select name, schedule, next_run from mlops.job where name is not null;
select r.kind, r.state, r.message from mlops.job_run r where r.job_id = :job;
\set ECHO none

\echo '== Patients come week by week.  The model learns from the first eight weeks and is watched from then on.'
\echo
create table visit as
select p.*, timestamptz '2024-01-01 08:00+00' + case when n <= 242 then n % 8 else 8 + (n - 243) / 100 end * interval '7 days' + n % 60 * interval '2 hours' as visited_at
  from (select p.*, row_number() over (order by hashint8(r)) as n from (select p.*, row_number() over () as r from patient p) p) p;
alter table visit drop column r, drop column n;
set timezone = 'UTC';
\set ECHO queries
select version, round((metrics ->> 'rmse')::numeric, 1) as rmse
  from mlops.train('progression', $$select * from visit where visited_at < '2024-02-26'$$, 'progression',
                   algorithm => 'linear_regression', exclude => '{visited_at}');
select mlops.deploy('progression') as deployment;
select mlops.create_monitor('progression', 'weekly', source => 'visit', at => 'visited_at', outcome => 'progression',
                            window_size => '7 days', min_rows => 80) as monitor \gset
\set ECHO none

\echo '== In the tenth week the laboratory reports blood pressure in kPa instead of mmHg, and tells nobody.'
\echo
\set ECHO queries
update visit set blood_pressure = blood_pressure / 7.5 where visited_at >= '2024-03-04';
listen mlops_alert;
select lower(period)::date as week, kind, feature, metric, round(value::numeric, 2) as value, round(threshold::numeric, 2) as threshold, verdict
  from mlops.run_monitor(:monitor, since => '2024-02-26', until => '2024-03-11')
 where verdict = 'alert' or kind = 'realised' order by 1, 2, 3, 4;
select alert_id, kind, feature, state, severity from mlops.alert where model = 'progression' order by alert_id;
\set ECHO none

\echo '== Retrain on the newest week.  What goes live must be better on patients that neither version has seen.'
\echo
\set ECHO queries
select version, deployed, comparison ->> 'rows' as patients, round((comparison -> 'champion' ->> 'rmse')::numeric, 1) as live_rmse,
       round((comparison -> 'challenger' ->> 'rmse')::numeric, 1) as new_rmse, round((comparison ->> 'p_value')::numeric, 6) as p
  from mlops.retrain('progression', source => $$select * from visit where visited_at >= '2024-03-04'$$);
select count(mlops.acknowledge_alert(alert_id, 'blood pressure is in kPa now; retrained')) as acknowledged
  from mlops.alert where state = 'open' and model = 'progression';
select to_char(at, 'HH24:MI:SS') as at, event, detail from mlops.timeline('progression') order by timeline.at;
\set ECHO none
