-- Attacks that ask whether something exists: a statement about what is there, in a project of others, answers as one about what is not there.
\ir include/begin.sql
-- numbers that stand for nothing else in an answer
select setval(pg_get_serial_sequence(a.attrelid::regclass::text, 'id'), 5000 + 100 * row_number() over (order by a.attrelid)) from pg_attribute a join pg_class c on c.oid = a.attrelid
 where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'id' and a.attidentity <> '' \g /dev/null
\ir include/registry.sql
\ir include/attacks.sql
create temporary table there (kind text, number text);
insert into there values ('model', :'diagnosis'), ('project', :'clinic'), ('run', :'run'), ('monitor', :'monitor'), ('alert', :'alert'), ('job', :'job'), ('snapshot', :'snapshot'),
	('action', (select x.id::text from mlops.action_run x limit 1)), ('experiment', :'experiment'), ('route', :'route'), ('deployment', '1'), ('prediction', '1');
set local role sten_stranger;
select mlops.create_project('own');
reset role;

-- # stands for the number
create temporary table question (number integer generated always as identity, kind text, statement text);
insert into question (kind, statement) values
	('monitor', 'select mlops.compute_monitor(#, now() - interval ''1 day'', now())'),
	('monitor', 'select mlops.run_monitor(#)'),
	('monitor', 'select mlops.drop_monitor(#)'),
	('monitor', 'select mlops.on_alert(#, ''rollback'')'),
	('monitor', 'select mlops.monitor_references(#, ''[2024-01-01, 2024-01-02)'', 1)'),
	('monitor', 'select mlops.monitor_health(#, ''[2024-01-01, 2024-01-02)'', '''')'),
	('monitor', 'select mlops.compute_window(#, ''[2024-01-01, 2024-01-02)'')'),
	('monitor', 'select mlops.reference_of_query(#)'),
	('monitor', 'insert into mlops.monitor_action (monitor_id, action) values (#, ''rollback'')'),
	('action', 'select mlops.perform_action(#)'),
	('model', 'select mlops.lock_model(#)'),
	('model', 'select mlops.lock_for_review(#)'),
	('model', 'select mlops.read_bound_outcomes(#)'),
	('model', 'select mlops.run_outcomes_job(#, ''{}'')'),
	('model', 'select mlops.version_facts(#, 1)'),
	('model', 'select mlops.version_authors(#, 1, true)'),
	('model', 'select mlops.stage_of(#, 1)'),
	('model', 'select mlops.object_project(''model'', #)'),
	('model', 'insert into mlops.finding (project_id, model_id, title) select p.id, #, ''t'' from mlops.project p where p.name = ''own'''),
	('model', 'insert into mlops.alert_route (project_id, model_id, kind) select p.id, #, ''outbox'' from mlops.project p where p.name = ''own'''),
	('model', 'insert into mlops.alert_route (model_id, kind) values (#, ''outbox'')'),
	('model', 'insert into mlops.outcome (model_id, prediction_id, value) values (#, 1, ''a'')'),
	('model', 'insert into mlops.outcome (model_id, entity_key, value) values (#, ''patient 1'', ''a'')'),
	('model', 'insert into mlops.retention (model_id, keep) values (#, ''1 day'')'),
	('model', 'insert into mlops.model_card_field (model_id, name, value) values (#, ''purpose'', ''"a"'')'),
	('model', 'insert into mlops.acceptance_test (model_id, name, query, expectation) values (#, ''some answer'', ''select 1'', ''a = 1'')'),
	('model', 'insert into mlops.alias (model_id, name, version) values (#, ''champion'', 1)'),
	('model', 'insert into mlops.alias (model_id, name, version) values (#, ''champion'', 1) on conflict do nothing'),
	('model', 'insert into mlops.deployment (model_id, version) values (#, 1)'),
	('model', 'insert into mlops.approval (model_id, version, decision) values (#, 1, ''approved'')'),
	('model', 'insert into mlops.comment (object_kind, object_id, text) values (''model'', #, ''a'')'),
	('model', 'insert into mlops.comment (object_kind, object_id, version, text) values (''version'', #, 1, ''a'')'),
	('model', 'insert into mlops.subscription (object_kind, object_id) values (''model'', #)'),
	('model', 'update mlops.model set description = ''a'' where id = # returning id'),
	('project', 'insert into mlops.finding (project_id, title) values (#, ''t'')'),
	('project', 'insert into mlops.alert_route (project_id, kind) values (#, ''outbox'')'),
	('project', 'insert into mlops.policy (project_id, body) values (#, ''{}'')'),
	('project', 'insert into mlops.experiment (project_id, name) values (#, ''first steps'')'),
	('project', 'insert into mlops.project_member (project_id, member, access) values (#, ''sten_stranger'', ''owner'')'),
	('project', 'update mlops.project set goal = ''a'' where id = # returning id'),
	('project', 'select mlops.policy_in_force(#)'),
	('project', 'select mlops.review_level(#)'),
	('project', 'select mlops.predict(''##/diagnosis'', ''{}''::jsonb)'),
	('project', 'select * from mlops.why_not(''##/diagnosis'', 1)'),
	('project', 'select mlops.log_run(''m'', ''binary'', ''t'', ''a'', project => ''##'')'),
	('run', 'select mlops.log_metric(#, ''roc_auc'', 1)'),
	('run', 'select mlops.log_note(#, ''a'')'),
	('run', 'select mlops.log_tag(#, ''a'', ''b'')'),
	('run', 'select mlops.log_param(#, ''a'', 1)'),
	('run', 'select mlops.reproduce(#)'),
	('run', 'select * from mlops.compare(array[#]::bigint[])'),
	('run', 'select mlops.add_comment(''run #'', ''a'')'),
	('run', 'insert into mlops.run_param (run_id, name, value) values (#, ''p'', ''1'')'),
	('run', 'insert into mlops.run_tag (run_id, name, value) values (#, ''p'', ''1'')'),
	('snapshot', 'select mlops.diff_snapshots(#, #)'),
	('alert', 'select mlops.acknowledge_alert(#, ''a'')'),
	('alert', 'insert into mlops.acknowledgement (alert_id) values (#)'),
	('alert', 'insert into mlops.finding (project_id, alert_id, title) select p.id, #, ''t'' from mlops.project p where p.name = ''own'''),
	('job', 'select mlops.cancel_job(#)'),
	('job', 'select mlops.wait_for(#, ''1 ms'')'),
	('prediction', 'select mlops.record_outcome(#::bigint, ''malignant'')'),
	('experiment', 'update mlops.experiment set name = ''a'' where id = # returning id'),
	('route', 'update mlops.alert_route set enabled = false where id = # returning id');

