-- importance(): how much a version relies on each column.
\ir include/begin.sql
\ir include/refusal.sql
create table shop as
select i as id, i * 37 % 101 as big, i * 7 % 19 as small, i * 11 % 13 as nothing, (array['a', 'b', 'c'])[i % 3 + 1] as kind,
	   (i * 37 % 101) * 3.0 + (i * 7 % 19) as price, i * 37 % 101 > 50 as yes
  from generate_series(1, 2000) i;
select mlops.train('trees', 'shop', 'price', features => '{nothing,kind,small,big}', params => '{"n_estimators": 20, "max_depth": 3}');
select mlops.train('line', 'shop', 'price', 'linear_regression', features => '{nothing,kind,small,big}');
select mlops.train('yes', 'shop', 'yes', features => '{nothing,big}', params => '{"n_estimators": 5}');
select mlops.train('kind', 'shop', 'kind', features => '{nothing,big}', params => '{"n_estimators": 2}');
create table other as select * from shop where id % 3 <> 1;
select plan(23);
select is((select round(sum(importance)::numeric, 9) from mlops.importance('trees@1')), 1::numeric, 'shares add up to 1');
select results_eq($$select feature from mlops.importance('trees@1') where importance > 0$$, $$select feature from mlops.trees('trees@1') where feature is not null group by 1 order by sum(gain::float8) desc$$,
				  'by gain, the most important first');
select results_eq($$select importance from mlops.importance('trees@1', 'splits') where feature = 'small'$$,
				  $$select count(*) filter (where feature = 'small')::float8 / count(*) from mlops.trees('trees@1') where feature is not null$$, 'by the number of splits');
select ok(abs((select importance from mlops.importance('trees@1', 'cover') where feature = 'big')
			  - (select sum(cover::float8) filter (where feature = 'big') / sum(cover::float8) from mlops.trees('trees@1') where feature is not null)) < 1e-12, 'by cover');
select results_eq($$select feature, importance from mlops.importance('yes@1')$$, $$values ('big', 1::float8), ('nothing', 0)$$, 'a column that no tree uses is there');
select is_empty($$select from mlops.importance('trees@1') where deviation is not null$$, 'shares do not vary');
select results_eq($$select feature from mlops.importance('trees@1', 'permutation', 'other') limit 2$$, $$values ('big'), ('small')$$, 'by permutation, on rows');
select results_eq($$select feature from mlops.importance('line@1', 'permutation', 'other') limit 2$$, $$values ('big'), ('small')$$, 'of a linear model, too');
select ok(abs(i.importance / (select sqrt(2) * 3 * stddev_pop(big) from other) - 1) < 0.02, 'as theory has it: an error of w (x - x''), with x'' a stranger''s x')
  from mlops.importance('line@1', 'permutation', 'other', repeats => 20) i where feature = 'big';
select ok(importance > 0.4 and importance < 0.6 and deviation > 0 and deviation < 0.1, 'accuracy falls to that of chance where the only column is shuffled')
  from mlops.importance('yes@1', 'permutation', 'other', metric => 'accuracy') where feature = 'big';
select results_eq($$select importance, deviation from mlops.importance('yes@1', 'permutation', 'other') where feature = 'nothing'$$, $$values (0::float8, 0::float8)$$,
				  'a column that the model does not use loses nothing');
select results_eq($$select * from mlops.importance('kind@1', 'permutation', 'other', repeats => 2)$$,
				  $$select * from mlops.importance('kind@1', 'permutation', 'select * from other order by md5(id::text)', repeats => 2)$$, 'the same rows give the same numbers');
select isnt((select importance from mlops.importance('trees@1', 'permutation', 'other', seed => 1) where feature = 'big'),
			(select importance from mlops.importance('trees@1', 'permutation', 'other', seed => 2) where feature = 'big'), 'another seed shuffles otherwise');
select matches(pg_temp.refusal($$select mlops.importance('line@1')$$), '^0A000 .*linear_regression.*permutation', 'a linear model has no gain');
select matches(pg_temp.refusal($$select mlops.importance('trees@1', 'weight')$$), '^22023 .*"weight".*gain, cover, splits and permutation', 'no such kind');
select matches(pg_temp.refusal($$select mlops.importance('trees@1', 'permutation')$$), '^22023 .*rows.*source', 'a permutation needs rows');
select matches(pg_temp.refusal($$select mlops.importance('trees@1', source => 'other')$$), '^22023 .*no source', 'shares do not');
select matches(pg_temp.refusal($$select mlops.importance('trees@1', 'permutation', 'other', 'roc_auc')$$), '^22023 .*"roc_auc".*regression.*rmse, mae', 'a metric of another task');
select matches(pg_temp.refusal($$select mlops.importance('yes@1', 'permutation', 'select * from other where yes')$$), '^22000 .*"roc_auc".*log_loss', 'a metric that the rows do not define');
select matches(pg_temp.refusal($$select mlops.importance('trees@1', 'permutation', 'other', repeats => 0)$$), '^22023 repeats', 'repeats');
select matches(pg_temp.refusal($$select mlops.importance('trees@1', 'permutation', 'select big, price from other')$$), '^42703 .*"nothing"', 'a column that lacks');
create role reader;
select mlops.create_project('shared');
select mlops.grant_access('shared', 'reader', 'viewer');
select mlops.train('open', 'shop', 'price', features => '{big}', project => 'shared', params => '{"n_estimators": 1}');
set local role reader;
select results_eq($$select feature, importance from mlops.importance('open@1')$$, $$values ('big', 1::float8)$$, 'a viewer sees shares');
select matches(pg_temp.refusal($$select mlops.importance('open@1', 'permutation', 'select 1 as big, 2.0 as price')$$), '^42501 .*predictor', 'but predicts nothing');
reset role;
select * from finish();
rollback;
