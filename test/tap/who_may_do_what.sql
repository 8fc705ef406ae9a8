-- mlops.access and mlops.role_report(): who has which access, through which membership, and who reaches a project past all of it.
\ir include/begin.sql
\ir include/registry.sql
create role analysts;
create role data_team;
create role ada in role analysts;
create role noah noinherit in role analysts;
create role bypass bypassrls;
create role root superuser;
create role deputy in role root;
grant analysts to data_team;
create role dora login in role data_team;
set local role anna_owner;
select mlops.grant_access('clinic', 'analysts', 'viewer');
select mlops.grant_access('clinic', 'data_team', 'predictor');
reset role;
select plan(18);

set local role anna_owner;
select results_eq($$select format('%s: %s as %s, %s, by %s', role_name, access, member, through, granted_by) collate "default" from mlops.access
					 where member in ('analysts'::regrole, 'data_team'::regrole) order by role_name, access$$,
	array['ada: viewer as analysts, {analysts}, by anna_owner', 'analysts: viewer as analysts, {}, by anna_owner',
		  'data_team: predictor as data_team, {}, by anna_owner', 'data_team: viewer as analysts, {analysts}, by anna_owner',
		  'dora: predictor as data_team, {data_team}, by anna_owner', 'dora: viewer as analysts, {data_team,analysts}, by anna_owner'],
	'access is followed through memberships, the nearest first, but not to a role that does not inherit');
reset role;
select set_eq($$select distinct role_name, member::oid from mlops.access$$,
	$$select r.rolname, m.member::oid from pg_roles r, mlops.project_member m where pg_has_role(r.oid, m.member, 'usage')
		and not r.rolsuper$$, 'as PostgreSQL itself says of every role');
select results_eq($$select distinct access, rights from mlops.access where project = 'clinic' order by 1$$,
	$$values ('operator', '{see,view,predict,deploy}'::text[]), ('owner', '{see,view,predict,train,review,deploy,own}'), ('predictor', '{see,predict}'),
			 ('reviewer', '{see,view,review}'), ('scientist', '{see,view,predict,train}'), ('viewer', '{see,view}')$$, 'each level with its rights');
select is(mlops.rights_of('{viewer,predictor,NULL,nobody}'), '{see,view,predict}', 'several levels are their union');
select is(mlops.rights_of('{}'), '{}', 'none gives none');

-- what rights_of() says is what policies and functions ask
create function pg_temp.asked(who text) returns text[] language plpgsql as $$
declare
	asked text[];
begin
	execute format('set local role %I', who);
	select array_agg(r order by n) into asked from unnest('{see,view,predict,train,review,deploy,own}'::text[]) with ordinality u(r, n)
	 where exists (select from mlops.accessible_projects(r));
	reset role;
	return asked;
end
$$;
select is(pg_temp.asked(role_name::text), rights, role_name || ' has the rights of the report')
  from mlops.role_report() where how = 'membership' and role_name in ('anna_owner', 'sam_scientist', 'paul_predictor', 'dora');

select results_eq($$select how, access, rights, through, models from mlops.role_report() where role_name = 'dora'$$,
	$$values ('membership', '{predictor,viewer}'::text[], '{see,view,predict}'::text[], '{analysts,data_team}'::name[], 1::bigint)$$, 'one row a role and project: all its access');
select results_eq($$select how, access from mlops.role_report() where role_name = 'noah'$$,
	$$values ('set role', '{viewer}'::text[])$$, 'what a role reaches only after SET ROLE is said so');
select results_eq($$select how, rights from mlops.role_report() where role_name in ('bypass', 'root') order by role_name$$,
	$$values ('bypassrls', '{see,view,predict,train,review,deploy,own}'::text[]), ('superuser', '{see,view,predict,train,review,deploy,own}')$$, 'and who goes past row security');
select results_eq($$select how, rights, through from mlops.role_report() where role_name = 'deputy'$$,
	$$values ('set role', '{see,view,predict,train,review,deploy,own}'::text[], '{root}'::name[])$$, 'nor are those forgotten who can become one of them');
select lives_ok(format('set local role bypass; insert into mlops.project_member (project_id, member, access) values (%s, ''bypass'', ''owner''); reset role', :clinic),
	'who bypasses row security can indeed make itself an owner');
select is_empty($$select from mlops.role_report() where role_name = 'sten_stranger'$$, 'a role that reaches nothing has no row');
set local role sten_stranger;
select is_empty($$select from mlops.access$$, 'a stranger sees nobody''s access');
select is_empty($$select from mlops.role_report()$$, 'and nobody in the report');
set local role paul_predictor;
select is_empty($$select from mlops.access$$, 'nor does a predictor');
reset role;
select * from finish();
rollback;
