-- The planner knows what predictions cost and how many rows they give, and asks nothing of models that it may not see.
\ir include/begin.sql
\ir include/trained.sql
create function pg_temp.plan_of(query text) returns jsonb language plpgsql as $$
declare plan jsonb;
begin
	execute 'explain (format json, verbose) ' || query into plan;
	return plan -> 0 -> 'Plan';
end $$;
create function pg_temp.cost(query text) returns float8 language sql as $$ select (pg_temp.plan_of(query) ->> 'Total Cost')::float8 $$;
create sequence calls;
create function cheap(id int) returns boolean language plpgsql volatile cost 1 as $$ begin return nextval('calls') < 0; end $$;
select mlops.train('sold', 'thing', 'sold', exclude => '{id,price,grade,mood}');
select mlops.train('large', 'thing', 'sold', exclude => '{id,price,grade,mood}', params => '{"n_estimators": 1000, "reg_lambda": 0, "min_child_weight": 0}');
analyze thing;
select plan(17);
select ok(pg_temp.cost($$select mlops.predict('large@1', t) from thing t$$) > pg_temp.cost($$select mlops.predict('price', t) from thing t$$), 'a larger model costs more');
select ok(pg_temp.cost($$select mlops.predict('price', t) from thing t$$) < pg_temp.cost($$select mlops.predict('nobody', t) from thing t$$), 'one that does not exist costs what the function says');
select lives_ok($$explain select mlops.predict('a/b/c@@', t) from thing t$$, 'what is no reference is no error of the planner''s');
select lives_ok($$explain select mlops.predict(null::text, t) from thing t$$, 'nor is NULL');
select ok(pg_temp.cost($$select mlops.predict_proba('large@1', t) from thing t$$) = pg_temp.cost($$select mlops.predict_class('large', t) from thing t$$), 'whichever version or function');
select matches(pg_temp.plan_of($$select * from thing t where mlops.predict_proba('sold', t, 'true') > 0.5 and cheap(id)$$) ->> 'Filter', 'cheap.*predict', 'cheap conditions come first');
select count(*) from thing t where mlops.predict_proba('sold', t, 'true') > 2 and cheap(id);
select is((select last_value from calls), 400::bigint, 'and are all that is asked');
select doesnt_match((pg_temp.plan_of($$select id from (select id, mlops.predict('price', t) as p from thing t) q$$) -> 'Output')::text, 'predict', 'a column that nobody reads is not predicted');
select is((pg_temp.plan_of($$select * from mlops.predict_batch('price', 'thing', 'id')$$) ->> 'Plan Rows')::float8, 400::float8, 'a batch has the rows of its table');
select is((pg_temp.plan_of($$select * from mlops.predict_batch('price', 'public.thing')$$) ->> 'Plan Rows')::float8, 400::float8, 'with its schema');
select is((pg_temp.plan_of($$select * from mlops.predict_batch('price', 'select * from thing')$$) ->> 'Plan Rows')::float8, 1000::float8, 'of a query it is a guess');
select is((pg_temp.plan_of($$select * from mlops.predict_batch('price', 'no."where')$$) ->> 'Plan Rows')::float8, 1000::float8, 'and of nonsense');
select is((pg_temp.plan_of($$select * from mlops.predict_top('grade', (select t from thing t limit 1), 2)$$) ->> 'Plan Rows')::float8, 2::float8, 'the n that is asked for');
select ok(pg_temp.cost($$select * from mlops.predict_batch('large@1', 'thing')$$) > pg_temp.cost($$select * from mlops.predict_batch('price', 'thing')$$), 'a batch by its model');
select ok((select max(cost) > min(cost) from (select pg_temp.cost(format('select mlops.predict_proba(%L::mlops.artifact, t, ''true'') from thing t', mlops.export_model(m))) as cost
											   from unnest('{sold,large@1}'::text[]) m) costs), 'a value by its size');
create role planner_only;
grant usage on schema mlops to planner_only;
grant select on thing to planner_only;
select pg_temp.cost($$select mlops.predict('large@1', t) from thing t$$) as seen, pg_temp.cost($$select mlops.predict('nobody', t) from thing t$$) as unknown \gset
set local role planner_only;
select isnt(pg_temp.cost($$select mlops.predict('large@1', t) from thing t$$), :seen::float8, 'who may not see a model');
select is(pg_temp.cost($$select mlops.predict('large@1', t) from thing t$$), :unknown::float8, 'is told nothing of it');
reset role;
select * from finish();
rollback;
