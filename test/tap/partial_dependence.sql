-- partial_dependence() and ice(): predictions of the rows of a source if one column had other values.
\ir include/begin.sql
create table shop as
select i as id, i % 10 as big, case when i % 8 > 0 then i * 7 % 19 end as small, (array['a', 'b', 'c'])[i % 3 + 1] as kind, i % 2 = 0 as flag,
	   (i % 10) * 3.0 + coalesce(i * 7 % 19, 0) + i % 3 as price, i % 10 > 4 as yes, i % 10 / 4 as grade
  from generate_series(1, 600) i;
do $$
begin
	perform mlops.train('price', 'shop', 'price', features => '{big,small,kind,flag}', params => '{"n_estimators": 20}'),
			mlops.train('line', 'shop', 'price', 'linear_regression', features => '{big}'),
			mlops.train('yes', 'shop', 'yes', features => '{big,small}', params => '{"n_estimators": 5}'),
			mlops.train('grade', 'shop', 'grade', features => '{big,small}', params => '{"n_estimators": 5}');
end
$$;
select plan(16);
select results_eq($$select value::int, round(prediction::numeric, 9) from mlops.partial_dependence('price@1', 'shop', 'big') order by value::int$$,
				  $$select v, round(avg(mlops.predict('price@1', to_jsonb(s) || jsonb_build_object('big', v)))::numeric, 9) from shop s, generate_series(0, 9) v group by v order by v$$,
				  'the mean over all rows, with each value');
select is((select array_agg(value) from mlops.partial_dependence('price@1', 'shop', 'small', 3)), '{0,9,18,NULL}', 'numbers at even shares, then the missing value');
select is((select array_agg(value) from mlops.partial_dependence('price@1', 'shop', 'kind', 2)), '{a,b,c}', 'categories are all there');
select is((select array_agg(value) from mlops.partial_dependence('price@1', 'shop', 'flag')), '{false,true}', 'booleans');
select is((select array_agg(value) from mlops.partial_dependence('price@1', 'shop', 'big', 1)), '{4}', 'one value');
select is((select count(*) from mlops.partial_dependence('price@1', 'shop', 'big', 1000)), 10::bigint, 'no more values than there are');
select ok((select stddev(step) < 1e-9 from (select prediction - lag(prediction) over (order by value::int) as step from mlops.partial_dependence('line@1', 'shop', 'big')) s),
		  'a line is a line');
select results_eq($$select class, round(sum(prediction)::numeric, 9) from mlops.partial_dependence('yes@1', 'shop', 'big') group by 1$$,
				  $$select 'true'::text, round(sum(p)::numeric, 9) from (select avg(mlops.predict_proba('yes@1', to_jsonb(s) || jsonb_build_object('big', v))) as p from shop s, generate_series(0, 9) v group by v) q$$,
				  'of two classes the probability of the second');
select ok((select bool_and(abs(total - 1) < 1e-9) and count(*) = 10 from (select sum(prediction) as total from mlops.partial_dependence('grade@1', 'shop', 'big') group by value having count(distinct class) = 3) s),
		  'of more that of each');
select is((select class from mlops.partial_dependence('price@1', 'shop', 'big', 1)), null, 'of a regression no class');
select is_empty($$select from mlops.partial_dependence('price@1', 'select * from shop where false', 'big')$$, 'no rows, no values');
select set_eq($$select id::int, value, prediction from mlops.ice('price@1', 'select * from shop where id <= 30', 'kind', id => 'id')$$,
			  $$select id, k, mlops.predict('price@1', to_jsonb(s) || jsonb_build_object('kind', k)) from shop s, unnest('{a,b,c}'::text[]) k where id <= 30$$, 'single rows');
select results_eq($$select value, round(avg(prediction)::numeric, 9) from mlops.ice('price@1', 'shop', 'small', 5) group by value order by value$$,
				  $$select value, round(prediction::numeric, 9) from mlops.partial_dependence('price@1', 'shop', 'small', 5) order by value$$, 'their mean is the partial dependence');
select is((select count(*) from mlops.ice('grade@1', 'shop', 'big', 2) where id is null), 600 * 2 * 3::bigint, 'each class of each value of each row; without an id');
set transaction read only;
select is((select count(*) from mlops.partial_dependence('price@1', 'shop', 'big')), 10::bigint, 'in a read-only transaction');
select is((select count(*) from mlops.ice('price@1', 'shop', 'flag')), 1200::bigint, 'both');
select * from finish();
rollback;
