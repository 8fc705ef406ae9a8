-- Comments on objects: who may say and read them, whom they mention, what subscribers get to see.
\ir include/begin.sql
\ir include/registry.sql
select plan(25);

set local role vera_viewer;
select isnt(mlops.add_comment('model diagnosis', 'is the scale in inches, @sam_scientist and @"rita_reviewer"? mail x@olga_operator'), null, 'a viewer comments on a model');
select results_eq($$select set_by, object_kind, version, mentions from mlops.comments('model diagnosis') where set_by = 'vera_viewer'$$,
	$$values ('vera_viewer', 'model', null::integer, '{rita_reviewer,sam_scientist}'::text[])$$, 'who said it and whom it mentions is kept; an address mentions nobody');
select isnt(mlops.add_comment('version diagnosis@2', 'better'), null, 'on a version');
select isnt(mlops.add_comment('run ' || :run, 'done'), null, 'on a run');
select isnt(mlops.add_comment('experiment clinic/first steps', 'go on'), null, 'on an experiment');
select isnt(mlops.add_comment('project clinic', 'hello'), null, 'on a project');
select isnt(mlops.add_comment('finding ' || (select max(id) from mlops.finding), 'mine'), null, 'on a finding');
select isnt(mlops.add_comment('alert ' || :alert, 'seen'), null, 'on an alert');
select results_eq($$select count(*), max(version) from mlops.comments('version diagnosis@2')$$, $$values (1::bigint, 2)$$, 'a version has its own');
select throws_ok($$select mlops.add_comment('house 7', 'x')$$, '42602', null, 'a kind that there is not');
select throws_ok($$select mlops.add_comment('run 999999', 'x')$$, '42704', null, 'a run that there is not');
select throws_ok($$select mlops.add_comment('model diagnosis', '')$$, '22023', null, 'nothing said');
select throws_ok($$insert into mlops.comment (object_kind, object_id, text, set_by) select 'project', id, 'x', 'anna_owner' from mlops.project$$, '42501', null,
	'nobody speaks for another');
select throws_ok($$update mlops.comment set text = 'never said'$$, '42501', null, 'nor changes what was said');

set local role paul_predictor;
select throws_ok($$select mlops.add_comment('model diagnosis', 'x')$$, '42501', null, 'a predictor says nothing');
set local role sten_stranger;
select throws_ok($$select mlops.add_comment('model diagnosis', 'x')$$, '42704', null, 'a stranger knows of nothing');
select throws_ok(format('insert into mlops.comment (object_kind, object_id, text) values (''project'', %s, ''x'')', :clinic), '42501', null, 'nor by number');

set local role sam_scientist;
select is((select count(*) from mlops.inbox where reason = 'mention'), 1::bigint, 'who is mentioned finds it');
select mlops.subscribe('model diagnosis');
set local role olga_operator;
select mlops.add_comment('version diagnosis@1', 'live since today');
select mlops.add_comment('project clinic', 'we move');
set local role sam_scientist;
select results_eq($$select "from", object_kind, version, text from mlops.inbox where reason = 'subscription'$$,
	$$values ('olga_operator', 'version', 1, 'live since today')$$, 'who subscribed to a model hears of its versions, and of nothing else');
select lives_ok($$select mlops.unsubscribe('model diagnosis')$$, 'a subscription ends');
select throws_ok($$select mlops.unsubscribe('model diagnosis')$$, '42704', null, 'once');
set local role anna_owner;
select mlops.revoke_access('clinic', 'sam_scientist');
set local role sam_scientist;
select is((select count(*) from mlops.inbox), 0::bigint, 'who lost access finds nothing any more');
reset role;
select throws_ok(statement, '55000', null, statement) from unnest(array['delete from mlops.comment', 'update mlops.comment set text = text', 'truncate mlops.comment']) statement;
select * from finish();
rollback;
