-- Model cards: what is known of a model, from facts, and what people write about it, checked against a schema; the inventory of all models.

create view mlops.card_field with (security_invoker) as
	select v.name, v.type, v.written_by, v.meaning
	  from (values
		('purpose', 'text', 'developers', 'the decision that it serves'),
		('intended_use', 'text', 'developers', 'by whom, on whom, how'),
		('restrictions', 'text', 'developers', 'what it must not be used for'),
		('limitations', 'text', 'developers', 'where it is known to be weak'),
		('data', 'text', 'developers', 'where the data come from, how they were labelled and cleaned'),
		('oversight', 'text', 'developers', 'who watches its answers, and how they are overruled'),
		('exposure', 'text', 'developers', 'what depends on it: people, money'),
		('owner', 'text', 'developers', 'who answers for it'),
		('contact', 'text', 'developers', 'whom to ask'),
		('vendor', 'text', 'developers', 'who made it, where it was not us'),
		('depends_on', 'texts', 'developers', 'other models and systems'),
		('lifecycle', 'development|in_use|retired', 'developers', 'where it stands in its life'),
		('tier', 'low|medium|high', 'reviewers', 'its risk'),
		('validator', 'text', 'reviewers', 'who validated it last'),
		('validated_on', 'date', 'reviewers', 'when'),
		('next_validation', 'date', 'reviewers', 'when the next is due'),
		('valid_until', 'date', 'reviewers', 'until when it may be used'),
		('revalidation_triggers', 'texts', 'reviewers', 'what calls for a validation before that'),
		('exceptions', 'texts', 'reviewers', 'where it departs from the rules, and why that is accepted')
	  ) v (name, type, written_by, meaning);
comment on view mlops.card_field is 'The schema of what people write on a model card';
comment on column mlops.card_field.type is 'text, texts (an array), date, or one of these words';
comment on column mlops.card_field.written_by is 'developers: scientists and owners; reviewers: reviewers and owners, for nobody validates their own work';
grant select on mlops.card_field to public;

create table mlops.model_card_field
(
	model_id	bigint not null references mlops.model on delete cascade,
	name		text not null,
	value		jsonb not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	primary key (model_id, name)
);
comment on table mlops.model_card_field is 'What people wrote on model cards: fields of mlops.card_field';

grant select on mlops.model_card_field to public;
alter table mlops.model_card_field enable row level security;
grant insert (model_id, name, value), update (value), delete on mlops.model_card_field to public;
create policy model_card_field_view on mlops.model_card_field for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy model_card_field_develop on mlops.model_card_field
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('train')))
		   and name in (select f.name from mlops.card_field f where f.written_by operator(pg_catalog.=) 'developers'));
create policy model_card_field_review on mlops.model_card_field
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review')))
		   and name in (select f.name from mlops.card_field f where f.written_by operator(pg_catalog.=) 'reviewers'));

create function mlops.card_field_is_valid() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	kind text;
	fits boolean;
