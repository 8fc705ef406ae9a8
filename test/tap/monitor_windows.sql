-- Windows: by the calendar of a time zone, by the clock; which ones a run computes.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/registry.sql
select plan(19);
set local timezone = 'Europe/Berlin';
select is(mlops.window_start('2024-03-31 13:00', '1 day'), '2024-03-31 00:00'::timestamptz, 'a day');
select is(mlops.window_end('2024-03-31 00:00', '1 day'), '2024-04-01 00:00'::timestamptz, 'of 23 hours');
select is(mlops.window_start('2024-10-27 13:00', '1 day'), '2024-10-27 00:00'::timestamptz, 'a day');
select is(mlops.window_end('2024-10-27 00:00', '1 day') - timestamptz '2024-10-27 00:00', interval '25 hours', 'of 25 hours');
select is(mlops.window_start('2024-02-29 13:00', '7 days'), '2024-02-26 00:00'::timestamptz, 'a week begins on Monday');
select is(mlops.window_start('1997-05-07 13:00', '7 days'), '1997-05-05 00:00'::timestamptz, 'before the origin, too');
select is(mlops.window_start('2024-02-29 13:00', '1 month'), '2024-02-01 00:00'::timestamptz, 'a month');
select is(mlops.window_end('2024-02-01 00:00', '1 month'), '2024-03-01 00:00'::timestamptz, 'ends with it');
select is(mlops.window_start('1997-05-07 13:00', '3 months'), '1997-04-01 00:00'::timestamptz, 'a quarter');
select is(mlops.window_start('2024-02-29 13:50', '15 minutes'), '2024-02-29 13:45'::timestamptz, 'a quarter of an hour');
select is(mlops.window_start('2024-10-27 00:30+00', '1 hour'), '2024-10-27 00:00+00'::timestamptz, 'the first of two hours that the clock calls two');
select is(mlops.window_start('2024-10-27 01:30+00', '1 hour'), '2024-10-27 01:00+00'::timestamptz, 'and the second');
select matches(pg_temp.refusal($$select mlops.window_start(now(), '0')$$), '^22023 ', 'no size');
set local mlops.now = '2024-03-05 10:30';
update mlops.monitor set delay = '12 hours';
delete from mlops.monitor_result;
select is(mlops.monitor_windows(:monitor, null, null), array[tstzrange('2024-03-03', '2024-03-04')], 'at first the last one that is over, with its delay');
select is(mlops.monitor_windows(:monitor, '2024-03-01 12:00', null), array[tstzrange('2024-03-01', '2024-03-02'), tstzrange('2024-03-02', '2024-03-03'), tstzrange('2024-03-03', '2024-03-04')],
		  'all that are over');
select is(mlops.monitor_windows(:monitor, '2024-03-05', '2024-03-06'), array[tstzrange('2024-03-05', '2024-03-06')], 'one that is not, where it is asked for');
select matches(pg_temp.refusal(format($$select mlops.monitor_windows(%s, '1900-01-01', '2024-01-01')$$, :monitor)), '^54000 .*10000 windows', 'too many');
select matches(pg_temp.refusal(format($$select mlops.run_monitor(%s, 'infinity')$$, :monitor)), '^22008 a monitor runs over a finite time', 'no end');
select matches(pg_temp.refusal(format($$select mlops.run_monitor(%s, '2024-01-02', '2024-01-01')$$, :monitor)), '^22023 a monitor cannot run from 2024-01-02', 'backwards');
select * from finish();
rollback;
