-- The answer does not depend on how a row arrives: as a table's row, in another order, with other number types, as jsonb.
\ir include/begin.sql
\ir include/trained.sql
create view disguised as
select x::float8[] as x, key::text as key, shade::text as shade, code::text as code, colour::varchar(20) as colour, took, zoned, at, day,
	   flag::int::numeric as flag, share::float8 as share, amount::float8 as amount, double, single, big::smallint as big, whole::numeric as whole,
	   small::bigint as small, 'more' as more, id
  from thing;
select plan(9);
select results_eq($$select mlops.predict('price', d) from disguised d order by id$$, $$select mlops.predict('price', t) from thing t order by id$$, 'another row type');
select results_eq($$select mlops.predict('price', to_jsonb(t)) from thing t order by id$$, $$select mlops.predict('price', t) from thing t order by id$$, 'jsonb');
select results_eq($$select mlops.predict('price', to_jsonb(t) || '{"more": [1]}') from thing t order by id$$, $$select mlops.predict('price', t) from thing t order by id$$,
				  'with a key too many');
select results_eq($$select mlops.predict_proba('sold', d) from disguised d order by id$$, $$select mlops.predict_proba('sold', to_jsonb(t)) from thing t order by id$$, 'a probability');
select results_eq($$select mlops.predict_class('grade', d) from disguised d order by id$$, $$select mlops.predict('grade', to_jsonb(t))::int::text from thing t order by id$$, 'a class');
select results_eq($$select (mlops.predict_all('mood', d) ->> 'sad')::float8 from disguised d order by id$$,
				  $$select mlops.predict_proba('mood', to_jsonb(t), 'sad') from thing t order by id$$, 'all classes');
set local timezone = 'Asia/Kolkata';
set local datestyle = 'German, DMY';
set local intervalstyle = 'sql_standard';
select results_eq($$select mlops.predict('price', to_jsonb(t)) from thing t order by id$$, $$select mlops.predict('price', t) from thing t order by id$$,
				  'jsonb under other settings');
select mlops.train('plain', 'thing', 'price', 'linear_regression', features => '{small,single,flag,x}');
select results_eq($$select mlops.predict('plain@1', array[small, single, flag::int, x[1], x[2], x[3]]::float8[]) from thing order by id$$,
				  $$select mlops.predict('plain@1', t) from thing t order by id$$, 'an array, by position');
select results_eq($$select mlops.predict('plain@1', array[small, single, null, x[1], x[2], x[3]]::float8[]) from thing order by id$$,
				  $$select mlops.predict('plain@1', to_jsonb(t) || '{"flag": null}') from thing t order by id$$, 'NULL in it is a missing value');
select * from finish();
rollback;
