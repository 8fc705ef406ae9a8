-- A policy is checked when it is published, by function or by hand, is numbered by the server, and stays.
\ir include/begin.sql
\ir include/registry.sql
\ir include/refusal.sql
select set_config('test.clinic', :'clinic', true);
create function pg_temp.refused(body jsonb) returns text language sql as $$ select split_part(pg_temp.refusal(format('select mlops.set_policy(''clinic'', %L)', body)), ' |', 1) $$;
select plan(34);
set local role anna_owner;
select is(mlops.set_policy('clinic', '{"checks": {"good": "roc_auc > 0.9"}}'), 2, 'the owner publishes one');
select is(mlops.set_policy('clinic', '{}'), 3, 'and another');
select results_eq('select version, published_by, published_session from mlops.policy where version > 1 order by 1', $$values (2, 'anna_owner', session_user::text collate "default"), (3, 'anna_owner', session_user::text collate "default")$$, 'in her name');
select is(pg_temp.refused(null), '22023 a policy must be an object', 'none');
select is(pg_temp.refused('[]'), '22023 a policy must be an object', 'an array');
select is(pg_temp.refused('{"check": {}}'), '22023 a policy has no "check"', 'another key');
select is(pg_temp.refused('{"checks": []}'), '22023 "checks" and "approvals" of a policy must be objects', 'checks');
select is(pg_temp.refused('{"checks": {"a": 1}}'), '22023 check "a" of a policy must be a condition', 'a number');
select is(pg_temp.refused('{"checks": {"a": "roc_auc >"}}'), '22023 invalid condition: expected a name or a value at character 10, found the end', 'half a condition');
select is(pg_temp.refused('{"checks": {"a": "roc_auc > 0.9; drop table mlops.policy"}}'), '22023 invalid condition: expected a name, a value or an operator at character 14, found ";"', 'SQL');
select is(pg_temp.refused('{"checks": {"a": "roc_auk > 0.9"}}'), '22023 check "a" asks for what is not known of versions: roc_auk', 'an unknown metric');
select is(pg_temp.refused('{"checks": {"a": "roc_auk is null"}}'), '22023 check "a" asks for what is not known of versions: roc_auk', 'one whose absence would pass');
select is(pg_temp.refused('{"checks": {"approvals": "roc_auc > 0.9"}}'), '42602 invalid name of a check: ''approvals''', 'a name of the gate''s own');
select is(pg_temp.refused('{"checks": {"": "roc_auc > 0.9"}}'), '42602 invalid name of a check: ''''', 'no name');
select is(pg_temp.refused('{"approvals": {"scientist": 1}}'), '22023 approvals are not given by level ''scientist''', 'a level that decides nothing');
select is(pg_temp.refused('{"approvals": {"reviewer": 0}}'), '22023 the number of approvals by level "reviewer" must be a whole number from 1 to 999', 'nobody');
select is(pg_temp.refused('{"approvals": {"reviewer": 1.5}}'), '22023 the number of approvals by level "reviewer" must be a whole number from 1 to 999', 'half a person');
select is(pg_temp.refused('{"approvals": {"reviewer": "1"}}'), '22023 the number of approvals by level "reviewer" must be a whole number from 1 to 999', 'a text');
select is(pg_temp.refused(format('{"valid_for": %s}', v)::jsonb), '22023 "valid_for" of a policy must be an interval longer than 0, such as "90 days"', v)
  from unnest(array['90', '"soon"', '"-1 day"', '"0"', 'null']) v;
select is(pg_temp.refused('{"distinct_sessions": "yes"}'), '22023 "distinct_sessions" of a policy must be true or false', 'a text');
select is(pg_temp.refused('{"checks": {"a": "champion.roc_auc is null or roc_auc > champion.baseline.roc_auc", "b": "per_class.yes.f1 > 0.5 and test.fair and param.depth < 9",
	"c": "tests_failed = 0 and rows_test > 100 and training_drift < 0.2 and comparison.better and card.limits is not null"}, "approvals": {"owner": 2}, "valid_for": "P1Y"}'), 'accepted', 'all there is');
select throws_ok(format('insert into mlops.policy (project_id, body) values (%s, ''{"checks": {"a": "roc_auk > 1"}}'')', :clinic), '22023', null, 'by hand it is checked, too');
select throws_ok(format('insert into mlops.policy (project_id, version, body) values (%s, 1, ''{}'')', :clinic), '42501', null, 'nobody gives the number');
select throws_ok(format('insert into mlops.policy (project_id, body, published_by) values (%s, ''{}'', ''rita_reviewer'')', :clinic), '42501', null, 'or another''s name');
select lives_ok(format('insert into mlops.policy (project_id, body) values (%s, ''{}'')', :clinic), 'but the owner may write one');
select throws_ok('update mlops.policy set body = ''{}''', '42501', null, 'not change one');
select throws_ok('delete from mlops.policy', '42501', null, 'nor remove one');
set local role rita_reviewer;
select throws_ok($$select mlops.set_policy('clinic', '{}')$$, '42501', null, 'a reviewer publishes none');
select throws_ok(format('insert into mlops.policy (project_id, body) values (%s, ''{}'')', :clinic), '42501', null, 'nor by hand');
set local role sten_stranger;
select throws_ok($$select mlops.set_policy('clinic', '{}')$$, '42704', 'project "clinic" does not exist', 'nor a stranger, who learns nothing');
reset role;
select * from finish();
rollback;
