# What deployed models are asked and answer is captured once a query and row, whatever the query; nothing else is.

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
});
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create type shade as enum ('light', 'dark', 'none');
	create table thing as
	select i as id, i * 37 % 101 as whole, (i % 10 / 10.0)::real as single, sqrt(i * 11 % 17) as double, (i * 13 % 97 / 4.0)::numeric(10, 2) as amount,
		   i % 3 = 0 as flag, date '2020-01-01' + i * 17 % 400 as day, timestamp '2020-01-01' + (i * 19 % 300) * interval '7 hours' as at,
		   timestamptz '2020-01-01 00:00+00' + (i * 23 % 500) * interval '5 hours' as zoned, (i * 29 % 50) * interval '1 hour' as took,
		   (array['red', 'green', 'blue'])[i % 7 % 3 + 1] as colour, (array['light', 'dark', 'none'])[i % 5 % 3 + 1]::shade as shade,
		   array['north', 'south'] as unused, case when i % 4 = 0 then 'f' else 'm' end as sex, i * 37 % 101 > 50 as sold
	  from generate_series(1, 3000) i;
	analyze thing;
	select mlops.train('sold', 'select * from thing', 'sold', exclude => '{id,unused,sex}', algorithm => 'logistic_regression');
	select mlops.train('sold', 'select * from thing', 'sold', exclude => '{id,unused,sex}', algorithm => 'baseline');
	select mlops.train('price', 'select whole, single, double from thing', 'whole', algorithm => 'linear_regression');
	select mlops.deploy('sold', 1, capture => '{"key": "id", "mask": ["amount"], "also": ["sex", "unused", "missing"]}');
	select mlops.deploy('price');
	select mlops.set_alias('sold', 'champion', 1);
});

