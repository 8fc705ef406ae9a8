-- Attacks that would read what others have: functions and operators that tell, views, plans, statistics, copies; each reveals nothing.
\ir include/begin.sql
\ir include/registry.sql
\ir include/attacks.sql
select mlops.deploy('diagnosis', 1);
select mlops.set_alias('diagnosis', 'champion', 1);
select mlops.add_comment('model diagnosis', 'tumour boards meet on Mondays');
analyze mlops.run, mlops.model, mlops.project;
insert into known values ('run', :'run'), ('model', :'diagnosis'), ('project', :'clinic'), ('snapshot', :'snapshot'),
	('partition', (select inhrelid::regclass::text from pg_inherits where inhparent = 'mlops.prediction'::regclass limit 1));
set local role sten_stranger;
create view public.peephole as select m.name from mlops.model m where public.leak(m.name);
create aggregate public.gather (text) (sfunc = textcat, stype = text, initcond = '');
reset role;
grant select on public.peephole to public;

-- every table, with a function that tells in WHERE
insert into attack (name, role, statement, expected)
select format('a function that tells, over %s', c.oid::regclass), 'sten_stranger', format('select t.tableoid from %s t where public.leak(t::text)', c.oid::regclass), 'nothing'
  from pg_class c where c.relnamespace = 'mlops'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by c.relname;

