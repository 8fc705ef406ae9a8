-- Aggregates that say how good predictions were, or are expected to be: vectors, weights, NULLs, workers, hostile states.
\ir include/begin.sql
select plan(121);

create function pg_temp.near(a double precision, b double precision, what text) returns text language sql as
	$$ select ok(coalesce(abs(a - b) <= 1e-9, a is null and b is null), format('%s: %s', what, a)) $$;
create function pg_temp.metric(metrics jsonb, name text, field text default 'value') returns double precision language sql as
	$$ select (metrics -> name ->> field)::double precision $$;

-- Vectors of reference/drift.md: K (CBPE), M (isotonic regression), N (NDCG).
create temp table k as select mlops.cbpe(c, c >= .5) as m from unnest('{.9,.8,.7,.6,.4,.3,.2,.1}'::float8[]) c;
select pg_temp.near(pg_temp.metric(m, name), expected, 'CBPE ' || name)
  from k, (values ('accuracy', .75), ('precision', .75), ('recall', .75), ('f1', .75), ('specificity', .75), ('roc_auc', .8125)) v (name, expected);
select pg_temp.near(pg_temp.metric(m, 'accuracy', 'se'), sqrt(.75 * .25 / 8), 'its standard error is a share''s') from k;
select pg_temp.near(pg_temp.metric(m, 'accuracy', 'se_component') / sqrt(pg_temp.metric(m, 'accuracy', 'n')), pg_temp.metric(m, 'accuracy', 'se'), 'and follows from its component')
  from k;
create temp table m as select i / 10.0::float8 as x, ('{0,0,1,0,0,1,1,0,1,1}'::float8[])[i] as y from generate_series(1, 10) i;
create temp table fit as select mlops.isotonic(x, y) as f from m;
select pg_temp.near(sum(abs(mlops.isotonic_value(f, u.x) - u.y)), 0, 'isotonic regression')
  from fit, unnest('{.1,.2,.3,.4,.5,.6,.7,.8,.9,1,0,2}'::float8[], array[0, 0, 1/3., 1/3., 1/3., 2/3., 2/3., 2/3., 1, 1, 0, 1]::float8[]) u (x, y);
select pg_temp.near(mlops.roc_auc(m.y = 1, m.x), .8, 'area under the ROC curve of its rows') from m;
select pg_temp.near(pg_temp.metric(mlops.binary_performance(m.y = 1, mlops.isotonic_value(f, m.x) > .5, mlops.isotonic_value(f, m.x)), 'brier'), 2 / 15.::float8,
	'Brier score when calibrated') from m, fit;
select pg_temp.near(mlops.ndcg(r, c), .6876396241226223, 'NDCG') from (values (.7, .1), (.5, .2), (.05, .7)) v (r, c);
select pg_temp.near(mlops.ndcg(r, r), 1, 'NDCG of the same order') from generate_series(1, 5) r;
select is(mlops.ndcg(0, c), null, 'NDCG without any gain') from generate_series(1, 5) c;

-- What scikit-learn 1.9 says of the same rows, with sample_weight.
create temp table rows as
	select i, i * 7 % 11 > 4 + i % 3 as outcome, (i * 13 % 29) / 29.0::float8 as p, (1 + i % 4)::float8 as weight,
		   substr('abc', i * 5 % 3 + 1, 1) as truth, substr('abc', (i * i + i / 3) % 3 + 1, 1) as class, i / 10.0::float8 as x, i / 10.0::float8 + sin(i) as y
	  from generate_series(1, 200) i;
create temp table found as
	select mlops.binary_performance(outcome, p > .5, p, weight) || mlops.regression_performance(x, y, weight) as m, mlops.class_performance(truth, class, weight) as c from rows;
select pg_temp.near(pg_temp.metric(m, name), expected, name)
  from found, (values ('roc_auc', 0.4638782656403802), ('pr_auc', 0.43199531528907037), ('accuracy', 0.47), ('balanced_accuracy', 0.467517064433364),
					  ('precision', 0.42016806722689076), ('recall', 0.44052863436123346), ('f1', 0.43010752688172044), ('mcc', -0.064765003636567),
					  ('specificity', 0.4945054945054945), ('log_loss', 1.4692883239436947), ('brier', 0.3492342449464923),
					  ('rmse', 0.7064096744844521), ('mae', 0.6360487190259158), ('r2', 0.9850273452009328), ('mape', 0.19051140270382266)) v (name, expected);
