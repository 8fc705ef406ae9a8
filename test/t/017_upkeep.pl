# What goes on by itself: outcomes that a bound query finds later are recorded, and what is too old is removed, whether predictions are made or not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('upkeep');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.job_history = '3650d'
	timezone = 'UTC'
	autovacuum = off
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role ann login;
	create role norma;
	create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 100) n;
	create table sale (id int, price float8, at timestamptz default clock_timestamp());
	grant select on house, sale to ann, norma;
	select mlops.create_project('homes');
	select mlops.grant_access('homes', 'ann', 'predictor'), mlops.grant_access('homes', 'norma', 'predictor');
	select mlops.train('homes/price', 'house', 'price', 'linear_regression', exclude => '{id}');
	select mlops.deploy('price', capture => '{"key": "id"}');
	select count(mlops.predict('price', h)) from house h;
	select mlops.flush_capture('60 s');
	insert into sale select id, price from house where id <= 10;
});

sub ask { return $node->safe_psql('postgres', $_[0]) }
sub wait_until
{
	my ($query, $what) = @_;
	return ok($node->poll_query_until('postgres', $query), $what);
}

# The clock of schedules, so many hours from now on.
my $start = ask('select clock_timestamp()');
sub set_clock
{
	my ($hours) = @_;
	my $time = ask("select '$start'::timestamptz + interval '$hours hours'");
	ask("alter system set mlops.now = '$time'; select pg_reload_conf()");
	$node->poll_query_until('postgres', "select mlops.clock() = '$time'") or die 'the clock was not set';
	return;
}
my $labels = q{'select id as entity_key, price as label, at as observed_at from public.sale'};

# ---- Outcomes ----

set_clock(0);
my $ann = Connection->new($node, user => 'ann');
is($ann->query("select mlops.bind_outcomes('price', $labels)"), '10', 'a bound query is read at once');
my ($job, $name, $schedule) = split(/\|/, $ann->query(q{select id, name, schedule from mlops.job where kind <> 'monitor'}));
like($name, qr/^outcomes of price \(model \d+\)$/, 'and makes a job');
is($schedule, '1 hour', 'of every hour');
is(ask(q{select owner || ' ' || session_role || ' ' || kind from mlops.job where kind <> 'monitor'}), 'ann ann outcomes', 'of who bound it');
ask('insert into sale select id, price from house where id between 11 and 25');
set_clock(1);
wait_until("select state = 'succeeded' from mlops.job_run where job_id = $job", 'which runs');
is(ask("select message from mlops.job_run where job_id = $job"), '15 outcomes recorded', 'and records what came since');
is(ask('select count(outcome) from mlops.captured'), '25', 'so outcomes are known');
is(ask(q{select string_agg(distinct recorded_by, ',') from mlops.outcome}), 'ann', 'by whom');
ask('insert into sale select id, price from house where id between 26 and 30');
set_clock(2);
wait_until("select count(*) = 2 from mlops.job_run where job_id = $job and message like '%outcomes recorded'", 'again');
is(ask('select count(*) from mlops.outcome'), '30', 'and again, without what is there');
ask(q{alter table sale rename to sold});
set_clock(3);
wait_until("select state = 'failed' and message like '%sale% does not exist' from mlops.job_run where job_id = $job order by id desc limit 1", 'a query that cannot be run is a failed run');
ask(q{alter table sold rename to sale; insert into sale select id, price from house where id between 31 and 40; update mlops.model set name = 'value' where name = 'price'});
set_clock(4);
wait_until("select state = 'succeeded' and message = '10 outcomes recorded' from mlops.job_run where job_id = $job order by id desc limit 1", 'the next one makes up for it, whatever the model is called');
is($ann->query("select mlops.bind_outcomes('value', $labels, schedule => '30 3 * * *')"), '0', 'bound again, to be read at another time');
is(ask(q{select name || ': ' || schedule from mlops.job where kind = 'outcomes'}), 'outcomes of value (model 1): 30 3 * * *', 'there is one job, with that schedule');
is($ann->query("select mlops.bind_outcomes('value', $labels, schedule => null)"), '0', 'without a schedule');
is(ask(q{select count(*) from mlops.job where kind = 'outcomes'}), '0', 'there is no such job');
my $once = $ann->query(q{select mlops.submit('outcomes', '{"model": "value"}')});
is($ann->query("select mlops.wait_for($once, '60 s')"), 'succeeded', 'the same work done once');
$ann->send(q{select mlops.submit('outcomes', '{"model": "no"}')});
like($ann->finish->{error}, qr/^42704 /, 'a model that is not there');
$ann->send(q{select mlops.submit('outcomes', '{}')});
like($ann->finish->{error}, qr/^22023 .*needs the argument "model"/, 'no model');
my $norma = Connection->new($node);
$norma->query('set session authorization norma');
$norma->send("select mlops.bind_outcomes('value', $labels)");
like($norma->finish->{error}, qr/^28000 .*cannot log in/, 'a role that cannot log in has no job');
is($norma->query("select mlops.bind_outcomes('value', $labels, schedule => null)"), '0', 'and can bind a query without one');
$norma->close;

