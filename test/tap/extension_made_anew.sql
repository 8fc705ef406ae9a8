-- After drop extension and create extension the same names and numbers mean other models, in the connection that knew the old ones, too.
\ir include/begin.sql
\ir include/versions.sql
select plan(4);
select is(pg_temp.answer('next@1'), 1, 'before');
set local client_min_messages = error;
drop extension mlops cascade;
create extension mlops;
select throws_ok($$select pg_temp.answer('next@1')$$, '42704', null, 'a new extension has no models');
select mlops.train('next', 'select answer + row * 1e-9 as answer, nothing from lesson where answer = 3', 'answer', 'baseline', split => '{"test": 0}');
select is(pg_temp.answer('next@1'), 3, 'and its own later');
select is((select id from mlops.model), 1::bigint, 'under the same number');
select * from finish();
rollback;
