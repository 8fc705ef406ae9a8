-- The cast of a model to jsonb says what it is, and never its payload.
\ir include/begin.sql
\ir include/trained.sql
select mlops.export_model('grade')::jsonb as grade, mlops.export_model('price')::jsonb as price \gset
select plan(11);
select is(:'grade'::jsonb ->> 'algorithm', 'logistic_regression', 'algorithm');
select is(:'grade'::jsonb ->> 'task', 'multiclass', 'task');
select is(:'grade'::jsonb -> 'target', '{"name": "grade", "type": "integer", "role": "target"}', 'target');
select is(:'grade'::jsonb -> 'classes', '["1", "2", "3"]', 'classes');
select is(:'price'::jsonb -> 'classes', null, 'a regression has none');
select is(jsonb_array_length(:'price'::jsonb -> 'columns'), 19, 'columns, one for each element of an array');
select is(jsonb_path_query_first(:'price', '$.columns[*] ? (@.name == "colour")'),
		  '{"name": "colour", "type": "text", "role": "feature", "kind": "category", "categories": 3}', 'a column');
select is((:'price'::jsonb ->> 'size')::int, length(mlops.export_model('price')::bytea), 'size');
select is(:'price'::jsonb -> 'params' -> 'reg_lambda', '0', 'parameters');
select cmp_ok((:'price'::jsonb -> 'metrics' ->> 'rmse')::float8, '<', (:'price'::jsonb -> 'metrics' -> 'baseline' ->> 'rmse')::float8, 'metrics, and the baseline''s');
select cmp_ok(length(:'grade'), '<', 4000, 'and it is short');
select * from finish();
rollback;
