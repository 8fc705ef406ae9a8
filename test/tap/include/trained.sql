-- A table with a column of each type that a model can use, and models trained on it:
-- price (a number), sold (a boolean), grade (1, 2, 3), mood (text).  All are linear, so that every column counts, and live.
create type shade as enum ('light', 'dark', 'none');
create domain percent as numeric check (value between 0 and 100);
create table thing as
select i as id,
	   (i * 7 % 23)::smallint as small, i * 37 % 101 as whole, i::bigint * 5 % 13 as big, (i % 10 / 10.0)::real as single,
	   sqrt(i * 11 % 17) as double, (i * 13 % 97 / 4.0)::numeric(10, 2) as amount, (i * 3 % 41)::percent as share,
	   i % 3 = 0 as flag, date '2020-01-01' + i * 17 % 400 as day, timestamp '2020-01-01' + (i * 19 % 300) * interval '7 hours' as at,
	   timestamptz '2020-01-01 00:00+00' + (i * 23 % 500) * interval '5 hours' as zoned, (i * 29 % 50) * interval '1 hour' as took,
	   (array['red', 'green', 'blue'])[i % 7 % 3 + 1] as colour, (array['a', 'bb', 'ccc', 'dddd'])[i % 4 + 1]::char(4) as code,
	   (array['light', 'dark', 'none'])[i % 5 % 3 + 1]::shade as shade, format('00000000-0000-0000-0000-%s', lpad((i % 4)::text, 12, '0'))::uuid as key,
	   array[i % 7, i * 2 % 11, i * 3 % 5]::real[] as x,
	   (i * 7 % 23) + 0.5 * (i * 37 % 101) + (i % 3) + (i * 7919 % 1013) / 100.0 as price, i * 37 % 101 > 50 as sold, i * 37 % 101 / 40 + 1 as grade,
	   case when i * 37 % 101 > 30 then 'merry' else 'sad' end as mood
  from generate_series(1, 400) i;
alter table thing alter x set not null;
create function pg_temp.learn(model text, target text, algorithm text) returns void language sql as $$
	select mlops.train(learn.model, 'thing', learn.target, learn.algorithm,
					   exclude => array_remove('{id,price,sold,grade,mood}'::text[], learn.target));
	select mlops.deploy(learn.model, 1); $$;
do $$
begin
	perform pg_temp.learn('price', 'price', 'linear_regression');
	perform pg_temp.learn('sold', 'sold', 'logistic_regression');
	perform pg_temp.learn('grade', 'grade', 'logistic_regression');
	perform pg_temp.learn('mood', 'mood', 'logistic_regression');
end
$$;
