# Predictions that fail are counted: whatever asks, however the error comes and wherever it is caught; monitors of captured predictions say so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use Connection;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
	shared_preload_libraries = 'mlops'
	timezone = 'UTC'
});
$node->start;
sub one { return $node->safe_psql('postgres', $_[0]) }
one(q{
	create extension mlops;
	create role vera;
	create role sten;
	create table thing as select i as id, i * 37 % 101 as size, (array['red', 'green'])[i % 7 % 2 + 1] as colour, i * 37 % 101 > 50 as sold from generate_series(1, 1000) i;
	create table wrong as select id, 'big' as size, colour from thing;
	select mlops.create_project('shop');
	select mlops.grant_access('shop', 'vera', 'viewer');
	select mlops.train('sold', 'select size, colour, sold from thing', 'sold', project => 'shop', algorithm => 'logistic_regression');
	select mlops.train('price', 'select size, colour from thing', 'size', algorithm => 'linear_regression');
});

# The errors of a model that a statement leaves, by SQLSTATE.
sub errors
{
	my ($statement, $model) = @_;
	one('delete from mlops.prediction_error');
	$node->psql('postgres', $statement);
	one(q{select mlops.flush_capture('60 s')});
	return one(q{select string_agg(sqlstate || ' ' || errors, ',' order by sqlstate) from (select sqlstate, sum(errors) as errors from mlops.prediction_error e
		join mlops.model m on m.id = e.model_id where m.name = '} . ($model // 'sold') . q{' group by sqlstate) s});
}
my $lacking = q{select mlops.predict_proba('sold', t) from (select 'red' as colour) t};

is(errors($lacking), '', 'nothing is counted of a model that is not deployed');
one(q{select mlops.deploy('sold'); select mlops.deploy('price', capture => '{"mode": "off"}')});
is(errors($lacking), '42703 1', 'features that lack a column');
is(errors($lacking =~ s/sold/sold\@1/r), '', 'but a version by its number is no deployment');
is(errors(q{select mlops.predict_proba('sold', t) from wrong t}), '42804 1', 'features of a wrong type: the first row ends the query');
is(errors(q{select mlops.predict_proba('sold', jsonb_build_object('size', case when id < 5 then to_jsonb(id) else '"big"' end, 'colour', 'red')) from thing order by id}), '42804 1', 'a row after others');
is(errors(q{select mlops.predict_proba('sold', array[1.0::float8])}), '42804 1', 'features as an array');
is(errors(q{select mlops.predict_proba('sold', t, 'perhaps') from thing t}), '22023 1', 'a class that there is not');
is(errors(q{select mlops.predict_class('price', t) from thing t}, 'price'), '42804 1', 'a function that the model has not; also where nothing is captured');
is(errors(q{select mlops.score('sold', 'key', t) from wrong t}), '42804 1', 'score()');
is(errors(q{select count(*) from mlops.predict_batch('sold', 'wrong')}), '42804 1', 'predict_batch()');
is(errors(q{select count(*) from mlops.predict_batch('sold', 'select 1 / (id - 100) as size, colour from thing')}), '', 'but not what is wrong with its source');
is(errors(q{select mlops.predict_proba('sold', t) from (select 1 / (id - 100) as size, colour from thing) t}), '', 'nor with the query around a prediction');
is(errors(q{select mlops.predict_proba('sold', t, 'perhaps') from thing t where false}), '', 'nor what is not asked');
is(errors(q{do $$ begin for i in 1 .. 3 loop begin perform mlops.predict_proba('sold', t) from wrong t; exception when others then null; end; end loop; end $$}), '42804 3', 'errors that are caught');
is(errors("begin; select mlops.train('sold', 'select size, colour, sold from thing', 'sold', algorithm => 'baseline'); select mlops.deploy('sold', 2); $lacking; rollback"), '',
	'a deployment that is not committed has no errors');
is(errors(q{set statement_timeout = '1ms'; select sum(mlops.predict_proba('sold', t)) from thing t, generate_series(1, 1000000)}), '', 'a cancelled query is none');

# ---- Shown, and to whom ----

one('delete from mlops.prediction_error');
$node->psql('postgres', $lacking) for 1 .. 3;
one(q{select mlops.flush_capture('60 s')});
is(one(q{select errors from mlops.capture_status where model = 'sold'}), 3, 'they are shown beside what is captured');
is(one(q{select version || ' ' || (at = date_trunc('minute', at)) from mlops.prediction_error group by 1}), '1 true', 'by version and minute');
is(one(q{set role vera; select sum(errors) from mlops.prediction_error}), 3, 'to viewers');
is(one(q{set role sten; select count(*) from mlops.prediction_error}), 0, 'and nobody else');
my ($status) = $node->psql('postgres', 'set role vera; delete from mlops.prediction_error');
isnt($status, 0, 'who cannot take them back');

# ---- What lasts ----

$node->psql('postgres', $lacking);
$node->restart;
one(q{select mlops.flush_capture('60 s')});
is(one(q{select errors from mlops.capture_status where model = 'sold'}), 4, 'a restart loses none');
one(q{select mlops.set_retention('sold', '1 day'); update mlops.prediction_error set at = at - interval '2 days'; select mlops.apply_retention()});
is(one('select count(*) from mlops.prediction_error'), 0, 'they are kept as long as predictions');

# ---- Monitors ----

sub health
{
	one(q{select mlops.flush_capture('60 s')});
	return one(q{select round(value::numeric, 4) || ' ' || verdict from mlops.run_monitor((select o.id from mlops.monitor o join mlops.model m on m.id = o.model_id where m.name = 'sold'),
		date_trunc('day', now()), clock_timestamp()) where metric = 'errors'});
}
one(q{delete from mlops.prediction; select count(mlops.score('sold', 'key', t)) from thing t where id <= 200});
is(health(), '0.0000 ok', 'no errors');
$node->psql('postgres', $lacking) for 1 .. 3;
is(health(), '0.0148 ok', 'a few, which chance may bring at one of a hundred');
$node->psql('postgres', $lacking) for 1 .. 10;
is(health(), '0.0610 alert', 'many');
is(one(q{select count(*) from mlops.alert where state = 'open' and kind = 'health'}), 1, 'raise an alert');
is(one(q{select threshold || ' ' || verdict from mlops.health where metric = 'errors'}), '0.01 alert', 'and are in the view');

# ---- A standby counts none: it writes nothing ----

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $before = one('select sum(errors) from mlops.prediction_error');
($status) = $standby->psql('postgres', $lacking);
is($status, 3, 'a standby refuses, too');
is($standby->safe_psql('postgres', q{select waiting from mlops.capture_status where model = 'sold'}), 0, 'and lets no error wait');
$standby->stop;
$node->stop;

done_testing();
