-- Conditions are asked of facts in jsonb, in SQL's logic, and are never run.
\ir include/begin.sql
select plan(17);
create function pg_temp.holds(condition text) returns boolean language sql as $$
	select mlops.condition_holds(condition, '{"roc_auc": 0.93, "algorithm": "mlp", "tag": {"team": "risk", "a.b": 1}, "tag.team": "fraud", "passed": true,
		"gone": null, "list": [1], "huge": 1e400}')
$$;
select is(pg_temp.holds('roc_auc >= 0.92 and algorithm = ''mlp'''), true, 'numbers and texts');
select is(pg_temp.holds('tag.team = ''fraud'''), true, 'a field whose name has a dot comes first');
select is(pg_temp.holds('tag.a.b = 1'), true, 'then a field of an object');
select is(pg_temp.holds('passed and not passed is null'), true, 'booleans');
select is(pg_temp.holds('roc_auc > 0.95'), false, 'false');
select is(pg_temp.holds('not nothing > 1'), null, 'unknown where a fact is missing');
select is(pg_temp.holds('gone > 1 or list = 1 or tag = 1 or roc_auc.x = 1'), null, 'or is null, an array, an object, or no object');
select is(pg_temp.holds('huge > 1'), true, 'numbers beyond all doubles are infinite');
select is((select array_agg(mlops.condition_holds(c, f) order by i, f)
			 from unnest(array['a > 1', 'a > 2', 'a > 1']) with ordinality c (c, i), unnest(array['{"a": 2}', '{"a": 1}']::jsonb[]) f),
		  '{f,t,f,f,f,t}', 'conditions that change from row to row');
select is(mlops.condition_names('b > a and (tag.team = ''a'' or b is null or "c d" > 1)'), '{b,a,tag.team,"c d"}', 'names, each once');
select is(mlops.condition_names('1 = 1'), '{}', 'none');
select throws_ok($$select pg_temp.holds('roc_auc > 0.9; drop table x')$$, '22023',
				 'invalid condition: expected a name, a value or an operator at character 14, found ";"');
select throws_ok($$select pg_temp.holds('pg_sleep(1) > 0')$$, '22023',
				 'invalid condition: expected "and", "or" or the end at character 9, found "("');
select throws_ok($$select pg_temp.holds('name ä')$$, '22023', 'invalid condition: expected "and", "or" or the end at character 6, found "ä"');
select throws_ok($$select mlops.condition_names(repeat('(', 100) || 'a' || repeat(')', 100))$$, '54000', 'a condition has at most 64 levels');
select throws_ok($$select mlops.condition_holds('a', '[1]')$$, '22023', 'the facts of a condition must be a jsonb object');
select is((select array_agg(distinct provolatile::text || proparallel::text || proisstrict::text) from pg_proc where proname like 'condition\_%' and pronamespace = 'mlops'::regnamespace),
		  '{istrue}', 'immutable, parallel safe, strict');
select * from finish();
rollback;
