-- What a job is to do is checked when it is made, with the rights of whoever makes it.
\ir include/begin.sql
\ir include/refusal.sql
create role jane login;
create role norma;
create role crew;
grant crew to jane;
create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 60) n;
create table scored (id bigint primary key, prediction float8, version int);
create temporary table passing as select * from house;
grant usage on schema public to jane, crew;
grant select on house to jane, crew;
grant create on schema public to jane;

select plan(45);
select matches(pg_temp.refusal($$select mlops.submit('trian', '{}')$$), '^22023 .*"trian".*train, score_table, monitor, sql.*"train"', 'an unknown kind');
select matches(pg_temp.refusal($$select mlops.submit(null, '{}')$$), '^22023 .*"kind".*NULL', 'no kind');
select matches(pg_temp.refusal($$select mlops.submit('sql', '[]')$$), '^22023 .*"args".*object', 'arguments that are no object');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{}')$$), '^22023 .*needs the argument "statement"', 'no statement');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statment": "select 1"}')$$), '^22023 .*"statment".*"statement"', 'an unknown argument');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": 1}')$$), '^22023 .*"?statement"?.*', 'a number for a text');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "selec 1"}')$$), '^42601 ', 'a syntax error');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": " "}')$$), '^42601 ', 'no statement in the text');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "select 1; commit"}')$$), '^0A000 .*COMMIT', 'transaction control');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "copy house to stdout"}')$$), '^0A000 .*standard', 'the server''s output');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "copy house from stdin"}')$$), '^0A000 .*standard', 'and input');
select matches(pg_temp.refusal($$select mlops.next_run('1 second', '294276-12-31', 'UTC', '4713-01-01 BC')$$), '^22008 ', 'what no interval can hold ends');
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "select 1"}', max_attempts => 0)$$), '^22023 .*max_attempts', 'no attempts');
select is(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "select * from not_yet_there"}')$$), 'accepted', 'names of a statement are its own affair');
select matches(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "hous", "target": "price"}')$$), '^42P01 .*"hous".*"house"', 'a source');
select matches(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "house", "target": "prise"}')$$), '^42703 .*"prise"', 'a target');
select matches(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "house", "target": "price", "sead": 1}')$$), '^22023 .*"sead".*"seed"', 'an argument that train() does not have');
select matches(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "house", "target": "price", "seed": "x"}')$$), '^22023 .*"seed".*number', 'a type');
select matches(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "house", "target": "price", "exclude": "id"}')$$), '^22023 .*"exclude".*array', 'no array');
select matches(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "passing", "target": "price"}')$$), '^0A000 .*temporary', 'a temporary table');
select matches(pg_temp.refusal($$select mlops.train('m', 'passing', 'price', background => true)$$), '^0A000 .*temporary', 'by train(), too');
select is(pg_temp.refusal($$select mlops.submit('train', '{"model": "m", "source": "house", "target": "price", "seed": 7, "exclude": ["id"], "params": {"max_depth": 3}, "split": null}')$$),
	'accepted', 'what train() takes');
select is((select args - 'source' from mlops.job where kind = 'train'),
	'{"seed": 7, "model": "m", "params": {"max_depth": 3}, "target": "price", "exclude": ["id"]}'::jsonb, 'is kept');
select matches((select args ->> 'source' from mlops.job where kind = 'train'), 'FROM public.house$', 'with qualified names');
select is((select settings from mlops.job where kind = 'train') ->> 'search_path', 'public, pg_temp', 'and with the settings of now');

select results_eq($$select version, model, algorithm, metrics, job_id is not null from mlops.train('m', 'house', 'price', background => true)$$,
	$$values (null::int, 'm', 'gradient_boosting', null::jsonb, true)$$, 'train() in the background returns the job');
select is((select count(*) from mlops.model), 0::bigint, 'and nothing is made yet');
select mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id}');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id"}')$$), '^55000 .*not deployed', 'a model that is not deployed');
select mlops.deploy('price');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored"}')$$), '^22023 .*"key"', 'no key');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "no"}')$$), '^42703 .*"no"', 'no such key');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "price"}')$$), '^42703 .*"scored".*"price"', 'not in the destination');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "nowhere", "key": "id"}')$$), '^42P01 .*"nowhere".*create table', 'no destination');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id", "mode": "upset"}')$$), '^22023 .*"upset".*"upsert"', 'no such mode');
select matches(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id", "batch": 0}')$$), '^22023 .*"batch"', 'no batch');
select is(pg_temp.refusal($$select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id"}')$$), 'accepted', 'a scoring');

select matches(pg_temp.refusal($$select mlops.schedule_job('', '1 day', 'sql', '{"statement": "select 1"}')$$), '^42602 ', 'no name');
select matches(pg_temp.refusal($$select mlops.schedule_job('x', 'daily', 'sql', '{"statement": "select 1"}')$$), '^22007 .*"daily"', 'no schedule');
select is(mlops.schedule_job('x', '1 day', 'sql', '{"statement": "select 1"}'), mlops.schedule_job('x', '0 4 * * *', 'sql', '{"statement": "select 2"}'), 'a name names one job');
select is((select schedule || ' ' || (args ->> 'statement') from mlops.job where name = 'x'), '0 4 * * * select 2', 'the newest');

-- Roles.
set local session authorization norma;
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "select 1"}')$$), '^28000 .*"norma".*log in', 'a role that cannot log in');
reset session authorization;
select is(pg_temp.refusal(format('revoke connect on database %I from public', current_database())), 'accepted', 'without the right to connect');
set local session authorization jane;
select matches(pg_temp.refusal($$select mlops.submit('sql', '{"statement": "select 1"}')$$), '^42501 .*"jane".*connect', 'neither can a role that may not connect');
reset session authorization;
select pg_temp.refusal(format('grant connect on database %I to public', current_database()));
set local session authorization jane;
set local role crew;
select lives_ok($$select mlops.submit('sql', '{"statement": "select 1"}')$$, 'a role may act as another');
select is((select owner || ' ' || session_role from mlops.job where owner = 'crew'::regrole), 'crew jane', 'which owns the job');
reset role;
reset session authorization;

-- A function with its definer's rights cannot make a job of its caller's.
create function public.trap() returns bigint language sql security definer as $$ select mlops.submit('sql', '{"statement": "reset role"}') $$;
alter function public.trap() owner to jane;
create temporary table trapped as select public.trap() as id;
select is((select owner || ' ' || session_role from mlops.job where id = (select id from trapped)), 'jane jane', 'not even with a superuser as caller');
select * from finish();
rollback;
