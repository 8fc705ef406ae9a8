-- A connection keeps the models that it used, as far as mlops.local_cache_size goes, and no pin outlives its query.
\ir include/begin.sql
\ir include/versions.sql
select current_setting('shared_preload_libraries') ~ 'mlops' and current_setting('mlops.shared_cache_size') <> '0' as shared \gset
\if :shared
	select plan(1);
	select skip('SKIP: with the library preloaded models are in shared memory, see t/007_shared_cache.pl', 1);
	select * from finish();
	rollback;
	\quit
\endif
create function pg_temp.models() returns bigint language sql as $$ select count(*) from pg_backend_memory_contexts where name = 'mlops model' $$;
create function pg_temp.fails(statement text) returns boolean language plpgsql as
	$$ begin execute statement; return false; exception when others then return true; end $$;
set local mlops.local_cache_size = 0;
select plan(12);
select is(pg_temp.answer('next@1'), 1, 'without room a model answers');
select is(pg_temp.models(), 0::bigint, 'and is gone when its query ends');
declare c cursor for select round(mlops.predict('next@1', a)) from ask a, generate_series(1, 3);
fetch 1 in c \gset
select is(pg_temp.models(), 1::bigint, 'not while its query runs');
close c;
select is(pg_temp.models(), 0::bigint, 'but then');
select ok(pg_temp.fails($$select mlops.predict('next@1', a), mlops.predict('next@2', r) from ask a, (select 1 as other) r$$), 'an error');
select is(pg_temp.models(), 0::bigint, 'leaves none');
reset mlops.local_cache_size;
select is(pg_temp.answer('next@1') + pg_temp.answer('next@2') + pg_temp.answer('next@3') + pg_temp.answer('next@1'), 7, 'with room');
select is(pg_temp.models(), 3::bigint, 'they stay');
set local mlops.local_cache_size = '1kB';
select is(pg_temp.answer('next@1') + pg_temp.answer('next@2'), 3, 'with room for some');
select ok(pg_temp.models() between 1 and 2, 'some stay');
set local mlops.local_cache_size = 0;
select mlops.import_model('same', mlops.export_model('next@2'));
select pg_temp.answer('next@1');
reset mlops.local_cache_size;
select is(pg_temp.answer('next@2') + pg_temp.answer('same@1'), 4, 'models of equal bytes');
select is(pg_temp.models(), 1::bigint, 'are one in memory');
select * from finish();
rollback;
