-- Routes: who is told of alerts, with whose rights, and what they are told.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
alter role olga_operator login;
create schema desk;
grant usage on schema desk to olga_operator;
create function desk.tell(jsonb) returns void language sql as 'select';
create function desk.secret(jsonb) returns void language sql as 'select';
revoke execute on function desk.secret(jsonb) from public;
select plan(16);

set local role vera_viewer;
select throws_ok($$select mlops.route_alerts('clinic', 'log')$$, '42704', null, 'a viewer routes nothing');
set local role olga_operator;
set local session authorization olga_operator;
select throws_ok($$select mlops.route_alerts('clinic', 'pigeon')$$, '22023', 'unknown kind of route ''pigeon''', 'an unknown kind');
select throws_ok($$select mlops.route_alerts('clinic', 'log', severity => 'mild')$$, '22023', null, 'an unknown severity');
select throws_ok($$select mlops.route_alerts('clinic', 'outbox', 'x')$$, '22023', 'a route of kind outbox has no target', 'a target that is not needed');
select throws_ok($$select mlops.route_alerts('clinic', 'function')$$, '22023', 'a route of kind function needs a target', 'none where one is');
select throws_ok($$select mlops.route_alerts('clinic', 'function', 'desk.nobody')$$, '42883', null, 'a function that there is not');
select throws_ok($$select mlops.route_alerts('clinic', 'function', 'desk.secret')$$, '42501', null, 'a function that the caller may not call');
select throws_ok($$select mlops.route_alerts('clinic', 'log', model => 'nothing')$$, '42704', null, 'a model that there is not');
select lives_ok($$select mlops.route_alerts('clinic', 'function', 'desk.tell')$$, 'a function');
select lives_ok($$select mlops.route_alerts('clinic', 'outbox', model => 'diagnosis', severity => 'critical')$$, 'an outbox for critical ones');
select throws_ok($$insert into mlops.alert_route (project_id, kind, owner, session_role) select project_id, 'log', 'anna_owner', 'anna_owner' from mlops.alert_route$$,
	'42501', null, 'nobody makes a route with another''s rights');
reset session authorization;

select pg_temp.window(1, 'alert');
select results_eq($$select j.kind, j.owner::text, j.args ->> 'statement' like 'select desk.tell(%"event": "opened"%' from mlops.job j where j.id > (select max(r.job_id) from mlops.job_run r where r.state = 'succeeded')$$,
	$$values ('sql', 'olga_operator', true)$$, 'a job calls the function with the rights of the route''s owner');
select is((select count(*) from mlops.alert_outbox), 0::bigint, 'the outbox hears of nothing yet');
select pg_temp.window(2, 'alert');
select is((select payload - 'alert_id' - 'model_id' - 'monitor_id' - 'period' from mlops.alert_outbox),
	'{"event": "critical", "severity": "critical", "project": "clinic", "model": "diagnosis", "monitor": "daily", "kind": "drift", "segment": "", "feature": "radius", "version": 1, "windows": 2, "evidence": [{"value": 0.3, "metric": "psi", "threshold": 0.1}]}',
	'the outbox hears of the critical one, with names and figures');
set local role vera_viewer;
select is((select count(*) from mlops.alert_outbox), 0::bigint, 'a viewer does not see messages');
set local role olga_operator;
select lives_ok($$update mlops.alert_outbox set sent_at = now() where sent_at is null$$, 'a sender marks them as sent');
select * from finish();
rollback;
