# Every SQL example of README.md, docs/reference.md, docs/serving.md, docs/projects.md, docs/monitoring.md, docs/governance.md, docs/security.md and docs/audit.md runs, in the order in which a reader meets it.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', q{shared_preload_libraries = 'mlops'});
$node->start;

# What the examples of a document find: the README tells of tables that a reader has.
my %given = (
	'README.md' => q{
		create extension mlops;
		create table customer as select i as id, i % 7 as calls, i % 50 as age, i % 7 > 3 as left_us from generate_series(1, 500) i;
		create table breast_cancer (} . breast_cancer_columns() . qq{);
		copy breast_cancer from '$root/data/breast_cancer.csv' with (format csv, header);
		alter table breast_cancer add id integer generated always as identity},
	'docs/reference.md' => q{create extension mlops},
	'docs/serving.md' => q{create extension mlops},
	'docs/audit.md' => q{create extension mlops},
	'docs/projects.md' => q{create extension mlops},
	'docs/governance.md' => q{create extension mlops},
	'docs/security.md' => q{create extension mlops},
	'docs/monitoring.md' => q{
		create extension mlops;
		create table measurement as
		select timestamptz '2024-05-01 00:00+00' + i * interval '17 min' as observed_at, sqrt(i * 7919 % 1009) + i / 4000 as price from generate_series(1, 6000) i});

sub breast_cancer_columns
{
	open(my $file, '<', "$root/data/breast_cancer.csv") or die "data/breast_cancer.csv: $!";
	my $header = <$file>;
	chomp $header;
	return join(', ', map { "$_ " . ($_ eq 'diagnosis' ? 'text' : 'float8') } split(/,/, $header));
}

# The SQL blocks of a document, each with the line where it begins.
sub examples
{
	my ($document) = @_;
	my ($text, @blocks) = (slurp_file("$root/$document"));
	while ($text =~ /^```sql\n(.*?)^```$/msg)
	{
		my $line = 1 + (substr($text, 0, $-[1]) =~ tr/\n//);
		push @blocks, [ $line, $1 ];
	}
	return @blocks;
}

for my $document (sort keys %given)
{
	(my $database = lc $document) =~ s/\W/_/g;
	$node->safe_psql('postgres', "create database $database");
	$node->safe_psql($database, $given{$document});
	my @examples = examples($document);
	cmp_ok(scalar @examples, '>', 2, "$document has examples");
	for my $example (@examples)
	{
		my ($line, $sql) = @$example;
		my ($status, $out, $error) = $node->psql($database, "set client_min_messages = warning;\n$sql", on_error_stop => 1);
		is($status, 0, "$document:$line") or diag($error);
	}
}

$node->stop;
done_testing();
