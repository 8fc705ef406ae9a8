-- Reviews: tests are run, people decide, a version's stage follows, and a revocation ends it.

create function mlops.add_test(model text, name text, query text, expectation text) returns bigint
	language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_add_test';
comment on function mlops.add_test(text, text, text, text) is
'Adds an acceptance test that every version of a model must pass: a SELECT, in which the literal ''{model}'' stands for the version, and a condition that must hold on each of its rows, of which there must be some; or on rows, seconds and microseconds_per_row of the query as a whole.  It is run with the rights of whoever adds it';

create function mlops.drop_test(model text, name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	delete from mlops.acceptance_test t
	 where t.model_id = (select r.model_id from mlops.resolve_model(drop_test.model, 'model', 'review') r) and t.name = drop_test.name;
	if not found then
		raise exception 'model "%" has no acceptance test "%"', model, name
			using errcode = 'undefined_object', hint = 'Tests are in mlops.acceptance_test.';
	end if;
end
$$;
comment on function mlops.drop_test(text, text) is 'Removes an acceptance test; what it showed stays in mlops.evidence.  It takes access as reviewer';

create function mlops.judge_test(expectation text, found jsonb, seconds double precision) returns jsonb
language sql immutable strict
set search_path = pg_catalog, pg_temp
as $$
	select jsonb_strip_nulls(t.facts || jsonb_build_object('holds',
			case when found ? 'broken' then (found ->> 'rows')::bigint > 0 and (found ->> 'broken')::bigint = 0
				 else coalesce(mlops.condition_holds(expectation, t.facts), false) end))
	  from (select found || jsonb_build_object('seconds', seconds, 'microseconds_per_row', 1e6 * seconds / nullif((found ->> 'rows')::bigint, 0)) as facts) t
$$;
comment on function mlops.judge_test(text, jsonb, double precision) is
'Whether a test is passed: of its rows there are some and none is broken, or the expectation holds of rows, seconds and microseconds_per_row';

create function mlops.run_tests(model text, version integer default null) returns table (name text, holds boolean, detail jsonb)
	language c volatile parallel unsafe cost 1000000 rows 20 as 'MODULE_PATHNAME', 'mlops_run_tests';
comment on function mlops.run_tests(text, integer) is
'Runs the acceptance tests of a model on a version, the newest where it is NULL; what they show is evidence.  It takes access as scientist, reviewer or operator';

create function mlops.request_review(model text, version integer default null, note text default null) returns bigint
	language c volatile parallel unsafe cost 1000000 as 'MODULE_PATHNAME', 'mlops_request_review';
comment on function mlops.request_review(text, integer, text) is
'Asks for a version, the newest where it is NULL, to be looked at: its acceptance tests are run, and how the policy''s checks stand is evidence; the review''s id.  It takes access as scientist, reviewer or operator';

create function mlops.store_review(model_id bigint, version integer, note text, requested_by text, requested_session text) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	subject record;
	rules mlops.policy;
	facts jsonb;
	made bigint;
begin
	select v.sha256, m.project_id into subject
	  from mlops.model_version v join mlops.model m on m.id = v.model_id
	 where v.model_id = store_review.model_id and v.version = store_review.version;
	rules := mlops.policy_in_force(subject.project_id);
	facts := mlops.version_facts(store_review.model_id, store_review.version);
	insert into mlops.review (model_id, version, sha256, policy_version, note, requested_by, requested_session)
	values (store_review.model_id, store_review.version, subject.sha256, rules.version, store_review.note, store_review.requested_by, store_review.requested_session)
	returning id into made;
	insert into mlops.evidence (model_id, version, review_id, kind, name, holds, detail, sha256, policy_version, measured_by, measured_session)
	select store_review.model_id, store_review.version, made, 'check', c.key, coalesce(mlops.condition_holds(c.value, facts), false),
		   jsonb_build_object('condition', c.value, 'facts', mlops.condition_facts(c.value, facts)), subject.sha256, rules.version,
		   store_review.requested_by, store_review.requested_session
	  from jsonb_each_text(rules.body -> 'checks') c;
	return made;
end
$$;
comment on function mlops.store_review(bigint, integer, text, text, text) is 'Writes a review, and how the checks of the policy in force stand';

create function mlops.decide(model text, version integer, decision text, level text, comment text, conditions text, due date, expires timestamptz) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target record;
	made bigint;
begin
	-- the newest one may be another than the one that was looked at
	if version is null and strpos(model, '@') = 0 then
		raise exception 'which version of model "%" is decided about must be said', model
			using errcode = 'null_value_not_allowed', hint = 'Give its number.';
	end if;
	select r.* into target from mlops.resolve_model(decide.model, case when decide.version is null then 'newest' else 'model' end, 'review') r;
	insert into mlops.approval (model_id, version, decision, level, comment, conditions, due, expires)
	values (target.model_id, coalesce(decide.version, target.version), decide.decision, decide.level, decide.comment, decide.conditions, decide.due, decide.expires)
	returning id into made;
	return made;
end
$$;
comment on function mlops.decide(text, integer, text, text, text, text, date, timestamptz) is 'What approve() and reject() have in common: a row of mlops.approval';

create function mlops.approve(model text, version integer default null, comment text default null, conditions text default null, due date default null,
							  valid_for interval default null, level text default null) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	if level is not null and level not in ('reviewer', 'owner') then
		raise exception 'approvals are not given by level %', quote_literal(level)
			using errcode = 'invalid_parameter_value', hint = 'Those who decide reviews are reviewers and owners.';
	elsif (conditions is null) <> (due is null) then
		raise exception 'conditions have a day on which they are due'
			using errcode = 'invalid_parameter_value', hint = 'Give both, "conditions" and "due", or none.';
	elsif conditions = '' or length(conditions) > 500 then
		raise exception 'conditions have 1 to 500 characters'
			using errcode = 'invalid_parameter_value';
	end if;
	return mlops.decide(model, version, case when conditions is null then 'approved' else 'conditional' end, level, comment, conditions, due, clock_timestamp() + valid_for);
end
$$;
comment on function mlops.approve(text, integer, text, text, date, interval, text) is
'Says, with the caller''s name, that a version under review may go live, which model@version may name, too; with conditions, which become a finding, only until they are due or met.  valid_for: for how long at most; level: as reviewer or as owner.  Whoever made the version cannot; it takes access as reviewer';

create function mlops.reject(model text, version integer default null, comment text default null) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
begin
	return mlops.decide(model, version, 'rejected', null, comment, null, null, null);
end
$$;
comment on function mlops.reject(text, integer, text) is
'Says that a version under review must not go live, or no more: it withdraws the caller''s approval, and stands in the way until the caller approves';

create function mlops.revoke(model text, version integer, reason text) returns void
	language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_revoke';
comment on function mlops.revoke(text, integer, text) is
'Takes a version out of service at once and for good: its deployment ends, and it answers no longer, by number or alias either.  It takes access as reviewer or operator';

create function mlops.store_revocation(model_id bigint, version integer, reason text, revoked_by text, revoked_session text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	-- a deployment of it that is under way is waited for, and then ended
	perform mlops.lock_model(store_revocation.model_id);
	insert into mlops.revocation (model_id, version, reason, revoked_by, revoked_session)
	values (store_revocation.model_id, store_revocation.version, store_revocation.reason, store_revocation.revoked_by, store_revocation.revoked_session)
	on conflict do nothing;
	if not found then
		raise exception 'the version is revoked already'
			using errcode = 'object_not_in_prerequisite_state', hint = 'mlops.revocation says by whom, and why.';
	end if;
	update mlops.model_version v set revoked = true where v.model_id = store_revocation.model_id and v.version = store_revocation.version;
	update mlops.deployment d set valid = tstzrange(lower(d.valid), clock_timestamp())
	 where d.model_id = store_revocation.model_id and d.version = store_revocation.version and upper_inf(d.valid);
end
$$;
comment on function mlops.store_revocation(bigint, integer, text, text, text) is 'Writes a revocation, and ends the version''s deployment';

-- ---- Stages: never set, always derived ----

create function mlops.stage_of(model_id bigint, version integer) returns text
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	subject record;
	rules mlops.policy;
	last record;
	reviewed timestamptz;
	approved boolean;
begin
	select v.revoked, v.sha256, m.project_id into subject
	  from mlops.model_version v join mlops.model m on m.id = v.model_id where v.model_id = stage_of.model_id and v.version = stage_of.version;
	select d.id, upper_inf(d.valid) as live, upper(d.valid) as ended into last
	  from mlops.deployment d where d.model_id = stage_of.model_id and d.version = stage_of.version order by d.id desc limit 1;
	if subject.revoked then
		return 'revoked';
	elsif last.live then
		return 'live';
	end if;
	rules := mlops.policy_in_force(subject.project_id);
	reviewed := (select max(r.requested_at) from mlops.review r
				  where r.model_id = stage_of.model_id and r.version = stage_of.version and r.sha256 = subject.sha256 and r.policy_version is not distinct from rules.version
					and coalesce(r.requested_at > clock_timestamp() - (rules.body ->> 'valid_for')::interval, true));
	-- a version that was live and is not is looked at anew, or stays where it is
	if last.id is not null and coalesce(reviewed < last.ended, true) then
		return 'archived';
	end if;
	if exists (select from mlops.approval_checks(stage_of.model_id, stage_of.version) c where c.check_name = 'rejections') then
		return 'candidate';
	end if;
	approved := exists (select from mlops.standing_decisions(stage_of.model_id, stage_of.version) a where mlops.approval_counts(a, rules))
		and not exists (select from mlops.approval_checks(stage_of.model_id, stage_of.version) c where not c.holds);
	return case when approved then 'approved' when reviewed is not null then 'in_review' else 'candidate' end;
end
$$;
comment on function mlops.stage_of(bigint, integer) is 'candidate, in_review, approved, live, archived or revoked, as the facts say';

create view mlops.version_stage with (security_invoker) as
	select m.name as model, v.version, mlops.stage_of(v.model_id, v.version) as stage, v.origin, v.created_by as author, v.created_at,
		   p.reviewed_at, a.approved_by, d.deployed_at, d.deployed_by, d.override, r.reason as revoked_because, r.revoked_by, v.model_id
	  from mlops.model_version v
	  join mlops.model m on m.id operator(pg_catalog.=) v.model_id
	  left join mlops.revocation r on r.model_id operator(pg_catalog.=) v.model_id and r.version operator(pg_catalog.=) v.version
	  left join lateral (select pg_catalog.max(w.requested_at) as reviewed_at from mlops.review w
						  where w.model_id operator(pg_catalog.=) v.model_id and w.version operator(pg_catalog.=) v.version) p on true
	  left join lateral (select pg_catalog.array_agg(s.decided_by order by s.id) as approved_by from mlops.standing_decisions(v.model_id, v.version) s
						  where s.decision operator(pg_catalog.<>) 'rejected') a on true
	  left join lateral (select pg_catalog.lower(l.valid) as deployed_at, l.deployed_by, l.override from mlops.deployment l
						  where l.model_id operator(pg_catalog.=) v.model_id and l.version operator(pg_catalog.=) v.version
						  order by l.id desc limit 1) d on true;
comment on view mlops.version_stage is 'Where each version stands on its way, as the facts say: nobody sets a stage';
comment on column mlops.version_stage.stage is
'candidate; in_review: a review under the policy in force is open; approved: all whom the policy asks for have approved; live; archived: it was live; revoked';
comment on column mlops.version_stage.approved_by is 'Whose last decision was to approve, whether that still counts or not';
comment on column mlops.version_stage.deployed_at is 'When it last went live';
comment on column mlops.version_stage.override is 'Why an owner let it go live against the policy, that time';
grant select on mlops.version_stage to public;

revoke execute on function mlops.store_review(bigint, integer, text, text, text), mlops.store_revocation(bigint, integer, text, text, text) from public;
