-- The explain family says what is wrong with what it is given, as predict() does.
\ir include/begin.sql
\ir include/refusal.sql
create table shop as select i as id, i % 10 as big, i * 7 % 19 as small, (i % 10) * 3.0 + (i * 7 % 19) as price, i % 10 > 4 as yes from generate_series(1, 500) i;
do $$
begin
	perform mlops.train('price', 'shop', 'price', features => '{big,small}'), mlops.train('yes', 'shop', 'yes', features => '{big,small}');
end
$$;
select plan(27);
select matches(pg_temp.refusal(format($$select mlops.%s('price@1', '{"big": 1}'::jsonb)$$, f)), '^42703 .*"small"', f || '(): a column that lacks')
  from unnest('{explain,explain_text,explain_interactions}'::text[]) f;
select matches(pg_temp.refusal(format($$select mlops.%s('price@1', '{"big": "a", "small": 1}'::jsonb)$$, f)), '^42804 .*"big"', f || '(): a value of another type')
  from unnest('{explain,explain_text,explain_interactions}'::text[]) f;
select matches(pg_temp.refusal(format($$select mlops.%s('pric', '{"big": 1, "small": 1}'::jsonb)$$, f)), '^42704 .*price', f || '(): no such model')
  from unnest('{explain,explain_text,explain_interactions}'::text[]) f;
select matches(pg_temp.refusal($$select mlops.explain('price', '{"big": 1, "small": 1}'::jsonb)$$), '^55000', 'not deployed');
select matches(pg_temp.refusal($$select mlops.explain('price@1', array[1.0])$$), '^2202E', 'an array of another length');
select matches(pg_temp.refusal($$select mlops.explain('price@1', '{"big": 1, "small": 1}'::jsonb, -1)$$), '^22023 top', 'top below 0');
select matches(pg_temp.refusal($$select mlops.explain_class('price@1', '{"big": 1, "small": 1}'::jsonb, 'a')$$), '^42804 .*regression.*mlops.explain\(\)', 'a class of a regression');
select matches(pg_temp.refusal($$select mlops.explain_class('yes@1', '{"big": 1, "small": 1}'::jsonb, 'tru')$$), '^22023 .*"tru".*false, true', 'an unknown class');
select matches(pg_temp.refusal($$select mlops.explain_batch('price@1', null)$$), '^22023 .*source', 'no source');
select matches(pg_temp.refusal($$select mlops.explain_batch(null, 'shop')$$), '^22023 .*model', 'no model');
select matches(pg_temp.refusal($$select mlops.explain_batch('price@1', 'select big from shop')$$), '^42703 .*"small".*expects big, small', 'a source that lacks a column');
select matches(pg_temp.refusal($$select mlops.explain_batch('price@1', 'shop', 'idd')$$), '^42703 .*"idd".*id', 'an id that it lacks');
select matches(pg_temp.refusal($$select mlops.explain_batch('price@1', 'select big::text, small from shop')$$), '^42804 .*"big"', 'a column of another type');
select matches(pg_temp.refusal($$select mlops.explain_batch('price@1', 'delete from shop')$$), '^0A000', 'a source that writes');
select matches(pg_temp.refusal($$select mlops.partial_dependence('price@1', 'shop', 'bg')$$), '^42703 .*"bg".*big', 'an unknown feature');
select matches(pg_temp.refusal($$select mlops.partial_dependence('price@1', 'shop', 'big', 0)$$), '^22023 points', 'no points');
select matches(pg_temp.refusal($$select mlops.partial_dependence('price@1', 'shop', null)$$), '^22023 .*feature', 'no feature');
select matches(pg_temp.refusal($$set local mlops.max_memory = '8MB'; select mlops.ice('price@1', 'select g as big, g as small from generate_series(1, 300000) g', 'big')$$), '^54000 .*8 MB.*sample',
			   'more rows than memory');
select matches(pg_temp.refusal($$select mlops.what_if('price@1', '{"big": 1, "small": 1}'::jsonb, '{"bg": 2}')$$), '^42703 .*"bg".*big', 'a change of an unknown column');
select matches(pg_temp.refusal($$select mlops.what_if('price@1', '{"big": 1, "small": 1}'::jsonb, '{"big": "b"}')$$), '^42804 .*"big"', 'to another type');
select matches(pg_temp.refusal($$select mlops.what_if('price@1', '{"big": 1, "small": 1}'::jsonb, '[1]')$$), '^22023 changes', 'no object');
select * from finish();
rollback;