-- What a statement answers, without the number that it asks about.
create function pg_temp.answer(statement text, number text) returns text language plpgsql as $$
declare
	asked constant text := replace(replace(statement, '##', '~' || number), '#', number);
	answer text;
	message text;
	detail text;
	hint text;
begin
	begin
		set local role sten_stranger;
		execute replace(asked, '~', '#') into answer;
		raise exception using errcode = 'P0042';
	exception when sqlstate 'P0042' then
		answer := 'answered ' || coalesce(answer, 'nothing');
	when others then
		get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
		answer := concat_ws(' | ', sqlstate, message, detail, hint);
	end;
	return regexp_replace(answer, '\m' || number || '\M', 'N', 'g');
end
$$;

select plan((select 2 * count(*)::integer from question) + 2);
select is((select count(*) from question), 63::bigint, 'the questions');
select is(pg_temp.answer(q.statement, e.number), pg_temp.answer(q.statement, '777777'), q.statement) from question q join there e using (kind) order by q.number;
select is((select array_agg(s.word) from secret s where pg_temp.answer(q.statement, e.number) ~ s.word and q.statement !~ s.word), null, 'and names nothing: ' || q.statement)
  from question q join there e using (kind) order by q.number;
select is(pg_temp.answer('select mlops.create_project(''clinic'') is not null', '0'), pg_temp.answer('select mlops.create_project(''free'') is not null', '0'), 'a name that others have taken is free');
select * from finish();
rollback;
