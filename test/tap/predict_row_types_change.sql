-- Columns are matched by name whenever a row type changes: dropped, added, moved, between two calls of one expression.
\ir include/begin.sql
\ir include/trained.sql
select mlops.train('two', 'thing', 'price', 'linear_regression', features => '{whole,small}');
select mlops.deploy('two');
create table row_of (small int, extra text, whole int);
insert into row_of values (3, 'x', 40);
create function pg_temp.answer() returns float8 language plpgsql as $$ begin return (select mlops.predict('two', r) from row_of r limit 1); end $$;
create function pg_temp.as_the_table_changes() returns float8[] language plpgsql as $$
declare
	seen float8[] := '{}';
	step text;
	r record;
begin
	foreach step in array array['select 1', 'alter table row_of drop column extra', 'alter table row_of add column before int default 7',
								'alter table row_of alter column whole type numeric', 'alter table row_of rename whole to old',
								'alter table row_of add column whole float8 default 40'] loop
		execute step;
		begin
			select * into r from row_of;
			seen := seen || mlops.predict('two', r);
		exception when undefined_column then
			seen := seen || -1::float8;
		end;
	end loop;
	return seen;
end $$;
select mlops.predict('two', '{"whole": 40, "small": 3}'::jsonb) as expected \gset
\set expected :expected '::float8'
select plan(13);
select is(pg_temp.answer(), :expected, 'a table''s row');
select is(pg_temp.as_the_table_changes(), array[:expected, :expected, :expected, :expected, -1, :expected]::float8[], 'one expression, while the table changes');
select is(pg_temp.answer(), :expected, 'a column with a default that no row has stored');
select is(mlops.predict('two', r), :expected, 'a composite value') from (select row_of from row_of) s(r);
select is(mlops.predict('two', r), :expected, 'a row of a subquery') from (select 40 as whole, 3::smallint as small) r;
select results_eq($$select mlops.predict('two', case when n = 1 then (select a from (select 3 as small, 40 as whole) a) else (select b from (select 40 as whole, 3 as small) b) end)
					  from generate_series(1, 4) n$$, array[:expected, :expected, :expected, :expected]::float8[], 'two row types in turn');

-- what is kept from one statement to the next
create table other (whole int, filler text, small int);
insert into other values (40, 'y', 3);
prepare ask as select mlops.predict('two', r) from row_of r limit 1;
prepare ask_other as select mlops.predict('two', o), mlops.predict('two', r) from other o, row_of r limit 1;
select results_eq('execute ask', array[:expected]::float8[], 'a prepared statement');
select results_eq('execute ask_other', $$values ($$ || :expected || $$::float8, $$ || :expected || $$::float8)$$, 'another, with two row types');
savepoint changed;
alter table row_of drop column small;
alter table row_of add column small numeric default 3;
select results_eq('execute ask', array[:expected]::float8[], 'after its table has changed');
rollback to changed;
select results_eq('execute ask', array[:expected]::float8[], 'and changed back');
alter table other rename whole to gone;
select throws_ok('execute ask_other', '42703', null, 'a column that was renamed');
select results_eq('execute ask', array[:expected]::float8[], 'which is no matter of another table');
alter table thing drop column colour;
select throws_ok($$select mlops.predict('price', t) from thing t$$, '42703', null, 'a column that was dropped');
select * from finish();
rollback;