insert into attack (name, role, statement, expected) values
	('an operator that tells', 'sten_stranger', 'select m.name from mlops.model m where m.name operator(public.###) ''x''', 'nothing'),
	('one in a join', 'sten_stranger', 'select m.id from mlops.model m join mlops.project p on p.name operator(public.###) m.name', 'nothing'),
	('a function in a lateral subquery', 'sten_stranger', 'select x.l from mlops.model m, lateral (select public.leak(m.name) as l) x', 'nothing'),
	('behind a fence of offset 0', 'sten_stranger', 'select r.id from (select * from mlops.run offset 0) r where public.leak(r.model_name)', 'nothing'),
	('in HAVING', 'sten_stranger', 'select m.name from mlops.model m group by m.name having public.leak(m.name)', 'nothing'),
	('in ORDER BY', 'sten_stranger', 'select m.name from mlops.model m order by public.leak(m.name)', 'nothing'),
	('in a sample', 'sten_stranger', 'select m.name from mlops.model m tablesample system (100) where public.leak(m.name)', 'nothing'),
	('in an aggregate''s filter', 'sten_stranger', 'select max(m.name) filter (where public.leak(m.name)) from mlops.model m', 'nothing'),
	('in a view of the attacker''s', 'sten_stranger', 'select name from public.peephole', 'nothing'),
	('the same view, as a viewer: nothing but what they see', 'paul_predictor', 'select p.name from public.peephole p where p.name <> ''diagnosis''', 'nothing'),
	('an aggregate of the attacker''s', 'sten_stranger', 'select nullif(public.gather(m.name), '''') as gathered from mlops.model m', 'nothing'),
	('a division by what is there', 'sten_stranger', 'select 1 / (length(p.name) - length(p.name)) as one from mlops.project p', 'nothing'),
	('a cast that fails on what is there', 'sten_stranger', 'select m.name::integer as n from mlops.model m', 'nothing'),
	('a pattern that fails on what is there', 'sten_stranger', 'select repeat(''x'', (m.name ~ ''^d'')::integer * 2000000000) as x from mlops.model m', 'nothing'),
	('the whole row as a value', 'sten_stranger', 'select m from mlops.model m', 'nothing'),
	('where the rows lie', 'sten_stranger', 'select m.ctid, m.xmin from mlops.model m', 'nothing'),
	('a row by its place', 'sten_stranger', 'select m.id from mlops.model m where m.ctid = ''(0,1)'' and public.leak(m.name)', 'nothing'),
	('a correlated subquery', 'sten_stranger', 'select (select m.name from mlops.model m where m.id = $model and public.leak(m.name)) as name', 'nothing'),
	('xml of a table', 'sten_stranger', 'select (regexp_match(query_to_xml(''select * from mlops.run'', true, false, '''')::text, ''tumour|diagnosis''))[1] as found', 'nothing'),
	('a partition', 'sten_stranger', 'select * from $partition', '42501'),
	('a partition, as an owner', 'anna_owner', 'select * from $partition', '42501'),
	('row security switched off', 'sten_stranger', 'set local row_security = off; select count(*) from mlops.run', '42501'),
	('rows locked', 'sten_stranger', 'select * from mlops.run for update', '42501'),
	('rows locked for their keys', 'sten_stranger', 'select * from mlops.project for key share', 'nothing'),
	('common values', 'sten_stranger', 'select s.most_common_vals from pg_stats s where s.schemaname = ''mlops'' and s.tablename in (''run'', ''model'', ''project'') limit 1', 'nothing'),
	('histograms', 'sten_stranger', 'select s.histogram_bounds from pg_stats s where s.schemaname = ''mlops'' limit 1', 'nothing'),
	('statistics themselves', 'sten_stranger', 'select * from pg_statistic', '42501'),
	('a plan', 'sten_stranger', 'select (regexp_match(string_agg(x, ''''), ''diagnosis|tumour''))[1] as found from unnest(array[''$model'']) x, mlops.model m', 'nothing'),
	('a file of a table', 'sten_stranger', 'copy mlops.model_chunk to ''/tmp/stolen''', '42501'),
	('a program fed with a query', 'sten_stranger', 'copy (select * from mlops.run) to program ''cat''', '42501'),
	('a view of ours: portfolio', 'sten_stranger', 'select p.project from mlops.portfolio p where public.leak(p.project)', 'nothing'),
	('a view of ours: inventory', 'sten_stranger', 'select p.model from mlops.inventory p where public.leak(p.model)', 'nothing'),
	('a view of ours: version_stage', 'sten_stranger', 'select p.model from mlops.version_stage p where public.leak(p.model)', 'nothing'),
	('a view of ours: runs', 'sten_stranger', 'select p.model from mlops.runs p where public.leak(p.model)', 'nothing'),
	('a view of ours: captured', 'sten_stranger', 'select p.entity_key from mlops.captured p where public.leak(p.entity_key)', 'nothing'),
	('a view of ours: alert', 'sten_stranger', 'select p.model from mlops.alert p where public.leak(p.model)', 'nothing'),
	('a view of ours: inbox', 'sten_stranger', 'select p.text from mlops.inbox p where public.leak(p.text)', 'nothing'),
	('a view of ours: progress', 'sten_stranger', 'select p.model from mlops.progress p where public.leak(p.model)', 'nothing'),
	('a view of ours: drift', 'sten_stranger', 'select p.model from mlops.drift p where public.leak(p.model)', 'nothing'),
	('a view of ours: health', 'sten_stranger', 'select p.model from mlops.health p where public.leak(p.model)', 'nothing'),
	-- levels that see something, and what they do not
	('the bytes of models', 'vera_viewer', 'select c.chunk from mlops.model_chunk c where public.leak(c.bytes::text)', 'nothing'),
	('captured features', 'vera_viewer', 'select f.at from mlops.prediction_features f where public.leak(f.features::text)', 'nothing'),
	('captured features through the view', 'vera_viewer', 'select c.features from mlops.captured c where c.features is not null', 'nothing'),
	('rows that a version learned from', 'vera_viewer', 'select s.position from mlops.reference_sample s where public.leak(s::text)', 'nothing'),
	('rows of a snapshot', 'vera_viewer', 'select s.position from mlops.snapshot_row s where public.leak(s::text)', 'nothing'),
	('a query that outcomes are bound to', 'vera_viewer', 'select b.source from mlops.outcome_binding b where public.leak(b.source)', 'nothing'),
	('a model''s bytes by export', 'vera_viewer', 'select mlops.export_model(''clinic/diagnosis@1'')', '42501'),
	('versions', 'paul_predictor', 'select v.version from mlops.model_version v where public.leak(v.metrics::text)', 'nothing'),
	('runs', 'paul_predictor', 'select r.query from mlops.snapshot r where public.leak(r.query)', 'nothing'),
	('metrics', 'paul_predictor', 'select m.value from mlops.metric m where public.leak(m.name)', 'nothing'),
	('members', 'paul_predictor', 'select m.member from mlops.project_member m where public.leak(m.access)', 'nothing'),
	('the record', 'paul_predictor', 'select e.object from mlops.audit_event e where public.leak(e.object)', 'nothing'),
	('comments', 'paul_predictor', 'select c.text from mlops.comment c where public.leak(c.text)', 'nothing'),
	('what is missing of a version', 'paul_predictor', 'select * from mlops.why_not(''diagnosis'', 1)', '42501'),
	('a card', 'paul_predictor', 'select mlops.model_card(''diagnosis'')', '42501'),
	('importance', 'paul_predictor', 'select * from mlops.importance(''diagnosis@1'')', '42501'),
	('where a version came from', 'paul_predictor', 'select * from mlops.lineage(''clinic/diagnosis'')', 'nothing'),
	('a model''s bytes by export, as who may only predict', 'paul_predictor', 'select mlops.export_model(''diagnosis@1'')', '42501'),
	-- what functions tell a stranger
	('search', 'sten_stranger', 'select * from mlops.search(''roc_auc > 0 or not roc_auc > 0 or roc_auc is null'')', 'nothing'),
	('full text', 'sten_stranger', 'select * from mlops.find(''tumour clinic diagnosis Mondays'')', 'nothing'),
	('runs compared', 'sten_stranger', 'select * from mlops.compare(array[$run]::bigint[])', '42704'),
	('a leaderboard', 'sten_stranger', 'select * from mlops.leaderboard(''first steps'')', '42704'),
	('a card of another''s', 'sten_stranger', 'select mlops.model_card(''diagnosis'')', '42704'),
	('comments of others', 'sten_stranger', 'select * from mlops.comments(''model diagnosis'')', '42704'),
	('lineage from a table', 'sten_stranger', 'select * from mlops.lineage(''public.tumour'')', '42704'),
	('a policy by its project', 'sten_stranger', 'select y.body from mlops.policy_in_force($project) y', 'nothing'),
	('the record verified', 'sten_stranger', 'select * from mlops.verify_audit()', '42501'),
	('the head of the record', 'sten_stranger', 'select * from mlops.audit_head()', '42501'),
	('the record''s head as an owner: it counts others'' events', 'anna_owner', 'select * from mlops.audit_head()', '42501'),
	('a prediction', 'sten_stranger', 'select mlops.predict(''clinic/diagnosis'', ''{"radius": 1}''::jsonb)', '42704'),
	('an export', 'sten_stranger', 'select mlops.export_model(''clinic/diagnosis'')', '42704'),
	('a description of a table of ours', 'sten_stranger', 'select d.name from mlops.describe(''mlops.run'') d where d.rows > 0', 'nothing'),
	('training on a table of ours', 'sten_stranger', 'select mlops.train(''m'', ''select id, seed from mlops.run'', ''seed'')', '22000'),
	('models in memory', 'sten_stranger', 'select c.model from mlops.model_cache c where c.model is not null', 'nothing');

select plan((select count(*)::integer from attack) + 2);
select is((select count(*) from attack where name !~ '^a function that tells, over'), 74::bigint, 'the attacks beside those on every table');
select is(pg_temp.attack('vera_viewer', 'select m.id from mlops.model m where public.leak(m.name)') ~ '; leaked$', true, 'a function tells of what one may see');
select * from pg_temp.attack_all();
select * from finish();
rollback;
