-- What train() leaves: a run with its metrics and snapshot, a version with signature and bytes; by a role that can write none of it itself.
\ir include/begin.sql
create role anna_owner;
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5 as price from generate_series(1, 60) n;
grant select on house to anna_owner;
grant usage on schema public to anna_owner;
select plan(12);
set local role anna_owner;
select run_id as run from mlops.train('price', 'house', 'price', algorithm => 'linear_regression') \gset
select results_eq($$select state, kind, model_name, algorithm, task, target, current_user_name from mlops.run$$,
				  $$values ('succeeded', 'train', 'price', 'linear_regression', 'regression', 'price', 'anna_owner')$$, 'the run');
select is((select session_user_name from mlops.run), session_user::text, 'with the session''s role');
select is((select rows_train + rows_validation + rows_test from mlops.run), 60::bigint, 'and all rows');
select is((select count(*) from mlops.metric where step = 0 and name = 'rmse'), 1::bigint, 'its metrics');
select is((select row_count from mlops.snapshot), 60::bigint, 'the snapshot');
select is((select s.id from mlops.snapshot s), (select r.snapshot_id from mlops.run r), 'which the run names');
select is((select run_id from mlops.model_version), :run::bigint, 'the version knows its run');
select is((select v.sha256 from mlops.model_version v), (select sha256(string_agg(c.bytes, ''::bytea order by c.chunk)) from mlops.model_chunk c), 'and its bytes');
select results_eq($$select position, name, type, role from mlops.model_signature order by position$$,
				  $$values (0, 'price', 'numeric', 'target'), (1, 'area', 'integer', 'feature')$$, 'the signature');
select throws_ok($$insert into mlops.metric (run_id, name, value) select id, 'accuracy', 1 from mlops.run$$, '42501', null, 'no metric is added by hand');
select throws_ok($$update mlops.run set metrics = '{}'$$, '42501', null, 'no run is changed by hand');
select throws_ok($$insert into mlops.model (project_id, name) select project_id, 'mine' from mlops.model$$, '42501', null, 'no model is made by hand');
reset role;
select * from finish();
rollback;
