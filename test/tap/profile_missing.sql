-- NULL, NaN and infinities are counted, shown and part of a distance; no rows have no profile.
\ir include/begin.sql
select plan(9);
create temp table odd as
select mlops.profile(x) as p from unnest(array[1, 2, 2, null, 'NaN', 'Infinity', '-Infinity', 'Infinity']::float8[]) x;
create temp table plain as select mlops.profile(x) as p from unnest(array[1, 2, 2, 1, 2, 2, 1, 2]::float8[]) x;
select is(p::jsonb - 'top' - 'quantiles' - 'sd' - 'mean',
		  '{"kind": "number", "rows": 8, "nulls": 1, "nan": 1, "infinite": 3, "cells": 2, "distinct": 2, "distinct_is": "exact", "min": 1, "max": 2}', 'counts')
  from odd;
select is(mlops.tvd(plain.p, odd.p), 0.625::float8, 'cells of their own: NULL, and NaN with the infinities') from plain, odd;
select is((mlops.ks(plain.p, odd.p)).d < .05, true, 'no part of the order of numbers') from plain, odd;
select is((select mlops.profile(x)::text from generate_series(1, 0) x), null, 'no rows');
select is(mlops.profile(x)::jsonb ->> 'nulls', '3', 'only NULLs') from unnest('{null,null,null}'::int[]) x;
select is(mlops.quantile(mlops.profile(x), .5), null, 'and no quantile') from unnest('{null,null,null}'::int[]) x;
select is((mlops.ks(p, (select mlops.profile(null::int)))).d, null, 'no statistic') from plain;
select is(mlops.mean_shift(mlops.profile(7), mlops.profile(7)), 0::float8, 'a constant that stays');
select is(mlops.mean_shift(mlops.profile(7), mlops.profile(8)), 'Infinity'::float8, 'a constant that moves');
select * from finish();
rollback;
