# Attacks that need logins and several connections: roles taken in the middle of a transaction, plans and cursors kept over a change of rights,
# copies and dumps by members, jobs whose owners lost what they had.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('attacked');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	max_prepared_transactions = 2
	timezone = 'UTC'
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role anna login;
	create role sam login;
	create role vera login;
	create role paul login;
	create role sten login;
	create role crew;
	create role nora login noinherit in role crew;
	create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 300) n;
	grant select on house to public;
	grant create on schema public to public;
	set role anna;
	select mlops.create_project('lab');
	select mlops.grant_access('lab', 'sam', 'scientist'), mlops.grant_access('lab', 'vera', 'viewer'), mlops.grant_access('lab', 'paul', 'predictor'),
		   mlops.grant_access('lab', 'crew', 'viewer');
	select mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id}', project => 'lab');
	select mlops.deploy('price', 1);
});

my $attacks = 0;

# A connection of a role.
sub as_role { return Connection->new($node, user => $_[0]) }

# What a statement comes to: the error, or the rows.
sub outcome
{
	my ($connection, $statement) = @_;
	$connection->send($statement);
	my $answer = $connection->finish;
	return $answer->{error} // $answer->{rows};
}

# A statement that is refused, by an error that says so.
sub refused
{
	my ($connection, $statement, $why, $what) = @_;
	$attacks++;
	return like(outcome($connection, $statement), $why, $what);
}

# A statement that shows nothing.
sub shows_nothing
{
	my ($connection, $statement, $what) = @_;
	$attacks++;
	return is(outcome($connection, $statement), '', $what);
}

my $denied = qr/permission denied|must be superuser/;
my $unknown = qr/does not exist/;

# ---- Roles taken in the middle of a transaction ----

my $sten = as_role('sten');
refused($sten, 'set role anna', $denied, 'the role of an owner');
refused($sten, 'set session authorization anna', $denied, 'the session of an owner');
refused($sten, q{select set_config('role', 'anna', false)}, $denied, 'by a function');
refused($sten, q{select set_config('session_authorization', 'anna', false)}, $denied, 'or the session');
$sten->query('begin');
refused($sten, 'set local role anna; select mlops.grant_access(\'lab\', \'sten\', \'owner\')', $denied, 'within a transaction');
$sten->query('rollback');
refused($sten, q{do $$ begin perform set_config('role', 'anna', true); perform mlops.deploy('lab/price', 1); end $$}, $denied, 'within a block');
refused($sten, q{create function public.hers() returns bigint language sql set role = 'anna' as 'select count(*) from mlops.run'}, $denied, 'as a setting of a function');
shows_nothing($sten, q{set mlops.project = 'lab'; select name from mlops.model}, 'a setting opens nothing');

# A member without inheritance has what the role has only while it is set.
my $nora = as_role('nora');
shows_nothing($nora, 'select name from mlops.model', 'a role that is not inherited');
is(outcome($nora, 'begin; set local role crew; select name from mlops.model'), 'price', 'once it is set');
$nora->query('prepare kept as select name from mlops.model');
is(outcome($nora, 'execute kept'), 'price', 'with a plan');
shows_nothing($nora, 'set local role none; execute kept', 'the plan shows nothing once it is not');
$nora->query('rollback');
shows_nothing($nora, 'execute kept', 'nor when the transaction is over');

# ---- Plans kept across roles ----

my $root = Connection->new($node);
$root->query('prepare runs as select count(*) from mlops.run having count(*) > 0');
$root->query(q{prepare answer as select mlops.predict('lab/price', h) from house h where h.id = 1});
$root->query(q{create function public.names() returns setof text language plpgsql as 'begin return query select m.name from mlops.model m; end'});
is(outcome($root, 'execute runs'), '1', 'a superuser plans a query');
like(outcome($root, 'execute answer'), qr/^\d/, 'and a prediction');
is(outcome($root, 'select * from public.names()'), 'price', 'and one in a function');
$root->query('set role sten');
shows_nothing($root, 'execute runs', 'the plan of a query does not show a stranger what it showed a superuser');
refused($root, 'execute answer', $unknown, 'nor does that of a prediction answer');
shows_nothing($root, 'select * from public.names()', 'nor that in a function');
$root->query('reset role');
$root->query('set session authorization vera');
is(outcome($root, 'execute runs'), '1', 'a viewer sees it');
shows_nothing($root, 'select chunk from mlops.model_chunk', 'but no bytes, though a superuser connected');
$root->query('reset session authorization');

