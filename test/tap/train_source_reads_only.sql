-- A source cannot write, whatever its functions try; the transaction around it can.
\ir include/begin.sql
\ir include/refusal.sql
create table house as select n as area, n * 2.5::float8 as price from generate_series(1, 40) n;
create table trace (n int);
create sequence counter;
create function leave_trace(n int) returns int language plpgsql as $$ begin insert into trace values (n); return n; end $$;
create function hide_trace(n int) returns int language plpgsql as
	$$ begin begin insert into trace values (n); exception when others then null; end; return n; end $$;
create function switch_back(n int) returns int language plpgsql as
	$$ begin perform set_config('transaction_read_only', 'off', true); insert into trace values (n); return n; end $$;

select plan(8);
select matches(pg_temp.refusal($$select mlops.train('m', 'select *, leave_trace(area) from house', 'price')$$), '^25006 ', 'a function that writes is refused');
select matches(pg_temp.refusal($$select mlops.train('m', 'select *, nextval(''counter'') from house', 'price')$$), '^25006 ', 'a sequence too');
select matches(pg_temp.refusal($$select mlops.train('m', 'select *, switch_back(area) from house', 'price')$$), '^25001 ', 'read-only is not switched off');
select lives_ok($$select mlops.train('m', 'select *, hide_trace(area) as t from house', 'price')$$, 'one that hides its failure goes on');
select is((select count(*) from trace), 0::bigint, 'and writes nothing');
select is(current_setting('transaction_read_only'), 'off', 'afterwards one can write');
select lives_ok($$insert into trace values (1)$$, 'really');
set local transaction_read_only = on;
select matches(pg_temp.refusal($$select mlops.train('m', 'house', 'price')$$), '^25006 .*train', 'train() itself writes: not in a read-only transaction');
select * from finish();
rollback;
