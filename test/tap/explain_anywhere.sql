-- explain() stands wherever a function that returns rows may, and follows deployments from statement to statement.
\ir include/begin.sql
\ir include/trained.sql
create function pg_temp.plan_of(statement text) returns setof text language plpgsql as
	$$ begin return query execute 'explain (costs off) ' || statement; end $$;
do $$
begin
	perform mlops.train('trees', 'thing', 'price', exclude => '{id,sold,grade,mood}', params => '{"n_estimators": 10}'),
			mlops.train('trees', 'thing', 'price', exclude => '{id,sold,grade,mood}', params => '{"n_estimators": 5}');
	perform mlops.deploy('trees', 1);
end
$$;
select plan(11);
create view why as select t.id, e.* from thing t, lateral mlops.explain('trees', t) e;
select is((select round(sum(contribution)::numeric, 6) from why), (select round(sum(mlops.predict('trees', t))::numeric, 6) from thing t), 'a view');
select is((select count(*) from (select mlops.explain('trees', t) from thing t) s), (select count(*) from why), 'a select list');
select is((select feature from why where id = 5 and feature <> '(base value)' order by abs(contribution) desc limit 1),
		  (select feature from mlops.explain('trees', (select t from thing t where id = 5), 1) limit 1), 'ORDER BY');
select is((select count(distinct model) from unnest('{trees@1,trees@2,price,sold}'::text[]) model, thing t, lateral mlops.explain(model, t) e where t.id <= 50), 4::bigint, 'several models at one place');
create function pg_temp.base() returns float8 language plpgsql as $$
begin
	return (select contribution from mlops.explain('trees', (select t from thing t where id = 1)) where feature = '(base value)');
end $$;
create temporary table before as select pg_temp.base() as base, mlops.explain_text('trees', t) as text from thing t where id = 1;
select mlops.deploy('trees', 2);
select isnt(pg_temp.base(), (select base from before), 'a deployment is seen by the next statement of a function');
select is(pg_temp.base(), (select contribution from mlops.explain('trees@2', (select t from thing t where id = 1)) where feature = '(base value)'), 'as the version that it is');
select mlops.rollback('trees');
select is(pg_temp.base(), (select base from before), 'a rollback, too');

set local min_parallel_table_scan_size = 0;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
select set_config(name, 'off', true) from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query');
set local parallel_leader_participation = off;
create table many as select t.* from thing t, generate_series(1, 5);
analyze many;
alter table many set (parallel_workers = 2);
select ok(exists (select from pg_temp.plan_of($$select sum(e.contribution) from many m, lateral mlops.explain('trees', m) e$$) p where p ~ 'Partial Aggregate'), 'a parallel plan');
select is((select round(sum(e.contribution)::numeric, 5) from many m, lateral mlops.explain('trees', m) e), (select round(sum(mlops.predict('trees', m))::numeric, 5) from many m), 'and its sum');
declare c cursor for select t.id, e.feature from thing t, lateral mlops.explain('trees', t) e;
move 10 in c;
select isnt_empty('fetch 2 from c', 'a cursor');
set transaction read only;
select is((select count(*) from why), (select 400 * count(*) from mlops.explain('trees', (select t from thing t where id = 1))), 'a read-only transaction');
select * from finish();
rollback;
