-- Alerts: one for as long as a cause lasts; acknowledged by people, closed by themselves.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
select plan(23);

select is(pg_temp.window(1, 'ok'), 0, 'a window without a finding raises nothing');
select is(pg_temp.window(2, 'alert'), 1, 'what is found raises an alert');
select is(pg_temp.window(2, 'alert'), 0, 'the same window again does not');
select results_eq($$select state, severity, feature, windows from mlops.alert$$, $$values ('open', 'warning', 'radius', 1)$$, 'it is open');
select is((select evidence from mlops.alert), '[{"value": 0.3, "metric": "psi", "threshold": 0.1}]', 'and has its evidence');
select is(pg_temp.window(3, 'insufficient data'), 0, 'a window that is too small');
select is(pg_temp.window(4, 'alert'), 0, 'the same cause later');
select results_eq($$select state, severity, windows from mlops.alert$$, $$values ('open', 'critical', 2)$$, 'is the same alert, critical after two windows and far beyond its threshold');
select is(pg_temp.window(1, 'alert'), 0, 'a window of the past');
select is((select windows from mlops.alert), 2, 'changes nothing: what it led to was decided then');

set local role vera_viewer;
select is((select count(*) from mlops.alert), 1::bigint, 'a viewer sees it');
select alert_id as alert from mlops.alert \gset
select throws_ok(format('select mlops.acknowledge_alert(%s)', :alert), '42501', format('permission denied to acknowledge alert %s', :alert), 'but does not take note for those who operate');
select throws_ok($$update mlops.raised_alert set closed_at = now()$$, '42501', null, 'and nobody closes one by hand');
set local role sten_stranger;
select throws_ok(format('select mlops.acknowledge_alert(%s)', :alert), '42704', format('there is no alert %s', :alert), 'a stranger is not told of it');
set local role olga_operator;
select lives_ok(format('select mlops.acknowledge_alert(%s, %L)', :alert, 'I look'), 'an operator acknowledges');
select results_eq($$select state, acknowledged_by, note from mlops.alert$$, $$values ('acknowledged', 'olga_operator', 'I look')$$, 'with a name');
select throws_ok(format('select mlops.acknowledge_alert(%s)', :alert), '55000', null, 'once');
select throws_ok($$update mlops.acknowledgement set note = 'I did not'$$, '42501', null, 'and does not change it');
reset role;

select is(pg_temp.window(n, 'ok'), 0, 'a quiet window') from generate_series(5, 6) n;
select is((select state from mlops.alert), 'acknowledged', 'two quiet windows do not close it');
select pg_temp.window(7, 'ok');
select is((select state from mlops.alert), 'closed', 'three do');
select is(pg_temp.window(8, 'alert'), 1, 'and the next time it is a new one');
select * from finish();
rollback;
