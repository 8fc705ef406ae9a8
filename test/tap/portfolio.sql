-- The portfolio: where each project stands; who may say so.
\ir include/begin.sql
\ir include/registry.sql
update mlops.raised_alert set closed_at = now();
select plan(15);

set local role anna_owner;
select lives_ok($$update mlops.project set target_metric = 'roc_auc', target_value = 0.9, target_direction = 'maximize', value = 40000, starts_on = '2026-01-01', due_on = '2026-02-01'$$,
	'an owner says what is to be reached');
select throws_ok($$update mlops.project set status = 'blocked'$$, '23514', null, 'what is blocked has a reason');
select throws_ok($$update mlops.project set status = 'asleep'$$, '23514', null, 'a status that there is not');
select throws_ok($$update mlops.project set due_on = '2025-01-01'$$, '23514', null, 'nothing is due before it starts');
select throws_ok($$update mlops.project set target_metric = null$$, '23514', null, 'a target is whole');
set local role vera_viewer;
update mlops.project set status = 'done';
select results_eq($$select project, status, overdue, models, live_versions, best_live, target_met, health, open_alerts, open_findings, runs, days_since_last_run, members from mlops.portfolio$$,
	$$values ('clinic', 'active', true, 1::bigint, 0::bigint, null::float8, null::boolean, 'not live', 0::bigint, 1::bigint, 1::bigint, 0, 6::bigint)$$,
	'a viewer sees where it stands, and changes nothing');
reset role;
set local session_replication_role = replica;
update mlops.model_version set metrics = '{"roc_auc": 0.95}' where version = 2;
reset session_replication_role;
select mlops.deploy('diagnosis', 2);
set local role vera_viewer;
select results_eq($$select live_versions, best_live, target_met, health from mlops.portfolio$$, $$values (1::bigint, 0.95::float8, true, 'ok')$$, 'the target is met by what is live');
reset role;
update mlops.monitor set enabled = false;
select is((select health from mlops.portfolio where project = 'clinic'), 'unwatched', 'what nobody watches');
update mlops.raised_alert set closed_at = null;
select is((select health from mlops.portfolio where project = 'clinic'), 'warning', 'an alert is open');
update mlops.raised_alert set severity = 'critical';
select is((select health from mlops.portfolio where project = 'clinic'), 'critical', 'a grave one');
update mlops.finding set due = '2026-01-01';
select is((select overdue_findings from mlops.portfolio where project = 'clinic'), 1::bigint, 'a finding is overdue');
update mlops.project set status = 'done' where name = 'clinic';
select is((select overdue from mlops.portfolio where project = 'clinic'), false, 'what is done is not');
set local role anna_owner;
select is((select count(*) from mlops.portfolio), 1::bigint, 'an owner sees it');
set local role paul_predictor;
select is_empty($$select from mlops.portfolio$$, 'a predictor does not');
set local role sten_stranger;
select is_empty($$select from mlops.portfolio$$, 'nor does a stranger');
select * from finish();
rollback;
