-- NULL, NaN and levels that training never saw follow the recipe.
\ir include/begin.sql
\ir include/trained.sql
select mlops.train('fixed', 'thing', 'price', 'linear_regression', features => '{whole,colour}',
				   preprocess => '{"whole": {"missing": "zero"}, "colour": {"missing": "most_frequent", "unseen": "error"}}');
select mlops.train('strict', 'thing', 'price', 'linear_regression', features => '{whole,colour}', preprocess => '{"*": {"missing": "error"}}');
select plan(13);
select is(mlops.predict('price', null::thing), null, 'no row, no answer');
select is(mlops.predict('price', null::jsonb), null, 'nor without an object');
select is(mlops.predict(null::text, t), null, 'nor without a model') from thing t where id = 1;
select isnt(mlops.predict('price', json_populate_record(null::thing, '{}')), null, 'a row of NULLs is answered');
select is(mlops.predict('fixed@1', '{"whole": null, "colour": "red"}'::jsonb), mlops.predict('fixed@1', '{"whole": 0, "colour": "red"}'::jsonb), 'zero');
select is(mlops.predict('fixed@1', '{"whole": "NaN", "colour": "red"}'::jsonb), mlops.predict('fixed@1', r), 'NaN is missing')
  from (select 'NaN'::float8 as whole, 'red' as colour) r;
select is(mlops.predict('fixed@1', '{"whole": 1, "colour": null}'::jsonb),
		  mlops.predict('fixed@1', jsonb_build_object('whole', 1, 'colour', (select fill from mlops.recipe('fixed@1') where "column" = 'colour'))), 'the most frequent level');
select throws_ok($$select mlops.predict('fixed@1', '{"whole": 1, "colour": "pink"}'::jsonb)$$, '22023', null, 'an unseen level that the recipe refuses');
select throws_matching($$select mlops.predict('fixed@1', '{"whole": 1, "colour": "pink"}'::jsonb)$$, '"colour" holds "pink"', 'is named');
select throws_ok($$select mlops.predict('fixed@1', r) from (select 1 as whole, 'pink' as colour) r$$, '22023', null, 'in a row, too');
select is(mlops.predict('price', to_jsonb(t) || '{"colour": "pink"}'), mlops.predict('price', to_jsonb(t) || '{"colour": null}'), 'or takes as missing')
  from thing t where id = 1;
select throws_ok($$select mlops.predict('strict@1', '{"whole": null, "colour": "red"}'::jsonb)$$, '22000', null, 'a missing value that the recipe refuses');
select throws_matching($$select mlops.predict('strict@1', '{"whole": null, "colour": "red"}'::jsonb)$$, '"whole"', 'is named');
select * from finish();
rollback;
