-- rollback(): each call goes further back, and does not swing between two versions.
\ir include/begin.sql
\ir include/registry.sql
create function pg_temp.live() returns integer language sql as
	$$ select version from mlops.deployment where model_id = (select id from mlops.model where name = 'diagnosis') and upper_inf(valid) $$;
create function pg_temp.back(steps integer default 1) returns integer language sql as $$ select version from mlops.rollback('diagnosis', steps) $$;
select plan(19);
set local role olga_operator;
select throws_ok($$select mlops.rollback('diagnosis')$$, '55000', 'model "diagnosis" has no earlier deployment', 'without a history');
select mlops.deploy('diagnosis', 1);
select throws_ok($$select mlops.rollback('diagnosis')$$, '55000', null, 'with nothing before the first');
select mlops.deploy('diagnosis', 2);
select mlops.deploy('diagnosis', 3);
select is(pg_temp.back(), 2, 'the one before');
select is(pg_temp.live(), 2, 'is live');
select is(pg_temp.back(), 1, 'and the one before that, not the one that was left');
select throws_ok($$select mlops.rollback('diagnosis')$$, '55000', null, 'then there is none');
select is(pg_temp.live(), 1, 'and what was live still is');
select mlops.deploy('diagnosis', 3);
select is(pg_temp.back(), 1, 'back from a new deployment: to what was live before it');
select throws_ok($$select mlops.rollback('diagnosis')$$, '55000', null, 'which was the first');
select is((select array_agg(action order by id) from mlops.deployment), '{deploy,deploy,deploy,rollback,rollback,deploy,rollback}', 'the history says what was done');

select mlops.deploy('diagnosis', 2);
select mlops.deploy('diagnosis', 3);
select throws_ok($$select mlops.rollback('diagnosis', 3)$$, '55000', 'model "diagnosis" has no 3 earlier deployments', 'more steps than there are');
select is(pg_temp.live(), 3, 'change nothing');
select is(pg_temp.back(2), 1, 'two steps at once');
select throws_ok($$select mlops.rollback('diagnosis', 0)$$, '22023', null, 'no steps');

-- an undeployed model goes back to what was live last; the same version twice is one step
select mlops.deploy('diagnosis', 2);
select mlops.undeploy('diagnosis');
select is(pg_temp.back(), 2, 'back from nothing');
select mlops.undeploy('diagnosis');
select mlops.deploy('diagnosis', 2);
select is(pg_temp.back(), 1, 'a step changes the version');

select is((select count(*) from mlops.deployment where upper_inf(valid)), 1::bigint, 'one deployment is live');
select is_empty($$select from mlops.deployment where isempty(valid)$$, 'no range is empty');
select is_empty($$select from mlops.deployment d join mlops.deployment e on e.id > d.id and lower(e.valid) < upper(d.valid)$$, 'ranges follow each other');
select * from finish();
rollback;
