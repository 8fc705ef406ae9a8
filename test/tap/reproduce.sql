-- A training can be repeated from its record: the same rows, the same bytes; and what differs is said.
\ir include/begin.sql
\ir include/refusal.sql
create role liz;
create role sam;
create role vera;
create role sten;
create table house as
	select n as id, (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms, case n % 3 when 0 then 'north' when 1 then 'south' end as side,
		   (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 + n % 5 as price, timestamptz '2024-01-01 00:00+00' + n * interval '7 hours' as sold
	  from generate_series(1, 400) n;
grant select on house to liz, sam;
set local role liz;
select mlops.create_project('lab');
select mlops.grant_access('lab', 'sam', 'scientist'), mlops.grant_access('lab', 'vera', 'viewer');
set client_min_messages = error;
set local timezone = 'Asia/Tokyo';
set local datestyle = 'German';
select run_id as boosted from mlops.train('price', $$select area, rooms, side, price from house where sold > '04.01.2024'$$, 'price', project => 'lab', params => '{"n_estimators": 8}', seed => 7,
										  preprocess => '{"area": {"missing": "median"}}', experiment => 'first') \gset
reset timezone;
reset datestyle;
select run_id as later from mlops.train('price', 'house', 'price', exclude => '{id,sold}', params => '{"init_model": "price@1", "n_estimators": 3}', split => '{"test": 0.3}') \gset
select run_id as logistic from mlops.train('dear', 'select area, rooms, side, price > 150 as dear, sold, rooms + 1 as w from house', 'dear', project => 'lab', algorithm => 'logistic_regression',
										   split => '{"time": "sold", "test": 0.25}', weight => 'w') \gset
select run_id as forest from mlops.train('part', 'house', 'side', project => 'lab', algorithm => 'random_forest', params => '{"n_estimators": 5}', features => '{area,price}') \gset
select plan(27);

select results_eq(format('select same_rows, same_artifact, same_metrics from mlops.reproduce(%s)', run), 'values (true, true, true)', what)
  from (values (:boosted, 'a query whose meaning depends on settings, with a seed'), (:later, 'a training that went on from a version'),
			   (:logistic, 'rows split by time, with weights'), (:forest, 'some features of a table')) t (run, what);
select is((select string_agg(format('%s %s %s', r.kind, r.reproduces - :boosted, r.current_user_name), ', ' order by r.id) from mlops.run r where r.reproduces is not null),
		  'reproduce 0 liz, reproduce 1 liz, reproduce 2 liz, reproduce 3 liz', 'each repetition is a run');
select is((select count(*) from mlops.model_version), 4::bigint, 'of which no version came');
select is((select detail -> 'differences' from mlops.reproduce(:forest)), '{}', 'nothing differs');
select is((select count(*) from mlops.run_source s join mlops.run r on r.id = s.run_id where r.reproduces = :boosted), 1::bigint, 'what it read is known');

-- by another role, with another name
update mlops.model set description = 'renamed below' where name = 'price';
set local role sam;
select results_eq(format('select same_rows, same_artifact, same_metrics from mlops.reproduce(%s)', :boosted), 'values (true, true, true)', 'another may repeat it');
select is((select detail -> 'differences' -> 'role' from mlops.reproduce(:boosted)), '{"now": "sam", "then": "liz"}', 'and who it was is said');

-- rows that changed, without and with consequences for the model
reset role;
update house set area = area where id < 100;
set local role liz;
select results_eq(format('select same_rows, same_artifact from mlops.reproduce(%s)', :forest), 'values (true, true)', 'rows in another order are the same rows');
reset role;
update house set area = area + 5000 where id % 3 = 1 and id < 200;
set local role liz;
select results_eq(format('select same_rows, same_artifact, same_metrics from mlops.reproduce(%s)', :forest), 'values (false, false, false)', 'rows that changed');
select ok((select (detail -> 'columns' -> 'area' -> 'now' ->> 'max')::float8 > 5000 from mlops.reproduce(:forest)), 'show in their column');
select is((select array(select jsonb_object_keys(detail -> 'columns')) from mlops.reproduce(:forest)), '{area}', 'and in no other');
select ok((select detail -> 'metrics' <> '{}' and detail -> 'differences' ? 'fingerprint' and not detail -> 'differences' ? 'rows' from mlops.reproduce(:forest)), 'in the metrics and the fingerprint, not in the number of rows');
reset role;
update house set area = id * 37 % 101;
alter table house enable row level security;
create policy mine on house for select using (current_user = 'liz' or id % 2 = 0);
set local role liz;
select results_eq(format($$select same_rows, same_artifact, detail -> 'differences' -> 'row_security' ->> 'now' from mlops.reproduce(%s)$$, :forest), $$values (true, true, 'true')$$, 'row security that hides nothing is a detail');
set local role sam;
select results_eq(format('select same_rows, same_artifact, same_metrics from mlops.reproduce(%s)', :forest), 'values (false, false, false)', 'who sees other rows gets another model');
reset role;
alter table house disable row level security;

-- what cannot be repeated
select mlops.drop_model('dear', 1);
set local role liz;
select results_eq(format($$select same_rows, same_artifact, same_metrics, detail ? 'version' from mlops.reproduce(%s)$$, :logistic), 'values (true, null::boolean, true, true)', 'a version that was dropped');
reset role;
select mlops.drop_model('price', 1);
set local role liz;
select is((select detail ->> 'why_not' from mlops.reproduce(:later)), 'version 1, which the training went on from, is not there any more', 'nothing to go on from');
select is((select detail ->> 'why_not' from mlops.reproduce((select max(id) from mlops.run where kind = 'reproduce'))) ~ '^run \d+ is of kind reproduce; trainings can be repeated$', true, 'a repetition');
reset role;
alter table house rename column side to part;
set local role liz;
select results_eq(format($$select same_rows, detail ->> 'why_not' from mlops.reproduce(%s)$$, :forest), $$values (null::boolean, 'column "side" does not exist (42703)')$$, 'a column that is gone');
reset role;
alter table house rename column part to side;
revoke select on house from sam;
set local role sam;
select is((select detail ->> 'why_not' from mlops.reproduce(:forest)), 'permission denied for table house (42501)', 'a table that may not be read') ;
reset role;
select is((select count(*) from mlops.run r where r.finished_at is null), 0::bigint, 'what failed left nothing behind');

-- who may
set local role vera;
select matches(pg_temp.refusal(format('select mlops.reproduce(%s)', :boosted)), '^42501');
set local role sten;
select is(pg_temp.refusal(format('select mlops.reproduce(%s)', :boosted)), format('42704 run %s does not exist |  | Runs that you may see are in mlops.run.', :boosted), 'a stranger is not told');
select is(pg_temp.refusal('select mlops.reproduce(1000000)'), '42704 run 1000000 does not exist |  | Runs that you may see are in mlops.run.', 'there is no such run');
set local transaction_read_only = on;
select matches(pg_temp.refusal(format('select mlops.reproduce(%s)', :boosted)), '^25006');
select * from finish();
rollback;
