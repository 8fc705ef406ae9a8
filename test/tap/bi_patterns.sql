-- The patterns of docs/serving.md give what predict() gives row by row.
\ir include/begin.sql
create table client as
select i as id, 18 + i * 7 % 60 as age, (array['basic', 'plus', 'family'])[1 + i % 3] as plan, (array['north', 'south'])[1 + i % 2] as region,
	   case when i % 11 <> 0 then i * 13 % 40 end as calls, (i * 7 % 60 + i * 13 % 40 + i * 31 % 17) > 55 as left_us
  from generate_series(1, 1000) i;
create table region as select * from (values ('north', 'Ann'), ('south', 'Bob')) as regions (region, manager);
select mlops.train('leaving', 'client', 'left_us', exclude => '{id}');
select mlops.train('leaving', 'client', 'left_us', 'logistic_regression', exclude => '{id}');
select mlops.deploy('leaving', 1);
create temporary table truth as select id, mlops.predict_proba('leaving', to_jsonb(c)) as risk, mlops.predict_class('leaving', to_jsonb(c)) as class from client c;
create function pg_temp.plan_of(query text) returns text language plpgsql as $$
declare line text; whole text := '';
begin
	for line in execute 'explain (verbose, costs off) ' || query loop whole := whole || line || E'\n'; end loop;
	return whole;
end $$;
create function pg_temp.uses_in_planning(query text) returns bigint language plpgsql as $$
declare
	before constant bigint := (select sum(loads + hits) from mlops.model_cache where model = 'leaving');
begin
	perform pg_temp.plan_of(query);
	return (select sum(loads + hits) from mlops.model_cache where model = 'leaving') - before;
end $$;
select plan(23);
select set_eq($$select id from client c where mlops.predict_proba('leaving', c) > 0.8 and age < 30$$,
			  $$select id from client join truth using (id) where risk > 0.8 and age < 30$$, 'WHERE on a probability');
select results_eq($$select risk from (select mlops.predict_proba('leaving', c) as risk from client c) q order by risk desc limit 100$$,
				  $$select risk from truth order by risk desc limit 100$$, 'the top 100');
select bag_eq($$select r.manager, round(sum(mlops.predict_proba('leaving', c))::numeric, 6) from client c join region r using (region) group by 1$$,
			  $$select r.manager, round(sum(risk)::numeric, 6) from client join truth using (id) join region r using (region) group by 1$$, 'a join');
select matches(pg_temp.plan_of($$select id from client c where mlops.predict_proba('leaving', c) > 0.8 and age < 30$$), 'Filter: .*age < 30.* AND .*predict_proba', 'the cheap condition comes first');
select is(pg_temp.uses_in_planning($$select id from client c where mlops.predict_proba('leaving', c) > 0.8 order by mlops.predict_proba('leaving', c)$$), 0::bigint,
		  'and the planner predicts nothing');
select set_eq($$select id, mlops.predict_proba('leaving', q) from (select c.*, r.manager from client c join region r using (region)) q$$,
			  $$select id, risk from truth$$, 'rows of a join');
select set_eq($$select class, count(*) from mlops.predict_batch('leaving', 'client') group by class$$, $$select class, count(*) from truth group by class$$, 'GROUP BY a batch''s class');
select set_eq($$select mlops.predict_class('leaving', c), count(*) from client c group by 1$$, $$select class, count(*) from truth group by class$$, 'GROUP BY the predicted class');
create table answer (id integer primary key, class text, risk float8);
insert into answer select id::integer, class, probability from mlops.predict_batch('leaving', 'client', id => 'id');
select set_eq('select id, class, risk from answer', 'select id, class, risk from truth', 'insert ... select');
insert into answer select id::integer, class, probability from mlops.predict_batch('leaving@2', 'client', 'id') on conflict (id) do update set risk = excluded.risk;
select isnt((select sum(risk) from answer), (select sum(risk) from truth), 'or again, by another version');
create materialized view client_risk as select id::integer as id, class, probability from mlops.predict_batch('leaving', 'select * from public.client', id => 'id');
select set_eq('select id, class, probability from client_risk', 'select id, class, risk from truth', 'a materialised view');
create type client_features as (age integer, plan text, region text, calls integer);
do $$
begin
	execute format('alter table client add risk double precision generated always as
					(mlops.predict_proba(%L::mlops.artifact, row(age, plan, region, calls)::client_features)) stored', mlops.export_model('leaving@1'));
end
$$;
create index client_by_risk on client (risk);
select set_eq('select id, risk from client', 'select id, risk from truth', 'a generated column on a pinned model');
update client set calls = 39, age = 77 where id = 1;
select is((select risk from client where id = 1), (select mlops.predict_proba('leaving@1', c) from client c where id = 1), 'is kept fresh');
set local enable_seqscan = off;
select matches(pg_temp.plan_of('select id from client where risk > 0.9'), 'client_by_risk', 'its index is used');
select mlops.deploy('leaving', 2);
select isnt((select risk from client where id = 2), (select mlops.predict_proba('leaving', c) from client c where id = 2), 'and a deployment does not change it');
select mlops.deploy('leaving', 1);
alter table client drop risk;
update client set calls = 13, age = 25 where id = 1;
create function pg_temp.copied() returns bigint language plpgsql as $$
declare file constant text := current_setting('data_directory') || '/mlops_predictions.copy';
begin
	execute format($q$copy (select id, class, probability from mlops.predict_batch('leaving', 'client', id => 'id')) to %L$q$, file);
	create temporary table returned (id integer, class text, risk float8);
	execute format('copy returned from %L', file);
	return (select count(*) from returned join truth using (id, class, risk));
end $$;
select is(pg_temp.copied(), 1000::bigint, 'COPY out');
declare risky cursor for select c.id from client c where mlops.predict_proba('leaving', c) > 0.5;
fetch 1 from risky \gset
select ok((select risk > 0.5 from truth where id = :id), 'a cursor');
move 1000 in risky;
close risky;
prepare ask (integer) as select mlops.predict_proba('leaving', c) from client c where id = $1;
select results_eq('execute ask (17)', 'select risk from truth where id = 17', 'a prepared statement');
set local plan_cache_mode = force_generic_plan;
select results_eq('execute ask (18)', 'select risk from truth where id = 18', 'with either kind of plan');
deallocate ask;
-- A column that follows deployments: kept by a trigger, and brought up to date by one statement.
alter table client add risk double precision, add risk_version integer;
create function predict_risk() returns trigger language plpgsql as $$
begin
	new.risk := mlops.predict_proba('leaving', new);
	new.risk_version := (select version from mlops.resolve_model('leaving'));
	return new;
end $$;
create trigger client_risk before insert or update on client for each row execute function predict_risk();
update client set risk = null;
select set_eq('select id, risk, risk_version from client', 'select id, risk, 1 from truth', 'a column that a trigger keeps');
update client set calls = 39, age = 77 where id = 1;
select is((select risk from client where id = 1), (select mlops.predict_proba('leaving', c) from client c where id = 1), 'is kept fresh');
insert into client (id, age, plan, region, calls) values (5001, 23, 'plus', 'north', 7);
select is((select risk from client where id = 5001), (select mlops.predict_proba('leaving', c) from client c where id = 5001), 'in new rows, too');
select mlops.deploy('leaving', 2);
update client set risk = null where risk_version is distinct from (select version from mlops.resolve_model('leaving'));
select is_empty($$select from client c where risk is distinct from mlops.predict_proba('leaving', c) or risk_version <> 2$$, 'and brought up to date after a deployment');
select * from finish();
rollback;
