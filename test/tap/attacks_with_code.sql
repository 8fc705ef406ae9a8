-- Attacks with code of the attacker's: names that shadow ours, functions in queries that others run, rows and bytes that lie.
-- sam_scientist's functions ring a bell where they run with a superuser's rights.
\ir include/begin.sql
\ir include/registry.sql
\ir include/attacks.sql
create schema trojan;
grant usage, create on schema trojan to public;
create table public.tumour as select n::float8 as radius, n * 2.5::float8 as size, n % 2 = 0 as grown from generate_series(1, 80) n;
create table public.scored (id integer primary key, prediction double precision, version integer, at timestamptz);
grant select on public.tumour to public;
grant all on public.scored to public;
create function public.helped(x double precision) returns double precision language plpgsql as $$ begin return round_it(x); end $$;

-- what is found first on sam's path
set local role sam_scientist;
create function trojan.same(text, text) returns boolean language plpgsql as $$ begin perform public.trap(); return $1 operator(pg_catalog.=) $2; end $$;
create function trojan.same(bigint, bigint) returns boolean language plpgsql as $$ begin perform public.trap(); return $1 operator(pg_catalog.=) $2; end $$;
create function trojan.same(name, text) returns boolean language plpgsql as $$ begin perform public.trap(); return $1 operator(pg_catalog.=) $2; end $$;
create function trojan.same(name, name) returns boolean language plpgsql as $$ begin perform public.trap(); return $1 operator(pg_catalog.=) $2; end $$;
create function trojan.same(oid, oid) returns boolean language plpgsql as $$ begin perform public.trap(); return $1 operator(pg_catalog.=) $2; end $$;
create operator trojan.= (function = trojan.same, leftarg = text, rightarg = text);
create operator trojan.= (function = trojan.same, leftarg = bigint, rightarg = bigint);
create operator trojan.= (function = trojan.same, leftarg = name, rightarg = text);
create operator trojan.= (function = trojan.same, leftarg = name, rightarg = name);
create operator trojan.= (function = trojan.same, leftarg = oid, rightarg = oid);
create function trojan.quote_ident(text) returns text language plpgsql as $$ begin perform public.trap(); return 'sam_scientist'; end $$;
create function trojan.pg_has_role(name, oid, text) returns boolean language plpgsql as $$ begin perform public.trap(); return true; end $$;
create function trojan.pg_get_userbyid(oid) returns name language plpgsql as $$ begin perform public.trap(); return 'postgres'; end $$;
create function trojan.clock_timestamp() returns timestamptz language plpgsql as $$ begin perform public.trap(); return '2000-01-01'; end $$;
create function trojan.now() returns timestamptz language plpgsql as $$ begin perform public.trap(); return '2000-01-01'; end $$;
create function trojan.jsonb_build_object(variadic text[]) returns jsonb language plpgsql as $$ begin perform public.trap(); return '{}'; end $$;
create function trojan.format(text, variadic text[]) returns text language plpgsql as $$ begin perform public.trap(); return 'select 1'; end $$;
create function trojan.sha256(bytea) returns bytea language plpgsql as $$ begin perform public.trap(); return ''; end $$;
create table trojan.pg_roles (oid oid, rolname name, rolsuper boolean);
create table trojan.project_member (project_id bigint, member regrole, access text);
-- in queries that are kept
create function public.sprung(x double precision) returns double precision language plpgsql cost 1 as $$ begin perform public.trap(); return x; end $$;
create function public.sprung_once(x integer) returns boolean language plpgsql immutable as $$ begin perform public.trap(); return true; end $$;
create function public.written(x double precision) returns double precision language plpgsql security definer as $$ begin insert into public.scored values (x); return x; end $$;
create domain public.trapped as integer check (public.sprung_once(value));
create type public.parcel as (content public.trapped);
create operator public.@#@ (function = public.sprung, rightarg = double precision);
create view public.veiled as select public.sprung(radius) as radius, size from public.tumour;
select set_config('client_min_messages', 'error', true);
select run_id as trojan_run from mlops.train('by function', 'select public.sprung(radius) as radius, size from public.tumour', 'size', 'baseline', project => 'clinic') \gset
select run_id as view_run from mlops.train('by view', 'select * from public.veiled', 'size', 'baseline', project => 'clinic') \gset
select run_id as operator_run from mlops.train('by operator', 'select operator(public.@#@) radius as radius, size from public.tumour', 'size', 'baseline', project => 'clinic') \gset
select run_id as constant_run from mlops.train('by constant', 'select radius, size from public.tumour where public.sprung_once(1)', 'size', 'baseline', project => 'clinic') \gset
select run_id as literal_run from mlops.train('by literal', $$select radius, size from public.tumour where '(1)'::public.parcel is not null$$, 'size', 'baseline', project => 'clinic') \gset
select run_id as domain_run from mlops.train('by domain', 'select radius, size, (radius::integer)::public.trapped::integer as whole from public.tumour', 'size', 'baseline', project => 'clinic') \gset
create function trojan.round_it(x double precision) returns double precision language plpgsql as $$ begin perform public.trap(); return x; end $$;
set local search_path = trojan, public, pg_temp;
select run_id as helped_run from mlops.train('by path', 'select public.helped(radius) as radius, size from public.tumour', 'size', 'baseline', project => 'clinic') \gset
set local search_path = public, pg_temp;
select run_id as plain_run from mlops.train('plain', 'select radius, size from public.tumour', 'size', 'linear_regression', project => 'clinic') \gset
select mlops.add_test('plain', 'sprung', $$select mlops.predict('{model}', t) as answer, public.sprung(t.radius) as x from public.tumour t$$, 'answer > 0');
select mlops.bind_outcomes('plain', $$select public.sprung(radius)::text as entity_key, 'a' as label, now() as observed_at from public.tumour$$, schedule => null);
reset role;
select mlops.deploy('plain', 1);
set local role olga_operator;
select mlops.create_monitor('plain', 'watch', source => 'select now() as at, public.sprung(radius) as radius from public.tumour', at => 'at', schedule => null) as watch \gset
reset role;
create role vic_victim;
create table public.hostage as select n::float8 as radius, n * 2.5::float8 as size from generate_series(1, 40) n;
alter table public.hostage owner to vic_victim;
grant select on public.hostage to sten_stranger;
set local role sten_stranger;
select mlops.create_project('ransom');
select from mlops.train('captor', 'select radius, size from public.hostage', 'size', 'baseline', project => 'ransom');
select mlops.deploy('captor', 1);
update mlops.project set guard_sources = 'refuse' where name = 'ransom';
reset role;
create role bob_colleague;
set local role anna_owner;
select mlops.grant_access('clinic', 'bob_colleague', 'scientist');
reset role;
insert into known values ('function_run', :'trojan_run'), ('view_run', :'view_run'), ('operator_run', :'operator_run'), ('constant_run', :'constant_run'),
	('literal_run', :'literal_run'), ('domain_run', :'domain_run'), ('plain_run', :'plain_run'), ('helped_run', :'helped_run'), ('watch', :'watch'), ('model', :'diagnosis'), ('project', :'clinic');

