-- Labels keep their type: predict() gives numbers and booleans as numbers, predict_class() every label as text.
\ir include/begin.sql
\ir include/trained.sql
select t as one from thing t where id = 60 \gset
select plan(16);
select set_eq($$select mlops.predict('sold', t) from thing t$$, $$values (0::float8), (1)$$, 'booleans are 0 and 1');
select set_eq($$select mlops.predict_class('sold', t) from thing t$$, $$values ('false'), ('true')$$, 'or their names');
select set_eq($$select mlops.predict('grade', t) from thing t$$, $$values (1::float8), (2), (3)$$, 'numbers are numbers');
select set_eq($$select mlops.predict_class('mood', t) from thing t$$, $$values ('merry'), ('sad')$$, 'texts are texts');
select throws_ok($$select mlops.predict('mood', t) from thing t$$, '42804', null, 'and no numbers');
select throws_ok($$select mlops.predict_class('price', t) from thing t$$, '42804', null, 'a regression has no class');
select throws_ok($$select mlops.predict_proba('price', t) from thing t$$, '42804', null, 'no probability');
select throws_ok($$select mlops.predict_all('price', t) from thing t$$, '42804', null, 'none at all');
select is_empty($$select from thing t where mlops.predict_proba('sold', t) is distinct from mlops.predict_proba('sold', t, 'true')$$,
				'the positive class of booleans is true');
select is_empty($$select from thing t where mlops.predict_proba('mood', t) is distinct from mlops.predict_proba('mood', t, 'sad')$$,
				'of texts the second');
select is_empty($$select from thing t where (mlops.predict_proba('sold', t) > 0.5) <> (mlops.predict('sold', t) = 1)$$, 'the class is the more probable one');
select is_empty($$select from thing t where abs(1 - (select sum(p.value::float8) from jsonb_each_text(mlops.predict_all('grade', t)) p)) > 1e-12$$,
				'probabilities sum to 1');
select throws_ok($$select mlops.predict_proba('grade', t) from thing t$$, '22023', null, 'of three classes one must be named');
select throws_ok($$select mlops.predict_proba('grade', t, '4') from thing t$$, '22023', null, 'one that there is');
select is(mlops.predict_proba('grade', t, null), null, 'NULL is none') from thing t where id = 1;
select version as far from mlops.train('far', 'select i as a, (i % 2) * 1000000000000000::bigint as y from generate_series(1, 100) i', 'y') \gset
select set_eq(format($$select jsonb_object_keys(mlops.predict_all('far@%s', '{"a": 1}'::jsonb))::bigint$$, :'far'), $$values (0::bigint), (1000000000000000)$$,
			  'labels of integers are integers');
select * from finish();
rollback;
