-- Forests and trees train, predict, are judged by the rows that their trees did not see, and are the same every time.
\ir include/begin.sql
create table fruit as
	select n as id, (n * 7919 % 1000) / 10.0::float8 as weight, case when n % 17 > 0 then (array['red', 'green', 'yellow'])[n % 3 + 1] end as colour,
		   case when n % 3 = 0 and n * 7919 % 1000 > 400 then 'apple' when n * 7919 % 1000 > 700 then 'pear' else 'plum' end as kind,
		   (n * 7919 % 1000) / 100.0 + n % 3 as price, n * 7919 % 1000 > 600 or n % 3 = 1 as sweet
	  from generate_series(1, 1500) n;
create table shuffled as select * from fruit order by md5(id::text);
select plan(40);

create temporary table trained as
	select a.algorithm as name, t.target, r.*
	  from unnest(array['random_forest', 'extra_trees', 'decision_tree']) a(algorithm),
		   unnest(array['kind', 'price', 'sweet']) t(target),
		   mlops.train(a.algorithm || '_' || t.target, 'select weight, colour, ' || t.target || ' from fruit', t.target, algorithm => a.algorithm,
					   params => case a.algorithm when 'decision_tree' then '{"ccp_alpha": 0.0001}' else '{"n_estimators": 20}' end::jsonb) r;
select is(task, case target when 'kind' then 'multiclass' when 'price' then 'regression' else 'binary' end, name || ' of ' || target)
  from trained order by name, target;
select ok(bool_and(case task when 'regression' then (metrics ->> 'rmse')::float8 < 0.4 else (metrics ->> 'accuracy')::float8 > 0.95 end),
		  'all of them learn it') from trained;

-- probabilities
select ok(bool_and(abs((select sum(p.value::float8) from jsonb_each_text(mlops.predict_all(t.model || '@1', f)) p) - 1) < 1e-12), name || ': probabilities of ' || target || ' add up to 1')
  from trained t, (select weight, colour from fruit limit 200) f where target <> 'price' group by name, target order by name, target;
select is((select count(*) from (select weight, colour from fruit limit 200) f
			where mlops.predict_proba('random_forest_kind@1', f, 'pear') <> (mlops.predict_all('random_forest_kind@1', f) ->> 'pear')::float8), 0::bigint,
		  'predict_proba is one of them');
select ok(mlops.predict('decision_tree_price@1', '{"weight": null, "colour": null}'::jsonb) between 0 and 13, 'missing values are answered');

-- out of bag
select ok((metrics ->> 'oob_accuracy')::float8 > 0.95 and (metrics -> 'baseline' ->> 'oob_accuracy')::float8 < 0.8, 'a random forest has out-of-bag metrics')
  from trained where name = 'random_forest' and target = 'kind';
select ok((metrics ->> 'oob_rmse')::float8 < (metrics -> 'baseline' ->> 'oob_rmse')::float8, 'of a regression, too') from trained where name = 'random_forest' and target = 'price';
select ok((metrics ->> 'oob_roc_auc')::float8 > 0.95, 'of two classes, too') from trained where name = 'random_forest' and target = 'sweet';
select ok((select (metrics ->> 'oob_roc_auc')::float8 > 0.95 and metrics ->> 'oob_roc_auc' <> t.unweighted
			 from mlops.train('weighted', 'select weight, colour, sweet, 1 + id % 3 as w from fruit', 'sweet', algorithm => 'random_forest',
							  params => '{"n_estimators": 20}', weight => 'w'),
				  (select metrics ->> 'oob_roc_auc' as unweighted from trained where name = 'random_forest' and target = 'sweet') t),
		  'and of weighted rows');

-- weights by class
create temporary table weighed as
	select name, params ? 'class_weight' as heavy, r.model || '@' || r.version as reference
	  from unnest(array['random_forest', 'extra_trees', 'decision_tree']) name,
		   unnest(array['{"max_depth": 1}', '{"max_depth": 1, "class_weight": {"pear": 20}}']::jsonb[]) params,
		   mlops.train('weighed', 'select weight, colour, kind from fruit', 'kind', algorithm => name, params => params) r;
select ok(avg(mlops.predict_proba(reference, f, 'pear')) filter (where heavy) > avg(mlops.predict_proba(reference, f, 'pear')) filter (where not heavy) + 0.05,
		  name || ': a heavier class is predicted with a higher probability')
  from weighed, (select weight, colour from fruit) f group by name order by name;

select ok(not bool_or(metrics ? 'oob_rmse' or metrics ? 'oob_accuracy'), 'where each tree sees all rows there are none') from trained where name <> 'random_forest';
select is((select value from mlops.evaluate('random_forest_kind@1') where metric = 'oob_accuracy'),
		  (select (metrics ->> 'oob_accuracy')::float8 from trained where name = 'random_forest' and target = 'kind'), 'evaluate() has them');
select ok((select metrics ? 'oob_r2' and not metrics ? 'r2'
			 from mlops.train('no_test', 'select weight, colour, price from fruit', 'price', algorithm => 'random_forest',
							  params => '{"n_estimators": 10}', split => '{"test": 0}')), 'they need no held-out rows');

-- their trees
select matches(mlops.tree_text('random_forest_kind@1', 7), '^tree 7 of 20; predictions are means over the trees\n.*(apple|pear|plum) (1|0\.[0-9]+)(, (pear|plum) 0\.[0-9]+)*   \(cover ', 'leaves of classes have shares');
select is((select count(*) from mlops.trees('random_forest_kind@1') where value is not null), 0::bigint, 'and no value');
select ok(bool_and((value is not null) = (condition is null) and coalesce(value between 0 and 1, true)), 'those of two classes have a probability')
  from mlops.trees('random_forest_sweet@1');
select is((select round(sum(importance)::numeric, 9) from mlops.importance('random_forest_kind@1')), 1.0, 'columns have their importance');

-- the same rows
select lives_ok($$select mlops.train('again', 'select weight, colour, kind from shuffled', 'kind', algorithm => 'random_forest', params => '{"n_estimators": 20}')$$, 'shuffled rows train');
select is(mlops.export_model('again@1')::bytea, mlops.export_model('random_forest_kind@1')::bytea, 'to the same bytes');
select lives_ok($$select mlops.train('other', 'select weight, colour, kind from fruit', 'kind', algorithm => 'random_forest', params => '{"n_estimators": 20}', seed => 43)$$, 'another seed trains');
select isnt(mlops.export_model('other@1')::bytea, mlops.export_model('random_forest_kind@1')::bytea, 'other trees');

-- parameters
select throws_like($$select mlops.train('m', 'select weight, colour, kind from fruit', 'kind', algorithm => 'random_forest', params => '{"max_features": "most"}')$$,
				   '%invalid value for parameter "max_features"%', 'a word that there is not');
select throws_like($$select mlops.train('m', 'select weight, colour, kind from fruit', 'kind', algorithm => 'random_forest', params => '{"criterion": "squared_error"}')$$,
				   '%the criterion is one of a regression%', 'a criterion of another task');
select throws_like($$select mlops.train('m', 'select weight, colour, kind from fruit', 'kind', algorithm => 'extra_trees', params => '{"max_features": 3}')$$,
				   '%there are 2 features%', 'more features than there are');
select lives_ok($$select mlops.train('m', 'select weight, colour, kind from fruit', 'kind', algorithm => 'extra_trees', params => '{"max_features": "all", "bootstrap": true, "max_samples": 0.5, "n_estimators": 3}')$$,
				'numbers, words and booleans');
select * from finish();
rollback;