begin
	if mlops.is_restoring() then
		return new;
	end if;
	select f.type into kind from mlops.card_field f where f.name = new.name;
	if not found then
		raise exception 'a model card has no field "%"', new.name
			using errcode = 'invalid_parameter_value', hint = 'Fields are in mlops.card_field.';
	end if;
	fits := case kind
		when 'text' then jsonb_typeof(new.value) = 'string' and length(btrim(new.value #>> '{}')) between 1 and 10000
		when 'texts' then jsonb_typeof(new.value) = 'array' and not jsonb_path_exists(new.value, 'strict $[*] ? (@.type() != "string" || @ == "")')
		when 'date' then jsonb_typeof(new.value) = 'string' and new.value #>> '{}' ~ '^\d{4}-\d\d-\d\d$'
		else jsonb_typeof(new.value) = 'string' and new.value #>> '{}' = any (string_to_array(kind, '|')) end;
	if fits and kind = 'date' then
		begin
			perform (new.value #>> '{}')::date;
		exception when datetime_field_overflow or invalid_datetime_format then
			fits := false;
		end;
	end if;
	if fits is not true then
		raise exception 'invalid value of card field "%": %', new.name, new.value
			using errcode = 'invalid_parameter_value',
				hint = case kind when 'text' then 'It is a text.' when 'texts' then 'It is an array of texts.' when 'date' then 'It is a date, "2026-12-31".'
							else format('It is one of %s.', replace(kind, '|', ', ')) end;
	end if;
	new.set_by := current_user;
	new.set_at := clock_timestamp();
	return new;
end
$$;
comment on function mlops.card_field_is_valid() is 'Trigger: what is written on a model card fits its schema; who wrote it, and when';
revoke execute on function mlops.card_field_is_valid() from public;
create trigger model_card_field_valid before insert or update on mlops.model_card_field
	for each row execute function mlops.card_field_is_valid();

create function mlops.set_card(model text, fields jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target bigint;
begin
	if jsonb_typeof(fields) is distinct from 'object' then
		raise exception 'the fields of a model card must be an object'
			using errcode = 'invalid_parameter_value', hint = 'Such as {"purpose": "…", "tier": "high"}; fields are in mlops.card_field.';
	end if;
	select r.model_id into target from mlops.resolve_model(set_card.model, 'model', 'view') r;
	delete from mlops.model_card_field c using jsonb_each(fields) f where c.model_id = target and c.name = f.key and jsonb_typeof(f.value) = 'null';
	insert into mlops.model_card_field as c (model_id, name, value)
	select target, f.key, f.value from jsonb_each(fields) f where jsonb_typeof(f.value) <> 'null'
	on conflict on constraint model_card_field_pkey do update set value = excluded.value where c.value <> excluded.value;
end
$$;
comment on function mlops.set_card(text, jsonb) is 'Writes fields of a model''s card, null removes one; fields, and who writes which, are in mlops.card_field';

-- ---- The card ----

create function mlops.model_card(model text) returns jsonb
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	subject record;
	made record;
	matters jsonb;
begin
	select m.id, m.name, m.description, p.name as project, m.project_id into subject
	  from mlops.resolve_model(model_card.model, 'model', 'view') r join mlops.model m on m.id = r.model_id join mlops.project p on p.id = m.project_id;
	select v.version, v.algorithm, v.task, v.origin, v.metrics, v.created_by, v.created_at, v.sha256, v.size, v.params, n.target, n.rows_train, n.rows_validation, n.rows_test,
		   n.id as run_id, n.arguments, s.query, s.row_count, s.fingerprint, s.columns, s.taken_at into made
	  from mlops.model_version v left join mlops.run n on n.id = v.run_id left join mlops.snapshot s on s.id = n.snapshot_id
	 where v.model_id = subject.id
	 order by exists (select from mlops.deployment d where d.model_id = v.model_id and d.version = v.version and upper_inf(d.valid)) desc, v.version desc
	 limit 1;
	-- how much each column matters is for those who may predict, and not known of every algorithm
	if made.version is not null then
		begin
			select jsonb_object_agg(i.feature, i.importance) into matters from mlops.importance(format('#%s/%s@%s', subject.project_id, subject.name, made.version)) i;
		exception when insufficient_privilege or feature_not_supported or invalid_parameter_value then
			matters := null;
		end;
	end if;
	return jsonb_strip_nulls(jsonb_build_object(
		'model', subject.name, 'project', subject.project, 'description', subject.description,
		'written', (select jsonb_object_agg(c.name, c.value) from mlops.model_card_field c where c.model_id = subject.id),
		'missing', (select jsonb_agg(f.name order by f.name) from mlops.card_field f
					 where f.name in ('purpose', 'intended_use', 'restrictions', 'limitations', 'owner', 'tier', 'validator', 'next_validation')
					   and not exists (select from mlops.model_card_field c where c.model_id = subject.id and c.name = f.name)),
		'version', jsonb_build_object('number', made.version, 'stage', mlops.stage_of(subject.id, made.version), 'algorithm', made.algorithm, 'task', made.task,
									  'origin', made.origin, 'author', made.created_by, 'created_at', made.created_at, 'sha256', encode(made.sha256, 'hex'),
									  'bytes', made.size, 'params', made.params, 'run_id', made.run_id),
		'data', jsonb_build_object('query', made.query, 'rows', made.row_count, 'fingerprint', made.fingerprint::text, 'read_at', made.taken_at, 'target', made.target,
								   'rows_train', made.rows_train, 'rows_validation', made.rows_validation, 'rows_test', made.rows_test, 'columns', made.columns),
		'metrics', made.metrics,
		'segments', (select jsonb_agg(jsonb_build_object('segment', q.segment, 'metric', q.metric, 'value', q.value, 'verdict', q.verdict, 'until', upper(q.period))
									  order by q.segment, q.metric)
					   from (select distinct on (r.segment, r.metric) r.* from mlops.monitor_result r
							  where r.model_id = subject.id and r.version = made.version and r.kind in ('realised', 'fairness') and r.segment <> ''
							  order by r.segment, r.metric, upper(r.period) desc) q),
		'importance', matters,
		'monitors', (select jsonb_agg(jsonb_build_object('name', o.name, 'schedule', o.schedule, 'enabled', o.enabled, 'reference', o.reference) order by o.name)
					   from mlops.monitor o where o.model_id = subject.id),
		'open_alerts', (select count(*) from mlops.raised_alert a where a.model_id = subject.id and a.closed_at is null),
		'open_findings', (select jsonb_agg(jsonb_build_object('title', f.title, 'severity', f.severity, 'due', f.due, 'assignee', f.assignee) order by f.id)
							from mlops.finding f where f.model_id = subject.id and f.state = 'open'),
		'checks', (select jsonb_agg(to_jsonb(k) order by k.check_name) from mlops.gate_checks(subject.id, made.version) k),
		'approvals', (select jsonb_agg(jsonb_build_object('version', a.version, 'decision', a.decision, 'by', a.decided_by, 'at', a.decided_at, 'comment', a.comment,
														  'conditions', a.conditions, 'due', a.due, 'expires', a.expires) order by a.id)
						from mlops.approval a where a.model_id = subject.id),
		'deployments', (select jsonb_agg(jsonb_build_object('version', d.version, 'from', lower(d.valid), 'until', upper(d.valid), 'by', d.deployed_by,
															'override', d.override) order by d.id)
						  from (select x.* from mlops.deployment x where x.model_id = subject.id order by x.id desc limit 20) d)));
end
$$;
comment on function mlops.model_card(text) is
'What is known of a model: of its live version, else of the newest, data, metrics, segments, importance, checks, approvals; and what people wrote (mlops.set_card())';

create function mlops.model_card_text(model text) returns text
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
as $$
declare
	card constant jsonb := mlops.model_card(model);
	out text;
	part record;
begin
	out := format(E'# %s\n\nProject %s. Version %s (%s), %s, %s, made by %s on %s.\n', card ->> 'model', card ->> 'project', card #>> '{version,number}',
				  card #>> '{version,stage}', card #>> '{version,algorithm}', card #>> '{version,task}', card #>> '{version,author}',
				  left(card #>> '{version,created_at}', 10));
	if card ? 'description' then
		out := out || E'\n' || (card ->> 'description') || E'\n';
	end if;
	if card ? 'written' then
		out := out || E'\n## As people say\n\n' ||
			(select string_agg(format('- **%s**: %s', replace(f.name, '_', ' '),
									  case jsonb_typeof(w.value) when 'array' then (select string_agg(t, '; ') from jsonb_array_elements_text(w.value) t) else w.value #>> '{}' end),
							   E'\n' order by f.place)
			   from (select c.name, row_number() over () as place from mlops.card_field c) f join jsonb_each(card -> 'written') w on w.key = f.name) || E'\n';
	end if;
	if card ? 'missing' then
		out := out || E'\nNot written yet: ' || (select string_agg(replace(n, '_', ' '), ', ') from jsonb_array_elements_text(card -> 'missing') n) || E'.\n';
	end if;
	out := out || format(E'\n## Data\n\n%s rows (train %s, validation %s, test %s); target %s.\n', coalesce(card #>> '{data,rows}', 'unknown'), coalesce(card #>> '{data,rows_train}', '?'),
						 coalesce(card #>> '{data,rows_validation}', '?'), coalesce(card #>> '{data,rows_test}', '?'), coalesce(card #>> '{data,target}', 'unknown'));
	out := out || E'\n## Metrics\n\n| metric | value |\n|---|---|\n' ||
		coalesce((select string_agg(format('| %s | %s |', m.key, round((m.value #>> '{}')::numeric, 5)), E'\n' order by m.key)
					from jsonb_each(case jsonb_typeof(card -> 'metrics') when 'object' then card -> 'metrics' else '{}' end) m where jsonb_typeof(m.value) = 'number'), '| none | |') || E'\n';
	if card ? 'segments' then
		out := out || E'\n## Segments\n\n| segment | metric | value | verdict |\n|---|---|---|---|\n' ||
			(select string_agg(format('| %s | %s | %s | %s |', replace(s ->> 'segment', '|', '\|'), s ->> 'metric', s ->> 'value', s ->> 'verdict'), E'\n')
			   from jsonb_array_elements(card -> 'segments') s) || E'\n';
	end if;
	for part in select * from (values ('checks', 'Checks', '- %s: %s %s', array['check_name', 'holds', 'detail']), ('approvals', 'Decisions', '- version %s %s by %s', array['version', 'decision', 'by']),
									  ('open_findings', 'Open findings', '- %s (%s), due %s', array['title', 'severity', 'due'])) p (key, title, pattern, fields) loop
		if jsonb_typeof(card -> part.key) = 'array' then
			out := out || format(E'\n## %s\n\n', part.title) ||
				(select string_agg(format(part.pattern, variadic array(select coalesce(e ->> f, 'none') from unnest(part.fields) f)), E'\n')
				   from jsonb_array_elements(card -> part.key) e) || E'\n';
		end if;
	end loop;
	return out;
end
$$;
comment on function mlops.model_card_text(text) is 'The same as Markdown';

-- ---- The inventory ----

create view mlops.inventory with (security_invoker) as
	select p.name as project, m.name as model, c.card operator(pg_catalog.->>) 'tier' as tier, c.card operator(pg_catalog.->>) 'purpose' as purpose,
		   c.card operator(pg_catalog.->>) 'intended_use' as intended_use, c.card operator(pg_catalog.->>) 'restrictions' as restrictions,
		   coalesce(c.card operator(pg_catalog.->>) 'lifecycle', case when d.version is not null then 'in_use' when p.stage operator(pg_catalog.=) 'retired' then 'retired' else 'development' end) as lifecycle,
		   d.version as live_version, v.version as newest_version, v.algorithm, v.task,
		   coalesce(c.card operator(pg_catalog.->>) 'owner', p.owner_name) as owner, v.created_by as developer, c.card operator(pg_catalog.->>) 'validator' as validator,
		   (c.card operator(pg_catalog.->>) 'validated_on')::date as validated_on, (c.card operator(pg_catalog.->>) 'next_validation')::date as next_validation,
		   (c.card operator(pg_catalog.->>) 'valid_until')::date as valid_until,
		   coalesce(least((c.card operator(pg_catalog.->>) 'next_validation')::date, (c.card operator(pg_catalog.->>) 'valid_until')::date) operator(pg_catalog.<) current_date,
					d.version is not null and c.card operator(pg_catalog.->>) 'validated_on' is null) as overdue,
		   coalesce(c.card operator(pg_catalog.->) 'exceptions', '[]') as exceptions, c.card operator(pg_catalog.->) 'depends_on' as depends_on,
		   c.card operator(pg_catalog.->>) 'vendor' as vendor, f.open_findings, f.overdue_findings,
		   greatest(v.created_at, c.set_at, pg_catalog.lower(d.valid)) as updated_at, m.id as model_id, p.id as project_id
	  from mlops.model m
	  join mlops.project p on p.id operator(pg_catalog.=) m.project_id
	  left join mlops.deployment d on d.model_id operator(pg_catalog.=) m.id and upper_inf(d.valid)
	  left join lateral (select x.version, x.algorithm, x.task, x.created_by, x.created_at from mlops.model_version x
						  where x.model_id operator(pg_catalog.=) m.id order by x.version desc limit 1) v on true
	  left join lateral (select pg_catalog.jsonb_object_agg(x.name, x.value) as card, pg_catalog.max(x.set_at) as set_at from mlops.model_card_field x
						  where x.model_id operator(pg_catalog.=) m.id) c on true
	  left join lateral (select pg_catalog.count(*) as open_findings, pg_catalog.count(*) filter (where x.due operator(pg_catalog.<) current_date) as overdue_findings
						   from mlops.finding x where x.model_id operator(pg_catalog.=) m.id and x.state operator(pg_catalog.=) 'open') f on true;
comment on view mlops.inventory is 'Every model that the caller views, with the fields that supervisors ask for: what for, how risky, whose, validated by whom and when next';
comment on column mlops.inventory.overdue is 'The next validation or the end of its validity has passed, or it is live and was never validated';
comment on column mlops.inventory.developer is 'Who made the newest version';
grant select on mlops.inventory to public;
