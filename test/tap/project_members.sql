-- Who has access: granting, revoking, the last owner, roles that are members of roles.
\ir include/begin.sql
\ir include/registry.sql
create role tumour_board;
create role "Night Shift";
grant tumour_board to sten_stranger;
select plan(18);
set local role anna_owner;
select results_eq($$select member::text, access, granted_by from mlops.project_member where member = 'anna_owner'::regrole$$,
				  $$values ('anna_owner', 'owner', 'anna_owner')$$, 'whoever makes a project owns it');
select lives_ok($$select mlops.grant_access('clinic', 'vera_viewer', 'viewer')$$, 'granting twice is granting once');
select throws_ok($$select mlops.grant_access('clinic', 'vera_viewer', 'boss')$$, '22023', 'invalid access level ''boss''', 'a level that is none');
select throws_ok($$select mlops.grant_access('clinics', 'vera_viewer', 'viewer')$$, '42704', 'project "clinics" does not exist', 'a project that is none');
select throws_ok($$select mlops.grant_access('clinic', '-', 'viewer')$$, '42704', null, 'a role that is none');
select throws_ok($$select mlops.revoke_access('clinic', 'anna_owner')$$, '55006', 'role "anna_owner" is the last owner of project "clinic"', 'the last owner stays');
select throws_ok($$delete from mlops.project_member$$, '55006', null, 'by hand, too');
select throws_ok($$select mlops.revoke_access('clinic', 'sten_stranger')$$, '42704', null, 'what was not granted is not revoked');
select throws_ok($$select mlops.revoke_access('clinic', '"Night Shift"')$$, '42704', 'role "Night Shift" has no access to project "clinic"', 'a role is named as it is');
select throws_ok($$insert into mlops.project_member (project_id, member, access, granted_by) select id, 'sten_stranger', 'viewer', 'vera_viewer' from mlops.project$$,
				 '42501', null, 'nobody grants in another name');
set local role olga_operator;
select throws_ok($$select mlops.grant_access('clinic', 'sten_stranger', 'viewer')$$, '42501', 'permission denied for project "clinic"', 'granting takes an owner');
select throws_ok($$insert into mlops.project_member (project_id, member, access) select id, 'olga_operator', 'owner' from mlops.project$$,
				 '42501', null, 'by hand, too');

set local role anna_owner;
select mlops.grant_access('clinic', 'tumour_board', 'viewer');
set local role sten_stranger;
select is((select count(*) from mlops.model), 1::bigint, 'a role has the access of the roles whose rights it has');
reset role;
revoke tumour_board from sten_stranger;
set local role sten_stranger;
select is((select count(*) from mlops.model), 0::bigint, 'and no longer');

set local role anna_owner;
select mlops.grant_access('clinic', 'tumour_board', 'owner');
select lives_ok($$select mlops.revoke_access('clinic', 'anna_owner')$$, 'an owner may leave when there is another');
select is((select count(*) from mlops.project), 0::bigint, 'and is a stranger then');
reset role;
drop role tumour_board;
select lives_ok($$select mlops.revoke_access('clinic', 'vera_viewer')$$, 'a superuser may always');
select is((select count(*) from mlops.project_member m where not exists (select from pg_roles r where r.oid = m.member)), 2::bigint,
		  'memberships of a dropped role stay until they are revoked, and mean nothing');
select * from finish();
rollback;
