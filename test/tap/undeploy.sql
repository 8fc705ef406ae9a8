-- undeploy(): nothing is live any more, and the history stays.
\ir include/begin.sql
\ir include/registry.sql
select plan(4);
set local role olga_operator;
select throws_ok($$select mlops.undeploy('diagnosis')$$, '55000', 'model "diagnosis" is not deployed', 'what is not deployed');
select mlops.deploy('diagnosis', 1);
select lives_ok($$select mlops.undeploy('diagnosis')$$, 'what is');
select is_empty($$select from mlops.deployment where upper_inf(valid)$$, 'nothing is live');
select results_eq($$select version, ended_by from mlops.deployment$$, $$values (1, 'olga_operator')$$, 'the history says who ended it');
select * from finish();
rollback;
