-- Rows are read as they lie in their table where that is possible: the model and the snapshot are those of the same rows computed.
\ir include/begin.sql
create table numbers as
	select n::int2 as i2, (n * 3)::int4 as i4, n % 2 = 0 as yes, 9007199254740993 + n::int8 as i8, sin(n)::float4 as f4, cos(n) as f8, n % 7 + sin(n) as y
	  from generate_series(1, 9000) n;
create function pg_temp.same(source text, comment text) returns setof text language plpgsql as $$
declare
	kept text[];
begin
	set local client_min_messages = error;
	for i in 1 .. 2 loop
		perform mlops.train('m' || i, case i when 1 then source else 'select t.* from ' || source || ' t, generate_series(1, 1)' end, 'y', algorithm => 'gradient_boosting',
							params => '{"n_estimators": 3}');
		kept := kept || (select encode(v.sha256, 'hex') || s.fingerprint || s.columns
						   from mlops.model_version v join mlops.model m on m.id = v.model_id join mlops.run r on r.id = v.run_id join mlops.snapshot s on s.id = r.snapshot_id
						  where m.name = 'm' || i order by v.version desc limit 1);
	end loop;
	return next is(kept[1], kept[2], comment);
end $$;

select plan(9);
select pg_temp.same('numbers', 'numbers of every type');
create view halves as select * from numbers where i4 > 9000;
select pg_temp.same('halves', 'through a view, with a condition');
insert into numbers select null, 1, null, null, null, null, 1 from generate_series(1, 50);
select pg_temp.same('numbers', 'rows with NULLs among them');
insert into numbers values (1, 1, true, 1, 'NaN', 'Infinity', 2), (1, 1, true, 1, '-Infinity', 'NaN', 3);
select pg_temp.same('numbers', 'NaN and infinities are counted');
alter table numbers add column late float8 default 2.5;
select pg_temp.same('numbers', 'a column that older rows do not store');
update numbers set late = i4 where i4 % 2 = 0;
select pg_temp.same('numbers', 'and that some do');
alter table numbers drop column i4 cascade;
select pg_temp.same('numbers', 'a column that was dropped');
create table parts (f4 float4, y float8, i2 int2) partition by range (i2);
create table parts_1 (y float8, i2 int2, f4 float4);
alter table parts attach partition parts_1 for values from (0) to (100);
create table parts_2 partition of parts for values from (100) to (32767);
insert into parts select f4, y, i2 from numbers where i2 is not null;
select pg_temp.same('parts', 'partitions that order their columns otherwise');
alter table numbers add column word text default 'w';
select pg_temp.same('numbers', 'a text behind the numbers');
select * from finish();
rollback;
