-- Model screening of project clinic, with a policy; versions as trainings would have written them:
-- 1 good, 2 weak, both by sam_scientist; 3 imported by sam_scientist with the best of numbers; 4 good, by olga_operator.
create role ruth_reviewer;
create role rob_reviewer;
set local role anna_owner;
select mlops.grant_access('clinic', 'ruth_reviewer', 'reviewer');
select mlops.grant_access('clinic', 'rob_reviewer', 'reviewer');
reset role;
insert into mlops.model (project_id, name, last_version, created_by) values (:clinic, 'screening', 4, 'sam_scientist') returning id as screening \gset
insert into mlops.model_version (model_id, version, run_id, algorithm, task, size, sha256, params, metrics, origin, created_by, session_user_name)
select :screening, v.n, case when v.origin = 'measured' then :run end, 'baseline', 'binary', 1, sha256(v.n::text::bytea), '{"depth": 6}', v.metrics::jsonb, v.origin, v.author, v.author
  from (values (1, '{"roc_auc": 0.93, "ece": 0.02, "baseline": {"roc_auc": 0.5}}', 'measured', 'sam_scientist'), (2, '{"roc_auc": 0.75, "ece": 0.01}', 'measured', 'sam_scientist'),
			   (3, '{"roc_auc": 0.99, "ece": 0.01}', 'reported', 'sam_scientist'), (4, '{"roc_auc": 0.94, "ece": 0.03}', 'measured', 'olga_operator')) v (n, metrics, origin, author);
create function pg_temp.set_policy(body jsonb) returns integer language plpgsql as $$
declare
	made integer;
begin
	set local role anna_owner;
	made := mlops.set_policy('clinic', body);
	reset role;
	return made;
end
$$;
-- What a statement comes to for a role: ok, or its SQLSTATE.
create function pg_temp.as_role(who text, statement text) returns text language plpgsql as $$
declare
	outcome text := 'done';
begin
	execute format('set local role %I', who);
	begin
		execute statement;
	exception when others then
		outcome := sqlstate;
	end;
	reset role;
	return outcome;
end
$$;
create function pg_temp.missing(version integer) returns text[] language sql as $$
	select coalesce(array_agg(check_name order by check_name), '{}') from mlops.why_not('screening', version) where not holds
$$;
