-- An explanation takes what a prediction takes: the access, and of a source the caller's own rights.
\ir include/begin.sql
\ir include/refusal.sql
create table shop as select i as id, i % 10 as big, i * 7 % 19 as small, (i % 10) * 3.0 + (i * 7 % 19) as price, case when i % 2 = 0 then 'paul' else 'else' end as owner
  from generate_series(1, 500) i;
create role paul;
create role vera;
create role sten;
grant usage on schema public to public;
select mlops.create_project('work');
select mlops.grant_access('work', 'paul', 'predictor');
select mlops.grant_access('work', 'vera', 'viewer');
select mlops.train('price', 'shop', 'price', features => '{big,small}', project => 'work');
select mlops.deploy('price', 1);
create temporary table call (name text, statement text);
insert into call values
	('explain', $$select * from mlops.explain('price', '{"big": 1, "small": 1}'::jsonb)$$),
	('explain_interactions', $$select * from mlops.explain_interactions('price', '{"big": 1, "small": 1}'::jsonb)$$),
	('explain_text', $$select mlops.explain_text('price', '{"big": 1, "small": 1}'::jsonb)$$),
	('what_if', $$select * from mlops.what_if('price', '{"big": 1, "small": 1}'::jsonb, '{"big": 2}')$$),
	('explain_batch', $$select * from mlops.explain_batch('price', 'select 1 as big, 2 as small')$$),
	('partial_dependence', $$select * from mlops.partial_dependence('price', 'select 1 as big, 2 as small', 'big')$$),
	('ice', $$select * from mlops.ice('price', 'select 1 as big, 2 as small', 'big')$$);
grant select on call to public;
select plan(27);
set local role paul;
select is(pg_temp.refusal(statement), 'accepted', 'a predictor: ' || name) from call;
set local role vera;
select matches(pg_temp.refusal(statement), '^42501 .*predictor', 'a viewer: ' || name) from call;
set local role sten;
select matches(pg_temp.refusal(statement), '^42704 ', 'a stranger: ' || name) from call;
set local role paul;
select matches(pg_temp.refusal($$select * from mlops.explain_batch('price', 'shop')$$), '^42501 .*shop', 'a table that the caller may not read');
reset role;
grant select on shop to paul;
set local role paul;
select is((select count(distinct id) from mlops.explain_batch('price', 'shop', 'id')), 500::bigint, 'one that may be read');
reset role;
alter table shop enable row level security;
create policy own on shop using (owner = current_user);
set local role paul;
select is((select count(distinct id) from mlops.explain_batch('price', 'shop', 'id')), 250::bigint, 'with row security the caller''s rows');
select is((select count(distinct id) from mlops.ice('price', 'shop', 'big', 2, 'id')), 250::bigint, 'those of ice(), too');
reset role;
create function public.meddle() returns int language sql volatile as $$delete from shop returning 1$$;
select matches(pg_temp.refusal($$select * from mlops.explain_batch('price', 'select meddle() as big, 1 as small')$$), '^25006 ', 'a source cannot write by a function');
select mlops.undeploy('price');
select matches(pg_temp.refusal($$select * from mlops.explain('price', '{"big": 1, "small": 1}'::jsonb)$$), '^55000 ', 'nothing is live');
select * from finish();
rollback;
