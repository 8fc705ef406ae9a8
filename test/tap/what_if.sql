-- what_if(): predictions of a row as it is, and with other values.
\ir include/begin.sql
\ir include/trained.sql
select plan(10);
select results_eq($$select scenario, changes, prediction from mlops.what_if('price', (select t from thing t where id = 7), '{"whole": 50, "colour": "red", "big": null}')$$,
				  $$select 0, null::jsonb, mlops.predict('price', t) from thing t where id = 7
					union all select 1, '{"whole": 50, "colour": "red", "big": null}', mlops.predict('price', to_jsonb(t) || '{"whole": 50, "colour": "red", "big": null}') from thing t where id = 7$$,
				  'as it is, and changed');
select results_eq($$select scenario, prediction from mlops.what_if('price', (select t from thing t where id = 7), '[{"whole": 50}, {}, {"small": 3}]')$$,
				  $$select i, mlops.predict('price', to_jsonb(t) || c) from thing t, unnest(array['{}', '{"whole": 50}', '{}', '{"small": 3}']::jsonb[]) with ordinality u(c, n), lateral (select (n - 1)::int) q(i) where id = 7$$,
				  'several changes, each by itself');
select results_eq($$select prediction, class, probability from mlops.what_if('price', (select t from thing t where id = 7), '{}') limit 1$$,
				  $$select mlops.predict('price', t), null::text, null::float8 from thing t where id = 7$$, 'a regression has no class');
select results_eq($$select prediction, class, probability from mlops.what_if('mood', (select t from thing t where id = 7), '{}') limit 1$$,
				  $$select null::float8, mlops.predict_class('mood', t), mlops.predict_proba('mood', t) from thing t where id = 7$$, 'labels that are texts are no prediction');
select results_eq($$select prediction, class, probability from mlops.what_if('sold', (select t from thing t where id = 7), '{}') limit 1$$,
				  $$select mlops.predict('sold', t), mlops.predict_class('sold', t), mlops.predict_proba('sold', t) from thing t where id = 7$$, 'those that are booleans are');
select results_eq($$select prediction, class, probability from mlops.what_if('grade', (select t from thing t where id = 7), '{}') limit 1$$,
				  $$select mlops.predict('grade', t), mlops.predict_class('grade', t), mlops.predict_proba('grade', t, mlops.predict_class('grade', t)) from thing t where id = 7$$,
				  'of more than two classes the probability of the predicted one');
select is((select prediction from mlops.what_if('price', (select t from thing t where id = 7), '{"x": [1, 2, 3]}') where scenario = 1),
		  (select mlops.predict('price', to_jsonb(t) || '{"x": [1, 2, 3]}') from thing t where id = 7), 'an array');
select is((select prediction from mlops.what_if('price', (select to_jsonb(t) from thing t where id = 7), '{"day": "2020-03-01"}') where scenario = 1),
		  (select mlops.predict('price', to_jsonb(t) || '{"day": "2020-03-01"}') from thing t where id = 7), 'of a JSON object');
select is((select count(*) from mlops.what_if('price', (select t from thing t where id = 7), '[]')), 1::bigint, 'no changes: only as it is');
select is_empty($$select from mlops.what_if('price', (select t from thing t where id = 7), null)$$, 'null is no changes');
select * from finish();
rollback;
