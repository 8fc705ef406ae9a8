# The extension is dropped and made again, in one session and across sessions, and works; a database without it is left alone.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	create table house as
		select (n * 37 % 101)::float8 as area, (n * 53 % 13) as rooms, (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7 as price from generate_series(1, 300) n});

my $job = q{
	create extension mlops;
	select version from mlops.train('price', 'house', 'price', algorithm => 'linear_regression');
	select mlops.deploy('price') is not null;
	select count(mlops.predict('price', h)) from house h;
};
is($node->safe_psql('postgres', "set client_min_messages = warning; $job"), "1\nt\n300", 'made and used');
is($node->safe_psql('postgres', "set client_min_messages = warning; drop extension mlops cascade; $job"), "1\nt\n300", 'dropped, made again and used, in another session');
is($node->safe_psql('postgres', qq{
	set client_min_messages = warning;
	select count(mlops.predict('price', h)) from house h;
	drop extension mlops cascade;
	$job
	drop extension mlops cascade;
	$job}), "300\n1\nt\n300\n1\nt\n300", 'and within one session that has the library loaded');

# Whatever lies in the schema belongs to the extension.
$node->safe_psql('postgres', 'set client_min_messages = warning; drop extension mlops cascade');
is($node->safe_psql('postgres', q{
	select count(*) from pg_class where relnamespace = to_regnamespace('mlops')
	union all select count(*) from pg_proc where pronamespace = to_regnamespace('mlops')}), "0\n0", 'nothing is left behind');

# A role that is not a superuser cannot lie in wait with a schema of the name.
$node->safe_psql('postgres', q{drop schema if exists mlops; create role squatter; grant create on database postgres to squatter; set role squatter; create schema mlops});
my ($status, $stdout, $stderr) = $node->psql('postgres', 'create extension mlops');
like($stderr, qr/schema "mlops" exists and belongs to a role that is not a superuser/, 'a squatted schema is refused');

$node->stop;
done_testing();
