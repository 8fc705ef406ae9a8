-- What is neither a name nor one SELECT that only reads is refused, with its reason.
\ir include/begin.sql
\ir include/refusal.sql
create table house as select n as area, n * 2.5::float8 as price from generate_series(1, 40) n;
create function pg_temp.refused(source text) returns text language sql as
	$$ select pg_temp.refusal(format('select mlops.train(''m'', %L, ''price'')', source)) $$;

select plan(26);
select matches(pg_temp.refused('houses'), '^42P01 .*houses.*"house"', 'no such table: the nearest name');
select matches(pg_temp.refused('public.housse'), '^42P01 .*public\.housse.*"house"', 'with its schema');
select matches(pg_temp.refused('nowhere.house'), '^42P01 .*nowhere\.house', 'no such schema');
select matches(pg_temp.refused('select * from houses'), '^42P01 .*houses', 'no such table in a SELECT');
select matches(pg_temp.refused(''), '^42601 .*empty', 'nothing');
select matches(pg_temp.refused(' ; '), '^42601 .*empty', 'no statement');
select matches(pg_temp.refused('select*from"house"'), '^accepted', 'no blanks');
select matches(pg_temp.refused('select price from house; select 1'), '^42601 .*2 statements', 'two statements');
select matches(pg_temp.refused('selct * from house'), '^42601 .*selct', 'not SQL');
select matches(pg_temp.refused('delete from house returning *'), '^0A000 .*DELETE.*SELECT', 'DELETE');
select matches(pg_temp.refused('insert into house values (1, 2) returning *'), '^0A000 .*INSERT.*SELECT', 'INSERT');
select matches(pg_temp.refused('with d as (delete from house returning *) select * from d'), '^0A000 .*WITH.*SELECT', 'DELETE in WITH');
select matches(pg_temp.refused('select * into house2 from house'), '^0A000 .*SELECT INTO', 'SELECT INTO');
select matches(pg_temp.refused('select price into house2 from house union select 1.0'), '^0A000 .*SELECT INTO', 'in a set operation');
select matches(pg_temp.refused('create table house2 as select * from house'), '^0A000 .*CREATE TABLE AS.*SELECT', 'CREATE TABLE AS');
select matches(pg_temp.refused('explain select * from house'), '^0A000 .*EXPLAIN', 'EXPLAIN');
select matches(pg_temp.refused('copy house to stdout'), '^0A000 .*COPY', 'COPY');
select matches(pg_temp.refused('select * from house for update'), '^0A000 .*lock', 'FOR UPDATE');
select matches(pg_temp.refused('select * from (select * from house for share) s'), '^0A000 .*lock', 'deeper');
select matches(pg_temp.refused('select price, $1 from house'), '^42P02 ', 'a parameter');
select matches(pg_temp.refused('select from house'), '^42703 .*no columns', 'no columns');
select matches(pg_temp.refused('select price, area, area from house'), '^42702 .*"area"', 'two columns of a name');
select matches(pg_temp.refused('select price, area, 1 / (area - 20) as bad from house'), '^22012 ', 'a query that fails half way');
select matches(pg_temp.refusal($$select mlops.train('m', null, 'price')$$), '^22023 .*"source".*NULL', 'NULL');
select is((select count(*) from mlops.model_version), 1::bigint, 'none of the others left a version');
select is(pg_temp.refusal($$select mlops.train('m', 'select price, area, n as x, n + 1 as x from house, generate_series(1, 2) n', 'price', exclude => '{x}')$$), 'accepted', 'two columns of a name can be excluded');
select * from finish();
rollback;
