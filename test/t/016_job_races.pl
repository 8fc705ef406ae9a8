# What happens between the scheduler's look, the worker's beginning and those who change jobs meanwhile; nobody's locks or failures hold up others' jobs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('races');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.max_jobs = 2
	mlops.job_history = '3650d'
	timezone = 'UTC'
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role crew;
	create role jane login;
	create role june login;
	grant crew to jane, june;
	create table done (what text);
	grant insert on done to public;
});

my $me = Connection->new($node);
my $other = Connection->new($node);

# Planning that is counted, and fails where it is to write down that workers could not begin.
my $wrapped = q{
	alter function mlops.plan_jobs(bigint[], bigint[], integer) rename to plan_in_truth;
	create sequence plans;
	create function mlops.plan_jobs(active bigint[], unstarted bigint[], free integer, out run_ids bigint[], out job_ids bigint[], out roles oid[],
		out next_due timestamptz, out waiting boolean, out blocked boolean) language plpgsql as
	$$ begin
		perform nextval('public.plans');
		if cardinality(unstarted) > 0 then raise exception 'planning fails'; end if;
		select * from mlops.plan_in_truth(active, unstarted, free) p into run_ids, job_ids, roles, next_due, waiting, blocked;
	end $$
};

sub wait_until
{
	my ($query, $what) = @_;
	return ok($node->poll_query_until('postgres', $query), $what);
}
sub set_clock
{
	$node->safe_psql('postgres', "alter system set mlops.now = '$_[0]'; select pg_reload_conf()");
	return;
}
sub statement { return qq{'sql', '{"statement": "insert into done values (''$_[0]'')"}'} }
sub run_state { return $me->query("select state || ' ' || attempts from mlops.job_run where job_id = $_[0] order by id desc limit 1") }
sub done { return $me->query("select count(*) from done where what = '$_[0]'") }

# ---- A job that is switched off ----

$me->query('begin');
my $off = $me->query('select mlops.submit(' . statement('off') . ')');
$me->query("update mlops.job set enabled = false where id = $off");
$me->query('commit');
my $later = $me->query('select mlops.submit(' . statement('later') . ')');
is($me->query("select mlops.wait_for($later, '60 s')"), 'succeeded', 'a job that was made later runs');
is(run_state($off), 'queued 0', 'while one that is switched off is held back');
$me->query("update mlops.job set enabled = true where id = $off");
is($me->query("select mlops.wait_for($off, '60 s')"), 'succeeded', 'until it is switched on');

# ---- Between the scheduler and the worker ----

# Has the scheduler assign a job, which is switched off, to a slot, and no process started for it, until release().
my $launcher;
sub assign
{
	my ($job) = @_;
	for (1 .. 20)
	{
		my $log = -s $node->logfile;
		$other->query('begin; lock table mlops.job_run in access exclusive mode');
		$me->query("update mlops.job set enabled = true where id = $job");
		my $seen = 0;
		while (!$seen && slurp_file($node->logfile, $log) !~ /due to lock timeout/)
		{
			$seen = $me->query(q{select count(*) from pg_stat_activity where backend_type = 'mlops scheduler' and wait_event_type = 'Lock'});
		}
		$launcher = $me->query(q{select pid from pg_stat_activity where backend_type = 'mlops launcher'});
		kill 'STOP', $launcher;
		$other->query('commit');
		$node->poll_query_until('postgres', q{select count(*) = 0 from pg_stat_activity where backend_type = 'mlops scheduler'}) or die 'the scheduler stays';
		return if $seen && slurp_file($node->logfile, $log) !~ /due to lock timeout/;
		kill 'CONT', $launcher;
		$me->query("update mlops.job set enabled = false where id = $job");
	}
	die 'the scheduler did not wait for the lock';
}
sub release
{
	kill 'CONT', $launcher;
	return;
}

# A job of crew's by one who connects as another role, switched off.
sub make_job
{
	my ($user, $what) = @_;
	my $connection = Connection->new($node, user => $user);
	$connection->query('set role crew; begin');
	my $job = $connection->query(qq{select mlops.schedule_job('both', '1 hour', 'sql', '{"statement": "insert into done select ''$what by '' || session_user"}')});
	$connection->query("update mlops.job set enabled = false where id = $job; commit");
	$connection->close;
	return $job;
}

set_clock('2026-01-01 00:00+00');
my $both = make_job('jane', 'one');
$me->query("insert into mlops.job_run (job_id, kind) values ($both, 'sql')");
assign($both);
is(make_job('june', 'two'), $both, 'a job that is assigned is replaced by another');
$me->query("update mlops.job set enabled = true where id = $both");
release();
wait_until("select state = 'succeeded' from mlops.job_run where job_id = $both", 'it runs');
is($me->query(q{select string_agg(what, ', ') from done where what like '% by %'}), 'two by june', 'as who made it last, and does what that is');
is(run_state($both), 'succeeded 1', 'in one attempt');

sub make_held
{
	my ($what) = @_;
	$me->query('begin');
	my $job = $me->query('select mlops.submit(' . statement($what) . ')');
	$me->query("update mlops.job set enabled = false where id = $job; commit");
	return $job;
}
my $held = make_held('switched off');
assign($held);
$me->query("update mlops.job set enabled = false where id = $held");
release();
$later = $me->query('select mlops.submit(' . statement('later') . ')');
is($me->query("select mlops.wait_for($later, '60 s')"), 'succeeded', 'others go on');
wait_until(q{select count(*) = 0 from pg_stat_activity where backend_type = 'mlops worker'}, 'when the worker has gone');
is(run_state($held), 'queued 0', 'a job that is switched off behind the scheduler does not begin');
$me->query("update mlops.job set enabled = true where id = $held");
is($me->query("select mlops.wait_for($held, '60 s')"), 'succeeded', 'before it is switched on');

