# A registry goes through pg_dump into a new cluster: the same rows in every
# table, the same bytes, bit-equal predictions, history as it was, and nothing
# added by triggers; also where a role was dropped meanwhile.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = PostgreSQL::Test::Cluster->new('source');
$source->init;
$source->append_conf('postgresql.conf', q{shared_preload_libraries = 'mlops'});
$source->start;

$source->safe_psql('postgres', q{
	create extension mlops;
	create role anna;
	create role otto;
	create role gone;
	create table house as
		select n as id, (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms, case n % 3 when 0 then 'north' when 1 then 'south' end as side,
			   (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 + n % 5 as price
		  from generate_series(1, 400) n;
	grant select on house to anna, otto, gone;
	grant usage on schema public to anna, otto, gone;
});
$source->safe_psql('postgres', q{
	set role anna;
	select mlops.create_project('homes', goal => 'what a house costs', tags => '{demo}');
	select mlops.create_experiment('homes', 'first', 'rmse', 'minimize');
	select mlops.grant_access('homes', 'otto', 'operator');
	select mlops.grant_access('homes', 'gone', 'owner');
	select mlops.train('price', 'house', 'price', project => 'homes', experiment => 'first', exclude => '{id}', params => '{"n_estimators": 20}');
	select mlops.train('price', 'house', 'price', algorithm => 'linear_regression', exclude => '{id}');
	select mlops.train('mine', 'select h.*, date ''2024-01-01'' + id as sold from house h', 'price', algorithm => 'baseline', exclude => '{id}', split => '{"time": "sold"}');
	select mlops.train('grown', 'house', 'price', exclude => '{id}', params => '{"init_model": "price@1", "n_estimators": 5}');
	select mlops.train('timed', $$select *, timestamptz '2024-01-01 00:00+00' + id * interval '1 hour' as at from house$$, 'price', exclude => '{id}',
					   split => '{"time": "at", "test": 0.2}');
	select mlops.run_monitor(mlops.create_monitor('price', 'days', source => $$select *, timestamptz '2024-01-01 00:00+00' + id * interval '1 hour' as at from house$$,
												  at => 'at', outcome => 'price', reference => 'house', min_rows => 10), '2024-01-03', '2024-01-05');
	set role gone;
	select mlops.train('price', 'house', 'price', exclude => '{id}', params => '{"n_estimators": 5}');
	set role otto;
	select mlops.deploy('price', 1);
	select mlops.deploy('price', 2);
	select mlops.rollback('price');
	select mlops.set_alias('price', 'champion', 1);
	select mlops.set_alias('price', 'champion', 2);
	select mlops.set_alias('price', 'challenger', 3);
	select mlops.drop_alias('price', 'challenger');
	reset role;
	select mlops.create_prediction_view('priced', 'homes/price', 'house', id => 'id');
	set role otto;
	select mlops.predict('price', h) from house h where id <= 20;
	do $$ begin perform mlops.predict('price', h) from (select 1 as nothing) h; exception when undefined_column then null; end $$;
	select mlops.flush_capture('60 s');
	select mlops.score('price', h.id::text, h, request_id => 'request ' || h.id) from house h where id > 390;
	select mlops.record_outcome('price', '395', now(), '17.5');
	select mlops.bind_outcomes('price', 'select id as entity_key, price as label, now() as observed_at from house where id > 395');
	select mlops.route_alerts('homes', 'outbox');
	select mlops.on_alert(id, 'finding', 'warning') from mlops.monitor where name = 'days';
	reset role;
	insert into mlops.monitor_result (monitor_id, model_id, version, period, kind, metric, verdict)
	select id, model_id, 2, '[2024-02-01 00:00+00, 2024-02-02 00:00+00)', 'realised', 'rmse', 'alert' from mlops.monitor where name = 'days';
	select mlops.raise_alerts(id, '[2024-02-01 00:00+00, 2024-02-02 00:00+00)') from mlops.monitor where name = 'days';
	set role otto;
	select mlops.acknowledge_alert(max(alert_id), 'seen') from mlops.alert;
	set role anna;
	select mlops.retrain('grown', deploy => 'never');
	select mlops.take_snapshot('house', keep_rows => true, project => 'homes');
	select mlops.log_run('price', 'regression', 'price', 'mlp', metrics => '{"rmse": 3}', project => 'homes', experiment => 'first');
	select mlops.log_param(max(id), 'layers', 3), mlops.log_tag(max(id), 'team', 'homes'), mlops.log_note(max(id), 'ask @otto') from mlops.run;
	select mlops.subscribe('project homes');
	select mlops.set_card('homes/price', '{"purpose": "offers", "tier": "low"}');
	update mlops.project set target_metric = 'rmse', target_value = 5, target_direction = 'minimize', due_on = '2030-01-01' where name = 'homes';
	reset role;
	set role anna;
	select mlops.create_project('rules');
	select mlops.grant_access('rules', 'otto', 'reviewer');
	select mlops.set_policy('rules', '{"checks": {"tested": "tests_failed = 0", "fits": "rmse < 1000"}, "approvals": {"reviewer": 1}}');
	select mlops.train('ruled', 'house', 'price', algorithm => 'baseline', exclude => '{id}', project => 'rules');
	select mlops.train('ruled', 'house', 'price', algorithm => 'baseline', exclude => '{id}');
	select mlops.add_test('ruled', 'answers', $$select mlops.predict('{model}', h) as answer from house h limit 3$$, 'answer > 0');
	select mlops.request_review('ruled', 1);
	select mlops.add_test('grown', 'dear', $$select mlops.predict('{model}', h) as answer from house h limit 3$$, 'answer > 1e9');
	select mlops.run_tests('grown', 1);
	set role otto;
	select mlops.approve('ruled', 1, conditions => 'watch it', due => current_date + 1000);
	set role anna;
	select mlops.deploy('ruled', 1);
	select mlops.revoke('ruled', 2, 'the same as before');
	reset role;
	select mlops.set_retention('price', '1 year');
	select mlops.forget('price', '400');
	begin;
	insert into mlops.job (name, kind, args, schedule, next_run, owner, session_role, settings)
	values (null, 'sql', '{"statement": "select 1"}', null, null, 'anna', 'otto', '{"TimeZone": "UTC"}'),
		   ('nightly', 'sql', '{"statement": "select 1"}', '15 2 * * *', '2099-01-01 02:15+00', 'anna', 'otto', '{"TimeZone": "UTC"}');
	insert into mlops.job_run (job_id, kind, state, attempts, message, started_at, finished_at) select id, 'sql', 'succeeded', 1, 'SELECT 1', now(), now() from mlops.job where name is null;
	commit;
});
$source->safe_psql('postgres', q{
	revoke all on house from gone;
	revoke all on schema public from gone;
	drop role gone;
});

# From here on nothing is captured: the questions below predict, too.
$source->append_conf('postgresql.conf', 'mlops.capture_queue_size = 0');
$source->restart;

# Everything that must be the same, as text; floats by their bits.
my %questions = (
	chain    => q{select (select count(*) from mlops.verify_audit()), (select count(*) > 20 from mlops.audit_event)},
	predictions => q{select h.id, encode(float8send(mlops.predict('price', h)), 'hex'), encode(float8send(mlops.predict('price@champion', h)), 'hex'),
							encode(float8send(mlops.predict('price@3', h)), 'hex'), encode(float8send(mlops.predict('mine@1', h)), 'hex')
					   from house h order by h.id},
	view     => q{select id, encode(float8send(prediction), 'hex'), version from priced order by id},
	captured => q{select * from mlops.captured order by prediction_id},
	lineage  => q{select r.model_name, r.init_version from mlops.run r join mlops.model_version v on v.model_id = r.init_model_id and v.version = r.init_version and v.sha256 = r.init_sha256},
	gate     => q{select * from mlops.why_not('ruled', 1)},
	stages   => q{select model, version, stage, approved_by from mlops.version_stage order by 1, 2},
	aliases  => q{select * from mlops.resolve_model('price@champion')},
	sequences => q{select nextval('mlops.run_id_seq'), nextval('mlops.deployment_id_seq'), nextval('mlops.project_id_seq'),
						  nextval('mlops.job_id_seq'), nextval('mlops.job_run_id_seq')});
for my $table (split /\n/, $source->safe_psql('postgres', q{
	select relname from pg_class where relnamespace = 'mlops'::regnamespace and relkind in ('r', 'p') and not relispartition order by relname}))
{
	$questions{$table} = $table eq 'project_member'
	  ? q{select m::text from mlops.project_member m where exists (select from pg_roles r where r.oid = m.member) order by m::text}
	  : $table =~ /^job/ ? "select t::text from mlops.$table t where t.kind <> 'housekeeping' order by t::text"
	  : "select t::text from mlops.$table t order by t::text";
}

my $dump = $source->backup_dir . '/dump';
mkdir $source->backup_dir;
$source->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $source->connstr('postgres') ], 'pg_dump');
my %answers = map { $_ => $source->safe_psql('postgres', $questions{$_}) } keys %questions;
$source->stop;

