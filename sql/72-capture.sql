-- Capture: what deployed models were asked and answered, and what turned out.

-- ---- Reading ----

create function mlops.prediction_time(prediction_id bigint) returns timestamptz
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_prediction_time';
comment on function mlops.prediction_time(bigint) is 'The time that the id of a prediction holds, to the millisecond below';

create function mlops.decode_features(names text[], features bytea) returns jsonb
language c stable strict parallel safe cost 20 as 'MODULE_PATHNAME', 'mlops_decode_features';
comment on function mlops.decode_features(text[], bytea) is 'Captured features as a JSON object; the names are those of their layout';

create view mlops.captured with (security_invoker) as
	select p.prediction_id, p.at, m.name as model, p.version, p.entity_key, p.request_id,
		   (select mlops.decode_features(l.names, f.features)
			  from mlops.prediction_features f
			  join mlops.capture_layout l on l.id operator(pg_catalog.=) f.layout_id
			 where f.prediction_id operator(pg_catalog.=) p.prediction_id and f.at operator(pg_catalog.=) p.at) as features,
		   p.prediction, p.class, p.probability, p.weight,
		   coalesce((select o.value from mlops.outcome o where o.prediction_id operator(pg_catalog.=) p.prediction_id and o.model_id operator(pg_catalog.=) p.model_id
					 order by o.id desc limit 1),
					(select o.value from mlops.outcome o
					  where o.model_id operator(pg_catalog.=) p.model_id and o.entity_key operator(pg_catalog.=) p.entity_key
						and o.observed_at operator(pg_catalog.>=) p.at
					  order by o.observed_at, o.id desc limit 1)) as outcome,
		   p.captured_by, p.deployment_id, p.model_id
	  from mlops.prediction p
	  join mlops.model m on m.id operator(pg_catalog.=) p.model_id;
comment on view mlops.captured is 'Captured predictions with what was asked and what turned out; one row a query and row, whichever functions predicted it';
comment on column mlops.captured.features is 'NULL where they were not captured, and for those who may not see them';
comment on column mlops.captured.weight is 'How many rows this one stands for: sum and average with it';
comment on column mlops.captured.outcome is 'The latest one recorded for this prediction; else the first one observed after it of its entity, as corrected last';
grant select on mlops.captured to public;

create function mlops.list_capture() returns table (
	model_id bigint, waiting bigint, dropped bigint, lost bigint, sampled bigint, standby bigint, uncommitted bigint, lag interval, bytes bigint)
language c volatile strict parallel restricted rows 10 as 'MODULE_PATHNAME', 'mlops_list_capture';
comment on function mlops.list_capture() is
'What shared memory counts about capture of the models in this database that the caller views: the other part of view mlops.capture_status. Superusers see a row without a model: what is counted of all models beyond 1,024 at a time';

create view mlops.capture_status with (security_invoker) as
	select m.name as model,
		   coalesce(c.captured, 0) as captured,
		   coalesce(c.dropped, 0) + coalesce(s.dropped, 0) as dropped,
		   coalesce(c.sampled, 0) + coalesce(s.sampled, 0) + coalesce(c.standby, 0) + coalesce(s.standby, 0)
			   + coalesce(c.uncommitted, 0) + coalesce(s.uncommitted, 0) as skipped,
		   coalesce(c.lost, 0) + coalesce(s.lost, 0) as lost,
		   coalesce(s.waiting, 0) as waiting,
		   coalesce(s.lag, interval '0') as lag,
		   coalesce(s.bytes, 0) as bytes,
		   coalesce(c.sampled, 0) + coalesce(s.sampled, 0) as skipped_by_sampling,
		   coalesce(c.standby, 0) + coalesce(s.standby, 0) as skipped_on_standby,
		   coalesce(c.uncommitted, 0) + coalesce(s.uncommitted, 0) as skipped_uncommitted,
		   m.id as model_id,
		   coalesce(e.errors, 0) as errors
	  from mlops.model m
	  left join mlops.capture_count c on c.model_id operator(pg_catalog.=) m.id
	  left join mlops.list_capture() s on s.model_id operator(pg_catalog.=) m.id
	  left join (select x.model_id, sum(x.errors)::bigint as errors from mlops.prediction_error x group by x.model_id) e on e.model_id operator(pg_catalog.=) m.id
	 where coalesce(c.model_id, s.model_id, e.model_id) is not null and m.project_id in (select mlops.accessible_projects('view'));
