-- The task: given, by the objective, or derived from the target.
\ir include/begin.sql
\ir include/refusal.sql
create table things as
	select n, n % 13 as noise, n % 2 = 0 as flag, 'l' || n % 2 as two, 'l' || n % 3 as three, n % 2 as bit, n % 20 as twenty, n % 21 as twentyone,
		   (n % 3)::float8 as few_floats, n * 1.5 as price
	  from generate_series(1, 210) n;
create function pg_temp.task_of(target text, rest text default '') returns text language plpgsql as $$
declare
	answer text;
begin
	execute format('select task from mlops.train(''m'', ''things'', %L, features => ''{n,noise}'' %s)', target, rest) into answer;
	return answer;
end
$$;

select plan(24);
select is(pg_temp.task_of('flag'), 'binary', 'a boolean');
select is(pg_temp.task_of('two'), 'binary', 'a text of two values');
select is(pg_temp.task_of('three'), 'multiclass', 'a text of three');
select is(pg_temp.task_of('bit'), 'binary', 'integers 0 and 1');
select is(pg_temp.task_of('twenty'), 'multiclass', 'twenty integers');
select is(pg_temp.task_of('twentyone'), 'regression', 'more of them');
select is(pg_temp.task_of('few_floats'), 'regression', 'floats, few as they are');
select is(pg_temp.task_of('price'), 'regression', 'numeric');
select is(pg_temp.task_of('twenty', $$, task => 'regression'$$), 'regression', 'given');
select is(pg_temp.task_of('few_floats', $$, task => 'classification'$$), 'multiclass', 'classification of numbers');
select is(pg_temp.task_of('bit', $$, task => 'classification'$$), 'binary', 'of two of them');
select is(pg_temp.task_of('bit', $$, task => 'multiclass'$$), 'multiclass', 'two classes may be multiclass');
select is(pg_temp.task_of('flag', $$, task => 'regression'$$), 'regression', 'a boolean as a number');
select is(pg_temp.task_of('twenty', $$, params => '{"objective": "squared_error"}'$$), 'regression', 'by the objective');
select is(pg_temp.task_of('three', $$, params => '{"objective": "softmax"}'$$), 'multiclass', 'by the objective');
select is(pg_temp.task_of('bit', $$, algorithm => 'linear_regression'$$), 'regression', 'what the algorithm can');
select is(pg_temp.task_of('twentyone', $$, algorithm => 'logistic_regression'$$), 'multiclass', 'or cannot');
select matches(pg_temp.refusal($$select pg_temp.task_of('two', ', task => ''regression''')$$), '^42804 .*"two".*text', 'no regression of texts');
select matches(pg_temp.refusal($$select pg_temp.task_of('three', ', task => ''binary''')$$), '^22000 .*"three".*two', 'three classes are not binary');
select matches(pg_temp.refusal($$select pg_temp.task_of('two', ', task => ''clasification''')$$), '^22023 .*classification', 'an unknown word');
select matches(pg_temp.refusal($$select pg_temp.task_of('two', ', algorithm => ''linear_regression''')$$),
			   '^22023 .*linear_regression cannot do classification.*logistic_regression', 'an algorithm that cannot');
select matches(pg_temp.refusal($$select pg_temp.task_of('two', ', params => ''{"objective": "squared_error"}''')$$), '^42804 .*"two"', 'an objective that does not fit');
-- labels keep their type
select pg_temp.task_of('bit');
select is(mlops.predict(format('m@%s', (select max(version) from mlops.model_version)), t) in (0, 1), true, 'number labels are numbers') from things t limit 1;
select pg_temp.task_of('two');
select matches(mlops.predict_class(format('m@%s', (select max(version) from mlops.model_version)), t), '^l[01]$', 'text labels texts') from things t limit 1;
select * from finish();
rollback;
