-- init_model: trees are added to those of a version; recipe, classes and parameters are its own, and the run says where it came from.
\ir include/begin.sql
\ir include/refusal.sql
create role anna_owner;
create role vera_viewer;
create role sten_stranger;
create table flat as
	select n, (n * 7919 % 1000) / 1000.0::float8 as area, (n * 104729 % 997)::integer as age, (array['north', 'south', null])[1 + n % 3] as side,
		   array[n % 5, n % 7]::float8[] as xs, 3 * (n * 7919 % 1000) / 1000.0 + (n % 3) + sin(n) / 5 + 4 as price,
		   (array['low', 'high', 'odd'])[1 + (n * 7919 % 1000) / 334] as class, n % 4 = 0 and n % 3 = 1 as sold
	  from generate_series(1, 900) n;
grant select on flat to anna_owner, vera_viewer, sten_stranger;
grant usage, create on schema public to anna_owner, vera_viewer, sten_stranger;
set local role anna_owner;
select mlops.create_project('homes');
select mlops.grant_access('homes', 'vera_viewer', 'viewer');
create function pg_temp.fit(model text, source text, target text, params jsonb, split jsonb default '{}') returns integer language sql as $$
select t.version from mlops.train(model, source, target, project => 'homes', exclude => array(select a.attname::text from pg_attribute a
		where attrelid = 'flat'::regclass and attnum > 0 and attname <> target and attname in ('n', 'price', 'class', 'sold') and source !~ 'select'),
	params => params, split => split) t
$$;
select plan(49);

-- Equal to one training of the same rows
select is(pg_temp.fit('long', 'flat', 'price', '{"n_estimators": 12, "subsample": 0.7, "max_depth": 4}'), 1, 'one training');
select is(pg_temp.fit('price', 'flat', 'price', '{"n_estimators": 5, "subsample": 0.7, "max_depth": 4}'), 1, 'a shorter one');
select is(pg_temp.fit('price', 'flat', 'price', '{"init_model": "price@1", "n_estimators": 7}'), 2, 'and the rest of it');
select is((select count(*) from (select * from mlops.trees('price@2') except all select * from mlops.trees('long@1')) d), 0::bigint, 'make the same trees');
select is((select count(*) from mlops.trees('price@2')), (select count(*) from mlops.trees('long@1')), 'all of them');
select is((select count(*) from flat f where mlops.predict('price@2', f) is distinct from mlops.predict('long@1', f)), 0::bigint, 'and the same predictions');
select is((select metrics from mlops.model_version v join mlops.model m on m.id = v.model_id where name = 'price' and version = 2),
		  (select metrics from mlops.model_version v join mlops.model m on m.id = v.model_id where name = 'long'), 'and metrics');
select pg_temp.fit('kind', 'flat', 'class', '{"n_estimators": 6, "class_weight": "balanced"}');
select pg_temp.fit('kind', 'flat', 'class', '{"n_estimators": 2, "class_weight": "balanced"}');
select pg_temp.fit('kind', 'flat', 'class', '{"init_model": "kind@2", "n_estimators": 4}');
select is((select count(*) from (select * from mlops.trees('kind@3') except all select * from mlops.trees('kind@1')) d), 0::bigint, 'of several classes, too');
select pg_temp.fit('sold', 'flat', 'sold', '{"n_estimators": 6}');
select pg_temp.fit('sold', 'flat', 'sold', '{"n_estimators": 2}');
select pg_temp.fit('sold', 'flat', 'sold', '{"init_model": "sold@2", "n_estimators": 4}');
select is((select count(*) from (select * from mlops.trees('sold@3') except all select * from mlops.trees('sold@1')) d), 0::bigint, 'and of two');

