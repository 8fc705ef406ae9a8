-- What a source's functions set ends with the source: neither the session nor what the run records is changed by it.
\ir include/begin.sql
create table house as select n as area, n * 2.5::float8 as price from generate_series(1, 40) n;
create role tina_trainer;
create role head_office;
grant head_office to tina_trainer;
grant create, usage on schema public to tina_trainer;
grant select on house to tina_trainer, head_office;
create function set_everything(n int) returns int language plpgsql as $$
begin
	perform set_config('mlops.project', 'elsewhere', false), set_config('search_path', 'elsewhere', true), set_config('TimeZone', 'Asia/Tokyo', false),
			set_config('role', 'head_office', false);
	return n;
end $$;
set local timezone = 'UTC';

select plan(8);
set local role tina_trainer;
select lives_ok($$select mlops.train('m', 'select set_everything(area) as area, price from house', 'price', 'baseline')$$, 'such a source can be read');
select is(current_user, 'tina_trainer', 'the role is as before');
select is(current_setting('mlops.project'), '', 'the project, too');
select is(current_setting('search_path'), 'public, pg_temp', 'the search_path');
select is(current_setting('TimeZone'), 'UTC', 'the time zone');
select is((select current_user_name from mlops.run), 'tina_trainer', 'the run was the caller''s');
select results_eq($$select settings ->> 'search_path', settings ->> 'TimeZone', role_name from mlops.snapshot$$,
				  $$values ('public, pg_temp', 'UTC', 'tina_trainer')$$, 'the snapshot holds what the query began with');
select mlops.deploy('m');
select mlops.evaluate('m', 'select set_everything(area) as area, price from house');
select is(current_user, 'tina_trainer', 'evaluate() keeps it so, too');
select * from finish();
rollback;
