# With the library preloaded a model is in memory once: loaded by one connection, used by all, gone when it is dropped, and never while somebody uses it.

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
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.local_cache_size = '64MB'
	max_connections = 60
	restart_after_crash = on
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table noise as select n as id, sin(n) as a, sin(n * 7.0) as b, sin(n * 13.0) as y from generate_series(1, 6000) n;
	set mlops.threads = 1;
	select mlops.train('m' || v, 'noise', 'y', exclude => '{id}', algorithm => 'random_forest', seed => v,
					   params => jsonb_build_object('n_estimators', case v when 6 then 200 else 10 end), split => '{"test": 0}')
	  from generate_series(1, 6) v;
	create role viewer login;
	create role monitor login in role pg_monitor;
});
# What a model answers.
sub ask { return "select mlops.predict('m$_[0]\@1', n) from noise n where id = 17" }

# A column of the view for a model, in shared memory or elsewhere.
sub cached
{
	my ($model, $column, $where) = @_;
	$where //= 'shared';
	return $node->safe_psql('postgres', "select $column from mlops.model_cache where model = 'm$model' and location = '$where'");
}

# Models in shared memory.
sub models { return $node->safe_psql('postgres', q{select string_agg(model, ' ' order by model) from mlops.model_cache where location = 'shared'}) }

# Waits until a query of ours gives this, through restarts of the server; whether it did.
sub wait_for
{
	my ($query, $expected) = @_;
	my $end = time + 60;
	my $connection;
	while (time < $end)
	{
		$connection //= eval { Connection->new($node) };
		my $answer = eval { $connection->query($query) };
		return 1 if defined $answer && $answer eq $expected;
		undef $connection unless defined $answer;
		usleep(1000);
	}
	return 0;
}

# Room for four models of the five, and not for the sixth.
$node->safe_psql('postgres', ask(1));
my $size = cached(1, 'bytes');
note("a model takes $size bytes");
$node->append_conf('postgresql.conf', 'mlops.shared_cache_size = ' . int($size * 4.6 / 1024) . 'kB');
$node->restart;

# ---- Loading ----

my @connections = map { Connection->new($node) } 1 .. 20;
$_->send(ask(1)) for @connections;
my %answers = map { $_->finish->{rows} => 1 } @connections;
is(scalar(keys %answers), 1, 'twenty connections that begin at once get one answer');
is(cached(1, 'loads'), '1', 'from one load');
is(cached(1, 'hits + loads'), '20', 'which all of them used');
is(cached(1, 'pins'), '0', 'and nobody does any more');
is(cached(1, 'count(*)', 'local'), '0', 'without a copy');
is($connections[3]->query(q{select count(*) from mlops.model_cache where location = 'local'}), '0', 'of any connection');

# ---- Pins ----

my $holder = $connections[0];
$holder->query('begin; declare c cursor for ' . ask(1) . ' or id < 100');
$holder->query('fetch 3 from c');
is(cached(1, 'pins'), '1', 'a cursor that is open holds a pin');
$connections[1]->query('begin; declare c cursor for ' . ask(1) . ' or id < 100; fetch 1 from c');
is(cached(1, 'pins'), '2', 'another one, too');
$connections[1]->query('rollback');
is(cached(1, 'pins'), '1', 'until its transaction ends');
$connections[1]->send('select mlops.predict(\'m1@1\', n), 1 / (id - 17) from noise n where id < 20');
like($connections[1]->finish->{error}, qr/division by zero/, 'after an error');
is(cached(1, 'pins'), '1', 'there is no pin');

# ---- Eviction ----

$connections[2]->query(ask($_)) for 2 .. 4;
is(models(), 'm1 m2 m3 m4', 'four models');
my $before = $holder->query('fetch 1 from c');
$connections[2]->query(ask($_)) for 2, 4, 5;
is(models(), 'm1 m2 m4 m5', 'the one used longest ago, and by nobody, makes room');
is($holder->query('fetch 1 from c') ne '', 1, 'the pinned one goes on answering');
$connections[2]->query(ask(3));
is(models(), 'm1 m3 m4 m5', 'the next one');
is(cached(3, 'loads'), '2', 'its second load is counted');
$holder->query('commit');
is(cached(1, 'pins'), '0', 'a cursor that was closed holds none');

# ---- What does not fit ----

my $log = -s $node->logfile;
$connections[$_]->query(ask(6)) for 4 .. 6;
is($connections[5]->query(q{select location, loads from mlops.model_cache where model = 'm6'}), 'local|1', 'a model that is too large is a copy of the connection');
is(models(), 'm1 m3 m4 m5', 'for which nothing is evicted');
my @lines = slurp_file($node->logfile, $log) =~ /version 1 of model "m6" does not fit into the shared cache/g;
is(scalar(@lines), 1, 'said once in the log');
is(cached(6, 'count(*)', 'shared'), '0', 'and nobody else has it');

# ---- Who sees what ----

is(Connection->new($node, user => 'viewer')->query('select count(*) from mlops.model_cache'), '0', 'a stranger sees no models');
is(Connection->new($node, user => 'monitor')->query('select count(*), count(model), count(bytes) from mlops.model_cache'), '4|0|4',
	'a monitor sees all of them, without names');
$node->safe_psql('postgres', q{create role predictor login; insert into mlops.project_member (project_id, member, access)
	select project_id, 'predictor', 'predictor' from mlops.model where name = 'm1'});
is(Connection->new($node, user => 'predictor')->query(q{select project, version from mlops.model_cache where model = 'm1'}),
	$node->safe_psql('postgres', q{select name from mlops.project}) . '|1', 'a predictor sees them');

# ---- Dropping ----

