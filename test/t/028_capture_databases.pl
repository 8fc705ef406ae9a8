# One writer goes around a hundred databases: each has its rows, none keeps a connection, and the counts of those that are dropped are forgotten.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	fsync = off
	autovacuum = off
});
$node->start;
$node->safe_psql('postgres', 'create database pattern');
$node->safe_psql('pattern', q{
	create extension mlops;
	create table flat as select n as id, sin(n) as a, sin(n * 7.0) as b, sin(n * 13.0) as y from generate_series(1, 200) n;
	select mlops.train('m', 'flat', 'y', exclude => '{id}', algorithm => 'linear_regression');
	select mlops.deploy('m', capture => '{"key": "id"}');
});
my $postgres = Connection->new($node);
$postgres->query("create database many_$_ template pattern") for 1 .. 100;

# Runs a query in each of them, one after the other.
sub in_each
{
	my ($query) = @_;
	my @answers;
	for my $n (1 .. 100)
	{
		my $connection = Connection->new($node, dbname => "many_$n");
		push @answers, $connection->query($query =~ s/%/$n/gr);
		$connection->close;
	}
	return @answers;
}
my $launcher = $postgres->query(q{select pid from pg_stat_activity where backend_type = 'mlops capture launcher'});
kill 'STOP', $launcher;
is_deeply([in_each(q{select count(mlops.predict('m', f)) from flat f where id <= %})], [1 .. 100], 'a hundred databases ask');
kill 'CONT', $launcher;
Connection->new($node, dbname => 'many_100')->query(q{select mlops.flush_capture('120 s')});
in_each(q{select mlops.flush_capture('120 s')});
is_deeply([in_each(q{select count(*) || '|' || count(distinct entity_key) from mlops.captured})], [map { "$_|$_" } 1 .. 100], 'each has its own rows');
is_deeply([in_each(q{select captured || '|' || dropped + lost + waiting from mlops.capture_status})], [map { "$_|0" } 1 .. 100], 'which are counted');
$node->poll_query_until('postgres', q{select not exists (select from pg_stat_activity where datname like 'many_%')}) or die 'somebody stays connected';
$postgres->query(q{drop database many_1});
$postgres->query(q{alter database many_2 rename to other_2});
$postgres->query(q{create database many_1 template many_3});
is(Connection->new($node, dbname => 'many_1')->query(q{select captured, waiting from mlops.capture_status}), '3|0', 'nobody is in the way of drops, new names and copies');

# The extension is made anew, and model ids begin from 1 again.
my $again = Connection->new($node, dbname => 'many_4');
$again->query(q{select count(mlops.predict('m', f)) from flat f});
$again->query(q{drop extension mlops cascade});
$again->close;
$again = Connection->new($node, dbname => 'many_4');
$again->query(q{create extension mlops});
$again->query(q{select mlops.train('other', 'flat', 'y', exclude => '{id}', algorithm => 'linear_regression')});
is($again->query(q{select coalesce(sum(captured), 0) from mlops.capture_status}), '0', 'nothing is counted for a model that is new');
$node->stop;
done_testing();