# ---- Rights that go while somebody works ----

my $paul = as_role('paul');
my $vera = as_role('vera');
my $anna = as_role('anna');
$paul->query(q{prepare answer as select mlops.predict('price', h) from house h where h.id = 1});
like(outcome($paul, 'execute answer'), qr/^\d/, 'a predictor predicts');
$paul->query(q{begin; declare answers cursor for select mlops.predict('price', h) from house h});
$vera->query('begin; declare runs cursor for select id from mlops.run; declare held cursor with hold for select name from mlops.model; select 1');
$anna->query(q{select mlops.revoke_access('lab', 'paul', 'predictor'), mlops.revoke_access('lab', 'vera', 'viewer')});
$anna->query(q{select mlops.train('price', 'select area, price + 1000000 as price from house', 'price', 'linear_regression', project => 'lab')});
$anna->query(q{select mlops.deploy('price', 2), mlops.train('secret', 'house', 'price', 'baseline', project => 'lab')});
# as PostgreSQL's own: a cursor goes on with the rows and the rights of when it was declared, and shows nothing that came since
unlike(outcome($paul, 'fetch all from answers'), qr/^1\d{6}/m, 'a cursor that was declared before does not answer by a version that went live since');
$attacks++;
$paul->query('rollback');
refused($paul, 'execute answer', $unknown, 'a prepared prediction is refused');
refused($paul, q{select mlops.predict('lab/price', '{"area": 1}'::jsonb)}, $unknown, 'and one by the same session');
is(outcome($vera, 'fetch all from runs'), '1', 'a cursor over our tables shows no run that came since');
is(outcome($vera, 'fetch all from held'), 'price', 'nor does one that would be held');
$attacks += 2;
$vera->query('commit');
is(outcome($vera, 'fetch backward all from held'), 'price', 'which keeps what it had');
shows_nothing($vera, 'select name from mlops.model', 'and the session goes on with nothing');
refused($vera, q{select mlops.comments('model price')}, $unknown, 'whatever it asks');

# ---- A name that another had ----

$anna->query(q{select mlops.grant_access('lab', 'paul', 'predictor'), mlops.grant_access('lab', 'vera', 'viewer')});
$root->query('create role temp login; set role anna; select mlops.grant_access(\'lab\', \'temp\', \'owner\'); reset role; drop role temp; create role temp login');
my $temp = as_role('temp');
shows_nothing($temp, 'select name from mlops.model', 'a role made anew has not what one of its name had');
refused($temp, q{select mlops.grant_access('lab', 'temp', 'owner')}, $unknown, 'and gives itself nothing');

# ---- Copies ----

$vera = as_role('vera');
is((as_psql('sten', 'copy mlops.run to stdout'))[0], '', 'a copy shows a stranger nothing');
is((as_psql('vera', 'copy mlops.model_chunk to stdout'))[0], '', 'and a viewer no bytes');
like((as_psql('sten', "copy mlops.audit_event from stdin;\n\\.\n"))[1], $denied, 'nobody copies into the record');
like((as_psql('anna', "copy mlops.project_member (project_id, member, access) from stdin;\n1\tsten\towner\n\\.\n"))[1], qr/COPY FROM not supported with row-level security/, 'nor into what has row security');
like((as_psql('sten', q{copy (select 1) to program 'id'}))[1], $denied, 'nor runs programs');
like((as_psql('sten', q{copy public.house from '/etc/passwd'}))[1], $denied, 'nor reads files');
$attacks += 6;

# What psql shows, and what it complains of.
sub as_psql
{
	my ($role, $statement) = @_;
	my ($out, $err) = ('', '');
	$node->psql('postgres', $statement, stdout => \$out, stderr => \$err, extra_params => [ '-U', $role ]);
	return ($out, $err);
}

# ---- Dumps ----

for my $options ([], ['--enable-row-security'], ['--data-only', '--table=mlops.model_chunk'], ['--enable-row-security', '--data-only', '--table=mlops.prediction_features'])
{
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-U', 'vera', @$options, 'postgres' ], '>', \$out, '2>', \$err);
	unlike($out, qr/4d4c4f50/i, "a viewer's dump has no bytes of models: @$options");
	$attacks++;
}