# Rows that are captured for a query, of a model; the queue is flushed.
my $position = 0;
sub captured
{
	my ($query, $model) = @_;
	$node->safe_psql('postgres', $query);
	$node->safe_psql('postgres', q{select mlops.flush_capture('60 s')});
	my $rows = $node->safe_psql('postgres', "select count(*), coalesce(max(prediction_id), $position) from mlops.captured where prediction_id > $position and model = '$model'");
	(my $n, $position) = split(/\|/, $rows);
	return $n;
}
# A column of the status of a model.
sub status { return $node->safe_psql('postgres', "select $_[0] from mlops.capture_status where model = '" . ($_[1] // 'sold') . "'") }

# ---- What is captured ----

is(captured('begin read only; select sum(mlops.predict_proba(\'sold\', t)) from thing t; commit', 'sold'), 3000, 'a read-only query');
is($node->safe_psql('postgres', q{
	select count(*) from mlops.captured c join thing t on t.id::text = c.entity_key
	 where c.features - '{sex,unused,missing}'::text[] = to_jsonb(t) - '{id,unused,sex,sold,amount,at,took,zoned,day}'::text[] || jsonb_build_object(
		   'at', to_jsonb(t) -> 'at', 'zoned', to_jsonb(t) -> 'zoned', 'day', to_jsonb(t) -> 'day', 'took', c.features -> 'took')
	   and (c.features ->> 'took')::interval = t.took and c.features ->> 'sex' = t.sex and c.features ->> 'unused' = t.unused::text
	   and c.features -> 'missing' = 'null' and not c.features ? 'amount'}), 3000, 'features are those of the row, and what is kept also, but no masked one');
is($node->safe_psql('postgres', q{
	select bool_and(c.probability = mlops.predict_proba('sold@1', t) and c.class = mlops.predict_class('sold@1', t) and c.weight = 1
					and c.version = 1 and c.captured_by = current_user and c.prediction_id between 1 and 4e18
					and mlops.prediction_time(c.prediction_id) = date_trunc('milliseconds', c.at))
	  from mlops.captured c join thing t on t.id::text = c.entity_key}), 't', 'with the answer, the version, who asked and when');
is(captured('select mlops.predict(\'price\', t) from thing t where id < 11', 'price'), 10, 'a regression');
is($node->safe_psql('postgres', q{select bool_and(mlops.predict('price@1', c.features) = c.prediction and c.class is null and c.probability is null and entity_key is null)
	from mlops.captured c where model = 'price'}), 't', 'whose features give its answer again');
is(captured(q{select mlops.predict('price', to_jsonb(t)), mlops.predict('price', array[single, double]::float8[]) from thing t where id < 11}, 'price'), 20,
	'jsonb and arrays are rows of their own');
is(captured(q{select mlops.predict_class('sold', u) from (select 'mauve' as colour, null::shade as shade, null::float8 as amount, whole, single, double, flag, day, at, zoned, took, 7 as id
	from thing where id = 1) u}, 'sold'), 1, 'what training never saw');
is($node->safe_psql('postgres', "select features ->> 'colour', features -> 'shade', entity_key from mlops.captured where prediction_id = $position"), 'mauve|null|7', 'is kept as it was');

# ---- Once a query and row ----

is(captured(q{select mlops.predict_class('sold', t), mlops.predict_proba('sold', t), mlops.predict_all('sold', t) from thing t}, 'sold'), 3000, 'several functions');
is(captured(q{select mlops.predict_class('sold', t) from thing t where mlops.predict_proba('sold', t) > 0.5}, 'sold'), 3000, 'a condition and an answer');
is(captured(q{select mlops.predict_class('sold', t) from thing t order by mlops.predict_proba('sold', t) desc limit 5}, 'sold'), 3000, 'a sort in between');
is(captured(q{select mlops.predict_class('sold', t), mlops.predict_proba('sold', t) from thing t, generate_series(1, 2) where id <= 100 order by id}, 'sold'), 200, 'equal rows are two');
is(captured(q{select mlops.predict_proba('sold', t), mlops.predict_proba('sold', u) from thing t join thing u on u.id = t.id + 100 where t.id <= 100}, 'sold'), 200, 'two rows of one query');
is(captured(q{do $$ declare t thing; p float8; begin for t in select * from thing where id <= 50 loop p := mlops.predict_proba('sold', t); end loop; end $$}, 'sold'), 50, 'a loop');
is(captured(q{prepare q as select mlops.predict_proba('sold', t) from thing t where id = $1; execute q(1); execute q(1); execute q(2)}, 'sold'), 3, 'each execution');
is(captured(q{set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
	select sum(mlops.predict_proba('sold', t)) from thing t}, 'sold'), 3000, 'a parallel query');

# ---- What is not ----

is(captured(q{explain select mlops.predict_proba('sold', t) from thing t}, 'sold'), 0, 'EXPLAIN');
is(captured(q{explain analyze select mlops.predict_proba('sold', t) from thing t}, 'sold'), 0, 'EXPLAIN ANALYZE');
is(captured(q{set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
	explain analyze select mlops.predict_proba('sold', t) from thing t}, 'sold'), 0, 'in parallel, too');
is(captured(q{explain select * from thing where double < mlops.predict('price', '{"single": 1, "double": 2}'::jsonb)}, 'price'), 0, 'a call at plan time');
is(captured(q{select * from thing where double < mlops.predict('price', '{"single": 1, "double": 2}'::jsonb) limit 1}, 'price'), 1, 'only the one of the execution');
is(captured(q{select mlops.predict_proba('sold@1', t), mlops.predict_proba('sold@champion', t) from thing t}, 'sold'), 0, 'versions by number or alias');
is(captured(q{begin; select mlops.deploy('sold', 2); select mlops.predict_class('sold', t) from thing t where id <= 10; rollback}, 'sold'), 0, 'a deployment that is not committed');
is(status('skipped_uncommitted'), 10, 'is counted');
is(captured(q{select mlops.deploy('sold', 1, capture => '{"mode": "transaction"}'); select mlops.predict_class('sold', t) from thing t}, 'sold'), 0, 'mode transaction');
is(captured(q{select mlops.deploy('sold', 1, capture => '{"mode": "off"}'); select mlops.predict_class('sold', t) from thing t}, 'sold'), 0, 'mode off');
is(captured(q{select mlops.deploy('sold', 2)}, 'sold') . $node->safe_psql('postgres', q{select d.capture ->> 'mode' from mlops.deployment d where version = 2 and upper_inf(valid)}), '0off',
	'the next deployment captures what the one before did');

# ---- Sampling ----

$node->safe_psql('postgres', q{
	select mlops.deploy('price', capture => '{"mode": "queue", "key": "whole"}');
	create table crowd as select n % 1000 + sin(n) as whole, 0.5::real as single, sqrt(n) as double from generate_series(1, 200000) n;
	alter system set mlops.capture_rows_per_query = 1000;
	select pg_reload_conf();
});
my $crowd = q{select sum(mlops.predict('price', c)) from crowd c};
for my $settings ('', 'set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; ')
{
	my $kind = $settings ? 'parallel' : 'one process';
	my $before = $position;
	my $n = captured($settings . $crowd, 'price');

	# 1000 in full, about 500 for each of 7.6 doublings
	cmp_ok($n, '>', 4300, "$kind: rows of a large query");
	cmp_ok($n, '<', 5400, "$kind: are few ($n)");
	my $row = $node->safe_psql('postgres', qq{
		with s as (select weight, (features ->> 'double')::float8 as x from mlops.captured where model = 'price' and prediction_id > $before),
			 t as (select avg(double) as truth, stddev(double) as spread, count(*) as n from crowd)
		select abs(sum(s.weight) - t.n) / (2000 + 4 * sqrt(sum(s.weight ^ 2))), abs(sum(s.weight * s.x) / sum(s.weight) - t.truth) / (t.spread * sqrt(sum(s.weight ^ 2)) / sum(s.weight))
		  from s, t group by t.n, t.truth, t.spread});
	my ($weights, $errors) = split(/\|/, $row);
	cmp_ok($weights, '<', 1, "$kind: their weights stand for all");
	cmp_ok($errors, '<', 4, "$kind: the weighted mean lies within 4 standard errors ($errors)");
}
$node->safe_psql('postgres', q{select mlops.deploy('price', capture => '{"sample": 0.1}'); alter system reset mlops.capture_rows_per_query; select pg_reload_conf()});
my $sampled_from = $position;
my $few = captured(q{select mlops.predict('price', c) from crowd c limit 5000}, 'price');
cmp_ok(abs($few - 500), '<', 100, "a tenth of the rows ($few)");
is($node->safe_psql('postgres', qq{select distinct weight from mlops.captured where model = 'price' and prediction_id > $sampled_from}), '10', 'stands for ten each');
is(status('skipped_by_sampling + captured', 'price') - status('captured', 'price'), status('skipped', 'price'), 'what sampling left out is counted');

# ---- Late rows, retention ----

is($node->safe_psql('postgres', q{select count(*) >= 2 from pg_inherits where inhparent = 'mlops.prediction'::regclass}), 't', 'there is a partition for tomorrow, too');
is($node->safe_psql('postgres', q{select count(*) from pg_class where relnamespace = 'mlops'::regnamespace and relkind in ('r', 'p') and obj_description(oid, 'pg_class') is null}), '0', 'partitions have comments as all tables do');
$node->safe_psql('postgres', q{select mlops.set_retention('sold', '30 days')});
is($node->safe_psql('postgres', q{select mlops.apply_retention(now() + interval '20 days')}), 0, 'nothing is too old');
my $sold = $node->safe_psql('postgres', q{select count(*) from mlops.captured where model = 'sold'});
my $price = $node->safe_psql('postgres', q{select count(*) from mlops.captured where model = 'price'});
is($node->safe_psql('postgres', q{select mlops.apply_retention(now() + interval '32 days')}), $sold, 'predictions of one model are');
is($node->safe_psql('postgres', q{select count(*), min(model) from mlops.captured}), "$price|price", 'those of the other stay');
is($node->safe_psql('postgres', q{select mlops.set_retention('price', '1 day'); select mlops.apply_retention(now() + interval '40 days')}), "\n$price", 'until they are too old');
is($node->safe_psql('postgres', q{select count(*) from pg_inherits where inhparent = 'mlops.prediction'::regclass}), '0', 'and their partitions go');
is(captured(q{select mlops.predict('price', c) from crowd c limit 500}, 'price') > 0, 1, 'new ones are made when they are needed');

# ---- Calls while a query is planned, and settings of the database ----

$node->safe_psql('postgres', q{
	select mlops.deploy('price', capture => '{"mode": "queue"}');
	create function asked() returns float8 language plpgsql stable as
	$$ begin return mlops.predict('price', jsonb_build_object('single', 1.5, 'double', 2)); end $$;
});
is(captured(q{select count(*) from thing where double > asked()}, 'price'), 3000, 'calls of a function are captured, but not the one that estimates it');
is(captured(q{begin; select asked(); explain analyze select asked(); select asked(); commit}, 'price'), 2, 'nor those of EXPLAIN in between');
$node->safe_psql('postgres', q{alter database postgres set default_transaction_read_only = on});
is(captured(q{select asked()}, 'price'), 1, 'a database that is read-only by default is written to by the writer');
$node->safe_psql('postgres', q{set default_transaction_read_only = off; alter database postgres reset default_transaction_read_only});

$node->stop;
done_testing();
