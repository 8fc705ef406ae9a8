-- The same rows give the same model, bit for bit, however they lie, by however many threads, by whatever plan.
\ir include/begin.sql
create table flights as
	select n as id, n * 7919 % 1009 as distance, (n * 104729 % 997)::float4 / 7 as delay, case n % 11 when 0 then null else 'c' || n % 23 end as carrier,
		   n % 2 = 0 as night, (n * 7919 % 1009) * 0.3::float8 + n % 23 + (n * 104729 % 997) / 50.0 as cost, n * 31 % 3 as stops
	  from generate_series(1, 6000) n;
create table shuffled as select * from flights order by md5(id::text);
create table clustered (like flights);
insert into clustered select * from shuffled;
create index clustered_carrier on clustered (carrier, delay);
cluster clustered using clustered_carrier;
create table rewritten (like flights) with (fillfactor = 50);
insert into rewritten select * from flights;
update rewritten set cost = cost where id % 3 = 0;
update rewritten set night = night where id % 7 = 0;
create table split_up (like flights) partition by hash (id);
create table split_up_0 partition of split_up for values with (modulus 2, remainder 0);
create table split_up_1 partition of split_up for values with (modulus 2, remainder 1);
insert into split_up select * from flights order by id desc;
alter table split_up_0 set (parallel_workers = 2);
alter table split_up_1 set (parallel_workers = 2);
analyze;

-- The sha256 of a model of the source.
create function pg_temp.hash(source text, target text, algorithm text) returns bytea language plpgsql as $$
begin
	perform mlops.train('m', source, target, algorithm => algorithm, exclude => '{id}',
						params => case algorithm when 'gradient_boosting' then '{"n_estimators": 20, "subsample": 0.7, "colsample_bytree": 0.8}' when 'random_forest' then '{"n_estimators": 10}' when 'extra_trees' then '{"n_estimators": 10, "bootstrap": true}' else '{}' end::jsonb);
	return (select v.sha256 from mlops.model_version v order by v.version desc limit 1);
end
$$;

select plan(45);
select a.name, a.target, pg_temp.hash('flights', a.target, a.name) as hash
  into temporary expected
  from (values ('gradient_boosting', 'cost'), ('gradient_boosting', 'night'), ('gradient_boosting', 'stops'), ('linear_regression', 'cost'),
			   ('logistic_regression', 'night'), ('random_forest', 'cost'), ('random_forest', 'stops'), ('extra_trees', 'night'),
			   ('decision_tree', 'stops')) a (name, target);
select is(pg_temp.hash('shuffled', target, name), hash, format('shuffled: %s of %s', name, target)) from expected;
select is(pg_temp.hash('clustered', target, name), hash, format('clustered: %s of %s', name, target)) from expected;
select is(pg_temp.hash('rewritten', target, name), hash, format('updated in place: %s of %s', name, target)) from expected;
set local mlops.threads = 1;
select is(pg_temp.hash('shuffled', target, name), hash, format('one thread: %s of %s', name, target)) from expected;
reset mlops.threads;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
set local min_parallel_table_scan_size = 0;
select is(pg_temp.hash('split_up', target, name), hash, format('a parallel plan: %s of %s', name, target)) from expected;
select * from finish();
rollback;
