-- A source is the name of anything that can be selected from, or one SELECT.
\ir include/begin.sql
create schema "odd Place";
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 40) n;
create table "odd Place"."My House" as select area as "The Area", price from house;
create table "odd Place".inner_house as select * from house;
create view priced as select price, area from house;
create materialized view kept as select * from house;
create table parted (area int, price float8) partition by range (area);
create table parted_low partition of parted for values from (minvalue) to (50);
create table parted_high partition of parted for values from (50) to (maxvalue);
insert into parted select * from house;
create temporary table fleeting as select * from house;

-- The names of the columns learned from, or the error.
create function pg_temp.learned(source text) returns text language plpgsql as $$
begin
	perform mlops.train('m', source, 'price', algorithm => 'linear_regression');
	return (select string_agg(s.name, ',' order by s.position) from mlops.model_signature s
			 where s.version = (select max(version) from mlops.model_version) and s.role = 'feature');
exception when others then
	return sqlerrm;
end
$$;

select plan(19);
select is(pg_temp.learned('house'), 'area', 'a table');
select is(pg_temp.learned('  HOUSE '), 'area', 'folded to lower case, as in SQL');
select is(pg_temp.learned('public.house'), 'area', 'with its schema');
select is(pg_temp.learned('"odd Place"."My House"'), 'The Area', 'quoted names');
select is(pg_temp.learned('"odd Place" . inner_house'), 'area', 'half quoted');
select is(pg_temp.learned('priced'), 'area', 'a view');
select is(pg_temp.learned('kept'), 'area', 'a materialized view');
select is(pg_temp.learned('parted'), 'area', 'a partitioned table');
select is(pg_temp.learned('fleeting'), 'area', 'a temporary table');
set local search_path = "odd Place", public;
select is(pg_temp.learned('inner_house'), 'area', 'by the search_path');
select is(pg_temp.learned('select price, "The Area" from "My House"'), 'The Area', 'names in a SELECT, too');
select matches((select query from mlops.snapshot order by id desc limit 1), 'FROM "odd Place"\."My House"', 'the snapshot keeps them qualified');
select is((select settings ->> 'search_path' from mlops.snapshot order by id desc limit 1), '"odd Place", public', 'and the search_path');
reset search_path;
select is(pg_temp.learned('select price, area * 2 as twice, area from house where area > 3;  -- end'), 'twice,area', 'a SELECT, with a semicolon and a comment');
select is(pg_temp.learned('with h as (select * from house) select * from h'), 'area', 'WITH');
select is(pg_temp.learned('table house'), 'area', 'TABLE');
select is(pg_temp.learned('select * from (values (1.0, 2), (2.0, 3), (3.0, 5), (4.0, 6)) v (price, area)'), 'area', 'VALUES');
select is(pg_temp.learned('select area, price from house union all select area, price from house order by 1 limit 50'), 'area', 'a set operation');
select is(pg_temp.learned('(select area, price from house)'), 'area', 'in parentheses');
select * from finish();
rollback;
