-- Few features leave many equal rows: they must not all fall on one side, or the label would leak into the split.
\ir include/begin.sql
create function pg_temp.coin(n int) returns float8 language sql immutable as $$ select (hashint4extended(n, 7) & 65535) / 65536.0::float8 $$;
create table people as
	select n % 12 as age, n % 2 = 0 as sex, pg_temp.coin(n) < 0.1 + (n % 12) * 0.05 + (n % 2) * 0.1 as rich from generate_series(1, 60000) n;
create table others as
	select n % 12 as age, n % 2 = 0 as sex, pg_temp.coin(n) < 0.1 + (n % 12) * 0.05 + (n % 2) * 0.1 as rich from generate_series(100001, 160000) n;
\getenv data MLOPS_DATA
select plan(2);
select mlops.train('rich', 'people', 'rich');
select cmp_ok(abs((select value from mlops.evaluate('rich@1') where metric = 'roc_auc') - (select value from mlops.evaluate('rich@1', 'others') where metric = 'roc_auc')),
			  '<', 0.015::float8, 'the metric on held-out rows is that on independent rows');
\if :{?data}
	\set file :data '/adult.csv'
	create table adult (age int, workclass text, fnlwgt int, education text, education_num int, marital_status text, occupation text, relationship text,
						race text, sex text, capital_gain int, capital_loss int, hours_per_week int, native_country text, income text);
	copy adult from :'file' with (format csv, header);
	select mlops.train('income', 'select age, sex, income from adult', 'income');
	select ok((select value between 0.74 and 0.78 from mlops.evaluate('income@1') where metric = 'roc_auc'), 'on adult with age and sex alone, too');
\else
	select skip('MLOPS_DATA is not set', 1);
\endif
select * from finish();
rollback;
