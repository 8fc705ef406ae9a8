-- Several calls for one row share a prediction, and never one of another row, model or statement.
\ir include/begin.sql
\ir include/trained.sql
select mlops.train('sold', 'thing', 'sold', exclude => '{id,price,grade,mood}');
create table twin as select t.* from thing t where id <= 40;
select plan(7);
select is_empty($$
	select t.id from twin t where (mlops.predict_proba('sold', t) > 0.5) <> (mlops.predict_class('sold', t) = 'true') or mlops.predict('sold', t) <> (mlops.predict_proba('sold', t) > 0.5)::int
$$, 'calls for one row agree');
select is_empty($$
	select t.id from twin t, twin o where o.id = t.id % 40 + 1 and (mlops.predict_proba('sold', t), mlops.predict_proba('sold', o), mlops.predict_proba('sold', t))
		is distinct from (mlops.predict_proba('sold', to_jsonb(t)), mlops.predict_proba('sold', to_jsonb(o)), mlops.predict_proba('sold', to_jsonb(t)))
$$, 'rows in turn are told apart');
select is_empty($$
	select t.id from twin t where (mlops.predict_proba('sold@1', t), mlops.predict_proba('sold@2', t), mlops.predict_proba('sold@1', t), mlops.predict_proba('sold@2', t))
		is distinct from (mlops.predict_proba('sold@1', to_jsonb(t)), mlops.predict_proba('sold@2', to_jsonb(t)), mlops.predict_proba('sold@1', to_jsonb(t)), mlops.predict_proba('sold@2', to_jsonb(t)))
$$, 'so are versions');
select is_empty($$
	select t.id from thing t join twin w using (id) where mlops.predict_class('mood', t) <> mlops.predict_class('mood', w) or mlops.predict_proba('mood', t) <> mlops.predict_proba('mood', w)
$$, 'and types of rows');
create type paint as enum ('a', 'bb');
create table house as select i as id, case when i % 2 = 0 then 'a' else 'bb' end::paint as code, i % 2 as y from generate_series(1, 100) i;
select mlops.train('house', 'house', 'y', 'decision_tree', features => '{code}', task => 'regression');
create function pg_temp.both() returns float8[] language sql as $$ select array[mlops.predict('house@1', h), mlops.predict('house@1', h)] from house h where id = 1 $$;
select is(pg_temp.both(), '{1,1}', 'twice the same');
alter type paint rename value 'bb' to 'x';
alter type paint rename value 'a' to 'bb';
alter type paint rename value 'x' to 'a';
select is(pg_temp.both(), '{0,0}', 'the next statement asks anew');
select is((select array_agg(distinct mlops.predict('house@1', h) + mlops.predict('house@1', h)) from house h), '{0,2}', 'for every row');
select * from finish();
rollback;
