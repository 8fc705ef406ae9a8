-- Acceptance tests: golden rows, invariances, monotonicity, slices, latency; what they show is evidence, whatever somebody would like.
\ir include/begin.sql
create role tess;
create role rita;
create role otto;
create role sten;
create table person as select n as id, n % 40 as age, case when n % 2 = 0 then 'f' else 'm' end as sex, (n % 40) * 3.0 + n % 3 as income from generate_series(1, 300) n;
grant select on person to tess;
grant create on schema public to tess;
set local role tess;
select set_config('search_path', 'public', true);
select mlops.create_project('people') as people \gset
select mlops.grant_access('people', 'rita', 'reviewer'), mlops.grant_access('people', 'otto', 'operator');
select version from mlops.train('income', 'person', 'income', 'linear_regression', exclude => '{id}', project => 'people');
select version from mlops.train('income', 'person', 'income', 'baseline', exclude => '{id}', project => 'people');
select plan(40);
select lives_ok($$select mlops.add_test('income', 'golden', 'select mlops.predict(''{model}'', p) as answer, income from person p where id <= 10', 'answer - income < 2 and income - answer < 2')$$, 'golden rows');
select lives_ok($$select mlops.add_test('income', 'sex moves little',
	'select abs(mlops.predict(''{model}'', a) - mlops.predict(''{model}'', b)) as moved from (select age, ''f'' as sex from person) a, lateral (select a.age, ''m'' as sex) b limit 50', 'moved < 1')$$, 'an invariance');
select lives_ok($$select mlops.add_test('income', 'grows with age',
	'select mlops.predict(''{model}'', p) - lag(mlops.predict(''{model}'', p)) over (order by age) as step from (select n as age, ''f'' as sex from generate_series(20, 60) n) p', 'step is null or step > 0')$$, 'monotonicity');
select lives_ok($$select mlops.add_test('income', 'quick', 'select mlops.predict(''{model}'', p) from person p', 'rows = 300 and seconds < 60 and microseconds_per_row < 100000')$$, 'a latency budget');
select lives_ok($$select mlops.add_test('income', 'slices', 'select sex, avg(abs(mlops.predict(''{model}'', p) - income)) as mae from person p group by sex', 'mae < 2')$$, 'slices');
select matches((select query from mlops.acceptance_test where name = 'slices'), 'public.person', 'names are qualified');
select results_eq($$select name, holds from mlops.run_tests('income', 1) order by 1$$,
	$$values ('golden', true), ('grows with age', true), ('quick', true), ('sex moves little', true), ('slices', true)$$, 'a good version passes');
select results_eq($$select name, holds from mlops.run_tests('income@2') order by 1$$,
	$$values ('golden', false), ('grows with age', false), ('quick', true), ('sex moves little', true), ('slices', false)$$, 'a bad one does not');
select is((select count(*) from mlops.evidence), 10::bigint, 'all of it is evidence');
select is((select array[e.detail ->> 'rows', e.detail ->> 'broken'] || (r.content::jsonb ?& '{mae,sex}')::text from mlops.evidence e join mlops.evidence_row r on r.evidence_id = e.id where e.version = 2 and e.name = 'slices'), '{2,2,true}', 'with a row that broke it');
select results_eq($$select distinct measured_by, measured_session, origin, kind from mlops.evidence$$, $$values ('tess', session_user::text collate "default", 'measured', 'test')$$, 'who had it measured');

-- facts
select is(mlops.version_facts(m.id, 1) -> 'tests_passed', '5', 'passed') from mlops.model m;
select is(mlops.version_facts(m.id, 2) -> 'tests_failed', '3', 'failed') from mlops.model m;
select is(mlops.version_facts(m.id, 1) -> 'tests_independent', 'false', 'by the author') from mlops.model m;
select mlops.set_policy('people', '{"checks": {"tested": "tests_failed = 0 and tests_missing = 0", "slices": "test.slices", "not by the author": "tests_independent", "honest": "not \"test.no such test\""}}');
select is((select array_agg(check_name order by check_name) from mlops.why_not('income', 1) where not holds), '{honest,"not by the author"}', 'the gate asks');
select is((select array_agg(check_name order by check_name) from mlops.why_not('income', 2) where not holds), '{honest,"not by the author",slices,tested}', 'of every version');
set local role otto;
select lives_ok($$select mlops.request_review('income', 1)$$, 'an operator has them run, with the rights of whoever added them');
select is((select array_agg(check_name order by check_name) from mlops.why_not('income', 1) where not holds), '{honest}', 'which is independent');

