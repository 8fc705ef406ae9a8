-- After registry.sql: what every call of matrix.sql needs, a role for each level, and what a statement comes to for it.
create table public.cell as select i as id, i::float8 as radius, i % 40 > 17 as malignant from generate_series(1, 200) i;
create table public.scored (id integer primary key, prediction float8, class text, probability float8, model_version integer);
grant select on public.cell to public;
grant all on public.scored to public;
grant usage, create on schema public to public;

create role extra_viewer;
set local role anna_owner;
select mlops.grant_access('clinic', 'extra_viewer', 'viewer');
set local role sam_scientist;
select run_id as cells_run from mlops.train('cells', 'public.cell', 'malignant', 'logistic_regression', exclude => '{id}', project => 'clinic') \gset
select mlops.train('leaves', 'public.cell', 'malignant', 'decision_tree', exclude => '{id}', project => 'clinic');
reset role;
select mlops.deploy('cells', 1);
select mlops.deploy('leaves', 1);
select mlops.deploy('diagnosis', 3);
select mlops.deploy('diagnosis', 1);
select mlops.set_alias('diagnosis', 'champion', 1);

create temporary table shelf as select mlops.export_model('cells') as model;
grant select on shelf to public;

select o.id as watch from mlops.monitor o join mlops.model m on m.id = o.model_id where m.name = 'cells' \gset

-- model spare has a version, and nothing else
insert into mlops.model (project_id, name, last_version, created_by) values (:clinic, 'spare', 1, 'sam_scientist') returning id as spare \gset
insert into mlops.model_version (model_id, version, run_id, algorithm, task, size, sha256, params, metrics, origin)
values (:spare, 1, :run, 'baseline', 'binary', 1, sha256('x'), '{}', '{}', 'measured');
insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, feature, metric, verdict)
select :monitor, :diagnosis, 1, '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)', kind, '', 'rows', 'ok' from unnest('{health,quality,realised}'::text[]) kind;
insert into mlops.raised_alert (model_id, monitor_id, kind, segment, feature, severity, version, evidence, first_period, last_period)
values (:diagnosis, :monitor, 'drift', '', 'age', 'warning', 1, '[]', '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)', '[2024-01-01 00:00:00+00,2024-01-02 00:00:00+00)')
returning id as fresh_alert \gset

create temporary table person (level text primary key, role name not null);
insert into person values ('viewer', 'vera_viewer'), ('predictor', 'paul_predictor'), ('scientist', 'sam_scientist'), ('reviewer', 'rita_reviewer'),
	('operator', 'olga_operator'), ('owner', 'anna_owner'), ('stranger', 'sten_stranger');
create function pg_temp.follow(who name) returns void language plpgsql as $$
begin
	execute format('set local role %I', who);
	perform mlops.subscribe('model diagnosis');
	reset role;
end
$$;
select pg_temp.follow(role) from person where level not in ('predictor', 'stranger');
select mlops.predict('cells', '{"radius": 1}'::jsonb);

create temporary table known (name text primary key, value text not null);
insert into known values ('clinic', :clinic), ('diagnosis', :diagnosis), ('spare', :spare), ('run', :run), ('cells_run', :cells_run), ('snapshot', :snapshot),
	('job', :job), ('monitor', :monitor), ('watch', :watch), ('alert', :fresh_alert);
create function pg_temp.filled(statement text) returns text language plpgsql as $$
declare
	k record;
begin
	for k in select * from known loop
		statement := replace(statement, '{' || k.name || '}', k.value);
	end loop;
	return statement;
end
$$;

-- What a statement comes to for a role: ok; nothing, where it finds or changes no row; or its SQLSTATE.  Whatever it did is undone.
create function pg_temp.outcome(who name, statement text) returns text language plpgsql as $$
declare
	rows bigint;
	outcome text;
begin
	begin
		execute format('set local role %I', who);
		execute statement;
		get diagnostics rows = row_count;
		outcome := case rows when 0 then 'nothing' else 'ok' end;
		raise sqlstate 'UNDID';
	exception when sqlstate 'UNDID' then
		null;
	when others then
		outcome := sqlstate;
	end;
	return outcome;
end
$$;
