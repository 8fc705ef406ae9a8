-- Arrays of numbers become a column an element; one length for all rows.
\ir include/begin.sql
\ir include/refusal.sql
create table measured as select n, array[n % 7, n % 5, n % 3]::int[] as vec, (n % 7) * 2 + (n % 5)::float8 as price from generate_series(1, 60) n;
create function pg_temp.features() returns text language sql as
	$$ select string_agg(s.name, ',' order by s.position) from mlops.model_signature s
		where s.version = (select max(version) from mlops.model_version) and s.role = 'feature' $$;

select plan(14);
select lives_ok($$select mlops.train('m', 'measured', 'price', algorithm => 'linear_regression', features => '{vec}')$$, 'an array');
select is(pg_temp.features(), 'vec[1],vec[2],vec[3]', 'a column an element');
select cmp_ok((select value from mlops.evaluate('m@1') where metric = 'rmse'), '<', 1e-9::float8, 'each is learned from');
select cmp_ok((select value from mlops.evaluate('m@1', 'measured') where metric = 'rmse'), '<', 1e-9::float8, 'and evaluated');
select lives_ok($$select mlops.train('m', 'select case when n > 20 then vec end as vec, case n when 1 then null else n end as n, price from measured order by n', 'price')$$,
				'NULL arrays before the first value');
select is((select string_agg(c ->> 'missing', ',') from (select columns from mlops.snapshot order by id desc limit 1) s, jsonb_array_elements(s.columns) c),
		  '20,20,20,1,0', 'are missing in each element, and no row is lost');
select lives_ok($$select mlops.train('m', 'select null::float8[] as vec, n, price from measured', 'price')$$, 'an array without any value');
select is(pg_temp.features(), 'n', 'is left out');
select matches(pg_temp.refusal($$select mlops.train('m', 'select null::float8[] as vec, n, price from measured', 'price', features => '{vec,n}')$$),
			   '^22000 .*"vec".*NULL', 'or refused where it was listed');
select matches(pg_temp.refusal($$select mlops.train('m', 'select case n when 50 then array[1] else vec end as vec, price from measured', 'price')$$),
			   '^22000 .*"vec".*different lengths.*1 elements where 3', 'another length');
select matches(pg_temp.refusal($$select mlops.train('m', 'select ''{}''::int[] as vec, price from measured', 'price')$$), '^22000 .*"vec".*empty', 'no elements');
select matches(pg_temp.refusal($$select mlops.train('m', 'select array[[1, 2], [3, 4]] as vec, price from measured', 'price')$$),
			   '^22000 .*"vec".*2 dimensions', 'two dimensions');
select lives_ok($$select mlops.train('m', 'select array[n, null, 1.5]::numeric[] as vec, price from measured', 'price')$$, 'NULL elements');
select matches(pg_temp.refusal($$select mlops.train('m', 'select null::float8[] as vec, price from measured', 'price')$$), '^22000 .*no feature', 'nothing but such an array');
select * from finish();
rollback;
