-- What a training freezes of its columns is what SQL says of the table: every cell of every profile, and every slice.
\ir include/begin.sql
set client_min_messages = error;
create type size as enum ('small', 'medium', 'large');
create table visit as
select i, (i * 7919 % 997) / 10.0::float8 as score, (i % 90)::smallint as age, (i % 1000 / 7.0)::real as weight,
	   case when i % 10 = 0 then null when i % 37 = 0 then 'NaN' else sqrt(i) end::float8 as sparse, i % 3 = 0 as urgent,
	   (array['north', 'south', 'west'])[1 + i % 3] as region, (array['small', 'large'])[1 + i % 2]::size as size,
	   case when i % 5 > 0 then 0 else ln(i) end as mostly_zero, date '2024-01-01' + i / 24 as day, (i % 4)::numeric as visits,
	   timestamptz '2024-02-01 00:30:00+00' + i * interval '37 minutes' as at, array[i, -i]::int[] as pair,
	   i % 50 + i % 7 as cost
  from generate_series(1, 6000) i;
create table target_missing as select score, region, nullif(cost, 3) as cost from visit;

create function pg_temp.same(name text, frozen mlops.distribution, counted mlops.distribution) returns setof text language plpgsql as $$
begin
	return next is(mlops.cell_counts(counted, frozen), mlops.cell_counts(counted, counted), name || ': the cells');
	return next is(mlops.cell_counts(frozen, counted), mlops.cell_counts(frozen, frozen), name || ': cells of its own');
	return next is(frozen::jsonb - '{mean,sd}'::text[], counted::jsonb - '{mean,sd}'::text[], name || ': all that is said, quantiles and frequent values');
	return next ok(counted::jsonb ->> 'kind' = 'category' or coalesce(mlops.mean_shift(counted, frozen) between -1e-9 and 1e-9, false), name || ': the mean');
end
$$;

select no_plan();
select version from mlops.train('cost', 'visit', 'cost', algorithm => 'linear_regression', split => '{"time": "at"}');
create temp view frozen as
select p.* from mlops.reference_profile p join mlops.model m on m.id = p.model_id where m.name = 'cost';
select set_eq('select role, name from frozen', $$
	select 'feature', unnest(array['i', 'score', 'age', 'weight', 'sparse', 'urgent', 'region', 'size', 'mostly_zero', 'day', 'visits', 'pair[1]', 'pair[2]'])
	union all select 'target', 'cost' union all select 'prediction', 'prediction'
$$, 'each column has a profile, the time that the split goes by has none');
select is_empty($$select name from frozen where role <> 'prediction' and rows <> 6000$$, 'of all rows that were used, in whichever part');
select pg_temp.same(name, (select f.profile from frozen f where f.name = c.name), c.profile)
  from (select (mlops.describe('select i, score, age, weight, sparse, urgent, region, size, mostly_zero, day, visits, cost from visit')).*) c;
select pg_temp.same('pair[2]', (select f.profile from frozen f where f.name = 'pair[2]'), (select mlops.profile(pair[2]) from visit));
select is((select profile::jsonb from frozen where name = 'sparse') ->> 'nulls', '600', 'NULL is no NaN');
select is((select profile::jsonb from frozen where name = 'sparse') ->> 'nan', (select count(*)::text from visit where sparse = 'NaN'), 'and NaN is no NULL');

-- Slices.
create temp view slice as select s.* from mlops.reference_slice s join mlops.model m on m.id = s.model_id where m.name = 'cost';
select results_eq($$select distinct upper(period) - lower(period) from slice$$, $$values (interval '1 day')$$, 'slices are as narrow as 400 allow: days');
select is_empty($$select period from slice where date_trunc('day', lower(period), 'UTC') <> lower(period)$$, 'days of UTC');
select results_eq($$select sum(rows)::bigint from slice where role <> 'prediction' group by role, name having sum(rows) <> 6000$$, $$select 1::bigint where false$$, 'they cover all rows');
select is_empty($$
	select s.name, s.period from slice s join frozen f using (role, name),
		   lateral (select mlops.profile(v.score) as score, mlops.profile(v.age) as age, mlops.profile(v.region) as region, mlops.profile(v.sparse) as sparse,
						   mlops.profile(v.mostly_zero) as mostly_zero, mlops.profile(v.cost) as cost
					  from visit v where v.at <@ s.period) w
	 where s.name in ('score', 'age', 'region', 'sparse', 'mostly_zero', 'cost')
	   and s.counts <> mlops.cell_counts(f.profile, case s.name when 'score' then w.score when 'age' then w.age when 'region' then w.region
															   when 'sparse' then w.sparse when 'mostly_zero' then w.mostly_zero else w.cost end)
$$, 'each slice''s counts are those of its rows');
select is_empty($$
	select s.name from frozen f join lateral (select s.name, array_agg(s.total order by s.place) as total
												from (select s.name, c.place, sum(c.count)::bigint as total
														from slice s, unnest(s.counts) with ordinality c (count, place)
													   where s.role = f.role and s.name = f.name group by s.name, c.place) s group by s.name) s on true
	 where s.total <> mlops.cell_counts(f.profile, f.profile)
$$, 'and add up to the profile');
select isnt_empty($$select from slice where role = 'prediction'$$, 'held-out answers have slices, too');
select is((select sum(s.rows)::bigint from slice s where s.role = 'prediction'), (select r.rows_test from mlops.run r), 'of all held-out rows');

-- Rows without a target were not used.
select version from mlops.train('some', 'target_missing', 'cost', algorithm => 'linear_regression');
select is_empty($$select p.name from mlops.reference_profile p join mlops.model m on m.id = p.model_id
				   where m.name = 'some' and role <> 'prediction' and rows <> (select count(cost) from target_missing)$$, 'rows that were dropped are not counted');
select pg_temp.same('score', (select p.profile from mlops.reference_profile p join mlops.model m on m.id = p.model_id where m.name = 'some' and p.name = 'score'),
					(select mlops.profile(score) from target_missing where cost is not null));
select pg_temp.same('region', (select p.profile from mlops.reference_profile p join mlops.model m on m.id = p.model_id where m.name = 'some' and p.name = 'region'),
					(select mlops.profile(region) from target_missing where cost is not null));
select is_empty($$select from mlops.reference_slice s join mlops.model m on m.id = s.model_id where m.name = 'some'$$, 'without a split by time there are no slices');

-- Where there is nothing to freeze, or nobody who could.
select mlops.import_model('import', mlops.export_model('cost@1'));
select is_empty($$select from mlops.reference_profile p join mlops.model m on m.id = p.model_id where m.name = 'import'$$, 'an imported version has no reference');
select mlops.drop_model('cost');
select is_empty('select from frozen', 'a reference goes with its version');
select * from finish();
rollback;
