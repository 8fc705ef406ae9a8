# Explanations on a hot standby are the primary's, from single rows to whole sources, and follow its deployments.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', q{
	set client_min_messages = warning;
	create extension mlops;
	create table house as
		select n as id, (n * 37 % 101)::float8 as area, n * 53 % 13 as rooms, (array['red', 'blue'])[n % 2 + 1] as colour,
			   (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 + n % 2 as price from generate_series(1, 300) n;
	select mlops.train('price', 'house', 'price', exclude => '{id}', params => '{"n_estimators": 20}');
	select mlops.train('price', 'house', 'price', algorithm => 'linear_regression', exclude => '{id}');
	select mlops.deploy('price', 1);
});
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));

my %questions = (
	'explain()' => q{select h.id, e.feature, e.value, encode(float8send(e.contribution), 'hex') from house h, lateral mlops.explain('price', h) e order by 1, 2},
	'explain_batch()' => q{select id, feature, value, encode(float8send(contribution), 'hex') from mlops.explain_batch('price', 'house', 'id') order by 1, 2},
	'explain_interactions()' => q{select * from mlops.explain_interactions('price', (select h from house h where id = 7)) order by 1, 2},
	'explain_text()' => q{select mlops.explain_text('price', h) from house h order by id},
	'partial_dependence()' => q{select * from mlops.partial_dependence('price', 'house', 'area', 5) order by value::float8},
	'ice()' => q{select * from mlops.ice('price', 'house', 'colour', 5, 'id') order by id, value},
	'what_if()' => q{select * from mlops.what_if('price', (select h from house h where id = 7), '{"rooms": 3}')});
my %answers;

for my $name (sort keys %questions)
{
	$answers{$name} = $primary->safe_psql('postgres', $questions{$name});
	isnt($answers{$name}, '', "$name on the primary");
	is($standby->safe_psql('postgres', $questions{$name}), $answers{$name}, "$name on the standby");
}

my $session = $standby->background_psql('postgres');
is($session->query_safe($questions{'explain_text()'}), $answers{'explain_text()'}, 'a session on the standby');
$primary->safe_psql('postgres', q{select mlops.deploy('price', 2)});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
my $after = $primary->safe_psql('postgres', $questions{'explain_text()'});
isnt($after, $answers{'explain_text()'}, 'another version is deployed');
is($session->query_safe($questions{'explain_text()'}), $after, 'the session sees it');
$session->quit;

$standby->stop;
$primary->stop;
done_testing();
