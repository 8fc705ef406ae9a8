-- What one training leaves: in which project and experiment, and nothing where it fails.
\ir include/begin.sql
\ir include/refusal.sql
create role ann;
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 60) n;
grant usage on schema public to ann;
grant select on house to ann;

select plan(14);
set local role ann;
select mlops.create_project('homes');
select is((select version from mlops.train('price', 'house', 'price', project => 'homes')), 1, 'in a project that is named');
select is((select version from mlops.train('price', 'house', 'price')), 2, 'then in the model''s');
select is((select version from mlops.train('homes/price', 'house', 'price')), 3, 'or with the project before the name');
select is((select version from mlops.train('homes/rent', 'house', 'price')), 1, 'a new model, too');
select is((select version from mlops.train('own', 'house', 'price')), 1, 'else in one''s own project');
select is((select p.is_personal from mlops.model m join mlops.project p on p.id = m.project_id where m.name = 'own'), true, 'which is made');
set local mlops.project = 'homes';
select is((select version from mlops.train('set', 'house', 'price')), 1, 'or that of the setting');
select is((select p.name from mlops.model m join mlops.project p on p.id = m.project_id where m.name = 'set'), 'homes', 'which is used');
select lives_ok($$select mlops.train('price', 'house', 'price', experiment => 'first try')$$, 'an experiment');
select lives_ok($$select mlops.train('price', 'house', 'price', experiment => 'first try')$$, 'again');
select is((select count(*) from mlops.experiment e join mlops.run r on r.experiment_id = e.id where e.name = 'first try'), 2::bigint, 'holds both runs');
select is((select created_by from mlops.experiment), 'ann', 'and is the caller''s');
create temporary table before as select (select count(*) from mlops.run) as runs, (select count(*) from mlops.snapshot) as snapshots,
	(select sum(last_version) from mlops.model) as versions, (select count(*) from mlops.experiment) as experiments;
select matches(pg_temp.refusal($$select mlops.train('price', 'select *, 1 / (area - 37) from house', 'price', experiment => 'second try')$$), '^22012', 'a failure');
select is((select count(*) from before where (runs, snapshots, versions, experiments) = ((select count(*) from mlops.run), (select count(*) from mlops.snapshot),
	(select sum(last_version) from mlops.model), (select count(*) from mlops.experiment))), 1::bigint, 'leaves nothing');
reset role;
select * from finish();
rollback;
