# The record of what was done: a chain that holds whoever writes at once, and in which a superuser's changes show; across savepoints, isolation
# levels, a dump, a standby.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
	max_prepared_transactions = 2
	timezone = 'Asia/Tokyo'
	max_connections = 40
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role anna login;
	create role vera login;
	create role otto login;
	set role anna;
	select mlops.create_project('lab', goal => 'gr' || chr(252) || 'n "so" \ ' || chr(10) || 'und weiter');
	select mlops.grant_access('lab', 'vera', 'viewer');
	select mlops.grant_access('lab', 'otto', 'scientist');
	reset role;
	insert into mlops.model (project_id, name, last_version) select id, 'm', 3 from mlops.project;
	insert into mlops.model_version (model_id, version, algorithm, task, size, sha256, params, metrics, origin)
	select m.id, n, 'baseline', 'binary', 1, sha256('x'), '{}', '{"roc_auc": 0.50, "rmse": 1e-7}', 'measured' from mlops.model m, generate_series(1, 3) n;
});

my $problems = q{select string_agg(seq || ': ' || problem, '; ' order by seq) from mlops.verify_audit()};

# What an auditor computes without our code.
my $by_hand = q{
	select count(*) from (select *, lag(hash, 1, decode(repeat('00', 32), 'hex')) over (order by seq) as before_hash, lag(seq, 1, 0::bigint) over (order by seq) as before_seq
							from mlops.audit_event) e
	 where seq <> before_seq + 1 or prev_hash <> before_hash
		or hash <> sha256(prev_hash || convert_to(jsonb_build_array(seq, (extract(epoch from at) * 1000000)::bigint, project_id, actor, role, action, object,
																	 before, after)::text, 'UTF8'))};

sub holds
{
	my ($what, $where, $database) = @_;
	$where //= $node;
	$database //= 'postgres';
	is($where->safe_psql($database, $problems), '', "$what: the chain holds");
	is($where->safe_psql($database, $by_hand), '0', "$what: by hand, too");
	return;
}

# The newest events, as one text.
sub newest
{
	my ($n, $columns) = @_;
	return $node->safe_psql('postgres', qq{select string_agg(($columns)::text, '; ' order by seq) from (select * from mlops.audit_event order by seq desc limit $n) e});
}

