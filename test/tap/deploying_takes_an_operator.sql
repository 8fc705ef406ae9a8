-- Deployments and aliases are made by operators and owners; the direct way meets the same rules.
\ir include/begin.sql
\ir include/registry.sql
select set_config('test.model', :'diagnosis', true);
select plan(17);

set local role sam_scientist;
select throws_ok($$select mlops.deploy('diagnosis')$$, '42501', null, 'a scientist cannot deploy');
select throws_ok($$select mlops.set_alias('diagnosis', 'champion', 1)$$, '42501', null, 'nor set an alias');
select throws_ok($$insert into mlops.deployment (model_id, version) values (current_setting('test.model')::bigint, 1)$$, '42501', null, 'nor by hand');
set local role paul_predictor;
select throws_ok($$select mlops.deploy('diagnosis')$$, '42501', null, 'nor can a predictor');
select throws_ok($$select mlops.deployed_at('diagnosis', now())$$, '42501', null, 'who does not see the history either');
set local role sten_stranger;
select throws_ok($$select mlops.deploy('diagnosis')$$, '42704', null, 'to a stranger there is no such model');

set local role olga_operator;
select lives_ok($$insert into mlops.deployment (model_id, version) values (current_setting('test.model')::bigint, 1)$$, 'an operator deploys by hand');
select results_eq($$select deployed_by from mlops.deployment$$, $$values ('olga_operator')$$, 'which says who');
select throws_ok($$insert into mlops.deployment (model_id, version, deployed_by) values (current_setting('test.model')::bigint, 1, 'anna_owner')$$,
				 '42501', null, 'and nobody else');
select throws_ok($$insert into mlops.deployment (model_id, version, valid) values (current_setting('test.model')::bigint, 1, '[2000-01-01, 2001-01-01)')$$,
				 '42501', null, 'at no other time');
select throws_ok($$insert into mlops.deployment (model_id, version) values (current_setting('test.model')::bigint, 2)$$, '23P01', null, 'one at a time');
select throws_ok($$update mlops.deployment set valid = '[2000-01-01,)'$$, '55000', null, 'a beginning is not moved');
select lives_ok($$update mlops.deployment set valid = '[2000-01-01, 2001-01-01)'$$, 'an end is set');
select cmp_ok((select upper(valid) from mlops.deployment), '>=', now(), 'to now, whatever was asked');
select is((select ended_by from mlops.deployment), 'olga_operator', 'by whoever did it');
select throws_ok($$update mlops.deployment set valid = '[2000-01-01, 2001-01-01)'$$, '55000', null, 'once');
select throws_ok($$delete from mlops.deployment$$, '42501', null, 'and the history stays');
reset role;
select * from finish();
rollback;
