-- coefficients(): a linear version as what it adds up.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/trained.sql
update thing set whole = null where id % 10 = 0;
select mlops.train('part', 'thing', 'price', 'linear_regression', features => '{small,whole,flag,day,at,took,colour}');
select mlops.train('odds', 'thing', 'sold', 'logistic_regression', features => '{single,colour}');
select mlops.train('trees', 'thing', 'price', features => '{small}', params => '{"n_estimators": 1}');
select mlops.train('mean', 'thing', 'price', 'baseline');
select plan(12);
select results_eq($$select term, feature, level from mlops.coefficients('part@1')$$,
				  $$values ('intercept', null, null), ('value', 'small', null), ('value', 'whole', null), ('missing', 'whole', null), ('value', 'flag', null),
						   ('value', 'day', null), ('value', 'at', null), ('value', 'took', null), ('level', 'colour', 'blue'), ('level', 'colour', 'green'),
						   ('level', 'colour', 'red')$$, 'a row a coefficient');
create table term as select * from mlops.coefficients('part@1');
create function pg_temp.weight(term text, feature text, level text default null) returns float8 language sql as
	$$ select raw_coefficient from term t where t.term = weight.term and t.feature is not distinct from weight.feature and (weight.level is null or t.level = weight.level) $$;
create function pg_temp.by_hand(t thing) returns float8 language sql as $$
	select pg_temp.weight('intercept', null) + pg_temp.weight('value', 'small') * t.small
		+ pg_temp.weight('value', 'whole') * coalesce(t.whole, (select fill::float8 from mlops.recipe('part@1') where "column" = 'whole'))
		+ pg_temp.weight('missing', 'whole') * (t.whole is null)::int + pg_temp.weight('value', 'flag') * t.flag::int
		+ pg_temp.weight('value', 'day') * (t.day - date '2000-01-01') + pg_temp.weight('value', 'at') * extract(epoch from t.at - timestamp '2000-01-01')::float8
		+ pg_temp.weight('value', 'took') * extract(epoch from t.took)::float8 + pg_temp.weight('level', 'colour', t.colour) $$;
select is((select count(*) from thing t where id <= 50 and abs(pg_temp.by_hand(t) - mlops.predict('part@1', t)) > 1e-6), 0::bigint, 'raw coefficients give what predict() gives');
select ok(exists (select from thing where id <= 50 and whole is null), 'where a value is missing, too');
select ok(abs(coefficient / r.scale - raw_coefficient) < 1e-12, 'the coefficient of the scaled number, and of the raw one')
  from mlops.coefficients('part@1'), mlops.recipe('part@1') r where feature = 'small' and r."column" = 'small';
select set_eq($$select class from mlops.coefficients('odds@1')$$, $$values ('true')$$, 'a binary model has the score of its positive class');
select ok(abs(1 / (1 + exp(-(select sum(raw_coefficient * case term when 'value' then 0.25 else 1 end) from mlops.coefficients('odds@1')
									where term <> 'level' or level = 'red')))
			  - mlops.predict_proba('odds@1', '{"single": 0.25, "colour": "red"}'::jsonb)) < 1e-9, 'in log odds');
select is((select count(*) from mlops.coefficients('grade') where term = 'intercept'), (select count(distinct grade) from thing), 'one with several classes has a score a class');
select results_eq($$select term, coefficient, raw_coefficient from mlops.coefficients('mean@1')$$,
				  $$select 'intercept', mlops.predict('mean@1', t), mlops.predict('mean@1', t) from thing t where id = 1$$, 'the baseline is its intercept');
select matches(pg_temp.refusal($$select * from mlops.coefficients('trees@1')$$), '^0A000 .*gradient_boosting.*mlops.trees', 'trees have none');
select matches(pg_temp.refusal($$select * from mlops.coefficients('trees')$$), '^55000 ', 'a bare name means the live version');
select is_empty($$select * from mlops.coefficients(null)$$, 'NULL has none');
create role reader;
select mlops.create_project('shared');
select mlops.grant_access('shared', 'reader', 'viewer');
select mlops.train('open', 'thing', 'price', 'linear_regression', features => '{small}', project => 'shared');
set local role reader;
select matches(pg_temp.refusal($$select * from mlops.coefficients('open@1')$$), '^42501 .*scientist', 'they are the payload, which a viewer does not read');
reset role;
select * from finish();
rollback;
