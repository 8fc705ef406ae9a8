# Predictions where applications make them: in read-only transactions, in parallel workers, by cursors, through a pool of connections by transaction.

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
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mlops'");
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table flat as select n as id, (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms,
								(n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 as price from generate_series(1, 5000) n;
	analyze flat;
	grant select on flat to public;
	select mlops.train('price', 'flat', 'price', exclude => '{id}', params => '{"n_estimators": 20}');
	select mlops.deploy('price');
	create role anna login;
	create role berta login;
	insert into mlops.project_member (project_id, member, access) select id, 'anna', 'predictor' from mlops.project;
});
my $connection = Connection->new($node);
my $sum = q{select round(sum(mlops.predict('price', f))::numeric, 6) from flat f};
my $expected = $connection->query($sum);

# ---- Read-only transactions ----

is($connection->query("begin read only; $sum"), $expected, 'a read-only transaction');
is($connection->query(q{select count(*) > 0 from mlops.evaluate('price', 'flat')}), 't', 'which may evaluate, too');
is($connection->query(q{select round(sum(prediction)::numeric, 6) from mlops.predict_batch('price', 'flat')}), $expected, 'predict a batch');
is($connection->query(q{select round(sum(e.contribution)::numeric, 6) from flat f, mlops.explain('price', f) e}), $expected, 'explain');
is($connection->query(q{declare c cursor for select mlops.predict('price', f) > 0 from flat f order by id; fetch 2 from c; commit}), "t\nt", 'and open a cursor');
is($connection->query(q{select txid_current_if_assigned() is null}), 't', 'nothing of it takes a transaction number');

# ---- Parallel workers ----

$connection->query(q{set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; set max_parallel_workers_per_gather = 2});
like($connection->query("explain (costs off) $sum"), qr/Workers Planned: 2.*Partial Aggregate.*Parallel Seq Scan on flat/s, 'a parallel plan');
like($connection->query("explain (analyze, costs off, timing off) $sum"), qr/Workers Launched: 2/, 'is run by workers');
is($connection->query($sum), $expected, 'and gives the same');
like($connection->query(q{explain (costs off) select id from flat f where mlops.predict('price', f) > 300}),
	qr/Gather.*Parallel Seq Scan on flat.*Filter: .*predict/s, 'a condition on a prediction is parallel, too');
is($connection->query(q{begin; select mlops.deploy('price', version) is not null from mlops.train('price', 'flat', 'price', exclude => '{id}', algorithm => 'baseline');
	select count(distinct round(mlops.predict('price', f)::numeric, 6)) from flat f; rollback}) =~ /\n1$/, 1, 'workers see a deployment of their leader\'s transaction');
is($connection->query($sum), $expected, 'which was undone');

# Explanations are made by workers; a batch's source is scanned by them, where its rows say who read them.
like($connection->query(q{explain (analyze, costs off, timing off) select sum(e.contribution) from flat f, mlops.explain('price', f) e}),
	qr/Workers Launched: 2.*Parallel Seq Scan on flat.*Function Scan on explain/s, 'workers explain');
$connection->query(q{create function reader() returns int language plpgsql parallel safe as 'begin return pg_backend_pid(); end'; set parallel_leader_participation = off});
is($connection->query(q{select count(*), count(distinct id) > 0, bool_or(id::int = pg_backend_pid()) from mlops.predict_batch('price', 'select *, reader() as reader from flat', id => 'reader')}),
	'5000|t|f', 'workers read what a batch predicts');
is($connection->query(q{select round(sum(prediction)::numeric, 6) from mlops.predict_batch('price', 'flat')}), $expected, 'and its predictions are the same');
$connection->query('reset all');

# ---- Plans that are kept, either way ----

my $twist = 1;
for my $mode (qw(auto force_generic_plan force_custom_plan))
{
	$connection->query("set plan_cache_mode = $mode; prepare p(int, text) as select mlops.predict(\$2, f) = mlops.predict('price', f) from flat f where id = \$1");
	is(join('', map { $connection->query("execute p($_, 'price\@1')") } 1 .. 8), 't' x 8, "eight times prepared, $mode");
	$connection->query('deallocate p');

	# what a batch and an explanation say when a version is deployed between two executions
	$connection->query(q{prepare b as select round(sum(prediction)::numeric, 6) from mlops.predict_batch('price', 'flat');
		prepare e as select round(sum(e.contribution)::numeric, 6) from flat f, mlops.explain('price', f) e});
	my $before = $connection->query('execute b');
	is($connection->query('execute e'), $before, "both prepared, $mode");
	$twist++;
	$connection->query("select mlops.train('price', 'select *, area * $twist as twist from flat', 'twist', features => '{area,rooms}', algorithm => 'linear_regression')");
	$connection->query(q{select mlops.deploy('price')});
	my $after = $connection->query($sum);
	isnt($after, $before, 'another version');
	is($connection->query('execute b') . ' ' . $connection->query('execute e'), "$after $after", 'is what they say next');
	$connection->query(q{deallocate b; deallocate e; select mlops.deploy('price', 1)});
}

# ---- A pool of connections, by transaction ----
# What a pool such as PgBouncer does: two clients take turns on one server connection, each transaction may meet another connection,
# nothing is prepared, and the role is set for each.

my @pool = map { Connection->new($node) } 1 .. 2;
my $one = q{select round(mlops.predict('price', f)::numeric, 6) from flat f where id = 17};
my $answer = $connection->query($one);
for my $turn (1 .. 12)
{
	my $server = $pool[ $turn % 3 % 2 ];
	if ($turn % 2)
	{
		is($server->query("begin; set local role anna; $one; commit"), $answer, "turn $turn: who may, gets an answer");
	}
	else
	{
		$server->send("begin; set local role berta; $one; commit");
		like($server->finish->{error}, qr/^42704/, "turn $turn: who may not, gets none");
		$server->query('rollback');
	}
}
is($_->query('discard all'), '', 'a connection is handed back') for @pool;
is($pool[0]->query(q{select bool_and(location = 'shared' and pins = 0) from mlops.model_cache}), 't', 'nothing stays pinned');

$node->stop;
done_testing();