comment on view mlops.capture_status is 'What was captured of each model, and what was not, and why';
comment on column mlops.capture_status.captured is 'Rows that were written';
comment on column mlops.capture_status.dropped is 'Rows that found the queue full: mlops.capture_queue_size is too small, or the writer cannot write';
comment on column mlops.capture_status.skipped is 'Rows that were left out on purpose: the sum of the three columns skipped_...; others bear the weight of those left out by sampling';
comment on column mlops.capture_status.lost is 'Rows that were in the queue when the server crashed or when their model was dropped, or that were given up because they could not be written and others needed the room';
comment on column mlops.capture_status.waiting is 'Rows in the queue, and errors that are not counted yet';
comment on column mlops.capture_status.lag is 'Age of the oldest row in the queue';
comment on column mlops.capture_status.bytes is 'What they take of the queue';
comment on column mlops.capture_status.errors is 'Predictions that ended with an error; mlops.prediction_error has them by minute and SQLSTATE';
grant select on mlops.capture_status to public;

create function mlops.flush_capture(timeout interval default '1 minute') returns void
language c volatile strict parallel restricted as 'MODULE_PATHNAME', 'mlops_flush_capture';
comment on function mlops.flush_capture(interval) is 'Waits until what was queued in this database before the call is written; an error when that takes longer than timeout';

-- ---- In the caller's transaction ----

create function mlops.score(model text, entity_key text, features record, request_id text default null,
	out prediction_id bigint, out prediction double precision, out class text, out probability double precision, out version integer)
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_score';
comment on function mlops.score(text, text, record, text) is
'Predicts and captures in the caller''s transaction, whose fate the record shares; a request that is repeated gets its first answer. Features: a row, matched by name';

create function mlops.score(model text, entity_key text, features jsonb, request_id text default null,
	out prediction_id bigint, out prediction double precision, out class text, out probability double precision, out version integer)
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_score';
comment on function mlops.score(text, text, jsonb, text) is
'Predicts and captures in the caller''s transaction, whose fate the record shares; a request that is repeated gets its first answer. Features: a JSON object';

-- ---- Outcomes ----

create function mlops.record_outcome(prediction_id bigint, value text, observed_at timestamptz default clock_timestamp()) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	if prediction_id is null or value is null then
		raise exception '% must not be NULL', case when prediction_id is null then 'prediction_id' else 'value' end
			using errcode = 'null_value_not_allowed';
	end if;
	insert into mlops.outcome (prediction_id, value, observed_at)
	values (record_outcome.prediction_id, record_outcome.value, coalesce(record_outcome.observed_at, clock_timestamp()));
end
$$;
comment on function mlops.record_outcome(bigint, text, timestamptz) is 'Records what turned out for a prediction; a later call corrects it, and both are kept';

