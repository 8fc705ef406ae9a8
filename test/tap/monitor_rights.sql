-- The source of a monitor is read with the rights of who made it, whoever runs it.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/watched.sql
create role ann_owner;
create role mia_member in role ann_owner;
create role olga_operator;
insert into mlops.project_member (project_id, member, access) select m.project_id, r, 'operator' from mlops.model m, unnest(array['ann_owner', 'mia_member', 'olga_operator']::regrole[]) r;
grant select on trade to ann_owner;
create function public.whoever() returns name language sql volatile as 'select current_user';
create function pg_temp.rows_seen(monitor bigint) returns bigint language sql as $$
	select from mlops.run_monitor(monitor, '2024-02-05', '2024-02-05 12:00');
	select max(r.rows) from mlops.monitor_result r where r.monitor_id = monitor
$$;
select plan(7);
set local role ann_owner;
-- what it gives depends on whose rights it has
select mlops.create_monitor('risk', 'mine', source => $$select * from public.trade where public.whoever() = 'ann_owner'$$, at => 'at', schedule => null) as mine \gset
select is(pg_temp.rows_seen(:mine), 720::bigint, 'its owner runs it');
set local role mia_member;
select is(pg_temp.rows_seen(:mine), 720::bigint, 'a member of that role, with the rights of the role');
reset role;
select is(pg_temp.rows_seen(:mine), 720::bigint, 'a superuser lends it none either');
select is(current_user::text, session_user::text, 'and has its own back');
set local role olga_operator;
select matches(pg_temp.refusal(format('select mlops.run_monitor(%s)', :mine)), '^42501 permission denied for monitor', 'nobody else runs it');
reset role;
revoke select on trade from ann_owner;
select matches(pg_temp.refusal(format('select mlops.run_monitor(%s)', :mine)), '^42501 permission denied for table trade', 'what its owner may not read any more nobody reads for it');
update mlops.monitor set owner = 4000000000::oid::regrole;
select matches(pg_temp.refusal(format('select mlops.run_monitor(%s)', :mine)), '^42704 the role whose rights monitor \d+ has does not exist', 'nor where its owner is gone');
select * from finish();
rollback;
