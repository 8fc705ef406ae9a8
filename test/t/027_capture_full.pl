# A disk that is full, and a queue that is full: what cannot be written waits, then makes room for others; all of it is counted, and weights stand for what was dropped.

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
$node->init(extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.capture_queue_size = '4MB'
	mlops.capture_rows_per_query = 1000000
	max_parallel_workers_per_gather = 0
	autovacuum = off
});
$node->start;
$node->safe_psql('postgres', 'create database other');
for my $database ('postgres', 'other')
{
	$node->safe_psql($database, q{
		create extension mlops;
		create table flat as select n as id, sin(n) as a, sin(n * 7.0) as b, sin(n * 13.0) as y from generate_series(1, 20000) n;
		analyze flat;
		select mlops.train('m', 'flat', 'y', exclude => '{id}', algorithm => 'linear_regression');
		select mlops.deploy('m', capture => '{"key": "id"}');
	});
}
my %asked = (postgres => 0, other => 0);
sub ask
{
	my ($n, $database) = @_;
	$database //= 'postgres';
	$node->safe_psql($database, "select count(mlops.predict('m', f)) from flat f where id <= $n");
	$asked{$database} += $n;
	return;
}
sub one { return $node->safe_psql($_[1] // 'postgres', $_[0]) }
sub status { return one("select coalesce(min($_[0]), '0') from (select captured, dropped, lost, waiting from mlops.capture_status) s", $_[1]) }
sub all_are_counted
{
	my ($database) = @_;
	return is(one('select captured + dropped + lost + waiting from mlops.capture_status', $database), $asked{$database}, "all rows of $database are counted");
}
# Waits until a query says t.
sub wait_for
{
	my ($query, $what) = @_;
	return ok($node->poll_query_until('postgres', $query), $what);
}

# ---- The disk is full ----

# No file of a process that starts from here on grows beyond this: what a full disk says comes from there.
my $postmaster = (split(/\n/, slurp_file($node->data_dir . '/postmaster.pid')))[0];
sub limit_files { return system('prlimit', '--pid', $postmaster, "--fsize=$_[0]:") == 0 }
ok(limit_files(3 * 1024 * 1024), 'files are limited');
my $error = '';
for (1 .. 10)
{
	ask(10000);
	my (undef, undef, $stderr) = $node->psql('postgres', q{select mlops.flush_capture('3 s')});
	$error = $stderr;
	last if $error ne '';
}
like($error, qr/captured predictions were not written in time/, 'at some time the table cannot grow');
like(slurp_file($node->logfile), qr/could not extend file .*File too large/, 'and the log says why');
is(one('select count(*) from mlops.prediction'), status('captured'), 'what was captured before is there, and counted');
cmp_ok(status('waiting'), '>', 0, 'the others wait');
isnt(scalar($node->psql('postgres', q{select count(mlops.score('m', 'x', f)) from flat f})), 0, 'score() says it to who asks');
ask(500, 'other');
one(q{select mlops.flush_capture('60 s')}, 'other');
is(status('captured', 'other'), 500, 'another database is written');

ask(20000) for 1 .. 2;
cmp_ok(status('dropped'), '>', 0, 'the queue is full');
all_are_counted('postgres');
wait_for('select lost > 0 from mlops.capture_status', 'after some time the oldest rows make room');
like(slurp_file($node->logfile), qr/captured predictions of database \d+ are given up/, 'which the log says');
ask(700, 'other');
one(q{select mlops.flush_capture('60 s')}, 'other');
is(one('select captured, dropped, lost from mlops.capture_status', 'other'), '1200|0|0', 'so that nothing of the others is lost');
my ($waiting, $lost) = split(/\|/, one('select waiting, lost from mlops.capture_status'));
cmp_ok($waiting, '>', 0, 'some of the rows still wait');
all_are_counted('postgres');

ok(limit_files('unlimited'), 'there is room again');
one(q{select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'mlops capture launcher'});
one(q{select mlops.flush_capture('120 s')});
is(one('select waiting, lost from mlops.capture_status'), "0|$lost", 'what waited is written');
is(one('select count(*), count(distinct prediction_id) from mlops.prediction'), join('|', (status('captured')) x 2), 'once');
is(one('select count(*) from mlops.prediction_features'), status('captured'), 'with its features');
all_are_counted('postgres');

# ---- The queue is full in the middle of a query ----

my $before = one('select max(prediction_id) from mlops.prediction');
my $dropped = status('dropped');
my $launcher = one(q{select pid from pg_stat_activity where backend_type = 'mlops capture launcher'});
my $gate = Connection->new($node);
my $query = Connection->new($node);
$gate->query('select pg_advisory_lock(7)');
kill 'STOP', $launcher;
$query->send(q{
	select count(mlops.predict('m', f)) from (select f, row_number() over () as n from flat f, generate_series(1, 3)) s
	 where case when n = 45000 then pg_advisory_lock_shared(7) is not null else true end});
$asked{postgres} += 60000;
wait_for(q{select exists (select from pg_locks where locktype = 'advisory' and not granted)}, 'a query waits after many rows');
cmp_ok(status('dropped'), '>', $dropped, 'of which some found no room');
kill 'CONT', $launcher;
one(q{select mlops.flush_capture('60 s')});
$gate->close;
is($query->finish->{rows}, '60000', 'it goes on');
$query->close;
one(q{select mlops.flush_capture('60 s')});
is(one(qq{select sum(weight) from mlops.prediction where prediction_id > $before}), 60000, 'the next rows bear the weight of those');
all_are_counted('postgres');

$node->stop;
done_testing();
