-- Actions are whole with their record or not at all; the record outlives the action.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/registry.sql
\ir include/monitor.sql
create function pg_temp.live() returns integer language sql as
	$$ select d.version from mlops.deployment d join mlops.model m on m.id = d.model_id where m.name = 'diagnosis' and upper_inf(d.valid) $$;
alter role olga_operator login;
select mlops.deploy('diagnosis', 1);
select mlops.deploy('diagnosis', 2);
select plan(13);
set local session authorization olga_operator;
select mlops.on_alert(:monitor, 'rollback', every => '1 hour');
reset session authorization;
select pg_temp.window(1, 'alert');
select pg_temp.window(2, 'alert');
select x.id as run from mlops.action_run x where x.state = 'queued' \gset

-- what cannot be recorded is not done
create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise exception 'the disk is full' using errcode = 'disk_full'; end $$;
create trigger refuse before update on mlops.action_run for each row execute function pg_temp.refuse();
set local role olga_operator;
select matches(pg_temp.refusal(format('select mlops.perform_action(%s)', :run)), '^53100 the disk is full', 'an action whose record cannot be written');
reset role;
select is(pg_temp.live(), 2, 'is not done');
select results_eq(format('select state, finished_at, detail from mlops.action_run where id = %s', :run), $$values ('queued', null::timestamptz, null::text)$$, 'nor said to be');
drop trigger refuse on mlops.action_run;
-- what cannot be done is not recorded
create trigger refuse before insert on mlops.deployment for each row execute function pg_temp.refuse();
set local role olga_operator;
select matches(pg_temp.refusal(format('select mlops.perform_action(%s)', :run)), '^53100 the disk is full', 'an action that fails');
reset role;
select is((select state from mlops.action_run where id = :run), 'queued', 'is as if it had not begun');
drop trigger refuse on mlops.deployment;
set local role olga_operator;
select ok(mlops.perform_action(:run) like '{%"version": 1%', 'where it can be done');
reset role;
select is(pg_temp.live(), 1, 'it is');

-- the action is replaced
set local session authorization olga_operator;
select isnt(mlops.on_alert(:monitor, 'rollback', every => '2 hours'), null, 'an action by the same name');
reset session authorization;
select results_eq(format('select action, state, action_id from mlops.action_run where id = %s', :run), $$values ('rollback', 'done', null::bigint)$$, 'leaves the record of the one before');
select ok(exists (select from mlops.timeline('diagnosis') t where t.event = 'action' and t.detail like 'rollback because of alert % done%'), 'and the story');
select mlops.deploy('diagnosis', 2);
delete from mlops.monitor_result;
insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, feature, metric, value, threshold, verdict)
select :monitor, :diagnosis, 2, p, 'drift', 'texture', 'psi', 0.3, 0.1, 'alert' from unnest(array['[2026-02-01, 2026-02-02)'::tstzrange, '[2026-02-02, 2026-02-03)']) p;
select mlops.raise_alerts(:monitor, '[2026-02-02, 2026-02-03)');
update mlops.raised_alert set severity = 'critical' where feature = 'texture';
select mlops.act_on_alert((select a.id from mlops.raised_alert a where a.feature = 'texture'));
select is((select count(*) from mlops.action_run), 1::bigint, 'and how long ago it was: the next one waits');
update mlops.action_run set queued_at = queued_at - interval '3 hours';
select mlops.act_on_alert((select a.id from mlops.raised_alert a where a.feature = 'texture'));
select x.id as next from mlops.action_run x where x.state = 'queued' \gset
delete from mlops.monitor_action;
set local role olga_operator;
select is(mlops.perform_action(:next), 'there was nothing to do', 'what was taken back meanwhile is not done');
select is(pg_temp.live(), 2, 'and changes nothing');
select * from finish();
rollback;
