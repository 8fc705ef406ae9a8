-- Guards of the way to live; 45-guards.sql has the rules.

-- ---- What was decided or found stays ----

create trigger policy_immutable before update or delete on mlops.policy
	for each row execute function mlops.refuse_change();
create trigger review_immutable before update or delete on mlops.review
	for each row execute function mlops.refuse_change();
create trigger evidence_immutable before update or delete on mlops.evidence
	for each row execute function mlops.refuse_change();
create trigger approval_immutable before update or delete on mlops.approval
	for each row execute function mlops.refuse_change();
create trigger revocation_immutable before update or delete on mlops.revocation
	for each row execute function mlops.refuse_change();
create trigger acceptance_test_immutable before update on mlops.acceptance_test
	for each row execute function mlops.refuse_change();
create trigger policy_keep before truncate on mlops.policy
	for each statement execute function mlops.refuse_change();
create trigger review_keep before truncate on mlops.review
	for each statement execute function mlops.refuse_change();
create trigger evidence_keep before truncate on mlops.evidence
	for each statement execute function mlops.refuse_change();
create trigger approval_keep before truncate on mlops.approval
	for each statement execute function mlops.refuse_change();
create trigger revocation_keep before truncate on mlops.revocation
	for each statement execute function mlops.refuse_change();
create trigger acceptance_test_keep before truncate on mlops.acceptance_test
	for each statement execute function mlops.refuse_change();

-- ---- Versions: the only change is that they are revoked, once ----

create function mlops.version_changes() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	kept mlops.model_version := old;
begin
	kept.revoked := true;
	if old.revoked or new is distinct from kept then
		raise exception 'rows of mlops.model_version are immutable'
			using errcode = 'object_not_in_prerequisite_state',
				hint = 'mlops.revoke() takes a version out of service for good; mlops.drop_model() removes versions that are neither deployed nor named by an alias.';
	end if;
	return new;
end
$$;
comment on function mlops.version_changes() is 'Trigger: of a version only that it is revoked is ever written, once';

create trigger model_version_changes before update on mlops.model_version
	for each row execute function mlops.version_changes();

-- ---- Policies: valid, numbered, and by whom ----

create function mlops.metric_names() returns text[]
	language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_metric_names';
comment on function mlops.metric_names() is 'The metrics that versions are measured by';

create function mlops.is_fact(name text) returns boolean
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	-- metrics, those of others, and what mlops.version_facts() has beside them
	select regexp_replace(name, '^(champion\.)?(baseline\.)?', '') = any (mlops.metric_names())
		or name ~ '^(champion\.)?per_class\..' or name ~ '^(test|param|card)\..'
		or name = any (array['algorithm', 'task', 'origin', 'author', 'description', 'size', 'rows_train', 'rows_validation', 'rows_test', 'training_drift',
							 'tests_passed', 'tests_failed', 'tests_missing', 'tests_independent', 'alerts_open', 'alerts_critical', 'findings_open', 'findings_high',
							 'comparison.better', 'comparison.difference', 'comparison.standard_error', 'comparison.p_value', 'comparison.rows', 'champion.version'])
$$;
comment on function mlops.is_fact(text) is 'Whether the checks of a policy may ask for a fact of this name';

