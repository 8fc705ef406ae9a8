-- However a row lies in memory, its features are the same: as jsonb, as a row, alone or in a batch, by all kernels.
\ir include/begin.sql
create function pg_temp.wrong(model text, source regclass) returns bigint language plpgsql as $$
declare n bigint;
begin
	execute format('select count(*) from %1$s t join mlops.predict_batch(%2$L, %3$L, ''id'') b on b.id = t.id::text
					 where mlops.predict(%2$L, t) is distinct from mlops.predict(%2$L, to_jsonb(t)) or b.prediction is distinct from mlops.predict(%2$L, t)',
				   source, model, source) into n;
	return n;
end $$;
create table shape as
select i as id, (i * 7 % 23)::real as a, (i * 3 % 17)::smallint as b, i * 37 % 101 as c, (i * 11 % 17)::float8 / 3 as d, i::bigint * 5 % 13 as e,
	   i % 3 = 0 as f, (i * 13 % 97 / 4.0)::numeric as g, (array['red', 'green', 'blue'])[i % 7 % 3 + 1] as h, (i * 29 % 50) * interval '1 hour' as j,
	   (i * 31 % 7)::real as k, (i * 7 % 23) + (i % 3) * 5 + (i * 37 % 101) / 10.0 + case when i % 7 % 3 = 1 then 4 else 0 end as y
  from generate_series(1, 600) i;
do $$
begin
	perform mlops.train('tree', 'shape', 'y', exclude => '{id}');
	perform mlops.train('tree', 'shape', 'y', 'random_forest', exclude => '{id}', params => '{"n_estimators": 20}');
	perform mlops.train('tree', 'shape', 'y', exclude => '{id}', params => '{"max_depth": 12, "n_estimators": 20}');
	perform mlops.train('tree', 'shape', 'y', exclude => '{id}', preprocess => '{"*": {"missing": "mean", "scaling": "standard"}, "h": {"encoding": "onehot", "missing": "most_frequent", "scaling": "none"}, "f": {"missing": "most_frequent"}, "j": {"missing": "median"}}');
	perform mlops.train('tree', 'shape', 'y', exclude => '{id}', features => '{a,c,d,k}');
	perform mlops.train('tree', 'shape', 'y', 'linear_regression', exclude => '{id}');
end $$;
create table holes as select * from shape;
do $$
declare name text;
begin
	foreach name in array string_to_array('a b c d e f g h j k', ' ') loop
		execute format('update holes set %1$I = null where (id * 7919 + ascii(%1$L) * 31) %% 10 < 2', name);
	end loop;
end $$;
create table turned as select h, k, y, j, g, f, e, null::text as nothing, d, c, b, a, id from holes;
create table dropped as select 1::bigint as gone, h as going, s.* from shape s;
alter table dropped drop gone, drop going;
create table added as select id, a, b, c, d, e, f, g, h, j, y from shape;
alter table added add k real default 3.5;
create view seen as select * from holes where id % 2 = 0;
create table "wide" as select s.*, repeat('x', 50000) as large from shape s where id < 50;
update "wide" set h = repeat('unknown', 20000) where id < 10;
select plan(42);
select is(pg_temp.wrong('tree@' || v, source::regclass), 0::bigint, format('%s, version %s', source, v))
  from generate_series(1, 6) v, unnest('{shape,holes,turned,dropped,added,seen,wide}'::text[]) source;
select * from finish();
rollback;
