-- describe() tells of each column of a table, view or query, as far as the caller may read it.
\ir include/begin.sql
select plan(13);
create table thing as
select i as id, case when i % 4 <> 0 then i % 10 end as score, (array['red', 'green', 'red'])[1 + i % 3] as colour, date '2024-01-01' + i as day, i % 2 = 0 as even,
	   array[i] as list from generate_series(1, 100) i;
create temp table told as select * from mlops.describe('thing');
select is(array_agg(name || ' ' || type), '{id integer,score integer,colour text,day date,even boolean,list integer[]}', 'columns in their order') from told;
select is(array[rows::text, null_share::text, distinct_values::text, min, q25, median, q75, max, mean], '{100,0,100,1,25.75,50.5,75.25,100,50.5}', 'a number') from told where name = 'id';
select is(round(sd::numeric, 6), 29.011492, 'its deviation') from told where name = 'id';
select is(null_share, .25::float8, 'NULLs') from told where name = 'score';
select is(top, 'red 66, green 34', 'frequent values') from told where name = 'colour';
select is(histogram, '█▅', 'bars') from told where name = 'colour';
select is(array[min, median, max], '{2024-01-02,2024-02-20,2024-04-10}', 'dates') from told where name = 'day';
select is(array[min, max, mean], '{false,true,0.5}', 'booleans') from told where name = 'even';
select is(row(rows, null_share, distinct_values, profile::text)::text, '(100,0,,)', 'what cannot be profiled is counted') from told where name = 'list';
select is(mlops.psi(t.profile, (select mlops.profile(colour) from thing)), 0::float8, 'the profile comes with it') from told t where name = 'colour';
select is((select rows from mlops.describe('select id from thing where id > 1000')), 0::bigint, 'no rows');
create role describe_stranger;
set local role describe_stranger;
select throws_ok($$select * from mlops.describe('public.thing')$$, '42501', 'permission denied for table thing');
reset role;
alter table thing enable row level security;
create policy few on thing using (id <= 10);
grant select on thing to describe_stranger;
grant usage on schema public to describe_stranger;
set local role describe_stranger;
select is(rows, 10::bigint, 'row security holds') from mlops.describe('public.thing') where name = 'id';
select * from finish();
rollback;
