# Two hundred connections that predict with one model of 100 MB take the memory of one model.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'SKIP: no /proc/PID/smaps_rollup' unless -r '/proc/self/smaps_rollup';

my $n = 200;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
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
SKIP:
{
	my ($version) = slurp_file('/proc/sys/kernel/osrelease') =~ /^(\d+\.\d+)/;
	my ($major, $minor) = split(/\./, $version);
	my $setting = '/sys/kernel/mm/transparent_hugepage/shmem_enabled';
	skip "SKIP: Linux $version has no huge pages of shared memory on request", 1
	  if $major < 6 || ($major == 6 && $minor < 1) || !-r $setting || slurp_file($setting) =~ /\[deny\]/;
	slurp_file("/proc/$pids[0]/smaps_rollup") =~ /^ShmemPmdMapped: +(\d+) kB/m or die "no ShmemPmdMapped of $pids[0]";
	cmp_ok($1 * 1024, '>', 0.5 * $size, 'most of it in huge pages');
}
is($node->safe_psql('postgres', q{select location, loads, hits + loads, pins from mlops.model_cache where model = 'large'}), "shared|1|$n|0",
	'it was loaded once');

$node->stop;
done_testing();