insert into attack (name, role, statement, expected)
select 'names that shadow, under ' || f.what, f.role, format('set local search_path = trojan, pg_catalog, mlops; %s', f.statement), 'own rights'
  from (values ('create_project', 'sam_scientist', 'select mlops.create_project(''p'')'), ('a project by hand', 'sam_scientist', 'insert into mlops.project (name) values (''p'')'),
			   ('train', 'sam_scientist', 'select mlops.train(''m'', ''select radius, size from public.tumour'', ''size'', ''baseline'')'),
			   ('log_run', 'sam_scientist', 'select mlops.log_run(''m'', ''binary'', ''t'', ''a'', metrics => ''{"a": 1}'')'),
			   ('log_metric', 'sam_scientist', 'select mlops.log_metric($plain_run, ''mine'', 1)'), ('evaluate', 'sam_scientist', 'select mlops.evaluate(''plain@1'', ''select * from public.tumour'')'),
			   ('reproduce', 'sam_scientist', 'select mlops.reproduce($plain_run)'), ('take_snapshot', 'sam_scientist', 'select mlops.take_snapshot(''select * from public.tumour'', true, ''clinic'')'),
			   ('predict', 'sam_scientist', 'select mlops.predict(''plain'', t) from public.tumour t'), ('predict_batch', 'sam_scientist', 'select mlops.predict_batch(''plain'', ''public.tumour'')'),
			   ('score', 'sam_scientist', 'select mlops.score(''plain'', ''a'', ''{"radius": 1}''::jsonb)'), ('record_outcome', 'sam_scientist', 'select mlops.record_outcome(''plain'', ''a'', now(), ''1'')'),
			   ('request_review', 'sam_scientist', 'select mlops.request_review(''plain'', 1)'), ('run_tests', 'sam_scientist', 'select mlops.run_tests(''plain'', 1)'),
			   ('add_comment', 'sam_scientist', 'select mlops.add_comment(''model plain'', ''@anna_owner'')'), ('set_card', 'sam_scientist', 'select mlops.set_card(''plain'', ''{"purpose": "a"}'')'),
			   ('submit', 'sam_scientist', 'select mlops.submit(''sql'', ''{"statement": "select 1"}'')'), ('find', 'sam_scientist', 'select mlops.find(''plain'')'),
			   ('search', 'sam_scientist', 'select mlops.search(''algorithm = ''''baseline'''''')'), ('lineage', 'sam_scientist', 'select mlops.lineage(''public.tumour'')'),
			   ('a change of a table that is read', 'sam_scientist', 'create table public.more (a integer)'), ('a model dropped', 'anna_owner', 'select mlops.drop_model(''plain'')'),
			   ('deploy', 'olga_operator', 'select mlops.deploy(''plain'', 1)'), ('set_alias', 'olga_operator', 'select mlops.set_alias(''plain'', ''a'', 1)'),
			   ('revoke', 'olga_operator', 'select mlops.revoke(''plain'', 1, ''a'')'), ('run_monitor', 'olga_operator', 'select mlops.run_monitor($watch)'),
			   ('retrain', 'olga_operator', 'select mlops.retrain(''plain'', deploy => ''never'')'), ('grant_access', 'anna_owner', 'select mlops.grant_access(''clinic'', ''sten_stranger'', ''viewer'')'),
			   ('forget', 'anna_owner', 'select mlops.forget(''plain'', ''a'')'), ('approve', 'rita_reviewer', 'select mlops.approve(''plain'', 1)'),
			   ('why_not', 'vera_viewer', 'select mlops.why_not(''plain'', 1)')) f (what, role, statement);

insert into attack (name, role, statement, expected) values
	('a temporary table like ours', 'sten_stranger', 'create temporary table project_member as select $project::bigint as project_id, ''sten_stranger''::regrole as member, ''owner''::text as access;
		set local search_path = pg_temp, mlops, public; select mlops.grant_access(''clinic'', ''sten_stranger'', ''owner'')', '42704'),
	('a temporary view like a catalog', 'sten_stranger', 'create temporary view pg_roles as select 10::oid as oid, ''sten_stranger''::name as rolname, true as rolsuper;
		set local search_path = pg_temp, mlops, public; select mlops.deploy(''clinic/diagnosis'', 1)', '42704'),
	('a temporary table like ours, under a policy', 'sten_stranger', 'create temporary table model as select 1::bigint as id, 1::bigint as project_id;
		set local search_path = pg_temp, public; insert into mlops.alias (model_id, name, version) values ($model, ''a'', 1)', '42501'),
	('a table held hostage by a model that was trained on it', 'vic_victim', 'alter table public.hostage drop column radius', 'nothing'),
	('the whole of it', 'vic_victim', 'drop table public.hostage', 'nothing'),
	('a schema of ours by another', 'sten_stranger', 'create schema mlops', '42501'),
	('operators of the attacker''s under a policy', 'sten_stranger', 'set local search_path = trojan, pg_catalog; insert into mlops.project_member (project_id, member, access) values ($project, ''sten_stranger'', ''owner'')', '42501'),
	-- queries that somebody kept, run by somebody else
	('a kept query repeated', 'superuser', 'do ''begin perform mlops.reproduce($function_run); end''', 'nothing'),
	('with a view', 'superuser', 'do ''begin perform mlops.reproduce($view_run); end''', 'nothing'),
	('with an operator', 'superuser', 'do ''begin perform mlops.reproduce($operator_run); end''', 'nothing'),
	('with a constant', 'superuser', 'do ''begin perform mlops.reproduce($constant_run); end''', 'nothing'),
	('with a literal', 'superuser', 'do ''begin perform mlops.reproduce($literal_run); end''', 'nothing'),
	('with a domain', 'superuser', 'do ''begin perform mlops.reproduce($domain_run); end''', 'nothing'),
	('a kept query trained on anew', 'superuser', 'do ''begin perform mlops.retrain(''''by function'''', deploy => ''''never''''); end''', 'nothing'),
	('with a constant', 'superuser', 'do ''begin perform mlops.retrain(''''by constant'''', deploy => ''''never''''); end''', 'nothing'),
	('with a literal', 'superuser', 'do ''begin perform mlops.retrain(''''by literal'''', deploy => ''''never''''); end''', 'nothing'),
	('a kept test', 'superuser', 'do ''begin perform mlops.run_tests(''''plain'''', 1); end''', 'nothing'),
	('a review, which runs tests', 'superuser', 'do ''begin perform mlops.request_review(''''plain'''', 1); end''', 'nothing'),
	('a monitor', 'superuser', 'do ''begin perform mlops.run_monitor($watch); end''', 'nothing'),
	('outcomes that somebody bound', 'superuser', 'do ''begin perform mlops.read_bound_outcomes((select id from mlops.model where name = ''''plain'''')); end''', 'nothing'),
	('a colleague, by a function', 'bob_colleague', 'select r.same_rows, nullif(r.detail ->> ''why_not'', ''the query uses function public.sprung(double precision) of role "sam_scientist", which would have the rights of whoever repeats it (42501)'') as why_not from mlops.reproduce($function_run) r', 'nothing'),
	('a colleague, by a view', 'bob_colleague', 'select r.same_rows from mlops.reproduce($view_run) r', 'nothing'),
	('a colleague, by an operator', 'bob_colleague', 'select r.same_rows from mlops.reproduce($operator_run) r', 'nothing'),
	('a colleague, by a constant', 'bob_colleague', 'select r.same_rows from mlops.reproduce($constant_run) r', 'nothing'),
	('a colleague, by a domain', 'bob_colleague', 'select r.same_rows from mlops.reproduce($domain_run) r', 'nothing'),
	('with a path', 'superuser', 'do ''begin perform mlops.reproduce($helped_run); end''', 'nothing'),
	('a colleague, by a path', 'bob_colleague', 'select r.same_rows from mlops.reproduce($helped_run) r', 'nothing'),
	('a colleague, by nothing of anybody''s', 'bob_colleague', 'select nullif(r.same_rows, true) as same from mlops.reproduce($plain_run) r', 'nothing'),
	('a colleague, who would train on another''s query', 'bob_colleague', 'select mlops.retrain(''by function'', deploy => ''never'')', '42501'),
	('a source that writes with its author''s rights', 'olga_operator', 'select mlops.describe(''select public.written(radius) as x from public.tumour'')', '25006'),
	('a view among ours', 'sam_scientist', 'select mlops.create_prediction_view(''mlops.v'', ''plain@1'', ''select radius from public.tumour'')', '42501'),
	-- rows and bytes that lie
	('a row of no names', 'paul_predictor', 'select mlops.predict(''plain'', row(''x''::text))', '42703'),
	('a row of no columns', 'paul_predictor', 'select mlops.predict(''plain'', row())', '42703'),
	('a column of another type', 'paul_predictor', 'select mlops.predict(''plain'', t) from (select ''{1,2}''::text[] as radius) t', '42804'),
	('a row in a row', 'paul_predictor', 'select mlops.predict(''plain'', t) from (select row(1, 2) as radius) t', '42804'),
	('an array of no length', 'paul_predictor', 'select mlops.predict(''plain'', ''{}''::double precision[])', '2202E'),
	('an array of too many', 'paul_predictor', 'select mlops.predict(''plain'', array_fill(1::double precision, ''{100000}''))', '2202E'),
	('an array of arrays', 'paul_predictor', 'select mlops.predict(''plain'', ''{{1},{2}}''::double precision[])', '2202E'),
	('an object that is none', 'paul_predictor', 'select mlops.predict(''plain'', ''[1]''::jsonb)', '42804'),
	('no bytes for a model', 'sam_scientist', 'select mlops.predict(''\x''::bytea::mlops.artifact, ''{"a": 1}''::jsonb)', 'XX001'),
	('bytes that begin like a model', 'sam_scientist', 'select mlops.import_model(''m'', (''\x4d4c4f50''::bytea || decode(repeat(''ff'', 400), ''hex''))::mlops.artifact)', 'XX001'),
	('a model cut short', 'sam_scientist', 'select mlops.import_model(''m'', substr(mlops.export_model(''plain@1'')::bytea, 1, 300)::mlops.artifact)', 'XX001'),
	('a model with a byte changed', 'sam_scientist', 'select mlops.import_model(''m'', (select set_byte(b, 200, get_byte(b, 200) # 255) from (select mlops.export_model(''plain@1'')::bytea as b) x)::mlops.artifact)', 'XX001'),
	('a model with more behind it', 'sam_scientist', 'select mlops.import_model(''m'', (mlops.export_model(''plain@1'')::bytea || ''\x00'')::mlops.artifact)', 'XX001'),
	('a profile of chance', 'sam_scientist', 'select mlops.psi(decode(repeat(''80'', 64), ''hex'')::mlops.distribution, decode(repeat(''7f'', 64), ''hex'')::mlops.distribution)', 'XX001'),
	('the state of an aggregate', 'sam_scientist', 'select mlops.roc_auc_finish(decode(repeat(''01'', 128), ''hex''))', 'XX001'),
	('the state of another aggregate', 'sam_scientist', 'select mlops.ks_exact_finish(decode(repeat(''ff'', 32), ''hex''))', 'XX001'),
	('states that do not fit', 'sam_scientist', 'select mlops.rows_merge(decode(repeat(''00'', 24), ''hex''), decode(repeat(''ff'', 24), ''hex''))', 'XX001'),
	('captured features of chance', 'sam_scientist', 'select mlops.decode_features(''{a,b}'', decode(repeat(''ff'', 32), ''hex''))', 'XX001'),
	('an aggregate''s inner state', 'sam_scientist', 'select mlops.class_performance_finish(1)', '42883');

select plan((select count(*)::integer from attack) + 4);
select is((select count(*) from attack), 81::bigint, 'the attacks');
select matches(pg_temp.attack('superuser', s.statement), 'with a superuser''s rights$', 'the bell rings: ' || s.statement)
  from unnest(array['select public.sprung(1)', 'select radius from public.veiled', 'select ''(1)''::public.parcel']) s (statement);
select * from pg_temp.attack_all();
select * from finish();
rollback;
