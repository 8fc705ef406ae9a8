-- Guards of captured predictions and outcomes; 45-guards.sql has the rules.

-- ---- What a deployment captures ----

create function mlops.capture_settings(given jsonb) returns jsonb
language c stable strict parallel safe as 'MODULE_PATHNAME', 'mlops_capture_settings';
comment on function mlops.capture_settings(jsonb) is
'What a deployment captures, checked and complete: mode (queue, transaction, off), sample, features, key, mask, also';

create function mlops.can_capture() returns boolean
language c stable strict parallel safe as 'MODULE_PATHNAME', 'mlops_can_capture';
comment on function mlops.can_capture() is 'Whether this server has a queue for captured predictions: mlops is in shared_preload_libraries';

create function mlops.deployment_captures() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	unknown text;
begin
	if mlops.is_restoring() then
		return new;
	end if;
	if new.capture is null then
		-- what the model's latest deployment captured; of the first one everything, where there is a queue
		new.capture := (select d.capture from mlops.deployment d where d.model_id = new.model_id order by d.id desc limit 1);
		if new.capture is null then
			new.capture := jsonb_build_object('mode', case when mlops.can_capture() then 'queue' else 'off' end);
			if not mlops.can_capture() then
				raise notice 'predictions of this deployment are not captured'
					using hint = 'That takes shared_preload_libraries = ''mlops''. Deploy again with capture => ''{"mode": "queue"}'' when the server has it, or with ''{"mode": "transaction"}'' to capture what mlops.score() is asked.';
			end if;
		end if;
	elsif not mlops.can_capture() and coalesce(new.capture ->> 'mode', 'queue') = 'queue' then
		raise notice 'predictions are not captured before the server has a queue'
			using hint = 'That takes shared_preload_libraries = ''mlops''.';
	end if;
	new.capture := mlops.capture_settings(new.capture);

	unknown := (select string_agg(quote_ident(masked), ', ')
				  from jsonb_array_elements_text(coalesce(new.capture -> 'mask', '[]')) masked
				 where not exists (select from mlops.model_signature s where s.model_id = new.model_id and s.version = new.version and s.name = masked));
	if unknown is not null and exists (select from mlops.model_version v where v.model_id = new.model_id and v.version = new.version) then
		raise exception '"mask" in argument "capture" names what the model does not read: %', unknown
			using errcode = 'undefined_column',
				detail = format('It reads %s.', (select string_agg(quote_ident(s.name), ', ' order by s.position) from mlops.model_signature s
												   where s.model_id = new.model_id and s.version = new.version and s.position > 0));
	end if;
	return new;
end
$$;
comment on function mlops.deployment_captures() is 'Trigger: what a deployment captures is valid and complete; by default what the one before did';

create trigger deployment_captures before insert on mlops.deployment
	for each row execute function mlops.deployment_captures();

-- ---- Outcomes: who recorded them, and of which model ----

create function mlops.outcome_stamp() returns trigger
	language c as 'MODULE_PATHNAME', 'mlops_outcome_stamp';
comment on function mlops.outcome_stamp() is 'Trigger: who records an outcome, and when; the model of its prediction, where it is left out';

create trigger outcome_stamp before insert on mlops.outcome
	for each row execute function mlops.outcome_stamp();
create trigger outcome_immutable before update on mlops.outcome
	for each row execute function mlops.refuse_change();
create trigger outcome_keep before truncate on mlops.outcome
	for each statement execute function mlops.refuse_change();

create trigger retention_stamp before insert or update on mlops.retention
	for each row execute function mlops.setter_stamp();

-- ---- A model's captured predictions go with it ----

create function mlops.model_predictions_go() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
	delete from mlops.prediction_features f where f.model_id = old.id;
	delete from mlops.prediction p where p.model_id = old.id;
	return null;
end
$$;
comment on function mlops.model_predictions_go() is 'Trigger: the captured predictions of a dropped model are removed';

create trigger model_predictions_go after delete on mlops.model
	for each row execute function mlops.model_predictions_go();

revoke execute on function mlops.deployment_captures(), mlops.outcome_stamp(), mlops.model_predictions_go() from public;
