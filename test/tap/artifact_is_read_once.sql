-- A model as a value is read from its table, and validated, once a query, not once a row.
\ir include/begin.sql
create table thing as select n as id, n % 97 as a, n * 31 % 89 as b, (n % 97) * 2 + n * 31 % 89 + n * 7919 % 101 as price from generate_series(1, 3000) n;
select version from mlops.train('price', 'thing', 'price', 'random_forest', exclude => '{id}', params => '{"n_estimators": 20}');
create table shelf as select mlops.export_model('price@1') as model;
create function pg_temp.buffers(query text) returns bigint language plpgsql as $$
declare plan jsonb;
begin
	execute 'explain (analyze, buffers, timing off, format json) ' || query into plan;
	return (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
end $$;
select plan(6);
select (pg_table_size('shelf') / current_setting('block_size')::bigint)::bigint as pages, pg_temp.buffers('select count(*) from thing') as scan \gset
select cmp_ok(:pages::bigint, '>', 30::bigint, 'a model of many pages');
select cmp_ok(pg_temp.buffers('select sum(mlops.predict(s.model, t)) from shelf s, thing t'), '<', (:scan + 3 * :pages)::bigint, 'a column');
select cmp_ok(pg_temp.buffers('select sum(mlops.predict((select model from shelf), t)) from thing t'), '<', (:scan + 3 * :pages)::bigint, 'a sub-select');
select cmp_ok(pg_temp.buffers('select count(*) from thing t, lateral (select mlops.predict(s.model, t) as p from shelf s) q where q.p > 100'), '<', (2 * :scan + 3000 + 3 * :pages)::bigint,
			  'a lateral one, which reads the row that points to it again and again');
create function pg_temp.by_variable() returns float8 language plpgsql as $$
declare
	kept mlops.artifact := (select model from shelf);
	one thing;
	total float8 := 0;
begin
	for one in select * from thing order by id limit 300 loop
		total := total + mlops.predict(kept, one);
	end loop;
	return total;
end $$;
select cmp_ok(pg_temp.buffers('select pg_temp.by_variable()'), '<', (2 * :scan + 6 * :pages + 300)::bigint, 'a variable');
select is(pg_temp.by_variable()::numeric(12, 3), (select sum(mlops.predict('price@1', t))::numeric(12, 3) from thing t where id <= 300), 'and its answer');
select * from finish();
rollback;
