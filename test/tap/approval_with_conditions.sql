-- An approval with conditions is a finding with a day on which it is due, and counts until then, or when somebody else settled it.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select plan(16);
select pg_temp.set_policy('{"approvals": {"reviewer": 1}}') as policy;
select mlops.request_review('screening', 1);
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1, conditions => 'add a monitor')$$), '22023', 'conditions have a day');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1, conditions => 'add a monitor', due => current_date - 1)$$), '22023', 'that is to come');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1, 'nearly', 'add a monitor', current_date + 7)$$), 'done', 'with one');
select results_eq($$select f.source, f.title, f.detail, f.due, f.opened_by, f.state from mlops.finding f join mlops.approval a on a.finding_id = f.id$$,
	$$values ('review', 'version 1 of model "screening": add a monitor', 'nearly', current_date + 7, 'rita_reviewer', 'open')$$, 'there is a finding');
select is(pg_temp.missing(1), '{}', 'and it counts');

select mlops.reject('screening', 1);
set local session_replication_role = replica;
insert into mlops.approval (model_id, version, review_id, decision, level, sha256, policy_version, decided_by, conditions, due, finding_id)
select a.model_id, a.version, a.review_id, a.decision, a.level, a.sha256, a.policy_version, a.decided_by, a.conditions, current_date - 1, a.finding_id from mlops.approval a where finding_id is not null;
insert into mlops.approval (model_id, version, review_id, decision, level, sha256, policy_version, decided_by)
select a.model_id, a.version, a.review_id, 'approved', a.level, a.sha256, 1, 'postgres' from mlops.approval a where finding_id is not null limit 1;
reset session_replication_role;
select is(pg_temp.missing(1), '{"approvals by reviewer"}', 'past its day it does not');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), '55000', 'and nothing goes live');

-- settling it is for those who review, and not for the author
set local role sam_scientist;
with changed as (update mlops.finding set state = 'resolved', resolution = 'done' where source = 'review' returning id) select is(count(*), 0::bigint, 'a scientist does not settle it') from changed;
with changed as (update mlops.finding set due = current_date + 99 where source = 'review' returning id) select is(count(*), 0::bigint, 'nor put it off') from changed;
select throws_ok($$insert into mlops.finding (project_id, source, title) select id, 'review', 'mine' from mlops.project$$, '42501', null, 'nor open one');
set local role olga_operator;
with changed as (update mlops.finding set state = 'resolved', resolution = 'done' where source = 'review' returning id) select is(count(*), 0::bigint, 'nor does an operator') from changed;
set local role anna_owner;
select mlops.grant_access('clinic', 'sam_scientist', 'reviewer');
set local role sam_scientist;
with changed as (update mlops.finding set state = 'resolved', resolution = 'done' where source = 'review' returning id) select is(count(*), 1::bigint, 'an author who is a reviewer may') from changed;
reset role;
select is(pg_temp.missing(1), '{"approvals by reviewer"}', 'which changes nothing for their own version');
set local role rita_reviewer;
with changed as (update mlops.finding set state = 'resolved', resolution = 'there is one' where source = 'review' returning id) select is(count(*), 1::bigint, 'another reviewer does') from changed;
reset role;
select is(pg_temp.missing(1), '{}', 'and it counts again');
select is((select count(*) from mlops.finding where source = 'review'), 1::bigint, 'there was one finding');
select * from finish();
rollback;
