# What is lost is counted and nothing is captured twice: whichever process ends, however the server stops, whatever the writer meets.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.capture_queue_size = '4MB'
	mlops.capture_rows_per_query = 1000000
	restart_after_crash = on
	max_parallel_workers_per_gather = 0
	max_worker_processes = 12
	autovacuum = off
	log_min_messages = log
});
$node->start;
sub prepare_database
{
	my ($database) = @_;
	$node->safe_psql($database, q{
		create extension mlops;
		create table flat as select n as id, sin(n) as a, sin(n * 7.0) as b, sin(n * 13.0) as y from generate_series(1, 20000) n;
		analyze flat;
		select mlops.train('m', 'flat', 'y', exclude => '{id}', algorithm => 'linear_regression');
		select mlops.deploy('m', capture => '{"key": "id"}');
	});
	return;
}
prepare_database('postgres');

# Asks for rows from one id on.
sub ask
{
	my ($from, $n, $database) = @_;
	$node->safe_psql($database // 'postgres', "select count(mlops.predict('m', f)) from flat f where id between $from and $from + $n - 1");
	return;
}
sub one { return $node->safe_psql($_[1] // 'postgres', $_[0]) }
sub flush { return one(q{select mlops.flush_capture('120 s')}, $_[0]) }
sub status { return one("select $_[0] from mlops.capture_status", $_[1]) }

# Waits until a query gives what is expected; whether it did.
sub wait_for
{
	my ($query, $expected) = @_;
	my $end = time + 120;
	while (time < $end)
	{
		my ($code, $answer) = $node->psql('postgres', $query, on_error_stop => 0);
		return 1 if ($code // 1) == 0 && $answer eq $expected;
		usleep(5000);
	}
	return 0;
}
sub pid_of { return one("select coalesce(min(pid), 0) from pg_stat_activity where backend_type = 'mlops capture $_[0]'") }

# The launcher, which starts again some seconds after its end.
sub launcher
{
	wait_for(q{select count(*) from pg_stat_activity where backend_type = 'mlops capture launcher'}, '1') or die 'there is no launcher';
	return pid_of('launcher');
}

# ---- The processes ----

isnt(launcher(), '0', 'there is a launcher');
is(one(q{select datname is null from pg_stat_activity where backend_type = 'mlops capture launcher'}), 't', 'which is connected to no database');
ask(1, 20000);
flush();
is(one('select count(*), count(distinct entity_key), count(distinct prediction_id) from mlops.captured'), '20000|20000|20000', 'all rows are written');
ok(wait_for(q{select count(*) from pg_stat_activity where backend_type = 'mlops capture writer'}, '0'), 'and the writer has gone');

# ---- A writer that is ended at random points ----

my $asked = 20000;
for my $round (1 .. 15)
{
	ask(1, 3000);
	$asked += 3000;
	usleep(int(rand(60000)));
	one(q{select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'mlops capture writer'});
}
one(q{select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'mlops capture launcher'});
flush();
my ($rows, $dropped_before) = split(/\|/, status('captured, dropped'));
is(one('select count(*), count(distinct prediction_id) from mlops.captured'), "$rows|$rows", 'rows whose writers and launcher were ended are there once');
is($rows + $dropped_before, $asked, 'those that found no room meanwhile are counted');
is(status('lost, waiting'), '0|0', 'none is lost');

# ---- The queue is full ----

my $launcher = launcher();
kill 'STOP', $launcher;
ask(1, 20000);
ask(1, 20000);
my ($waiting, $dropped, $bytes) = split(/\|/, status('waiting, dropped, bytes'));
is($waiting + $dropped - $dropped_before, 40000, 'rows wait or are dropped');
cmp_ok($dropped, '>', $dropped_before, 'some are');
cmp_ok($bytes, '>', 4 * 1024 * 1024 * 0.95, 'when the queue is full');
kill 'CONT', $launcher;
flush();
is(status('captured, dropped, lost, waiting'), $rows + $waiting . "|$dropped|0|0", 'those that waited are written');
is(one('select count(*), count(distinct prediction_id) from mlops.captured'), join('|', ($rows + $waiting) x 2), 'once');
$rows += $waiting;

# ---- The writer cannot write ----

one(q{alter table mlops.prediction add constraint full_disk check (version < 0) not valid});
$node->safe_psql('postgres', 'create database other');
prepare_database('other');
ask(1, 500);
ask(1, 700, 'other');
flush('other');
is(status('captured, waiting', 'other'), '700|0', 'one database is written while another cannot be');
my ($code, undef, $error) = $node->psql('postgres', q{select mlops.flush_capture('500 ms')});
like($error, qr/captured predictions were not written in time/, 'who waits for that is told');
is(status('waiting'), '500', 'its rows wait');
one('alter table mlops.prediction drop constraint full_disk');
flush();
$rows += 500;
is(status('captured, dropped, lost, waiting'), "$rows|$dropped|0|0", 'until they can be written');

# ---- A database is dropped ----

ask(1, 10000, 'other');
my $start = time;
$node->safe_psql('postgres', 'drop database other');
cmp_ok(time - $start, '<', 5, 'nobody is in the way of DROP DATABASE');
ask(1, 100);
flush();
$rows += 100;
is(status('captured, waiting'), "$rows|0", 'the rows of others go on');

# ---- Shutdown ----

kill 'STOP', $launcher;
ask(1, 1000);
kill 'CONT', $launcher;
$node->stop('fast');
$node->start;
flush();
$rows += 1000;
is(one('select count(*), count(distinct prediction_id) from mlops.captured'), "$rows|$rows", 'an orderly shutdown loses nothing');
is(status('captured, dropped, lost, waiting'), "$rows|$dropped|0|0", 'nor counts what it counted');

# An immediate one is a crash: processes are killed wherever they are.
$launcher = launcher();
kill 'STOP', $launcher;
ask(1, 700);
$node->stop('immediate');
$node->start;
flush();
is(one('select count(*), count(distinct prediction_id) from mlops.captured'), "$rows|$rows", 'an immediate shutdown loses what is in the queue');
like(slurp_file($node->logfile), qr/an immediate shutdown loses 700 captured predictions/, 'and says how much');

# ---- Crashes ----

my $lost = 0;
for my $round (1 .. 9)
{
	my $who = ('launcher', 'backend', 'writer')[$round % 3];
	my $connection = Connection->new($node);
	my $pid = $connection->pid // $connection->query('select pg_backend_pid()');
	$connection->send(q{select count(mlops.predict('m', f)) from flat f, generate_series(1, 50)});
	usleep(20000 + int(rand(200000)));
	if ($who eq 'writer')
	{
		my $end = time + 30;
		$pid = 0;
		$pid = pid_of('writer') while $pid == 0 && time < $end;
	}
	$pid = launcher() if $who eq 'launcher';
	kill 'KILL', $pid;
	ok(wait_for('select 1', '1'), "a killed $who: the server recovers");
	ok(wait_for(q{select count(*) from pg_stat_activity where backend_type = 'mlops capture launcher'}, '1'), 'so does the launcher');
	ask(1, 50);
	flush();
	is(one(q{select count(*) - count(distinct prediction_id), count(*) filter (where weight is null) from mlops.captured}), '0|0', 'nothing is there twice');
	my ($captured, $now_lost) = split(/\|/, status('captured, lost'));
	is(one('select count(*) from mlops.captured'), $captured, 'what is captured is counted');
	cmp_ok($now_lost - $lost, '<', 4 * 1024 * 1024 / 100, 'what is lost is bounded by the queue: ' . ($now_lost - $lost));
	$lost = $now_lost;
}
cmp_ok($lost, '>', 0, 'and counted');

# ---- Standby ----

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $before = one('select count(*) from mlops.captured');
is($standby->safe_psql('postgres', q{select count(mlops.predict('m', f)) from flat f where id <= 200}), '200', 'a standby answers');
is($standby->safe_psql('postgres', q{select skipped_on_standby, waiting from mlops.capture_status}), '200|0', 'and counts what it does not capture');
is($standby->safe_psql('postgres', q{select count(*) from mlops.predict_batch('m', 'select * from flat where id <= 100')}), '100', 'predict_batch() answers, too');
is($standby->safe_psql('postgres', q{select skipped_on_standby, waiting from mlops.capture_status}), '300|0', 'and is counted');
is($standby->safe_psql('postgres', q{select mlops.flush_capture('1 s')}), '', 'nothing is to be waited for');
isnt(scalar($standby->psql('postgres', q{select mlops.score('m', 'x', f) from flat f where id = 1})), 0, 'score() is refused');
$node->stop('fast');
$standby->promote;
$standby->safe_psql('postgres', q{select count(mlops.predict('m', f)) from flat f where id <= 300; select mlops.flush_capture('60 s')});
is($standby->safe_psql('postgres', 'select count(*) from mlops.captured'), $before + 300, 'after its promotion it captures');
is($standby->safe_psql('postgres', q{select skipped_on_standby from mlops.capture_status}), '300', 'and has not forgotten');
$standby->stop;
done_testing();
