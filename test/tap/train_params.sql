-- Objectives, and parameters that are objects: from params to the run, the artifact and the errors.
\ir include/begin.sql
\ir include/refusal.sql
create table claims as
	select n, n % 40 as age, 'j' || n % 4 as job, n * 37 % 11 as cars, array[n % 5, n % 7]::float8[] as xs, n % 2 = 0 as flag,
		   case when n % 3 = 0 then 'no' else 'yes' end as answer, (n * 37 % 100)::float8 as cost, (n * 37 % 100)::float8 - 3 as balance
	  from generate_series(1, 600) n;
create function pg_temp.rmse(objective text) returns float8 language sql as $$
select (metrics ->> 'rmse')::float8 from mlops.train('m', 'claims', 'cost', exclude => '{flag,answer,balance}', params => jsonb_build_object('objective', objective, 'n_estimators', 5))
$$;
select plan(25);

select ok(pg_temp.rmse(o) between 0 and 200, 'objective ' || o)
  from unnest('{squared_error,absolute_error,huber,quantile,poisson,tweedie}'::text[]) o;
select is(task, 'regression', 'an objective of a regression makes one of few integers')
  from mlops.train('cars', 'claims', 'cars', features => '{age}', params => '{"objective": "poisson", "n_estimators": 2}');
select ok(min(mlops.predict('cars@1', c)) > 0, 'a logarithmic model predicts numbers above 0') from claims c;
select matches(pg_temp.refusal($$select mlops.train('m', 'claims', 'balance', params => '{"objective": "poisson"}')$$),
			   'objective poisson needs values of at least 0 in target column "balance", but the least is -3', 'poisson refuses what is below 0');
select matches(pg_temp.refusal($$select mlops.train('m', 'claims', 'cost', params => '{"objective": "gamma"}')$$),
			   'gamma needs values above 0 in target column "cost"', 'gamma refuses 0');
select matches(pg_temp.refusal($$select mlops.train('m', 'claims', 'cost', params => '{"quantile_alpha": 0.9}')$$),
			   'belongs to the objective quantile', 'parameters belong to their objective');

select lives_ok($$select mlops.train('c', 'claims', 'answer', features => '{age,cars,xs}', params => '{"class_weight": {"yes": 0.5, "no": 2}, "monotone_constraints": {"age": 1, "xs": -1}}')$$,
				'objects by label and by column');
select is((select params -> 'class_weight' from mlops.run where model_name = 'c'), '{"yes": 0.5, "no": 2}', 'the run shows them');
select is((mlops.export_model('c@1')::jsonb) -> 'params' -> 'monotone_constraints', '{"age": 1, "xs": -1}', 'so does the artifact');
select is((select params -> 'base_score' from mlops.run where model_name = 'c'), '"auto"', 'what is left to the algorithm is auto');
select lives_ok($$select mlops.import_model('again', mlops.export_model('c@1'))$$, 'and it can be moved');
select lives_ok($$select mlops.train('c', 'claims', 'answer', features => '{age}', params => '{"class_weight": "balanced", "base_score": "auto", "monotone_constraints": {}}')$$,
				'a word in place of an object');
select matches(pg_temp.refusal($$select mlops.train('c', 'claims', 'answer', params => '{"monotone_constraints": {"job": 1}}')$$),
			   'cannot name column "job": it is a category', 'categories have no order');
select matches(pg_temp.refusal($$select mlops.train('c', 'claims', 'answer', params => '{"monotone_constraints": {"agee": 1}}')$$),
			   'Perhaps you meant "age"', 'unknown columns');
select matches(pg_temp.refusal($$select mlops.train('c', 'claims', 'answer', params => '{"monotone_constraints": {"age": 0.5}}')$$),
			   'object of integers from -1 to 1 by column', 'numbers of an object are checked');
select matches(pg_temp.refusal($$select mlops.train('c', 'claims', 'answer', params => '{"class_weight": {"maybe": 2}}')$$),
			   'There are no, yes', 'unknown labels');
select matches(pg_temp.refusal($$select mlops.train('m', 'claims', 'cost', params => '{"class_weight": "balanced"}')$$),
			   'the task is regression', 'no classes, no weights of them');
select matches(pg_temp.refusal($$select mlops.train('c', 'claims', 'answer', params => '{"early_stopping_rounds": 5, "early_stopping_metric": "rmse"}', split => '{"validation": 0.2}')$$),
			   'a binary task has no metric "rmse"', 'metrics belong to their task');
select matches(pg_temp.refusal($$select mlops.train('c', 'claims', 'answer', params => '{"early_stopping_rounds": 5}')$$),
			   'validation', 'early stopping says what it lacks');
select lives_ok($$select mlops.train('c', 'claims', 'answer', features => '{age,cars}', params => '{"early_stopping_rounds": 5, "early_stopping_metric": "roc_auc", "early_stopping_min_delta": 0.001}', split => '{"validation": 0.2}')$$,
				'stopping by a metric');
select * from finish();
rollback;
