-- Features that a model cannot use are errors that name the column.
\ir include/begin.sql
\ir include/trained.sql
create function pg_temp.complaint(statement text) returns text language plpgsql as $$
declare
	message text; detail text; hint text;
begin
	execute statement;
	return 'none';
exception when others then
	get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
	return sqlstate || ' ' || concat_ws(' | ', message, detail, hint);
end $$;
select plan(23);
select matches(pg_temp.complaint($$select mlops.predict('price', r) from (select 1 as whole, 2 as colours) r$$), '^42703 .*colour', 'missing columns');
select matches(pg_temp.complaint($$select mlops.predict('price', r) from (select (to_jsonb(t) - 'colour' || '{"color": "red"}') as r from thing t) x$$),
			   '^42703 the features lack column "colour".*expects small, whole.*"color" is near', 'a missing key, and the nearest one');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) - 'x') from thing t$$), '^42703 .*x\[1\], x\[2\], x\[3\]', 'a missing array');
create view mistyped as select *, '7'::text as seven from thing;
alter view mistyped rename whole to "old whole";
alter view mistyped rename seven to whole;
select matches(pg_temp.complaint($$select mlops.predict('price', m) from mistyped m$$), '^42804 .*"whole" is of type text.*a number.*integer', 'a text for a number');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"whole": "7"}') from thing t$$), '^42804 .*"whole".*JSON string.*a number', 'a string for a number');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"whole": true}') from thing t$$), '^42804 .*"whole".*JSON boolean', 'a boolean for a number');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"whole": {"a": 1}}') from thing t$$), '^42804 .*"whole".*JSON object', 'an object');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"flag": 2}') from thing t$$), '^22023 .*"flag" holds 2', 'a number that is no boolean');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"day": 7305}') from thing t$$), '^42804 .*"day".*JSON number.*a date', 'a number for a date');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"day": "1/2/2020"}') from thing t$$), '^22007 .*"day" holds "1/2/2020"', 'a date that depends on DateStyle');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"day": "2020-13-45"}') from thing t$$), '^22008', 'a day that is none');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"x[1]": 1}') from thing t$$), '^42703 .*lack 2 columns: .*x\[2\].*x\[3\]', 'one element by its name and the array');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"x": [1, 2]}') from thing t$$), '^2202E .*"x" has 2 elements.*expects 3', 'an array too short');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t) || '{"x": 5}') from thing t$$), '^42804 .*"x".*array of 3', 'no array');
select matches(pg_temp.complaint($$select mlops.predict('price', to_jsonb(t.x)) from thing t$$), '^42804 .*JSON object', 'no object');
select matches(pg_temp.complaint($$select mlops.predict('price', array[1, 2, 3])$$), '^42804 .*by name', 'positions, where names are needed');
select mlops.train('plain', 'thing', 'price', 'linear_regression', features => '{small,single}');
select matches(pg_temp.complaint($$select mlops.predict('plain@1', array[[1, 2]])$$), '^2202E .*more than one dimension', 'the right number in two dimensions');
select matches(pg_temp.complaint($$select mlops.predict('plain@1', array[1, 2, 3])$$), '^2202E .*3 elements.*expects 2', 'too many positions');
select matches(pg_temp.complaint($$select mlops.predict('plain@1', r) from (select 1 as small, 2 as small, 3 as single) r$$), '^42702 .*"small"', 'a name twice');
select matches(pg_temp.complaint($$select mlops.predict('price', 5)$$), '^42883', 'what is no row');
select matches(pg_temp.complaint($$select mlops.predict_proba('mood', t, 'happy') from thing t$$), '^22023 .*"happy".*merry, sad', 'a class that is none');
select matches(pg_temp.complaint($$select mlops.predict('mood', t) from thing t$$), '^42804 .*predict_class', 'a number of a text');
select matches(pg_temp.complaint($$select mlops.predict_proba('price', t) from thing t$$), '^42804 .*predict\(\)', 'a probability of a number');
select * from finish();
rollback;
