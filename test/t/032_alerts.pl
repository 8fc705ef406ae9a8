# An alert reaches who listens, and what follows from it is done by workers with the rights of who set it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('alerts');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	timezone = 'UTC'
});
$node->start;

# Olga operates the models of a project that Anna owns; visits of three weeks, and in the third the unit of x has changed.
$node->safe_psql('postgres', q{
	create extension mlops;
	create role anna login;
	create role olga login;
	create schema ward authorization olga;
	create table visit as
	select week, (hashint8(n) & 1023) / 100.0::float8 as x, (hashint8(n + 1000) & 1023) / 100.0::float8 as y,
		   timestamptz '2024-01-01' + week * interval '7 days' + n % 160 * interval '1 hour' as at, null::float8 as cost
	  from generate_series(1, 3000) n, lateral (select n % 3 as week) w;
	update visit set cost = 3 * x + y + (hashint8((1000 * x + y)::bigint) & 255) / 100.0;
	update visit set x = x / 100 where week = 2;
	grant select on visit to anna, olga});
my $anna = Connection->new($node, user => 'anna');
$anna->query(q{select mlops.create_project('ward'), mlops.grant_access('ward', 'olga', 'operator'), mlops.grant_access('ward', 'olga', 'scientist')});
my $olga = Connection->new($node, user => 'olga');
for my $version (1, 2)
{
	$olga->query("select version from mlops.train('cost', 'select x, y, cost from visit where week = 0', 'cost', algorithm => 'linear_regression', project => 'ward', seed => $version)");
	$olga->query("select mlops.deploy('cost', $version, capture => '{\"mode\": \"off\"}')");
}
$olga->query(q{create table ward.told (alert jsonb)});
$olga->query(q{create function ward.tell(alert jsonb) returns void language sql as 'insert into ward.told values (alert)'});
my $monitor = $olga->query(q{select mlops.create_monitor('cost', 'weekly', source => 'visit', at => 'at', outcome => 'cost', window_size => '7 days', min_rows => 300)});
$olga->query(q{select mlops.route_alerts('ward', 'function', 'ward.tell')});
$olga->query("select mlops.on_alert($monitor, 'rollback', 'warning')");
$olga->query("select mlops.on_alert($monitor, 'finding', 'warning')");

# A week like the first one: nothing happens; the next one: everything does.
is($olga->query("select count(*) from mlops.run_monitor($monitor, since => '2024-01-08', until => '2024-01-15') where verdict = 'alert'"), '0', 'an ordinary week');
is($olga->query('select count(*) from mlops.alert'), '0', 'raises nothing');
my $heard = $node->safe_psql('postgres', "listen mlops_alert; select count(*) from mlops.run_monitor($monitor, since => '2024-01-15', until => '2024-01-22') where verdict = 'alert'",
	extra_params => [ '-U', 'olga' ]);
like($heard, qr/^[1-9]/, 'a week in another unit');
like($heard, qr/notification "mlops_alert" with payload "\{"event": "opened", "alert_id": \d+, "model_id": \d+, "severity": "warning", "monitor_id": \d+\}"/,
	'reaches who listens, by its numbers');
my $alerts = $olga->query(q{select count(*) from mlops.alert where state = 'open'});
cmp_ok($alerts, '>', 0, 'raises alerts');
ok($olga->query(q{select count(*) from mlops.alert where kind = 'drift' and feature = 'x'}) == 1, 'one of them names the column');

# By workers
ok($node->poll_query_until('postgres', "select count(*) = $alerts from ward.told"), 'the route\'s function is told of each');
is($node->safe_psql('postgres', q{select distinct alert ->> 'model', alert ->> 'event' from ward.told}), 'cost|opened', 'with names');
ok($node->poll_query_until('postgres', q{select count(*) = 1 from mlops.action_run x join mlops.monitor_action n on n.id = x.action_id where n.action = 'rollback' and x.state = 'done'}),
	'the model is rolled back');
is($node->safe_psql('postgres', q{select version, action, deployed_by from mlops.deployment where upper_inf(valid)}), '1|rollback|olga', 'by whom the action belongs to');
is($node->safe_psql('postgres', q{select actor, role, object, after ->> 'state', after ->> 'owner' from mlops.audit_event where action = 'rollback'}), 'olga|olga|model cost|done|olga', 'once, and recorded');
is($node->safe_psql('postgres', q{select count(*) from mlops.finding}), $alerts, 'findings are open');

# What is refused is recorded, too.
my $run = $node->safe_psql('postgres', q{update mlops.action_run set state = 'queued' where action = 'rollback' returning id});
is($olga->query("select mlops.perform_action($run)"), '{"refused": "the live deployment is itself what followed from an alert: a person decides"}', 'an alert that was acted on');
is($node->safe_psql('postgres', q{select actor, role, object, after ->> 'state' from mlops.audit_event where action = 'rollback' order by seq desc limit 1}), 'olga|olga|model cost|refused',
	'leads to nothing more but its record');

# What olga lost she cannot do by an action either.
$olga->query(q{select mlops.deploy('cost', 2, capture => '{"mode": "off"}')});
$anna->query(q{select mlops.revoke_access('ward', 'olga', 'operator')});
$node->safe_psql('postgres', q{delete from mlops.action_run; delete from mlops.raised_alert});
my $rolled_back = $node->safe_psql('postgres', 'select count(*) from mlops.deployment');
$node->safe_psql('postgres', "select mlops.raise_alerts($monitor, period) from mlops.monitor_result group by period order by period desc limit 1");
ok($node->poll_query_until('postgres', q{select count(*) = 1 from mlops.job_run r join mlops.action_run x on x.job_id = r.job_id where r.state = 'failed'}), 'the job of a role that may not deploy fails');
like($node->safe_psql('postgres', q{select r.message from mlops.job_run r join mlops.action_run x on x.job_id = r.job_id}), qr/permission denied.*|it takes|operator/, 'and says why');
is($node->safe_psql('postgres', 'select count(*) from mlops.deployment'), $rolled_back, 'nothing is deployed');
is($node->safe_psql('postgres', q{select count(*) from mlops.action_run x where x.state = 'queued' and x.job_id is not null}), '1', 'and nothing is said to be done');
like($node->safe_psql('postgres', q{select detail from mlops.timeline('cost') where event = 'action' order by at desc limit 1}), qr/^rollback because of alert \d+: failed, permission denied/,
	'but that it failed');

$anna->close;
$olga->close;
$node->stop;
done_testing();
