-- explain(): for every row, of every algorithm, the contributions and the base value add up to the margin of the prediction.
\ir include/begin.sql
\ir include/trained.sql
create table boom as select id, small, whole, single, flag, day, colour, code, nullif(big, 3) as big, amount, took, x, price, sold, grade, mood from thing;
do $$
begin
	perform mlops.train('value_' || algorithm, 'boom', 'price', algorithm, exclude => '{id,sold,grade,mood}'),
			mlops.train('two_' || algorithm, 'boom', 'mood', algorithm, exclude => '{id,price,sold,grade}'),
			mlops.train('more_' || algorithm, 'boom', 'grade', algorithm, exclude => '{id,price,sold,mood}')
	   from unnest('{gradient_boosting,random_forest,extra_trees,decision_tree,baseline}'::text[]) algorithm;
	perform mlops.train('numbers', 'boom', 'price', features => '{small,whole,big}'),
			mlops.train('value_linear', 'boom', 'price', 'linear_regression', exclude => '{id,sold,grade,mood}'),
			mlops.train('two_linear', 'boom', 'mood', 'logistic_regression', exclude => '{id,price,sold,grade}'),
			mlops.train('more_linear', 'boom', 'grade', 'logistic_regression', exclude => '{id,price,sold,mood}'),
			mlops.train('rate', 'boom', 'price', exclude => '{id,sold,grade,mood}', params => '{"objective": "gamma"}');
end
$$;
-- the largest difference, over all rows, between a sum of contributions and what the link makes of the prediction
create function pg_temp.miss(model text, margin text, predict text default 'predict_proba', class text default null) returns float8 language plpgsql as $$
declare
	worst float8;
begin
	execute format('select max(abs(e.total - %1$s)) from boom b, lateral (select mlops.%2$s(%3$L, b%4$s) as p) v,
		lateral (select sum(contribution) as total from mlops.%5$s(%3$L, b%4$s)) e',
				   margin, predict, model || '@1', case when class is null then '' else format(', %L', class) end,
				   case when class is null then 'explain' else 'explain_class' end)
	   into worst;
	return worst;
end $$;
-- the same of the softmax of the scores of three classes
create function pg_temp.softmax_miss(model text) returns float8 language sql as $$
	select max(abs(ln(p) - total + log_sum)) from (
		select mlops.predict_proba(model || '@1', b, class) as p, e.total, ln(sum(exp(e.total)) over (partition by b.id)) as log_sum
		  from boom b, unnest('{1,2,3}'::text[]) class, lateral (select sum(contribution) as total from mlops.explain_class(model || '@1', b, class)) e) s
$$;
-- every algorithm there is, by what it can do; one that cannot be explained would fail here
do $$
declare algorithm record;
begin
	for algorithm in select name, case when 'regression' = any (tasks) then 'price' else 'mood' end as target from mlops.algorithm loop
		perform mlops.train('each_' || algorithm.name, 'boom', algorithm.target, algorithm.name,
							exclude => array_remove('{id,price,sold,grade,mood}'::text[], algorithm.target));
	end loop;
end
$$;
select plan(27);
select is_empty($$
	select a.name from mlops.algorithm a where (select count(*) from boom b, lateral mlops.explain('each_' || a.name || '@1', b) e where b.id = 7)
		is distinct from (select count(*) from mlops.model_signature s join mlops.model m on m.id = s.model_id where m.name = 'each_' || a.name and s.version = 1)
$$, 'every algorithm has explanations');
select cmp_ok(pg_temp.miss('value_' || algorithm, 'p', 'predict'), '<', 1e-9::float8, algorithm || ', a value')
  from unnest('{gradient_boosting,random_forest,extra_trees,decision_tree,linear,baseline}'::text[]) algorithm;
select cmp_ok(pg_temp.miss('rate', 'ln(p)', 'predict'), '<', 1e-9::float8, 'a rate, by its logarithm');
select cmp_ok(pg_temp.miss('two_' || algorithm, 'ln(p / (1 - p))'), '<', 1e-6::float8, algorithm || ', log odds of the second class')
  from unnest('{gradient_boosting,linear}'::text[]) algorithm;
select cmp_ok(pg_temp.miss('two_' || algorithm, 'p'), '<', 1e-9::float8, algorithm || ', probability of the second class')
  from unnest('{random_forest,extra_trees,decision_tree,baseline}'::text[]) algorithm;
select cmp_ok(pg_temp.miss('two_gradient_boosting', 'ln(p / (1 - p))', class => 'merry'), '<', 1e-6::float8, 'log odds of the first class');
select cmp_ok(pg_temp.miss('two_gradient_boosting', 'ln(p / (1 - p))', class => 'sad'), '<', 1e-6::float8, 'and of the second');
select cmp_ok(pg_temp.miss('two_random_forest', 'p', class => 'merry'), '<', 1e-9::float8, 'its probability');
select cmp_ok(pg_temp.softmax_miss('more_' || algorithm), '<', 1e-6::float8, algorithm || ', scores of three classes')
  from unnest('{gradient_boosting,linear}'::text[]) algorithm;
select cmp_ok(max(pg_temp.miss('more_' || algorithm, 'p', class => class)), '<', 1e-9::float8, algorithm || ', probabilities of three classes')
  from unnest('{random_forest,extra_trees,decision_tree,baseline}'::text[]) algorithm, unnest('{1,2,3}'::text[]) class group by algorithm;
select is_empty($$
	select from boom b, lateral (select value from mlops.explain('more_gradient_boosting@1', b) where feature = '(base value)') e
	 where e.value is distinct from mlops.predict_class('more_gradient_boosting@1', b)
$$, 'of more than two classes the predicted one is explained');
select is_empty($$
	select from boom b, lateral (select array_agg(e order by e.feature) as rows from mlops.explain('value_gradient_boosting@1', b) e) r,
		   lateral (select array_agg(e order by e.feature) as rows from mlops.explain('value_gradient_boosting@1', to_jsonb(b)) e) j
	 where r.rows::text is distinct from j.rows::text
$$, 'a row or jsonb');
select is_empty($$
	select from boom b, lateral (select sum(contribution) as total from mlops.explain('numbers@1', array[b.small, b.whole, b.big])) e
	 where abs(e.total - mlops.predict('numbers@1', b)) > 1e-9
$$, 'or an array');
select is_empty($$
	select from boom b, lateral (select sum(contribution) as total from mlops.explain('value_gradient_boosting@1', b, 2)) few,
		   lateral (select sum(contribution) as total from mlops.explain('value_gradient_boosting@1', b)) every
	 where abs(few.total - every.total) > 1e-9
$$, 'with the sum of the others where only the strongest are shown');
select * from finish();
rollback;