select pg_temp.near(pg_temp.metric(c, name), expected, name)
  from found, (values ('macro_precision', 0.33194824547371277), ('macro_recall', 0.33203472572926435), ('macro_f1', 0.33193523601308583),
					  ('weighted_precision', 0.331937723360009), ('weighted_recall', 0.332), ('weighted_f1', 0.33191271595256766),
					  ('accuracy', 0.332), ('balanced_accuracy', 0.33203472572926435)) v (name, expected);
select pg_temp.near(mlops.roc_auc(outcome, p, weight), 0.4638782656403802, 'roc_auc alone') from rows;
select pg_temp.near(mlops.pr_auc(outcome, p, weight), 0.43199531528907037, 'pr_auc alone') from rows;

-- A weight is how many rows one stands for: the metrics are theirs, the errors are of fewer.
create temp table repeated as select r.* from rows r, generate_series(1, r.weight::int);
select ok(bool_and(abs(pg_temp.metric(w, key) - pg_temp.metric(r, key)) < 1e-9 and abs(pg_temp.metric(w, key, 'se_component') - pg_temp.metric(r, key, 'se_component')) < 1e-9
				   and pg_temp.metric(w, key, 'se') > pg_temp.metric(r, key, 'se')), 'weights and repeated rows')
  from (select mlops.binary_performance(outcome, p > .5, p, weight) as w from rows) a,
	   (select mlops.binary_performance(outcome, p > .5, p) as r from repeated) b, jsonb_object_keys(w) key where key <> 'ece';

-- Standard errors are how far samples are apart.
create temp table samples as
	select mlops.binary_performance(u < p, p > .5, p) as m
	  from (select i % 300 as sample, (hashint8(i) & 65535) / 65536.0::float8 as p, (hashint8(-i) & 65535) / 65536.0::float8 as u from generate_series(1, 90000) i) s
	 group by sample;
select ok(abs(stddev(pg_temp.metric(m, key)) / avg(pg_temp.metric(m, key, 'se')) - 1) < .15,
		  format('%s: %s against %s', key, stddev(pg_temp.metric(m, key)), avg(pg_temp.metric(m, key, 'se'))))
  from samples, jsonb_object_keys(m) key where key <> 'ece' group by key order by key;

-- Calibrated probabilities are about as good as their outcomes turn out.
select ok(abs(avg(pg_temp.metric(e, key)) - avg(pg_temp.metric(r, key))) < .003, 'expected and found: ' || key)
  from (select sample, mlops.cbpe(p, p > .5) as e, mlops.binary_performance(u < p, p > .5, p) as r
		  from (select i % 300 as sample, (hashint8(i) & 65535) / 65536.0::float8 as p, (hashint8(-i) & 65535) / 65536.0::float8 as u from generate_series(1, 90000) i) s
		 group by sample) s, jsonb_object_keys(e) key where key <> 'ece' group by key order by key;
select ok((c ->> 'ece')::float8 < (c ->> 'ece_floor')::float8 and (c ->> 'p_value')::float8 > .01 and abs((c ->> 'slope')::float8 - 1) < 3 * (c ->> 'slope_se')::float8
		  and jsonb_array_length(c -> 'bins') = 10, 'calibrated')
  from (select mlops.calibration((hashint8(-i) & 65535) / 65536.0::float8 < p, p) as c
		  from (select i, (hashint8(i) & 65535) / 65536.0::float8 as p from generate_series(1, 20000) i) s) s;
select ok((c ->> 'ece')::float8 > (c ->> 'ece_floor')::float8 and (c ->> 'p_value')::float8 < 1e-6, 'not calibrated')
  from (select mlops.calibration((hashint8(-i) & 65535) / 65536.0::float8 < p * p, p, 1) as c
		  from (select i, (hashint8(i) & 65535) / 65536.0::float8 as p from generate_series(1, 20000) i) s) s;

-- Rows that count for nothing, and rows that define nothing.
select is(mlops.roc_auc(o, s), .5::float8, 'NULL and NaN are passed over')
  from (values (true, .5::float8), (false, .5), (null, .9), (true, null), (true, 'NaN'), (false, 'Infinity')) v (o, s);
