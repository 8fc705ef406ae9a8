-- Lineage: what a training read, through views, subqueries and common table expressions, and what follows from it.
\ir include/begin.sql
\ir include/refusal.sql
create role liz;
create role sten;
create role dora;
create schema raw authorization dora;
set local role dora;
create table raw.house as
	select n as id, (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms, case n % 3 when 0 then 'north' when 1 then 'south' end as side,
		   (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 + n % 5 as price, date '2024-01-01' + n as sold, 1 as flag
	  from generate_series(1, 400) n;
create table raw."Town" (side text, people int, mayor text);
insert into raw."Town" values ('north', 1, 'a'), ('south', 2, 'b');
create view raw.homes as select h.id, h.area, h.rooms, t.people, h.price, h.sold from raw.house h join raw."Town" t using (side) where h.flag > 0;
create materialized view raw.sums as select side, sum(area) as area, max(price) as price from raw.house group by side;
grant usage on schema raw to liz;
grant select on all tables in schema raw to liz;
reset role;
set local role liz;
select mlops.create_project('lab') as lab \gset

-- the columns that the last run read: relation(columns)
create function pg_temp.read(source text, features text[] default null, split jsonb default '{}') returns text language plpgsql as $$
declare
	made bigint;
begin
	select t.run_id into made
	  from mlops.train('price', source, 'price', project => 'lab', algorithm => 'baseline', features => features, split => split,
					   exclude => case when source = 'raw.house' then '{id}'::text[] end) t;
	return (select string_agg(format('%s %s(%s)', s.kind, s.relation, array_to_string(s.columns, ',')), ' ' order by s.relation collate "C") from mlops.run_source s where s.run_id = made);
end
$$;
set client_min_messages = error;
select plan(29);

select is(pg_temp.read('raw.house'), 'table raw.house(area,rooms,side,price,sold,flag)', 'a table, without what was left out');
select is(pg_temp.read('raw.house', features => '{area}'), 'table raw.house(area,price)', 'or not asked for');
select is(pg_temp.read('raw.house', features => '{area}', split => '{"time": "sold"}'), 'table raw.house(area,price,sold)', 'what splits the rows is read');
select is(pg_temp.read('select area + rooms as x, price from raw.house where flag = 1 order by side limit 300'), 'table raw.house(area,rooms,side,price,flag)', 'expressions, conditions and orders');
select is(pg_temp.read('raw.homes', features => '{rooms}'), 'table raw."Town"(side) view raw.homes(rooms,price) table raw.house(rooms,side,price,flag)', 'a view, and what is behind it');
select is(pg_temp.read('select s.area, h.price from raw.sums s join raw.house h using (side)'),
	'table raw.house(area,side,price) materialized view raw.sums(side,area)', 'a materialized view');
select is(pg_temp.read('with x as (select area, mayor, price from raw.house join raw."Town" using (side)) select area, price from x'),
	'table raw."Town"(side) table raw.house(area,side,price)', 'of a common table expression what is used');
select is(pg_temp.read('select area, price from raw.house h where exists (select from raw."Town" t where t.people > h.rooms) or flag = 1'),
	'table raw."Town"(people) table raw.house(area,rooms,price,flag)', 'a condition with a query that refers to the one around it');
select is(pg_temp.read('select h.area, l.people, h.price from raw.house h cross join lateral (select t.people, t.mayor from raw."Town" t where t.side = h.side) l'),
	'table raw."Town"(side,people) table raw.house(area,side,price)', 'a lateral one');
select is(pg_temp.read('select area, price from raw.house union all select people, people from raw."Town"'), 'table raw."Town"(people) table raw.house(area,price)', 'branches that are appended');
select is(pg_temp.read('select price, area from (select area, price, sold from raw.house union select people, people, null from raw."Town") u'),
	'table raw."Town"(people) table raw.house(area,price,sold)', 'branches whose equal rows become one');
select is(pg_temp.read('select (h).area, (h).price from (select h from raw.house h) s'), 'table raw.house(id,area,rooms,side,price,sold,flag)', 'whole rows');
select is(pg_temp.read('with recursive r as (select id, area, price from raw.house where id < 5 union all select id + 100, area, price from r where id < 300) select area, price from r'),
	'table raw.house(id,area,price)', 'a recursive one');
select is(pg_temp.read('select distinct on (rooms) area, price from raw.house group by rooms, area, price having max(flag) > 0'),
	'table raw.house(area,rooms,price,flag)', 'groups and what is distinct');
create temporary table scratch as select area, price from raw.house;
select is(pg_temp.read('scratch') ~ '^temporary table pg_temp_\d+.scratch\(area,price\)$', true, 'a temporary table is called so');

-- ---- Up and down ----

select version as v from mlops.train('cost', 'raw.homes', 'price', project => 'lab', features => '{area,people}', params => '{"n_estimators": 3}') \gset
select version from mlops.train('cost', 'raw.homes', 'price', project => 'lab', features => '{area,people}', params => '{"n_estimators": 3, "init_model": "cost@1"}');
select mlops.deploy('cost', 1) as first, mlops.set_alias('cost', 'best', 2) \gset
select is((select string_agg(l.step || ' ' || l.kind || ' ' || regexp_replace(l.object_name, '\d+$', 'n'), ', ' order by l.step, l.kind, l.object_name collate "C")
			 from mlops.lineage('cost') l where l.direction = 'up'),
	'1 version cost@n, 1 version cost@n, 2 run run n, 2 run run n, 2 version cost@n, 3 snapshot snapshot n, 3 snapshot snapshot n, 4 table raw."Town", 4 table raw.house, 4 view raw.homes',
	'up: versions, what they went on from, runs, snapshots, relations');
select is((select detail -> 'columns' from mlops.lineage('lab/cost') where object_name = 'raw.house'),
	'{"area": "double precision", "flag": "integer", "side": "text", "price": "numeric"}'::jsonb, 'with columns and their types of then');
select is((select string_agg(l.kind || ' ' || regexp_replace(l.object_name, '\d+$', 'n'), ', ' order by l.step, l.kind, l.object_name collate "C") from mlops.lineage('cost') l where l.direction = 'down' and l.kind <> 'monitor'),
	'alias best, deployment deployment n, version cost@n', 'down: aliases, deployments, versions that went on from it');
set local search_path = raw, public, pg_temp;
select is((select string_agg(distinct l.object_name, ', ') from mlops.lineage('house') l where l.kind = 'version' and l.object_name like 'cost%'), 'cost@1, cost@2', 'of a table, found by the search_path');
set local search_path = public, pg_temp;
select is((select string_agg(l.detail ->> 'live', ', ') from mlops.lineage('raw.homes') l where l.kind = 'deployment'), 'true', 'of a view, with deployments');
select matches(pg_temp.refusal($$select * from mlops.lineage('nowhere')$$), '^42704 there is no model "nowhere"');
set local role sten;
select matches(pg_temp.refusal($$select * from mlops.lineage('cost')$$), '^42704');
select matches(pg_temp.refusal($$select * from mlops.lineage('raw.house')$$), '^42704');

-- ---- What live models read is watched over ----

set local role dora;
alter table raw.house drop column sold cascade;
drop materialized view raw.sums;
reset role;
select is((select string_agg(f.title, '; ') from mlops.finding f), 'model cost was trained on raw.homes: it is not there any more under this name', 'a view that went with a column that it had: one finding');
set local role dora;
alter table raw.house add column more int;
alter table raw.house alter column area type numeric;
alter table raw.house rename column side to part;
alter table raw.house rename to home;
reset role;
select is((select string_agg(f.title, '; ' order by f.id) from mlops.finding f where f.title not like '%raw.homes%'),
	'model cost was trained on raw.house: column area is of type numeric instead of double precision; '
	'model cost was trained on raw.house: column area is of type numeric instead of double precision, column side is not there any more; '
	'model cost was trained on raw.house: it is not there any more under this name', 'what is retyped, renamed or gone: each once');
set local role liz;
update mlops.project set guard_sources = 'refuse' where name = 'lab';
set local role dora;
select is(pg_temp.refusal('alter table raw."Town" drop column people'),
	'2BP01 a live model reads what this command takes away from raw."Town" | It is this: column people is not there any more. | '
	'Whoever owns the model''s project can end its deployment, or set guard_sources to ''warn'' in mlops.project.', 'refused where the project says so; a stranger is not told the model''s name');
select is(pg_temp.refusal('alter table raw."Town" drop column mayor; alter table raw.home add column again int'), 'accepted', 'what it does not read may go, and what was broken before is not to blame');
set local role liz;
select mlops.undeploy('cost');
set local role dora;
select is(pg_temp.refusal('drop table raw."Town"'), 'accepted', 'and all of it when the model is not live');
reset role;
select matches(pg_temp.refusal($$update mlops.run_source set relation = 'x'$$), '^55000');
select * from finish();
rollback;
