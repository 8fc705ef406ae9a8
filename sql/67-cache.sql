-- Cache: which models are in memory, in that of the server and in this connection's own.

create function mlops.list_cached_models() returns table (
	database name, project text, model text, version integer, location text, bytes bigint, loads bigint, hits bigint, pins integer, last_use timestamptz)
language c volatile strict parallel restricted rows 100 as 'MODULE_PATHNAME', 'mlops_list_cached_models';
comment on function mlops.list_cached_models() is 'The rows of view mlops.model_cache';

create view mlops.model_cache with (security_invoker) as
	select c.database, c.project, c.model, c.version, c.location, c.bytes, c.loads, c.hits, c.pins, c.last_use from mlops.list_cached_models() as c;
comment on view mlops.model_cache is
	'Models in memory, of those that the caller may see; superusers and members of pg_monitor see all, without the names of others';
comment on column mlops.model_cache.version is 'Versions with the same bytes are one in memory, and each is a row here';
comment on column mlops.model_cache.location is 'shared: once for all connections (mlops.shared_cache_size); loading: being read into there; local: a copy of this connection, explain: what it made ready to explain one class of it (mlops.local_cache_size)';
comment on column mlops.model_cache.bytes is 'Memory that it takes';
comment on column mlops.model_cache.loads is 'How often it was read from its tables: more than once, where it was evicted in between';
comment on column mlops.model_cache.hits is 'How often a statement found it in memory';
comment on column mlops.model_cache.pins is 'Shared: connections that use it now; else its uses in running statements. What is pinned is not evicted';
comment on column mlops.model_cache.last_use is 'Begin of the statement that used it last';
grant select on mlops.model_cache to public;
