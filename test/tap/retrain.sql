-- retrain(): a new version, compared with the live one on rows that neither was trained on.
\ir include/begin.sql
create table patient (age float8, dose float8, ill boolean);
create function pg_temp.patients(n integer, seed integer) returns setof patient language sql as $$
	select a, d, (hashint8extended(i, seed + 2) & 255) < 255 / (1 + exp(-a - d))
	  from (select i, ((hashint8extended(i, seed) & 1023) - 512) / 256.0 as a, ((hashint8extended(i, seed + 1) & 1023) - 512) / 256.0 as d
			  from generate_series(1, n) i) s
$$;
insert into patient select * from pg_temp.patients(2000, 1);
select plan(22);

select version, metrics from mlops.train('ill', 'patient', 'ill', params => '{"n_estimators": 5, "max_depth": 2}', preprocess => '{"age": {"missing": "median"}}') \gset one_
select throws_ok($$select mlops.retrain('nothing')$$, '42704', null, 'no model');
select throws_ok($$select mlops.retrain('ill@1')$$, null, null, 'a version is not a model');
select throws_ok($$select mlops.retrain('ill', deploy => 'perhaps')$$, '22023', 'unknown value "perhaps" of argument "deploy"', 'an unknown policy');
select throws_ok($$select mlops.retrain('ill', margin => -1)$$, '22023', 'the margin must be 0 or more', 'a negative margin');
select throws_ok($$select mlops.retrain('ill', margin => 'NaN')$$, '22023', null, 'no margin');

-- the same rows give the same version, which is no better
select * from mlops.retrain('ill') \gset same_
select is(:same_version, 2, 'a new version');
select is((select sha256 from mlops.model_version where version = 2), (select sha256 from mlops.model_version where version = 1), 'of the same rows the same bytes: all parameters are those of then');
select is(:'same_deployed'::boolean, false, 'and not deployed');
select is((:'same_comparison'::jsonb ->> 'rows')::integer, 400, 'compared on all rows that were held out');
select is(:'same_comparison'::jsonb -> 'champion' ->> 'roc_auc', :'one_metrics'::jsonb ->> 'roc_auc', 'where the first version has the metrics that it was stored with');
select is((:'same_comparison'::jsonb ->> 'p_value')::float8, 1::float8, 'and a difference of nothing is no chance');

-- better rows
insert into patient select * from pg_temp.patients(20000, 7);
select mlops.deploy('ill', 1);
select * from mlops.retrain('ill', source => 'select * from patient') \gset more_
select is(:'more_deployed'::boolean, (:'more_comparison'::jsonb ->> 'better')::boolean, 'deployed where it is better');
select is((select version from mlops.deployment where upper_inf(valid)), case when :'more_deployed'::boolean then 3 else 1 end, 'which is live then');
select ok((:'more_comparison'::jsonb ->> 'rows')::integer between 4200 and 4400, 'rows that are new are held out by the first version, too');
select results_eq('select champion, challenger, deployed from mlops.comparison order by id', format($$values (1, 2, false), (1, 3, %L::boolean)$$, :'more_deployed'), 'comparisons are kept');
select throws_ok('delete from mlops.comparison', '55000', null, 'for good');

-- always, never, and by a margin that nothing reaches
select is(deployed, true, 'always') from mlops.retrain('ill', deploy => 'always');
select is(deployed, false, 'never') from mlops.retrain('ill', deploy => 'never');
select is(deployed, false, 'not by a margin of one') from mlops.retrain('ill', margin => 1);

-- what cannot be compared
select * from mlops.train('all', 'patient', 'ill', params => '{"n_estimators": 2}', split => '{"test": 0}') \gset
select is(comparison ->> 'why_not', 'version 1 held no rows out, or was not trained here', 'nothing was held out') from mlops.retrain('all');
select mlops.import_model('given', mlops.export_model('all@1'));
select throws_ok($$select mlops.retrain('given')$$, '55000', 'version 1 of model "given" was not trained here, so its training cannot be repeated', 'an imported version');
create role fred;
set local role fred;
select throws_ok($$select mlops.retrain('ill')$$, '42704', null, 'and a stranger has no such model');
select * from finish();
rollback;
