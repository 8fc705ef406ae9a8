# What a reference means is remembered between statements, and nobody can tell: each statement sees what its snapshot sees, with the rights that its role has.

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
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mlops'\nmax_prepared_transactions = 2");
$node->start;

# Version n of "next" answers n.
my $setup = q{
	create extension mlops;
	create table ask as select 1.5::float8 as x;
	grant select on ask to public;
	select mlops.train('next', format('select %s + n %% 3 * 0.001 as y, n::float8 as x from generate_series(1, 30) n', v), 'y', algorithm => 'baseline')
	  from generate_series(1, 3) v;
	select mlops.deploy('next', 1);
};
$node->safe_psql('postgres', $setup . q{
	create role anna login;
	create role team;
	create function by_expression(seconds int) returns text language plpgsql as $$
	declare
		r ask;
		first int;
		answer int;
		deadline timestamptz := clock_timestamp() + seconds * interval '1 second';
	begin
		select * into r from ask;
		first := mlops.predict('next', r);
		loop
			answer := mlops.predict('next', r);
			exit when answer <> first or clock_timestamp() > deadline;
		end loop;
		return first || ' then ' || answer;
	end $$;
	create function by_sql(ask) returns float8 language sql stable as $$ select round(mlops.predict('next', $1)) $$;
	create function by_inlined(ask) returns float8 language sql stable set work_mem = '4MB' as $$ select round(mlops.predict('next', $1)) $$;
	create table marker as select 1 as version;
	grant select on marker to public;
	insert into mlops.project_member (project_id, member, access) select id, 'team', 'predictor' from mlops.project;
});

my $writer = Connection->new($node);
my $reader = Connection->new($node);
my $answer = q{select round(mlops.predict('next', a)) from ask a};
sub deploy { $writer->query("select mlops.deploy('next', $_[0])"); return }

# ---- Deployments by others ----

$reader->query("prepare p as $answer");
is($reader->query('execute p') . $reader->query('execute p'), '11', 'a statement that is prepared');
deploy(2);
is($reader->query('execute p'), '2', 'sees the next deployment');
for my $mode (qw(force_generic_plan force_custom_plan))
{
	$reader->query("set plan_cache_mode = $mode");
	$reader->query('execute p');
	deploy(1);
	is($reader->query('execute p'), '1', "with $mode, too");
	deploy(2);
	is($reader->query('execute p'), '2', 'each one');
}
$writer->query(q{begin; select mlops.deploy('next', 3)});
is($reader->query('execute p'), '2', 'not one that is not committed');
$writer->query('rollback');
is($reader->query('execute p'), '2', 'nor one that was undone');
$writer->send(q{begin; select mlops.deploy('next', 3); prepare transaction 'two'});
like($writer->finish->{error}, qr/^0A000/, 'nor is one prepared to be committed');
is($reader->query('execute p'), '2', 'so that nothing of it is seen');
$writer->query(q{rollback; select mlops.deploy('next', 3)});
is($reader->query('execute p'), '3', 'until it is committed');

$reader->query('begin isolation level repeatable read');
is($reader->query('execute p'), '3', 'in a repeatable read');
deploy(1);
is($reader->query('execute p'), '3', 'the deployment stays');
$reader->query('commit; begin read only');
is($reader->query('execute p'), '1', 'in a read-only transaction');
deploy(2);
is($reader->query('execute p'), '2', 'each statement sees the latest');
$reader->query('commit; begin isolation level serializable');
is($reader->query('execute p'), '2', 'and in a serializable one, the first');
deploy(1);
is($reader->query('execute p'), '2', 'for all of it');
$reader->query('commit');

for my $function (qw(by_sql by_inlined))
{
	$reader->query("select $function(a) from ask a");
	deploy(3);
	is($reader->query("select $function(a) from ask a"), '3', "a function in SQL ($function)");
	deploy(1);
	is($reader->query("select $function(a) from ask a"), '1', 'follows');
}
$reader->send('select by_expression(60)');
$node->poll_query_until('postgres', q{select count(*) = 1 from pg_stat_activity where query = 'select by_expression(60)' and state = 'active'});
deploy(2);
is($reader->finish->{rows}, '1 then 2', 'a simple expression of PL/pgSQL follows within one call');

# ---- Deployments of one's own ----

is($reader->query(q{begin; select mlops.deploy('next', 3) is not null; select round(mlops.predict('next', a)) from ask a}), "t\n3", 'our own deployment is seen at once');
$reader->query('savepoint s; ' . q{select mlops.deploy('next', 1)});
is($reader->query('execute p'), '1', 'and the one after it');
$reader->query('rollback to s');
is($reader->query('execute p'), '3', 'undone');
$reader->query('rollback');
is($reader->query('execute p'), '2', 'and undone');

# ---- Never between two transactions ----