my $dropper = Connection->new($node);
$dropper->query(q{begin; select mlops.drop_model('m5')});
is(cached(5, 'count(*)'), '1', 'a version that is being dropped is still there');
$dropper->query('rollback');
is(cached(5, 'count(*)'), '1', 'and so it is where that was undone');
$dropper->query(q{select mlops.drop_model('m5')});
is($node->safe_psql('postgres', q{select count(*), count(model) from mlops.model_cache where location = 'shared'}), '3|3', 'then it is freed');
$holder->query('begin isolation level repeatable read; declare c cursor for ' . ask(4) . ' or id < 100; fetch 1 from c');
$dropper->query(q{select mlops.drop_model('m4')});
is($node->safe_psql('postgres', q{select count(*), count(model), sum(pins) from mlops.model_cache where location = 'shared'}), '3|2|1',
	'what is in use is not freed');
is($holder->query('move 50 in c; fetch 1 from c') ne '', 1, 'and answers');
$holder->query('commit');
is($node->safe_psql('postgres', q{select count(*), count(model) from mlops.model_cache where location = 'shared'}), '2|2', 'its last user frees it');
$connections[2]->query(ask(2));
is(models(), 'm1 m2 m3', 'others find room');
$node->safe_psql('postgres', 'create database other');
$node->safe_psql('other', q{create extension mlops; create table noise as select n as id, sin(n) as a, cos(n) as y from generate_series(1, 100) n;
	select mlops.train('o', 'noise', 'y'); select mlops.predict('o@1', n) from noise n limit 1});
my $shown = q{select coalesce(database, '?'), count(*), count(model) from mlops.model_cache group by 1 order by 1};
is($node->safe_psql('other', $shown), "other|1|1\npostgres|3|0", 'another database has its own, and sees no names of ours');
$node->safe_psql('postgres', 'drop database other');
is($node->safe_psql('postgres', $shown), 'postgres|3|3', 'which are gone with it');
$node->safe_psql('postgres', 'create database other');
$node->safe_psql('other', q{create extension mlops; create table noise as select n as id, sin(n) as a, cos(n) as y from generate_series(1, 100) n;
	select mlops.train('o', 'noise', 'y'); select mlops.predict('o@1', n) from noise n limit 1; drop extension mlops});
$node->safe_psql('other', 'create extension mlops');
is($node->safe_psql('other', q{select count(*) from mlops.model_cache where database = 'other'}), '0', 'or with the extension');

# ---- A loader that dies ----

# Catches a connection in the middle of a load and stops it there; a model that is loaded already is dropped from memory by a restart.
my $caught;
for my $attempt (1 .. 50)
{
	$node->restart;
	my $watcher = Connection->new($node);
	my $loader = Connection->new($node);
	my $waiter = Connection->new($node);
	$waiter->query('select 1');
	$loader->send(ask(1));
	my $state = '';
	$state = $watcher->query(q{select location from mlops.model_cache}) while $state eq '';
	next if $state ne 'loading';
	kill 'STOP', $loader->pid;
	if ($watcher->query(q{select location from mlops.model_cache}) ne 'loading') { kill 'CONT', $loader->pid; next }
	$waiter->send(ask(1));
	my $waits = 'select wait_event_type from pg_stat_activity where pid = ' . $waiter->pid;
	if (!wait_for($waits, 'Extension')) { kill 'CONT', $loader->pid; next }
	$caught = $attempt;
	$watcher->query('select pg_terminate_backend(' . $loader->pid . ')');
	kill 'CONT', $loader->pid;
	like($loader->finish->{error}, qr/terminating connection/, 'a loader that is terminated');
	ok(exists $answers{ $waiter->finish->{rows} }, 'is replaced by one that waited for it');
	is(cached(1, q{loads, pins}), '1|0', 'whose load is the only one, and nothing is pinned');
	last;
}
ok($caught, 'a load was caught in the middle');
note("at attempt $caught");

# ---- Crash ----

for my $signal (qw(ABRT KILL))
{
	my $victim = Connection->new($node);
	$victim->query('begin; declare c cursor for ' . ask(1) . ' or id < 100; fetch 1 from c');
	is(cached(1, 'pins'), '1', "before SIG$signal there is a pin");
	kill $signal, $victim->pid;
	$victim->finish;
	ok(wait_for('select count(*) from mlops.model_cache', '0'), 'the server comes back with nothing in memory');
	ok(exists $answers{ $node->safe_psql('postgres', ask(1)) }, 'after the crash the answer is the same');
	is(cached(1, 'loads, pins'), '1|0', 'loaded anew, and not pinned');
}

# ---- More models than there are entries ----

$node->append_conf('postgresql.conf', q{mlops.shared_cache_size = '1MB'});
$node->restart;
$node->safe_psql('postgres', q{select mlops.train('many', format('select n + %s as y, n as x from generate_series(1, 30) n', v), 'y', algorithm => 'baseline', split => '{"test": 0}')
	from generate_series(1, 70) v});
my $asker = Connection->new($node);
for my $round (1 .. 2)
{
	is($asker->query(q{select count(distinct mlops.predict('many@' || v, '{"x": 1}'::jsonb)) from generate_series(1, 70) v}), '70',
		"seventy small models, round $round");
}
is($asker->query(q{select count(*) from mlops.model_cache where location = 'shared'}), '64', 'of which the cache has entries for sixty-four');

# ---- Without shared memory ----

$node->append_conf('postgresql.conf', 'mlops.shared_cache_size = 0');
$node->restart;
my $alone = Connection->new($node);
ok(exists $answers{ $alone->query(ask(1)) }, 'a cache of no size');
is($alone->query('select location, pins from mlops.model_cache'), 'local|0', 'means copies');

$node->stop;
done_testing();
