-- Every argument is checked before a row is read, and the error says what would do.
\ir include/begin.sql
\ir include/refusal.sql
create table house as select n % 101 as area, n % 7 as rooms, n * 2.5::float8 as price from generate_series(1, 60) n;
create function pg_temp.refused(rest text) returns text language sql as
	$$ select pg_temp.refusal('select mlops.train(''m'', ''select *, 1 / (rooms - rooms) as bad from house'', ''price'', ' || rest || ')') $$;

select plan(33);
select matches(pg_temp.refused($$algorithm => 'gradient_bosting'$$), '^22023 .*gradient_bosting.*linear_regression.*"gradient_boosting"', 'algorithm');
select matches(pg_temp.refused($$params => '{"max_dept": 3}'$$), '^22023 .*max_dept.*max_depth', 'the name of a parameter');
select matches(pg_temp.refused($$params => '{"max_depth": "six"}'$$), '^22023 .*max_depth', 'its type');
select matches(pg_temp.refused($$params => '{"max_depth": 3.5}'$$), '^22023 .*max_depth.*integer', 'an integer');
select matches(pg_temp.refused($$params => '{"learning_rate": -1}'$$), '^22023 .*learning_rate', 'its range');
select matches(pg_temp.refused($$params => '{"learning_rate": true}'$$), '^22023 .*learning_rate', 'a boolean for a number');
select matches(pg_temp.refused($$params => '{"learning_rate": [0.1]}'$$), '^22023 .*learning_rate', 'an array for a number');
select matches(pg_temp.refused($$params => '{"objective": "logistics"}'$$), '^22023 .*objective', 'a word');
select matches(pg_temp.refused($$params => '[1]'$$), '^22023 .*"params".*object', 'params that are no object');
select matches(pg_temp.refused($$task => 'regresion'$$), '^22023 .*"regression"', 'task');
select matches(pg_temp.refused($$device => 'gpu'$$), '^55000 .*GPU.*cpu', 'no GPU');
select matches(pg_temp.refused($$device => 'tpu'$$), '^22023 .*"tpu".*cpu', 'no such device');
select matches(pg_temp.refused($$background => true, weight => 'wight'$$), '^42703 .*"wight"', 'all of it in the background, too');
select matches(pg_temp.refused($$features => '{area,roms}'$$), '^42703 .*"roms".*area.*"rooms"', 'features');
select matches(pg_temp.refused($$features => '{area,area}'$$), '^22023 .*"area" twice', 'a feature twice');
select matches(pg_temp.refused($$features => '{area,price}'$$), '^22023 .*"price"', 'the target as a feature');
select matches(pg_temp.refused($$features => '{area,NULL}'$$), '^22023 .*"features".*NULL', 'a NULL feature');
select matches(pg_temp.refused($$features => '{}'$$), '^22023 .*no feature', 'no features');
select matches(pg_temp.refused($$exclude => '{aera}'$$), '^42703 .*"aera".*"area"', 'exclude');
select matches(pg_temp.refused($$exclude => '{area,rooms,bad}'$$), '^22023 .*no feature', 'all excluded');
select matches(pg_temp.refused($$weight => 'wight'$$), '^42703 .*"wight"', 'weight');
select matches(pg_temp.refused($$project => 'nowhere'$$), '^42704 .*nowhere', 'project');
select matches(pg_temp.refused($$experiment => ''$$), '^22023 .*experiment', 'experiment');
select matches(pg_temp.refusal($$select mlops.train('m', 'house', 'pricee')$$), '^42703 .*"pricee".*"price"', 'target');
select matches(pg_temp.refusal($$select mlops.train('m', 'house')$$), '^22023 .*"target".*NULL', 'no target');
select matches(pg_temp.refusal($$select mlops.train(null, 'house', 'price')$$), '^22023 .*"model".*NULL', 'no model');
select matches(pg_temp.refusal($$select mlops.train('m@2', 'house', 'price')$$), '^42602 .*"m@2"', 'a version in the name');
select matches(pg_temp.refusal($$select mlops.train('', 'house', 'price')$$), '^42602 ', 'an empty name');
select matches(pg_temp.refusal($$select mlops.train(' m', 'house', 'price')$$), '^42602 ', 'a blank in front');
select matches(pg_temp.refusal($$select mlops.train('a/m', 'house', 'price', project => 'b')$$), '^22023 .*different projects', 'two projects');
select is((select count(*) from mlops.model) + (select count(*) from mlops.run) + (select count(*) from mlops.project), 0::bigint, 'nothing was left');
select lives_ok($$select mlops.train('m', 'house', 'price', algorithm => null, params => null, task => null, features => null, exclude => null,
						  preprocess => null, split => null, weight => null, seed => null, project => null, experiment => null, device => null,
						  background => null)$$, 'NULL is the default');
select is((select seed from mlops.run), 42::bigint, 'of the seed too');
select * from finish();
rollback;
