-- Estimated performance is NannyML's: isotonic calibration, then CBPE, on the same rows (include/make_estimates.py).
\ir include/begin.sql
select plan(15);
create function pg_temp.rows(first integer, last integer) returns table (i integer, p double precision, outcome boolean) language sql as $$
	select i, p, (i * 10473::bigint % 9001 + 0.5::float8) / 9001 < p ^ 1.5
	  from (select i, (i * 7919::bigint % 10007 + 1) / 10008::float8 as p from generate_series(first, last - 1) i) s $$;
create temp table reference as
	select mlops.isotonic(p, outcome::int) as calibrator, mlops.binary_performance(outcome, p > .5, p) as performance from pg_temp.rows(0, 4000);
create temp table estimates as
	select (i - 4000) / 1500 + 1 as chunk, mlops.cbpe(mlops.isotonic_value(calibrator, p), p > .5, p) as m
	  from reference, pg_temp.rows(4000, 7000) group by 1;
create temp table nannyml (metric text, name text, estimates float8[], error float8);
insert into nannyml values
	('roc_auc', 'roc_auc', array[0.8608706041424142, 0.8610458275858475], 0.007153069583676162),
	('average_precision', 'pr_auc', array[0.81226857315693, 0.812787607074883], 0.014324422392899223),
	('f1', 'f1', array[0.7366943840717032, 0.7367555984234389], 0.021351265227625513),
	('precision', 'precision', array[0.6633785325115017, 0.6634210285707435], 0.017272560126782983),
	('recall', 'recall', array[0.8282293647635137, 0.8283178671362752], 0.015464296816186154),
	('specificity', 'specificity', array[0.7192575332570024, 0.7193009989313373], 0.015008804415835924),
	('accuracy', 'accuracy', array[0.7628985684251536, 0.7629582021051173], 0.011007525834627871);
select is(count(*), 2::bigint, 'windows') from estimates;
-- NannyML rounds what it makes these two of to five digits
select ok(bool_and(abs((e.m #>> array[n.name, 'value'])::float8 - n.estimates[e.chunk]) < case when n.metric in ('roc_auc', 'average_precision') then 1e-8 else 1e-9 end), n.metric) from nannyml n, estimates e group by n.metric order by 1;
-- standard errors of a window of 1500 rows by the reference; those of the other three metrics NannyML has by other ways (see docs/monitoring.md)
select ok(abs((r.performance #>> array[n.name, 'se_component'])::float8 / sqrt(1500) - n.error) < 1e-9, 'standard error of ' || n.metric)
  from nannyml n, reference r where n.name in ('accuracy', 'precision', 'recall', 'specificity') order by n.metric;
select ok(((r.performance #>> array[n.name, 'se_component'])::float8 / sqrt(1500) / n.error) between x.low and x.high, 'standard error of ' || n.metric)
  from nannyml n join (values ('roc_auc', 1, 1.5), ('pr_auc', .8, 1.25), ('f1', .5, .75)) x (name, low, high) on x.name = n.name, reference r order by n.metric;
select * from finish();
rollback;
