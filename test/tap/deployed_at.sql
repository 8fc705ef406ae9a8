-- deployed_at(): which version answered at a time.
\ir include/begin.sql
\ir include/registry.sql
select plan(8);
set local role olga_operator;
select is(mlops.deployed_at('diagnosis', clock_timestamp()), null, 'none before the first deployment');
select mlops.deploy('diagnosis', 1);
select is(mlops.deployed_at('diagnosis', clock_timestamp() + interval '1 hour'), 1, 'the live one from then on');
select mlops.deploy('diagnosis', 2);
select mlops.undeploy('diagnosis');
select is(mlops.deployed_at('diagnosis', (select lower(valid) from mlops.deployment where version = 1)), 1, 'from the beginning of its range');
select is(mlops.deployed_at('diagnosis', (select upper(valid) from mlops.deployment where version = 1)), 2, 'to its end, where the next begins');
select is(mlops.deployed_at('diagnosis', (select upper(valid) from mlops.deployment where version = 2)), null, 'none after undeploy()');
select is(mlops.deployed_at('diagnosis', '2000-01-01'), null, 'none long ago');
select throws_ok($$select mlops.deployed_at('diagnosi', now())$$, '42704', null, 'a model that is none');
set local role sten_stranger;
select throws_ok($$select mlops.deployed_at('diagnosis', now())$$, '42704', null, 'a model that is none to a stranger');
reset role;
select * from finish();
rollback;
