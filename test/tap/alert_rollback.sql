-- A rollback that follows from an alert takes back the version that the alert is about, and no other.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
create function pg_temp.live() returns integer language sql as
	$$ select d.version from mlops.deployment d join mlops.model m on m.id = d.model_id where m.name = 'diagnosis' and upper_inf(d.valid) $$;
alter role olga_operator login;
select mlops.deploy('diagnosis', 1);
select mlops.deploy('diagnosis', 2);
select plan(5);
set local session authorization olga_operator;
select mlops.on_alert(:monitor, 'rollback');
reset session authorization;
select pg_temp.window(1, 'alert');
select pg_temp.window(2, 'alert');
select x.id as run from mlops.action_run x where x.state = 'queued' \gset
-- somebody was faster
select mlops.deploy('diagnosis', 3);
set local role olga_operator;
select is(mlops.perform_action(:run)::jsonb, '{"refused": "version 2, which the alert is about, is not live"}', 'another version is live by then');
select is(pg_temp.live(), 3, 'which remains, for the one before is the faulty one');
reset role;
select results_eq(format('select state, detail, deployment_id from mlops.action_run where id = %s', :run),
	$$values ('refused', 'version 2, which the alert is about, is not live', null::bigint)$$, 'the refusal is written down');
set local role olga_operator;
select is(mlops.perform_action(:run), 'there was nothing to do', 'for good');
reset role;
select mlops.undeploy('diagnosis');
update mlops.action_run set state = 'queued';
set local role olga_operator;
select ok(mlops.perform_action(:run) like '%"refused"%' and pg_temp.live() is null, 'nor is anything brought back where nothing is live');
select * from finish();
rollback;
