-- A reference means what the catalog says when a statement begins: the next statement sees a new deployment, wherever it stands.
\ir include/begin.sql
\ir include/versions.sql
create function pg_temp.in_block() returns int[] language plpgsql as $$
declare
	seen int[] := '{}';
	r ask;
begin
	select * into r from ask;
	for n in 1 .. 3 loop
		perform mlops.deploy('next', n);
		seen := seen || round(mlops.predict('next', r))::int;
	end loop;
	begin
		perform mlops.deploy('next', 1);
		seen := seen || round(mlops.predict('next', r))::int;
		raise exception 'undo';
	exception when raise_exception then
		seen := seen || round(mlops.predict('next', r))::int;
	end;
	return seen;
end $$;
create function pg_temp.in_sql(ask) returns float8 language sql stable as $$ select mlops.predict('next', $1) $$;
create function pg_temp.in_sql_twice() returns int[] language sql as $$
	select mlops.deploy('next', 2);
	select array[round(pg_temp.in_sql(a))::int, pg_temp.answer()] from ask a $$;
select plan(17);
select throws_ok($$select pg_temp.answer()$$, '55000', null, 'before a deployment there is no answer');
select is(pg_temp.answer('next@2'), 2, 'but a version answers');
select is(pg_temp.in_block(), '{1,2,3,1,3}', 'a simple expression of PL/pgSQL, in a loop and around a subtransaction');
prepare p as select round(mlops.predict('next', a))::int from ask a;
select results_eq('p', '{3}'::int[], 'a prepared statement');
set local plan_cache_mode = force_generic_plan;
select mlops.deploy('next', 1);
select results_eq('p', '{1}'::int[], 'with a generic plan');
savepoint s;
select mlops.deploy('next', 2);
select results_eq('p', '{2}'::int[], 'within the transaction that deploys');
rollback to s;
select results_eq('p', '{1}'::int[], 'not when that was undone');
select is(pg_temp.in_sql_twice(), '{2,2}', 'in SQL functions');
select mlops.set_alias('next', 'champion', 3);
select is(pg_temp.answer('next@champion'), 3, 'an alias');
select mlops.set_alias('next', 'champion', 1);
select is(pg_temp.answer('next@champion'), 1, 'moved');
select results_eq($$select round(mlops.predict(r, a)) from unnest('{next@1,next@3,next,next@champion,next@2,next@1}'::text[]) with ordinality u(r, n), ask a order by n$$,
				  '{1,3,2,1,2,1}'::float8[], 'several references in one call');
select results_eq($$select count(*), sum(round(mlops.predict('next@' || (n % 3 + 1), a))) from generate_series(1, 300) n, ask a$$, $$values (300::bigint, 600::float8)$$,
				  'computed ones');
select results_eq($$select count(*), sum(round(mlops.predict(repeat('0', n % 40) || 'next', a))) from generate_series(0, 0) n, ask a$$, $$values (1::bigint, 2::float8)$$,
				  'one');
set local mlops.local_cache_size = 0;
select results_eq($$select round(mlops.predict('next@' || (n % 3 + 1), a)) from generate_series(1, 6) n, ask a order by n$$, '{2,3,1,2,3,1}'::float8[],
				  'without memory to keep them in');
select mlops.undeploy('next');
select throws_ok('p', '55000', null, 'after undeploy() there is no answer');
select mlops.drop_alias('next', 'champion');
select mlops.drop_model('next', 1);
select throws_ok($$select pg_temp.answer('next@1')$$, '42704', null, 'nor from a version that was dropped');
select mlops.drop_model('next');
select throws_ok($$select pg_temp.answer('next@2')$$, '42704', null, 'nor from a model that was');
select * from finish();
rollback;
