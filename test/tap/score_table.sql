-- Predictions are written into a table: what is written, where, with whose rights.
\ir include/begin.sql
\ir include/refusal.sql
create role ann;
create table house as select n as id, n * 37 % 101 as area, (n * 37 % 101) * 2.5::float8 as price, n % 2 = 0 as dear from generate_series(1, 500) n;
select mlops.train('price', 'house', 'price', 'linear_regression', exclude => '{id,dear}');
select mlops.deploy('price');
select mlops.train('dear', 'house', 'dear', 'logistic_regression', exclude => '{id,price}');
select mlops.deploy('dear');
create table prices (id text primary key, prediction numeric, version smallint, scored_at timestamptz, note text default 'new');
create table answers (class text, probability real, id bigint);

select plan(16);
select is(mlops.score_table('price', 'house', 'prices', 'id'), 500::bigint, 'rows are written');
select is((select count(*) from prices p join house h on h.id::text = p.id where abs(p.prediction - mlops.predict('price', h)::numeric) < 1e-9 and p.version = 1 and p.scored_at is not null),
	500::bigint, 'with prediction, version and time');
select matches(pg_temp.refusal($$select mlops.score_table('price', 'house', 'prices', 'id')$$), '^23505 ', 'to append does not write over');
update prices set note = 'old', prediction = 0;
delete from prices where id = '7';
select is(mlops.score_table('price', 'house', 'prices', 'id', 'upsert'), 500::bigint, 'to upsert does');
select results_eq($$select note, count(*), min(abs(prediction)) > 0 from prices group by note order by note$$, $$values ('new', 1::bigint, true), ('old', 499::bigint, true)$$, 'other columns stay');
select is(mlops.score_table('price', 'select * from house where id <= 10', 'prices', 'id', mode => 'replace'), 10::bigint, 'to replace removes');
select is((select count(*) from prices), 10::bigint, 'what was there');
select is(mlops.score_table('dear', 'house', 'answers', 'id'), 500::bigint, 'a classification');
select is((select count(*) from answers a join house h using (id) where a.class = mlops.predict_class('dear', h) and a.probability = mlops.predict_proba('dear', h)::real), 500::bigint, 'has class and probability');
select matches(pg_temp.refusal($$select mlops.score_table('dear', 'house', 'answers', 'id', 'upsert')$$), '^42P10 ', 'to upsert takes a unique key');
create table bare (id bigint);
select matches(pg_temp.refusal($$select mlops.score_table('dear', 'house', 'bare', 'id')$$), '^42703 .*no column for a prediction.*probability', 'a table without a place for predictions');
create table "Odd Place" ("Odd ""Key""" int primary key, prediction float8);
select is(mlops.score_table('price', 'select *, id as "Odd ""Key""" from house', '"Odd Place"', 'Odd "Key"'), 500::bigint, 'names are quoted');
select matches(pg_temp.refusal($$select mlops.score_table('price', 'house', 'prices', null)$$), '^22023 .*"key".*NULL', 'no key');

grant usage on schema public to ann;
grant select on house to ann;
select mlops.create_project('homes');
select mlops.grant_access('homes', 'ann', 'predictor');
select mlops.train('homes/rent', 'house', 'price', 'linear_regression', exclude => '{id,dear}');
select mlops.deploy('homes/rent');
set local role ann;
select matches(pg_temp.refusal($$select mlops.score_table('rent', 'house', 'prices', 'id', 'upsert')$$), '^42501 .*prices', 'a caller without rights on the destination');
select matches(pg_temp.refusal($$select mlops.score_table('price', 'house', 'prices', 'id', 'upsert')$$), '^42704 ', 'or on the model');
reset role;
grant select, insert, update on prices to ann;
set local role ann;
select is(mlops.score_table('rent', 'house', 'prices', 'id', 'upsert'), 500::bigint, 'and one with them');
reset role;
select * from finish();
rollback;