my $target = PostgreSQL::Test::Cluster->new('target');
$target->init;
$target->start;
$target->safe_psql('postgres', 'create role anna; create role otto; create database restored');
$target->command_ok([ 'pg_restore', '--exit-on-error', '-d', $target->connstr('restored'), $dump ], 'pg_restore');

for my $name (sort keys %questions)
{
	isnt($answers{$name}, '', "there is something in $name");
	is($target->safe_psql('restored', $questions{$name}), $answers{$name}, "$name: the same");
}
is($target->safe_psql('restored', 'select count(*) from mlops.project_member m where not exists (select from pg_roles r where r.oid = m.member)'),
	'0', 'the membership of the dropped role stayed behind');

is($target->safe_psql('restored', q{
	set role anna;
	select same_rows, same_artifact, same_metrics from mlops.reproduce((select min(v.run_id) from mlops.model_version v join mlops.model m on m.id = v.model_id where m.name = 'price'))}),
	't|t|t', 'what was trained there is reproduced here');

# The registry goes on where it stood.
is($target->safe_psql('restored', q{
	set role anna;
	select version from mlops.train('price', 'house', 'price', exclude => '{id}', algorithm => 'baseline')}), '4', 'the next version');
is($target->safe_psql('restored', q{
	set role anna;
	set client_min_messages = warning;
	select 'trained' from mlops.train('price', 'house', 'price', exclude => '{id}', params => '{"n_estimators": 20}');
	select count(distinct sha256) from mlops.model_version v join mlops.model m on m.id = v.model_id where m.name = 'price' and v.version in (1, 5)}),
	"trained\n1", 'the restored rows give the same model, byte for byte');