-- What is kept, what is new
select is((select params ->> 'max_depth' from mlops.run where id = (select max(id) from mlops.run where model_name = 'price')), '4', 'what is not given stays as it was');
select is((select params ->> 'n_estimators' from mlops.run where id = (select max(id) from mlops.run where model_name = 'price')), '7', 'n_estimators are those that are added');
create temporary table later as select area + 5 as area, age, case when side is null then 'west' else side end as side, xs, price + 50 as price, 1 as novel from flat;
select is(pg_temp.fit('price', 'select * from later', 'price', '{"init_model": "price@2", "n_estimators": 40, "max_depth": 5}'), 3, 'new rows, that lie elsewhere');
select is((select count(*) from (select * from mlops.recipe('price@3') except select * from mlops.recipe('price@1')) d), 0::bigint, 'the recipe is the same');
select is((select count(*) from (select * from mlops.trees('price@2') except all select * from mlops.trees('price@3')) d), 0::bigint, 'so are the old trees');
select cmp_ok((select avg(abs(mlops.predict('price@3', l) - l.price)) from later l), '<', (select avg(abs(mlops.predict('price@2', l) - l.price)) / 5 from later l),
			  'new ones predict the new rows better');
select ok(exists (select from mlops.trees('price@3') t where t.tree > 12 and t.feature = 'area' and substring(t.condition from '[0-9.]+$')::float8 > 5),
		  'and tell apart what lies beyond the old ones');
select is(pg_temp.fit('price', 'select side, xs, price, area, age from flat', 'price', '{"init_model": "price@1", "n_estimators": 7}'), 4, 'columns in another order');
select is((select count(distinct sha256) from mlops.model_version v join mlops.model m on m.id = v.model_id where name = 'price' and version in (2, 4)), 1::bigint, 'give the same bytes');

-- The recipe decides about what it does not know
select mlops.train('strict', 'flat', 'price', project => 'homes', features => '{area,side}', params => '{"n_estimators": 3}',
				   preprocess => '{"side": {"unseen": "error", "encoding": "onehot"}, "area": {"missing": "error", "scaling": "standard"}}');
select lives_ok($$select pg_temp.fit('strict', 'select area, side, price from flat', 'price', '{"init_model": "strict@1"}')$$, 'spread and scaled columns');
select is((select count(*) from (select * from mlops.recipe('strict@2') except select * from mlops.recipe('strict@1')) d), 0::bigint, 'stay so');
select matches(pg_temp.refusal($$select pg_temp.fit('strict', 'select area, side, price from later', 'price', '{"init_model": "strict@1"}')$$),
			   '22000 column "side" holds the category "west", which the version to continue does not know', 'a category that it refuses');
select matches(pg_temp.refusal($$select pg_temp.fit('strict', 'select nullif(area, 0.5) as area, side, price from flat', 'price', '{"init_model": "strict@1"}')$$),
			   '22000 column "area" has no usable value in [0-9]+ rows', 'a missing value that it refuses');

-- Lineage
select results_eq($$select r.init_version, r.init_model_id = v.model_id, r.init_sha256 = v.sha256, r.params ->> 'init_model'
					  from mlops.run r, mlops.model_version v join mlops.model m on m.id = v.model_id
					 where r.id = (select run_id from mlops.model_version c where c.model_id = m.id and c.version = 2) and m.name = 'price' and v.version = 1$$,
				  $$values (1, true, true, 'price@1')$$, 'the run knows the version that it went on from');
select is((mlops.export_model('price@2')::jsonb) -> 'params' ->> 'init_model',
		  (select encode(sha256, 'hex') from mlops.model_version v join mlops.model m on m.id = v.model_id where name = 'price' and version = 1), 'the artifact knows its hash, and no name');
select is((select init_model_id from mlops.run where model_name = 'long'), null, 'a training that began anew has none');
select mlops.set_alias('price', 'champion', 2);
select pg_temp.fit('price', 'flat', 'price', '{"init_model": "homes/price@champion", "n_estimators": 1}');
select is((select params ->> 'init_model' from mlops.run where id = (select max(id) from mlops.run)), 'homes/price@2', 'of an alias the run keeps the version');
select is(mlops.import_model('moved', mlops.export_model('price@2'), 'homes'), 1, 'what is imported');
select is(pg_temp.fit('moved', 'flat', 'price', '{"init_model": "moved@1", "n_estimators": 1}'), 2, 'can be continued');
select lives_ok($$select mlops.drop_model('price', 1)$$, 'the version that was continued may be dropped');
select is((select init_version from mlops.run where id = (select run_id from mlops.model_version v join mlops.model m on m.id = v.model_id where name = 'price' and version = 2)),
		  1, 'and is remembered');
