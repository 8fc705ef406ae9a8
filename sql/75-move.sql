-- Move: models out of the registry, into it, and to their end.

create function mlops.export_model(model text) returns mlops.artifact
language c stable strict parallel safe cost 10000 as 'MODULE_PATHNAME', 'mlops_export_model';
comment on function mlops.export_model(text) is
'A version as a value, for another table, server or file; a name without @ means the live deployment.  It takes access as scientist';

create function mlops.import_model(name text, artifact mlops.artifact, project text default null) returns integer
language c volatile parallel unsafe cost 100000 as 'MODULE_PATHNAME', 'mlops_import_model';
comment on function mlops.import_model(text, mlops.artifact, text) is
'Registers an artifact as a new version of a model, which is made where there is none; the version.  Its origin is "reported": its metrics are the importer''s claim';

create function mlops.drop_model(model text, version integer default null) returns void
language c volatile parallel unsafe cost 100000 as 'MODULE_PATHNAME', 'mlops_drop_model';
comment on function mlops.drop_model(text, integer) is
'Removes a version, or where version is NULL the model with all versions, aliases'' history and deployments; refuses what is deployed or has an alias.  Numbers of versions never come back.  It takes access as owner';

create function mlops.recipe(model text,
	out "position" integer, out "column" text, out type text, out kind text, out missing text, out encoding text, out scaling text,
	out unseen text, out indicator boolean, out categories text[], out fill text, out center double precision, out scale double precision,
	out lowest double precision, out highest double precision, out mean double precision, out n_missing bigint, out features integer)
returns setof record
language c stable strict parallel safe cost 10000 rows 20 as 'MODULE_PATHNAME', 'mlops_recipe';
comment on function mlops.recipe(text) is
'How a version turns each raw column into features: type, policies, categories, what a missing value becomes, scaling ((x - center) / scale), and what training saw';
