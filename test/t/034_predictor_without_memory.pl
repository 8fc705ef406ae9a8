# Memory runs out while a call site makes room for a model: the statement fails, the session goes on and predicts as before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'there is no prlimit to take memory from a backend' if system('prlimit --version > /dev/null 2>&1') != 0;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
});
$node->start;

# So many columns that a row of them takes memory that the backend has not already
$node->safe_psql('postgres', q{
	create extension mlops;
	create table wide as select array(select ((i * j) % 7)::float4 from generate_series(1, 20000) j) as x, i::float8 as y from generate_series(1, 20) i;
	alter table wide alter x set storage external;
	select mlops.train('wide', 'wide', 'y', algorithm => 'baseline');
	select mlops.deploy('wide', capture => '{"mode": "off"}');
});
my $question = q{select mlops.predict('wide', w) from wide w where y = 3};
my $answer = $node->safe_psql('postgres', $question);

# A session that is left so many bytes more than it has; what it says then, and what when it has memory again.
sub ask_with
{
	my ($more) = @_;
	my $session = Connection->new($node);
	$session->query('select count(*) from mlops.model');
	my $pid = $session->pid;
	my ($size) = slurp_file("/proc/$pid/status") =~ /VmSize:\s+(\d+) kB/;
	my $limited = $size * 1024 + $more;
	system_or_bail('prlimit', "--pid=$pid", "--as=$limited:");
	my $limited_answer = eval { $session->query($question) } // $@;
	system('prlimit', "--pid=$pid", '--as=unlimited:');	# which fails where it has crashed
	my $after = eval { $session->query($question) } // $@;
	return ($limited_answer, $after);
}

my ($failed, $other, $wrong) = (0, 0, 0);
my $more = 0;
my $worked = 0;
while (!$worked && !$wrong && $more < 64 * 1024 * 1024)
{
	my ($limited_answer, $after) = ask_with($more);
	$worked = $limited_answer eq $answer;
	$failed++ if $limited_answer =~ /out of memory/;
	$other++ if !$worked && $limited_answer !~ /out of memory/;
	$wrong++ if $after ne $answer;
	diag("with $more bytes: $limited_answer; then $after") if $other || $wrong;
	$more += 64 * 1024;
}
cmp_ok($failed, '>', 10, "memory ran out at $failed places");
is($other, 0, 'and nothing else went wrong');
is($wrong, 0, 'the same session answers afterwards');
$node->safe_psql('postgres', q{select mlops.flush_capture('60 s')});
cmp_ok($node->safe_psql('postgres', q{select sum(errors) from mlops.prediction_error where sqlstate = '53200'}), '>', 10, 'what fails once the model is known is counted as its error');
ok($worked, 'with enough memory it answers at once');
$node->stop;

done_testing();
