-- What a statement is refused with: "SQLSTATE message | detail | hint"; "accepted" where it is not.
create function pg_temp.refusal(statement text) returns text language plpgsql as $$
declare
	state text;
	message text;
	detail text;
	hint text;
begin
	execute statement;
	return 'accepted';
exception when others then
	get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
	return format('%s %s | %s | %s', state, message, detail, hint);
end
$$;