my $readings = 0;
my $wrong = 0;
my @readers = map { Connection->new($node) } 1 .. 2;
$_->query(q{prepare marked as select version, round(mlops.predict('next', a)) from marker, ask a}) for @readers;
$writer->query(q{begin; update marker set version = 2; commit});
for my $round (1 .. 60)
{
	my $version = 1 + $round % 3;
	$_->send('execute marked; execute marked; execute marked') for @readers;
	$writer->query("begin; update marker set version = $version; select mlops.deploy('next', $version); commit");
	for my $connection (@readers)
	{
		for my $row (split(/\n/, $connection->finish->{rows}))
		{
			my ($marked, $predicted) = split(/\|/, $row);
			$readings++;
			$wrong++ if $marked != $predicted;
		}
	}
}
is($readings, 360, 'of many readings beside a writer');
is($wrong, 0, 'none sees a deployment without what was committed with it, or the reverse');

# ---- Rights ----

my $anna = Connection->new($node, user => 'anna');
sub refused { my ($what) = @_; $anna->send($answer); like($anna->finish->{error}, qr/^42704|^42501/, $what); return }
sub allowed { my ($what) = @_; is($anna->query($answer), '1', $what); return }
deploy(1);
refused('a stranger gets no answer');
$writer->query('grant team to anna');
allowed('a member of the team does');
$writer->query('revoke team from anna');
refused('until she leaves');
$writer->query('alter role anna superuser');
allowed('a superuser does');
$writer->query('alter role anna nosuperuser');
refused('while she is one');
$writer->query(q{insert into mlops.project_member (project_id, member, access) select id, 'anna', 'predictor' from mlops.project});
allowed('who has access');
$writer->query(q{delete from mlops.project_member where member = 'anna'::regrole});
refused('until that is revoked');
$writer->query(q{grant team to anna});
$anna->query("begin; $answer");
$writer->query(q{revoke team from anna});
refused('in the middle of a transaction, too');
$anna->query('rollback');

# PL/pgSQL keeps the state of an expression for the transaction, and a repeatable read its snapshot; roles and row types follow neither.
$writer->query(q{grant team to anna; create table noise (); grant select on noise to public; create type question as (a float8, x float8);
	create function by_kept(question) returns text language plpgsql as 'begin return round(mlops.predict(''next'', $1)); end';
	select mlops.train('doubled', 'select n::float8 as x, 2.0 * n as y from generate_series(1, 100) n', 'y', algorithm => 'linear_regression');
	select mlops.deploy('doubled', 1);
	create function by_kept_value(question) returns text language plpgsql as 'begin return round(mlops.predict(''doubled'', $1)); end'});
$anna->query('begin isolation level repeatable read');
is($anna->query(q{select by_kept('(1,2)')}), '1', 'an expression whose state is kept');
$writer->query('revoke team from anna');
$anna->query('select from noise');
$anna->send(q{select by_kept('(1,2)')});
like($anna->finish->{error}, qr/^42704|^42501/, 'is refused to who left the team');
$anna->query('rollback');
$reader->query('begin isolation level repeatable read');
is($reader->query(q{select by_kept_value('(1,2)')}), '4', 'one that reads a row');
$writer->query('alter type question drop attribute a, add attribute a text');
$reader->query('select from noise');
is($reader->query(q{select by_kept_value('(3,text)')}), '6', 'reads it by what its type has become');
$writer->query('alter type question drop attribute x, add attribute x text');
$reader->query('select from noise');
$reader->send(q{select by_kept_value('(text,text)')});
like($reader->finish->{error}, qr/^42804/, 'and takes no text for a number');
$reader->query('rollback');

# A pool lends one connection to several, by SET ROLE; DISCARD ALL in between, or not.
$writer->query('create role berta; create role carla; grant team to berta');
for my $between ('reset role', 'discard all')
{
	my $pool = Connection->new($node);
	for my $round (1 .. 3)
	{
		$pool->query('set role berta');
		is($pool->query($answer), '1', "($between) one role gets an answer");
		$pool->query("$between");
		$pool->query('set role carla');
		$pool->send($answer);
		like($pool->finish->{error}, qr/42704/, 'the other none');
		$pool->query($between);
	}
}

# Another model of this name comes into sight.
$writer->query(q{grant team to anna});
allowed('a name that is clear');
$writer->query(q{select mlops.create_project('second'); insert into mlops.project_member (project_id, member, access)
	select id, 'anna', 'predictor' from mlops.project where name = 'second';
	select mlops.train('second/next', 'select n % 3 as y, n as x from generate_series(1, 30) n', 'y', algorithm => 'baseline', task => 'regression')});
$anna->send($answer);
like($anna->finish->{error}, qr/^42P09/, 'is no longer');
$writer->query(q{delete from mlops.project_member where member = 'anna'::regrole});
allowed('and is again');

# ---- The extension itself ----

$writer->query('drop extension mlops cascade; drop table ask cascade');
$writer->query($setup);
$reader->query('deallocate p');
is($reader->query($answer), '1', 'an extension made anew');
deploy(3);
is($reader->query($answer), '3', 'is followed');

$node->stop;
done_testing();
