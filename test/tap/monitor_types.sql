-- Types of signatures come from users' tables and from imported models; queries of monitors name only PostgreSQL's own.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
insert into mlops.model_signature (model_id, version, position, name, type, role, categories)
values (:diagnosis, 1, 1, 'radius', 'evil.number', 'feature', null), (:diagnosis, 1, 2, 'side', 'text || evil.f()', 'feature', 2),
	   (:diagnosis, 1, 3, 'at', 'timestamp with time zone', 'feature', null), (:diagnosis, 1, 4, 'age', 'integer', 'feature', null);
insert into mlops.capture_layout (model_id, version, deployment_id, names) values (:diagnosis, 1, 1, '{radius,side,at,age}');
select plan(5);
select results_eq(format('select name, type from mlops.window_columns(%s, 1)', :monitor),
	$$values ('radius', 'double precision'), ('side', 'text'), ('at', 'timestamp with time zone'), ('age', 'integer')$$, 'a number, a text, and types of PostgreSQL''s own');
select is((select count(*) from mlops.window_columns(:monitor, 1) c where c.expression ~ 'evil'), 0::bigint, 'captured values are cast to nothing else');
select is((select count(*) from mlops.window_columns(:monitor, 1, 'select 1 as radius, ''x'' as side, now() as at') c where c.expression ~ 'evil'), 0::bigint, 'nor are those of a source');
select ok(mlops.window_query(:monitor, '[2026-01-01, 2026-01-02)') !~ 'evil', 'and a window''s query does not name them');
select ok(mlops.reference_source(:diagnosis, 1) !~ 'evil', 'nor does that of the reference''s rows');
select * from finish();
rollback;
