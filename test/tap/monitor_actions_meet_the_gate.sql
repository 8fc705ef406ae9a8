-- What follows from an alert meets the gate as everybody does: no rollback to what never was approved.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
alter role olga_operator login;
create function pg_temp.live() returns integer language sql as
	$$ select d.version from mlops.deployment d join mlops.model m on m.id = d.model_id where m.name = 'diagnosis' and upper_inf(d.valid) $$;
select plan(6);
set local role anna_owner;
select mlops.set_policy('clinic', '{"approvals": {"reviewer": 1}}');
select mlops.deploy('diagnosis', 1, override => 'there is no other');
reset role;
select mlops.request_review('diagnosis', n) from generate_series(2, 3) n;
set local role rita_reviewer;
select mlops.approve('diagnosis', n) from generate_series(2, 3) n;
set local session authorization olga_operator;
select mlops.deploy('diagnosis', 2);
select mlops.on_alert(:monitor, 'rollback');
reset session authorization;
select pg_temp.window(day, 'alert') from generate_series(1, 2) day;
select x.id as run from mlops.action_run x where x.state = 'queued' \gset
set local role olga_operator;
select throws_ok(format('select mlops.perform_action(%s)', :run), '55000', 'version 1 of model "diagnosis" may not go live: the policy of its project does not hold', 'a rollback to what an owner let pass is refused');
select is(pg_temp.live(), 2, 'what is live stays live');

-- to what was approved it goes back, though that would not be approved today
select mlops.deploy('diagnosis', 3);
set local role anna_owner;
select mlops.set_policy('clinic', '{"approvals": {"reviewer": 3}}');
reset role;
select pg_temp.window(day, 'alert') from generate_series(3, 4) day;
update mlops.action_run set queued_at = queued_at - interval '2 days';
select pg_temp.window(day, 'ok') from generate_series(5, 7) day;
select pg_temp.window(day, 'alert') from generate_series(8, 9) day;
select max(x.id) as second from mlops.action_run x where x.state = 'queued' \gset
select isnt(:second, :run, 'another alert');
set local role olga_operator;
select ok(mlops.perform_action(:second) like '{%"version": 2%', 'has the one before come back');
select is(pg_temp.live(), 2, 'which is live');
reset role;
select is((select count(*) from mlops.deployment where policy_version = 2), 3::bigint, 'each by the policy of its time');
select * from finish();
rollback;
