# How often windows without a change alert, over all kinds of metrics together, and windows with one: 20 features of all sorts, 20,000 rows of
# reference, 1,000 windows of 350 rows drawn from it, each computed as monitors do, in two sessions at once.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mlops'\ntimezone = 'UTC'\nfsync = off");
$node->start;
$node->safe_psql('postgres', q{
create extension mlops;
select setseed(0.42);
create table learned as
select r.i, case when r.i % 3 = 0 then 'north' else 'south' end as region,
	   -- normal, skewed, mostly zero, with missing values, counts, a few and many categories, texts that are rare
	   x[1] as f1, x[2] as f2, x[3] as f3, x[4] as f4, x[5] as f5, exp(x[6]) as f6, exp(x[7]) as f7, exp(x[8] / 2) as f8,
	   case when u[1] < 0.9 then 0 else exp(x[9]) end as f9, case when u[2] < 0.7 then 0 else x[10] end as f10,
	   case when u[3] > 0.05 then x[11] end as f11, case when u[4] > 0.2 then x[12] end as f12, case when u[5] > 0.02 then x[13] end as f13,
	   floor(u[6] * 5) as f14, floor(-ln(u[7]) * 3) as f15, chr(97 + floor(u[8] ^ 2 * 4)::integer) as f16, chr(97 + floor(u[9] ^ 3 * 8)::integer) as f17,
	   case when u[10] > 0.05 then (array['yes', 'no'])[1 + (u[11] < 0.1)::integer] end as f18, chr(97 + floor(u[12] ^ 4 * 26)::integer) as f19, u[13] < 0.3 as f20,
	   random() < 1 / (1 + exp(0.5 - x[1] - 0.5 * x[2] + 0.3 * x[3] - (u[8] < 0.5)::integer)) as y
  from (select i, array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) order by n) as x, array_agg(1 - random() order by n) as u
		  from generate_series(1, 20000) i, generate_series(1, 20) n group by i) r;
create table later as
select timestamptz '2024-01-01' + p.w * interval '1 hour' + p.n * interval '10 seconds' as at, l.*
  from (select w, n, 1 + floor(random() * 20000)::integer as pick from generate_series(1, 1000) w, generate_series(0, 349) n) p join learned l on l.i = p.pick;
create index on later (at);
create table shifted as
select timestamptz '2024-01-01' + p.w * interval '1 hour' + p.n * interval '0.7 seconds' as at, l.*
  from (select w, n, 1 + floor(random() * 20000)::integer as pick from generate_series(1, 50) w, generate_series(0, 4999) n) p join learned l on l.i = p.pick;
create index on shifted (at);
select from mlops.train('sim', 'learned', 'y', 'logistic_regression', exclude => '{i,region}');
create view found as select m.name as monitor, r.period, r.kind, r.metric, r.feature, r.verdict from mlops.monitor_result r join mlops.monitor m on m.id = r.monitor_id;
analyze later, shifted;});

# A statement that computes windows from the n-th to the last of a source: all kinds, or those that are named.
sub watch
{
	my ($name, $source, $metrics, $segments, $first, $last) = @_;

	return qq{select count(*) from mlops.run_monitor(mlops.create_monitor('sim', '$name', source => \$\$$source\$\$, at => 'at', outcome => 'y',
		window_size => '1 hour', schedule => null, metrics => $metrics, segments => '{$segments}'),
		timestamptz '2024-01-01' + $first * interval '1 hour', timestamptz '2024-01-01' + $last * interval '1 hour' + interval '30 minutes');};
}

my $moved = 'select s.at, s.f1 + %s as f1, ' . join(', ', map { "s.f$_" } 2 .. 20) . ', s.y from public.shifted s';
my $named = "'{fairness,reconstruction_error}'";
my @statements = (
	# every kind that has p, one family a window; groups and all features together, which only run where they are named, on the same windows
	watch('first', 'select * from public.later', 'null', '', 1, 560) . watch('named', 'select * from public.later', $named, 'region', 1, 560),
	watch('second', 'select * from public.later', 'null', '', 561, 1000) . watch('named too', 'select * from public.later', $named, 'region', 561, 1000)
	  . watch('moved', sprintf($moved, 0.4), "'{drift,quality}'", '', 1, 50)
	  . watch('hardly', sprintf($moved, 0.2), "'{drift}'", '', 1, 10));
my @outputs;
my @sessions = map {
	my ($statement, $n) = ($statements[$_], $_);
	$outputs[$n] = '';
	IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ], '<', \$statement, '>', \$outputs[$n], '2>&1');
} 0 .. $#statements;
ok($sessions[$_]->finish, "session $_") or diag($outputs[$_]) for 0 .. $#sessions;

sub found
{
	return $node->safe_psql('postgres', "select $_[0]");
}

is(found(q{count(distinct period) from found where monitor in ('first', 'second')}), '1000', 'a thousand windows');
is(found(q{string_agg(distinct kind, ' ' order by kind) from found}), 'attribution calibration drift estimated fairness multivariate prediction_drift quality realised',
   'all kinds of metrics that a source has');
cmp_ok(found(q{count(distinct feature) from found where kind = 'drift' and metric = 'psi' and verdict = 'ok'}), '>=', 16,
	   'whose features are watched, but for those of so many values that 350 rows are too few');
cmp_ok(found(q{count(distinct period) from found where verdict = 'alert' and monitor not in ('moved', 'hardly')}), '<=', 10,
	   'at most one window of a hundred alerts where nothing changed');

# What is there is found.
cmp_ok(found(q{count(distinct period) from found where monitor = 'moved' and verdict = 'alert' and feature = 'f1' and kind = 'drift'}), '>=', 48,
	   'of 50 windows of 5,000 rows with a shift of .4 sigma in one feature at least 48 do, and name it');
is(found(q{count(*) from found where monitor = 'moved' and kind = 'drift' and feature not in ('f1', '') and verdict = 'alert'}), '0', 'and no other feature');
is(found(q{count(distinct period) from found where monitor = 'hardly'}), '10', 'windows with a shift of .2 sigma');
is(found(q{count(*) from found where monitor = 'hardly' and verdict = 'alert'}), '0', 'whose PSI is below the threshold, do not');

done_testing();
