-- Lineage: where a model comes from and where it goes; what live models read is watched over.

-- ---- For C only: what a run read ----

create function mlops.store_source(run_id bigint, relation oid, columns smallint[]) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
	insert into mlops.run_source (run_id, relation, kind, columns, types, guards)
	select store_source.run_id, format('%I.%I', n.nspname, c.relname),
		   case when c.relpersistence = 't' then 'temporary table' when c.relkind = 'v' then 'view' when c.relkind = 'm' then 'materialized view'
				when c.relkind = 'f' then 'foreign table' else 'table' end,
		   array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum = any (store_source.columns) order by a.attnum),
		   array(select format_type(a.atttypid, null) from pg_attribute a where a.attrelid = c.oid and a.attnum = any (store_source.columns) order by a.attnum),
		   has_table_privilege((select r.current_user_name from mlops.run r where r.id = store_source.run_id), c.oid, 'references')
	  from pg_class c join pg_namespace n on n.oid = c.relnamespace
	 where c.oid = store_source.relation
$$;
comment on function mlops.store_source(bigint, oid, smallint[]) is 'Writes down that a run read these columns of a relation';

-- ---- What users call ----

create function mlops.lineage_of(object text, model_id bigint, relation text)
	returns table (direction text, step integer, kind text, object_name text, detail jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
	sought constant text := coalesce(relation, object);
begin
	if model_id is not null then
		return query
			with version as (select v.* from mlops.model_version v where v.model_id = lineage_of.model_id),
			live as (select d.* from mlops.deployment d where d.model_id = lineage_of.model_id),
			steps (direction, step, kind, object_name, detail, place) as (
				select 'up', 1, 'version', format('%s@%s', m.name, v.version),
					   jsonb_strip_nulls(jsonb_build_object('algorithm', v.algorithm, 'sha256', encode(v.sha256, 'hex'), 'origin', v.origin, 'run', v.run_id)), v.version::bigint
				  from version v join mlops.model m on m.id = v.model_id
				union all
				select 'up', 2, 'run', format('run %s', r.id),
					   jsonb_build_object('version', v.version, 'algorithm', r.algorithm, 'seed', r.seed, 'by', r.current_user_name, 'at', r.finished_at), r.id
				  from version v join mlops.run r on r.id = v.run_id
				union all
				select 'up', 2, 'version', format('%s@%s', coalesce((select m.name from mlops.model m where m.id = r.init_model_id), 'a dropped model'), r.init_version),
					   jsonb_build_object('version', v.version, 'as', 'init_model', 'sha256', encode(r.init_sha256, 'hex')), r.id
				  from version v join mlops.run r on r.id = v.run_id where r.init_model_id is not null
				union all
				select 'up', 3, 'snapshot', format('snapshot %s', s.id),
					   jsonb_build_object('version', v.version, 'rows', s.row_count, 'fingerprint', s.fingerprint, 'query', s.query, 'role', s.role_name), s.id
				  from version v join mlops.run r on r.id = v.run_id join mlops.snapshot s on s.id = r.snapshot_id
				union all
				select 'up', 4, x.kind, x.relation,
					   jsonb_build_object('columns', (select jsonb_object_agg(c.name, c.type) from unnest(x.columns, x.types) c (name, type)),
										  'versions', jsonb_agg(v.version order by v.version)), min(v.version)
				  from version v join mlops.run_source x on x.run_id = v.run_id
				 group by x.kind, x.relation, x.columns, x.types
				union all
				select 'down', 1, 'alias', a.name, jsonb_build_object('version', a.version, 'by', a.set_by, 'at', a.set_at), 0
				  from mlops.alias a where a.model_id = lineage_of.model_id
				union all
				select 'down', 1, 'deployment', format('deployment %s', d.id),
					   jsonb_build_object('version', d.version, 'valid', d.valid, 'live', upper_inf(d.valid), 'by', d.deployed_by), d.id
				  from live d
				union all
				select 'down', 1, 'version', format('%s@%s', m.name, v.version), jsonb_build_object('from', r.init_version, 'as', 'init_model'), v.version
				  from mlops.run r join mlops.model_version v on v.run_id = r.id join mlops.model m on m.id = v.model_id where r.init_model_id = lineage_of.model_id
				union all
				select 'down', 2, 'predictions', format('of deployment %s', p.deployment_id),
					   jsonb_build_object('version', p.version, 'rows', count(*), 'first', min(p.at), 'last', max(p.at)), p.deployment_id
				  from mlops.prediction p where p.model_id = lineage_of.model_id
				 group by p.deployment_id, p.version
				union all
				select 'down', 2, 'monitor', o.name, jsonb_build_object('enabled', o.enabled, 'reference', o.reference), o.id
				  from mlops.monitor o where o.model_id = lineage_of.model_id)
			select s.direction, s.step, s.kind, s.object_name, s.detail from steps s order by s.direction desc, s.step, s.kind, s.place, s.object_name;
		return;
	end if;

	if not exists (select from mlops.run_source x where x.relation = sought) then
		raise exception 'there is no model "%", and no training that you may see has read a table of this name', object
			using errcode = 'undefined_object', hint = 'Name a model, or a table or view with its schema. Which ones were read is in mlops.run_source.';
	end if;
	return query
		with steps (direction, step, kind, object_name, detail, place) as (
			select 'down', 1, 'run', format('run %s', r.id),
				   jsonb_build_object('columns', (select jsonb_object_agg(c.name, c.type) from unnest(x.columns, x.types) c (name, type)), 'model', r.model_name,
									  'at', r.finished_at), r.id
			  from mlops.run_source x join mlops.run r on r.id = x.run_id where x.relation = sought
			union all
			select 'down', 2, 'version', format('%s@%s', m.name, v.version), jsonb_build_object('project', p.name, 'run', v.run_id), v.run_id
			  from mlops.run_source x join mlops.model_version v on v.run_id = x.run_id join mlops.model m on m.id = v.model_id
			  join mlops.project p on p.id = m.project_id where x.relation = sought
			union all
			select 'down', 3, 'deployment', format('deployment %s', d.id),
				   jsonb_build_object('model', m.name, 'version', d.version, 'valid', d.valid, 'live', upper_inf(d.valid)), d.id
			  from mlops.run_source x join mlops.model_version v on v.run_id = x.run_id join mlops.model m on m.id = v.model_id
			  join mlops.deployment d on d.model_id = v.model_id and d.version = v.version where x.relation = sought)
		select s.direction, s.step, s.kind, s.object_name, s.detail from steps s order by s.step, s.place, s.object_name;
end
$$;
comment on function mlops.lineage_of(text, bigint, text) is 'What mlops.lineage() returns, of a model by its number or of a relation by its qualified name';

create function mlops.lineage(object text, out direction text, out step integer, out kind text, out object_name text, out detail jsonb) returns setof record
language c stable strict parallel restricted rows 20 as 'MODULE_PATHNAME', 'mlops_lineage';
comment on function mlops.lineage(text) is
'Where a model comes from (up: versions, runs, snapshots, views, tables and their columns) and where it goes (down: aliases, deployments, predictions, monitors); of a table or view, the runs, versions and deployments that come from it';

-- ---- What live models read ----

-- plpgsql keeps its plan: this is asked before and after each command that may change a table.
create function mlops.broken_sources(touched oid[]) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
	return (
		with live as (
			select p.id as project_id, case when x.guards then p.guard_sources else 'warn' end as guard_sources, m.id as model_id, m.name as model, x.relation, x.columns, x.types
			  from mlops.deployment d
			  join mlops.model_version v on v.model_id = d.model_id and v.version = d.version
			  join mlops.model m on m.id = v.model_id
			  join mlops.project p on p.id = m.project_id
			  join mlops.run_source x on x.run_id = v.run_id and x.kind <> 'temporary table'
			 where upper_inf(d.valid)),
		-- many models read the same: each relation is looked at once, all its columns at a time
		read as materialized (
			select l.*, to_regclass(l.relation) as id,
				   case when to_regclass(l.relation) <> all (touched) then l.types else array(select format_type(a.atttypid, null) from unnest(l.columns) with ordinality c (name, place)
						   left join pg_attribute a on a.attrelid = to_regclass(l.relation) and a.attname = c.name::name and not a.attisdropped
						  order by c.place) end as types_now
			  from (select distinct relation, columns, types from live) l),
		broken as (
			select r.relation, r.columns, r.types,
				   case when r.id is null then 'it is not there any more under this name'
						else (select string_agg(format(case when c.now is null then 'column %s is not there any more' else 'column %s is of type %s instead of %s' end,
													   quote_ident(c.name), c.now, c.type), ', ' order by c.name)
								from unnest(r.columns, r.types, r.types_now) c (name, type, now) where c.now is distinct from c.type) end as what
			  from read r where r.id is null or r.types_now <> r.types)
		select coalesce(jsonb_agg(to_jsonb(b) order by b.model_id, b.relation), '[]')
		  from (select l.project_id, l.guard_sources, l.model_id, l.model, l.relation, b.what
				  from broken b join live l on l.relation = b.relation and l.columns = b.columns and l.types = b.types) b);
end
$$;
comment on function mlops.broken_sources(oid[]) is 'What live models were trained on and is gone; or has other columns now, of the relations touched (NULL: of all)';

create function mlops.guard_live_sources(known jsonb, touched oid[]) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	broken jsonb := mlops.broken_sources(touched);
begin
	if broken = known then
		return '[]';
	end if;
	broken := (select coalesce(jsonb_agg(b), '[]') from jsonb_array_elements(broken) b where b <> all (array(select jsonb_array_elements(known))));
	insert into mlops.finding (project_id, model_id, source, title, detail, severity)
	select b.project_id, b.model_id, 'monitor', left(format('model %s was trained on %s: %s', b.model, b.relation, b.what), 500),
		   'The live version predicts as before. Its training can neither be repeated nor renewed as it is.', 'high'
	  from jsonb_to_recordset(broken) b (project_id bigint, guard_sources text, model_id bigint, model text, relation text, what text)
	 where b.guard_sources = 'warn';
	return broken;
end
$$;
comment on function mlops.guard_live_sources(jsonb, oid[]) is 'Opens findings for what is broken and was not known to be before a command; that, for the command to be refused or a warning to be given';

create function mlops.guard_sources() returns event_trigger
	language c as 'MODULE_PATHNAME', 'mlops_guard_sources';
comment on function mlops.guard_sources() is 'Event trigger, before and after: warns of a command that takes away what a live model reads, or refuses it where the model''s project says so';

-- What was broken before a command is not its fault.
create event trigger mlops_sources_before on ddl_command_start
	when tag in ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'ALTER SCHEMA', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER EXTENSION',
				 'DROP TABLE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP SCHEMA', 'DROP TYPE', 'DROP DOMAIN', 'DROP OWNED', 'DROP EXTENSION',
				 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP OPERATOR CLASS', 'DROP OPERATOR FAMILY', 'DROP CAST', 'DROP TRANSFORM',
				 'DROP COLLATION', 'DROP SEQUENCE', 'DROP ACCESS METHOD', 'DROP LANGUAGE', 'DROP CONVERSION', 'DROP SERVER', 'DROP FOREIGN DATA WRAPPER',
				 'DROP TEXT SEARCH CONFIGURATION', 'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE')
	execute function mlops.guard_sources();
create event trigger mlops_sources_after on ddl_command_end
	when tag in ('ALTER TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'ALTER SCHEMA', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER EXTENSION',
				 'DROP TABLE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE', 'DROP SCHEMA', 'DROP TYPE', 'DROP DOMAIN', 'DROP OWNED', 'DROP EXTENSION',
				 'DROP FUNCTION', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP OPERATOR CLASS', 'DROP OPERATOR FAMILY', 'DROP CAST', 'DROP TRANSFORM',
				 'DROP COLLATION', 'DROP SEQUENCE', 'DROP ACCESS METHOD', 'DROP LANGUAGE', 'DROP CONVERSION', 'DROP SERVER', 'DROP FOREIGN DATA WRAPPER',
				 'DROP TEXT SEARCH CONFIGURATION', 'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER', 'DROP TEXT SEARCH TEMPLATE')
	execute function mlops.guard_sources();

revoke execute on function mlops.store_source(bigint, oid, smallint[]), mlops.broken_sources(oid[]), mlops.guard_live_sources(jsonb, oid[]), mlops.guard_sources() from public;
