-- mlops.predict_top(): the most probable classes; also of very many.
\ir include/begin.sql
create table word as
select i as id, 'w' || lpad((i % 300)::text, 3, '0') as label, (i % 300)::real as x, (i * 7919 % 1000) / 1000.0 as noise from generate_series(1, 3000) i;
select mlops.train('word', 'word', 'label', 'decision_tree', exclude => '{id}');
select mlops.train('word', 'word', 'label', 'random_forest', exclude => '{id}', params => '{"n_estimators": 5}');
select mlops.train('number', 'word', 'x', 'linear_regression', features => '{noise}');
select plan(11);
select is((select count(*) from mlops.predict_top('word@1', (select w from word w where id = 8), 400)), 300::bigint, 'all of 300 classes');
select is((select count(*) from jsonb_object_keys(mlops.predict_all('word@2', (select w from word w where id = 8)))), 300::bigint, 'predict_all has them, too');
select is_empty($$
	select w.id from word w, mlops.predict_top('word@2', w, 1) t where w.id <= 600 and (t.class <> mlops.predict_class('word@2', w) or t.probability <> mlops.predict_proba('word@2', w, t.class))
$$, 'the first is the class');
select results_eq($$select class, probability from word w, mlops.predict_top('word@2', w, 7) where id = 5$$,
				  $$select key, value::float8 from word w, jsonb_each(mlops.predict_all('word@2', w)) where id = 5 order by value::float8 desc, key limit 7$$, 'the most probable first, equal ones in order');
select is((select count(*) from word w, mlops.predict_top('word@2', w) where id <= 10), 50::bigint, 'five unless it is said');
select is((select count(*) from mlops.predict_top('word@2', '{"x": 7, "noise": 0.5}'::jsonb, 2)), 2::bigint, 'of jsonb');
select is((select count(*) from mlops.predict_top('word@2', array[7, 0.5]::float8[], 3)), 3::bigint, 'of arrays');
select results_eq($$select t.* from (select mlops.export_model('word@2') as m offset 0) e, word w, mlops.predict_top(e.m, w, 2) t where id < 40$$,
				  $$select t.* from word w, mlops.predict_top('word@2', w, 2) t where id < 40$$, 'of a value');
select is_empty($$select * from mlops.predict_top('word@2', null::word, 2)$$, 'NULL has none');
select throws_ok($$select * from mlops.predict_top('word@2', array[7, 0.5]::float8[], 0)$$, '22023', null, 'none is no number');
select throws_ok($$select * from mlops.predict_top('number@1', array[0.5]::float8[], 1)$$, '42804', null, 'a regression has no classes');
select * from finish();
rollback;
