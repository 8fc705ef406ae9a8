-- Temporary tables of whoever runs a test or a training again do not take the place of tables that functions of others name.
\ir include/begin.sql
\ir include/refusal.sql
create role tess;
create role rita;
create role mia_member in role rita;
create table golden as select n as id, n * 1.0 as age, n * 2.0 as income from generate_series(1, 200) n;
grant select on golden to tess, rita;
grant create on schema public to rita;
set local role tess;
select set_config('search_path', 'public', true);
select mlops.create_project('people') as people \gset
select mlops.grant_access('people', 'rita', 'scientist'), mlops.grant_access('people', 'rita', 'reviewer');
select version from mlops.train('income', 'golden', 'income', 'baseline', exclude => '{id}', project => 'people');

-- a test, its function as people write them; the search_path may even name temporary tables
set local role rita;
create function answers(version text) returns bigint language plpgsql stable as $$
begin
	return (select count(*) from golden where abs(mlops.predict(version, golden) - income) > 1);
end
$$;
create function rows_there() returns setof golden language plpgsql stable as $$ begin return query select * from golden; end $$;
select mlops.add_test('income', 'golden', 'select answers(''{model}'') as wrong', 'wrong = 0');
set local search_path = pg_temp, public;
select mlops.add_test('income', 'first of all', 'select answers(''{model}'') as wrong', 'wrong = 0');
set local search_path = public;
select version from mlops.train('again', 'select * from rows_there()', 'income', 'baseline', exclude => '{id}', project => 'people');
select plan(7);

set local role tess;
select results_eq($$select name, holds from mlops.run_tests('income') order by 1$$, $$values ('first of all', false), ('golden', false)$$, 'a bad version fails');
create temporary table golden (id integer, age numeric, income numeric);
grant select on golden to public;
select results_eq($$select name, holds from mlops.run_tests('income') order by 1$$, $$values ('first of all', false), ('golden', false)$$,
				  'also where its author has a temporary table of the name');
select is((select string_agg(detail ->> 'error', '; ') from mlops.run_tests('income')), null, 'which is no error');
select is(current_setting('search_path'), 'public', 'the caller''s search_path is as it was');
select is((select count(*) from golden), 0::bigint, 'and finds the temporary table');
set local role mia_member;
select lives_ok($$select mlops.retrain('again', deploy => 'never')$$, 'a training is repeated');
reset role;
select is((select row_count from mlops.snapshot order by id desc limit 1), 200::bigint, 'from the rows of the table that its author meant');
select * from finish();
rollback;
