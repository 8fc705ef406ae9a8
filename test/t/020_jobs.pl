# Jobs run behind their transaction, as who made them, and how they end is on record; schedules go by mlops.now.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('jobs');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.max_jobs = 3
	mlops.job_history = '3650d'
	timezone = 'UTC'
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role jane login;
	create role crew;
	grant crew to jane;
	create role norma login;
	create schema lab authorization jane;
	grant create, usage on schema public to jane, norma;
	create table done (what text, at timestamptz default clock_timestamp());
	grant insert, select on done to public;
	create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 500) n;
	grant select on house to public;
});

# Waits until a query's answer is something.
sub wait_until
{
	my ($query, $what) = @_;
	return ok($node->poll_query_until('postgres', $query), $what);
}

# Submits a statement as a job; its id.
sub submit
{
	my ($connection, $statement, $options) = @_;
	$statement =~ s/(["\\])/\\$1/g;
	$options = defined $options ? ", $options" : '';
	return $connection->query(qq{select mlops.submit('sql', \$json\${"statement": "$statement"}\$json\$$options)});
}

# How a job ended: state, attempts, message.
sub outcome
{
	my ($connection, $job) = @_;
	$connection->query("select mlops.wait_for($job, '60 s')");
	return $node->safe_psql('postgres', "select state, attempts, message from mlops.job_run where job_id = $job order by id desc limit 1");
}

my $me = Connection->new($node);
my $other = Connection->new($node);

# ---- Commit and rollback ----

$me->query('begin');
my $job = submit($me, q{insert into done values ('first')});
$me->send("select mlops.wait_for($job)");
like($me->finish->{error}, qr/^55000 .*made by this transaction/, 'who made a job cannot wait for it before the commit');
$me->query('rollback; begin');
$job = submit($me, q{insert into done values ('first')});
$other->send("select mlops.wait_for($job, '1 s')");
like($other->finish->{error}, qr/^42704 /, 'nobody sees it before');
$me->query('commit');
is(outcome($me, $job), 'succeeded|1|INSERT 1', 'a job runs when it is committed');
is($node->safe_psql('postgres', q{select count(*) from done}), '1', 'once');
is($node->safe_psql('postgres', qq{select progress, started_at is not null, finished_at >= started_at from mlops.job_run where job_id = $job}), '1|t|t', 'and is on record');
is($me->query("select mlops.wait_for($job)"), 'succeeded', 'whoever asks later is told at once');

# ---- Statements of all sorts ----

is(outcome($me, submit($me, 'vacuum done')), 'succeeded|1|VACUUM', 'VACUUM');
is(outcome($me, submit($me, q{create table made as select 1; insert into done values ('second')})), 'succeeded|1|INSERT 1', 'two statements');
$me->query(q{create procedure twice() language plpgsql as $$ begin insert into done values ('p'); commit; insert into done values ('q'); rollback; end $$});
is(outcome($me, submit($me, 'call twice()')), 'succeeded|1|CALL', 'a procedure that commits');
is($node->safe_psql('postgres', q{select string_agg(what, ',' order by at) from done where length(what) = 1}), 'p', 'has committed what it committed');
is(outcome($me, submit($me, q{insert into done values ('lost'); select 1 / 0})), 'failed|1|division by zero', 'an error');
is($node->safe_psql('postgres', q{select count(*) from done where what = 'lost'}), '0', 'undoes what was done');
like(slurp_file($node->logfile), qr/division by zero.*\n.*CONTEXT:  mlops job \d+, run \d+, of kind sql/, 'and is in the log');
is(outcome($me, submit($me, 'notify here')), 'succeeded|1|NOTIFY', 'a notification');

# ---- Roles and settings ----

my $jane = Connection->new($node, user => 'jane');
$jane->query(q{set search_path = lab; set timezone = 'Asia/Tokyo'; set datestyle = 'SQL, DMY'; set intervalstyle = 'iso_8601'; set role crew});
my $seen = q{insert into public.done select concat_ws(' ', session_user, current_user, current_setting('search_path'), current_setting('TimeZone'), }
	. q{current_setting('DateStyle'), current_setting('IntervalStyle'))};
is(outcome($jane, submit($jane, $seen)), 'succeeded|1|INSERT 1', 'a job of a role that acts as another');
is($node->safe_psql('postgres', q{select what from done order by at desc limit 1}), 'jane crew lab Asia/Tokyo SQL, DMY iso_8601', 'has both and the settings');
is(outcome($jane, submit($jane, 'create table lab.mine (a int)')), 'failed|1|permission denied for schema lab', 'it has the rights of the one');
$jane->query('reset role');
is(outcome($jane, submit($jane, 'create table mine (a int)')), 'succeeded|1|CREATE TABLE', 'or the other');
is($node->safe_psql('postgres', q{select relowner::regrole from pg_class where oid = 'lab.mine'::regclass}), 'jane', 'whose work it is');
$node->safe_psql('postgres', q{
	create table secret as select unnest(array['jane', 'norma']) as who;
	alter table secret enable row level security;
	create policy own on secret using (who = current_user);
	grant select on secret to public;
});
is(outcome($jane, submit($jane, q{insert into public.done select 'sees ' || string_agg(who, ',') from public.secret})), 'succeeded|1|INSERT 1', 'row security');
is($node->safe_psql('postgres', q{select what from done order by at desc limit 1}), 'sees jane', 'applies');
$node->safe_psql('postgres', 'alter role jane set default_transaction_read_only = on');
like(outcome($jane, submit($jane, q{insert into public.done values ('no')})), qr/^failed\|1\|cannot execute INSERT in a read-only transaction/, 'so do a role\'s settings');
$node->safe_psql('postgres', q{alter role jane reset default_transaction_read_only; alter role jane set statement_timeout = '50ms'});
is(outcome($jane, submit($jane, 'select pg_sleep(60)')), 'failed|1|canceling statement due to statement timeout', 'its timeout, too');
$node->safe_psql('postgres', q{alter role jane reset statement_timeout});

my $norma = Connection->new($node, user => 'norma');
$node->safe_psql('postgres', 'alter system set mlops.now = \'2026-01-01 00:00+00\'; select pg_reload_conf()');
$norma->query(q{select mlops.schedule_job('hers', '1 hour', 'sql', '{"statement": "select 1"}')});
$node->safe_psql('postgres', q{alter role norma nologin; alter system set mlops.now = '2026-01-01 02:00+00'; select pg_reload_conf()});
wait_until(q{select exists (select from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = 'hers' and r.state = 'failed' and r.message like 'the role%cannot connect')},
	'a role that cannot log in any more: a run that failed');
$norma->close;
$node->safe_psql('postgres', q{drop owned by norma; drop role norma; alter system set mlops.now = '2026-01-01 04:00+00'; select pg_reload_conf()});
wait_until(q{select not enabled from mlops.job where name = 'hers'}, 'a role that was dropped: its schedules are off');

# ---- Schedules ----

$me->query(q{select mlops.schedule_job('nightly', '15 2 * * *', 'sql', '{"statement": "insert into done values (''nightly'')"}')});
$me->query(q{select mlops.schedule_job('broken', '15 2 * * *', 'sql', '{"statement": "select 1 / 0"}')});
is($me->query(q{select next_run from mlops.job where name = 'nightly'}), '2026-01-02 02:15:00+00', 'when it is due');
my $nightly = $me->query(q{select id from mlops.job where name = 'nightly'});
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-02 02:15+00'; select pg_reload_conf()});
is(outcome($me, $nightly), 'succeeded|1|INSERT 1', 'it runs when it is due');
wait_until(q{select state = 'failed' from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = 'broken'}, 'whether or not another fails');
is($me->query(q{select next_run from mlops.job where name = 'nightly'}), '2026-01-03 02:15:00+00', 'and is due again');
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-09 12:00+00'; select pg_reload_conf()});
wait_until(q{select count(*) = 2 from done where what = 'nightly'}, 'what was missed is made up for');
is($me->query(q{select next_run from mlops.job where name = 'nightly'}), '2026-01-10 02:15:00+00', 'once');
$me->query(q{update mlops.job set enabled = false where name = 'nightly'});
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-12 12:00+00'; select pg_reload_conf()});
wait_until(q{select next_run = '2026-01-13 02:15+00' from mlops.job where name = 'broken'}, 'a later day');
is($node->safe_psql('postgres', q{select count(*) from done where what = 'nightly'}), '2', 'one that is switched off does not run');
$me->query(q{select mlops.unschedule_job('nightly'), mlops.unschedule_job('broken')});

# What is still under way is not joined by another.
$me->query(q{select pg_advisory_lock(1)});
$me->query(q{select mlops.schedule_job('long', '1 hour', 'sql', '{"statement": "select pg_advisory_lock(1)"}')});
my $long = $me->query(q{select id from mlops.job where name = 'long'});
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-12 13:30+00'; select pg_reload_conf()});
wait_until(qq{select state = 'running' from mlops.job_run where job_id = $long}, 'a run goes on');
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-12 14:30+00'; select pg_reload_conf()});
wait_until(qq{select next_run = '2026-01-12 15:00+00' from mlops.job where id = $long}, 'while it is due again');
is($me->query(qq{select count(*) from mlops.job_run where job_id = $long}), '1', 'and has no second');
$me->query(q{select mlops.unschedule_job('long')});
wait_until(q{select count(*) = 0 from pg_stat_activity where application_name like 'mlops job %'}, 'to unschedule ends it');
$me->query(q{select pg_advisory_unlock(1)});

# ---- Cancelling ----

$me->query(q{select pg_advisory_lock(1)});
my @blocked = map { submit($other, 'select pg_advisory_lock(1)') } 1 .. 5;
wait_until(q{select count(*) = 3 from pg_stat_activity where application_name like 'mlops job %' and wait_event = 'advisory'}, 'three jobs run at once');
is($me->query(q{select state, count(*) from mlops.job_run where kind = 'sql' and finished_at is null group by 1 order by 1}), "queued|2\nrunning|3", 'and two wait');
is($me->query("select mlops.cancel_job($blocked[4])"), 't', 'one that waits is cancelled');
is(outcome($me, $blocked[4]), 'cancelled|0|cancelled before it began', 'without having begun');
is($me->query("select mlops.cancel_job($blocked[0])"), 't', 'one that runs is cancelled');
is(outcome($me, $blocked[0]), 'cancelled|1|canceling statement due to user request', 'in the middle');
wait_until(qq{select state = 'running' from mlops.job_run where job_id = $blocked[3]}, 'the next one takes its place');
is($me->query("select mlops.cancel_job($blocked[0])"), 'f', 'what has ended cannot be cancelled');
$me->send("select mlops.wait_for($blocked[3], '100 ms')");
like($me->finish->{error}, qr/^55P03 job \d+ is still running/, 'who waits too long is told');
$me->query(q{select pg_advisory_unlock(1)});
like(outcome($me, $blocked[$_]), qr/^succeeded\|1\|/, "job $_ goes on") for 1 .. 3;
$me->query('begin isolation level repeatable read; select 1');
$job = submit($other, 'select 1');
is($me->query("select mlops.wait_for($job, '60 s')"), 'succeeded', 'to wait works in a transaction that sees nothing new');
$me->query('commit');

# ---- Attempts ----

$node->safe_psql('postgres', q{alter system reset mlops.now; select pg_reload_conf(); create sequence tries});
$me->query(q{begin; lock table house});
$job = submit($other, q{select nextval('tries'); set local lock_timeout = '10ms'; lock table house}, q{max_attempts => 3, retry_delay => '20 ms'});
is(outcome($other, $job), 'failed|3|canceling statement due to lock timeout', 'what may pass is tried again');
is($me->query(q{select last_value from tries}), '3', 'so often');
my $delays = $me->query(qq{select started_at - queued_at > interval '60 ms' from mlops.job_run where job_id = $job});
is($delays, 't', 'after 20 and 40 ms');
$job = submit($other, q{select nextval('tries'); set local lock_timeout = '10ms'; lock table house}, q{max_attempts => 100, retry_delay => '20 ms'});
wait_until(qq{select attempts >= 2 from mlops.job_run where job_id = $job}, 'it goes on trying');
$me->query('commit');
like(outcome($other, $job), qr/^succeeded\|\d+\|LOCK TABLE/, 'until it can');

# ---- Training and scoring ----

$me->query('set search_path = public');
$job = $me->query(q{select job_id from mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id}', background => true)});
is(outcome($me, $job), 'succeeded|1|version 1 of model "price", run 1', 'a training');
is($me->query(q{select current_user_name = current_user from mlops.run}), 't', 'by whom');
$me->query(q{select mlops.deploy('price'); create table scored (id bigint primary key, prediction float8, version int)});
$job = $me->query(q{select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id", "mode": "upsert", "batch": 60}')});
is(outcome($me, $job), 'succeeded|1|500 rows by price@1', 'a scoring');
is($me->query(q{select count(*), count(distinct id) from scored s join house h using (id) where s.prediction = mlops.predict('price', h)}), '500|500', 'has written all rows');
is($me->query(qq{select checkpoint ->> 'last' from mlops.job_run where job_id = $job}), '480', 'in batches');
$me->query(q{insert into house values (null, 1, 1), (null, 2, 1)});
$job = $me->query(q{select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id", "mode": "upsert", "batch": 60}')});
is(outcome($me, $job), 'succeeded|1|500 rows by price@1; 2 rows have no key, and were left out', 'rows without a key are left out');

# Where a scoring fails in the middle, the next attempt goes on with the version that it began with.
$me->query(q{truncate scored; create function stop() returns trigger language plpgsql as $$ begin
	if new.id = 200 and exists (select from house where area = -1) then raise lock_not_available; end if; return new; end $$;
	create trigger stop before insert on scored for each row execute function stop(); insert into house values (10000, -1, 0)});
$job = $me->query(q{select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id", "mode": "append", "batch": 60}', 50, '10 ms')});
wait_until(qq{select attempts >= 2 from mlops.job_run where job_id = $job}, 'a scoring that cannot go on');
is($me->query(q{select count(*) from scored}), '180', 'has done its first batches');
$me->query(q{select mlops.train('price', 'house', 'price', 'baseline', exclude => '{id}'); select mlops.deploy('price')});
$me->query(q{delete from house where area = -1});
like(outcome($me, $job), qr/^succeeded\|\d+\|500 rows by price\@1/, 'goes on when it can');
is($me->query(q{select count(*), min(version), max(version) from scored}), '500|1|1', 'with the same version');

# ---- Progress ----

$node->safe_psql('postgres', q{create function slow(a anyelement) returns anyelement language plpgsql as $$ begin if a = 300 then perform pg_advisory_xact_lock_shared(2); end if; return a; end $$});
$other->query('select pg_advisory_lock(2)');
$job = $me->query(q{select job_id from mlops.train('slow', 'select slow(id) as id, area, price from house where id is not null', 'price', background => true)});
wait_until(q{select exists (select from mlops.progress where kind = 'train')}, 'a training shows its progress');
is($me->query(q{select model, phase, job_id, role, database, total > 0, phase_started_at >= started_at from mlops.progress}), "slow|scan|$job|" . getpwuid($<) . '|postgres|t|t', 'what it does');
is($jane->query(q{select count(*) from mlops.progress}), '0', 'not to everybody');
$node->safe_psql('postgres', 'grant pg_monitor to jane');
is($jane->query(q{select kind, model is null from mlops.progress}), 'train|t', 'to a monitor, without names');
$other->query('select pg_advisory_unlock(2)');
like(outcome($me, $job), qr/^succeeded/, 'it ends');
is($me->query(q{select count(*) from mlops.progress}), '0', 'and so does its progress');

# ---- History ----

# The monitor that a deployment brought would go on running, and make a new history.
$node->safe_psql('postgres', 'select mlops.drop_monitor(id) from mlops.monitor');
$node->safe_psql('postgres', q{alter system set mlops.job_history = '1h'; alter system set mlops.now = '2099-01-01'; select pg_reload_conf()});
wait_until(q{select count(*) = 0 from mlops.job_run}, 'what is old enough is forgotten');
is($me->query(q{select string_agg(name, ',') from mlops.job}), 'hers', 'with the jobs that ran once');

$node->stop;
done_testing();