create function mlops.check_policy(body jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	item record;
	unknown text;
begin
	if jsonb_typeof(body) is distinct from 'object' then
		raise exception 'a policy must be an object'
			using errcode = 'invalid_parameter_value', hint = 'Such as {"checks": {"accurate": "roc_auc >= 0.9"}, "approvals": {"reviewer": 1}, "valid_for": "90 days"}.';
	end if;
	unknown := (select string_agg(quote_ident(k), ', ') from jsonb_object_keys(body) k where k <> all ('{checks,approvals,valid_for,distinct_sessions}'));
	if unknown is not null then
		raise exception 'a policy has no %', unknown
			using errcode = 'invalid_parameter_value', hint = 'It has checks, approvals, valid_for and distinct_sessions.';
	elsif jsonb_typeof(coalesce(body -> 'checks', '{}')) <> 'object' or jsonb_typeof(coalesce(body -> 'approvals', '{}')) <> 'object' then
		raise exception '"checks" and "approvals" of a policy must be objects'
			using errcode = 'invalid_parameter_value';
	elsif jsonb_typeof(coalesce(body -> 'distinct_sessions', 'true')) <> 'boolean' then
		raise exception '"distinct_sessions" of a policy must be true or false'
			using errcode = 'invalid_parameter_value';
	end if;

	for item in select c.key, c.value, c.value #>> '{}' as condition from jsonb_each(body -> 'checks') c loop
		if jsonb_typeof(item.value) <> 'string' then
			raise exception 'check "%" of a policy must be a condition', item.key
				using errcode = 'invalid_parameter_value';
		elsif item.key !~ '^[A-Za-z_][A-Za-z0-9_ -]{0,62}$' or item.key ~ '^(approvals|rejections|revocation)' then
			raise exception 'invalid name of a check: %', quote_literal(item.key)
				using errcode = 'invalid_name', hint = 'It begins with a letter, has letters, digits, "_", "-" and spaces, and does not begin like the gate''s own: approvals, rejections, revocation.';
		end if;
		unknown := (select string_agg(quote_ident(n), ', ') from unnest(mlops.condition_names(item.condition)) n where not mlops.is_fact(n));
		if unknown is not null then
			raise exception 'check "%" asks for what is not known of versions: %', item.key, unknown
				using errcode = 'invalid_parameter_value',
					detail = 'Known are metrics, also after champion. and baseline., per_class.LABEL.METRIC, test.NAME, param.NAME, card.FIELD and the other keys of mlops.version_facts().',
					hint = format('The metrics are %s.', array_to_string(mlops.metric_names(), ', '));
		end if;
	end loop;

	for item in select a.key, a.value from jsonb_each(body -> 'approvals') a loop
		if item.key not in ('reviewer', 'owner') then
			raise exception 'approvals are not given by level %', quote_literal(item.key)
				using errcode = 'invalid_parameter_value', hint = 'Those who decide reviews are reviewers and owners.';
		elsif jsonb_typeof(item.value) <> 'number' or item.value::text !~ '^[1-9][0-9]{0,2}$' then
			raise exception 'the number of approvals by level "%" must be a whole number from 1 to 999', item.key
				using errcode = 'invalid_parameter_value';
		end if;
	end loop;

	if body ? 'valid_for' then
		begin
			if jsonb_typeof(body -> 'valid_for') <> 'string' or (body ->> 'valid_for')::interval <= interval '0' then
				raise invalid_datetime_format;
			end if;
		exception when invalid_datetime_format or datetime_field_overflow or interval_field_overflow then
			raise exception '"valid_for" of a policy must be an interval longer than 0, such as "90 days"'
				using errcode = 'invalid_parameter_value';
		end;
	end if;
end
$$;
comment on function mlops.check_policy(jsonb) is 'Refuses what cannot be a policy, and checks of what nobody knows';

create function mlops.policy_begins() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if mlops.is_restoring() then
		return new;
	end if;
	-- one at a time; of a project that is not there the constraints speak
	perform from mlops.project p where p.id = new.project_id for no key update;
	perform mlops.check_policy(new.body);
	new.version := 1 + coalesce((select max(y.version) from mlops.policy y where y.project_id = new.project_id), 0);
	new.published_by := current_user;
	new.published_session := session_user;
	new.published_at := clock_timestamp();
	return new;
end
$$;
comment on function mlops.policy_begins() is 'Trigger: a policy is valid, gets the next number, and is in force from now on';

create trigger policy_begins before insert on mlops.policy
	for each row execute function mlops.policy_begins();

-- ---- Approvals: of a review that is open, by somebody else than the author, as what they are ----

create function mlops.lock_for_review(model_id bigint) returns void
	language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_lock_for_review';
comment on function mlops.lock_for_review(bigint) is
'Holds off deployments of a model until the end of the transaction: what is decided then counts before them, or after; it takes access as reviewer';

create function mlops.version_authors(model_id bigint, version integer, sessions boolean) returns text[]
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select array_remove(array[v.created_by, r.current_user_name, case when sessions then v.session_user_name end, case when sessions then r.session_user_name end], null)
	  from mlops.model_version v left join mlops.run r on r.id = v.run_id
	 where v.model_id = version_authors.model_id and v.version = version_authors.version
$$;
comment on function mlops.version_authors(bigint, integer, boolean) is 'Who made a version, and where asked for, as whom they had connected';

create function mlops.policy_in_force(project_id bigint) returns mlops.policy
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select y from mlops.policy y where y.project_id = policy_in_force.project_id order by y.version desc limit 1
$$;
comment on function mlops.policy_in_force(bigint) is 'The newest policy of a project; NULL where it has none';

create function mlops.review_level(project_id bigint) returns text
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select case when exists (select from mlops.project_member pm where pm.project_id = review_level.project_id and pm.access = 'reviewer'
																   and exists (select from pg_roles r where r.oid = pm.member)
																   and pg_has_role(current_user, pm.member, 'usage')
																   and not (select u.rolsuper from pg_roles u where u.rolname = current_user)) then 'reviewer'
				else 'owner' end
$$;
comment on function mlops.review_level(bigint) is 'As what somebody who may decide reviews does: reviewer where they have that access, else owner';

create function mlops.approval_begins() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	subject record;
	rules mlops.policy;
	people text[];
	sessions boolean;
begin
	if mlops.is_restoring() then
		return new;
	end if;
	-- first of all: a deployment that is under way is waited for, and the next one waits
	perform mlops.lock_for_review(new.model_id);
	select v.sha256, v.revoked, m.project_id, m.name into subject
	  from mlops.model_version v join mlops.model m on m.id = v.model_id
	 where v.model_id = new.model_id and v.version = new.version;
	if not found then
		raise exception 'there is no version % of model %', new.version, new.model_id
			using errcode = 'undefined_object';
	end if;
	rules := mlops.policy_in_force(subject.project_id);
	sessions := coalesce((rules.body ->> 'distinct_sessions')::boolean, false);

	-- authors may withdraw, not approve
	people := mlops.version_authors(new.model_id, new.version, sessions);
	if new.decision <> 'rejected' and (current_user = any (people) or sessions and session_user = any (people)) then
		raise exception 'version % of model "%" cannot be approved by its author', new.version, subject.name
			using errcode = 'object_not_in_prerequisite_state',
				detail = format('It was made by %s; this is %s, connected as %s.', array_to_string(array(select distinct unnest(people)), ' and '), current_user, session_user),
				hint = 'Another reviewer decides.';
	elsif subject.revoked and new.decision <> 'rejected' then
		raise exception 'version % of model "%" is revoked', new.version, subject.name
			using errcode = 'object_not_in_prerequisite_state';
	end if;

	new.review_id := (select max(r.id) from mlops.review r
					   where r.model_id = new.model_id and r.version = new.version and r.sha256 = subject.sha256
						 and r.policy_version is not distinct from rules.version
						 and coalesce(r.requested_at > clock_timestamp() - (rules.body ->> 'valid_for')::interval, true));
	if new.review_id is null then
		raise exception 'no review of version % of model "%" is open', new.version, subject.name
			using errcode = 'object_not_in_prerequisite_state',
				detail = case when exists (select from mlops.review r where r.model_id = new.model_id and r.version = new.version)
							  then 'The last one was under another policy, or is older than the policy allows.' else 'None was ever requested.' end,
				hint = format('Request one with mlops.request_review(''%s'', %s).', subject.name, new.version);
	end if;

	new.level := coalesce(new.level, mlops.review_level(subject.project_id));
	if new.level = 'owner' and subject.project_id not in (select mlops.accessible_projects('own')) then
		raise exception 'permission denied to decide as owner'
			using errcode = 'insufficient_privilege', hint = 'Decide as reviewer.';
	elsif new.expires <= clock_timestamp() then
		raise exception 'an approval cannot expire in the past'
			using errcode = 'invalid_parameter_value';
	elsif new.due < current_date then
		raise exception 'a condition cannot be due in the past'
			using errcode = 'invalid_parameter_value';
	end if;
	new.finding_id := null;
	new.sha256 := subject.sha256;
	new.policy_version := rules.version;
	new.decided_by := current_user;
	new.decided_session := session_user;
	new.decided_at := clock_timestamp();
	return new;
end
$$;
comment on function mlops.approval_begins() is
'Trigger: who decides is not the author; what they decide about is a version under an open review, its bytes and the policy in force';

create function mlops.approval_finding() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_approval_finding';
comment on function mlops.approval_finding() is 'Trigger: the conditions of an approval are a finding with a due date, which users cannot write as such';

create trigger approval_begins before insert on mlops.approval
	for each row execute function mlops.approval_begins();
create trigger approval_finding before insert on mlops.approval
	for each row when (new.decision = 'conditional') execute function mlops.approval_finding();

-- ---- Acceptance tests: analysed under the search_path of whoever adds them, and run with their rights ----

create function mlops.acceptance_test_begins() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_acceptance_test_begins';
comment on function mlops.acceptance_test_begins() is 'Trigger: a test is a query about the version under test and a condition; whose it is, with qualified names';

create trigger acceptance_test_begins before insert on mlops.acceptance_test
	for each row execute function mlops.acceptance_test_begins();

-- ---- Deployments: nothing goes live that the policy in force does not let ----

create function mlops.deployment_gate() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_deployment_gate';
comment on function mlops.deployment_gate() is
'Trigger: a version goes live where the policy in force holds now, whatever snapshot the transaction has, where a rollback returns to one that went live by a policy, or where an owner says why it must';

-- after deployment_begins, which locks the model
create trigger deployment_gate before insert on mlops.deployment
	for each row execute function mlops.deployment_gate();

revoke execute on function mlops.version_changes(), mlops.policy_begins(), mlops.approval_begins(), mlops.approval_finding(),
	mlops.acceptance_test_begins(), mlops.deployment_gate() from public;
