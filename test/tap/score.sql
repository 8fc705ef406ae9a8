-- mlops.score() predicts and records in the transaction, once a request; outcomes belong to predictions; forgetting removes both.
\ir include/begin.sql
\ir include/refusal.sql
create role anna_owner;
create role paul_predictor;
create role vera_viewer;
create role rita_reviewer;
create role sten_stranger;
create table house as
	select i as id, i * 37 % 101 as area, (array['north', 'south'])[i % 2 + 1] as side, i * 37 % 101 * 2.5 + i % 2 as price from generate_series(1, 300) i;
grant select on house to anna_owner, paul_predictor, sten_stranger;
grant usage on schema public to anna_owner, paul_predictor, vera_viewer, rita_reviewer, sten_stranger;
set local role anna_owner;
select mlops.create_project('homes');
select mlops.grant_access('homes', 'paul_predictor', 'predictor');
select mlops.grant_access('homes', 'vera_viewer', 'viewer');
select mlops.grant_access('homes', 'rita_reviewer', 'reviewer');
select mlops.train('price', 'house', 'price', project => 'homes', exclude => '{id}', algorithm => 'linear_regression');
select mlops.deploy('price', capture => '{"mode": "transaction"}');
select plan(45);

set local role paul_predictor;
select s.prediction_id as first, s.prediction as answer from house h, mlops.score('price', 'house 1', h, request_id => 'a') s where h.id = 1 \gset
select is(:answer::float8, (select mlops.predict('price', h) from house h where id = 1), 'the answer is that of predict()');
select is((select s.prediction_id from house h, mlops.score('price', 'house 1', h, request_id => 'a') s where h.id = 1), :first::bigint, 'a repeated request gets the same');
select is((select s.prediction from house h, mlops.score('price', 'house 2', h, request_id => 'a') s where h.id = 2), :answer::float8, 'also if it asks for another row');
select isnt((select s.prediction_id from house h, mlops.score('price', 'house 1', h) s where h.id = 1), :first::bigint, 'without a request there is a new one');
select is((select s.version from mlops.score('price@1', 'house 3', '{"area": 3, "side": "west"}'::jsonb) s), 1, 'a version by its number, and jsonb');
savepoint undone;
select mlops.score('price', 'house 4', h, request_id => 'b') from house h where id = 4;
rollback to undone;
select is((select count(*) from mlops.captured), 0::bigint, 'a predictor does not see what is captured');
select matches(pg_temp.refusal($$select mlops.score('price', 'x', null::house)$$), '^22023 ', 'features must be there');
select matches(pg_temp.refusal($$select mlops.score(null, 'x', h) from house h limit 1$$), '^22023 ', 'and a model');
select matches(pg_temp.refusal($$insert into mlops.prediction (prediction_id, at, model_id, version, weight, captured_by) values (1, now(), 1, 1, 1, 'me')$$), '^42501 ', 'nobody writes predictions by hand');
select matches(pg_temp.refusal($$insert into mlops.request (model_id, request_id, prediction_id, at, version) values (1, 'c', 1, now(), 1)$$), '^42501 ', 'nor requests');
set local role sten_stranger;
select matches(pg_temp.refusal($$select mlops.score('price', 'x', h) from house h limit 1$$), '^42704 model "price" does not exist', 'a stranger asks nothing');

set local role vera_viewer;
select is((select count(*) from mlops.captured), 3::bigint, 'a viewer sees what was answered');
select is((select count(features) from mlops.captured), 0::bigint, 'and not what was asked');
select is((select string_agg(distinct captured_by, ' ') from mlops.captured), 'paul_predictor', 'by whom');
select is((select count(*) from mlops.captured where request_id = 'a' and prediction_id = :first), 1::bigint, 'with the request');
select is((select count(*) from mlops.captured where entity_key = 'house 4'), 0::bigint, 'what was rolled back is not there');
select matches(pg_temp.refusal($$select mlops.forget('price', 'house 1')$$), '^42501 ', 'a viewer cannot erase');
select matches(pg_temp.refusal($$select mlops.set_retention('price', '1 day')$$), '^42501 ', 'nor say how long rows are kept');
select matches(pg_temp.refusal($$select mlops.record_outcome('price', 'house 1', now(), '3')$$), '^42501 ', 'nor record outcomes');
set local role rita_reviewer;
select is((select features from mlops.captured where prediction_id = :first), '{"area": 37, "side": "south"}'::jsonb, 'a reviewer sees what was asked');
select is((select features ->> 'side' from mlops.captured where entity_key = 'house 3'), 'west', 'also what training never saw');
set local role anna_owner;
update mlops.project set features_for = 'viewer' where name = 'homes';
set local role vera_viewer;
select is((select count(features) from mlops.captured), 3::bigint, 'unless the project shows it to viewers');

