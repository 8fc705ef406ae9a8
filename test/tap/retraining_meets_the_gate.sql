-- What is retrained and better goes live where the policy lets it; else it is kept, and says what it waits for.
\ir include/begin.sql
create role anna;
create table house as select n as id, n % 37 as rooms, (n * 7919 % 101) as noise, (n % 37) * 10.0 + n * 7919 % 5 as price from generate_series(1, 600) n;
grant select on house to anna;
set local role anna;
select mlops.create_project('homes');
select set_config('search_path', 'public', true);
select version from mlops.train('price', 'house', 'price', 'baseline', exclude => '{id}', project => 'homes');
select mlops.deploy('price');
select version from mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id}');
select plan(7);
select mlops.set_policy('homes', '{"approvals": {"reviewer": 1}}');
create temporary table made as select * from mlops.retrain('price', deploy => 'always');
select is((select deployed from made), false, 'a version that nobody approved does not go live by itself');
select is((select comparison ->> 'held_back' from made), 'approvals by reviewer: 0 of 1; approved by nobody', 'and why');
select is((select version from made), 3, 'but it is there');
select results_eq('select challenger, deployed from mlops.comparison', 'values (3, false)', 'and so is the comparison');
select is(mlops.deployed_at('price', clock_timestamp()), 1, 'what is live stays live');
select mlops.set_policy('homes', '{"checks": {"trained here": "origin = ''measured''"}}');
select is((select deployed from mlops.retrain('price', deploy => 'always')), true, 'where the policy holds');
select is(mlops.deployed_at('price', clock_timestamp()), 4, 'it goes live');
reset role;
select * from finish();
rollback;
