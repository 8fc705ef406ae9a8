-- What was recorded stays, even for a superuser.
\ir include/begin.sql
\ir include/registry.sql
select mlops.set_alias('diagnosis', 'champion', 1);
create temporary table evidence (name text, place integer generated always as identity);
insert into evidence (name) values ('snapshot'), ('run'), ('metric'), ('model_version'), ('model_signature'), ('model_chunk'), ('alias_history'),
	('reference_profile'), ('reference_slice'), ('reference_model'), ('reference_sample'),
	('policy'), ('review'), ('evidence'), ('approval'), ('revocation');
create function pg_temp.first_column(name text) returns text language sql as
	$$ select attname from pg_attribute where attrelid = ('mlops.' || name)::regclass and attnum > 0 and attidentity = '' order by attnum limit 1 $$;
select plan(48);
select throws_ok(format('update mlops.%s set %I = %2$I', name, pg_temp.first_column(name)), '55000', null, format('update %s', name)) from evidence order by place;
select throws_ok(format('delete from mlops.%s', name), '55000', null, format('delete from %s', name)) from evidence order by place;
select throws_ok(format('truncate mlops.%s cascade', name), '55000', null, format('truncate %s', name)) from evidence order by place;
select * from finish();
rollback;