select is(mlops.roc_auc(true, s), null, 'one class') from generate_series(1, 3) s;
select is(mlops.roc_auc(true, s), null, 'no rows') from generate_series(1, 0) s;
select is(mlops.binary_performance(null, true, .5), mlops.binary_performance(true, true, .5, 0), 'no row counts') from generate_series(1, 3);
select is(mlops.class_performance('a', null) -> 'accuracy' -> 'value', 'null', 'no row counts') from generate_series(1, 3);
select is(mlops.class_performance('a', 'a') -> 'macro_f1' -> 'value', '1', 'one class') from generate_series(1, 3);
select is(mlops.isotonic(1, null), null, 'no row counts') from generate_series(1, 3);
select pg_temp.near(mlops.reconstruction_error('{"mean": [1, 2, 3], "scale": [2, 1, 0], "components": [[0.6, 0.8, 0]]}', array[3, 4, 9]::float8[]),
					abs(1 * .8 - 2 * .6), 'distance from the plane');
select pg_temp.near(mlops.reconstruction_error('{"mean": [1, 2], "scale": [2, 1], "components": []}', array[null, 5]::float8[]), 3, 'NULL is the mean');

-- Workers.
create table many as select outcome, p, weight from rows, generate_series(1, 100);
create temp table serial as select mlops.binary_performance(outcome, p > .5, p, weight) as m from many;
set local max_parallel_workers_per_gather = 2;
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
set local min_parallel_table_scan_size = 0;
select ok(bool_and(abs(pg_temp.metric(m, key) - pg_temp.metric(p, key)) < 1e-12), 'parallel workers')
  from serial, (select mlops.binary_performance(outcome, p > .5, p, weight) as p from many) q, jsonb_object_keys(m) key;

-- What cannot be: said so.
select throws_ok($$ select mlops.cbpe(1.2, true) $$, '22023', 'probability 1.2 is not between 0 and 1');
select throws_ok($$ select mlops.roc_auc(true, 1, -1) $$, '22023', 'weight -1 is less than 0');
select throws_ok($$ select mlops.class_performance('a', 'b', -1) $$, '22023', 'weight -1 is not a finite number of at least 0');
select throws_ok($$ select mlops.isotonic_value('{"x": [1, 1], "y": [0, 1]}', 1) $$, '22023', 'numbers "x" in argument "fit" must ascend');
select throws_ok($$ select mlops.isotonic_value('{"x": [1, 2], "y": [0]}', 1) $$, '22023', 'argument "fit" has 2 numbers "x" and 1 numbers "y"');
select throws_ok($$ select mlops.isotonic_value('{"x": 1}', 1) $$, '22023', '"x" in argument "fit" must be an array, not a number');
select throws_ok($$ select mlops.isotonic_value('[]', 1) $$, '22023', null, 'no object');
select throws_ok($$ select mlops.reconstruction_error('{"mean": [1], "scale": [1], "components": [[1, 2]]}', '{1}') $$, '22023',
	'a row of "components" in argument "components" has 2 numbers, and there are 1 columns');
select throws_ok($$ select mlops.reconstruction_error('{"mean": [1], "scale": [1], "components": [[1]]}', '{1,2}') $$, '2202E', null, 'a row that is too long');
select throws_ok(format('select mlops.%s(%L)', function, state), 'XX001', null, function || ' of hostile bytes')
  from unnest('{roc_auc_finish,binary_performance_finish,cbpe_finish,calibration_finish,isotonic_finish,ndcg_finish,regression_performance_finish}'::text[]) function,
	   unnest(array['\x'::bytea, '\x00', '\x0200000001000000ffffffff', '\x0900000000000000000000000000000000000000', '\x000000000000000000000000']) state;
select throws_ok($$ select mlops.roc_auc_finish(mlops.rows_count(mlops.rows_count(null::bytea, 1, 1), 1, 1, 1)) $$, 'XX001', 'rows of 3 numbers cannot be added to rows of 2');
select throws_ok($$ select mlops.binary_performance_finish(mlops.rows_count(null::bytea, 1, 1)) $$, 'XX001', 'rows of 2 numbers are no state of this aggregate');
select throws_ok($$ select mlops.calibration_finish(mlops.rows_count(null::bytea, 1, .5, -1)) $$, '22023', 'weight -1 is less than 0');
select * from finish();
rollback;
