-- Actions: what follows from an alert is done once, with its owner's rights and its record, and does not follow from itself.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
alter role olga_operator login;
select mlops.deploy('diagnosis', 1);
select mlops.deploy('diagnosis', 2);
create function pg_temp.live() returns integer language sql as
	$$ select d.version from mlops.deployment d join mlops.model m on m.id = d.model_id where m.name = 'diagnosis' and upper_inf(d.valid) $$;
select plan(25);

set local role vera_viewer;
select throws_ok(format('select mlops.on_alert(%s, %L)', :monitor, 'finding'), '42501', format('permission denied to have anything follow from alerts of monitor %s', :monitor), 'a viewer has nothing follow');
set local session authorization olga_operator;
select throws_ok(format('select mlops.on_alert(%s, %L)', :monitor, 'panic'), '22023', 'unknown action ''panic''', 'an unknown action');
select throws_ok(format('select mlops.on_alert(%s, %L, args => %L)', :monitor, 'rollback', '{"margin": 1}'), '22023', 'action rollback has no argument "margin"', 'an argument that it has not');
select throws_ok(format('select mlops.on_alert(%s, %L, args => %L)', :monitor, 'retrain', '{"deploy": "perhaps"}'), '22023', null, 'a value that there is not');
select throws_ok(format('select mlops.on_alert(%s, %L, every => %L)', :monitor, 'rollback', '-1 day'), '22023', null, 'no interval');
select throws_ok(format('select mlops.on_alert(%s, %L, args => %L)', :monitor, 'retrain', '{"margin": -1}'), '22023', 'invalid value of "margin": -1', 'a margin that is none');
select throws_ok(format('select mlops.on_alert(%s, %L, args => %L)', :monitor, 'retrain', '{"margin": "much"}'), '22023', 'invalid value of "margin": much', 'nor a number');
select throws_ok('select mlops.on_alert(-1, ''finding'')', '42704', 'there is no monitor -1', 'no monitor');
select lives_ok(format('select mlops.on_alert(%s, %L, %L, %L)', :monitor, 'finding', 'warning', '{"assignee": "rita_reviewer", "due": "7 days"}'), 'a finding');
select lives_ok(format('select mlops.on_alert(%s, %L)', :monitor, 'rollback'), 'a rollback');
reset session authorization;

select pg_temp.window(1, 'alert');
select results_eq($$select title, severity, assignee, due, state, source from mlops.finding$$,
	$$values ('drift of model diagnosis: radius', 'medium', 'rita_reviewer', current_date + 7, 'open', 'monitor')$$, 'a warning opens a finding');
select results_eq($$select state from mlops.action_run$$, $$values ('done')$$, 'and nothing else');
select pg_temp.window(2, 'alert');
select is((select count(*) from mlops.finding), 1::bigint, 'one finding an alert');
select x.id as run from mlops.action_run x where x.state = 'queued' \gset
select is((select j.args ->> 'statement' from mlops.job j join mlops.action_run x on x.job_id = j.id), format('select mlops.perform_action(%s)', :run), 'a critical one has a job roll back');
select is((select j.owner::text from mlops.job j join mlops.action_run x on x.job_id = j.id), 'olga_operator', 'as the action''s owner');
set local role vera_viewer;
select is(mlops.perform_action(:run), 'there was nothing to do', 'who alone does it');
select is(pg_temp.live(), 2, 'until then nothing has changed');
set local role olga_operator;
select ok(mlops.perform_action(:run) like '{%"version": 1%', 'it is done');
select is(pg_temp.live(), 1, 'the version before is live');
select is(mlops.perform_action(:run), 'there was nothing to do', 'once');
reset role;
select results_eq(format('select state, deployment_id is not null from mlops.action_run where id = %s', :run), $$values ('done', true)$$, 'it is written down');

-- another cause, while the deployment that the action made is live

update mlops.monitor_action set every = '1 microsecond';
delete from mlops.monitor_result;
insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, feature, metric, value, threshold, verdict)
select :monitor, :diagnosis, 1, p, 'drift', 'texture', 'psi', 0.3, 0.1, 'alert'
  from unnest(array['[2026-02-01, 2026-02-02)'::tstzrange, '[2026-02-02, 2026-02-03)']) p;
select mlops.raise_alerts(:monitor, period) from mlops.monitor_result order by period;
delete from mlops.monitor_result where lower(period) = '2026-02-02';
select is((select count(*) from mlops.action_run x where x.state = 'queued'), 0::bigint, 'a first window is no cause for more than a warning');
insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, feature, metric, value, threshold, verdict)
values (:monitor, :diagnosis, 1, '[2026-02-03, 2026-02-04)', 'drift', 'texture', 'psi', 0.3, 0.1, 'alert');
select mlops.raise_alerts(:monitor, '[2026-02-03, 2026-02-04)');
update mlops.action_run set deployment_id = (select id from mlops.deployment where upper_inf(valid)) where id = :run;
update mlops.monitor_action set every = '1 day';
select x.id as run from mlops.action_run x where x.state = 'queued' \gset
set local role olga_operator;
select ok(mlops.perform_action(:run) like '%"refused"%', 'an action does not follow from what an action did');
reset role;
select results_eq(format('select state from mlops.action_run where id = %s', :run), $$values ('refused')$$, 'which is written down');
select is(pg_temp.live(), 1, 'and changes nothing');
select * from finish();
rollback;
