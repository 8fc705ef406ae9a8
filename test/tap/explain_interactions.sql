-- explain_interactions(): what columns do alone and in pairs; it adds up to the contributions, and to the margin.
\ir include/begin.sql
create table board as select i as id, i % 7 as x, i * 3 % 11 as y, i * 5 % 13 as z, (i % 7) * 2.0 + (i * 3 % 11 > 5)::int * (i * 5 % 13) as price,
							 (i % 7 + i * 3 % 11) / 6 as grade
  from generate_series(1, 1001) i;
do $$
begin
	perform mlops.train('price', 'board', 'price', exclude => '{id,grade}', params => '{"n_estimators": 20, "max_depth": 3}'),
			mlops.train('single', 'board', 'price', exclude => '{id,grade}', params => '{"n_estimators": 20, "max_depth": 1}'),
			mlops.train('line', 'board', 'price', 'linear_regression', exclude => '{id,grade}'),
			mlops.train('grade', 'board', 'grade', exclude => '{id,price}', params => '{"n_estimators": 5, "max_depth": 3}');
end
$$;
select plan(11);
select is_empty($$select from board b, lateral (select sum(contribution) as total from mlops.explain_interactions('price@1', b)) e
				   where b.id <= 200 and abs(e.total - mlops.predict('price@1', b)) > 1e-9$$, 'they add up to the prediction');
select is_empty($$
	select from board b, lateral mlops.explain('price@1', b) e,
		   lateral (select sum(case when with_feature is null then contribution else contribution / 2 end) as total from mlops.explain_interactions('price@1', b) i
					 where e.feature in (i.feature, i.with_feature)) s
	 where b.id <= 200 and e.feature <> '(base value)' and abs(e.contribution - s.total) > 1e-9
$$, 'half of each pair and what a column does alone are its contribution');
select is((select count(*) from (select feature, with_feature from mlops.explain_interactions('price@1', (select b from board b where id = 1)) group by 1, 2 having count(*) > 1) s),
		  0::bigint, 'each pair is there once');
select is((select array_agg(feature || ' ' || with_feature) from (select * from mlops.explain_interactions('price@1', (select b from board b where id = 5)) where with_feature is not null limit 1) s),
		  '{y z}', 'the pair that the price is made of is the strongest');
select is_empty($$select from board b, lateral mlops.explain_interactions('single@1', b) where b.id <= 100 and with_feature is not null$$, 'trees of one split have none');
select is_empty($$select from board b, lateral mlops.explain_interactions('line@1', b) where b.id <= 100 and with_feature is not null$$, 'nor has a linear model');
select is_empty($$select from board b, lateral (select sum(contribution) as total from mlops.explain_interactions('line@1', b)) e
				   where b.id <= 100 and abs(e.total - mlops.predict('line@1', b)) > 1e-9$$, 'whose columns still add up');
select is((select count(*) from mlops.explain_interactions('price@1', (select b from board b where id = 1), top => 2)), 4::bigint, 'the strongest, the others, the base value');
select is_empty($$select from board b, lateral (select sum(contribution) as total from mlops.explain_interactions('price@1', b, 2)) e
				   where b.id <= 100 and abs(e.total - mlops.predict('price@1', b)) > 1e-9$$, 'they add up, too');
select is_empty($$select from board b, lateral (select sum(contribution) as total from mlops.explain_interactions('grade@1', b)) i,
						lateral (select sum(contribution) as total from mlops.explain('grade@1', b)) e where b.id <= 100 and abs(i.total - e.total) > 1e-9$$, 'of the predicted class');
select is_empty($$select from mlops.explain_interactions('price@1', null::board)$$, 'no row, none');
select * from finish();
rollback;
