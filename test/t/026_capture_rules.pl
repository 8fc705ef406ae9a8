# What predict_batch() is asked is captured like what a query is; partitions and retention go by the clock; many models are counted; nobody sees others' counts.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	max_parallel_workers_per_gather = 0
	timezone = 'UTC'
	autovacuum = off
});
$node->start;
sub one { return $node->safe_psql('postgres', $_[0]) }
one(q{
	create extension mlops;
	create role ann;
	create role sten;
	create table thing as
	select i as id, i * 37 % 101 as whole, sqrt(i * 11 % 17) as double, (array['red', 'green', 'blue'])[i % 7 % 3 + 1] as colour,
		   case when i % 4 = 0 then 'f' else 'm' end as sex, i * 37 % 101 > 50 as sold from generate_series(1, 3000) i;
	analyze thing;
	select mlops.create_project('shop');
	select mlops.grant_access('shop', 'ann', 'viewer');
	select mlops.train('sold', 'select * from thing', 'sold', project => 'shop', exclude => '{id,sex}', algorithm => 'logistic_regression');
	select mlops.train('sold', 'select * from thing', 'sold', exclude => '{id,sex}', algorithm => 'baseline');
	select mlops.train('price', 'select whole, double from thing', 'whole', algorithm => 'linear_regression');
	select mlops.deploy('sold', 1, capture => '{"key": "id", "mask": ["whole"], "also": ["sex", "missing"]}');
	select mlops.deploy('price');
});

