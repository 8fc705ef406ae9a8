-- Which approvals count: of how many people, of which level, for how long, about which bytes, under which policy.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select set_config('test.screening', :'screening', true);
select plan(28);
create function pg_temp.counted() returns text language sql as $$ select string_agg(check_name || ' ' || detail, '; ') from mlops.why_not('screening', 1) $$;
select pg_temp.set_policy('{"approvals": {"reviewer": 2}, "valid_for": "30 days"}') as policy;
select mlops.request_review('screening', 1);
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1), mlops.approve('screening', 1)$$), 'done', 'who approves twice');
select is(pg_temp.counted(), 'approvals by reviewer 1 of 2; approved by rita_reviewer', 'counts once');
select is(pg_temp.as_role('ruth_reviewer', $$select mlops.approve('screening', 1)$$), 'done', 'another one');
select is(pg_temp.missing(1), '{}', 'and there are two');
select is(pg_temp.as_role('ruth_reviewer', $$select mlops.reject('screening', 1, 'too few women')$$), 'done', 'who withdraws');
select is(pg_temp.counted(), 'approvals by reviewer 1 of 2; approved by rita_reviewer; rejections rejected by ruth_reviewer: too few women', 'does not count, and stands in the way');
select is(pg_temp.as_role('rob_reviewer', $$select mlops.approve('screening', 1)$$), 'done', 'though others approve');
select is(pg_temp.missing(1), '{rejections}', 'it stays so');
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), '55000', 'and nothing goes live');
set local role anna_owner;
select mlops.revoke_access('clinic', 'ruth_reviewer');
reset role;
select is(pg_temp.missing(1), '{}', 'until she may decide no more');

-- time: as if it were a month ago
create function pg_temp.decided(who text, policy integer, ago interval, expires timestamptz default null, bytes bytea default null) returns void language plpgsql as $$
begin
	set local session_replication_role = replica;
	insert into mlops.approval (model_id, version, review_id, decision, level, sha256, policy_version, decided_by, decided_session, decided_at, expires)
	select v.model_id, 1, (select max(id) from mlops.review), 'approved', 'reviewer', coalesce(bytes, v.sha256), policy, who, who, clock_timestamp() - ago, expires
	  from mlops.model_version v where v.model_id = current_setting('test.screening')::bigint and v.version = 1;
	reset session_replication_role;
end
$$;
select pg_temp.decided('rob_reviewer', 2, '31 days');
select is(pg_temp.counted(), 'approvals by reviewer 1 of 2; approved by rita_reviewer', 'what is older than the policy allows does not count');
select pg_temp.decided('rob_reviewer', 2, '29 days');
select is(pg_temp.missing(1), '{}', 'what is not does');
select pg_temp.decided('rob_reviewer', 2, '1 day', clock_timestamp() - interval '1 second');
select is(pg_temp.counted(), 'approvals by reviewer 1 of 2; approved by rita_reviewer', 'what has expired does not');
select pg_temp.decided('rob_reviewer', 2, '1 day', clock_timestamp() + interval '1 hour');
select is(pg_temp.missing(1), '{}', 'before it does');
select pg_temp.decided('ruth_reviewer', 2, '1 day', null, sha256('other bytes'));
select is(pg_temp.missing(1), '{}', 'nor does what is about other bytes');
select is((select array_agg(decided_by order by decided_by) from mlops.standing_decisions(:screening, 1)), '{rita_reviewer,rob_reviewer,ruth_reviewer}', 'of which an earlier decision stands');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1, valid_for => '-1 day')$$), '22023', 'an approval does not begin expired');

-- another policy: a bar that was lowered does not let pass what was approved under the other
select pg_temp.set_policy('{"approvals": {"reviewer": 1}}') as policy;
select is(pg_temp.counted(), 'approvals by reviewer 0 of 1; approved by nobody', 'approvals under another policy do not count');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1)$$), '55000', 'nor is its review open');

-- levels
select pg_temp.set_policy('{"approvals": {"reviewer": 1, "owner": 1}}') as policy;
select mlops.request_review('screening', 1);
select is(pg_temp.as_role('anna_owner', $$select mlops.approve('screening', 1)$$), 'done', 'an owner approves as owner');
select is(pg_temp.counted(), 'approvals by owner 1 of 1; approved by anna_owner; approvals by reviewer 0 of 1; approved by anna_owner', 'and is no reviewer besides');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1, level => 'owner')$$), '42501', 'a reviewer is no owner');
select is(pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1)$$), 'done', 'but a reviewer');
select is(pg_temp.missing(1), '{}', 'which is all');
select pg_temp.set_policy('{"approvals": {"reviewer": 1}}') as policy;
select mlops.request_review('screening', 1);
select is(pg_temp.as_role('anna_owner', $$select mlops.approve('screening', 1)$$), 'done', 'who owns may do');
select is(pg_temp.missing(1), '{}', 'what a reviewer does');

-- an approval that ends while a transaction is under way ends for it, too
select is(pg_temp.as_role('anna_owner', $$select mlops.approve('screening', 1, valid_for => '100 milliseconds')$$), 'done', 'for a moment');
select pg_sleep_until(expires) from mlops.approval where expires is not null and decided_by = 'anna_owner';
select is(pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$), '55000', 'and not beyond');
select * from finish();
rollback;
