-- Making projects and experiments; what is refused.
\ir include/begin.sql
\ir include/registry.sql
select plan(17);
set local role sten_stranger;
select isnt(mlops.create_project('clinic'), null, 'a name that others have, unseen, is free');
select results_eq($$select name, owner_name, stage from mlops.project$$, $$values ('clinic', 'sten_stranger', 'ideation')$$, 'the caller owns it and sees it');
select throws_ok($$select mlops.create_project('clinic')$$, '42710', 'project "clinic" already exists', 'a second of the name');
select throws_ok($$select mlops.create_project('a/b')$$, '42602', null, 'a slash');
select throws_ok($$select mlops.create_project('a@b')$$, '42602', null, 'an at sign');
select throws_ok($$select mlops.create_project(' a')$$, '42602', null, 'a space before');
select throws_ok($$select mlops.create_project(null)$$, '42602', null, 'no name');
select throws_ok($$select mlops.create_project('#12')$$, '42602', null, 'what would be the number of one');
select throws_ok($$update mlops.project set name = '#12' where name = 'clinic'$$, '23514', null, 'later, too');
select throws_ok($$select mlops.create_project('b', stage => 'dreaming')$$, '22023', 'invalid stage ''dreaming''', 'a stage that is none');
select throws_ok($$insert into mlops.project (name, owner_name) values ('gift', 'anna_owner')$$, '42501', null, 'nobody makes a project for another');
select throws_ok($$insert into mlops.project (name, is_personal) values ('mine', true)$$, '42501', null, 'nor a personal one by hand');

set local role anna_owner;
select is((select count(*) from mlops.project), 1::bigint, 'projects of others stay unseen');
select lives_ok($$update mlops.project set stage = 'production'$$, 'an owner moves a project on');
set local role sam_scientist;
select isnt(mlops.create_experiment('clinic', 'deep trees', 'roc_auc', 'maximize'), null, 'a scientist makes an experiment');
select throws_ok($$select mlops.create_experiment('clinic', 'deep trees')$$, '42710', null, 'once');
set local role vera_viewer;
select throws_ok($$select mlops.create_experiment('clinic', 'mine')$$, '42501', null, 'a viewer does not');
reset role;
select * from finish();
rollback;
