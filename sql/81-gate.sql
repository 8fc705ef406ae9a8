-- The gate: what is known of a version, whether the policy in force holds of it, and what is missing.
-- All of it is stable, so that the gate (mlops.deployment_gate()) can ask under a snapshot of this moment, and why_not() with the caller's rights.

create function mlops.champion_version(model_id bigint) returns integer
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select d.version
	  from mlops.deployment d join mlops.model_version v on v.model_id = d.model_id and v.version = d.version
	 where d.model_id = champion_version.model_id and not v.revoked
	 order by d.id desc limit 1
$$;
comment on function mlops.champion_version(bigint) is 'The version that is live, or was last; to end a deployment does not lower the bar';

create function mlops.training_drift(model_id bigint, version integer, reference integer) returns double precision
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
begin
	return (select max(mlops.psi(o.profile, n.profile))
			  from mlops.reference_profile n
			  join mlops.reference_profile o on o.model_id = n.model_id and o.version = training_drift.reference and o.role = n.role and o.name = n.name and o.segment = ''
			 where n.model_id = training_drift.model_id and n.version = training_drift.version and n.role = 'feature' and n.segment = '');
exception when datatype_mismatch then
	-- a feature has another type: what the two learned from cannot be compared
	return null;
end
$$;
comment on function mlops.training_drift(bigint, integer, integer) is 'The largest PSI of a feature between what two versions learned from; NULL where they cannot be compared';

create function mlops.test_facts(model_id bigint, version integer, valid_for interval) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	with subject as (select v.model_id, v.version, v.sha256, mlops.version_authors(v.model_id, v.version, false) as authors
					   from mlops.model_version v where v.model_id = test_facts.model_id and v.version = test_facts.version),
	result as (select t.name, e.holds, e.measured_by <> all (s.authors) as independent
				 from subject s
				 join mlops.acceptance_test t on t.model_id = s.model_id
				 left join lateral (select x.holds, x.measured_by
									  from mlops.evidence x
									 where x.model_id = s.model_id and x.version = s.version and x.kind = 'test' and x.name = t.name and x.test_id = t.id
									   and x.sha256 = s.sha256 and x.origin = 'measured'
									   and coalesce(x.measured_at > clock_timestamp() - test_facts.valid_for, true)
									 order by x.id desc limit 1) e on true)
	select jsonb_build_object('test', coalesce(jsonb_object_agg(r.name, r.holds) filter (where r.holds is not null), '{}'),
							  'tests_passed', count(*) filter (where r.holds), 'tests_failed', count(*) filter (where not r.holds),
							  'tests_missing', count(*) filter (where r.holds is null), 'tests_independent', bool_and(r.independent))
	  from result r
$$;
comment on function mlops.test_facts(bigint, integer, interval) is 'How a version did in the latest run of each of its model''s acceptance tests, not older than valid_for and on the same bytes';

create function mlops.version_facts(model_id bigint, version integer, names text[] default null) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	subject record;
	champion record;
	valid_for interval;
	result jsonb;
begin
	select v.*, m.description, m.project_id, r.rows_train, r.rows_validation, r.rows_test into subject
	  from mlops.model_version v join mlops.model m on m.id = v.model_id left join mlops.run r on r.id = v.run_id
	 where v.model_id = version_facts.model_id and v.version = version_facts.version;
	if not found then
		return null;
	end if;
	select v.version, v.metrics, v.origin into champion
	  from mlops.model_version v where v.model_id = subject.model_id and v.version = mlops.champion_version(subject.model_id);

	-- what an importer says of a version does not count, nor what was measured too long ago; the champion's numbers are the bar, and do not age
	valid_for := ((mlops.policy_in_force(subject.project_id)).body ->> 'valid_for')::interval;
	result := case when subject.origin = 'measured' and coalesce(subject.created_at > clock_timestamp() - valid_for, true) then subject.metrics else '{}' end
		|| jsonb_build_object('algorithm', subject.algorithm, 'task', subject.task, 'origin', subject.origin, 'author', subject.created_by,
							  'description', nullif(btrim(subject.description), ''), 'size', subject.size, 'param', subject.params,
							  'rows_train', subject.rows_train, 'rows_validation', subject.rows_validation, 'rows_test', subject.rows_test,
							  'card', (select jsonb_object_agg(f.name, f.value) from mlops.model_card_field f where f.model_id = subject.model_id),
							  'champion', case when champion.origin = 'measured' then champion.metrics else '{}' end || jsonb_build_object('version', champion.version),
							  'comparison', (select c.comparison - '{champion,challenger}'::text[] from mlops.comparison c
											  where c.model_id = subject.model_id and c.challenger = subject.version and c.champion = champion.version
												and coalesce(c.compared_at > clock_timestamp() - valid_for, true)
											  order by c.id desc limit 1))
		|| mlops.test_facts(subject.model_id, subject.version, valid_for)
		|| (select jsonb_build_object('alerts_open', count(*), 'alerts_critical', count(*) filter (where a.severity = 'critical'))
			  from mlops.raised_alert a where a.model_id = subject.model_id and a.version = subject.version and a.closed_at is null)
		|| (select jsonb_build_object('findings_open', count(*), 'findings_high', count(*) filter (where f.severity = 'high'))
			  from mlops.finding f where f.model_id = subject.model_id and f.state = 'open');
	if names is null or 'training_drift' = any (names) then
		result := result || jsonb_build_object('training_drift', mlops.training_drift(subject.model_id, subject.version, champion.version));
	end if;
	return jsonb_strip_nulls(result);
