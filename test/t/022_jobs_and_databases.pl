# Workers keep nobody from dropping, renaming, copying and moving databases; a hundred databases; too few worker processes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('databases');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.max_jobs = 4
	mlops.job_history = '3650d'
	max_worker_processes = 20
	fsync = off
});
$node->start;
$node->safe_psql('postgres', 'create role owner login createdb; create role stranger login createdb');

my $sleep = q{select mlops.submit('sql', '{"statement": "select pg_sleep(3600)"}', 20, '10 ms')};

# Whether a job of a database runs now.
sub job_runs
{
	my ($database) = @_;
	return $node->poll_query_until('postgres', "select count(*) = 1 from pg_stat_activity where backend_type = 'mlops worker' and datname = '$database' and query ~ 'mlops job'");
}

# Runs a command while a job runs; it must succeed within the five seconds that PostgreSQL waits for others.
sub with_job
{
	my ($database, $command, $user) = @_;
	job_runs($database) or die "no job runs in $database";
	my $connection = Connection->new($node, user => $user // 'owner', dbname => 'postgres');
	$connection->send($command);
	my $error = $connection->finish->{error};
	is($error, undef, $command);
	return;
}

$node->safe_psql('postgres', 'create database a owner owner');
$node->safe_psql('a', "create extension mlops; $sleep");
job_runs('a');
my $stranger = Connection->new($node, user => 'stranger');
$stranger->send('drop database a');
like($stranger->finish->{error}, qr/^42501 /, 'a stranger cannot drop it');
is($node->safe_psql('a', 'select attempts from mlops.job_run'), '1', 'and does not end its jobs');
with_job('a', 'alter database a rename to b');
ok(job_runs('b'), 'the job begins again under the new name');
with_job('b', 'create database c template b');
ok(job_runs('b'), 'and behind a copy');
my $place = PostgreSQL::Test::Utils::tempdir;
$node->safe_psql('postgres', "create tablespace place owner owner location '$place'");
$node->safe_psql('postgres', 'drop database c with (force)');
with_job('b', 'alter database b set tablespace place');
ok(job_runs('b'), 'and behind a move');
cmp_ok($node->safe_psql('b', 'select attempts from mlops.job_run'), '>=', 4, 'each time in another attempt');
my $log = -s $node->logfile;
with_job('b', 'drop database b');
is($node->safe_psql('postgres', q{select count(*) from pg_database where datname in ('a', 'b')}), '0', 'it is gone');
$node->safe_psql('postgres', q{create database d});
$node->safe_psql('d', "create extension mlops; $sleep");
job_runs('d');
unlike(slurp_file($node->logfile, $log), qr/FATAL:  database/, 'and nobody looks for it');

# ---- The extension ----

$node->safe_psql('d', 'drop extension mlops');
$node->poll_query_until('postgres', q{select count(*) = 0 from pg_stat_activity where backend_type = 'mlops worker'});
pass('DROP EXTENSION does not wait for jobs');
$node->safe_psql('d', 'create extension mlops');
my $job = $node->safe_psql('d', q{select mlops.submit('sql', '{"statement": "reindex table mlops.job_run"}')});
is($node->safe_psql('d', "select mlops.wait_for($job, '60 s')"), 'succeeded', 'and runs jobs, even one that reindexes its tables');
$node->safe_psql('d', 'begin; drop extension mlops; rollback');
$job = $node->safe_psql('d', $sleep);
job_runs('d');
$node->safe_psql('d', 'begin; drop extension mlops; rollback');
$node->poll_query_until('d', "select state = 'running' and attempts = 2 from mlops.job_run where job_id = $job");
is($node->safe_psql('d', "select state, attempts from mlops.job_run where job_id = $job"), 'running|2', 'a DROP EXTENSION that is undone costs an attempt');
$node->safe_psql('d', 'reindex database d');
pass('REINDEX DATABASE waits for no job');
$node->safe_psql('postgres', 'drop database d');

# ---- A hundred databases ----

$node->safe_psql('postgres', 'create database pattern');
$node->safe_psql('pattern', q{create extension mlops; create table done (at timestamptz default clock_timestamp())});
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-01 00:00+00'; select pg_reload_conf()});
$node->poll_query_until('postgres', q{select current_setting('mlops.now') <> ''});
$node->safe_psql('pattern', q{select mlops.schedule_job('nightly', '15 2 * * *', 'sql', '{"statement": "insert into done default values"}')});
$node->safe_psql('postgres', join(';', map { "create database many_$_ template pattern" } 1 .. 100));
$node->safe_psql('postgres', q{alter system set mlops.now = '2026-01-01 02:15+00'; select pg_reload_conf()});
my $done = 0;
for my $n (1 .. 100)
{
	$done++ if $node->poll_query_until("many_$n", q{select count(*) = 1 from mlops.job_run where state = 'succeeded'});
}
is($done, 100, 'the same job of a hundred databases');
is(join(',', map { $node->safe_psql("many_$_", 'select count(*) from done') } 1, 50, 100), '1,1,1', 'runs once in each');
ok($node->poll_query_until('postgres', q{select count(*) = 0 from pg_stat_activity where backend_type in ('mlops scheduler', 'mlops worker')}), 'and then nobody is connected');

# ---- Too few processes ----

$node->stop;
$node = PostgreSQL::Test::Cluster->new('few');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.max_jobs = 4
	max_worker_processes = 4
});
$node->start;
$node->safe_psql('postgres', 'create database pattern');
$node->safe_psql('pattern', 'create extension mlops; create table held (a int)');
my $holder = Connection->new($node, dbname => 'pattern');
$holder->query('begin; lock table held');
$log = -s $node->logfile;
my @jobs = map { $node->safe_psql('pattern', q{select mlops.submit('sql', '{"statement": "insert into held values (1)"}')}) } 1 .. 4;
$node->poll_query_until('postgres', q{select count(*) = 1 from pg_stat_activity where backend_type = 'mlops worker'}) or die;
$node->wait_for_log(qr/mlops has to wait for a free background worker/, $log);
pass('where no process is free, the log says so');
$holder->query('commit');
is($node->safe_psql('pattern', "select mlops.wait_for($_, '60 s')"), 'succeeded', "job $_ waits for its turn") for @jobs;
my @lines = slurp_file($node->logfile, $log) =~ /has to wait for a free background worker/g;
is(scalar(@lines), 1, 'once');

$node->stop;
done_testing();