select throws_ok($$insert into mlops.run (init_model_id) values (1)$$, '42501', null, 'nobody writes that by hand');

-- Rights
set local role vera_viewer;
select matches(pg_temp.refusal($$select mlops.train('mine', 'flat', 'price', exclude => '{n,class,sold}', params => '{"init_model": "price@2"}')$$), '^42501 permission denied to train or export model "price"', 'to see a version is not to read it');
set local role sten_stranger;
select is(pg_temp.refusal($$select mlops.train('mine', 'flat', 'price', params => '{"init_model": "price@2"}')$$),
		  replace(pg_temp.refusal($$select mlops.train('mine', 'flat', 'price', params => '{"init_model": "nosuch@2"}')$$), 'nosuch', 'price'), 'to a stranger it does not exist');
set local role anna_owner;

-- Refusals
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'flat', 'price', '{"init_model": "price@77"}')$$), 'model "price" has no version 77', 'an unknown version');
select mlops.train('line', 'flat', 'price', algorithm => 'linear_regression', project => 'homes');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'flat', 'price', '{"init_model": "line@1"}')$$), 'linear_regression, and cannot be continued by gradient_boosting', 'another algorithm');
select matches(pg_temp.refusal($$select mlops.train('trees', 'flat', 'price', algorithm => 'random_forest', params => '{"init_model": "price@2"}')$$),
			   'The algorithm that has "init_model": gradient_boosting', 'algorithms that cannot say which can');
select matches(pg_temp.refusal($$select pg_temp.fit('kind', 'flat', 'class', '{"init_model": "price@2"}')$$), 'the target is "class", but version 2 of model "price" predicts "price"', 'another target');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'select area, age, side, price from flat', 'price', '{"init_model": "price@2"}')$$), '42703 .*"xs', 'a column is missing');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'select area::real, 1 / (n - n) as age, side, xs, price from flat', 'price', '{"init_model": "price@2"}')$$),
			   '42804 column "area" is of type real, but the version to continue was trained with type double precision', 'another type, before any row is read');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'select area, age, side, xs::real[] as xs, price from flat', 'price', '{"init_model": "price@2"}')$$),
			   '42804 column "xs" is of type real\[\]', 'of an array''s elements, too');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'select area, 1 / (n - n) as age, side, xs, price > 5 as price from flat', 'price', '{"init_model": "price@2"}')$$),
			   '42804 target column "price" is of type boolean', 'a boolean where numbers were predicted');
select matches(pg_temp.refusal($$select pg_temp.fit('kind', 'select area, age, side, xs, class || 1 as class from flat', 'class', '{"init_model": "kind@2"}')$$), '22000 class "[a-z]+1" .*rows of its own classes', 'unknown classes');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'flat', 'price', '{"init_model": "price@2", "objective": "poisson"}')$$), 'the objective is poisson', 'another objective');
select matches(pg_temp.refusal($$select mlops.train('price', 'flat', 'price', task => 'multiclass', exclude => '{n,class,sold}', params => '{"init_model": "price@2"}')$$), 'the task is multiclass, but that of version 2', 'another task');
select matches(pg_temp.refusal($$select mlops.train('price', 'flat', 'price', preprocess => '{"area": {"missing": "mean"}}', params => '{"init_model": "price@2"}')$$), 'argument "preprocess" cannot be given', 'another recipe');
select matches(pg_temp.refusal($$select mlops.train('price', 'flat', 'price', features => '{area,n}', params => '{"init_model": "price@2"}')$$), 'does not know: "n"', 'other features');
select matches(pg_temp.refusal($$select mlops.train('price', 'flat', 'price', exclude => '{area}', params => '{"init_model": "price@2"}')$$), '"exclude" names column "area"', 'a feature left out');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'flat', 'price', '{"init_model": "price@2", "base_score": 3}')$$), '"base_score" cannot be given with init_model', 'another beginning');
select matches(pg_temp.refusal($$select pg_temp.fit('price', 'flat', 'price', '{"init_model": 2}')$$), 'must be a reference to a version, such as churn@3', 'no reference');
select * from finish();
rollback;
