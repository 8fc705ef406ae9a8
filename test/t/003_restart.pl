# After a restart, and after a crash of the server, everything that was committed is there, and predictions are bit-equal.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	set client_min_messages = warning;
	create extension mlops;
	create table house as
		select n as id, (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms, (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 as price from generate_series(1, 300) n;
	select mlops.train('price', 'house', 'price', exclude => '{id}', params => '{"n_estimators": 10}');
	select mlops.train('price', 'house', 'price', exclude => '{id}', params => '{"n_estimators": 20}');
	select mlops.deploy('price', 1);
	select mlops.deploy('price', 2);
	select mlops.rollback('price');
});
my $question = q{select id, encode(float8send(mlops.predict('price', h)), 'hex') from house h order by id};
my $answer = $node->safe_psql('postgres', $question);
isnt($answer, '', 'predictions');

$node->restart;
is($node->safe_psql('postgres', $question), $answer, 'the same after a restart');

# A deployment that nobody committed does not survive.
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{begin; select mlops.deploy('price', 2)});
$node->stop('immediate');
eval { $session->quit };
$node->start;
is($node->safe_psql('postgres', $question), $answer, 'the same after a crash');
is($node->safe_psql('postgres', q{select count(*) from mlops.deployment}), '3', 'the deployment that was not committed is gone');
is($node->safe_psql('postgres', q{select version from mlops.train('price', 'house', 'price', algorithm => 'baseline')}), '3', 'training goes on');

$node->stop;
done_testing();