# What was bound is gone.
is($ann->query("select mlops.bind_outcomes('value', $labels)"), '0', 'bound once more');
$job = ask(q{select id from mlops.job where kind = 'outcomes' and schedule is not null});
ask('delete from mlops.outcome_binding');
set_clock(5);
wait_until("select not enabled from mlops.job where id = $job", 'where nothing is bound any more, the schedule is switched off');
like(ask("select message from mlops.job_run where job_id = $job order by id desc limit 1"), qr/no query.*switched off/, 'and the run says so');

# ---- Keeping ----

is(ask(q{select count(*) from mlops.job where kind = 'housekeeping'}), '0', 'where everything is kept, there is nothing to do');
$ann->send(q{select mlops.submit('housekeeping', '{}')});
like($ann->finish->{error}, qr/^22023 unknown kind of job "housekeeping"/, 'housekeeping is nobody\'s job');
ask(q{select mlops.set_retention('value', '2 days')});
set_clock(6);
wait_until(q{select state = 'succeeded' from mlops.job_run where kind = 'housekeeping'}, 'where something is not, there is a job');
is(ask(q{select j.name, j.schedule, r.message from mlops.job j join mlops.job_run r on r.job_id = j.id where j.kind = 'housekeeping'}),
	'mlops housekeeping|1 day|0 captured predictions removed', 'that looks once a day');
is($ann->query('select count(*) from mlops.job where kind = \'housekeeping\''), '0', 'of which users know nothing');
is(ask('select count(*) from mlops.captured'), '100', 'nothing is too old');
ask(q{update mlops.job set enabled = false where kind = 'monitor'});
wait_until(q{select count(*) = 0 from mlops.job_run where kind = 'monitor' and state = 'running'}, 'nobody reads');
my $reader = Connection->new($node);
$reader->query('begin');
$reader->query('select count(*) from mlops.captured');
set_clock(24 * 4);
wait_until(q{select message like '0 captured predictions removed; those of _ days are in use, and are tried again in 00:10:00' from mlops.job_run where kind = 'housekeeping' order by id desc limit 1},
	'what is read stays');
$reader->query('commit');
$reader->close;
set_clock(24 * 4 + 0.2);
wait_until(q{select message = '100 captured predictions removed' from mlops.job_run where kind = 'housekeeping' order by id desc limit 1}, 'some days later all is, though nobody predicted anything');
is(ask('select count(*) from mlops.captured'), '0', 'and is gone');
my $me = Connection->new($node);
$me->query('alter role "' . getpwuid($<) . '" nologin');
my $later = $me->query(q{select mlops.clock() + interval '2 days'});
$me->query("alter system set mlops.now = '$later'");
$me->query('select pg_reload_conf()');
my $n = 0;
for (1 .. 1800)
{
	$n = $me->query(q{select count(*) from mlops.job_run where kind = 'housekeeping' and state = 'succeeded'});
	last if $n == 4;
	usleep(100_000);
}
is($n, 4, 'once a day, whether the superuser that it runs as can log in or not');
$me->query('alter role "' . getpwuid($<) . '" login');

# ---- A dump, from whose restore much is due, while that is still going on ----

my $dump = "$PostgreSQL::Test::Utils::tmp_check/upkeep.sql";
ask(q{select mlops.schedule_job('due', '1 hour', 'sql', '{"statement": "select 1"}')});
ask(q{update mlops.job set next_run = '2026-01-01' where name = 'due'});
ok($node->poll_query_until('postgres', q{select state = 'succeeded' from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = 'due'}), 'a schedule');
ask(q{update mlops.job set next_run = '2026-01-01', enabled = false where name = 'due'});
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'a dump');
my $script = slurp_file($dump) =~ s/^\\(un)?restrict .*\n//mgr;
my ($first, $second) = split(/(?=^COPY mlops\.job_run )/m, $script);
like($second, qr/setval/, 'in two parts');
$second = join("\n", $first =~ /^SET .*;$/mg, $second);
$node->safe_psql('postgres', 'create database copy');
$node->safe_psql('copy', $first);
$node->safe_psql('copy', q{update mlops.job set enabled = true where name = 'due'});
my %schedulers;
while (keys %schedulers < 3)
{
	$schedulers{$_} = 1 for split(/\n/, $me->query(q{select pid from pg_stat_activity where backend_type = 'mlops scheduler' and datname = 'copy'}));
}
is($node->safe_psql('copy', 'select count(*) from mlops.job_run'), '0', 'jobs wait for the end of it');
$node->safe_psql('copy', $second);
is($node->safe_psql('copy', q{select count(*) from mlops.job_run where kind = 'outcomes'}), ask(q{select count(*) from mlops.job_run where kind = 'outcomes'}), 'it is restored');
ok($node->poll_query_until('copy', q{select count(*) = 2 from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = 'due'}), 'then they run');
ok($node->poll_query_until('copy', q{select count(*) = 1 from mlops.job_run where kind = 'housekeeping' and state = 'succeeded'}), 'and there is housekeeping');

# ---- Without workers ----

$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = ''
});
$node->restart;
my (undef, $answer, $notice) = $node->psql('postgres', "set session authorization ann; select mlops.bind_outcomes('value', $labels)");
is($answer, '0', 'where the library is not preloaded, a query can be bound');
like($notice, qr/NOTICE:  outcomes that come later are not read by themselves.*HINT:  Call mlops.read_outcomes/s, 'and whoever does is told to read it');

$node->stop;
done_testing();
