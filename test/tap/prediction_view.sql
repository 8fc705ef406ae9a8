-- mlops.create_prediction_view(): an ordinary view for tools that only read tables.
\ir include/begin.sql
\ir include/trained.sql
create schema work;
create function pg_temp.plan_of(query text) returns text language plpgsql as $$
declare line text; whole text := '';
begin
	for line in execute 'explain (verbose, costs off) ' || query loop whole := whole || line || E'\n'; end loop;
	return whole;
end $$;
create function pg_temp.costs(query text) returns float8 language plpgsql as $$
declare plan jsonb;
begin
	execute 'explain (format json) ' || query into plan;
	return plan -> 0 -> 'Plan' ->> 'Total Cost';
end $$;
select mlops.train('sold', 'thing', 'sold', exclude => '{id,price,grade,mood}');
create table source_thing as select id, whole as source, amount as prediction_of, price from thing;
select mlops.train('named', 'source_thing', 'price', algorithm => 'linear_regression', exclude => '{id}');
select mlops.deploy('named', 1);
select mlops.create_prediction_view('work.sold', 'sold', 'thing', id => 'id');
select mlops.create_prediction_view('grades', 'grade', 'select * from thing where id <= 50', id => 'id');
select mlops.create_prediction_view('moods', 'mood', 'thing', 'id', security_invoker => false);
select mlops.create_prediction_view('prices', 'price', 'thing');
create index on thing (id);
set local enable_seqscan = off;
select plan(38);
select is((select array_agg(attname order by attnum) from (select * from pg_attribute where attrelid = 'work.sold'::regclass order by attnum desc limit 4) a),
		  '{prediction,class,probability,version}', 'the answers come last');
select is((select attname from pg_attribute where attrelid = 'work.sold'::regclass and attnum = 1), 'id', 'the id first');
select ok(exists (select from pg_attribute where attrelid = 'work.sold'::regclass and attname = 'amount'), 'between them the inputs');
select ok(not exists (select from pg_attribute where attrelid = 'work.sold'::regclass and attname in ('mood', 'price')), 'and nothing else');
select is_empty($$select attrelid::regclass, attname from pg_attribute where attrelid in ('work.sold'::regclass, 'grades'::regclass, 'moods'::regclass, 'prices'::regclass)
				  and attnum > 0 and col_description(attrelid, attnum) is null$$, 'each column says what it is');
select isnt(obj_description('work.sold'::regclass, 'pg_class'), null, 'so does the view');
select is_empty($$select from work.sold s join thing t using (id) where s.class <> mlops.predict_class('sold', t) or s.probability <> mlops.predict_proba('sold', t)
				  or s.prediction <> mlops.predict('sold', t) or s.version <> 1$$, 'what it says is what the model says');
select is_empty($$select from grades g join thing t using (id) where g.class <> mlops.predict_class('grade', t) or g.probability <> mlops.predict_proba('grade', t, g.class)$$, 'of several classes the probability of the label');
select is((select count(*) from grades), 50::bigint, 'a query is a source');
select is_empty($$select from moods where prediction is not null or class is null$$, 'texts are no predictions');
select is_empty($$select from prices where prediction is null or class is not null or probability is not null$$, 'numbers have no class');
create temporary table before as select id, probability from work.sold;
select mlops.deploy('sold', 2);
select ok(exists (select from work.sold s join before b using (id) where s.probability <> b.probability), 'it follows a deployment');
select is((select distinct version from work.sold), 2, 'and says so');
select matches(pg_temp.plan_of('select * from work.sold where id = 3'), 'Index Cond: \(source.id = 3\)', 'conditions reach the index');
select doesnt_match(pg_temp.plan_of('select id, amount from work.sold'), 'predict', 'predictions that nobody reads are not made');
select doesnt_match(pg_temp.plan_of('select id, probability from work.sold'), 'predict_class|resolve_model', 'only those that are read are');
select matches(pg_temp.plan_of('select id, class from work.sold order by probability desc limit 3'), 'Result.*predict_class.*Sort', 'and the class only of the rows that are left');
select is((select reloptions from pg_class where oid = 'work.sold'::regclass), '{security_invoker=true}', 'with the rights of whoever reads it');
select is((select reloptions from pg_class where oid = 'moods'::regclass), '{security_invoker=false}', 'or its owner''s');
set local search_path = pg_catalog;
select count(class) as answered from work.sold \gset
set local search_path = public, pg_temp;
select is(:answered, 400, 'under any search_path');
select throws_ok($$select mlops.create_prediction_view('a.b.c', 'sold', 'thing')$$, '42602', null, 'no name');
select throws_ok($$select mlops.create_prediction_view('other', 'sold', 'select id from thing')$$, '42703', null, 'columns that are lacking');
select throws_ok($$select mlops.create_prediction_view('other', 'sold', 'select * from (select id, small, ''a'' as whole, big, single, "double", amount, share, flag, day, at, zoned, took, colour, code, shade, key, x from thing) t')$$,
				 '42804', null, 'columns of other types');
