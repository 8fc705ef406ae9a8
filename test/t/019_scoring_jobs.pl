# Scorings as jobs: by a schedule, with their owners' rights on source, model and destination, and seen while they go on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('scoring');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	mlops.job_history = '3650d'
	mlops.now = '2026-01-01 00:00+00'
	timezone = 'UTC'
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role jane login;
	create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price from generate_series(1, 500) n;
	analyze house;
	create table scored (id bigint primary key, prediction float8, version int, scored_at timestamptz);
	create table mirror (id bigint, prediction float8);
	select mlops.create_project('homes');
	select mlops.train('homes/price', 'house', 'price', 'linear_regression', exclude => '{id}');
	select mlops.deploy('price');
	select mlops.grant_access('homes', 'jane', 'predictor');
	grant select on house to jane;
});
my $me = Connection->new($node);
my $jane = Connection->new($node, user => 'jane');
my $other = Connection->new($node);

sub outcome
{
	my ($job) = @_;
	$me->query("select mlops.wait_for($job, '60 s')");
	return $me->query("select state || ' ' || message from mlops.job_run where job_id = $job order by id desc limit 1");
}
sub submit
{
	my ($destination, $mode, $more) = @_;
	return $jane->query(qq{select mlops.submit('score_table', '{"model": "price", "source": "house", "destination": "$destination", "key": "id", "mode": "$mode"$more}')});
}
sub set_clock
{
	$node->safe_psql('postgres', "alter system set mlops.now = '$_[0]'; select pg_reload_conf()");
	return;
}
sub counted { return $me->query("select count(*), min(version), max(version) from scored") }

# ---- Rights ----

my %needs = (append => 'insert', upsert => 'insert, update', replace => 'insert, delete');
for my $mode (sort keys %needs)
{
	like(outcome(submit('scored', $mode, '')), qr/^failed permission denied for table scored/, "$mode: without rights on the destination");
	$me->query("grant select, $needs{$mode} on scored to jane");
	is(outcome(submit('scored', $mode, '')), 'succeeded 500 rows by price@1', "$mode: with them");
	is(counted(), '500|1|1', "$mode: the rows are there");
	$me->query('revoke all on scored from jane; truncate scored');
}
$me->query(q{grant select, insert, update, delete on scored, mirror to jane; alter table mirror enable row level security;
	create policy few on mirror for all to jane using (id <= 100) with check (id <= 100)});
like(outcome(submit('mirror', 'append', '')), qr/^failed new row violates row-level security policy for table "mirror"/, 'row security of the destination applies');
$me->query('drop policy few on mirror; create policy all_rows on mirror to jane using (true); alter table house enable row level security; create policy few on house to jane using (id <= 120)');
is(outcome(submit('mirror', 'replace', '')), 'succeeded 120 rows by price@1', 'so does that of the source');
$me->query('alter table house disable row level security');

# ---- By a schedule ----

my $nightly = $jane->query(q{select mlops.schedule_job('nightly', '15 2 * * *', 'score_table',
	'{"model": "price", "source": "select * from house where id > 0", "destination": "scored", "key": "id", "mode": "replace"}')});
set_clock('2026-01-01 02:15+00');
is(outcome($nightly), 'succeeded 500 rows by price@1', 'a scoring by a schedule');
$me->query(q{select mlops.train('homes/price', 'house', 'price', 'baseline', exclude => '{id}'); select mlops.deploy('price'); delete from house where id > 450; analyze house});
set_clock('2026-01-02 02:15+00');
ok($node->poll_query_until('postgres', "select count(*) = 2 from mlops.job_run where job_id = $nightly and finished_at is not null"), 'runs again');
is(outcome($nightly), 'succeeded 450 rows by price@2', 'with the version of then');
is(counted(), '450|2|2', 'and replaces what was there');
$me->query(q{select mlops.revoke_access('homes', 'jane')});
set_clock('2026-01-03 02:15+00');
ok($node->poll_query_until('postgres', "select count(*) = 3 from mlops.job_run where job_id = $nightly and finished_at is not null"), 'who left the project');
like(outcome($nightly), qr/^failed model "price" does not exist/, 'scores no more');
is(counted(), '450|2|2', 'and what was there stays');
$me->query(q{select mlops.grant_access('homes', 'jane', 'predictor')});

# ---- Progress ----

$me->query(q{create function slow(id anyelement) returns anyelement language plpgsql as
	$$ begin if id = 200 then perform pg_advisory_xact_lock_shared(1); end if; return id; end $$; truncate scored});
$other->query('select pg_advisory_lock(1)');
my $job = $jane->query(q{select mlops.submit('score_table', '{"model": "price", "source": "select slow(id) as id, area from house", "destination": "scored",
	"key": "id", "mode": "upsert", "batch": 60}')});
ok($node->poll_query_until('postgres', q{select exists (select from pg_stat_activity where backend_type = 'mlops worker' and wait_event = 'advisory')}), 'a scoring that goes on');
is($jane->query('select kind, model, phase, job_id, role, total, done < total from mlops.progress'), "score|price|predict|$job|jane|450|t", 'shows how far it is');
is($jane->query("select state, progress >= 0 from mlops.job_run where job_id = $job"), 'running|t', 'so does its run');
$other->query('select pg_advisory_unlock(1)');
is(outcome($job), 'succeeded 450 rows by price@2', 'it ends');
is($me->query('select count(*) from mlops.progress'), '0', 'and is seen no more');

$node->stop;
done_testing();
