# Monitors on real rows in time (MLOPS_DATA: elec.csv): quiet where nothing happened, loud where the market opened; and a monitor that runs by its schedule.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mlops'\ntimezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', 'create extension mlops');

# A schedule: the job computes the window that is over, as the role that made the monitor.
$node->safe_psql('postgres', q{
	create role ada login;
	create table reading (at timestamptz, x float8, y float8);
	grant select on reading to ada;
	insert into reading select date_trunc('minute', now()) - interval '1 hour' + n * interval '1 second', n % 100, 2 * (n % 100) from generate_series(1, 7200) n;
	set role ada;
	select mlops.train('line', 'reading', 'y', 'linear_regression', exclude => '{at}');
	select mlops.create_monitor('line', 'minutes', source => 'reading', at => 'at', window_size => '1 minute', schedule => '1 second', min_rows => 30);});
$node->poll_query_until('postgres', q{select count(*) > 0 from mlops.monitor_result})
	or die 'the monitor never ran';
is($node->safe_psql('postgres', q{select string_agg(distinct r.state || ' ' || r.message, ',') from mlops.job_run r join mlops.monitor m on m.job_id = r.job_id
	where r.message like '1 window%'}), 'succeeded 1 window of model "line"', 'a window was computed');
is($node->safe_psql('postgres', q{select count(distinct period) from mlops.monitor_result}) >= 1 ? 'some' : 'none', 'some', 'and stored');
$node->safe_psql('postgres', q{update mlops.monitor set enabled = false});
$node->safe_psql('postgres', q{set role ada; select mlops.drop_monitor(id) from mlops.monitor});
is($node->safe_psql('postgres', q{select count(*) from mlops.job where kind = 'monitor'}), '0', 'its job is gone with it');

SKIP:
{
	my $data = $ENV{MLOPS_DATA};
	skip 'MLOPS_DATA names no folder with elec.csv', 6 unless defined $data && -r "$data/elec.csv";

	$node->safe_psql('postgres', 'create table elec (period float8, nswprice float8, nswdemand float8, vicprice float8, vicdemand float8, transfer float8, class int)');
	$node->safe_psql('postgres', "\\copy elec from '$data/elec.csv' with (format csv, header)");
	$node->safe_psql('postgres', q{
		alter table elec add id int generated always as identity;
		create table electricity as select *, timestamptz '1996-05-07 00:00+10' + (id - 1) * interval '30 minutes' as observed_at from elec;
		select mlops.train('price_up', $$select * from electricity where observed_at < '1997-03-03'$$, 'class', exclude => '{id,observed_at}',
						   split => '{"time": "observed_at", "test": 0.2}');
		select mlops.run_monitor(mlops.create_monitor('price_up', 'weekly', source => 'electricity', at => 'observed_at', outcome => 'class', window_size => '7 days',
													  min_rows => 300, schedule => null), '1996-05-13', '1997-06-02');});
	is($node->safe_psql('postgres', q{select count(distinct period) from mlops.monitor_result where upper(period) <= '1997-03-03'}), '42', '42 weeks of training');
	cmp_ok($node->safe_psql('postgres', q{select count(distinct period) from mlops.monitor_result where upper(period) <= '1997-03-03' and verdict = 'alert'}), '<=', 4,
		   'of which at most a tenth alert, by whatever kind of metric');
	is($node->safe_psql('postgres', q{select string_agg(distinct kind, ',' order by kind) from mlops.monitor_result where upper(period) <= '1997-03-03' and verdict <> 'insufficient data'}),
	   'attribution,calibration,drift,estimated,prediction_drift,quality,realised', 'all kinds');
	is($node->safe_psql('postgres', q{select string_agg(distinct kind, ',' order by kind) from mlops.monitor_result where lower(period) = '1997-03-24' and verdict = 'alert'}),
	   'estimated,prediction_drift,realised', 'a week in which the model fails, and is expected to, is more than weeks differ by themselves');
	is($node->safe_psql('postgres', q{select string_agg(distinct feature, ',' order by feature) from mlops.drift
		where kind = 'drift' and verdict = 'alert' and lower(period) = '1997-05-05' and feature <> ''}), 'transfer,vicdemand,vicprice', 'the week when the market opened');
	is($node->safe_psql('postgres', q{select count(*) from mlops.drift
		where kind = 'drift' and verdict = 'alert' and upper(period) <= '1997-05-05' and feature in ('transfer', 'vicdemand', 'vicprice')}), '0', 'and not before');
}

done_testing();