end
$$;
comment on function mlops.version_facts(bigint, integer, text[]) is
'What the checks of a policy may ask of a version: its metrics as measured no longer ago than the policy allows, those of the champion (the version that is or was last live), tests, alerts, findings; names says which ones that take time are wanted, NULL all';

create function mlops.standing_decisions(model_id bigint, version integer) returns setof mlops.approval
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select distinct on (a.decided_by) a.*
	  from mlops.approval a join mlops.model_version v on v.model_id = a.model_id and v.version = a.version and v.sha256 = a.sha256
	 where a.model_id = standing_decisions.model_id and a.version = standing_decisions.version
	 order by a.decided_by, a.id desc
$$;
comment on function mlops.standing_decisions(bigint, integer) is 'What each person decided last about a version''s bytes';

create function mlops.approval_counts(decision mlops.approval, rules mlops.policy) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
	select decision.decision <> 'rejected' and decision.policy_version is not distinct from rules.version
	   and coalesce(decision.expires > clock_timestamp(), true) and coalesce(decision.decided_at > clock_timestamp() - (rules.body ->> 'valid_for')::interval, true)
	   and (decision.decision = 'approved' or decision.due >= current_date
			or exists (select from mlops.finding f where f.id = decision.finding_id and f.state <> 'open'
														 and f.set_by <> all (mlops.version_authors(decision.model_id, decision.version, false))))
$$;
comment on function mlops.approval_counts(mlops.approval, mlops.policy) is
'Whether an approval counts under a policy: given under it, not too old, its conditions not overdue unless somebody else than the author settled them';

create function mlops.approval_checks(model_id bigint, version integer) returns table (check_name text, holds boolean, detail text)
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	home constant bigint := (select m.project_id from mlops.model m where m.id = approval_checks.model_id);
	rules constant mlops.policy := mlops.policy_in_force(home);
	by_owners constant integer := coalesce((rules.body -> 'approvals' ->> 'owner')::integer, 0);
	by_reviewers constant integer := coalesce((rules.body -> 'approvals' ->> 'reviewer')::integer, 0);
	given record;
begin
	-- where sessions are people, too, two roles of one session are one person
	select case when s.sessions then least(g.owners, g.owner_sessions) else g.owners end as owners,
		   case when s.sessions then least(g.people, g.sessions) else g.people end as people, g.names
	  into given
	  from (select coalesce((rules.body ->> 'distinct_sessions')::boolean, false) as sessions) s,
		   (select count(distinct a.decided_by) filter (where a.level = 'owner') as owners, count(distinct a.decided_session) filter (where a.level = 'owner') as owner_sessions,
				   count(distinct a.decided_by) as people, count(distinct a.decided_session) as sessions, string_agg(a.decided_by, ', ' order by a.decided_by) as names
			  from mlops.standing_decisions(approval_checks.model_id, approval_checks.version) a
			 where mlops.approval_counts(a, rules)) g;
	if by_owners > 0 then
		return query select 'approvals by owner', given.owners >= by_owners, format('%s of %s; approved by %s', given.owners, by_owners, coalesce(given.names, 'nobody'));
	end if;
	-- who owns may review; who is counted there is not counted here
	if by_reviewers > 0 then
		return query select 'approvals by reviewer', given.people - by_owners >= by_reviewers,
							format('%s of %s; approved by %s', greatest(given.people - by_owners, 0), by_reviewers, coalesce(given.names, 'nobody'));
	end if;
	return query
	select 'rejections', false, format('rejected by %s%s', a.decided_by, coalesce(': ' || a.comment, ''))
	  from mlops.standing_decisions(approval_checks.model_id, approval_checks.version) a
	 where a.decision = 'rejected'
	   -- what somebody said who may decide no more does not stand in the way
	   and exists (select from pg_roles r join mlops.project_member pm on pm.project_id = home and pm.access in ('reviewer', 'owner')
													and exists (select from pg_roles g where g.oid = pm.member) and pg_has_role(r.oid, pm.member, 'usage')
				   where r.rolname = a.decided_by);
