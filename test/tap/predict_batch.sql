-- mlops.predict_batch(): all rows of a source, each with the answer that it has alone.
\ir include/begin.sql
\ir include/trained.sql
create function pg_temp.differing(model text) returns bigint language plpgsql as $$
declare n bigint;
	positive constant text := case when model like 'sold%' then 'true' when model like 'mood%' then 'sad' end;
begin
	execute format('select count(*) from mlops.predict_batch(%1$L, ''thing'', ''id'') b full join thing t on t.id = b.id::int
					 where b.id is null or t.id is null or b.class is distinct from mlops.predict_class(%1$L, t)
						or b.probability is distinct from mlops.predict_proba(%1$L, t, coalesce(%2$L, b.class))', model, positive) into n;
	return n;
end $$;
do $$
begin
	perform mlops.train('sold', 'thing', 'sold', exclude => '{id,price,grade,mood}');
	perform mlops.train('sold', 'thing', 'sold', 'random_forest', exclude => '{id,price,grade,mood}');
	perform mlops.train('grade', 'thing', 'grade', exclude => '{id,price,sold,mood}', params => '{"n_estimators": 20}');
	perform mlops.train('grade', 'thing', 'grade', 'random_forest', exclude => '{id,price,sold,mood}');
	perform mlops.train('price', 'thing', 'price', exclude => '{id,sold,grade,mood}');
end $$;
select plan(29);
select is(pg_temp.differing(model), 0::bigint, model) from unnest('{sold@1,sold@2,sold@3,grade@1,grade@2,grade@3,mood}'::text[]) model;
select is(count(*), 0::bigint, model || ' predicts numbers')
  from unnest('{price@1,price@2}'::text[]) model, lateral (
	select from mlops.predict_batch(model, 'thing', 'id') b full join thing t on t.id = b.id::int
	 where b.prediction is distinct from mlops.predict(model, t) or b.class is not null or b.probability is not null) wrong
 group by model;
select is((select count(*) from mlops.predict_batch('price', 'thing')), 400::bigint, 'no id');
select is((select count(id) from mlops.predict_batch('price', 'thing')), 0::bigint, 'gives none');
select is(prediction, mlops.predict('sold', t), 'labels that are numbers are predictions')
  from mlops.predict_batch('sold', 'select * from thing where id = 7') b, thing t where t.id = 7;
select is(prediction, null, 'texts are not') from mlops.predict_batch('mood', 'select * from thing where id = 7');
select is((select array_agg(id order by id) from mlops.predict_batch('price', 'select * from thing where id < 4', 'id')), '{1,2,3}', 'a query is a source');
select is((select array_agg(id order by id) from mlops.predict_batch('price', 'select t.*, id + 0.5 as half from thing t where id < 3', 'half')), '{1.5,2.5}', 'ids of any type');
select is((select array_agg(id order by id) from mlops.predict_batch('price', 'select t.*, ''r'' || id as name from thing t where id < 3', 'name')), '{r1,r2}', 'texts');
select is((select array_agg(id order by id) from mlops.predict_batch('price', 'select t.*, id + 5000000000 as large from thing t where id < 3', 'large')), '{5000000001,5000000002}', 'large ones');
select is((select array_agg(id order by id) from mlops.predict_batch('price', 'select * from thing where id < 3', 'shade')), (select array_agg(shade::text order by shade::text) from thing where id < 3), 'an id may be an input, too');
select is(id, null, 'NULL is one') from mlops.predict_batch('price', 'select *, null::int as n from thing where id = 1', 'n');
select is_empty($$select * from mlops.predict_batch('price', 'select * from thing where false', 'id')$$, 'no rows');
create table kept as select * from mlops.predict_batch('sold@2', 'thing', 'id') limit 0;
select lives_ok($$insert into kept select * from mlops.predict_batch('sold@2', 'thing', 'id')$$, 'insert ... select');
select is((select count(*) from kept), 400::bigint, 'has them all');
set local work_mem = '64kB';
select is((select count(distinct id) from mlops.predict_batch('sold@2', 'select t.*, g from thing t, generate_series(1, 50) g', 'id')), 400::bigint, 'results beyond work_mem');
select throws_ok($$select * from mlops.predict_batch('price', 'select id from thing')$$, '42703', null, 'columns that are lacking');
select throws_ok($$select * from mlops.predict_batch('price', 'thing', 'nothing')$$, '42703', null, 'an id that does not exist');
select throws_ok($$select * from mlops.predict_batch('price', 'nowhere')$$, '42P01', null, 'no source');
select throws_ok($$select * from mlops.predict_batch('price', null)$$, '22023', null, 'NULL');
select throws_ok($$select * from mlops.predict_batch('nobody', 'thing')$$, '42704', null, 'no model');
create function pg_temp.writes(id int) returns int language plpgsql as $$ begin delete from kept; return id; end $$;
select throws_ok($$select * from mlops.predict_batch('price', 'select t.*, pg_temp.writes(id) as w from thing t', 'w')$$, '25006', null, 'a source only reads');
select is((select count(*) from kept), 400::bigint, 'for real');
create role batch_reader;
grant usage on schema mlops to batch_reader;
select mlops.create_project('batch');
select throws_ok($$set local role batch_reader; select * from mlops.predict_batch('price', 'thing')$$, '42704', null, 'a stranger finds no model');
select * from finish();
rollback;
