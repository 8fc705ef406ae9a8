-- Rows in time, and a model that learned from January: trade(at, region, amount, kind, units, score, due).
-- February is like January, but for: the 10th (amount is twice as much), the 11th (a third of the units is missing, kind has a new value),
-- the 12th (amounts below any before), the 13th (each row twice), the 14th (nothing after 6 o'clock), the 15th (no rows).
set local timezone = 'UTC';
create function pg_temp.uniform(i bigint, seed bigint) returns float8 language sql immutable as
	$$ select ((hashint8extended(i, seed) & 1048575) + 0.5) / 1048576 $$;
create function pg_temp.normal(i bigint, seed bigint) returns float8 language sql immutable as
	$$ select sqrt(-2 * ln(pg_temp.uniform(i, seed))) * cos(2 * pi() * pg_temp.uniform(i, seed + 1000)) $$;
create table trade as
select t.at, case when pg_temp.uniform(t.i, 1) < 0.4 then 'north' else 'south' end as region,
	   (100 + 10 * pg_temp.normal(t.i, 2)) * case when t.at::date = '2024-02-10' then 2 else 1 end
		   - case when t.at::date = '2024-02-12' and t.i % 5 = 0 then 1000 else 0 end as amount,
	   case when t.at::date = '2024-02-11' and t.i % 10 = 0 then 'swap' when pg_temp.uniform(t.i, 3) < 0.7 then 'buy' else 'sell' end as kind,
	   case when t.at::date = '2024-02-11' and t.i % 3 = 0 then null else floor(20 * pg_temp.uniform(t.i, 4))::integer end as units,
	   pg_temp.normal(t.i, 5) as score, pg_temp.uniform(t.i, 6) < 0.3 as due
  from (select i, timestamptz '2024-01-01' + i * interval '2 minutes' as at from generate_series(0, 45 * 720 - 1) i) t
 where t.at::date <> '2024-02-15' and (t.at::date <> '2024-02-14' or t.at < '2024-02-14 06:00');
insert into trade select * from trade t where t.at::date = '2024-02-13';
update trade set score = score + amount / 10 + units;
select from mlops.train('risk', $$select * from trade where at < '2024-02-01'$$, 'score', 'linear_regression', exclude => '{at,due}');

-- What a version learned from, where training did not freeze it.
insert into mlops.reference_profile (model_id, version, role, name, segment, rows, profile)
select m.id, 1, p.role, p.name, p.segment, p.rows, p.profile
  from mlops.model m,
	   (select 'feature' as role, 'amount' as name, '' as segment, count(*) as rows, mlops.profile(amount) as profile from trade where at < '2024-02-01'
		union all select 'feature', 'units', '', count(*), mlops.profile(units) from trade where at < '2024-02-01'
		union all select 'feature', 'kind', '', count(*), mlops.profile(kind) from trade where at < '2024-02-01'
		union all select 'feature', 'region', '', count(*), mlops.profile(region) from trade where at < '2024-02-01'
		union all select 'feature', 'amount', 'region=' || region, count(*), mlops.profile(amount) from trade where at < '2024-02-01' group by region
		union all select 'feature', 'units', 'region=' || region, count(*), mlops.profile(units) from trade where at < '2024-02-01' group by region
		union all select 'feature', 'kind', 'region=' || region, count(*), mlops.profile(kind) from trade where at < '2024-02-01' group by region
		union all select 'prediction', 'prediction', '', count(*), mlops.profile(mlops.predict('risk@1', t)) from trade t where at < '2024-02-01') p
 where m.name = 'risk'
	on conflict do nothing;
