-- Whatever function a stranger calls, with the names and numbers of things that are there or of things that are not: the answer is the same.
\ir include/begin.sql
\ir include/registry.sql
\ir include/levels.sql

-- A value for an argument, by its name: of what is there, or of what is not.
create function pg_temp.value(name text, type regtype, there boolean) returns text language sql as $$
	select coalesce(case
		when name = any ('{model,model_id,project,project_id,object,monitor,monitor_id,run_id,run_ids,job_id,alert_id,a,b,experiment}') then
			case when type = 'text'::regtype then quote_literal(case when name = 'object' then 'model ' else '' end ||
					case when not there then 'nonesuch' when name = 'project' then 'clinic' when name = 'experiment' then 'first steps' else 'cells' end)
				 when name = 'run_ids' then format('array[%s]', case when there then pg_temp.filled('{run}') else '987654' end)
				 else coalesce(case when there then pg_temp.filled(case name when 'model_id' then '{diagnosis}' when 'project_id' then '{clinic}' when 'run_id' then '{run}'
										when 'job_id' then '{job}' when 'alert_id' then '{alert}' when 'a' then '{snapshot}' when 'b' then '{snapshot}' else '{monitor}' end) end, '987654') end
		when name in ('version', 'reference') and type = 'integer'::regtype then '1'
		when name in ('source', 'query') then quote_literal('select * from public.cell')
		when name = 'features' and type = 'jsonb'::regtype then quote_literal('{"radius": 1}')
		when name = 'period' then quote_literal('[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)')
		when name = 'right' then quote_literal('see')
		when name = 'keep' then quote_literal('1 year')
		when type in ('text'::regtype, 'name'::regtype) then quote_literal('some')
		when type in ('integer'::regtype, 'bigint'::regtype, 'double precision'::regtype) then '1'
		when type = 'timestamptz'::regtype then quote_literal('2024-01-01')
		when type = 'regrole'::regtype then quote_literal('vera_viewer')
		when type = 'jsonb'::regtype then quote_literal('{}')
		when type = 'boolean'::regtype then 'true' end, 'null') || '::' || type
$$;
create function pg_temp.call(f oid, there boolean) returns text language sql as $$
	select format('select string_agg(x::text, '';'') from (select mlops.%I(%s) as x) y', p.proname,
				  string_agg(pg_temp.value(p.proargnames[u.i], case u.type when 'record'::regtype then 'public.cell'::regtype when 'anycompatible'::regtype then 'text' else u.type end,
										   there), ', ' order by u.i))
	  from pg_proc p, unnest(p.proargtypes::regtype[]) with ordinality u(type, i) where p.oid = call.f group by p.proname
$$;
create function pg_temp.answer(statement text) returns text language plpgsql as $$
declare
	answer text;
begin
	begin
		set local role sten_stranger;
		execute statement into answer;
		raise sqlstate 'UNDID';
	exception when sqlstate 'UNDID' then
		null;
	when others then
		answer := sqlstate || ' ' || sqlerrm;
	end;
	return regexp_replace(regexp_replace(coalesce(answer, ''), 'nonesuch|diagnosis|clinic|first steps|cells', 'name', 'g'), '[0-9]+', '0', 'g');
end
$$;
create temporary table asked as
select p.oid::regprocedure::text as signature, pg_temp.call(p.oid, true) as of_what_is, pg_temp.call(p.oid, false) as of_what_is_not
  from pg_proc p
 where p.pronamespace = 'mlops'::regnamespace and p.prokind = 'f' and has_function_privilege('sten_stranger', p.oid, 'execute')
   and not p.proargtypes::oid[] && '{internal,cstring}'::regtype[]::oid[]
   and p.proargnames && '{model,model_id,project,project_id,object,monitor,monitor_id,run_id,run_ids,job_id,alert_id,a,b,experiment}';
select plan(1 + count(*)::integer) from asked where of_what_is <> of_what_is_not;
select is(pg_temp.answer(of_what_is), pg_temp.answer(of_what_is_not), signature) from asked where of_what_is <> of_what_is_not order by signature collate "C";

-- who bound a query to a model when they might, and may no more, is refused: their job fails, and its schedule is not switched off for want of a query
insert into mlops.outcome_binding (model_id, source, settings, lateness, owner_name, session_user_name)
values (:spare, 'select 1', '{}', '7 days', 'sten_stranger', 'sten_stranger');
set local role sten_stranger;
select throws_ok(format('select mlops.read_bound_outcomes(%s)', :spare), '42501', null, 'a binding outlives the access, but is not read');
reset role;
select * from finish();
rollback;