end
$$;
comment on function mlops.approval_checks(bigint, integer) is 'How many people must have approved a version and have, level by level, and who stands in the way';

create function mlops.gate_checks(model_id bigint, version integer) returns table (check_name text, holds boolean, detail text)
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	rules constant mlops.policy := mlops.policy_in_force((select m.project_id from mlops.model m where m.id = gate_checks.model_id));
	aged text;
	facts jsonb;
begin
	return query
	select 'revocation', false, coalesce(format('revoked by %s: %s', r.revoked_by, r.reason), 'revoked')
	  from mlops.model_version v left join mlops.revocation r on r.model_id = v.model_id and r.version = v.version
	 where v.model_id = gate_checks.model_id and v.version = gate_checks.version and v.revoked;
	if rules.version is null then
		return;
	end if;
	facts := mlops.version_facts(gate_checks.model_id, gate_checks.version,
								 array(select n from jsonb_each_text(rules.body -> 'checks') c, unnest(mlops.condition_names(c.value)) n));
	aged := (select format('; its training, on %s, is longer ago than the policy allows', v.created_at::date) from mlops.model_version v
			  where v.model_id = gate_checks.model_id and v.version = gate_checks.version and v.created_at <= clock_timestamp() - (rules.body ->> 'valid_for')::interval);
	return query
	select c.key, coalesce(mlops.condition_holds(c.value, facts), false),
		   c.value || coalesce((select '; ' || string_agg(format('%s is %s', n, coalesce(f ->> n, 'unknown')), ', ')
								  from unnest(mlops.condition_names(c.value)) n), '')
			   || case when mlops.condition_holds(c.value, facts) is true then '' else coalesce(aged, '') end
	  from jsonb_each_text(rules.body -> 'checks') c, mlops.condition_facts(c.value, facts) f;
	return query select * from mlops.approval_checks(gate_checks.model_id, gate_checks.version);
end
$$;
comment on function mlops.gate_checks(bigint, integer) is 'Each rule of the policy in force, and whether it holds of a version now';

create function mlops.gate_refusal(model_id bigint, version integer) returns text
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select string_agg(g.check_name || ': ' || g.detail, '; ') from mlops.gate_checks(gate_refusal.model_id, gate_refusal.version) g where not g.holds
$$;
comment on function mlops.gate_refusal(bigint, integer) is 'What keeps a version from going live now; NULL where nothing does';

create function mlops.gate_state(model_id bigint, version integer, restores bigint) returns jsonb
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
	select jsonb_strip_nulls(jsonb_build_object(
			'project', m.project_id, 'model', m.name, 'policy', (mlops.policy_in_force(m.project_id)).version,
			'revoked', case when v.revoked then coalesce((select r.reason from mlops.revocation r where r.model_id = v.model_id and r.version = v.version), 'It says not why.') end,
			'refusal', mlops.gate_refusal(v.model_id, v.version),
			'restored', (select d.policy_version from mlops.deployment d where d.id = gate_state.restores and d.model_id = v.model_id and d.version = v.version)))
	  from mlops.model_version v join mlops.model m on m.id = v.model_id
	 where v.model_id = gate_state.model_id and v.version = gate_state.version
$$;
comment on function mlops.gate_state(bigint, integer, bigint) is
'What the gate must know: the policy in force, what it misses, whether the version is revoked, and by which policy the deployment that is restored went live';

create function mlops.why_not(model text, version integer default null) returns table (check_name text, holds boolean, detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target record;
begin
	select r.* into target from mlops.resolve_model(why_not.model, case when why_not.version is null then 'newest' else 'model' end, 'view') r;
	target.version := coalesce(why_not.version, target.version);
	if not exists (select from mlops.model_version v where v.model_id = target.model_id and v.version = target.version) then
		raise exception 'model "%" has no version %', model, version
			using errcode = 'undefined_object';
	end if;
	return query select g.* from mlops.gate_checks(target.model_id, target.version) g;
end
$$;
comment on function mlops.why_not(text, integer) is
'What the project''s policy asks of a version, the newest where it is NULL, before it may go live, and what of that holds now; no rows where nothing is asked';

create function mlops.set_policy(project text, body jsonb) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	home constant bigint := mlops.find_project(project, 'own');
	made integer;
begin
	perform mlops.check_policy(body);
	insert into mlops.policy (project_id, body) values (home, set_policy.body) returning version into made;
	return made;
end
$$;
comment on function mlops.set_policy(text, jsonb) is
'Publishes what a version of a project''s models must be to go live: checks (conditions over mlops.version_facts()), approvals (how many of which level), valid_for, distinct_sessions; the policy''s version.  Approvals given under another policy do not count';
