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
-- Each way to ask, step by step in one transaction: a stranger, a member, another stranger, after a deployment, without the access, with it again.
create function by_inlined_sql(ask) returns text language sql stable as $$ select round(mlops.predict('next', $1))::text $$;
create function by_sql(ask) returns text language sql stable set work_mem = '4MB' as $$ select round(mlops.predict('next', $1))::text $$;
create function by_expression(ask) returns text language plpgsql as $$ begin return round(mlops.predict('next', $1)); end $$;
create function by_query(ask) returns text language plpgsql as $$ begin return (select round(mlops.predict('next', a)) from ask a); end $$;
prepare by_plan as select round(mlops.predict('next', a))::text from ask a;
create function pg_temp.step(before text, role text, way text) returns text language plpgsql as $$
declare answer text;
begin
	set local role postgres;
	execute before;
	execute format('set local role %I', role);
	begin
		execute case when way = 'by_plan' then 'execute by_plan' else format('select %I(a) from ask a', way) end into answer;
	exception when insufficient_privilege or undefined_object then
		answer := sqlstate;
	end;
	return answer;
end $$;
create function pg_temp.steps(way text) returns text[] language plpgsql as $$
declare
	grants constant text := $q$select pg_temp.access('predictor', 'amy')$q$;
	seen text[];
begin
	seen := array[pg_temp.step('select 1', 'amy', way), pg_temp.step(grants, 'amy', way), pg_temp.step('select 1', 'ben', way),
				  pg_temp.step($q$select mlops.deploy('next', 2)$q$, 'amy', way), pg_temp.step('select pg_temp.no_access()', 'amy', way),
				  pg_temp.step(grants, 'amy', way)];
	set local role postgres;
	perform pg_temp.no_access(), mlops.deploy('next', 1);
	return seen;
end $$;
select plan(20);
select is(pg_temp.steps(way), '{42704,1,42704,2,42704,2}', way) from unnest('{by_inlined_sql,by_sql,by_expression,by_query,by_plan}'::text[]) way;
set local plan_cache_mode = force_generic_plan;
select is(pg_temp.steps('by_plan'), '{42704,1,42704,2,42704,2}', 'a generic plan');
set local plan_cache_mode = force_custom_plan;
select is(pg_temp.steps('by_plan'), '{42704,1,42704,2,42704,2}', 'a custom plan');
reset plan_cache_mode;
reset role;
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
