-- The recipe: what is asked for is done, what does not fit is refused.
\ir include/begin.sql
\ir include/refusal.sql
create table wine as
	select n, case when n % 10 = 0 then null else n % 17 end as acid, n % 5 as grape, case n % 7 when 0 then null else 'r' || n % 4 end as region,
		   (n % 17) * 2.0::float8 + (n % 5) as price
	  from generate_series(1, 340) n;
create function pg_temp.prepared(preprocess text, algorithm text default 'linear_regression') returns text language plpgsql as $$
begin
	perform mlops.train('m', 'wine', 'price', features => '{acid,grape,region}', algorithm => algorithm, preprocess => preprocess::jsonb);
	return 'done';
end
$$;
create function pg_temp.refused(preprocess text, algorithm text default 'linear_regression') returns text language sql as
	$$ select pg_temp.refusal(format('select pg_temp.prepared(%L, %L)', preprocess, algorithm)) $$;

select plan(21);
select is(pg_temp.prepared('{}'), 'done', 'nothing asked');
select is(pg_temp.prepared('{"grape": {"type": "category"}}'), 'done', 'integers as categories');
select is((select categories from mlops.model_signature s where s.name = 'grape' order by version desc limit 1), 5, 'are categories');
select is(mlops.predict(format('m@%s', (select max(version) from mlops.model_version)), '{"acid": 1, "grape": 3, "region": "r1"}'::jsonb),
		  mlops.predict(format('m@%s', (select max(version) from mlops.model_version)), '{"acid": 1, "grape": "3", "region": "r1"}'::jsonb), 'by their texts');
select is(pg_temp.prepared('{"*": {"missing": "mean", "scaling": "minmax"}, "region": {"missing": "most_frequent", "encoding": "ordinal"}}'), 'done', 'all and one');
select is(pg_temp.prepared('{"region": {"max_categories": 2}}'), 'done', 'fewer categories');
select is((select categories from mlops.model_signature s where s.name = 'region' order by version desc limit 1), 2, 'are kept');
select is(pg_temp.prepared('{"acid": {"missing": null}}'), 'done', 'null leaves the default');
select matches(pg_temp.refused('{"acidd": {"missing": "mean"}}'), '^42703 .*"acidd".*"acid"', 'no such column');
select matches(pg_temp.refused('{"price": {"missing": "mean"}}'), '^42703 .*"price".*not a feature', 'no feature');
select matches(pg_temp.refused('{"acid": {"mising": "mean"}}'), '^22023 .*"mising".*"missing"', 'no such key');
select matches(pg_temp.refused('{"acid": {"missing": "medain"}}'), '^22023 .*"medain".*"median"', 'no such word');
select matches(pg_temp.refused('{"acid": "mean"}'), '^22023 .*"acid".*object', 'no object');
select matches(pg_temp.refused('[]'), '^22023 .*"preprocess".*object', 'nor the whole');
select matches(pg_temp.refused('{"region": {"missing": "mean"}}'), '^22023 .*"missing": "mean".*"region".*native, most_frequent or error', 'a mean of texts');
select matches(pg_temp.refused('{"acid": {"encoding": "onehot"}}'), '^22023 .*"onehot".*"acid"', 'one-hot numbers');
select matches(pg_temp.refused('{"acid": {"max_categories": 3}}'), '^22023 .*max_categories.*"acid"', 'categories of a number');
select matches(pg_temp.refused('{"region": {"max_categories": 0}}'), '^22023 .*max_categories', 'no categories');
select matches(pg_temp.refused('{"region": {"type": "number"}}'), '^42804 .*"region".*number', 'a text as a number');
select matches(pg_temp.refused('{"acid": {"missing": "native"}}'), '^0A000 .*linear_regression.*"acid"', 'what the algorithm cannot');
select matches(pg_temp.refused('{"acid": {"missing": "error"}}'), '^22000 .*"acid"', 'missing values that are an error');
select * from finish();
rollback;
