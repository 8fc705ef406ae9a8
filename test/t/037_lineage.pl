# A command that takes away what a live model was trained on: what is said to whom, and that nothing is said where nothing is lost.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
	create extension mlops;
	create role liz login;
	create role dora login;
	create schema raw authorization dora;
	set role dora;
	create table raw.house as select n as id, (n * 37 % 101)::float8 as area, n % 13 as rooms, n * 2.5 as price from generate_series(1, 300) n;
	create table raw.town (side text);
	grant usage on schema raw to liz;
	grant select, references on all tables in schema raw to liz;
	set role liz;
	select mlops.create_project('lab');
	select mlops.train('price', 'raw.house', 'price', project => 'lab', exclude => '{id}', algorithm => 'linear_regression');
	select mlops.deploy('price');
});

# What a role's command says.
sub says
{
	my ($role, $command, $pattern, $what) = @_;
	my ($status, $output, $said) = $node->psql('postgres', "\\set VERBOSITY verbose\nset role $role;\n$command");
	like($said, $pattern, $what);
	return;
}

says('dora', 'alter table raw.house add column more int, drop column id', qr/^$/, 'a column that it did not read');
says('dora', 'drop table raw.town', qr/^$/, 'nor another table');
says('dora', 'begin; alter table raw.house drop column rooms; rollback',
	qr/WARNING: +01000: +a live model reads what this command took away from raw\.house\n.*DETAIL: +It is this: column rooms is not there any more\./s, 'the owner of the table is warned');
unlike($node->safe_psql('postgres', 'select count(*) from mlops.finding'), qr/[^0]/, 'what is rolled back leaves no finding');
says('none', 'begin; drop schema raw cascade; rollback',
	qr/WARNING: .*raw\.house\n.*DETAIL: +Model "price" was trained on it: it is not there any more under this name\./s, 'who may see the model is told its name');
says('dora', 'do $$ begin begin alter table raw.house drop column area; raise exception sqlstate \'ZZ001\'; exception when sqlstate \'ZZ001\' then null; end; end $$; alter table raw.house alter area set statistics 10',
	qr/^psql:[^\n]*WARNING(?!.*WARNING)/s, 'what was undone is not said again');
$node->safe_psql('postgres', q{set role liz; update mlops.project set guard_sources = 'refuse'});
says('dora', 'alter table raw.house rename to home', qr/ERROR: +2BP01: +a live model reads/, 'refused where the project says so');
is($node->safe_psql('postgres', q{select to_regclass('raw.house')}), 'raw.house', 'and not done');
says('dora', 'do $$ begin alter table raw.house drop column rooms; exception when dependent_objects_still_exist then alter table raw.house add column other int; end $$', qr/^$/,
	'a refusal that is caught leaves the next command free');

# What goes with something else: with a function that a view calls, with the name of a type.
$node->safe_psql('postgres', q{
	set role dora;
	create type raw.kind as enum ('flat', 'house');
	create function raw.twice(float8) returns float8 language sql immutable return $1 * 2;
	create view raw.homes as select raw.twice(area) as area, (array['flat', 'house'])[1 + rooms % 2]::raw.kind as kind, price from raw.house;
	grant select, references on raw.homes to liz;
	grant usage on type raw.kind to liz;
	set role liz;
	select mlops.train('home', 'raw.homes', 'price', project => 'lab', algorithm => 'baseline');
	select mlops.deploy('home');
});
says('dora', 'drop function raw.twice cascade', qr/ERROR: +2BP01: +a live model reads what this command takes away from raw\.homes\n/, 'a view that would go with a function');
says('dora', 'alter type raw.kind rename to sort', qr/ERROR: +2BP01: .*column kind is of type raw\.sort instead of raw\.kind/s, 'a column whose type would be called otherwise');

# A table changes with the one that it inherits from.
$node->safe_psql('postgres', q{
	set role dora;
	create table raw.estate (rooms int, price float8);
	create table raw.flat () inherits (raw.estate);
	insert into raw.flat select n % 7, n from generate_series(1, 100) n;
	grant select, references on raw.flat to liz;
	set role liz;
	select mlops.train('flat', 'raw.flat', 'price', project => 'lab', algorithm => 'baseline');
	select mlops.deploy('flat');
});
says('dora', 'alter table raw.estate alter rooms type numeric', qr/ERROR: +2BP01: .*raw\.flat\n.*column rooms is of type numeric instead of integer/s, 'a column of its parent');
says('dora', 'alter table raw.estate rename rooms to spaces', qr/ERROR: +2BP01: .*raw\.flat\n.*column rooms is not there any more/s, 'or its name');

# A restore is no such command, nor is the end of the extension.
my $dump = $node->basedir . '/lineage.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'create database again');
my ($output, $said);
IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('again') ], '>', \$output, '2>', \$said);
is($said, '', 'a restore says nothing');
is($node->safe_psql('again', 'select count(*) from mlops.lineage($$price$$)'), $node->safe_psql('postgres', 'select count(*) from mlops.lineage($$price$$)'), 'and brings the lineage');
$node->safe_psql('postgres', 'drop extension mlops cascade; drop table raw.house cascade');
is($node->safe_psql('postgres', 'select count(*) from pg_event_trigger'), '0', 'its event triggers go with the extension');

$node->stop;
done_testing();
