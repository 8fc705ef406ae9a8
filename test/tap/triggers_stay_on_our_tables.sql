-- A trigger's function runs for whatever table it is put on: nobody gains a membership, or forges a history, with a table of their own.
\ir include/begin.sql
\ir include/registry.sql
select set_config('test.project', :'clinic', true), set_config('test.model', :'diagnosis', true);
select plan(6);
grant create on schema public to sten_stranger;

select is_empty($$select p.oid::regprocedure from pg_proc p
				   where p.pronamespace = 'mlops'::regnamespace and p.prorettype = 'trigger'::regtype
					 and has_function_privilege('sten_stranger', p.oid, 'execute')$$, 'no function of a trigger is for everybody');

set local role sten_stranger;
create table project (id bigint, owner_name text);
create table alias (model_id bigint, name text, version integer);
select throws_ok('create trigger t after insert on project for each row execute function mlops.project_owner()', '42501', null,
				 'a stranger puts none on a table');
select throws_ok('create trigger t after insert on alias for each row execute function mlops.record_alias()', '42501', null,
				 'not that of aliases either');

-- nor where somebody granted everything in the schema
reset role;
grant execute on all functions in schema mlops to sten_stranger;
set local role sten_stranger;
create trigger t after insert on project for each row execute function mlops.project_owner();
create trigger t after insert on alias for each row execute function mlops.record_alias();
select throws_ok($$insert into project values (current_setting('test.project')::bigint, 'sten_stranger')$$, '39P01', null,
				 'which makes nobody an owner');
select throws_ok($$insert into alias values (current_setting('test.model')::bigint, 'champion', 1)$$, '39P01', null, 'and writes no history');
reset role;
select is((select count(*) from mlops.project_member where member = 'sten_stranger'::regrole), 0::bigint, 'nothing was written');
select * from finish();
rollback;