create function mlops.record_outcome(model text, entity_key text, at timestamptz, value text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	target bigint;
begin
	if entity_key is null or at is null or value is null then
		raise exception '% must not be NULL', case when entity_key is null then 'entity_key' when at is null then 'at' else 'value' end
			using errcode = 'null_value_not_allowed';
	end if;
	select r.model_id into target from mlops.resolve_model(record_outcome.model, 'model', 'predict') r;
	insert into mlops.outcome (model_id, entity_key, value, observed_at)
	values (target, record_outcome.entity_key, record_outcome.value, record_outcome.at);
end
$$;
comment on function mlops.record_outcome(text, text, timestamptz, text) is 'Records what turned out for an entity at a time: it belongs to the predictions about it before';

create view mlops.outcome_coverage with (security_invoker) as
	select m.name as model, c.version, date_trunc('day', c.at) as day, count(*) as captured, count(c.outcome) as labelled,
		   sum(c.weight) filter (where c.outcome is not null) / sum(c.weight) as coverage, c.model_id
	  from mlops.captured c
	  join mlops.model m on m.id operator(pg_catalog.=) c.model_id
	 group by m.name, c.version, date_trunc('day', c.at), c.model_id;
comment on view mlops.outcome_coverage is 'Of how many captured predictions the outcome is known, by version and day';
comment on column mlops.outcome_coverage.coverage is 'The share, by weight';
grant select on mlops.outcome_coverage to public;

-- ---- Keeping and forgetting ----

create function mlops.set_retention(model text, keep interval) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set row_security = on
as $$
declare
	target bigint;
begin
	select r.model_id into target from mlops.resolve_model(set_retention.model, 'model', 'own') r;
	if keep is null then
		delete from mlops.retention r where r.model_id = target;
		return;
	end if;
	if keep <= interval '0' then
		raise exception 'invalid retention %', keep
			using errcode = 'invalid_parameter_value', hint = 'It is longer than 0; NULL keeps for ever.';
	end if;
	insert into mlops.retention as r (model_id, keep) values (target, set_retention.keep)
	on conflict on constraint retention_pkey do update set keep = excluded.keep;
end
$$;
comment on function mlops.set_retention(text, interval) is 'How long captured predictions of a model are kept; NULL: for ever. What is older is removed once a day';

create function mlops.forget(model text, entity_key text) returns bigint
language c volatile strict parallel unsafe as 'MODULE_PATHNAME', 'mlops_forget';
comment on function mlops.forget(text, text) is
'Removes what was captured about an entity, and its outcomes, for good; profiles of many keep counting it. Leaves an event in mlops.audit_event, and returns the number of predictions';

-- ---- For the writer and for C only ----

create function mlops.find_capture_layout(model_id bigint, version integer, deployment_id bigint) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	found_id bigint;
	settings jsonb;
begin
	select l.id into found_id from mlops.capture_layout l
	 where l.model_id = find_capture_layout.model_id and l.version = find_capture_layout.version and l.deployment_id = find_capture_layout.deployment_id;
	if found then
		return found_id;
	end if;
	perform from mlops.model_version v where v.model_id = find_capture_layout.model_id and v.version = find_capture_layout.version for key share;
	if not found then
		return null;
	end if;
	select d.capture into settings from mlops.deployment d where d.id = find_capture_layout.deployment_id;
	insert into mlops.capture_layout (model_id, version, deployment_id, names)
	values (find_capture_layout.model_id, find_capture_layout.version, find_capture_layout.deployment_id,
			array(select s.name from mlops.model_signature s
				   where s.model_id = find_capture_layout.model_id and s.version = find_capture_layout.version and s.position > 0
					 and not coalesce(settings -> 'mask' ? s.name, false)
				   order by s.position)
			|| array(select jsonb_array_elements_text(coalesce(settings -> 'also', '[]'))))
	on conflict on constraint capture_layout_key do nothing;
	select l.id into found_id from mlops.capture_layout l
	 where l.model_id = find_capture_layout.model_id and l.version = find_capture_layout.version and l.deployment_id = find_capture_layout.deployment_id;
	return found_id;
end
$$;
comment on function mlops.find_capture_layout(bigint, integer, bigint) is 'The layout of a deployment''s captured features, made at first; NULL where the version is gone';

create function mlops.make_prediction_partition(at timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
	first_day date := make_prediction_partition.at;
	parent text;
	partition text;
begin
	-- whoever makes the same one waits here; inserts, reads and vacuuming of other days go on
	lock table only mlops.prediction, only mlops.prediction_features in share update exclusive mode;
	foreach parent in array array['prediction', 'prediction_features'] loop
		partition := parent || to_char(first_day, '_YYYY_MM_DD');
		continue when to_regclass('mlops.' || quote_ident(partition)) is not null;
		execute format('create table mlops.%I (like mlops.%I)', partition, parent);
		execute format('create index on mlops.%I (prediction_id)', partition);
		execute format('create index on mlops.%I using brin (model_id, at) with (pages_per_range = 16, autosummarize)', partition);
		if parent = 'prediction' then
			execute format('create index on mlops.%I (model_id, entity_key, at) where entity_key is not null', partition);
		end if;
		execute format('alter table mlops.%I enable row level security', partition);
		execute format('comment on table mlops.%I is %L', partition, format('Rows of mlops.%s of %s (UTC)', parent, first_day));
		execute format('alter table mlops.%I attach partition mlops.%I for values from (%L) to (%L)',
					   parent, partition, first_day::timestamptz, (first_day + 1)::timestamptz);
	end loop;
end
$$;
comment on function mlops.make_prediction_partition(timestamptz) is 'Makes the partitions of captured predictions for the day of a time';

create function mlops.remove_old_predictions(now timestamptz, out removed bigint, out days_in_use integer)
language plpgsql
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '1min'
as $$
declare
	part record;
	is_expired text;
	expires boolean;
	n bigint;
	expired text := '';
begin
	removed := 0;
	days_in_use := 0;

	-- one at a time, for two would keep each other from every partition
	lock table mlops.retention in share update exclusive mode;
	perform set_config('lock_timeout', '1s', true);

	for part in
		select c.relname::text as name, 'prediction_features' || substr(c.relname, length('prediction') + 1) as features,
			   to_date(right(c.relname, 10), 'YYYY_MM_DD') as day
		  from pg_inherits i join pg_class c on c.oid = i.inhrelid
		 where i.inhparent = 'mlops.prediction'::regclass
		 order by c.relname
	loop
		continue when (part.day < now - (select min(r.keep) from mlops.retention r)) is not true;
		is_expired := format('select not exists (select from mlops.%I p left join mlops.retention r on r.model_id = p.model_id'
							 ' where r.keep is null or $1 + 1 > $2 - r.keep)', part.name);
		begin
			execute is_expired into expires using part.day, now;
			if expires then
				-- whoever reads it goes first: nobody is waited for while others wait for what is locked here
				execute format('lock table mlops.%I, mlops.%I in access exclusive mode nowait', part.name, part.features);
				execute is_expired into expires using part.day, now;	-- late rows may have landed
			end if;
			if expires then
				execute format('select count(*) from mlops.%I', part.name) into n;
				expired := expired || format(', mlops.%I, mlops.%I', part.name, part.features);
			else
				execute format('delete from mlops.%I f using mlops.retention r where r.model_id = f.model_id and f.at < $1 - r.keep', part.features) using now;
				execute format('delete from mlops.%I p using mlops.retention r where r.model_id = p.model_id and p.at < $1 - r.keep', part.name) using now;
				get diagnostics n = row_count;
			end if;
			removed := removed + n;
		exception when lock_not_available then
			raise log 'predictions of % are in use, and are removed later', part.day;
			days_in_use := days_in_use + 1;
		end;
	end loop;
	delete from mlops.prediction_error e using mlops.retention r where r.model_id = e.model_id and e.at < remove_old_predictions.now - r.keep;
	if expired = '' then
		return;
	end if;

	-- dropping locks all of mlops.prediction until this transaction ends; where others use it for longer than they may be held up, rows go at least
	begin
		perform set_config('lock_timeout', '100ms', true);
		lock table only mlops.prediction, only mlops.prediction_features in access exclusive mode;
		execute 'drop table ' || substr(expired, 3);
	exception when lock_not_available then
		execute 'truncate ' || substr(expired, 3);
	end;
end
$$;
comment on function mlops.remove_old_predictions(timestamptz) is
'Removes captured predictions that mlops.set_retention() says are too old: the number of them, and on how many days there are more, which somebody reads now';

create function mlops.apply_retention(now timestamptz default mlops.clock()) returns bigint
language sql
set search_path = pg_catalog, pg_temp
as 'select o.removed from mlops.remove_old_predictions(now) o';
comment on function mlops.apply_retention(timestamptz) is 'Removes captured predictions that mlops.set_retention() says are too old; the number of them';

revoke execute on function mlops.find_capture_layout(bigint, integer, bigint), mlops.make_prediction_partition(timestamptz),
	mlops.remove_old_predictions(timestamptz), mlops.apply_retention(timestamptz) from public;
