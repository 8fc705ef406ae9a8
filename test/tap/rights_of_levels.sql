-- What each level lets a role do with a model's answers and bytes.
\ir include/begin.sql
\ir include/versions.sql
select mlops.deploy('next', 1);
grant usage on schema public to public;
grant select on ask to public;
create function pg_temp.outcome(level text, statement text) returns text language plpgsql as $$
declare
	outcome text := 'yes';
begin
	execute format('create role %I', 'the_' || level);
	insert into mlops.project_member (project_id, member, access)
	select project_id, ('the_' || level)::regrole, level from mlops.model where name = 'next' and level <> 'stranger';
	execute format('set local role %I', 'the_' || level);
	begin
		execute statement;
	exception when others then
		outcome := sqlstate;
	end;
	reset role;
	delete from mlops.project_member where member = ('the_' || level)::regrole;
	execute format('drop role %I', 'the_' || level);
	return outcome;
end $$;
create temporary table expected (level text, predict text, export text, recipe text, import text, drop_it text);
insert into expected values
	('stranger', '42704', '42704', '42704', 'yes', '42704'), ('viewer', '42501', '42501', 'yes', '42501', '42501'),
	('predictor', 'yes', '42501', '42501', '42501', '42501'), ('scientist', 'yes', 'yes', 'yes', 'yes', '42501'),
	('reviewer', '42501', '42501', 'yes', '42501', '42501'), ('operator', 'yes', '42501', 'yes', '42501', '42501'),
	('owner', 'yes', 'yes', 'yes', 'yes', 'yes');
create table shelf as select mlops.export_model('next') as model;
grant select on shelf to public;
select plan(35);
select is(pg_temp.outcome(level, $$select mlops.predict('next', a) from ask a$$), predict, level || ': predict()') from expected;
select is(pg_temp.outcome(level, $$select mlops.export_model('next')$$), export, level || ': export_model()') from expected;
select is(pg_temp.outcome(level, $$select * from mlops.recipe('next')$$), recipe, level || ': recipe()') from expected;
-- a stranger makes a model of this name of their own, unseen
select is(pg_temp.outcome(level, $$select mlops.import_model('next', model) from shelf$$), import, level || ': import_model()') from expected where level <> 'stranger';
select is(pg_temp.outcome(level, $$select mlops.drop_model('next', 3)$$), drop_it, level || ': drop_model()') from expected;
create role free;
set local role free;
select is((select mlops.import_model('next', model) from shelf), 1, 'a stranger: a model of this name is another one');
reset role;
select * from finish();
rollback;
