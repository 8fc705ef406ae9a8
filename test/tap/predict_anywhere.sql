-- predict() stands wherever an expression may: in WHERE and ORDER BY, views, generated columns, indexes, read-only transactions, parallel plans.
\ir include/begin.sql
\ir include/trained.sql
create function pg_temp.plan_of(statement text) returns setof text language plpgsql as
	$$ begin return query execute 'explain (costs off) ' || statement; end $$;
select plan(17);
create view priced as select id, mlops.predict('price', t) as price from thing t;
select is((select count(*) from priced where price is not null), 400::bigint, 'a view');
create materialized view kept as select id, mlops.predict('price', t) as price from thing t;
select bag_eq('select * from kept', 'select * from priced', 'a materialized view');
select ok((select bool_and(mlops.predict('price', t) > 60) from thing t where mlops.predict('price', t) > 60), 'WHERE');
select ok((select bool_and(price >= next) from (select price, lead(price) over () as next from (select price from priced order by price desc) s) w where next is not null), 'ORDER BY');
select is((select sum(n) from (select mlops.predict_class('mood', t) as class, count(*) as n from thing t group by 1) g), 400::numeric, 'GROUP BY');
select is((select max(mlops.predict('price', t)) from thing t), (select max(price) from priced), 'an aggregate');
select is((select count(*) from thing a left join thing b on b.id = a.id and b.id < 10 where mlops.predict('price', b) is null), 391::bigint, 'rows that a join lacks');

create type pair as (whole int, small smallint);
select mlops.train('two', 'thing', 'price', 'linear_regression', features => '{whole,small}');
select format('create table quote (whole int, small smallint, price float8 generated always as (mlops.predict(%L::mlops.artifact, row(whole, small)::pair)) stored)',
			  mlops.export_model('two@1')) as statement \gset
:statement;
insert into quote select whole, small from thing;
create index quote_price on quote (price);
select is_empty($$select from quote q where price is distinct from mlops.predict('two@1', q)$$, 'a generated column');
update quote set whole = whole + 1;
select is_empty($$select from quote q where price is distinct from mlops.predict('two@1', q)$$, 'kept by an update');
set local enable_seqscan = off;
select ok(exists (select from pg_temp.plan_of('select from quote where price > 70') p where p ~ 'Index'), 'with an index');
reset enable_seqscan;
select throws_ok($$create table wrong (t int, price float8 generated always as (mlops.predict('two@1', row(t, t)::pair)) stored)$$, '42P17', null,
				 'not with a reference, whose meaning may change');

set local min_parallel_table_scan_size = 0;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
select set_config(name, 'off', true) from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query');
create table many as select t.* from thing t, generate_series(1, 5);
analyze many;
alter table many set (parallel_workers = 2);
select ok(exists (select from pg_temp.plan_of('select sum(mlops.predict(''price'', m)) from many m') p where p ~ 'Partial Aggregate'), 'a parallel plan');
select set_config('parallel_leader_participation', 'off', true);
select is((select round(sum(mlops.predict('price', m))::numeric, 6) from many m), (select round(sum(price)::numeric * 5, 6) from priced), 'and its answer');
select is((select round(sum(mlops.predict_proba('mood', m))::numeric, 6) from many m), (select round(sum(mlops.predict_proba('mood', t))::numeric * 5, 6) from thing t),
		  'of a model that this connection has not met');
declare c cursor for select id, mlops.predict('price', t) from thing t order by id;
move 10 in c;
select results_eq('fetch 2 from c', 'select * from priced where id in (11, 12) order by id', 'a cursor');
set transaction read only;
select is((select count(*) from priced where price is not null), 400::bigint, 'a read-only transaction');
select is((select count(*) from thing t where mlops.predict_all('grade', to_jsonb(t)) is not null), 400::bigint, 'and a model loaded in one');
select * from finish();
rollback;
