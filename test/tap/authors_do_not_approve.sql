-- Who made a version does not approve it, by function or by hand, nor as another role of theirs where the policy counts sessions.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select plan(17);
set local role anna_owner;
select mlops.grant_access('clinic', 'sam_scientist', 'reviewer');
reset role;
select is(pg_temp.set_policy('{"approvals": {"reviewer": 1}}'), 2, 'a policy');
select mlops.request_review('screening', n) from generate_series(1, 4) n;
select is(pg_temp.as_role('sam_scientist', $$select mlops.approve('screening', 1)$$), '55000', 'an author who is a reviewer does not approve');
select is(pg_temp.as_role('sam_scientist', $$select mlops.approve('screening', 1, conditions => 'look again', due => current_date + 1)$$), '55000', 'nor with conditions');
select is(pg_temp.as_role('sam_scientist', $$insert into mlops.approval (model_id, version, decision) select id, 1, 'approved' from mlops.model where name = 'screening'$$), '55000', 'nor by hand');
select is(pg_temp.as_role('sam_scientist', $$insert into mlops.approval (model_id, version, decision, decided_by) select id, 1, 'approved', 'rita_reviewer' from mlops.model where name = 'screening'$$),
		  '42501', 'nor in another''s name');
select is(pg_temp.as_role('sam_scientist', $$select mlops.approve('screening', 3)$$), '55000', 'who imported a version is its author');
select is(pg_temp.as_role('sam_scientist', $$select mlops.reject('screening', 1)$$), 'done', 'an author may reject their own');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1)$$), 'done', 'others approve');
select is(pg_temp.missing(1), '{rejections}', 'but what its author rejects does not go live');

-- of a version that somebody trained in another's name the run says more
insert into mlops.model_version (model_id, version, run_id, algorithm, task, size, sha256, params, metrics, origin, created_by) values (:screening, 5, :run, 'baseline', 'binary', 1, sha256('5'), '{}', '{}', 'measured', 'olga_operator');
select mlops.request_review('screening', 5);
select is(pg_temp.as_role('sam_scientist', $$select mlops.approve('screening', 5)$$), '55000', 'whom the run names is an author, too');

-- another role of the same person
create role sam_at_night;
grant sam_at_night to sam_scientist;
set local role anna_owner;
select mlops.grant_access('clinic', 'sam_at_night', 'reviewer');
reset role;
set local session authorization sam_scientist;
set local role sam_at_night;
select lives_ok($$select mlops.approve('screening', 1)$$, 'another role of theirs may');
reset session authorization;
select is(pg_temp.set_policy('{"approvals": {"reviewer": 1}, "distinct_sessions": true}'), 3, 'but where the policy says so');
select mlops.request_review('screening', n) from generate_series(1, 4) n;
set local session authorization sam_scientist;
set local role sam_at_night;
select throws_ok($$select mlops.approve('screening', 1)$$, '55000', 'version 1 of model "screening" cannot be approved by its author', 'sessions are people, too');
select throws_ok($$insert into mlops.approval (model_id, version, decision) select id, 1, 'approved' from mlops.model where name = 'screening'$$, '55000', null, 'also by hand');
reset session authorization;
set local session authorization rita_reviewer;
select lives_ok($$select mlops.approve('screening', 1)$$, 'and others approve');
reset session authorization;
select is((select decided_session from mlops.approval where policy_version = 3), 'rita_reviewer', 'both are stored');

-- one session as two roles is one person
select pg_temp.set_policy('{"approvals": {"reviewer": 2}, "distinct_sessions": true}') as policy;
select mlops.request_review('screening', 1);
grant ruth_reviewer to rob_reviewer;
set local session authorization rob_reviewer;
select mlops.approve('screening', 1);
set local role ruth_reviewer;
select mlops.approve('screening', 1);
reset session authorization;
select is((select detail from mlops.why_not('screening', 1) where check_name = 'approvals by reviewer'), '1 of 2; approved by rob_reviewer, ruth_reviewer', 'two roles of one session are one');
select * from finish();
rollback;
