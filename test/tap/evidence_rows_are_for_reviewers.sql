-- The row that breaks a test was read with its author's rights: those who decide reviews see it, and the author; nobody else, and the record has none of it.
\ir include/begin.sql
create role olga;
create role tess;
create role sean;
create role rita;
create role otto;
create role vera;
create table person as select n as id, n % 40 as age, (n % 40) * 3.0 as income from generate_series(1, 100) n;
grant select on person to tess;
set local role olga;
select set_config('search_path', 'public', true);
select mlops.create_project('people');
select mlops.grant_access('people', p.who::regrole, p.level)
  from (values ('tess', 'scientist'), ('sean', 'scientist'), ('rita', 'reviewer'), ('otto', 'operator'), ('vera', 'viewer')) p (who, level);
set local role tess;
select version from mlops.train('income', 'person', 'income', 'baseline', exclude => '{id}', project => 'people');
select mlops.add_test('income', 'exact', 'select income, mlops.predict(''{model}'', p) as answer from person p where id = 77', 'answer = income');
select plan(12);
select is((detail ->> 'first')::jsonb -> 'income', '111.0', 'whose test it is sees the row') from mlops.run_tests('income');
set local role sean;
select is(detail ? 'first', false, 'another scientist has the test run, and does not') from mlops.run_tests('income');
set local role otto;
select is(detail ? 'first', false, 'nor does an operator') from mlops.run_tests('income');
set local role rita;
select is((detail ->> 'first')::jsonb -> 'income', '111.0', 'a reviewer sees it') from mlops.run_tests('income');
select is((select count(*) from mlops.evidence_row r where r.content::jsonb -> 'income' = '111.0'), 4::bigint, 'also later, of each run');
select is((select count(*) from mlops.evidence e join mlops.evidence_row r on r.evidence_id = e.id where not e.holds), 4::bigint, 'beside what the test showed');
select throws_ok('delete from mlops.evidence_row', '42501', null, 'which no level takes away');
set local role vera;
select is((select count(*) from mlops.evidence e where e.detail ->> 'broken' = '1'), 4::bigint, 'a viewer sees that the test failed');
select is((select count(*) from mlops.evidence e where e.detail ? 'first' or e.detail::text like '%111%'), 0::bigint, 'not by which row');
select is((select count(*) from mlops.evidence_row), 0::bigint, 'nor elsewhere');
set local role tess;
select is((select count(*) from mlops.evidence_row), 0::bigint, 'and a scientist sees no rows that others had');
reset role;
select lives_ok('delete from mlops.evidence_row', 'the DBA may remove what must be forgotten');
select * from finish();
rollback;
