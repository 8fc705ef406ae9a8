# Two hundred connections that predict with one model of 100 MB take the memory of one model, in huge pages.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'SKIP: no /proc/PID/smaps_rollup' unless -r '/proc/self/smaps_rollup';

my $n = 200;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.shared_cache_size = '150MB'
	max_connections = 220
	shared_buffers = '16MB'
	jit = off
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table noise as select n as id, sin(n) as a, sin(n * 7.0) as b, sin(n * 13.0) as y from generate_series(1, 20000) n;
	select mlops.train('small', 'noise', 'y', exclude => '{id}', algorithm => 'baseline');
	select mlops.train('large', 'noise', 'y', exclude => '{id}', algorithm => 'random_forest', split => '{"test": 0}',
					   params => '{"n_estimators": 560}');
});
my $size = $node->safe_psql('postgres', 'select max(size) from mlops.model_version');
cmp_ok($size, '>', 95_000_000, 'a model of about 100 MB');
note("$size bytes");

# Memory of processes in bytes: what several share is divided among them.
sub memory
{
	my $sum = 0;
	for my $pid (@_)
	{
		slurp_file("/proc/$pid/smaps_rollup") =~ /^Pss: +(\d+) kB/m or die "no Pss of $pid";
		$sum += $1 * 1024;
	}
	return $sum;
}

# Shared memory in bytes that a process has mapped in huge pages.
sub huge_pages
{
	my ($pid) = @_;
	slurp_file("/proc/$pid/smaps_rollup") =~ /^ShmemPmdMapped: +(\d+) kB/m or die "no ShmemPmdMapped of $pid";
	return $1 * 1024;
}

# Waits until it is more than so much; touch: what has the process touch its pages.
sub wait_for_huge_pages
{
	my ($pid, $size, $touch) = @_;
	my $end = time + 60;
	while (time < $end)
	{
		$touch->() if $touch;
		return 1 if huge_pages($pid) > $size;
		usleep(1000);
	}
	return 0;
}

# The launcher's process.
sub launcher
{
	my $server = shift // $node;
	return $server->safe_psql('postgres', q{select pid from pg_stat_activity where backend_type = 'mlops launcher'});
}

my @connections = map { Connection->new($node) } 1 .. $n;
my @pids = map { $_->pid } @connections;
my $rows = q{from noise n where id between 1 and 300};
$_->query("select sum(mlops.predict('small\@1', n)) $rows") for @connections;
my $before = memory(@pids);

$_->send("select sum(mlops.predict('large\@1', n)) $rows") for @connections;
my %answers = map { $_->finish->{rows} => 1 } @connections;
is(scalar(keys %answers), 1, "$n connections get one answer");
my $grown = memory(@pids) - $before;
note(sprintf('the memory of %d connections grew by %.1f MB', $n, $grown / 1e6));
cmp_ok($grown, '>', 0.5 * $size, 'the model is counted');
cmp_ok($grown, '<', 1.5 * $size, 'once');
is($node->safe_psql('postgres', q{select location, loads, hits + loads, pins from mlops.model_cache where model = 'large'}), "shared|1|$n|0",
	'it was loaded once');

SKIP:
{
	my ($version) = slurp_file('/proc/sys/kernel/osrelease') =~ /^(\d+\.\d+)/;
	my ($major, $minor) = split(/\./, $version);
	my $setting = '/sys/kernel/mm/transparent_hugepage/shmem_enabled';
	skip "SKIP: Linux $version has no huge pages of shared memory on request", 4
	  if $major < 6 || ($major == 6 && $minor < 1) || !-r $setting || slurp_file($setting) =~ /\[deny\]/;

	# The launcher makes pages huge where a model lies, after it was loaded.
	ok(wait_for_huge_pages($pids[0], 0.5 * $size, sub { $connections[0]->query("select sum(mlops.predict('large\@1', n)) $rows") }),
		'most of it is in huge pages');

	# And before, a quarter of the memory ahead.
	$_->close for @connections;
	$node->restart;
	$node->poll_query_until('postgres', q{select count(*) = 1 from pg_stat_activity where backend_type = 'mlops launcher'}) or die 'no launcher';
	ok(wait_for_huge_pages(launcher(), 32 * 1024 * 1024), 'there are huge pages before there is a model');

	# A standby has no launcher: whoever loads a model sees to it.
	$node->backup('copy');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	is(launcher($standby), '', 'a standby has no launcher');
	my $connection = Connection->new($standby);
	$connection->query("select sum(mlops.predict('large\@1', n)) $rows");
	cmp_ok(huge_pages($connection->pid), '>', 0.5 * $size, 'but most of a model is in huge pages');
	$standby->stop;
}

$node->stop;
done_testing();
