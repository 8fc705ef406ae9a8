# pg_upgrade carries everything over; no worker of ours runs while it works.

use strict;
use warnings;

use File::Find;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $settings = q{
	shared_preload_libraries = 'mlops'
	mlops.job_history = '3650d'
	timezone = 'UTC'
	log_min_messages = debug1
};
my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->append_conf('postgresql.conf', $settings);
$old->start;
$old->safe_psql('postgres', q{
	create extension mlops;
	create table done (what text, at timestamptz default clock_timestamp());
	create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 500) n;
	select mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id}');
	select mlops.deploy('price', capture => '{"key": "id"}');
	select count(mlops.predict('price', h)) from house h;
	select mlops.flush_capture('60 s');
	select mlops.set_retention('price', '1000 days');
	select mlops.schedule_job('nightly', '15 2 * * *', 'sql', '{"statement": "insert into done values (''nightly'')"}');
});
my $once = $old->safe_psql('postgres', q{select mlops.submit('sql', '{"statement": "insert into done values (''once'')"}')});
is($old->safe_psql('postgres', "select mlops.wait_for($once, '60 s')"), 'succeeded', 'a job');

# What does not depend on when it is asked.
my $state = q{
	select md5(string_agg(c::text, ',' order by c::text)) from mlops.model_chunk c;
	select count(*), sum(prediction), sum((features ->> 'area')::int) from mlops.captured;
	select id, name, schedule, next_run, owner, session_role from mlops.job where schedule is not null order by id;
	select job_id, state, attempts, message, finished_at from mlops.job_run where finished_at is not null order by id;
	select sum(mlops.predict('price@1', h)) from house h;
};
my $before = $old->safe_psql('postgres', $state);

# Something is queued, and everything is due long since, while pg_upgrade starts the old and the new server.
$old->safe_psql('postgres', q{begin; select mlops.submit('sql', '{"statement": "insert into done values (''queued'')"}'); update mlops.job set enabled = false where schedule is null; commit});
$old->stop;
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
$new->append_conf('postgresql.conf', $settings);
for my $node ($old, $new)
{
	$node->append_conf('postgresql.conf', q{mlops.now = '2099-01-01 00:00+00'});
}
my $bin = $old->config_data('--bindir');
my $directory = PostgreSQL::Test::Utils::tempdir;
chdir $directory or die;
command_ok([ 'pg_upgrade', '--no-sync', '--retain', '--old-bindir', $bin, '--new-bindir', $bin, '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir,
		'--socketdir', $old->host, '--old-port', $old->port, '--new-port', $new->port ], 'pg_upgrade');
chdir $FindBin::RealBin or die;

# The servers' output while it worked.
my @logs;
find(sub { push @logs, $File::Find::name if /^pg_upgrade_server.*\.log$/ || /^pg_upgrade_utility.*\.log$/ }, $new->data_dir . '/pg_upgrade_output.d');
cmp_ok(scalar(@logs), '>', 0, 'it has a log');
my $log = join('', map { slurp_file($_) } @logs);
like($log, qr/database system is ready to accept connections/, 'of its servers');
like($log, qr/registering background worker "logical replication launcher"/, 'which had workers');
unlike($log, qr/background worker (process )?"mlops/, 'but none of ours');

$new->append_conf('postgresql.conf', q{mlops.now = ''});
$new->start;
is($new->safe_psql('postgres', q{select string_agg(what, ',') from done}), 'once', 'nothing was done');
is($new->safe_psql('postgres', $state), $before, 'all is as it was');
$new->safe_psql('postgres', 'update mlops.job set enabled = true where schedule is null');
ok($new->poll_query_until('postgres', q{select count(*) = 1 from done where what = 'queued'}), 'what was queued is done');
$new->safe_psql('postgres', q{select count(mlops.predict('price', h)) from house h; select mlops.flush_capture('60 s')});
is($new->safe_psql('postgres', 'select count(*) from mlops.captured'), '1000', 'capture goes on');
$new->safe_psql('postgres', q{alter system set mlops.now = '2099-01-01 00:00+00'; select pg_reload_conf()});
ok($new->poll_query_until('postgres', q{select count(*) = 1 from done where what = 'nightly'}), 'and so do schedules');
$new->stop;
done_testing();