-- ---- Outcomes ----

set local role paul_predictor;
select lives_ok(format('select mlops.record_outcome(%s, ''90'')', :first), 'an outcome of a prediction');
select lives_ok(format('insert into mlops.outcome (prediction_id, value) values (%s, ''91'')', :first), 'corrected, by INSERT');
select lives_ok($$select mlops.record_outcome('price', 'house 3', clock_timestamp(), '7')$$, 'of an entity');
select matches(pg_temp.refusal('select mlops.record_outcome(1, ''2'')'), '^42704 prediction 1 does not exist', 'of a prediction that is not there');
select matches(pg_temp.refusal(format('insert into mlops.outcome (prediction_id, value, recorded_by) values (%s, ''1'', ''anna'')', :first)), '^42501 ', 'who recorded it cannot be stated');
set local role anna_owner;
select is((select outcome from mlops.captured where prediction_id = :first), '91', 'the latest holds');
select is((select array_agg(value order by id) from mlops.outcome where prediction_id = :first), '{90,91}', 'and the others are kept');
select is((select outcome from mlops.captured where entity_key = 'house 3'), '7', 'that of an entity is its predictions''');
select is((select string_agg(distinct recorded_by, ' ') from mlops.outcome), 'paul_predictor', 'with who recorded them');
select is(mlops.bind_outcomes('price', 'select ''house '' || id as entity_key, price as label, clock_timestamp() as observed_at from house where id < 3'), 2::bigint, 'a query finds some');
select is((select count(outcome) from mlops.captured), 3::bigint, 'which belong to predictions before');
select matches(pg_temp.refusal($$select mlops.bind_outcomes('price', 'select id, price as label from house')$$), '^42703 .*entity_key', 'the query must have its columns');
select is((select labelled::text || '/' || captured from mlops.outcome_coverage), '3/3', 'coverage');

-- ---- Who sees the query ----

set local role paul_predictor;
select is(mlops.bind_outcomes('price', 'select ''house '' || id as entity_key, price as label, clock_timestamp() as observed_at from house where id = 200'), 1::bigint, 'a predictor binds one, too');
select is((select string_agg(owner_name, ' ') from mlops.outcome_binding), 'paul_predictor', 'and sees it');
set local role vera_viewer;
select is((select count(*) from mlops.outcome_binding), 0::bigint, 'a viewer sees none');
set local role anna_owner;
select is((select count(*) from mlops.outcome_binding), 2::bigint, 'an owner both');

-- ---- Forgetting ----

select is(mlops.forget('price', 'house 1'), 2::bigint, 'an owner erases');
select is((select count(*) from mlops.captured where entity_key = 'house 1') + (select count(*) from mlops.outcome where prediction_id = :first or entity_key = 'house 1')
		  + (select count(*) from mlops.request where request_id = 'a'), 0::bigint, 'all of it');

-- ---- Long keys ----

select s.prediction_id as long from house h, mlops.score('price', repeat('x', 5000) || '1', h) s where h.id = 1 \gset
select mlops.score('price', repeat('x', 5000) || '2', h) from house h where h.id = 2;
select mlops.record_outcome('price', repeat('x', 5000) || '1', clock_timestamp(), '8');
select is((select string_agg(coalesce(outcome, 'none') || ' ' || octet_length(entity_key), ', ' order by prediction_id) from mlops.captured where entity_key like 'xx%'), '8 1000, none 1000',
		  'long keys are shortened, and stay two');
select is(mlops.forget('price', repeat('x', 5000) || '1'), 1::bigint, 'one is forgotten');
select is((select array_agg(prediction_id > :long) from mlops.captured where entity_key like 'xx%'), '{t}', 'the other stays');

-- ---- Off ----

select mlops.deploy('price', capture => '{"mode": "off"}');
select is((select row(s.prediction_id, s.prediction, s.version)::text from house h, mlops.score('price', 'house 9', h, request_id => 'off') s where h.id = 9)
		  || (select count(*) from mlops.captured where entity_key = 'house 9') + (select count(*) from mlops.request where request_id = 'off'),
		  (select row(null, mlops.predict('price', h), 1)::text || 0 from house h where h.id = 9), 'a deployment that captures nothing answers');
reset role;
select * from finish();
rollback;
