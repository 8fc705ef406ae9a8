-- explain(): a row for each raw column, the strongest first, then the base value; parts of a column are one row.
\ir include/begin.sql
\ir include/refusal.sql
create table shop as
select i as id, i * 37 % 101 as big, (i * 7 % 19)::smallint as small, case when i % 6 > 0 then (i * 11 % 13)::real / 10 end as tenth, i % 3 = 0 as flag,
	   (array['a', 'b', 'c'])[i % 3 + 1] as kind, date '2020-01-01' + i % 50 as day, timestamptz '2020-01-01 12:00Z' + i % 40 * interval '1 hour' as at,
	   i % 30 * interval '90 minutes' as took,
	   (i * 37 % 101) * 3.0 + (i * 7 % 19) + 20 * (i % 3) + 5 * (i % 6) as price, i * 37 % 101 > 50 as yes
  from generate_series(1, 2000) i;
create function pg_temp.learn(model text, algorithm text, preprocess jsonb default '{}') returns void language sql as $$
	select mlops.train(model, 'shop', 'price', algorithm, features => '{big,small,tenth,flag,kind,day,at,took}', preprocess => preprocess,
					   params => case algorithm when 'gradient_boosting' then '{"n_estimators": 30}' else '{}' end::jsonb) $$;
do $$
begin
	perform pg_temp.learn('trees', 'gradient_boosting'), pg_temp.learn('line', 'linear_regression'),
			pg_temp.learn('parts', 'gradient_boosting', '{"kind": {"encoding": "onehot"}, "tenth": {"missing": "median", "indicator": "auto"}}');
	perform mlops.train('yes', 'shop', 'yes', features => '{big,small}');
end
$$;
set local timezone = 'UTC';
set local datestyle = 'ISO';
set local intervalstyle = 'postgres';
select plan(19);
select bag_eq(format($$select feature from mlops.explain(%L, (select s from shop s where id = 7))$$, model || '@1'),
			  $$select unnest('{big,small,tenth,flag,kind,day,at,took,(base value)}'::text[])$$, model || ': a row a column and the base value')
  from unnest('{trees,line,parts}'::text[]) model;
select results_eq($$select feature, value from mlops.explain('trees@1', (select s from shop s where id = 7)) where feature <> '(base value)' order by feature$$,
				  $$values ('at', '2020-01-01 19:00:00+00'), ('big', '57'), ('day', '2020-01-08'), ('flag', 'false'), ('kind', 'b'), ('small', '11'), ('tenth', '1.2'), ('took', '10:30:00')$$,
				  'values as their columns have them');
select is((select value from mlops.explain('trees@1', (select s from shop s where id = 6)) where feature = 'tenth'), null, 'a missing value is null');
select is((select value from mlops.explain('trees@1', '{"big": 1, "small": 2, "tenth": "Infinity", "flag": null, "kind": "z", "day": "infinity", "at": "-infinity", "took": "1 day"}'::jsonb)
			where feature = 'day'), 'infinity', 'an infinite day');
select is((select value from mlops.explain('trees@1', '{"big": 1, "small": 2, "tenth": "Infinity", "flag": null, "kind": "z", "day": "infinity", "at": "-infinity", "took": "1 day"}'::jsonb)
			where feature = 'kind'), null, 'a category that training never saw counts as missing');
select ok((select bool_and(size <= before) from (
	select abs(contribution) as size, lag(abs(contribution), 1, 'infinity') over (order by number) as before
	  from mlops.explain('trees@1', (select s from shop s where id = 7)) with ordinality e(feature, value, contribution, number)
	 where feature <> '(base value)') s), 'the strongest first');
select is((select array_agg(feature order by number) from mlops.explain('trees@1', (select s from shop s where id = 7)) with ordinality e(feature, value, contribution, number)
			where number in (1, 9)), '{big,(base value)}', 'the base value last');
select is((select array_agg(feature order by number) from mlops.explain('trees@1', (select s from shop s where id = 7), top => 1) with ordinality e(feature, value, contribution, number)),
		  '{big,(others),(base value)}', 'the strongest, and the others together');
select is((select count(*) from mlops.explain('trees@1', (select s from shop s where id = 7), top => 8)), 9::bigint, 'no others where all are shown');
select is((select count(*) from mlops.explain('trees@1', (select s from shop s where id = 7), top => 0)), 2::bigint, 'or only they');
select is((select value from mlops.explain('yes@1', (select s from shop s where id = 7)) where feature = '(base value)'), 'true', 'the base value names the class that is explained');
select is((select count(distinct contribution) from shop s, lateral mlops.explain('trees@1', s) where id <= 100 and feature = '(base value)'), 1::bigint, 'it does not depend on the row');

-- of a linear model: the coefficient times the distance from the mean of the training rows
select ok((select max(abs(e.contribution - c.raw_coefficient * (s.big - r.mean))) < 1e-9
			 from shop s, mlops.coefficients('line@1') c, mlops.recipe('line@1') r, lateral mlops.explain('line@1', s) e
			where s.id <= 50 and c.feature = 'big' and c.term = 'value' and r."column" = 'big' and e.feature = 'big'), 'a coefficient times the distance from the mean');
select is((select count(distinct round((e.contribution - c.coefficient)::numeric, 9))
			 from shop s, mlops.coefficients('line@1') c, lateral mlops.explain('line@1', s) e
			where s.id <= 50 and c.term = 'level' and c.feature = 'kind' and c.level = s.kind and e.feature = 'kind'), 1::bigint, 'or of its level, from the mean of them all');
select is_empty($$select from mlops.explain('trees@1', null::shop)$$, 'no row, no explanation');
select is_empty($$select from mlops.explain(null, (select s from shop s where id = 7))$$, 'no model, none either');
select is_empty($$select from mlops.explain_class('yes@1', (select s from shop s where id = 7), null)$$, 'no class, none');
select * from finish();
rollback;