is($target->safe_psql('restored', q{
	set role otto;
	set client_min_messages = warning;
	select mlops.deploy('price', 3) is not null;
	select version from mlops.rollback('price');
	select mlops.deployed_at('price', clock_timestamp())}), "t\n1\n1", 'deploying and rolling back go on');
is($target->safe_psql('restored', q{
	set role anna;
	set client_min_messages = warning;
	select mlops.undeploy('ruled');
	select mlops.deploy('ruled', 1) is not null}), "\nt", 'what was approved goes live again');
is(($target->psql('restored', q{set role anna; select mlops.deploy('ruled', 2)}))[0], 3, 'what was revoked does not');
is($target->safe_psql('restored', q{
	set role anna;
	select version from mlops.train('mine', 'house', 'price', exclude => '{id}', algorithm => 'baseline');
	select count(*) from mlops.project where is_personal}), "2\n1", 'the personal project is found again');

my ($status, $stdout, $stderr) = $target->psql('restored', q{update mlops.model_version set algorithm = 'x'});
like($stderr, qr/immutable/, 'what is immutable still is');

# A plain script does the same as the archive.
my $script = $target->backup_dir . '/dump.sql';
mkdir $target->backup_dir;
$target->command_ok([ 'pg_dump', '-f', $script, '-d', $target->connstr('restored') ], 'pg_dump as a script');
$target->safe_psql('postgres', 'create database again');
$target->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', $script, '-d', $target->connstr('again') ], 'the script runs');
is($target->safe_psql('again', $questions{deployment}), $target->safe_psql('restored', $questions{deployment}), 'the history of deployments');
is($target->safe_psql('again', $questions{alias_history}), $target->safe_psql('restored', $questions{alias_history}), 'the history of aliases');
is($target->safe_psql('again', $questions{predictions}), $target->safe_psql('restored', $questions{predictions}), 'the predictions');

$target->stop;
done_testing();
