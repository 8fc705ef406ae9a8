# Through PgBouncer, pooling by transaction: two clients share one server connection, and each gets answers by its own role's rights.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/bin';
plan skip_all => 'SKIP: no pgbouncer on this machine' unless defined $pgbouncer;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mlops'");
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table ask as select 1.5::float8 as x;
	grant select on ask to public;
	select mlops.train('next', format('select %s + n %% 3 * 0.001 as y, n::float8 as x from generate_series(1, 30) n', v), 'y', algorithm => 'baseline')
	  from generate_series(1, 2) v;
	select mlops.deploy('next', 1);
	create role pooled login;
	create role anna;
	create role berta;
	grant anna, berta to pooled;
	alter role pooled noinherit;
	insert into mlops.project_member (project_id, member, access) select id, 'anna', 'predictor' from mlops.project;
});

# A pool of one connection.
package Pool { sub host { return $_[0]{host} } sub port { return $_[0]{port} } }
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $pool = bless { host => $directory, port => PostgreSQL::Test::Cluster::get_free_port() }, 'Pool';
append_to_file("$directory/users.txt", qq{"pooled" ""\n});
append_to_file("$directory/pgbouncer.ini", <<"END");
[databases]
postgres = host=@{[ $node->host ]} port=@{[ $node->port ]} dbname=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = $directory
listen_port = @{[ $pool->port ]}
auth_type = trust
auth_file = $directory/users.txt
pool_mode = transaction
default_pool_size = 1
max_client_conn = 20
END
my $daemon = IPC::Run::start([ $pgbouncer, '-q', "$directory/pgbouncer.ini" ], '<', \undef, '>', "$directory/log", '2>&1');
my $socket = "$directory/.s.PGSQL." . $pool->port;
my $deadline = time + 60;
usleep(10000) while !-S $socket && time < $deadline;
ok(-S $socket, 'PgBouncer runs');

my ($one, $other) = map { Connection->new($pool, user => 'pooled') } 1 .. 2;
my $answer = q{select round(mlops.predict('next', a)) from ask a};
my $process = $one->query('select pg_backend_pid()');
is($other->query('select pg_backend_pid()'), $process, 'both have one server connection');
for my $round (1 .. 3)
{
	is($one->query("begin; set local role anna; $answer; commit"), '1', 'one client gets an answer');
	$other->send("begin; set local role berta; $answer");
	like($other->finish->{error}, qr/^42704/, 'the other has no rights');
	$other->query('rollback');
}

# A deployment between two transactions of a client, seen through the connection that both use.
$node->safe_psql('postgres', q{select mlops.deploy('next', 2)});
is($one->query("begin; set local role anna; $answer; commit"), '2', 'a deployment is seen');
is($one->query(q{begin read only; set local role anna; select round(sum(prediction)) from mlops.predict_batch('next', 'ask');
	select round(sum(contribution)) from ask a, mlops.explain('next', a); select count(*) > 0 from mlops.evaluate('next', 'select *, x as y from ask'); commit}),
	"2\n2\nt", 'batches, explanations and metrics, too');
$one->query("begin read only; set local role anna; declare c cursor for $answer; fetch 1 from c");
$one->query('commit');
$other->query('select 1');
is($node->safe_psql('postgres', q{select sum(pins) from mlops.model_cache}), '0', 'between transactions nothing is pinned');

$_->close for $one, $other;
$daemon->signal('INT');
$daemon->finish;
$node->stop;
done_testing();
