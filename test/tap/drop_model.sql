-- drop_model(): refuses what is deployed or has an alias, and says so; numbers of dropped versions do not come back.
\ir include/begin.sql
\ir include/registry.sql
select plan(16);
set local role olga_operator;
select mlops.deploy('diagnosis', 2);
select mlops.set_alias('diagnosis', 'champion', 3);
set local role sam_scientist;
select throws_ok($$select mlops.drop_model('diagnosis', 1)$$, '42501', null, 'a scientist drops nothing');
set local role sten_stranger;
select throws_ok($$select mlops.drop_model('diagnosis', 1)$$, '42704', null, 'to a stranger there is nothing to drop');
set local role anna_owner;
select throws_ok($$select mlops.drop_model('diagnosis', 2)$$, '55006', null, 'what is deployed stays');
select throws_matching($$select mlops.drop_model('diagnosis', 2)$$, 'deployed', 'and the error says so');
select throws_ok($$select mlops.drop_model('diagnosis', 3)$$, '55006', null, 'what has an alias stays');
select throws_matching($$select mlops.drop_model('diagnosis', 3)$$, 'champion|alias', 'and the error says so');
select throws_ok($$select mlops.drop_model('diagnosis')$$, '55006', null, 'so does the model');
select throws_ok($$select mlops.drop_model('diagnosis', 9)$$, '42704', null, 'a version that is none');
select lives_ok($$select mlops.drop_model('diagnosis', 1)$$, 'what is neither goes');
select results_eq($$select version from mlops.model_version order by version$$, $$values (2), (3)$$, 'alone');
select results_eq($$select distinct version from mlops.model_chunk order by version$$, $$values (2), (3)$$, 'with its bytes');
set local role olga_operator;
select mlops.undeploy('diagnosis');
select mlops.drop_alias('diagnosis', 'champion');
set local role anna_owner;
select lives_ok($$select mlops.drop_model('diagnosis', 3)$$, 'the newest version');
select is((select last_version from mlops.model), 3, 'its number stays taken');
select lives_ok($$select mlops.drop_model('diagnosis')$$, 'the model');
reset role;
select results_eq($$select (select count(*) from mlops.model), (select count(*) from mlops.model_version), (select count(*) from mlops.deployment),
						   (select count(*) from mlops.alias_history)$$, $$values (0::bigint, 0::bigint, 0::bigint, 0::bigint)$$, 'with all that belongs to it');
select is((select count(*) from mlops.run), 1::bigint, 'its runs stay');
select * from finish();
rollback;
