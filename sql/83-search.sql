-- Search: runs by a condition on what is known of them, and anything by its words.

create function mlops.search(condition text) returns setof mlops.runs
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	-- an error where it is no condition, whether there are runs or not
	names constant text[] := mlops.condition_names(condition);
	known constant text[] := '{run_id,project,experiment,model,version,kind,state,algorithm,task,target,run_by,rows_train,rows_test,seconds,age_days}';
	unknown text;
begin
	return query
		select r.*
		  from mlops.runs r
		 where mlops.condition_holds(search.condition,
									 r.metrics
									 || jsonb_build_object('run_id', r.run_id, 'project', r.project, 'experiment', r.experiment, 'model', r.model, 'version', r.version,
														   'kind', r.kind, 'state', r.state, 'algorithm', r.algorithm, 'task', r.task, 'target', r.target,
														   'run_by', r.run_by, 'rows_train', r.rows_train, 'rows_test', r.rows_test,
														   'seconds', extract(epoch from r.duration), 'age_days', extract(epoch from now() - r.finished_at) / 86400)
									 || jsonb_build_object('metric', r.metrics, 'param', r.params, 'tag', r.tags))
		 order by r.run_id;
	if not found then
		select string_agg(quote_ident(n), ', ') into unknown
		  from unnest(names) n
		 where n <> all (known) and n !~ '^(metric|param|tag)\.' and not exists (select from mlops.metric m where m.name = n);
		if unknown is not null then
			raise notice 'no run has %', unknown
				using hint = 'Facts are the metrics by name, the columns of mlops.runs, seconds, age_days, and param.NAME and tag.NAME.';
		end if;
	end if;
end
$$;
comment on function mlops.search(text) is
'The runs of which a condition holds, such as roc_auc > 0.8 and (algorithm = ''mlp'' or tag.team = ''risk''): metrics by name, columns of mlops.runs, seconds, age_days, param.NAME, tag.NAME';

-- Words are found as they are written, whatever the language: nothing is taken for a stop word.
create function mlops.find(words text, "limit" integer default 20)
	returns table (rank real, object text, project text, excerpt text)
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	query constant tsquery := websearch_to_tsquery('simple', words);
begin
	if "limit" not between 1 and 1000 then
		raise exception 'invalid limit %', "limit"
			using errcode = 'invalid_parameter_value', hint = 'It is 1 to 1000.';
	end if;
	return query
		with said (object, project_id, weight, text) as (
			select 'project ' || p.name, p.id, 'A', p.name || ' ' || array_to_string(p.tags, ' ') || ' ' || coalesce(p.goal, '') from mlops.project p
			union all select format('experiment %s/%s', p.name, e.name), e.project_id, 'A', e.name from mlops.experiment e join mlops.project p on p.id = e.project_id
			union all select format('model %s/%s', p.name, m.name), m.project_id, 'A', m.name || ' ' || coalesce(m.description, '')
						from mlops.model m join mlops.project p on p.id = m.project_id
			union all select format('model %s/%s', p.name, m.name), m.project_id, 'B', f.text
						from mlops.model_card_field c join mlops.model m on m.id = c.model_id join mlops.project p on p.id = m.project_id
					   cross join lateral (select c.name || ': ' || (c.value #>> '{}') as text) f
			union all select 'run ' || r.id, r.project_id, 'B', concat_ws(' ', r.model_name, r.algorithm, r.target, t.text)
						from mlops.run r left join lateral (select string_agg(g.name || ' ' || g.value, ' ') as text from mlops.run_tag g where g.run_id = r.id) t on true
			union all select 'finding ' || f.id, f.project_id, 'B', concat_ws(' ', f.title, f.detail, f.resolution) from mlops.finding f
			union all select case c.object_kind
								 when 'version' then format('version %s@%s', m.name, c.version)
								 when 'model' then 'model ' || m.name
								 when 'project' then 'project ' || p.name
								 when 'experiment' then format('experiment %s/%s', p.name, e.name)
								 else c.object_kind || ' ' || c.object_id end,
							 c.project_id, 'C', c.text
						from mlops.comment c join mlops.project p on p.id = c.project_id
						left join mlops.model m on c.object_kind in ('version', 'model') and m.id = c.object_id
						left join mlops.experiment e on c.object_kind = 'experiment' and e.id = c.object_id
		), found as (
			select s.*, setweight(to_tsvector('simple', s.text), s.weight::"char") as vector from said s
		)
		select ts_rank(f.vector, query) as rank, f.object, p.name, ts_headline('simple', f.text, query, 'MaxFragments=2, MaxWords=20, MinWords=5')
		  from found f join mlops.project p on p.id = f.project_id
		 where f.vector @@ query
		 order by 1 desc, f.object
		 limit find."limit";
end
$$;
comment on function mlops.find(text, integer) is
'Finds words in names, goals, tags, model cards, runs, findings and comments that the caller may see, the best first: churn telecom, "a phrase", this or that, -without';
