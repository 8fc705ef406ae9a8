-- What is frozen of held-out rows: answers, a sample, standard errors of metrics, calibrators; and who sees the rows.
\ir include/begin.sql
set client_min_messages = error;
create role anna_owner;
create role rita_reviewer;
create role vera_viewer;
grant usage, create on schema public to anna_owner;
create table visit as
select i, (i * 7919 % 997) / 10.0::float8 as score, case when i % 10 = 0 then null else i % 90 end::smallint as age, i % 3 = 0 as urgent,
	   (array['north', 'south', null])[1 + i % 3] as region, date '2024-01-01' + i / 24 as day, i % 5 = 4 as held,
	   i % 50 + i % 7 as cost, (i * 7919 % 997) + i * 104729 % 400 > 700 as ill, (array['a', 'b', 'c'])[1 + ((i * 7919 % 997) + i * 104729 % 300) / 433] as kind
  from generate_series(1, 5000) i;
alter table visit owner to anna_owner;
create temp view reference as select m.name as model, v.version, m.id as model_id from mlops.model m join mlops.model_version v on v.model_id = m.id;
grant select on reference to public;

select no_plan();
set local role anna_owner;
select mlops.create_project('clinic');
select mlops.grant_access('clinic', 'rita_reviewer', 'reviewer');
select mlops.grant_access('clinic', 'vera_viewer', 'viewer');
set local mlops.project = 'clinic';
select version from mlops.train('cost', 'visit', 'cost', algorithm => 'linear_regression', split => '{"column": "held"}', exclude => '{ill, kind}');
select version from mlops.train('ill', 'visit', 'ill', algorithm => 'gradient_boosting', params => '{"n_estimators": 20}', split => '{"column": "held"}', exclude => '{cost, kind}');
select version from mlops.train('kind', 'visit', 'kind', algorithm => 'random_forest', params => '{"n_estimators": 10}', split => '{"column": "held"}', exclude => '{cost, ill}');

-- Answers.
create temp table answer as
select 'cost' as model, v.i, mlops.predict('cost@1', v) as prediction, null::text as class, null::float8 as probability, v.cost::text as outcome from visit v where held
union all
select 'ill', v.i, mlops.predict('ill@1', v), mlops.predict_class('ill@1', v), mlops.predict_proba('ill@1', v), v.ill::text from visit v where held
union all
select 'kind', v.i, null, mlops.predict_class('kind@1', v), (select max(p.value::float8) from jsonb_each_text(mlops.predict_all('kind@1', v)) p), v.kind from visit v where held;
select set_eq($$select model, name, rows from mlops.reference_profile join reference using (model_id, version) where role = 'prediction'$$,
			  $$values ('cost', 'prediction', 1000::bigint), ('ill', 'prediction', 1000), ('ill', 'class', 1000), ('kind', 'class', 1000)$$, 'profiles of answers, by task');
select is(mlops.cell_counts(a.p, f.profile), mlops.cell_counts(a.p, a.p), format('%s: %s is what the model answers', model, name))
  from (select model, 'prediction' as name, mlops.profile(case model when 'ill' then probability else prediction end) as p from answer where model <> 'kind' group by 1
		union all select model, 'class', mlops.profile(class) from answer where model <> 'cost' group by 1) a
  join (select r.model, p.name, p.profile from mlops.reference_profile p join reference r using (model_id, version) where role = 'prediction') f using (model, name) order by 1;

-- The sample: all held-out rows, for there are no more than 10,000.
create temp table sampled as select model, r.* from reference, mlops.reference_rows(model_id, version) r;
select is((select count(*) from sampled), 3000::bigint, 'a sample of each');
select is_empty($$
	select s.model, s.features from sampled s join visit v on v.i = (s.features ->> 'i')::integer
	 where s.features is distinct from to_jsonb(v) - '{held,cost,ill,kind}'::text[]
$$, 'its features are those of the rows');
select is_empty($$select s.model from sampled s join visit v on v.i = (s.features ->> 'i')::integer where not v.held$$, 'which were held out');
select results_eq($$select model, (features ->> 'i')::integer, round(prediction::numeric, 9), class, round(probability::numeric, 9), outcome from sampled order by 1, 2$$,
				  $$select model, i, round(prediction::numeric, 9), class, round(probability::numeric, 9), outcome from answer order by 1, 2$$, 'with what the model answers, and the truth');
select version from mlops.train('few', 'visit', 'cost', algorithm => 'linear_regression', split => '{"test": 0.5, "reference_sample": 40}', exclude => '{ill, kind}');
select is((select count(*) from reference, mlops.reference_rows(model_id, version) r where model = 'few'), 40::bigint, 'fewer where that is asked for');
select version from mlops.train('no', 'visit', 'cost', algorithm => 'baseline', split => '{"reference_sample": 0}', exclude => '{ill, kind}');
select is((select count(*) from reference, mlops.reference_rows(model_id, version) r where model = 'no'), 0::bigint, 'none of 0');
select isnt_empty($$select from mlops.reference_profile join reference using (model_id, version) where model = 'no' and role = 'prediction'$$, 'but its answers are there');
select version from mlops.train('all', 'visit', 'cost', algorithm => 'baseline', split => '{"test": 0}', exclude => '{ill, kind}');
select set_eq($$select distinct role from mlops.reference_profile join reference using (model_id, version) where model = 'all'$$, $$values ('feature'), ('target')$$,
			  'without held-out rows, nothing of them');
