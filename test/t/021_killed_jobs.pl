# Workers, scheduler and launcher are killed at fifty random points: no run stays behind as running, and each is done once or not at all.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('killed');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	restart_after_crash = on
	mlops.max_jobs = 3
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table done (what int);
	create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 2000) n;
	select mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id}');
	select mlops.deploy('price');
	create table scored (id bigint, prediction float8);
});

# A connection, as soon as the server gives one.
sub connection
{
	for (1 .. 1200)
	{
		my $connection = eval { Connection->new($node) };
		return $connection if $connection;
		sleep 0.05;
	}
	die 'the server did not come back';
}

# Asks, again where the server goes down meanwhile.
sub ask
{
	my ($query) = @_;
	for (1 .. 600)
	{
		my $answer = eval { connection()->query($query) };
		return $answer if defined $answer;
	}
	die "no answer to $query: $@";
}

my $seed = $ENV{MLOPS_SEED} // time;
srand($seed);
note("MLOPS_SEED=$seed");

# Work for all the time: statements, trainings, and scorings in batches.
my $n = 0;
sub submit_more
{
	my $connection = connection();
	$connection->query('begin');
	for (1 .. 6)
	{
		$n++;
		$connection->query(qq{select mlops.submit('sql', '{"statement": "insert into done values ($n); select pg_sleep(0.05)"}', 100, '10 ms')});
	}
	$connection->query(q{select mlops.submit('train', '{"model": "other", "source": "house", "target": "price", "algorithm": "baseline"}', 100, '10 ms')});
	$connection->query(q{select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "scored", "key": "id", "batch": 50}', 100, '10 ms')});
	$connection->query('commit');
	return;
}

my %killed;
for my $kill (1 .. 50)
{
	my $type = $kill % 10 == 0 ? 'mlops launcher' : $kill % 10 < 3 ? 'mlops scheduler' : 'mlops worker';
	my @processes;
	while (!@processes)
	{
		my $connection = connection();
		my $left = eval { $connection->query('select count(*) from mlops.job_run where finished_at is null') };
		next if !defined $left;
		if ($left < 6)
		{
			eval { submit_more() };
			die $@ if $@ && $@ !~ /closed the connection|57P0|connect/;
		}
		@processes = eval { split /\n/, $connection->query(qq{select pid from pg_stat_activity where backend_type = '$type'}) };
	}
	sleep rand 0.05 if $type eq 'mlops worker';
	redo if !kill 'KILL', $processes[rand @processes];
	$killed{$type}++;
}
# How much work there was depends on the machine's speed; this much there always is.
while (ask(q{select count(*) from mlops.job where kind = 'sql'}) <= 20)
{
	eval { submit_more() };
	die $@ if $@ && $@ !~ /closed the connection|57P0|connect/;
}
note(join(', ', map { "$_: $killed{$_}" } sort keys %killed));
cmp_ok($killed{'mlops worker'} // 0, '==', 35, 'workers were killed');

my $unfinished = 1;
for (1 .. 1200)
{
	$unfinished = ask('select count(*) from mlops.job_run where finished_at is null');
	last if $unfinished == 0;
	sleep 0.1;
}
is($unfinished, 0, 'every run came to an end');
is(ask(q{select string_agg(distinct state, ',') from mlops.job_run}), 'succeeded', 'those that may begin again succeeded');
cmp_ok(ask(q{select sum(attempts - 1) from mlops.job_run}), '>', 5, 'some of them in several attempts');
is(ask(q{select count(*) from done d full join (select substring(args ->> 'statement' from '[(]([0-9]+)')::int as what from mlops.job where kind = 'sql') j using (what)
	where d is null or j is null}) . '|' . ask(q{select count(*) - count(distinct what) from done}), '0|0', 'statements were done once each');
cmp_ok(ask('select count(*) from done'), '>', 20, 'there were some');
my $scorings = ask(q{select count(*) from mlops.job_run where kind = 'score_table'});
is(ask(q{select min(n), max(n), count(*) from (select count(*) as n from scored group by id) x}), "$scorings|$scorings|2000", 'each row was scored once a scoring');
my $trainings = ask(q{select count(*) from mlops.job_run where kind = 'train'});
is(ask(q{select count(*) from mlops.model_version v join mlops.model m on m.id = v.model_id where m.name = 'other'}), $trainings, 'each training has made one version');

# ---- Policy ----

sub submit_sleep
{
	my ($attempts) = @_;
	my $job = ask(qq{select mlops.submit('sql', '{"statement": "select pg_sleep(3600)"}', $attempts, '10 ms')});
	$node->poll_query_until('postgres', qq{select state = 'running' from mlops.job_run where job_id = $job}) or die 'the job did not begin';
	return $job;
}

my $worker = q{select pid from pg_stat_activity where backend_type = 'mlops worker'};
my $job = submit_sleep(1);
kill 'KILL', ask($worker);
is(ask("select mlops.wait_for($job, '60 s')"), 'failed', 'a run that may begin once fails');
like(ask("select message from mlops.job_run where job_id = $job"), qr/worker was terminated, or the server went down/, 'and says why');

$job = submit_sleep(2);
my $first = ask($worker);
ask("select pg_terminate_backend($first)");
$node->poll_query_until('postgres', qq{select state = 'running' and attempts = 2 from mlops.job_run where job_id = $job}) or die 'the job did not begin again';
pass('one that may begin twice does, when its worker is terminated');
isnt(ask($worker), $first, 'by another worker');
ask("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'mlops worker'");
is(ask("select mlops.wait_for($job, '60 s')"), 'failed', 'and not a third time');

# A launcher that is terminated comes back, and finds what workers do.
$job = submit_sleep(1);
ask(q{select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'mlops launcher'});
my $after = ask(q{select mlops.submit('sql', '{"statement": "select 1"}')});
is(ask("select mlops.wait_for($after, '60 s')"), 'succeeded', 'a launcher that was terminated comes back');
is(ask("select state, attempts from mlops.job_run where job_id = $job"), 'running|1', 'and lets workers work');
ask("select mlops.cancel_job($job)");
is(ask("select mlops.wait_for($job, '60 s')"), 'cancelled', 'until they are cancelled');

# A restart in the middle.
$job = submit_sleep(2);
$node->restart('fast');
$node->poll_query_until('postgres', qq{select state = 'running' and attempts = 2 from mlops.job_run where job_id = $job}) or die 'the job did not begin again';
pass('a restart begins it again');
ask("select mlops.cancel_job($job)");
is(ask("select mlops.wait_for($job, '60 s')"), 'cancelled', 'it ends');

$node->stop;
done_testing();
