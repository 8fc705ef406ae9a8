-- train() without a project: the caller's own, made at first use, seen by nobody else, found by its owner and never by its name.
\ir include/begin.sql
create role "anna@home";
create role sten_stranger;
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5 as price from generate_series(1, 60) n;
grant select on house to "anna@home", sten_stranger;
grant usage on schema public to "anna@home", sten_stranger;
select plan(10);

-- a role's name may be what no project's may
set local role sten_stranger;
select mlops.create_project('anna');
set local role "anna@home";
select is((select count(*) from mlops.project), 0::bigint, 'none at first');
select lives_ok($$select mlops.train('price', 'house', 'price', algorithm => 'baseline')$$, 'train() without a project');
select lives_ok($$select mlops.train('price', 'house', 'price', algorithm => 'baseline')$$, 'a second time');
select results_eq($$select owner_name, is_personal from mlops.project$$, $$values ('anna@home', true)$$, 'makes one, once, and it is the caller''s');
select results_eq($$select m.name, m.last_version from mlops.model m$$, $$values ('price', 2)$$, 'both versions are in it');
select results_eq($$select member::text, access from mlops.project_member$$, $$values ('"anna@home"', 'owner')$$, 'whose only member is its owner');

set local role sten_stranger;
select is((select count(*) from mlops.model), 0::bigint, 'nobody else sees it');
select throws_ok($$select mlops.predict('price@1', h) from house h$$, '42704', null, 'or predicts with it');
select lives_ok($$select mlops.train('price', 'house', 'price', algorithm => 'baseline')$$, 'another role''s model of the same name');
select results_eq($$select p.owner_name, m.last_version from mlops.model m join mlops.project p on p.id = m.project_id$$, $$values ('sten_stranger', 1)$$,
				  'is in a project of its own');
reset role;
select * from finish();
rollback;