select throws_ok($$select mlops.create_prediction_view('other', 'sold', 'thing', 'nothing')$$, '42703', null, 'an id that does not exist');
select throws_like($$select mlops.create_prediction_view('other', 'sold', 'select *, 1 as version from thing', 'version')$$, 'the id is a column "version"%', 'an id named like a column of the view');
select throws_ok($$select mlops.create_prediction_view('other', 'nobody', 'thing')$$, '42704', null, 'no model');
select throws_ok($$select mlops.create_prediction_view('grades', 'sold', 'thing')$$, '42P07', null, 'a name that is taken');
select mlops.create_prediction_view('columns', 'named', 'source_thing', 'id');
select results_eq($$select id, prediction from columns where id < 9 order by id$$,
				  $$select id, mlops.predict('named', t.*) from source_thing t where id < 9 order by id$$, 'a column may be named like the view''s own name for its source');
create role view_reader;
grant usage on schema work, mlops to view_reader;
grant select on work.sold to view_reader;
set local role view_reader;
select throws_ok($$select probability from work.sold$$, '42501', null, 'who reads it needs the source');
reset role;
grant select on thing to view_reader;
set local role view_reader;
select throws_ok($$select probability from work.sold$$, '42704', null, 'and the model');
reset role;
grant select on grades to view_reader;
insert into mlops.project_member (project_id, member, access) select project_id, 'view_reader'::regrole, 'predictor' from mlops.model where name = 'grade';
set local role view_reader;
select lives_ok($$select class from grades where id = 1$$, 'who has both is answered');
select mlops.create_project('mine');
select mlops.train('mine/grade', 'select i as whole, i % 2 as y from generate_series(1, 50) i', 'y', algorithm => 'baseline');
select mlops.deploy('mine/grade', 1);
select lives_ok($$select class from grades where id = 1$$, 'a model of the reader''s own with that name is not meant');
reset role;
select mlops.create_project('sales');
select mlops.train('sales/scored', 'thing', 'sold', algorithm => 'baseline', exclude => '{id,price,grade,mood}');
select mlops.deploy('sales/scored', 1);
select mlops.create_prediction_view('scored', 'sales/scored', 'thing', 'id');
update mlops.project set name = 'marketing' where name = 'sales';
select is((select count(class) from scored), 400::bigint, 'a project may be renamed');
select ok(bool_and(cost between 0.9 * direct and 1.1 * direct), 'the view costs what its predictions do')
  from (select (pg_temp.costs('select class, probability from work.sold')) as cost,
			   (pg_temp.costs($$select mlops.predict_class('sold', t), mlops.predict_proba('sold', t) from thing t$$)) as direct) costs;
create role mood_reader;
grant select on moods, scored to mood_reader;
grant usage on schema mlops to mood_reader;
insert into mlops.project_member (project_id, member, access) select project_id, 'mood_reader'::regrole, 'predictor' from mlops.model where name = 'mood';
set local role mood_reader;
select is((select count(class) from moods), 400::bigint, 'with its owner''s rights, who reads it needs none on the source');
select throws_ok('select class from scored', '42501', null, 'without them, he does');
select throws_ok('select * from thing', '42501', null, 'for he has none');
reset role;
delete from mlops.project_member where member = 'mood_reader'::regrole;
set local role mood_reader;
select throws_ok('select class from moods', '42704', null, 'the right to predict is the reader''s in any case');
reset role;
select * from finish();
rollback;
