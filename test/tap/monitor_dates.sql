-- A source whose time is a date: windows of days hold its days, in any zone, and shorter ones are refused.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/watched.sql
create table daily as select t.*, (t.at at time zone 'UTC')::date as day from trade t;
select plan(7);
select is(pg_temp.refusal($$select mlops.create_monitor('risk', 'hours', source => 'daily', at => 'day', window_size => '6 hours', schedule => null)$$),
	'42804 column "day" of the source is of type date, and windows of 06:00:00 are not of whole days |  | Give window_size in days or months, such as ''1 day'', or a column that has a time of day.',
	'all rows of a day would lie in the first of its windows');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'hours', source => 'daily', at => 'day', window_size => '24 hours', schedule => null)$$), '^42804 ', 'windows of 24 hours begin where the clock says, not where days do');
select is(pg_temp.refusal($$select mlops.create_monitor('risk', 'hours', source => 'daily', at => 'at', window_size => '6 hours', schedule => null)$$), 'accepted', 'a column that has a time may be looked at by hours');
set local timezone = 'Pacific/Auckland';
select mlops.create_monitor('risk', 'days', source => 'daily', at => 'day', schedule => null) as days \gset
set local timezone = 'America/Lima';
create temporary table found as select * from mlops.run_monitor(:days, '2024-02-05 00:00+13', '2024-02-06 00:00+13');
select is((select min(lower(period)) from found), '2024-02-05 00:00+13', 'a day begins where it does in the monitor''s zone');
select is((select max(rows) from mlops.monitor_result where monitor_id = :days), (select count(*) from daily where day = '2024-02-05'), 'and holds the rows of its date');
select is(pg_temp.refusal($$select mlops.create_monitor('risk', 'twice', segments => '{region,kind,region}', schedule => null)$$), '42701 "segments" names column "region" twice |  | ', 'a segment that is named twice');
select is(pg_temp.refusal($$select mlops.create_monitor('risk', 'twice', features => '{amount,amount}', schedule => null)$$), '42701 "features" names column "amount" twice |  | ', 'a feature that is named twice');
select * from finish();
rollback;
