-- A role's own project is that role's, not that of whoever has its name.
\ir include/begin.sql
create role anna;
create role bert;
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5 as price from generate_series(1, 60) n;
create function pg_temp.learn(model text) returns void language sql as $$select mlops.train(model, 'house', 'price', algorithm => 'baseline')$$;
create function pg_temp.goes_to(model text) returns bigint language sql as $$select m.project_id from mlops.model m where m.name = model$$;
grant select on house to public;
grant usage on schema public to public;
select plan(8);

set local role anna;
select pg_temp.learn('first');
reset role;
alter role anna rename to anna_maria;
set local role anna_maria;
select lives_ok($$select pg_temp.learn('second')$$, 'a role that was renamed');
select is(pg_temp.goes_to('second'), pg_temp.goes_to('first'), 'goes on with its own project');

-- another role with the name that the project was made under
reset role;
alter role bert rename to anna;
set local role anna;
select lives_ok($$select pg_temp.learn('third')$$, 'another role may have its name now');
select is((select array_agg(m.name) from mlops.model m), '{third}', 'and gets a project of its own');

-- an owner of somebody's own project keeps theirs
insert into mlops.project_member (project_id, member, access) select p.id, 'anna_maria', 'owner' from mlops.project p;
set local role anna_maria;
select pg_temp.learn('fourth');
select is(pg_temp.goes_to('fourth'), pg_temp.goes_to('first'), 'to own another''s project, too, changes nothing');

select throws_ok($$insert into mlops.project_member (project_id, member, access, is_personal) select p.id, 'anna', 'owner', true from mlops.project p$$,
				 '42501', null, 'nor does anybody say which project is whose');

-- a role that is made anew
reset role;
drop role anna;
create role anna;
set local role anna;
select lives_ok($$select pg_temp.learn('fifth')$$, 'a new role with the name of one that was dropped');
select is((select array_agg(m.name) from mlops.model m), '{fifth}', 'sees nothing of what that one had');
reset role;
select * from finish();
rollback;
