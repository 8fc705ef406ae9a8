# However a training ends before its time, its trainer is gone at once, nothing
# is stored, nothing leaks, and the server goes on.  One that ends well leaves
# nothing either.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $patience = 60;				# seconds for what must happen at some time
my $at_once = 1;				# seconds for what must happen at once: 100 ms on an idle machine

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table noise as
		select n % 2 = 0 as y, sin(n)::float4 as a, sin(n * 7.0)::float4 as b, sin(n * 13.0)::float4 as c, 'k' || n % 50 as k from generate_series(1, 100000) n;
	vacuum analyze noise;
});
my $endless = q{select mlops.train('m', 'noise', 'y', params => '{"n_estimators": 100000, "max_depth": 8}')};

# Children of a process: [pid, name, state]; Z is a zombie.
sub children
{
	my $parent = shift;
	my @children;
	for my $file (glob '/proc/[0-9]*/stat')
	{
		open(my $stat, '<', $file) or next;
		my $line = <$stat>;
		next unless defined $line && $line =~ /^(\d+) \((.*)\) (\S) (\d+) /;
		push @children, [ $1, $2, $3 ] if $4 == $parent;
	}
	return @children;
}

# Whether a process runs: one that is dead but not reaped by its parent does not.
sub runs
{
	my $pid = shift;
	open(my $stat, '<', "/proc/$pid/stat") or return 0;
	return (<$stat> // ') Z') !~ /\) [ZX]/;
}

# Waits for a condition; whether it came, and after how many seconds.
sub wait_for
{
	my ($condition, $seconds) = @_;
	my $begin = time;
	while (time - $begin < $seconds)
	{
		return (1, time - $begin) if $condition->();
		usleep(2000);
	}
	return (0, time - $begin);
}

# Open files of a process beside those of the database, and memory files among files and mappings.
sub open_files
{
	my $pid = shift;
	my $data = $node->data_dir;
	my @links = grep { !/^\Q$data\E/ } map { readlink($_) // () } glob "/proc/$pid/fd/*";
	my @mapped = split /\n/, slurp_file("/proc/$pid/maps");
	return (scalar(@links), scalar(grep { m{^/memfd:mlops} } @links, grep { m{/memfd:mlops} } @mapped));
}

# The pid of the trainer that a backend has started.
sub trainer_of
{
	my $backend = shift;
	my $pid;
	wait_for(sub { ($pid) = map { $_->[0] } grep { $_->[1] eq 'mlops-trainer' && $_->[2] ne 'Z' } children($backend); defined $pid }, $patience);
	return $pid;
}

# Starts a statement in a session and does not wait for its end.
sub begin_statement
{
	my ($session, $statement) = @_;
	$session->{stdout} = $session->{stderr} = '';
	$session->{stdin} .= "\\echo begun\n$statement;\n";
	$session->{run}->pump until $session->{stdout} =~ /begun/;
}

# Starts a training in a session; its trainer.
sub begin_training
{
	my ($session, $backend, $statement) = @_;
	begin_statement($session, $statement // $endless);
	return trainer_of($backend);
}

# What must hold after a training that failed in a session that lives.
sub check_clean
{
	my ($name, $backend, $files) = @_;
	is(scalar(children($backend)), 0, "$name: no child is left, not even a zombie");
	my ($n, $memory) = open_files($backend);
	is($n, $files, "$name: no file is left open");
	is($memory, 0, "$name: no memory file is left, open or mapped");
	is($node->safe_psql('postgres', 'select (select count(*) from mlops.run) + (select count(*) from mlops.model) + (select count(*) from mlops.snapshot)'),
		'0', "$name: nothing is stored");
}

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $backend = $session->query_safe('select pg_backend_pid()');
# what a session opens once (relations, the library, a latch) is open after a first failure
$session->query(q{select mlops.train('m', 'select y, a, 1 / (random() * 0)::int from noise', 'y')});
my ($files) = open_files($backend);

# Waits for the end of the statement that begin_training() began; its messages.
sub messages
{
	$session->query_until(qr/ended/, "\\echo ended\n");
	my $messages = $session->{stderr};
	$session->{stderr} = '';
	return $messages;
}

# Cancel
{
	my $trainer = begin_training($session, $backend);
	ok(defined $trainer, 'a trainer runs');
	$node->safe_psql('postgres', "select pg_cancel_backend($backend)");
	my ($gone, $seconds) = wait_for(sub { !runs($trainer) }, $patience);
	ok($gone && $seconds < $at_once, sprintf('cancel: the trainer is gone at once (%.0f ms)', $seconds * 1000));
	like(messages(), qr/canceling statement due to user request/, 'cancel: the statement says so');
	check_clean('cancel', $backend, $files);
}

# statement_timeout, in a subtransaction that goes on
{
	$session->query_safe("set statement_timeout = '2s'");
	my ($call) = $endless =~ /^select (.*)$/;
	my $trainer = begin_training($session, $backend, "do \$\$ begin perform $call; exception when query_canceled then raise notice 'caught it'; end \$\$");
	ok(defined $trainer, 'a trainer runs');
	like(messages(), qr/caught it/, 'timeout: a handler catches it');
	$session->query_safe('set statement_timeout = 0');
	check_clean('timeout', $backend, $files);
}

# The trainer dies
for my $case ([ 'KILL', qr/terminated by signal 9.*memory/s ], [ 'SEGV', qr/terminated by signal 11/ ], [ 'TERM', qr/terminated by signal 15/ ])
{
	my ($signal, $words) = @$case;
	my $trainer = begin_training($session, $backend);
	kill $signal, $trainer;
	my $messages = messages();
	like($messages, qr/ERROR:  the trainer was $words/, "SIG$signal: the statement fails and says how");
	like($messages, qr/during: \w+/, "SIG$signal: and during what");
	check_clean("SIG$signal", $backend, $files);
}

# Cancel while rows are read
{
	begin_statement($session, q{select mlops.train('m', 'select *, pg_sleep(0.001)::text as s from noise', 'y')});
	ok($node->poll_query_until('postgres', "select wait_event = 'PgSleep' from pg_stat_activity where pid = $backend"), 'rows are read');
	$node->safe_psql('postgres', "select pg_cancel_backend($backend)");
	like(messages(), qr/canceling statement due to user request/, 'cancel of the scan');
	check_clean('scan', $backend, $files);
}

# The trainer dies while rows are read
{
	my $trainer = begin_training($session, $backend, q{select mlops.train('m', 'select *, pg_sleep(0.0002)::text as s from noise', 'y')});
	kill 'KILL', $trainer;
	like(messages(), qr/ERROR:  the trainer was terminated by signal 9 \(.*\) during: scan/, 'killed while rows are read: the scan ends with it');
	check_clean('killed while rows are read', $backend, $files);
}

# A training that ends well leaves its trainer to the kernel, and reaps it soon: when the session does nothing, after an error, beside others
{
	my $train = q{select mlops.train('done', 'select * from noise limit 20000', 'y', params => '{"n_estimators": 2}')};
	my $reaped = sub { !children($backend) };
	$session->query_safe('set client_min_messages = warning');
	$session->query_safe($train);
	my ($gone, $seconds) = wait_for($reaped, $patience);
	ok($gone, sprintf('success: no child is left in a session that does nothing (%.0f ms)', $seconds * 1000));
	$session->query("begin; $train; select 1 / 0; rollback");
	$session->{stderr} = '';
	($gone) = wait_for($reaped, $patience);
	ok($gone, 'success before an error: no child is left');
	$session->query_safe(join(';', 'begin', ($train) x 20, 'commit'));
	($gone) = wait_for($reaped, $patience);
	ok($gone, 'twenty in one transaction: no child is left');
	my ($n, $memory) = open_files($backend);
	is($memory, 0, 'success: no memory file is left, open or mapped');
	is($node->safe_psql('postgres', q{select count(*) from mlops.model_version}), '21', 'success: versions are stored');
}

# The session is ended
{
	my $trainer = begin_training($session, $backend);
	$node->safe_psql('postgres', "select pg_terminate_backend($backend)");
	my ($gone, $seconds) = wait_for(sub { !runs($trainer) }, $patience);
	ok($gone && $seconds < $at_once, sprintf('terminate: the trainer is gone at once (%.0f ms)', $seconds * 1000));
	$session->{run}->kill_kill;
}

# The client is lost
{
	my ($stdin, $stdout, $stderr) = ("select pg_backend_pid();\n$endless;\n", '', '');
	my $client = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$stdin, '>', \$stdout, '2>', \$stderr);
	$client->pump until $stdout =~ /^(\d+)\n/;
	my $lost = $1;
	my $trainer = trainer_of($lost);
	$client->kill_kill(grace => 0);
	my ($gone, $seconds) = wait_for(sub { !runs($trainer) }, $patience);
	ok($gone && $seconds < $at_once, sprintf('lost client: the trainer is gone at once (%.0f ms)', $seconds * 1000));
	($gone) = wait_for(sub { !runs($lost) }, $patience);
	ok($gone, 'lost client: the backend ends');
}

# The backend dies without unwinding: the server restarts, and the trainer is gone
{
	my $last = $node->background_psql('postgres', on_error_stop => 0);
	my $dying = $last->query_safe('select pg_backend_pid()');
	my $trainer = begin_training($last, $dying);
	kill 'KILL', $dying;
	my ($gone, $seconds) = wait_for(sub { !runs($trainer) }, $patience);
	ok($gone && $seconds < $at_once, sprintf('dead backend: the trainer is gone at once (%.0f ms)', $seconds * 1000));
	$last->{run}->kill_kill;
	ok($node->poll_query_until('postgres', 'select true'), 'dead backend: the server is back');
	is($node->safe_psql('postgres', 'select count(*) from mlops.run'), '21', 'dead backend: nothing more is stored');
}

$node->stop;
done_testing();