# Rows that are captured for a query, of a model; the queue is flushed.
my $position = 0;
sub captured
{
	my ($query, $model) = @_;
	one($query);
	one(q{select mlops.flush_capture('60 s')});
	my $rows = one("select count(*), coalesce(max(prediction_id), $position) from mlops.captured where prediction_id > $position and model = '$model'");
	(my $n, $position) = split(/\|/, $rows);
	return $n;
}
sub status { return one("select $_[0] from mlops.capture_status where model = '" . ($_[1] // 'sold') . "'") }

# ---- Rows of predict_batch() ----

is(captured(q{select count(*) from mlops.predict_batch('sold', 'thing')}, 'sold'), 3000, 'rows of predict_batch()');
is(one(q{select count(*) from mlops.captured c join thing t on t.id::text = c.entity_key
	 where c.features = jsonb_build_object('double', t.double, 'colour', t.colour, 'sex', t.sex, 'missing', null) and c.weight = 1 and c.version = 1
	   and c.captured_by = current_user}), 3000, 'with keys and features, and what is kept also, but no masked column');
is(one(q{select count(*) from mlops.captured c join thing t on t.id::text = c.entity_key join mlops.predict_batch('sold@1', 'thing', 'id') b on b.id = c.entity_key
	 where c.class = b.class and c.probability = b.probability and c.probability = mlops.predict_proba('sold@1', t)}), 3000, 'and the answers');
is(captured(q{select count(*) from mlops.predict_batch('sold', 'select whole, double, ''mauve''::text as colour from thing where id <= 70', null)}, 'sold'), 70, 'of a source without the key');
is(one(qq{select distinct features ->> 'colour', features -> 'sex', entity_key is null from mlops.captured where prediction_id > $position - 70 and entity_key is null}), 'mauve|null|t',
	'what training never saw is kept as it was');
is(captured(q{select count(*) from mlops.predict_batch('price', 'thing')}, 'price'), 3000, 'a regression');
is(one(q{select bool_and(mlops.predict('price@1', c.features) = c.prediction) from mlops.captured c where model = 'price'}), 't', 'whose features give its answer again');
is(captured(q{begin read only; select count(*) from mlops.predict_batch('sold', 'thing'), mlops.predict_batch('sold', 'thing where id <= 5') b; commit} =~ s/thing where id <= 5/select * from thing where id <= 5/r, 'sold'),
	3005, 'two calls of a query are two queries');
is(captured(q{explain analyze select count(*) from mlops.predict_batch('sold', 'thing')}, 'sold'), 0, 'not by EXPLAIN');
is(captured(q{select count(*) from mlops.predict_batch('sold@1', 'thing')}, 'sold'), 0, 'nor a version by its number');
is(captured(q{begin; select mlops.deploy('sold', 2); select count(*) from mlops.predict_batch('sold', 'thing'); rollback}, 'sold'), 0, 'nor by a deployment that is not committed');
is(status('skipped_uncommitted'), 3000, 'which is counted');
isnt(scalar($node->psql('postgres', q{select count(*) from mlops.predict_batch('sold', 'select 1 / (id - 100) as whole, double, colour from thing')})), 0, 'a source that fails');
is(captured('select 1', 'sold'), 64, 'had whole blocks answered');
one(q{
	create table crowd as select n % 1000 + sin(n) as whole, sqrt(n) as double from generate_series(1, 200000) n;
	analyze crowd;
	alter system set mlops.capture_rows_per_query = 1000;
	select pg_reload_conf();
});
my $before = $position;
my $n = captured(q{select count(*) from mlops.predict_batch('price', 'crowd')}, 'price');
cmp_ok(abs($n - 4822), '<', 500, "of many rows few are captured ($n)");
my ($weights, $errors) = split(/\|/, one(qq{
	with s as (select weight, (features ->> 'double')::float8 as x from mlops.captured where model = 'price' and prediction_id > $before),
		 t as (select avg(double) as truth, stddev(double) as spread, count(*) as n from crowd)
	select abs(sum(s.weight) - t.n) / (2000 + 4 * sqrt(sum(s.weight ^ 2))), abs(sum(s.weight * s.x) / sum(s.weight) - t.truth) / (t.spread * sqrt(sum(s.weight ^ 2)) / sum(s.weight))
	  from s, t group by t.n, t.truth, t.spread}));
cmp_ok($weights, '<', 1, 'their weights stand for all');
cmp_ok($errors, '<', 4, "the weighted mean lies within 4 standard errors ($errors)");
one(q{alter system reset mlops.capture_rows_per_query; select pg_reload_conf()});

# A call of another function in front does not lead: equal rows are rows of their own.
is(captured(q{select mlops.explain_text('price', t), mlops.predict('price', t) from (select whole, double from thing where id = 1) t, generate_series(1, 10)}, 'price'), 10, 'equal rows behind explain_text()');

# ---- By the clock ----

my $launcher = one(q{select pid from pg_stat_activity where backend_type = 'mlops capture launcher'});
sub set_clock
{
	my ($time) = @_;
	one("alter system set mlops.now = '$time'; select pg_reload_conf()");
	$node->poll_query_until('postgres', "select mlops.clock() = '$time'") or die 'the clock was not set';
	return;
}
sub partitions
{
	return one(q{select string_agg(substr(c.relname, 12), ' ' order by c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'mlops.prediction'::regclass and c.relname > 'prediction_2031'});
}
# Monitors and housekeeping, which a jump of the clock makes due, stay away: they would read and remove what is looked at here.
my $jobs = one(q{select pid from pg_stat_activity where backend_type = 'mlops launcher'});
kill 'STOP', $jobs;
ok($node->poll_query_until('postgres', q{select count(*) = 0 from pg_stat_activity where backend_type in ('mlops scheduler', 'mlops worker')}), 'no job runs');
set_clock('2031-12-31 23:59:58+00');
is(captured(q{select mlops.predict('price', t) from thing t where id <= 20}, 'price'), 20, 'in the last seconds of a year');
is(partitions(), '2031_12_31 2032_01_01', 'the next day has its partition');
is(one(qq{select bool_and(at = '2031-12-31 23:59:58+00' and mlops.prediction_time(prediction_id) = at) from mlops.captured where at > '2031-01-01'}), 't', 'ids hold their time');
set_clock('2032-01-01 00:00:01+00');
is(captured(q{select mlops.predict('price', t) from thing t where id <= 30}, 'price'), 30, 'on the next day');
is(partitions(), '2031_12_31 2032_01_01 2032_01_02', 'there is the next one');

# Rows of the last day wait while its partition goes.
one(q{select mlops.set_retention('price', '30 days'), mlops.set_retention('sold', '1 day')});
kill 'STOP', $launcher;
one(q{select mlops.predict('price', t) from thing t where id <= 40});
is(status('lag', 'price'), '00:00:00', 'they wait since now');
set_clock('2032-02-15 00:00:00+00');
is(status('lag', 'price'), '44 days 23:59:59', 'and for long');
my $reader = Connection->new($node);
$reader->query(q{begin});
$reader->query(q{select count(*) from mlops.prediction_2031_12_31});
my $of_others = one(q{select count(*) from mlops.captured where at < '2031-01-01'});
my $another = Connection->new($node);
$another->query('begin');
is($another->query('select mlops.apply_retention()'), $of_others + 30, 'retention goes by the clock, and around what is being read');
is($another->query(q{select count(*) from pg_locks where relation = 'mlops.prediction'::regclass and mode = 'AccessExclusiveLock' and pid = pg_backend_pid()}), 1,
	'partitions are dropped where nobody uses their parent');
my $second = Connection->new($node);
$second->send('select mlops.apply_retention()');
ok($node->poll_query_until('postgres', q{select count(*) = 1 from pg_locks where relation = 'mlops.retention'::regclass and not granted}), 'who else would remove them waits');
$another->query('rollback');
is($second->finish->{rows}, $of_others + 30, 'and does it where the first gave up');
is(partitions(), '2031_12_31', 'a partition that is read stays');
$reader->query('commit');
$reader->query('begin');
$reader->query(q{select s.prediction_id from thing t, mlops.score('price', 'y', t) s where t.id = 1});
is(one('select mlops.apply_retention()'), 20, 'until the next time, though its parent is in use');
is(partitions(), '2031_12_31', 'then it is emptied');
is(one(q{select count(*), pg_total_relation_size('mlops.prediction_features_2031_12_31') < 100000 from mlops.prediction_2031_12_31}), '0|t', 'and takes no room');
$reader->query('rollback');
$reader->close;
is(one('select mlops.apply_retention()'), 0, 'nothing is left to remove');
is(partitions(), '', 'and then all are gone that are too old');
one(q{select mlops.set_retention('price', null)});
kill 'CONT', $launcher;
is(captured('select 1', 'price'), 40, 'late rows land');
is(one(q{select count(*), min(at) from mlops.captured where at > '2031-01-01'}), '40|2032-01-01 00:00:01+00', 'with their time');
is(partitions(), '2032_01_01 2032_01_02', 'in a partition that is made again, with the next');
is(captured(q{select s.prediction_id from thing t, mlops.score('price', 'x', t) s where t.id = 1}, 'price'), 1, 'score() goes by the clock');
is(one(qq{select at from mlops.captured where prediction_id = $position}), '2032-02-15 00:00:00+00', 'too');
is(one(q{explain (costs off) select * from mlops.prediction where model_id = 1 and at >= '2032-01-01' and at < '2032-01-02'}) =~ s/\n.*//sr, 'Seq Scan on prediction_2032_01_01 prediction',
	'of a day one partition is read');
is(one(q{set enable_seqscan = off; explain (costs off) select * from mlops.prediction where model_id = 1 and at >= '2032-01-01' and at < '2032-01-01 01:00'}) =~ s/\n.*//sr,
	'Bitmap Heap Scan on prediction_2032_01_01 prediction', 'of an hour the part that an index finds');
one('alter system reset mlops.now; select pg_reload_conf()');
kill 'CONT', $jobs;

# ---- Who sees what is counted ----

is(one(q{set role sten; select count(*) from mlops.list_capture()}), 0, 'a stranger sees no counts');
is(one(q{set role ann; select count(*) from mlops.list_capture()}), 1, 'a viewer those of the project');
is(one(q{select count(*) filter (where model_id is null) || '/' || count(*) from mlops.list_capture()}), '1/3', 'a superuser all, and those that models share');

# ---- More models than are counted by themselves ----

one(q{
	do $$ begin
		for i in 1 .. 1030 loop
			perform mlops.import_model('copy ' || i, mlops.export_model('price@1'));
			perform mlops.deploy('copy ' || i);
		end loop;
	end $$;
});
kill 'STOP', $launcher;
one(q{select sum(mlops.predict('copy ' || i, t)) from generate_series(1, 1030) i, (select whole, double from thing where id <= 2) t});
is(one(q{select sum(waiting), count(*), max(waiting) filter (where model_id is null) > 0 from mlops.list_capture()}), '2060|1025|t', 'all rows are counted, those of some models together');
kill 'CONT', $launcher;
one(q{select mlops.flush_capture('60 s')});
is(one(q{select count(*), min(captured), max(captured), sum(dropped + skipped + lost + waiting) from mlops.capture_status where model like 'copy %'}), '1030|2|2|0', 'and captured, by model');
is(one(q{select sum(waiting) from mlops.list_capture()}), 0, 'nothing waits any more');
is(one(q{begin; select mlops.predict('copy 1030', t) from (select whole, double from thing where id = 1) t; select mlops.undeploy('copy ' || i), mlops.drop_model('copy ' || i) from generate_series(1, 1000) i; commit;
	select mlops.flush_capture('60 s')}) =~ s/^.*\n//sr, '', 'places of models that are gone');
is(one(q{do $$ begin for i in 2001 .. 2600 loop perform mlops.import_model('copy ' || i, mlops.export_model('price@1')); perform mlops.deploy('copy ' || i); end loop; end $$;
	select sum(mlops.predict('copy ' || i, t)) is not null from generate_series(2001, 2600) i, (select whole, double from thing where id = 1) t}), 't', 'and of those whose counts are written');
is(one(q{select mlops.flush_capture('60 s'); select min(captured), max(captured) from mlops.capture_status where model like 'copy 2___'}) =~ s/^\n//r, '1|1', 'are those of others');
is(one(q{select dropped + lost + sampled + standby + uncommitted + waiting from mlops.list_capture() where model_id is null}), 0, 'nothing is left with those that models share');

$node->stop;
done_testing();