sub refused
{
	my ($query, $pattern, $what) = @_;
	my ($status, $output, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query");
	like($error, $pattern, $what);
	return;
}

# ---- What is recorded ----

holds('at first');
$node->safe_psql('postgres', q{set role anna; set timezone = 'UTC'; set datestyle = 'German'; update mlops.project set goal = 'better'}, extra_params => [ '-U', 'anna' ]);
is(newest(1, q{actor || ' ' || role || ' ' || action || ' ' || object || ' ' || (after ->> 'goal') || ' ' || ((before ->> 'created_at') ~ '^\d{4}-\d\d-\d\dT.*\+00:00$')}),
	'anna anna update project 1 better true', 'who, as whom, what, before and after, in one notation whatever the session has');
my $head = newest(1, 'seq');
$node->safe_psql('postgres', q{set role anna; update mlops.project set goal = 'better'});
is(newest(1, 'seq'), $head, 'a row that is written as it was is no event');

$node->safe_psql('postgres', q{set role anna; select mlops.deploy('m', 1); select mlops.set_alias('m', 'champion', 2); select mlops.deploy('m', 2)});
is(newest(4, q{action || ' ' || object}), 'insert deployment 1; insert alias 1/champion; update deployment 1; insert deployment 2', 'deployments and aliases');
is(newest(4, q{role || project_id}), 'anna1; anna1; anna1; anna1', 'of the project');
$node->safe_psql('postgres', q{set role anna; insert into mlops.finding (project_id, title) select id, 'by hand' from mlops.project});
is(newest(1, q{action || ' ' || object || ' ' || (after ->> 'opened_by')}), 'insert finding 1 anna', 'a row that was written without a function');

$node->safe_psql('postgres', q{
	insert into mlops.outcome_binding (model_id, source, settings, lateness, owner_name, session_user_name)
	select id, 'select secret from person', '{}', '7 days', 'otto', 'otto' from mlops.model});
is(newest(1, q{after ->> 'source'}), 'sha256:' . $node->safe_psql('postgres', q{select encode(sha256('select secret from person'), 'hex')}), 'what not all may read is there as a hash');

$node->safe_psql('postgres', q{
	insert into mlops.evidence (model_id, version, kind, name, test_id, holds, detail, sha256, measured_by, measured_session)
	select id, 1, 'test', 'golden', 1, false, '{"error": "invalid input: \"Jane Doe\""}', sha256('x'), 'otto', 'otto' from mlops.model});
is(newest(1, q{after ->> 'detail'}), 'sha256:' . $node->safe_psql('postgres', q{select encode(sha256(convert_to(detail::text, 'UTF8')), 'hex') from mlops.evidence}),
	'as is what a test showed');

$node->safe_psql('postgres', q{set role anna; select mlops.record_outcome('m', 'house 1', clock_timestamp(), '8'), mlops.record_outcome('m', 'house 1', clock_timestamp(), '9');
	select mlops.forget('m', 'house 1')});
is(newest(1, q{role || ' ' || action || ' ' || object || ' ' || (after ->> 'predictions') || ' ' || (after ->> 'outcomes') || ' ' || (after ->> 'entity_key_sha256')}),
	'anna forget model m 0 2 ' . $node->safe_psql('postgres', q{select encode(sha256('house 1'), 'hex')}), 'who was forgotten is not named');

$node->safe_psql('postgres', q{select mlops.undeploy('m'); select mlops.drop_alias('m', 'champion'); select mlops.drop_model('m')});
is(newest(10, q{action || ' ' || split_part(object, ' ', 1) || ' ' || project_id}),
	join('; ', 'update deployment 1', 'delete alias 1', 'delete model 1', ('delete model_version 1') x 3, ('delete deployment 1') x 2, 'delete outcome_binding 1', 'delete evidence 1'),
	'what went with a model, in its project still');
holds('after all that');

is($node->safe_psql('postgres', 'select count(*) > 5 from mlops.audit_event', extra_params => [ '-U', 'vera' ]), 't', 'a member sees the project\'s events');
$node->safe_psql('postgres', 'create role sten login');
is($node->safe_psql('postgres', 'select count(*) from mlops.audit_event', extra_params => [ '-U', 'sten' ]), '0', 'a stranger none');

# ---- What does not happen leaves nothing ----

$head = newest(1, 'seq');
$node->safe_psql('postgres', q{
	begin;
	savepoint a;
	update mlops.project set goal = 'undone';
	savepoint b;
	update mlops.project set goal = 'undone, too';
	release b;
	rollback to a;
	update mlops.project set goal = 'done';
	savepoint c;
	update mlops.project set goal = 'done, too';
	release c;
	commit;
	begin;
	update mlops.project set goal = 'not at all';
	rollback;
	do $$
	begin
		begin
			update mlops.project set goal = 'caught';
			perform 1 / 0;
		exception when division_by_zero then
			update mlops.project set goal = 'handled';
		end;
	end
	$$});
is(newest(3, q{seq - } . $head . q{ || ' ' || (after ->> 'goal')}), '1 done; 2 done, too; 3 handled', 'events of what was undone are dropped, and leave no gap');

refused(q{begin; update mlops.project set goal = 'prepared'; prepare transaction 'p'},
	qr/0A000: +cannot PREPARE a transaction that has changed what mlops keeps a record of/, 'a transaction with events is not prepared');
is($node->safe_psql('postgres', q{begin; create table t (i int); prepare transaction 'p'; commit prepared 'p'; select count(*) from t}), '0', 'another is');
refused(q{begin; set constraints all immediate; truncate mlops.retention; savepoint a; truncate mlops.finding; rollback to a; commit}, qr/^$/, 'TRUNCATE');
is(newest(1, q{action || ' ' || object || ' ' || (project_id is null)}), 'truncate retention true', 'is recorded');
holds('after subtransactions');

# ---- Nor by switches that a superuser has ----

$node->safe_psql('postgres', q{set session_replication_role = replica; update mlops.project set goal = 'as a replica'});
is(newest(1, q{after ->> 'goal'}), 'as a replica', 'session_replication_role does not switch the record off');
$node->safe_psql('postgres', q{set row_security = off; update mlops.project set goal = 'like a restore'; delete from mlops.finding});
is(newest(2, q{action || coalesce(after ->> 'goal', '')}), 'updatelike a restore; delete', 'nor does what restores set, but for rows that are inserted');

# ---- Many at once ----

my $script = $node->basedir . '/write.sql';
append_to_file($script, q{
\set n random(1, 1000000)
begin isolation level :level;
insert into mlops.finding (project_id, title) values (1, 'finding ' || :n);
insert into mlops.experiment (project_id, name) values (1, gen_random_uuid()::text);
commit;
});
my $before = newest(1, 'seq');
for my $level ('read committed', 'repeatable read', 'serializable')
{
	$node->command_ok([ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '50', '-D', "level=$level", '--max-tries=100', '-f', $script, '-d', $node->connstr('postgres') ], "eight clients, $level");
}
is(newest(1, 'seq') - $before, 3 * 8 * 50 * 2, 'every event of theirs is there');
holds('after many at once');
is($node->safe_psql('postgres', q{select count(*) from (select project_id, object, lead(object) over (order by seq) as next from mlops.audit_event where seq > } . $before . q{) e
	where object like 'finding%' and next not like 'experiment%'}), '0', 'and those of one transaction stand together');

# A long transaction holds nobody up.
my @clients = map { Connection->new($node) } 1 .. 3;
$clients[0]->query(q{begin; update mlops.project set goal = 'for a long time'});
$clients[1]->query(q{set lock_timeout = '60s'; insert into mlops.finding (project_id, title) values (1, 'meanwhile')});
is(newest(1, q{after ->> 'title'}), 'meanwhile', 'others commit before it');
$clients[2]->query(q{begin isolation level repeatable read; select count(*) from mlops.audit_event});
$clients[0]->query('commit');
is($clients[2]->query($problems), '', 'who has an older snapshot sees a chain that holds');
$clients[2]->query(q{insert into mlops.finding (project_id, title) values (1, 'under an old snapshot'); commit});
is(newest(2, q{coalesce(after ->> 'goal', after ->> 'title')}), 'for a long time; under an old snapshot', 'and writes behind what it does not see');
holds('after long transactions');

# ---- A dump, also into another encoding ----

my $dump = $node->basedir . '/audit.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', q{create database restored; create database latin encoding 'LATIN1' locale 'C' template template0});
for my $database ('restored', 'latin')
{
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', $dump, '-d', $node->connstr($database) ], "$database: the script runs");
	is($node->safe_psql($database, 'select * from mlops.audit_head()'), $node->safe_psql('postgres', 'select * from mlops.audit_head()'), "$database: the same head");
	holds($database, $node, $database);
	$node->safe_psql($database, q{update mlops.project set goal = 'restored ' || chr(228)});
	is($node->safe_psql($database, q{select seq from mlops.audit_head()}), 1 + newest(1, 'seq'), "$database: goes on");
	holds("$database, then", $node, $database);
}