for my $end ('commit', 'rollback')
{
	my $job = make_held("cancelled $end");
	assign($job);
	$other->query('begin');
	is($other->query("select mlops.cancel_job($job)"), 't', "$end: a job that is assigned is cancelled");
	release();
	wait_until(q{select count(*) = 1 from pg_stat_activity where backend_type = 'mlops worker' and wait_event_type = 'Lock'}, "$end: its worker waits for that");
	$other->query($end);
	my $state = $end eq 'commit' ? 'cancelled' : 'succeeded';
	is($me->query("select mlops.wait_for($job, '60 s')"), $state, "$end: it is $state");
	is(done("cancelled $end"), $end eq 'commit' ? 0 : 1, "$end: and did what that says");
}

# ---- Locks of others ----

my $jane = Connection->new($node, user => 'jane');
my $hers = $jane->query(q{select mlops.schedule_job('hers', '1 hour', } . statement('hers') . ')');
my $mine = $me->query(q{select mlops.schedule_job('mine', '1 hour', } . statement('mine') . ')');
$me->query($wrapped);
$jane->query("begin; select from mlops.job where id = $hers for update");
$me->query("select setval('plans', 1)");
set_clock('2026-01-01 01:00+00');
is($me->query("select mlops.wait_for($mine, '60 s')"), 'succeeded', 'who locks a job that is due does not hold up others');
my $slow = $me->query(q{select mlops.submit('sql', '{"statement": "select pg_sleep(2)"}')});
$me->query("select mlops.wait_for($slow, '60 s')");
cmp_ok($me->query('select last_value from plans'), '<', 40, 'and keeps no scheduler busy');
is(done('hers'), 0, 'the job waits');
$jane->query('commit');
wait_until(q{select count(*) = 1 from done where what = 'hers'}, 'until the lock is gone');

# A run that somebody has locked, whose worker dies, and one that is cancelled and not committed.
my $dies = $me->query(q{select mlops.submit('sql', '{"statement": "select pg_sleep(3600)"}', 1)});
wait_until("select state = 'running' from mlops.job_run where job_id = $dies", 'a worker');
my $queued = make_held('cancelled');
$other->query("begin; select from mlops.job_run where job_id = $dies for update; select mlops.cancel_job($queued)");
$me->query(q{select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'mlops worker'});
$later = $me->query('select mlops.submit(' . statement('later') . ')');
is($me->query("select mlops.wait_for($later, '60 s')"), 'succeeded', 'runs that somebody has locked do not hold up others');
is(run_state($dies), 'running 1', 'one whose worker died is looked at later');
$other->query('rollback');
is($me->query("select mlops.wait_for($dies, '60 s')"), 'failed', 'when the lock is gone');

# ---- Delays ----

$other->query('create table locked ()');
$other->query('begin; lock table locked');
my $patient = $me->query(q{select mlops.submit('sql', '{"statement": "set local lock_timeout = ''10ms''; lock table locked"}', 3, '178000000 years')});
wait_until("select attempts = 1 and state = 'queued' from mlops.job_run where job_id = $patient", 'a job that waits for ages before it tries again');
is($me->query("select not_before - mlops.clock() from mlops.job_run where job_id = $patient"), '01:00:00', 'waits an hour');
$other->query('commit');
set_clock('2026-01-01 02:00+00');
is($me->query("select mlops.wait_for($patient, '60 s')"), 'succeeded', 'and tries again');

# ---- A database that cannot be looked after ----

$node->safe_psql('postgres', 'create database broken');
my $broken = Connection->new($node, dbname => 'broken');
$broken->query('create extension mlops');
$broken->query($wrapped);
$broken->query(q{insert into mlops.job (kind, args, enabled, owner, session_role, settings)
	select 'sql', '{"statement": "select 1"}', false, current_user::regrole, current_user::regrole, '{}' from generate_series(1, 2);
	insert into mlops.job_run (job_id, kind) select id, kind from mlops.job});
$broken->query('begin; select from mlops.job_run for update');
$node->safe_psql('broken', 'update mlops.job set enabled = true');
my $workers = q{select count(*) = 2 from pg_stat_activity where backend_type = 'mlops worker' and datname = 'broken' and wait_event_type = 'Lock'};
wait_until($workers, 'two workers that cannot begin');
my $log = -s $node->logfile;
$me->query(q{select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'mlops worker'});
$node->wait_for_log(qr/ERROR:  planning fails/, $log);
$broken->query('commit');
$later = $me->query('select mlops.submit(' . statement('later') . ')');
is($me->query("select mlops.wait_for($later, '60 s')"), 'succeeded', 'where nobody can plan, they take no slots from other databases');
is($broken->query(q{select string_agg(state || ' ' || attempts, ', ') from mlops.job_run where finished_at is null}), 'queued 0, queued 0', 'their runs wait');
$broken->query('drop function mlops.plan_jobs(bigint[], bigint[], integer); alter function mlops.plan_in_truth(bigint[], bigint[], integer) rename to plan_jobs');
# A worker that dies behind the plan that failed counts as one that could not begin: its run waits for a later hour.
set_clock('2026-01-01 03:00+00');
ok($node->poll_query_until('broken', q{select bool_and(finished_at is not null or coalesce(not_before > mlops.clock(), false)) from mlops.job_run}), 'or for the next attempt');
set_clock('2026-01-01 04:00+00');
ok($node->poll_query_until('broken', q{select count(*) = 0 from mlops.job_run where finished_at is null}), 'until they can');

$node->stop;
done_testing();
