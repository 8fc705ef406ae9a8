-- The project of train(): the model's, else the argument, else the setting mlops.project, else the caller's own.
\ir include/begin.sql
\ir include/registry.sql
create table house as select n * 37 % 101 as area, (n * 37 % 101) * 2.5 as price from generate_series(1, 60) n;
grant select on house to public;
grant usage on schema public to public;
create function pg_temp.project_of(name text) returns text language sql as
	$$ select string_agg(p.name, ', ' order by p.name) from mlops.model m join mlops.project p on p.id = m.project_id where m.name = project_of.name $$;
select plan(9);
set local role sam_scientist;
select mlops.create_project('lab');
select mlops.train('price', 'house', 'price', algorithm => 'baseline', project => 'lab');
select is(pg_temp.project_of('price'), 'lab', 'the argument');
select mlops.train('price', 'house', 'price', algorithm => 'baseline');
select is(pg_temp.project_of('price'), 'lab', 'the project that has the model');
set local mlops.project = 'clinic';
select mlops.train('rent', 'house', 'price', algorithm => 'baseline');
select is(pg_temp.project_of('rent'), 'clinic', 'the setting');
select mlops.train('price', 'house', 'price', algorithm => 'baseline');
select is(pg_temp.project_of('price'), 'lab', 'which moves no model');
select mlops.train('lab/rent', 'house', 'price', algorithm => 'baseline');
select is(pg_temp.project_of('rent'), 'clinic, lab', 'a project in the name');
select throws_ok($$select mlops.train('rent', 'house', 'price', algorithm => 'baseline')$$, '42P09', null, 'a name that two projects have');
select throws_ok($$select mlops.train('x', 'house', 'price', algorithm => 'baseline', project => 'nowhere')$$, '42704', null, 'a project that is none');
set local role vera_viewer;
select throws_ok($$select mlops.train('x', 'house', 'price', algorithm => 'baseline', project => 'clinic')$$, '42501',
				 'permission denied to train or export models of project "clinic"', 'training takes a scientist');
set local mlops.project = 'clinic';
select throws_ok($$select mlops.train('diagnosis', 'house', 'price', algorithm => 'baseline')$$, '42501', null, 'also a new version');
reset role;
select * from finish();
rollback;
