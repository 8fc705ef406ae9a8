-- Early stopping: the best round is kept, and the log of the run has the curves of the loss and of the metric that it went by.
\ir include/begin.sql
\ir include/refusal.sql
create table coin as
	select n, sin(n * 12.9898) as a, cos(n * 78.233) as b, sin(n * 12.9898) + sin(n * n * 3.7) * 1.5 > 0 as heads, sin(n * 12.9898) + sin(n * n * 3.7) as y
	  from generate_series(1, 1500) n;
create function pg_temp.fit(target text, params jsonb) returns bigint language sql as $$
select run_id from mlops.train('coin', 'coin', target, features => '{a,b}', params => params || '{"n_estimators": 300}', split => '{"validation": 0.3}')
$$;
create function pg_temp.curve(run bigint, curve text) returns table (step integer, value float8) language sql as
	'select m.step, m.value from mlops.metric m where m.run_id = run and m.name = curve and m.step > 0';
create function pg_temp.rounds(model text) returns bigint language sql as 'select count(distinct tree) from mlops.trees(model)';
select plan(21);

select pg_temp.fit('heads', '{"early_stopping_rounds": 8, "early_stopping_metric": "roc_auc", "early_stopping_min_delta": 0.001}') as run \gset
select cmp_ok(pg_temp.rounds('coin@1'), '<', 300::bigint, 'training stopped by a metric');
select is((select count(distinct name) from mlops.metric where run_id = :run and step = 1), 4::bigint, 'four curves');
select is((select count(*) from pg_temp.curve(:run, c)), (select max(step)::bigint from mlops.metric where run_id = :run), c || ' of every round')
  from unnest('{train_loss,validation_loss,train_roc_auc,validation_roc_auc}'::text[]) c;
-- the rule by itself: the first round that no later one of the next 8 betters by more than min_delta
with recursive best(step, value, at) as (
	select 1, value, 1 from pg_temp.curve(:run, 'validation_roc_auc') where step = 1
	union all
	select c.step, case when c.value > b.value + 0.001 then c.value else b.value end, case when c.value > b.value + 0.001 then c.step else b.at end
	  from best b join pg_temp.curve(:run, 'validation_roc_auc') c on c.step = b.step + 1
)
select is(pg_temp.rounds('coin@1'), max(at)::bigint, 'the best round is kept, and none behind it') from best;
with recursive best(step, value, at) as (
	select 1, value, 1 from pg_temp.curve(:run, 'validation_roc_auc') where step = 1
	union all
	select c.step, case when c.value > b.value + 0.001 then c.value else b.value end, case when c.value > b.value + 0.001 then c.step else b.at end
	  from best b join pg_temp.curve(:run, 'validation_roc_auc') c on c.step = b.step + 1
)
select is(max(step), max(at) + 8, 'patience of 8 rounds') from best;
select ok(bool_and(t.value between 0.5 and 1 and v.value between 0.5 and 1), 'both are areas') from pg_temp.curve(:run, 'train_roc_auc') t join pg_temp.curve(:run, 'validation_roc_auc') v using (step);
select cmp_ok((select value from pg_temp.curve(:run, 'train_roc_auc') order by step desc limit 1), '>', (select value from pg_temp.curve(:run, 'validation_roc_auc') order by step desc limit 1),
			  'training rows are predicted better than validation rows');

select pg_temp.fit('y', '{"early_stopping_rounds": 5, "early_stopping_metric": "mae"}') as run \gset
select is((select count(*) from pg_temp.curve(:run, c)), (select max(step)::bigint from mlops.metric where run_id = :run), c || ' of a regression')
  from unnest('{train_loss,validation_loss,train_mae,validation_mae}'::text[]) c;
select is(pg_temp.rounds('coin@2'), (select step::bigint from pg_temp.curve(:run, 'validation_mae') order by value, step limit 1), 'a loss is best where it is least');

select pg_temp.fit('y', '{"early_stopping_rounds": 5}') as run \gset
select is((select count(distinct name) from mlops.metric where run_id = :run and step = 1), 2::bigint, 'by the loss: its two curves');
select is(pg_temp.rounds('coin@3'), (select step::bigint from pg_temp.curve(:run, 'validation_loss') order by value, step limit 1), 'and its best round');

-- What is missing is said before any row is read
select matches(pg_temp.refusal($$select mlops.train('coin', 'select * from coin where 1 / (n - n) = 1', 'y', params => '{"early_stopping_rounds": 5}')$$),
			   'early_stopping_rounds needs validation rows, and there are none .*"validation": 0.1', 'no validation rows');
select matches(pg_temp.refusal($$select mlops.train('coin', 'select *, n % 5 = 0 as part from coin', 'y', params => '{"early_stopping_rounds": 5}', split => '{"column": "part"}')$$),
			   'say validation in the column', 'none by a column');
select matches(pg_temp.refusal($$select mlops.train('coin', 'coin', 'y', params => '{"early_stopping_metric": "mae"}')$$), 'needs early_stopping_rounds', 'a metric alone');
select matches(pg_temp.refusal($$select mlops.train('coin', 'coin', 'heads', params => '{"objective": "logistic", "max_leaves": 1}')$$), 'max_leaves" is 1', 'trees without a split');
select * from finish();
rollback;
