-- Bytes that are no whole, valid model are DATA_CORRUPTED, also where the checksum is right.
\ir include/begin.sql
\ir include/trained.sql
-- CRC-32C of the bytes behind the checksum, put in its place: byte 8 to 11 of what follows the length word.
create function pg_temp.resealed(bytes bytea) returns bytea language plpgsql as $$
declare
	crc bigint := 4294967295;
begin
	for i in 12 .. length(bytes) - 1 loop
		crc := crc # get_byte(bytes, i);
		for bit in 1 .. 8 loop
			crc := (crc >> 1) # (case when crc & 1 = 1 then 2197175160 else 0 end);
		end loop;
	end loop;
	crc := crc # 4294967295;
	for i in 0 .. 3 loop
		bytes := set_byte(bytes, 8 + i, ((crc >> (8 * i)) & 255)::int);
	end loop;
	return bytes;
end $$;
-- How a cast of these bytes ends.
create function pg_temp.outcome(bytes bytea) returns text language plpgsql as $$
begin
	perform bytes::mlops.artifact;
	return 'accepted';
exception when others then
	return sqlstate;
end $$;
select mlops.train('small', 'thing', 'mood', 'logistic_regression', features => '{whole,colour}');
select mlops.export_model('small@1')::bytea as model, length(mlops.export_model('small@1')::bytea) as size \gset
select plan(11);
select is(pg_temp.outcome(:'model'), 'accepted', 'the model as it is');
select is(pg_temp.outcome(pg_temp.resealed(:'model')), 'accepted', 'and with its checksum computed anew');
select is_empty(format($$select n from generate_series(0, %s) n where pg_temp.outcome(set_byte(%L, n, 255 - get_byte(%2$L, n))) <> 'XX001'$$, :size - 1, :'model'),
				'no byte can be turned over');
select is_empty(format($$select n from generate_series(0, %s) n where pg_temp.outcome(substring(%L::bytea, 1, n)) <> 'XX001'$$, :size - 1, :'model'),
				'nothing can be cut off');
select is(pg_temp.outcome(:'model' || '\x00'::bytea), 'XX001', 'nor added');
select is(pg_temp.outcome(pg_temp.resealed(set_byte(:'model', 4, 99))), 'XX001', 'another format');
select is(pg_temp.outcome(pg_temp.resealed(set_byte(:'model', 23, 99))), 'XX001', 'an algorithm that is none');
select is(pg_temp.outcome(pg_temp.resealed(set_byte(:'model', 31, 99))), 'XX001', 'columns that are not there');
select is(pg_temp.outcome(pg_temp.resealed(overlay(:'model'::bytea placing '\xff'::bytea from position('merry'::bytea in :'model'::bytea)))), 'XX001',
		  'a text that is not valid in the database''s encoding');
select throws_ok($$select ''::mlops.artifact$$, 'XX001', null, 'nothing at all');
select throws_ok($$select 'no base64!'::mlops.artifact$$, '22P02', null, 'a text that is no base64');
select * from finish();
rollback;
