-- Bytes that are no whole, valid distribution are DATA_CORRUPTED; valid ones come back as they were.
\ir include/begin.sql
select plan(12);
create function pg_temp.outcome(bytes bytea) returns text language plpgsql as $$
begin
	return case when bytes::mlops.distribution::bytea = bytes then 'same' else 'other' end;
exception when others then
	return sqlstate;
end $$;
create temp table given as
select mlops.profile(i % 10)::bytea as numbers, mlops.profile('text ' || i % 3)::bytea as texts, mlops.profile(i / 3.0)::bytea as many from generate_series(1, 9000) i;
select is(pg_temp.outcome(numbers), 'same', 'numbers') from given;
select is(pg_temp.outcome(texts), 'same', 'texts') from given;
select is(pg_temp.outcome(many), 'same', 'many numbers') from given;
select is_empty($$select n from given, generate_series(0, length(texts) - 1) n where pg_temp.outcome(substring(texts, 1, n)) <> 'XX001'$$, 'nothing can be cut off');
select is_empty($$select n from given, generate_series(0, length(texts) - 1) n
	where pg_temp.outcome(set_byte(texts, n, 255 - get_byte(texts, n))) not in ('XX001', 'same')$$, 'a changed byte is refused, or is part of another distribution');
select is(texts::mlops.distribution::text::mlops.distribution::bytea, texts, 'the text form says all') from given;
select is(many::mlops.distribution::text::mlops.distribution::bytea, many, 'of many values, too') from given;
select is(mlops.distribution_send(many::mlops.distribution), many, 'so does the binary form') from given;
select is(pg_temp.outcome(numbers || '\x00'::bytea), 'XX001', 'nothing can be added') from given;
select is(pg_temp.outcome(overlay(texts placing '\xff'::bytea from position('text'::bytea in texts))), 'XX001', 'a text that is not valid in the encoding') from given;
select throws_ok($$select 'no base64!'::mlops.distribution$$, '22P02', null, 'a text that is no base64');
select throws_ok($$select mlops.ks_exact_merge(null, '\x0000')$$, 'XX001', null, 'nor is a state what it is not');
select * from finish();
rollback;
