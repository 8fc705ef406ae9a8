# Without preloading, a connection keeps the models that it used and what explains them as far as mlops.local_cache_size goes, and no pin outlives its query.

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
$node->start;

# Version n of "next" answers n; "sort" has three classes.
$node->safe_psql('postgres', q{
	create extension mlops;
	create table ask as select 1.5::float8 as x;
	select mlops.train('next', format('select %s + n %% 3 * 0.001 as y, n::float8 as x from generate_series(1, 30) n', v), 'y', algorithm => 'baseline')
	  from generate_series(1, 3) v;
	select mlops.import_model('same', mlops.export_model('next@2'));
	create table thing as select n as id, n % 7 as a, n * 3 % 11 as b, (n % 7 + n * 3 % 11) / 6 as kind from generate_series(1, 500) n;
	select mlops.train('sort', 'thing', 'kind', exclude => '{id}', params => '{"n_estimators": 20}');
});

# What the version answers.
sub answer { my ($reference) = @_; return "select round(mlops.predict('$reference', a)) from ask a" }

# A connection with a budget.
sub connection
{
	my ($size) = @_;
	my $connection = Connection->new($node);
	$connection->query("load 'mlops'; set mlops.local_cache_size = '$size'");
	return $connection;
}

# The models in its memory: their contexts, and what it says of itself.
sub models
{
	my ($connection) = @_;
	my $contexts = $connection->query(q{select count(*) from pg_backend_memory_contexts where name = 'mlops model'});
	my $shown = $connection->query(q{select count(distinct (bytes, last_use, loads, hits)) from mlops.model_cache where location = 'local'});
	return $contexts == $shown ? $contexts : "$contexts, but $shown are shown";
}

# ---- Models ----

my $none = connection('0');
is($none->query(answer('next@1')), '1', 'without room a model answers');
is(models($none), '0', 'and is gone when its query ends');
$none->query(q{begin; declare c cursor for select round(mlops.predict('next@1', a)) from ask a, generate_series(1, 3); fetch 1 from c});
is(models($none), '1', 'not while its query runs');
is($none->query(q{select model, version, pins from mlops.model_cache}), 'next|1|1', 'which uses it');
$none->query('close c; commit');
is(models($none), '0', 'but then');
$none->send(q{select mlops.predict('next@1', a), 1 / (x - x) from ask a});
like($none->finish->{error}, qr/division by zero/, 'an error');
is(models($none), '0', 'leaves none');
is($none->query(q{begin; savepoint s}), '', 'in a subtransaction');
$none->send(q{select mlops.predict('next@1', a), mlops.predict('next@2', r) from ask a, (select 1 as other) r});
like($none->finish->{error}, qr/^42703/, 'an error of the second of two models');
$none->query('rollback to s');
is(models($none), '0', 'leaves neither');
$none->query('rollback');

my $some = connection('256MB');
is(join(' ', map { $some->query(answer($_)) } 'next@1', 'next@2', 'next@3', 'next@1'), '1 2 3 1', 'with room');
is(models($some), '3', 'they stay');
is($some->query(q{select string_agg(version || ':' || loads || ':' || hits || ':' || pins, ' ' order by version) from mlops.model_cache where model = 'next'}),
	'1:1:1:0 2:1:0:0 3:1:0:0', 'loaded once, found the next time, used by nobody now');
is($some->query(answer('same@1')), '2', 'a model of equal bytes');
is(models($some), '3', 'is the same in memory');
my $bytes = $some->query(q{select max(bytes) from mlops.model_cache where model = 'next'});
$some->query('set mlops.local_cache_size = ' . int($bytes * 2.5 / 1024 + 1));
$some->query(answer('next@1'));
is($some->query(answer('next@2')), '2', 'with room for some');
like(models($some), qr/^[12]$/, 'some stay');
is($some->query(q{select max(last_use) = (select last_use from mlops.model_cache where model = 'next' and version = 2) from mlops.model_cache}), 't', 'the latest');

# ---- Explanations ----

my $explains = q{select count(*) || ' ' || coalesce(sum(pins), 0) from mlops.model_cache where location = 'explain'};
my $explain = q{select count(*) from thing t, mlops.explain_class('sort@1', t, '%s') where t.id <= 3};
my $explainer = connection('256MB');
$explainer->query(sprintf($explain, $_)) for 0 .. 2, 0;
is($explainer->query($explains), '3 0', 'what explains a class of a model stays, too');
is($explainer->query(q{select model, version, sum(loads), sum(hits), bool_and(bytes > 1000) from mlops.model_cache where location = 'explain' group by 1, 2}),
	'sort|1|3|1|t', 'made once, found the next time');
$explainer->query(q{begin; declare c cursor for } . sprintf($explain, 1) =~ s/count\(\*\)/t.id/r . q{; fetch 1 from c});
is($explainer->query($explains), '3 1', 'in use');
$explainer->query(q{set mlops.local_cache_size = 0});
is($explainer->query(answer('next@1')), '1', 'where room is needed');
is($explainer->query($explains), '1 1', 'those that nobody uses make it');
$explainer->query('commit');
is($explainer->query($explains), '0 0', 'and the last one when its query ends');
is(models($explainer), '0', 'with its model');
my $model_bytes = connection('256MB');
$model_bytes->query(sprintf($explain, 0));
my $budget = int($model_bytes->query(q{select sum(bytes) from mlops.model_cache}) / 1024) + 2;
my $tight = connection("${budget}kB");
is(join(' ', map { $tight->query(sprintf($explain, $_)) } 0 .. 2), '9 9 9', 'in room for one model and one class');
is($tight->query($explains) . ', ' . models($tight), '1 0, 1', 'these are kept');

$node->stop;
done_testing();
