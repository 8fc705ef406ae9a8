-- Who may do what: what project_member says, followed through the memberships of roles.

create function mlops.rights_of(access text[]) returns text[]
language c immutable strict parallel safe
as 'MODULE_PATHNAME', 'mlops_rights_of';
comment on function mlops.rights_of(text[]) is
'The rights that access at these levels gives together: see, view, predict, train, review, deploy, own';

-- A membership hands on what its member inherits: since PostgreSQL 16 each grant says so itself, before that the role does.
-- Whoever owns the database is a member of pg_database_owner without a row in pg_auth_members.
create view mlops.access with (security_invoker) as
	with recursive edge as (
		select e.member as role, e.roleid as granted
		  from pg_catalog.pg_auth_members e join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) e.member
		 where coalesce((pg_catalog.to_jsonb(e) operator(pg_catalog.->>) 'inherit_option')::boolean, r.rolinherit)
		union
		select d.datdba, o.oid
		  from pg_catalog.pg_database d join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) d.datdba cross join pg_catalog.pg_roles o
		 where d.datname operator(pg_catalog.=) pg_catalog.current_database() and r.rolinherit and o.rolname operator(pg_catalog.=) 'pg_database_owner'
	), holder as (
		select distinct r.oid as role, r.oid as member, '{}'::name[] as through
		  from mlops.project_member m join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) m.member
		union all
		select e.role, h.member, pg_catalog.pg_get_userbyid(h.role) operator(pg_catalog.||) h.through
		  from holder h join edge e on e.granted operator(pg_catalog.=) h.role
	)
	select p.name as project, pg_catalog.pg_get_userbyid(h.role) as role_name, m.access, mlops.rights_of(array[m.access]) as rights,
		   m.member, h.through, m.granted_by, m.granted_at, p.id as project_id
	  from mlops.project_member m
	  join mlops.project p on p.id operator(pg_catalog.=) m.project_id
	  join holder h on h.member operator(pg_catalog.=) m.member;
comment on view mlops.access is
'Who may do what in the projects that the caller views: each role with the access it has, itself or through the roles whose rights it inherits';
comment on column mlops.access.member is 'The role to which the access was granted';
comment on column mlops.access.through is 'The memberships that lead from the role to the member, the nearest first; empty for the member itself';
comment on column mlops.access.rights is 'What the access lets the role do';
grant select on mlops.access to public;

create function mlops.role_report(out role_name name, out can_login boolean, out project text, out how text, out access text[], out rights text[],
	out through name[], out models bigint, out project_id bigint)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	with granted as (
		select p.id, p.name, r.oid as member, m.access
		  from mlops.project_member m join mlops.project p on p.id = m.project_id join pg_roles r on r.oid = m.member
	), reached as (
		select r.oid as role, g.id, g.name, case when pg_has_role(r.oid, g.member, 'usage') then 'membership' else 'set role' end as how, g.access, g.member
		  from pg_roles r join granted g on pg_has_role(r.oid, g.member, 'member')
		 where not r.rolsuper
		union all
		-- who gets past row security, and who can become one of them
		select r.oid, p.id, p.name,
			   case when s.oid <> r.oid then 'set role' when s.rolsuper then 'superuser' when s.rolbypassrls then 'bypassrls' else 'table owner' end, 'owner', s.oid
		  from pg_roles s join pg_roles r on pg_has_role(r.oid, s.oid, 'member') cross join mlops.project p
		 where (s.rolsuper or s.rolbypassrls or s.oid = (select c.relowner from pg_class c where c.oid = 'mlops.project'::regclass))
		   and (s.oid = r.oid or not r.rolsuper)
	)
	select r.rolname, r.rolcanlogin, q.name, q.how, array_agg(distinct q.access order by q.access), mlops.rights_of(array_agg(q.access)),
		   array_agg(distinct pg_get_userbyid(q.member)) filter (where q.member <> q.role),
		   (select count(*) from mlops.model m where m.project_id = q.id), q.id
	  from reached q join pg_roles r on r.oid = q.role
	 group by r.rolname, r.rolcanlogin, q.role, q.id, q.name, q.how
	 order by r.rolname, q.name, q.id, q.how
$$;
comment on function mlops.role_report() is
'What each role can reach in the projects that the caller views, and how: by membership whose rights it inherits, after SET ROLE, or past row security: as a superuser, by bypassrls or as the owner of the tables; a role that is not here reaches nothing';
