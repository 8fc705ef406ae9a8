-- When schedules are due: cron expressions and intervals, in time zones, over changes of clocks.
\ir include/begin.sql
\ir include/refusal.sql
set local timezone = 'UTC';
create function pg_temp.due(schedule text, after text, zone text default 'UTC') returns text language sql as
	$$ select to_char(mlops.next_run(schedule, after::timestamptz, zone), 'YYYY-MM-DD HH24:MI:SS') $$;

select plan(44);
select is(pg_temp.due('15 2 * * *', '2026-06-30 02:14:59+00'), '2026-06-30 02:15:00', 'today');
select is(pg_temp.due('15 2 * * *', '2026-06-30 02:15:00+00'), '2026-07-01 02:15:00', 'not twice');
select is(pg_temp.due('*/20 * * * *', '2026-06-30 23:45+00'), '2026-07-01 00:00:00', 'steps');
select is(pg_temp.due('0 9 * * mon-fri', '2026-07-03 10:00+00'), '2026-07-06 09:00:00', 'a weekend lies between');
select is(pg_temp.due('0 0 31 * *', '2026-04-01 00:00+00'), '2026-05-31 00:00:00', 'not every month has the day');
select is(pg_temp.due('0 0 29 feb *', '2097-01-01 00:00+00'), '2104-02-29 00:00:00', 'a leap day that is eight years away');
select is(pg_temp.due('0 0 13 * fri', '2026-07-01 00:00+00'), '2026-07-03 00:00:00', 'either day will do');
select is(pg_temp.due('@monthly', '2026-12-31 23:59+00'), '2027-01-01 00:00:00', 'a nickname');
select is(pg_temp.due('0 2 * * *', '2026-06-30 00:00+00', 'Asia/Kolkata'), '2026-06-30 20:30:00', 'in a zone');
select is(pg_temp.due('0 2 * * *', '2026-06-30 00:00+00', 'Etc/GMT+5'), '2026-06-30 07:00:00', 'behind Greenwich');

-- Berlin, 2026-03-29: 02:00 to 03:00 is skipped, at 01:00 UTC.
select is(pg_temp.due('30 2 * * *', '2026-03-28 12:00+00', 'Europe/Berlin'), '2026-03-29 01:00:00', 'a fixed time that is skipped comes when the hour is over');
select is(pg_temp.due('30 2 * * *', '2026-03-29 01:00+00', 'Europe/Berlin'), '2026-03-30 00:30:00', 'once');
select is(pg_temp.due('0,15,30 2 * * *', '2026-03-29 01:00+00', 'Europe/Berlin'), '2026-03-30 00:00:00', 'several of them, too');
select is(pg_temp.due('30 2,4 * * *', '2026-03-29 01:00+00', 'Europe/Berlin'), '2026-03-29 02:30:00', 'then the next');
select is(pg_temp.due('*/30 2 * * *', '2026-03-28 12:00+00', 'Europe/Berlin'), '2026-03-30 00:00:00', 'every half hour of the second hour is not made up for');
select is(pg_temp.due('0 * * * *', '2026-03-29 00:30+00', 'Europe/Berlin'), '2026-03-29 01:00:00', 'every hour is every hour');
select is(pg_temp.due('59 1 * * *', '2026-03-28 12:00+00', 'Europe/Berlin'), '2026-03-29 00:59:00', 'the minute before');
select is(pg_temp.due('0 3 * * *', '2026-03-28 12:00+00', 'Europe/Berlin'), '2026-03-29 01:00:00', 'the minute behind');

-- Berlin, 2026-10-25: 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.
select is(pg_temp.due('30 2 * * *', '2026-10-24 12:00+00', 'Europe/Berlin'), '2026-10-25 00:30:00', 'a fixed time that comes twice is due the first time');
select is(pg_temp.due('30 2 * * *', '2026-10-25 00:30+00', 'Europe/Berlin'), '2026-10-26 01:30:00', 'and not the second');
select is(pg_temp.due('*/30 2 * * *', '2026-10-25 00:30+00', 'Europe/Berlin'), '2026-10-25 01:00:00', 'every half hour is due in both');
select is(pg_temp.due('0 * * * *', '2026-10-25 00:30+00', 'Europe/Berlin'), '2026-10-25 01:00:00', 'so is every hour');
select is(pg_temp.due('0 3 * * *', '2026-10-24 12:00+00', 'Europe/Berlin'), '2026-10-25 02:00:00', 'the minute behind');

