-- Monitors of captured predictions: whoever may deploy or train runs them, whoever sees captured rows or not; health.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/watched.sql
create role olga_operator login;
create role vera_viewer;
create role sten_stranger;
insert into mlops.project_member (project_id, member, access)
select m.project_id, 'olga_operator'::regrole, 'operator' from mlops.model m union all select m.project_id, 'vera_viewer'::regrole, 'viewer' from mlops.model m;
select mlops.deploy('risk') as deployed \gset
create temporary table made as select id from mlops.monitor;
grant select on made to public;
select count(mlops.score('risk', 'trade ' || extract(epoch from t.at), t)) as scored from (select * from trade t where t.at >= '2024-02-05' and t.at < '2024-02-06') t \gset
create function pg_temp.today() returns table (kind text, feature text, metric text, value float8, verdict text) language sql as
	$$ select r.kind, r.feature, r.metric, r.value, r.verdict from mlops.run_monitor((select id from made), now(), clock_timestamp()) r $$;
select plan(19);
set local role olga_operator;
create temporary table first_run as select * from pg_temp.today();
select is((select string_agg(concat_ws(' ', kind, feature, metric), ', ') from first_run where verdict = 'alert' and metric <> 'freshness'), null, 'rows like those of training');
select is((select count(*) from first_run where kind = 'drift' and feature is not null and verdict = 'ok'), 4::bigint, 'all features are compared');
select is((select verdict from first_run where kind = 'prediction_drift'), 'ok', 'and the predictions');
select is((select value from first_run where metric = 'requests'), 720::float8, 'requests');
select ok(p50 > 0 and p50 <= p95 and p95 <= p99, 'latencies') from (select max(value) filter (where metric = 'latency_p50') as p50, max(value) filter (where metric = 'latency_p95') as p95,
	max(value) filter (where metric = 'latency_p99') as p99 from first_run) l;
select is((select verdict from first_run where metric = 'latency_p99'), 'ok', 'without a threshold there is no alert');
select ok(exists (select from first_run where metric = 'capture_loss'), 'losses');
select is((select count(*) from mlops.prediction_features), 0::bigint, 'though an operator sees no captured features');
reset role;
select count(mlops.score('risk', 'trade', t)) as scored from (select * from trade t where t.at >= '2024-02-10' and t.at < '2024-02-11') t \gset
select is((select string_agg(concat_ws(' ', kind, feature, metric), ', ' order by kind, feature, metric) from pg_temp.today() where verdict = 'alert' and metric <> 'freshness'),
		  'attribution ndcg, drift amount psi, prediction_drift prediction psi, quality amount out_of_range', 'amounts that are twice as much');

-- a version that captures no features has nothing to compare
select mlops.undeploy('risk');
select mlops.deploy('risk', capture => '{"mode": "transaction", "mask": ["amount"]}') as deployed \gset
delete from mlops.prediction_features;
delete from mlops.prediction;
delete from mlops.capture_layout;
select count(mlops.score('risk', 'trade', t)) as scored from (select * from trade t where t.at >= '2024-02-05' and t.at < '2024-02-06') t \gset
select is((select string_agg(distinct feature, ',' order by feature) from pg_temp.today() where kind = 'drift' and feature is not null), 'kind,region,units', 'a masked feature is not watched');

-- who may do what
set local role vera_viewer;
select is((select count(*) from mlops.monitor), 1::bigint, 'a viewer sees monitors');
select isnt_empty('select * from mlops.drift', 'and what they found');
select matches(pg_temp.refusal('select pg_temp.today()'), '^42501 ', 'and runs none');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'mine')$$), '^42501 ', 'nor makes one');
select matches(pg_temp.refusal('select mlops.drop_monitor((select id from made))'), '^42501 ', 'nor removes one');
select matches(pg_temp.refusal($$insert into mlops.monitor_result select * from mlops.monitor_result$$), '^42501 ', 'nor writes results');
reset role;
set local role sten_stranger;
select matches(pg_temp.refusal('select pg_temp.today()'), '^42704 ', 'for a stranger there is none');
reset role;
create temporary table sourced as select mlops.create_monitor('risk', 'trades', source => 'trade', at => 'at', schedule => null) as id;
grant select on sourced to public;
set local role olga_operator;
select matches(pg_temp.refusal('select mlops.run_monitor((select id from sourced))'), '^42501 .*reads its source with the rights of role', 'a source is read with the rights of its owner only');
select lives_ok($$select mlops.create_monitor('risk', 'mine', schedule => null)$$, 'an operator makes a monitor');
select * from finish();
rollback;
