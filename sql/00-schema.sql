-- Schema: everything of the extension lives in mlops; what a role sees there is decided by row-level security.

\echo Use "create extension mlops" to load this file. \quit

-- Whoever owns a schema can drop what is in it, so the schema must not have been there as somebody's own.
do $$
begin
	if not exists (select from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) n.nspowner
					where n.nspname operator(pg_catalog.=) 'mlops' and r.rolsuper) then
		raise exception 'schema "mlops" exists and belongs to a role that is not a superuser'
			using errcode = 'duplicate_schema', hint = 'Rename or drop that schema, then create the extension again.';
	end if;
end
$$;

comment on schema mlops is 'The life of machine-learning models: train, version, deploy, predict';
grant usage on schema mlops to public;
