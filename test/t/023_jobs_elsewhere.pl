# Jobs where the server is a standby, is promoted, restored from a dump, or has not preloaded the library.

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
	mlops.job_history = '3650d'
	timezone = 'UTC'
});
$primary->start;
$primary->safe_psql('postgres', q{
	create extension mlops;
	create role jane login;
	create table done (what text);
	grant insert on done to public;
});
$primary->safe_psql('postgres', q{set session authorization jane; select mlops.schedule_job('nightly', '15 2 * * *', 'sql', '{"statement": "insert into done values (''nightly'')"}')});
my $job = $primary->safe_psql('postgres', q{select mlops.submit('sql', '{"statement": "insert into done values (''once'')"}')});
$primary->safe_psql('postgres', "select mlops.wait_for($job, '60 s')");

# ---- A standby ----

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', q{mlops.now = '2099-01-01 00:00+00'});
$standby->start;
my $there = Connection->new($standby);
is($there->query(q{select count(*) from pg_stat_activity where backend_type like 'mlops %'}), '0', 'a standby has no launcher');
is($there->query(qq{select state from mlops.job_run where job_id = $job}), 'succeeded', 'and shows what was done');
$there->send(q{select mlops.submit('sql', '{"statement": "select 1"}')});
like($there->finish->{error}, qr/^25006 /, 'jobs are refused there, as writes');
is($there->query(qq{select mlops.wait_for($job)}), 'succeeded', 'one may ask for one');
$standby->promote;
$standby->poll_query_until('postgres', q{select count(*) = 1 from done where what = 'nightly'}) or die 'the schedule was not taken up';
is($standby->safe_psql('postgres', q{select state from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = 'nightly'}), 'succeeded', 'once promoted, it takes up schedules');
is($primary->safe_psql('postgres', q{select count(*) from done where what = 'nightly'}), '0', 'the primary has its own');
$standby->stop;

# ---- A dump ----

$primary->safe_psql('postgres', q{begin; lock table done; select mlops.submit('sql', '{"statement": "insert into done values (''never'')"}'); create role gone login; commit});
$primary->safe_psql('postgres', q{set session authorization gone; select mlops.schedule_job('lost', '1 day', 'sql', '{"statement": "select 1"}')});
my $holder = Connection->new($primary);
$holder->query('begin; lock table done');
my $queued = $primary->safe_psql('postgres', q{select mlops.submit('sql', '{"statement": "insert into done values (''queued'')"}')});
$primary->poll_query_until('postgres', qq{select state = 'running' from mlops.job_run where job_id = $queued});
$primary->safe_psql('postgres', q{drop role gone});
my $dump = "$PostgreSQL::Test::Utils::tmp_check/jobs.sql";
$primary->safe_psql('postgres', 'create database copy');
$holder->query('rollback; begin; lock table done in share row exclusive mode');
$primary->command_ok([ 'pg_dump', '-d', $primary->connstr('postgres'), '-f', $dump ], 'a dump while a job runs');
$holder->query('rollback');
$primary->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $primary->connstr('copy'), '-f', $dump ], 'is restored');
is($primary->safe_psql('copy', q{select string_agg(name || ' ' || schedule || ' ' || owner, ', ') from mlops.job where name is not null}), 'nightly 15 2 * * * jane',
	'with schedules of roles that exist');
is($primary->safe_psql('copy', qq{select state from mlops.job_run where job_id = $job}), 'succeeded', 'with what was done');
is($primary->safe_psql('copy', q{select count(*) from mlops.job_run where finished_at is null}), '0', 'and without what was not');
$primary->safe_psql('postgres', q{alter system set mlops.now = '2099-01-01 00:00+00'; select pg_reload_conf()});
$primary->poll_query_until('copy', q{select count(*) = 1 from done where what = 'nightly'}) or die 'the schedule was not taken up';
pass('schedules go on in the copy');
my $next = $primary->safe_psql('copy', q{select mlops.submit('sql', '{"statement": "select 1"}')});
is($primary->safe_psql('copy', "select mlops.wait_for($next, '60 s')"), 'succeeded', 'and jobs are made');

# ---- Not preloaded ----

$primary->append_conf('postgresql.conf', q{
	shared_preload_libraries = ''
});
$primary->restart;
my $bare = Connection->new($primary);
for my $call (q{mlops.submit('sql', '{"statement": "select 1"}')}, q{mlops.schedule_job('x', '1 day', 'sql', '{"statement": "select 1"}')}, "mlops.wait_for($job)",
	q{(select job_id from mlops.train('m', 'select n as a, n as y from generate_series(1, 100) n', 'y', background => true))})
{
	$bare->send("select $call");
	like($bare->finish->{error}, qr/^55000 there are no background workers to run jobs/, "without the library preloaded: $call");
}
is($bare->query(q{select count(*) from mlops.progress}), '0', 'no progress is shown');
is($bare->query(q{update mlops.job set enabled = false where name = 'nightly' returning enabled}), 'f', 'jobs may be switched off');
is($bare->query(q{select version from mlops.train('m', 'select n as a, n as y from generate_series(1, 100) n', 'y', 'baseline')}), '1', 'and all else works');

# Deploying says that nothing will be captured.
my ($status, undef, $said) = $primary->psql('postgres', q{select mlops.deploy('m')});
is($status, 0, 'a model is deployed');
like($said, qr/NOTICE:  predictions of this deployment are not captured/, 'which says that nothing is captured');
($status, undef, $said) = $primary->psql('postgres', q{select mlops.undeploy('m'); select mlops.deploy('m', capture => '{"mode": "queue"}')});
is($status, 0, 'and to be captured');
like($said, qr/NOTICE:  predictions are not captured before the server has a queue/, 'which says when');
($status, undef, $said) = $primary->psql('postgres', q{select mlops.undeploy('m'); select mlops.deploy('m', capture => '{"mode": "off"}')});
is($status, 0, 'and not to be captured');
unlike($said, qr/captured/, 'which says nothing of the kind');
is($bare->query(q{select mlops.predict('m', '{"a": 1}'::jsonb) is not null}), 't', 'predictions go on');
is($bare->query('select count(*) from mlops.captured'), '0', 'uncaptured');

$primary->stop;
done_testing();
