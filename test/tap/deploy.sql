-- deploy(): the newest version or the one that is named; deploying what is live changes nothing.
\ir include/begin.sql
\ir include/registry.sql
create function pg_temp.live() returns integer language sql as
	$$ select version from mlops.deployment where model_id = (select id from mlops.model where name = 'diagnosis') and upper_inf(valid) $$;
select plan(16);
set local role olga_operator;
select is(pg_temp.live(), null, 'nothing is deployed at first');
select isnt(mlops.deploy('diagnosis'), null, 'deploy() answers with an id');
select is(pg_temp.live(), 3, 'without a version it takes the newest');
select lives_ok($$select mlops.deploy('diagnosis', 1)$$, 'a version by number');
select is(pg_temp.live(), 1, 'is live');
select lives_ok($$select mlops.deploy('diagnosis@2')$$, 'a version by reference');
select is(pg_temp.live(), 2, 'is live');
select lives_ok($$select mlops.set_alias('diagnosis', 'champion', 3); select mlops.deploy('clinic/diagnosis@champion')$$, 'a version by alias, in a project by name');
select is(pg_temp.live(), 3, 'is live');
select is(mlops.deploy('diagnosis', 3), (select max(id) from mlops.deployment), 'deploying what is live gives its id');
select is((select count(*) from mlops.deployment), 4::bigint, 'and changes nothing');
select is((select count(*) from mlops.deployment where upper_inf(valid)), 1::bigint, 'one deployment is live');
select is_empty($$select from mlops.deployment d join mlops.deployment e on e.id > d.id and (e.valid && d.valid or lower(e.valid) < upper(d.valid))$$,
				'ranges follow each other in order of id');
select throws_ok($$select mlops.deploy('diagnosis', 9)$$, '42704', 'model "diagnosis" has no version 9', 'a version that is none');
select throws_ok($$select mlops.deploy('diagnosis@1', 2)$$, '22023', null, 'two versions at once');
select throws_ok($$select mlops.deploy('diagnosis', strategy => 'some')$$, '22023', 'invalid strategy ''some''', 'a strategy that is none');
select * from finish();
rollback;
