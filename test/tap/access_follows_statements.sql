-- Who may predict is asked anew for each statement: SET ROLE, a grant and a revoke count at once.
\ir include/begin.sql
\ir include/versions.sql
select mlops.deploy('next', 1);
create role amy;
create role ben;
create role team;
grant team to ben;
grant usage on schema public to public;
grant select on ask to public;
select name as home from mlops.project where id = (select project_id from mlops.model where name = 'next') \gset
create function pg_temp.as_role(name text) returns text language plpgsql as $$
declare
	r ask;
begin
	select * into r from ask;
	execute format('set local role %I', name);
	begin
		return round(mlops.predict('next', r))::text;
	exception when others then
		return sqlstate;
	end;
end $$;
create function pg_temp.one_after_another() returns text[] language plpgsql as $$
declare
	seen text[] := '{}';
	r ask;
	name text;
begin
	select * into r from ask;
	foreach name in array '{postgres,amy,postgres,ben,amy}'::text[] loop
		execute format('set local role %I', name);
		begin
			seen := seen || round(mlops.predict('next', r))::text;
		exception when others then
			seen := seen || sqlstate::text;
		end;
	end loop;
	return seen;
end $$;
create function pg_temp.access(level text, who text) returns void language sql as $$
	insert into mlops.project_member (project_id, member, access)
	select project_id, who::regrole, level from mlops.model where name = 'next' $$;
create function pg_temp.no_access() returns void language sql as $$
	delete from mlops.project_member p using mlops.model m where m.name = 'next' and p.project_id = m.project_id and p.access <> 'owner' $$;
select plan(13);
select is(pg_temp.as_role('amy'), '42704', 'to a stranger the model does not exist');
reset role;
select pg_temp.access('predictor', 'amy');
select is(pg_temp.as_role('amy'), '1', 'a predictor predicts');
reset role;
select is(pg_temp.one_after_another(), '{1,1,1,42704,1}', 'each role by its own access, in one block');
reset role;
select pg_temp.no_access();
select is(pg_temp.as_role('amy'), '42704', 'not any more');
reset role;
select pg_temp.access('viewer', 'amy');
select is(pg_temp.as_role('amy'), '42501', 'a viewer sees, and does not predict');
reset role;
select pg_temp.access('reviewer', 'amy');
select is(pg_temp.as_role('amy'), '42501', 'nor does a reviewer');
reset role;
select pg_temp.access('operator', 'amy');
select is(pg_temp.as_role('amy'), '1', 'an operator does');
reset role;
select pg_temp.access('scientist', 'team');
select is(pg_temp.as_role('ben'), '1', 'so does who has the rights of a scientist');
reset role;
revoke team from ben;
select is(pg_temp.as_role('ben'), '42704', 'until they are taken');
reset role;
alter role ben noinherit;
grant team to ben;
select is(pg_temp.as_role('ben'), '42704', 'or not inherited');
reset role;
set local role ben;
set local role team;
select is(pg_temp.as_role('team'), '1', 'but taken on');
reset role;
drop role team;
select is(pg_temp.as_role('ben'), '42704', 'a member that was dropped gives nothing');
reset role;
select is(pg_temp.as_role('amy'), '1', 'and hurts nobody');
reset role;
select * from finish();
rollback;
