# A hot standby answers as the primary does, and sees a deployment as soon as its commit is replayed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	max_standby_streaming_delay = -1
});
$primary->start;
$primary->safe_psql('postgres', q{
	create extension mlops;
	create table flat as select n as id, (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms, n * 37 % 101 + n * 53 % 13 * 7 > 90 as dear,
								(n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 as price from generate_series(1, 2000) n;
	analyze flat;
	select mlops.train('price', 'flat', 'price', exclude => '{id,dear}', params => '{"n_estimators": 10}');
	select mlops.train('price', 'flat', 'price', exclude => '{id,dear}', params => '{"n_estimators": 30}');
	select mlops.train('dear', 'flat', 'dear', exclude => '{id,price}');
	select mlops.deploy('price', 1), mlops.deploy('dear');
	select mlops.create_prediction_view('flat_scored', 'dear', 'flat', id => 'id');
});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# Asks both for the same.
sub same
{
	my ($query, $what) = @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
	my $answer = $standby->safe_psql('postgres', $query);
	isnt($answer, '', "$what: an answer");
	is($answer, $primary->safe_psql('postgres', $query), "$what: that of the primary");
	return;
}

is($standby->safe_psql('postgres', 'select pg_is_in_recovery()'), 't', 'a standby');
my $bits = q{encode(float8send(%s), 'hex')};
same('select id, ' . sprintf($bits, q{mlops.predict('price', f)}) . ' from flat f order by id', 'predict');
same('select id, ' . sprintf($bits, q{mlops.predict_proba('dear', f)}) . ' from flat f order by id', 'predict_proba');
same(q{select mlops.predict_class('dear', f), mlops.predict_all('dear', f) from flat f order by id}, 'predict_class and predict_all');
same(q{select mlops.predict('price', '{"area": 7, "rooms": 2}'::jsonb), mlops.predict('price', array[7, 2])}, 'other features');
same('select id, ' . sprintf($bits, 'prediction') . q{ from mlops.predict_batch('price', 'flat', id => 'id') order by id::int}, 'predict_batch');
same(q{select f.id, t.* from flat f, mlops.predict_top('dear', f, 2) t order by 1, 2}, 'predict_top');
same(q{select * from flat_scored order by id}, 'a prediction view');
same(q{select * from mlops.evaluate('dear') order by 1}, 'evaluate, what is stored');
same(q{select metric, round(value::numeric, 9) from mlops.evaluate('dear', 'flat') order by 1}, 'evaluate, on rows');
same(q{select * from mlops.recipe('dear')}, 'recipe');
same(q{select * from mlops.importance('price') order by 1}, 'importance');
same(q{select length(mlops.export_model('price')::bytea)}, 'export');
same(q{select * from mlops.resolve_model('price')}, 'resolve');
is($standby->safe_psql('postgres', q{select string_agg(model || ' ' || version || ' ' || location || ' ' || loads, ', ' order by model) from mlops.model_cache}),
	'dear 1 shared 1, price 1 shared 1', 'models are in the standby\'s shared memory');

# ---- Deployments ----

my $connection = Connection->new($standby);
my $question = q{select mlops.predict('price', f) from flat f where id = 17};
my %answers = map { $_ => $primary->safe_psql('postgres', "select mlops.predict('price\@$_', f) from flat f where id = 17") } 1, 2;
isnt($answers{1}, $answers{2}, 'two versions differ');
$connection->query("prepare p as $question");
for my $version (2, 1, 2)
{
	$connection->query('execute p');
	$primary->safe_psql('postgres', "select mlops.deploy('price', $version)");
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
	is($connection->query('execute p'), $answers{$version}, "the deployment of version $version is seen when it is replayed");
}

# Not before: replay waits, the deployment is there, and a transaction that began goes on with what it saw.
$connection->query('select pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{select pg_get_wal_replay_pause_state() = 'paused'});
$primary->safe_psql('postgres', q{select mlops.deploy('price', 1)});
$primary->wait_for_catchup($standby, 'write', $primary->lsn('write'));
is($connection->query('execute p'), $answers{2}, 'one that has come but is not replayed is not');
$connection->query('begin isolation level repeatable read');
$connection->query('execute p');
my $resumer = Connection->new($standby);
$resumer->query('select pg_wal_replay_resume()');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
is($connection->query('execute p'), $answers{2}, 'a repeatable read keeps what it saw');
$connection->query('commit');
is($connection->query('execute p'), $answers{1}, 'the next one does not');

# A version that is dropped may be asked for as long as somebody's snapshot has it.
$connection->query('begin isolation level repeatable read');
$connection->query(q{select mlops.predict('price@2', f) from flat f where id = 17});
$primary->safe_psql('postgres', q{select mlops.drop_model('price', 2)});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
is($connection->query(q{select mlops.predict('price@2', f) from flat f where id = 17}), $answers{2}, 'a version dropped meanwhile');
$connection->query('commit');
$connection->send(q{select mlops.predict('price@2', f) from flat f where id = 17});
like($connection->finish->{error}, qr/^42704.*has no version 2/, 'is gone afterwards');

# ---- Refusals, parallel plans, promotion ----

$connection->send(q{select mlops.train('more', 'flat', 'price')});
like($connection->finish->{error}, qr/^25006/, 'training is refused, as a write');
$connection->query(q{set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; set max_parallel_workers_per_gather = 2});
like($connection->query(q{explain (costs off) select sum(mlops.predict('price', f)) from flat f}), qr/Workers Planned: 2.*Parallel Seq Scan/s, 'a parallel plan');
is($connection->query(q{select round(sum(mlops.predict('price', f))::numeric, 6) from flat f}),
	$primary->safe_psql('postgres', q{select round(sum(mlops.predict('price', f))::numeric, 6) from flat f}), 'gives the same');

$standby->promote;
is($connection->query('execute p'), $answers{1}, 'the standby is promoted, and goes on');
my $promoted = Connection->new($standby);
$promoted->query(q{select mlops.train('price', 'flat', 'price', exclude => '{id,dear}', algorithm => 'baseline'); select mlops.deploy('price')});
is($connection->query('execute p'), $promoted->query(q{select mlops.predict('price@3', f) from flat f where id = 17}), 'with deployments of its own');

$standby->stop;
$primary->stop;
done_testing();
