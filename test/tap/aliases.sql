-- Aliases move, and each move is recorded with the role that made it.
\ir include/begin.sql
\ir include/registry.sql
select plan(12);
set local role olga_operator;
select lives_ok($$select mlops.set_alias('diagnosis', 'champion', 1)$$, 'an alias is made');
select lives_ok($$select mlops.set_alias('diagnosis', 'champion', 2)$$, 'moved');
select lives_ok($$select mlops.set_alias('diagnosis', 'champion', 2)$$, 'set to where it is');
select is((select version from mlops.resolve_model('diagnosis@champion')), 2, 'it means a version');
set local role anna_owner;
select lives_ok($$select mlops.drop_alias('diagnosis', 'champion')$$, 'removed');
select results_eq($$select name, version, set_by from mlops.alias_history order by id$$,
				  $$values ('champion', 1, 'olga_operator'), ('champion', 2, 'olga_operator'), ('champion', null, 'anna_owner')$$,
				  'its history has the moves, and who made them');
select throws_ok($$select mlops.drop_alias('diagnosis', 'champion')$$, '42704', 'model "diagnosis" has no alias "champion"', 'an alias that is none');
select throws_ok($$select mlops.set_alias('diagnosis', 'champion', 9)$$, '42704', 'model "diagnosis" has no version 9', 'a version that is none');
select throws_ok($$select mlops.set_alias('diagnosis', '7', 1)$$, '42602', 'invalid alias ''7''', 'a number is no alias');
select throws_ok($$select mlops.set_alias('diagnosis@1', 'champion', 1)$$, '22023', null, 'an alias is of a model, not of a version');
select throws_ok($$insert into mlops.alias_history (model_id, name, set_by, set_at) select model_id, name, set_by, set_at from mlops.alias_history limit 1$$,
				 '42501', null, 'the history is not written by hand');
select throws_ok($$insert into mlops.alias (model_id, name, version, set_by) select id, 'x', 1, 'sam_scientist' from mlops.model$$,
				 '42501', null, 'nor in another name');
reset role;
select * from finish();
rollback;
