-- One expression that scores by several versions in turn records each with its own columns.
\ir include/begin.sql
create table house as select i as id, i * 37 % 101 as area, (array['north', 'south'])[i % 2 + 1] as side, i * 37 % 101 * 2.5 + i % 2 as price from generate_series(1, 300) i;
select mlops.train('price', 'select area, side, price from house', 'price', algorithm => 'linear_regression');
select mlops.train('price', 'select area, price from house', 'price', algorithm => 'linear_regression');
select mlops.train('price', 'select side, price from house', 'price', algorithm => 'baseline');
-- the same rows give the same bytes, so that nothing but the number is another
select mlops.train('price', 'select area, side, price from house', 'price', algorithm => 'linear_regression');
-- the expression keeps its state for the whole transaction
create function pg_temp.record(key text, reference text, variadic between_calls text[]) returns void language plpgsql as $$
declare
	h house;
	answer record;
	step text;
begin
	select * into h from house where id = 7;
	foreach step in array between_calls loop
		execute step;
		answer := mlops.score(reference, key, h);
	end loop;
end
$$;
create view found as select c.prediction_id, c.entity_key, c.model_id, c.version, c.features, p.deployment_id, l.version as layout, l.deployment_id as layout_of
  from mlops.captured c join mlops.prediction p using (prediction_id) join mlops.prediction_features f using (prediction_id) join mlops.capture_layout l on l.id = f.layout_id;
select plan(6);

select pg_temp.record('alias', 'price@champion', 'select mlops.set_alias(''price'', ''champion'', 1)', 'select mlops.set_alias(''price'', ''champion'', 2)', 'select mlops.set_alias(''price'', ''champion'', 3)',
	'select mlops.set_alias(''price'', ''champion'', 1)', 'select mlops.set_alias(''price'', ''champion'', 4)');
select results_eq($$select version, features from found where entity_key = 'alias' order by prediction_id$$,
	$$values (1, '{"area": 57, "side": "south"}'::jsonb), (2, '{"area": 57}'), (3, '{"side": "south"}'), (1, '{"area": 57, "side": "south"}'), (4, '{"area": 57, "side": "south"}')$$, 'an alias that moves');
select is_empty($$select from found where version <> layout$$, 'each by the layout of its version');

select pg_temp.record('live', 'price', 'select mlops.deploy(''price'', 1, capture => ''{"mode": "transaction", "mask": ["side"]}'')', 'select mlops.deploy(''price'', 2, capture => ''{"mode": "transaction"}'')',
	'select mlops.deploy(''price'', 1, capture => ''{"mode": "transaction", "mask": ["area"]}'')');
select results_eq($$select version, features from found where entity_key = 'live' order by deployment_id$$,
	$$values (1, '{"area": 57}'::jsonb), (2, '{"area": 57}'), (1, '{"side": "south"}')$$, 'deployments that follow each other, with their settings');
select is_empty($$select from found where deployment_id <> layout_of$$, 'each by its own layout');

select pg_temp.record('anew', 'price@1', 'select 1', 'select mlops.drop_alias(''price'', ''champion''), mlops.undeploy(''price''), mlops.drop_model(''price''), mlops.train(''price'', ''select area, side, price from house'', ''price'', algorithm => ''linear_regression'')');
select results_eq($$select model_id, version, features from found where entity_key = 'anew'$$, $$select id, 1, '{"area": 57, "side": "south"}'::jsonb from mlops.model$$,
	'a model that is another by the same name, and has the same bytes');
select is((select count(*) from mlops.prediction p where p.entity_key = 'anew'), 1::bigint, 'while what was asked of the one before went with it');
select * from finish();
rollback;
