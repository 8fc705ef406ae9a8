-- A source shows what the caller may see: privileges and row security are those of the caller.
\ir include/begin.sql
\ir include/refusal.sql
create role ann;
create role bob;
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price, case when n % 2 = 0 then 'ann' else 'bob' end as owner
  from generate_series(1, 100) n;
grant usage on schema public to ann, bob;
grant select on house to ann;
grant select (area, price) on house to bob;
create view all_houses as select * from house;
grant select on all_houses to bob;
create role carl;
grant usage on schema public to carl;

select plan(11);
set local role carl;
select matches(pg_temp.refusal($$select mlops.train('m', 'house', 'price')$$), '^42501 .*house', 'no privilege on the table');
set local role bob;
select matches(pg_temp.refusal($$select mlops.train('m', 'house', 'price')$$), '^42501 .*house', 'not on all columns');
select lives_ok($$select mlops.train('m', 'select area, price from house', 'price')$$, 'on those that are used');
select lives_ok($$select mlops.train('m', 'all_houses', 'price')$$, 'a view has its owner''s');
reset role;
select is((select row_security_applied from mlops.snapshot order by id desc limit 1), false, 'no row security so far');

alter table house enable row level security;
create policy own on house using (owner = current_user);
set local role ann;
select lives_ok($$select mlops.train('mine', 'house', 'price', exclude => '{owner}')$$, 'with row security');
reset role;
select is((select row_count from mlops.snapshot order by id desc limit 1), 50::bigint, 'only the caller''s rows count');
select is((select row_security_applied from mlops.snapshot order by id desc limit 1), true, 'and the snapshot says so');
select is((select role_name from mlops.snapshot order by id desc limit 1), 'ann', 'and who it was');
grant select on house to carl;
set local role carl;
select matches(pg_temp.refusal($$select mlops.train('m', 'house', 'price')$$), '^22000 .*no rows.*Row security', 'row security that hides all rows');
reset role;
select mlops.train('all', 'house', 'price');
select is((select row_security_applied from mlops.snapshot order by id desc limit 1), false, 'it does not apply to who bypasses it');
select * from finish();
rollback;