# ---- Jobs ----

# Runs a statement as a job, and says how it ended.
sub job
{
	my ($connection, $statement) = @_;
	$statement =~ s/(["\\])/\\$1/g;
	my $id = $connection->query(qq{select mlops.submit('sql', \$json\${"statement": "$statement"}\$json\$, 1)});
	$connection->query("select mlops.wait_for($id, '60 s')");
	return $node->safe_psql('postgres', "select state || ': ' || coalesce(message, '') from mlops.job_run where job_id = $id order by id desc limit 1");
}

for my $attack (['create role hacked superuser', $denied, 'makes no superuser'], ['set role anna; select mlops.deploy($$lab/price$$, 1)', $denied, 'takes no role'],
	['reset session authorization; create role hacked superuser', $denied, 'has no other session behind it'],
	['set session authorization default; create role hacked superuser', $denied, 'nor by its default'],
	['reset role; alter role sten superuser', $denied, 'has no other role behind it'],
	['do $$ begin perform set_config(\'session_authorization\', \'anna\', false); end $$', $denied, 'takes no session in a block'],
	['copy (select 1) to program $$id$$', $denied, 'runs no program'], ['select pg_read_file($$/etc/passwd$$)', $denied, 'reads no file'],
	['set session_replication_role = replica', $denied, 'switches no trigger off'], ['update mlops.job set owner = $$anna$$', $denied, 'gives itself to nobody'],
	['select mlops.deploy($$lab/price$$, 1)', $unknown, 'deploys nothing of others'])
{
	my ($statement, $why, $what) = @$attack;
	my $ended = job($sten, $statement);
	like($ended, qr/^failed: .*$why/s, "a job of a stranger's $what");
	$attacks++;
}
is($node->safe_psql('postgres', q{select count(*) from pg_roles where rolname = 'hacked' or rolname = 'sten' and rolsuper}), '0', 'nobody became a superuser');

# Who is no superuser any more, who lost the access that the job needs, and who is gone.
$node->safe_psql('postgres', 'create role dora login superuser; create role gone login');
my $dora = as_role('dora');
my $gone = as_role('gone');
my $scientist = as_role('sam');
$dora->query(q{select mlops.schedule_job('later', '0 0 1 1 *', 'sql', '{"statement": "create role hacked superuser"}', 1)});
$gone->query(q{select mlops.schedule_job('never', '0 0 1 1 *', 'sql', '{"statement": "select 1"}', 1)});
$scientist->query(q{select mlops.schedule_job('anew', '0 0 1 1 *', 'train', '{"model": "price", "source": "public.house", "target": "price", "project": "lab"}', 1)});
$node->safe_psql('postgres', q{
	alter role dora nosuperuser;
	drop role gone;
	set role anna;
	select mlops.revoke_access('lab', 'sam', 'scientist');
	reset role;
	update mlops.job set next_run = now() - interval '1 minute' where name in ('later', 'never', 'anew');
});
for my $attack (['later', qr/^failed: .*(permission denied|must be superuser)/, 'who is no superuser any more'], ['anew', qr/^failed: .*(permission denied|does not exist)/, 'who has no access any more'])
{
	my ($name, $why, $who) = @$attack;
	ok($node->poll_query_until('postgres', "select exists (select from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = '$name' and r.finished_at is not null)"), "the job of one $who is tried");
	like($node->safe_psql('postgres', "select r.state || ': ' || coalesce(r.message, '') from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = '$name' order by r.id desc limit 1"),
		$why, 'and refused');
	$attacks++;
}
is($node->safe_psql('postgres', q{select count(*) from mlops.job_run r join mlops.job j on j.id = r.job_id where j.name = 'never' and r.state = 'succeeded'}), '0', 'that of one who is gone never runs');
is($node->safe_psql('postgres', q{select count(*) from pg_roles where rolname = 'hacked'}), '0', 'still nobody became a superuser');
$attacks++;

is($attacks, 48, "the attacks");
$_->close for ($sten, $nora, $root, $paul, $vera, $anna, $temp, $dora, $gone, $scientist);
$node->stop;
done_testing();
