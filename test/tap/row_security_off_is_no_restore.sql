-- A superuser who has switched row_security off is not restoring a dump: what the functions write is complete.
\ir include/begin.sql
\ir include/registry.sql
select plan(6);
set local row_security = off;
select mlops.create_project('office') as office \gset
select is((select access from mlops.project_member where project_id = :office), 'owner', 'a project gets its owner');
select mlops.set_alias('diagnosis', 'champion', 1);
select mlops.drop_alias('diagnosis', 'champion');
select results_eq('select name, version from mlops.alias_history order by id', $$values ('champion', 1), ('champion', null)$$, 'an alias gets its history');
select lives_ok($$select mlops.deploy('diagnosis', 1)$$, 'a deployment begins');
select mlops.deploy('diagnosis', 2);
select lives_ok($$select mlops.rollback('diagnosis')$$, 'and goes back');
select is((select array_agg(version order by id) from mlops.deployment), '{1,2,1}', 'which is in the history');
select isnt(mlops.add_test('diagnosis', 'any', 'select ''{model}''::text as asked', 'asked like ''%diagnosis%'''), null, 'a test is complete');
select * from finish();
rollback;
