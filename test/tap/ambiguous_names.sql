-- A name that several visible projects have is an error that shows how to say which.
\ir include/begin.sql
\ir include/registry.sql
set local role sten_stranger;
select mlops.create_project('lab') as lab \gset
reset role;
insert into mlops.model (project_id, name, last_version) values (:lab, 'diagnosis', 1) returning id as other \gset
insert into mlops.model_version (model_id, version, algorithm, task, size, sha256, params, metrics, origin)
values (:other, 1, 'baseline', 'binary', 1, sha256('x'), '{}', '{}', 'measured');
select plan(6);
set local role olga_operator;
select lives_ok($$select mlops.deploy('diagnosis', 1)$$, 'what one does not see makes nothing ambiguous');
set local role sten_stranger;
select mlops.grant_access('lab', 'olga_operator', 'operator');
set local role olga_operator;
select throws_ok($$select mlops.deploy('diagnosis', 2)$$, '42P09', null, 'two models of one name');
select throws_matching($$select mlops.deploy('diagnosis', 2)$$, 'diagnosis', 'the error names it');
select lives_ok($$select mlops.deploy('lab/diagnosis', 1)$$, 'the project says which');
select lives_ok($$select mlops.deploy('clinic/diagnosis', 2)$$, 'either');
select results_eq($$select p.name, d.version from mlops.deployment d join mlops.model m on m.id = d.model_id join mlops.project p on p.id = m.project_id
					 where upper_inf(d.valid) order by p.name$$, $$values ('clinic', 2), ('lab', 1)$$, 'each has its own deployment');
reset role;
select * from finish();
rollback;
