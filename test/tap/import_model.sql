-- import_model(): an artifact becomes a version, whose metrics are the importer's claim.
\ir include/begin.sql
\ir include/trained.sql
select mlops.create_project('lab');
create temporary table shelf as select mlops.export_model('price') as model;
select plan(16);
select is(mlops.import_model('copy', model), 1, 'a new model') from shelf;
select is(mlops.import_model('copy', model), 2, 'a new version of it') from shelf;
select is_empty($$select from thing t where mlops.predict('copy@2', t) is distinct from mlops.predict('price', t)$$, 'that answers the same');
select results_eq($$select v.origin, v.run_id, v.algorithm, v.task from mlops.model m join mlops.model_version v on v.model_id = m.id where m.name = 'copy' and v.version = 1$$,
				  $$values ('reported', null::bigint, 'linear_regression', 'regression')$$, 'it is reported, not measured');
select is(v.created_by, current_user::text, 'whose it is') from mlops.model m join mlops.model_version v on v.model_id = m.id where m.name = 'copy' and v.version = 1;
select ok(v.metrics @> jsonb_build_object('rmse', o.metrics -> 'rmse', 'baseline', jsonb_build_object('rmse', o.metrics -> 'baseline' -> 'rmse')), 'with the metrics of the artifact')
  from mlops.model m join mlops.model_version v on v.model_id = m.id, mlops.model n join mlops.model_version o on o.model_id = n.id
 where m.name = 'copy' and v.version = 1 and n.name = 'price';
select results_eq($$select position, s.name, type, role, categories from mlops.model m join mlops.model_signature s on s.model_id = m.id where m.name = 'copy' and version = 1 order by 1$$,
				  $$select position, s.name, type, role, categories from mlops.model m join mlops.model_signature s on s.model_id = m.id where m.name = 'price' and version = 1 order by 1$$,
				  'and its signature');
select is(mlops.export_model('copy@1')::bytea, model::bytea, 'the bytes stay') from shelf;
select is(mlops.import_model('other', model, 'lab'), 1, 'into a project') from shelf;
select is(mlops.import_model('lab/third', model), 1, 'or with its name') from shelf;
select is(count(*), 2::bigint, 'both are there') from mlops.model m join mlops.project p on p.id = m.project_id where p.name = 'lab';
select throws_ok($$select mlops.import_model('lab/third', model, 'elsewhere') from shelf$$, '22023', null, 'not two projects');
select throws_ok($$select mlops.import_model('x', model, 'nowhere') from shelf$$, '42704', null, 'nor one that is none');
select throws_ok($$select mlops.import_model('x@1', model) from shelf$$, '42602', null, 'a version has no say in its number');
select throws_ok($$select mlops.import_model(' x', model) from shelf$$, '42602', null, 'a name that cannot be one');
select throws_ok($$select mlops.import_model('x', null)$$, '22023', null, 'nothing to import');
select * from finish();
rollback;
