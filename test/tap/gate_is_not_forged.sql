-- What the gate rests on is written by those who may, and in their own name: by no level, table by table, and not by what we use ourselves.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select set_config('test.screening', :'screening', true);
select pg_temp.set_policy('{"approvals": {"reviewer": 1}}') as policy;
select mlops.request_review('screening', 1);
create temporary table person (level text, name text);
insert into person values ('viewer', 'vera_viewer'), ('predictor', 'paul_predictor'), ('scientist', 'sam_scientist'), ('reviewer', 'rita_reviewer'), ('operator', 'olga_operator'),
	('owner', 'anna_owner'), ('stranger', 'sten_stranger');
create temporary table attack (name text, statement text);
insert into attack values
	('evidence', 'insert into mlops.evidence (model_id, version, kind, name, holds, detail, sha256, measured_by, measured_session) values (1, 1, ''check'', ''a'', true, ''{}'', '''', ''a'', ''a'')'),
	('a row that broke a test', 'insert into mlops.evidence_row values (1, ''a'')'),
	('such a row removed', 'delete from mlops.evidence_row'),
	('a review', 'insert into mlops.review (model_id, version, sha256, requested_by, requested_session) values (1, 1, '''', ''a'', ''a'')'),
	('a revocation', 'insert into mlops.revocation (model_id, version, reason, revoked_by, revoked_session) values (1, 1, ''a'', ''a'', ''a'')'),
	('an approval''s author', 'insert into mlops.approval (model_id, version, decision, decided_by) values (1, 1, ''approved'', ''rita_reviewer'')'),
	('an approval''s session', 'insert into mlops.approval (model_id, version, decision, decided_session) values (1, 1, ''approved'', ''rita_reviewer'')'),
	('an approval''s bytes', 'insert into mlops.approval (model_id, version, decision, sha256) values (1, 1, ''approved'', '''')'),
	('an approval''s time', 'insert into mlops.approval (model_id, version, decision, decided_at) values (1, 1, ''approved'', now())'),
	('an approval''s policy', 'insert into mlops.approval (model_id, version, decision, policy_version) values (1, 1, ''approved'', 1)'),
	('an approval''s finding', 'insert into mlops.approval (model_id, version, decision, finding_id) values (1, 1, ''approved'', 1)'),
	('an approval changed', 'update mlops.approval set decision = ''approved'''),
	('an approval removed', 'delete from mlops.approval'),
	('evidence changed', 'update mlops.evidence set holds = true'),
	('evidence removed', 'delete from mlops.evidence'),
	('a policy changed', 'update mlops.policy set body = ''{}'''),
	('a policy removed', 'delete from mlops.policy'),
	('a policy truncated', 'truncate mlops.policy'),
	('a deployment''s policy', 'insert into mlops.deployment (model_id, version, policy_version) values (current_setting(''test.screening'')::bigint, 1, 1)'),
	('a version unrevoked', 'update mlops.model_version set revoked = false'),
	('a version''s author', 'update mlops.model_version set created_by = ''nobody'''),
	('a version''s metrics', 'update mlops.model_version set metrics = ''{"roc_auc": 1}'''),
	('store_review()', 'select mlops.store_review(1, 1, null, ''a'', ''a'')'),
	('store_revocation()', 'select mlops.store_revocation(1, 1, ''a'', ''a'', ''a'')'),
	('the gate switched off', 'alter table mlops.deployment disable trigger deployment_gate'),
	('triggers switched off', 'set session_replication_role = replica'),
	('a policy on our table', 'create policy mine on mlops.approval for insert with check (true)');
select plan((select 7 * count(*)::integer from attack) + 15);
select is(pg_temp.as_role(p.name, a.statement), '42501', format('%s, by a %s', a.name, p.level)) from attack a, person p;

-- who may decide, and who may not
select is(pg_temp.as_role(p.name, $$insert into mlops.approval (model_id, version, decision) values (current_setting('test.screening')::bigint, 1, 'approved')$$),
		  case when p.level in ('reviewer', 'owner') then 'done' else '42501' end, format('a decision by a %s', p.level)) from person p;
select is(pg_temp.as_role(p.name, $$insert into mlops.acceptance_test (model_id, name, query, expectation) values (current_setting('test.screening')::bigint, current_user, 'select ''{model}'' as a', 'a is not null')$$),
		  case when p.level in ('reviewer', 'owner', 'scientist') then 'done' else '42501' end, format('a test by a %s', p.level)) from person p;

-- a stranger learns nothing of models that there are
create function pg_temp.told(statement text) returns text language plpgsql as $$
begin
	execute statement;
	return 'accepted';
exception when others then
	return sqlstate || ' ' || regexp_replace(sqlerrm, '\d+', 'N');
end
$$;
set local role sten_stranger;
select is(array(select pg_temp.told(format('insert into mlops.%s values (%s, 1%s)', t.into_table, m.id, t.more)) from (values (current_setting('test.screening')), ('999999')) m (id), (values ('approval (model_id, version, decision)', ', ''approved'''), ('deployment (model_id, version)', '')) t (into_table, more) order by t.into_table, m.id),
		  array['42501 permission denied to review model N', '42501 permission denied to review model N', '42501 new row violates row-level security policy for table "deployment"', '42501 new row violates row-level security policy for table "deployment"'],
		  'a stranger is told the same of a model that is there and of one that is not');
reset role;
select * from finish();
rollback;
