# What train() tells beside its result.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create table odd as
		select n, n % 7 as few, 'id' || n as id, 9007199254740993 + 2 * n as big, 0.12345678901234567891 * n as long_number, '{}'::jsonb as doc, '10.0.0.1'::inet as address,
			   null::float8[] as nothing, 5 as constant, case when n > 5 then n * 2.0::float8 end as y
		  from generate_series(1, 200) n;
	create table large as select n % 2 = 0 as y, sin(n)::float4 as a, sin(n * 7.0)::float4 as b from generate_series(1, 100000) n;
});

# The NOTICEs of a training.
sub notices
{
	my ($arguments, $settings) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', ($settings // '') . "; select version from mlops.train('m', $arguments)");
	is($status, 0, "training on $arguments") or diag $stderr;
	return $stderr;
}

my $notices = notices(q{'odd', 'y'});
like($notices, qr/NOTICE:  left out for their types: "doc" \(jsonb\), "address" \(inet\)/, 'columns of other types, in one notice');
like($notices, qr/NOTICE:  column "big": 200 values of type bigint were rounded/, 'integers beyond 2^53');
like($notices, qr/NOTICE:  column "long_number": \d+ values of type numeric were rounded/, 'numerics of too many digits');
unlike($notices, qr/column "n"|column "few"/, 'nothing about the others');
like($notices, qr/NOTICE:  array column "nothing" is left out/, 'an array without a value');
like($notices, qr/NOTICE:  .*"id".*identifier/, 'a column that identifies rows');
like($notices, qr/NOTICE:  .*constant.*"constant"/, 'a constant column');
like($notices, qr/NOTICE:  5 of 200 rows left out, because their target is NULL$/m, 'rows without a target');
like(notices(q{'select n, nullif(y, 100) + case when n < 9 then float8 ''nan'' else 0 end as y from odd', 'y'}),
	qr/NOTICE:  9 of 200 rows left out, because their target is NULL or NaN$/m, 'rows whose target is no number');
like($notices, qr/NOTICE:  task is regression: target "y" is of type double precision/, 'the task, and why');
unlike($notices, qr/nothing is measured/, 'rows were held out');
like(notices(q{'select n, few, y, n < 0 as held_out from odd', 'y', split => '{"column": "held_out"}'}),
	qr/NOTICE:  the split holds out none of the 195 rows, so nothing is measured/, 'a split without test rows');
unlike(notices(q{'select n, few, y from odd', 'y', split => '{"test": 0}'}), qr/nothing is measured/, 'nothing where that was asked for');

like(notices(q{'odd', 'few', features => '{n}'}), qr/NOTICE:  task is multiclass: target "few" is of type integer and has 7 different values/, 'few integers');
like(notices(q{'odd', 'n', features => '{few}'}), qr/NOTICE:  task is regression: target "n" is of type integer and has more than 20 different values/, 'many integers');
like(notices(q{'odd', 'few', features => '{n}', algorithm => 'linear_regression'}),
	qr/NOTICE:  task is regression: target "few" has 7 different values, but linear_regression does no classification/, 'what the algorithm can');
unlike(notices(q{'odd', 'few', features => '{n}', task => 'regression'}), qr/task is/, 'nothing where it is given');

my $long = q{'large', 'y', split => '{"validation": 0.2}', params => '{"n_estimators": 2000, "max_depth": 8}'};
unlike(notices(q{'odd', 'n', features => '{few}'}, 'set mlops.progress_notices = on'), qr/iteration/, 'no progress within a second');
like(notices($long, 'set mlops.progress_notices = on'),
	qr/NOTICE:  iteration \d+ of 2000, training loss [\d.]+, validation loss [\d.]+, about \d+ s left/, 'progress');

$node->safe_psql('postgres', q{select mlops.deploy('m', 1)});
like(($node->psql('postgres', q{select mlops.deploy('m@1')}))[2], qr/NOTICE:  version 1 of model "m" is live already/, 'what is live is not deployed again');

my $levels = q{'select n % 7 as y, ''c'' || n % 120 as many, ''c'' || n % 12 as some from generate_series(1, 2400) n', 'y', algorithm => 'logistic_regression'};
like(notices($levels), qr/NOTICE:  only the most frequent categories are kept of "many": the others count as unseen/, 'categories that are left out');
unlike(notices("$levels, preprocess => '{\"many\": {\"max_categories\": 120}}'"), qr/categories are kept/, 'nothing where all are kept');

# Whose project a bare name leads to.
$node->safe_psql('postgres', q{
	create role ann;
	create role otto;
	grant select on odd to ann, otto;
	set role otto;
	select mlops.create_project('shared');
	select mlops.train('sales', 'select n, few from odd', 'few', project => 'shared', algorithm => 'baseline');
	select mlops.grant_access('shared', 'ann', 'scientist');
});
my $sales = q{'select n, few from odd', 'few', algorithm => 'baseline'};
my $trains = sub { my ($settings, $model) = @_; return ($node->psql('postgres', "$settings; select mlops.train('$model', $sales)"))[2] };
like($trains->('set role ann', 'sales'), qr{NOTICE:  model "sales" is in project "shared": its members will see this version\nHINT:  Write 'shared/sales'},
	'a bare name that leads to the project of others');
unlike($trains->('set role ann', 'shared/sales'), qr/shared/, 'nothing where it is named');
unlike($trains->("set role ann; set mlops.project = 'shared'", 'sales'), qr/"shared"/, 'or set');
unlike($trains->('set role otto', 'sales'), qr/shared/, 'or one\'s own');

$node->stop;
done_testing();
