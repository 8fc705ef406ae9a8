-- Train: from a query to a version, and how good a version is.
-- All with the caller's rights, under the caller's search_path.

create function mlops.train(model text, source text, target text default null, algorithm text default 'gradient_boosting', params jsonb default '{}',
							task text default null, features text[] default null, exclude text[] default null, preprocess jsonb default '{}',
							split jsonb default '{}', weight text default null, seed bigint default 42, project text default null,
							experiment text default null, device text default null, background boolean default false,
							out run_id bigint, out model text, out version integer, out algorithm text, out task text, out metrics jsonb,
							out duration interval, out job_id bigint)
language c volatile parallel unsafe cost 1000000 as 'MODULE_PATHNAME', 'mlops_train';
comment on function mlops.train(text, text, text, text, jsonb, text, text[], text[], jsonb, jsonb, text, bigint, text, text, text, boolean) is
'Trains a new version of a model on a table, a view or one SELECT; its metrics are those on rows that training did not see';

create function mlops.evaluate(model text, source text default null) returns table (metric text, value double precision)
language c volatile parallel unsafe cost 1000 rows 20 as 'MODULE_PATHNAME', 'mlops_evaluate';
comment on function mlops.evaluate(text, text) is
'Metrics of a version: as measured when it was trained, or on the rows of a source, which must have its target';