# ---- A standby ----

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{update mlops.project set goal = 'streamed'});
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
is($standby->safe_psql('postgres', 'select * from mlops.audit_head()'), $node->safe_psql('postgres', 'select * from mlops.audit_head()'), 'a standby has the same head');
holds('standby', $standby);
$standby->stop;

# ---- Tampering, by a superuser with triggers off ----

# What verify_audit() says within a transaction that is rolled back.
sub tampered
{
	my ($change, $pattern, $what) = @_;
	like($node->safe_psql('postgres', "begin; alter table mlops.audit_event drop constraint audit_event_project_id_check, drop constraint audit_event_after_check;
		set local session_replication_role = replica; $change; $problems; rollback"), $pattern, $what);
	return;
}

my $rehash = q{hash = sha256(prev_hash || convert_to(jsonb_build_array(seq, (extract(epoch from at) * 1000000)::bigint, project_id, actor, role, action, object, before, after)::text, 'UTF8'))};
for my $change (q{actor = 'nobody'}, q{role = 'nobody'}, q{at = at + interval '1 microsecond'}, q{project_id = null}, q{action = 'delete'}, q{object = 'project 2'},
	q{before = after}, q{after = after || '{"goal": "forged"}'}, q{hash = sha256('forged')}, q{prev_hash = sha256('forged')})
{
	tampered("update mlops.audit_event set $change where seq = 9", qr/^9: the event was changed/, "$change: found");
}
tampered('delete from mlops.audit_event where seq = 9', qr/^9: the event is missing$/, 'an event was removed');
tampered('delete from mlops.audit_event where seq between 9 and 12', qr/^9: events up to 12 are missing$/, 'several were');
tampered('delete from mlops.audit_event where seq = 1', qr/^1: the event is missing$/, 'the first was');
tampered(q{delete from mlops.audit_event where seq = 9; update mlops.audit_event set seq = seq + 1000000 where seq > 9; update mlops.audit_event set seq = seq - 1000001 where seq > 1000000},
	qr/^9: the event was changed/, 'and the others were moved up');
tampered(q{update mlops.audit_event set seq = case seq when 9 then 1000010 else 1000009 end where seq in (9, 10); update mlops.audit_event set seq = seq - 1000000 where seq > 1000000},
	qr/^9: the event was changed.*; 10: the event was changed/, 'two changed places');
tampered("update mlops.audit_event set actor = 'nobody' where seq = 9; update mlops.audit_event set $rehash where seq = 9",
	qr/^10: the event does not follow event 9: that was replaced, or this one was$/, 'one was forged with its hash');
tampered(q{insert into mlops.audit_event select 0 + (select max(seq) + 2 from mlops.audit_event), at, project_id, actor, role, action, object, before, after, prev_hash, hash
	from mlops.audit_event where seq = 9}, qr/^\d+: the event is missing; \d+: the event was changed/, 'one was added by hand');
my ($empty) = $node->safe_psql('postgres', 'select min(seq) from mlops.audit_event where project_id is null');
tampered("update mlops.audit_event set project_id = 0 where seq = $empty", qr/^$empty: the event was changed/, 'no project became another none');
tampered("update mlops.audit_event set after = 'null' where seq = $empty", qr/^$empty: the event was changed/, 'nothing became another nothing');

# A tail that was cut off leaves a chain that holds; a head that was kept elsewhere shows it.
my $anchor = $node->safe_psql('postgres', 'select * from mlops.audit_head()');
tampered('delete from mlops.audit_event where seq > (select max(seq) - 3 from mlops.audit_event)', qr/^$/, 'a cut tail does not show by itself');
my ($seq, $hash) = split /\|/, $anchor;
is($node->safe_psql('postgres', qq{begin; set local session_replication_role = replica; delete from mlops.audit_event where seq > (select max(seq) - 3 from mlops.audit_event);
	select exists (select from mlops.audit_event where seq = $seq and hash = '$hash'); rollback}), 'f', 'but by a head that was kept');

# ---- The record goes with the extension ----

$node->safe_psql('postgres', q{begin; update mlops.project set goal = 'the last'; drop extension mlops cascade; commit});
is($node->safe_psql('postgres', q{select count(*) from pg_extension where extname = 'mlops'}), '0', 'the extension can be dropped in a transaction with events');
is($node->safe_psql('postgres', q{create extension mlops; set role anna; select mlops.create_project('anew') > 0; reset role; select min(seq) from mlops.audit_event}), "t\n1", 'and begins anew');
holds('anew');

$node->stop;
done_testing();