-- what is no test
set local role tess;
select throws_ok($$select mlops.add_test('income', 'x', 'select 1 as a', 'a = 1')$$, '22023', 'the query of an acceptance test does not ask the version under test', 'one of another version');
select throws_ok($$select mlops.add_test('income', 'x', 'select ''{model}'' as a; drop table person', 'a = ''''')$$, '42601', null, 'two statements');
select throws_ok($$select mlops.add_test('income', 'x', 'delete from person returning ''{model}'' as a', 'a = ''''')$$, '0A000', null, 'no SELECT');
select throws_ok($$select mlops.add_test('income', 'x', 'select ''{model}'' as a', 'b = 1')$$, '42703', null, 'a column that is not there');
select throws_ok($$select mlops.add_test('income', 'x', 'select ''{model}'' as a', 'a =')$$, '22023', null, 'half a condition');
create temporary table mine as select 1 as a;
select throws_ok($$select mlops.add_test('income', 'x', 'select a, ''{model}'' from mine', 'a = 1')$$, '0A000', null, 'a temporary table');
select throws_ok($$insert into mlops.acceptance_test (model_id, name, query, expectation) select id, 'x', 'select 1 as a', 'a = 1' from mlops.model$$, '22023', null, 'nor by hand');
select throws_ok($$insert into mlops.acceptance_test (model_id, name, query, expectation, owner) select id, 'x', 'select ''{model}''', '1 = 1', 'rita' from mlops.model$$, '42501', null, 'nor as somebody else''s');
select throws_ok($$update mlops.acceptance_test set expectation = '1 = 1'$$, '42501', null, 'a test is not changed');

-- failures are evidence, writes are refused, no rows are no proof
create function writes() returns integer language plpgsql as $$ begin insert into public.person values (0); return 1; end $$;
select mlops.add_test('income', 'writes', 'select ''{model}'' as asked, writes() as a', 'a = 1');
select mlops.add_test('income', 'empty', 'select mlops.predict(''{model}'', p) as answer from person p where false', 'answer > 0');
select mlops.add_test('income', 'breaks', 'select 1 / (length(''{model}'') - length(''{model}'')) as a', 'a = 1');
select mlops.add_test('income', 'no permission', 'select ''{model}'' as asked, count(*) as n from person', 'n > 0');
reset role;
revoke select on person from tess;
set local role otto;
create temporary table shown as select * from mlops.run_tests('income', 1);
select is((select holds from shown where name = 'writes'), false, 'a test does not write');
select matches((select detail ->> 'error' from shown where name = 'writes'), 'read-only', 'for it only reads');
select is((select holds from shown where name = 'empty'), false, 'no rows are no proof');
select matches((select detail ->> 'error' from shown where name = 'breaks'), 'division by zero', 'an error is a failure');
select matches((select detail ->> 'error' from shown where name = 'golden'), 'permission denied for table person', 'a test has the rights of whoever added it');
select is(current_user::text, 'otto', 'and nobody else gets them');
select is((select count(*) from mlops.evidence e where e.measured_by = 'otto' and not e.holds and e.name in ('writes', 'empty', 'breaks', 'golden')), 4::bigint, 'that they failed is evidence');
select throws_ok($$select mlops.add_test('income', 'x', 'select ''{model}'' as a', '1 = 1')$$, '42501', null, 'an operator adds none');

-- a test that was added anew has no results yet
set local role rita;
select lives_ok($$select mlops.drop_test('income', 'quick')$$, 'a reviewer removes one');
set local role tess;
select mlops.add_test('income', 'quick', 'select mlops.predict(''{model}'', p) as tested_row from (select 1 as age, ''f'' as sex) p', 'rows = 1');
select is(mlops.version_facts(m.id, 1) -> 'test' ? 'quick', false, 'and what another of its name showed does not count') from mlops.model m;
reset role;
delete from mlops.project_member where member = 'tess'::regrole and access <> 'owner';
insert into mlops.project_member (project_id, member, access) select project_id, 'rita', 'owner' from mlops.model;
delete from mlops.project_member where member = 'tess'::regrole;
set local role otto;
select is(array_agg(distinct detail ->> 'error'), '{"the role that added the test has no access any more"}', 'nor is anything run for who left') from mlops.run_tests('income', 1);
reset role;
reassign owned by tess to current_user;
drop owned by tess;
drop role tess;
set local role otto;
select is(array_agg(distinct detail ->> 'error'), '{"the role that added the test does not exist any more"}', 'or is gone') from mlops.run_tests('income', 1);
set local role sten;
select throws_ok($$select * from mlops.run_tests('income', 1)$$, '42704', null, 'a stranger runs none');
reset role;
select * from finish();
rollback;
