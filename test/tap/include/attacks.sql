-- The runner of attacks.  Each is a statement by a role, and what it must come to: a SQLSTATE, or nothing: no rows, none changed, only NULLs.
-- Every one is undone.  What tells of it whatever it comes to: sequence leaked, where one of the attacker's functions was called with a row
-- that is not theirs; sequence lent, where one ran with a superuser's rights; and errors that name what the attacker cannot know.
-- $model, $project ... in a statement are the numbers of what include/registry.sql made.
-- temporary ones count where a transaction only reads, and keep what they counted where it is undone
create temporary sequence leaked;
create temporary sequence lent;
grant usage on sequence leaked, lent to public;
grant create on schema public to public;

-- called with what is not theirs, it tells
create function public.leak(anyelement) returns boolean language plpgsql cost 1e-10 as
	$$ begin if $1 is not null then perform nextval('pg_temp.leaked'); end if; return true; end $$;
create function public.leaks(text, text) returns boolean language plpgsql cost 1e-10 as $$ begin perform nextval('pg_temp.leaked'); return true; end $$;
create operator public.### (function = public.leaks, leftarg = text, rightarg = text);
-- called with a superuser's rights, it tells
create function public.trap() returns void language plpgsql cost 1e-10 as $$
begin
	if (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user) then
		perform pg_catalog.nextval('pg_temp.lent');
	end if;
end
$$;

create temporary table attack
(
	number		integer generated always as identity,
	name		text,
	role		text,
	statement	text,
	expected	text
);
create temporary table known (mark text, number text);
create temporary table secret (word text);
insert into secret values ('clinic'), ('diagnosis'), ('tumour'), ('malignant'), ('radius'), ('first steps'), ('patient 1'), ('anna_owner'), ('sam_scientist');

create function pg_temp.filled(statement text) returns text language plpgsql as $$
declare
	k record;
begin
	for k in select * from known order by length(mark) desc loop
		statement := replace(statement, '$' || k.mark, k.number);
	end loop;
	return statement;
end
$$;

-- What a statement comes to.
create function pg_temp.attack(who text, given text) returns text language plpgsql as $$
declare
	statement constant text := pg_temp.filled(given);
	outcome text;
	answer record;
	n bigint;
	told text[];
	message text;
	detail text;
	hint text;
begin
	perform setval('pg_temp.leaked', 1, false), setval('pg_temp.lent', 1, false);
	begin
		if who <> 'superuser' then
			perform set_config('role', who, true);
		end if;
		if statement ~* '^(select|with|explain|table|values)\M' then
			execute statement into answer;
			get diagnostics n = row_count;
			outcome := case when n = 0 or (select bool_and(f.value in ('null', '""', '{}', '[]')) from jsonb_each(to_jsonb(answer)) f) then 'nothing'
							else 'told: ' || left(answer::text, 200) end;
		else
			execute statement;
			get diagnostics n = row_count;
			outcome := case when n = 0 then 'nothing' else format('changed %s', n) end;
		end if;
		raise exception using errcode = 'P0042';
	exception when sqlstate 'P0042' then
		null;
	when others then
		get stacked diagnostics outcome = returned_sqlstate, message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
		told := array(select s.word from pg_temp.secret s where concat(message, detail, hint) ~ s.word and statement !~ s.word and who = 'sten_stranger');
	end;
	return concat_ws('; ', outcome, case when told <> '{}' then format('told of %s: %s %s', told, message, detail) end,
					 case when (select l.is_called from pg_temp.leaked l) then 'leaked' end, case when (select l.is_called from pg_temp.lent l) then 'with a superuser''s rights' end);
end
$$;

-- The attacks, one test each.
create function pg_temp.attack_all() returns setof text language plpgsql as $$
declare
	a record;
	outcome text;
begin
	for a in select * from attack order by number loop
		outcome := pg_temp.attack(a.role, a.statement);
		return next is(case when a.expected = 'own rights' and outcome !~ '(leaked|rights)$' then a.expected else outcome end, a.expected, format('%s, by %s', a.name, a.role));
	end loop;
end
$$;
