-- mlops.decode_features() takes bytes from anybody: what is not whole is refused, and nothing else happens.
\ir include/begin.sql
\ir include/refusal.sql
select plan(13);
select is(mlops.decode_features('{a,b,c,d}', '\x0005010606'), '{"a": null, "b": false, "c": 3, "d": true}'::jsonb, 'simple values');
select is(mlops.decode_features('{a,b}', '\x07036162630804312e3530'), '{"a": "abc", "b": 1.50}'::jsonb, 'texts and numbers');
select is(mlops.decode_features('{a,b}', '\x02cdcccc3d03000000000000f87f'), '{"a": 0.1, "b": "NaN"}'::jsonb, 'floats');
select is(mlops.decode_features('{}', ''), '{}'::jsonb, 'nothing');
select matches(pg_temp.refusal(format('select mlops.decode_features(%L, %L)', names, bytes)), '^XX001 captured features are not whole', format('%s of %s', bytes, names))
  from (values ('{a}', '\x'), ('{}', '\x00'), ('{a}', '\x07ff'), ('{a}', '\x07ffffffffffffffff7f'), ('{a}', '\x01ffffffffffffffffffff'), ('{a}', '\x03'),
			   ('{a}', '\x0702ff41'), ('{a}', '\x09000000000000f87f'), ('{a}', '\xff')) as v (names, bytes);
select * from finish();
rollback;
