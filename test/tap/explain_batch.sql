-- explain_batch(): what explain() says of each row, for all rows of a source.
\ir include/begin.sql
\ir include/trained.sql
do $$
begin
	perform mlops.train('trees', 'thing', 'price', exclude => '{id,sold,grade,mood}', params => '{"n_estimators": 10}'),
			mlops.train('classes', 'thing', 'grade', exclude => '{id,price,sold,mood}', params => '{"n_estimators": 5}');
end
$$;
select plan(13);
select is((select count(distinct id) from mlops.explain_batch('trees@1', 'select * from thing limit 3', 'id')), 3::bigint, 'rows whose description is not the plan''s, first of all in a session');
select set_eq(format($$select id::int, feature, value, contribution from mlops.explain_batch(%L, 'thing', 'id')$$, model || '@1'),
			  format($$select t.id, e.* from thing t, lateral mlops.explain(%L, t) e$$, model || '@1'), model || ': a table')
  from unnest('{trees,classes,mood,price}'::text[]) model;
select set_eq($$select id::int, feature, value, contribution from mlops.explain_batch('trees@1', 'select * from thing where id < 20 order by id desc', 'id', 2)$$,
			  $$select t.id, e.* from thing t, lateral mlops.explain('trees@1', t, 2) e where id < 20$$, 'a query, the strongest');
select results_eq($$select distinct on (id) id::int, contribution from mlops.explain_batch('trees@1', 'select * from thing where id < 4', 'id') where feature = '(base value)' order by id$$,
				  $$select i, contribution from generate_series(1, 3) i, lateral mlops.explain('trees@1', (select t from thing t where id = 1)) where feature = '(base value)'$$, 'the base value in each');
select is((select count(*) from mlops.explain_batch('trees@1', 'thing') where id is null), (select 400 * (count(*) + 1) from mlops.recipe('trees@1') r where r."column" !~ '\[')
		  + 400 * (select count(*) from mlops.recipe('trees@1') r where r."column" ~ '\['), 'rows without an id');
select is((select min(id) from mlops.explain_batch('trees@1', 'select * from thing where id = 7', 'day')), (select day::text from thing where id = 7), 'a feature as the id');
select is_empty($$select from mlops.explain_batch('trees@1', 'select * from thing where false', 'id')$$, 'no rows');
select is((select count(*) from mlops.explain_batch('trees@1', 'select t.*, null as other from thing t where id = 7', 'other') where id is null),
		  (select count(*) from mlops.explain_batch('trees@1', 'select * from thing where id = 7')), 'an id that is null');
set transaction read only;
select is((select count(distinct id) from mlops.explain_batch('trees@1', 'thing', 'id')), 400::bigint, 'in a read-only transaction');
select is((select round(sum(contribution)::numeric, 6) from mlops.explain_batch('trees@1', 'thing', 'id')), (select round(sum(mlops.predict('trees@1', t))::numeric, 6) from thing t),
		  'the sum of all is the sum of the predictions');
select * from finish();
rollback;