-- A zone of half an hour's change, one that skipped a day, and a change at midnight.
select is(pg_temp.due('15 2 * * *', '2026-10-03 12:00+00', 'Australia/Lord_Howe'), '2026-10-03 15:30:00', 'half an hour is skipped');
select is(pg_temp.due('15 2 * * *', '2026-10-03 15:30+00', 'Australia/Lord_Howe'), '2026-10-04 15:15:00', 'and made up for once');
select is(pg_temp.due('0 3 * * *', '2011-12-29 14:00+00', 'Pacific/Apia'), '2011-12-30 13:00:00', 'a day that is skipped is not made up for');
select is(pg_temp.due('0 0 * * *', '2017-10-14 12:00+00', 'America/Asuncion'), '2017-10-15 03:00:00', 'a midnight before a change');
select is(pg_temp.due('30 0 * * *', '2018-11-03 12:00+00', 'America/Sao_Paulo'), '2018-11-04 03:00:00', 'midnight itself is skipped');

-- Whatever is asked, a year of times is the same whether they are counted from one to the next or looked at minute by minute.
create function pg_temp.times(schedule text, zone text, since timestamptz, until timestamptz) returns timestamptz[] language plpgsql as $$
declare
	due timestamptz := mlops.next_run(schedule, since, zone);
	times timestamptz[] := '{}';
begin
	while due <= until loop
		times := times || due;
		due := mlops.next_run(schedule, due, zone);
	end loop;
	return times;
end
$$;
select is(pg_temp.times('*/30 1-3 * * *', 'Europe/Berlin', '2026-03-01', '2026-11-30'),
		  (select array_agg(t order by t) from generate_series('2026-03-01 00:01+00'::timestamptz, '2026-11-30', '1 minute') t,
				  lateral (select t at time zone 'Europe/Berlin' as l) w
			where extract(minute from l) in (0, 30) and extract(hour from l) between 1 and 3), 'by the clock on the wall');
select is(array_length(pg_temp.times('30 2 * * *', 'Europe/Berlin', '2026-01-01', '2026-12-31 23:59'), 1), 365, 'a fixed time comes once a day, whatever clocks do');
select is(array_length(pg_temp.times('30 2 * * *', 'America/New_York', '2026-01-01', '2026-12-31 23:59'), 1), 365, 'elsewhere, too');

-- Intervals.
select is(mlops.next_run('1 hour', '2026-01-01 00:30+00', 'UTC', '2026-01-01 00:00+00'), '2026-01-01 01:00+00', 'an interval');
select is(mlops.next_run('1 hour', '2026-01-01 01:00+00', 'UTC', '2026-01-01 00:00+00'), '2026-01-01 02:00+00', 'the next');
select is(mlops.next_run('1 second', '2026-03-01 00:30+00', 'UTC', '2000-01-31 00:00+00'), '2026-03-01 00:30:01+00', 'many of them were missed');
select is(mlops.next_run('1 month', '2026-03-01 00:30+00', 'UTC', '2020-01-31 00:00+00'), '2026-03-31 00:00+00', 'months keep their day');
select is(mlops.next_run('1 day', '2026-03-28 12:00+01', 'Europe/Berlin', '2026-03-28 12:00+01'), '2026-03-29 12:00+02', 'days are those of the zone');
select is(mlops.next_run('24 hours', '2026-03-28 12:00+01', 'Europe/Berlin', '2026-03-28 12:00+01'), '2026-03-29 13:00+02', 'hours are not');
select matches(pg_temp.refusal($$select mlops.next_run('0 seconds')$$), '^22023 .*"0 seconds".*second', 'none at all');
select matches(pg_temp.refusal($$select mlops.next_run('-1 hour')$$), '^22023 .*"-1 hour"', 'backwards');
select matches(pg_temp.refusal($$select mlops.next_run('often')$$), '^22007 .*"often".*cron expression', 'a word');
select matches(pg_temp.refusal($$select mlops.next_run('* * * *')$$), '^22023 .*5 fields, not 4', 'too few fields');
select matches(pg_temp.refusal($$select mlops.next_run('61 * * * *')$$), '^22023 .*minute.*"61".*0 to 59', 'a value out of range');
select matches(pg_temp.refusal($$select mlops.next_run('0 0 30 2 *')$$), '^22023 .*never due', 'a day that never comes');
select matches(pg_temp.refusal($$select mlops.next_run('0 0 * * *', now(), 'Mars/Olympus')$$), '^22023 .*Mars/Olympus', 'no such zone');
select * from finish();
rollback;