select throws_ok($$select mlops.train('x', 'visit', 'cost', split => '{"reference_sample": 10001}')$$, '22023', null, 'at most 10,000');
select throws_ok($$select mlops.train('x', 'visit', 'cost', split => '{"reference_sample": 1.5}')$$, '22023', null, 'whole rows');

-- Standard errors: of a mean over rows the deviation of what is averaged.
create temp table performance as
select model, e.key as metric, (e.value ->> 'value')::float8 as value, (e.value ->> 'se_component')::float8 as deviation, (e.value ->> 'n')::float8 as n
  from mlops.reference_model join reference using (model_id, version), jsonb_each(content) e where kind = 'performance';
select results_eq($$select model from performance group by 1 order by 1$$, $$values ('cost'), ('few'), ('ill'), ('kind'), ('no')$$, 'each version with held-out rows');
select is_empty($$
	select * from (select 'cost' as model, 'mae' as metric, avg(abs(prediction - outcome::float8)) as value, stddev_pop(abs(prediction - outcome::float8)) as deviation from answer where model = 'cost'
				   union all select model, 'accuracy', avg((class = outcome)::integer), stddev_pop((class = outcome)::integer) from answer where model <> 'cost' group by 1
				   union all select 'ill', 'brier', avg((probability - (outcome = 'true')::integer) ^ 2), stddev_pop((probability - (outcome = 'true')::integer) ^ 2) from answer where model = 'ill') a
	  left join performance p using (model, metric) where not (abs(a.value - p.value) < 1e-9 and abs(a.deviation - p.deviation) < 1e-6 and p.n = 1000) or p.n is null
$$, 'the components are the deviations of what a metric averages');
select ok(p.deviation > 0 and abs(p.value - (v.metrics ->> p.metric)::float8) < 1e-9, format('%s: %s is the version''s', p.model, p.metric))
  from performance p join reference using (model) join mlops.model_version v using (model_id, version)
 where p.model in ('cost', 'ill', 'kind') and v.metrics ? p.metric and p.metric <> 'ece' order by p.model, p.metric;

-- Calibration: knots that never fall, and where they are, the error is less than before.
select is_empty($$select from mlops.reference_model join reference using (model_id, version) where kind = 'calibrator' and model in ('cost', 'few', 'no')$$, 'numbers have no calibrator');
select is_empty($$
	select from mlops.reference_model m join reference using (model_id, version), jsonb_each(m.content) c,
		   jsonb_array_elements_text(c.value -> 'x') with ordinality x (v, n), jsonb_array_elements_text(c.value -> 'x') with ordinality x2 (v, n),
		   jsonb_array_elements_text(c.value -> 'y') with ordinality y (v, n), jsonb_array_elements_text(c.value -> 'y') with ordinality y2 (v, n)
	 where m.kind = 'calibrator' and x2.n = x.n + 1 and y.n = x.n and y2.n = x2.n and (x.v::float8 >= x2.v::float8 or y.v::float8 > y2.v::float8)
$$, 'a calibrator ascends');

-- Models of the loss: of regressions, from features and prediction, right on the average.
create temp table loss as select r.model, l.name, l.artifact from mlops.reference_model l join reference r using (model_id, version) where kind = 'loss';
select set_eq($$select name from loss where model = 'cost'$$, $$values ('mae'), ('mse'), ('mape')$$, 'the losses of a regression');
select is_empty($$select from loss where model in ('ill', 'kind', 'few', 'no', 'all')$$, 'not of classes, nor of too few rows, nor without a sample');
select ok(abs(estimated / realised - 1) < 0.1, format('%s is estimated: %s, realised %s', name, round(estimated::numeric, 3), round(realised::numeric, 3)))
  from (select l.name, avg(mlops.predict(l.artifact, w)) as estimated,
			   avg(case l.name when 'mae' then abs(w.cost - w.prediction) when 'mse' then (w.cost - w.prediction) ^ 2 else abs((w.cost - w.prediction) / nullif(w.cost, 0)) end) as realised
		  from loss l, (select v.*, a.prediction from visit v join answer a using (i) where a.model = 'cost') w where l.model = 'cost' group by l.name) e order by name;

-- Who sees what.
reset role;
set local role rita_reviewer;
select is((select count(*) from mlops.reference_rows((select model_id from reference where model = 'cost'), 1)), 1000::bigint, 'a reviewer sees the rows');
set local role vera_viewer;
select isnt_empty($$select from mlops.reference_profile$$, 'a viewer sees profiles');
select is((select count(*) from mlops.reference_rows((select model_id from reference where model = 'cost'), 1)), 0::bigint, 'but no rows');
set local role anna_owner;
update mlops.project set features_for = 'viewer';
set local role vera_viewer;
select is((select count(*) from mlops.reference_rows((select model_id from reference where model = 'cost'), 1)), 1000::bigint, 'unless the project says so');
reset role;
select * from finish();
rollback;
