-- What a deployment captures: checked, completed, stored with it, and taken over by the next one.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/registry.sql
select plan(22);
create function pg_temp.live() returns jsonb language sql as $$ select d.capture from mlops.deployment d where upper_inf(d.valid) $$;

select is(mlops.capture_settings('{}'), '{"mode": "queue", "sample": 1, "features": true}', 'defaults');
select is(mlops.capture_settings('{"mode": "transaction", "sample": 0.25, "features": false, "key": "id", "mask": ["a"], "also": ["b", "c"]}'),
		  '{"mode": "transaction", "sample": 0.25, "features": false, "key": "id", "mask": ["a"], "also": ["b", "c"]}', 'everything');
select is(mlops.capture_settings('{"key": null}'), mlops.capture_settings('{}'), 'no key');

select matches(pg_temp.refusal(format('select mlops.capture_settings(%L)', given)), expected, given) from (values
	('{"mode": "que"}', '^22023 unknown mode "que" in argument "capture".*off, transaction, queue'),
	('{"mod": "queue"}', '^22023 unknown key "mod" in argument "capture".*mode'),
	('{"mode": 1}', '^22023 "mode" in argument "capture" must be a string'),
	('{"sample": 0}', '^22023 "sample" in argument "capture" is 0'),
	('{"sample": 1.5}', '^22023 "sample" in argument "capture" is 1.5'),
	('{"sample": "all"}', '^22023 "sample" in argument "capture" must be a number'),
	('{"features": 1}', '^22023 "features" in argument "capture" must be a boolean'),
	('{"mask": "a"}', '^22023 "mask" in argument "capture" must be an array'),
	('{"also": [1]}', '^22023 "also" in argument "capture" must be a string'),
	('[]', '^22023 ')) as v (given, expected);

insert into mlops.model_signature (model_id, version, position, name, type, role)
select m.id, n, 1, 'radius', 'double precision', 'feature' from mlops.model m, generate_series(1, 3) n;
select isnt(mlops.deploy('diagnosis', 1, capture => '{"mode": "transaction", "key": "id"}'), null, 'stored');
select is(pg_temp.live(), '{"mode": "transaction", "sample": 1, "features": true, "key": "id"}', 'complete');
select isnt(mlops.deploy('diagnosis', 2), null, 'the next deployment');
select is(pg_temp.live() ->> 'key', 'id', 'captures what the one before did');
select is(mlops.deploy('diagnosis', 2), (select max(id) from mlops.deployment), 'what is live stays');
select isnt(mlops.deploy('diagnosis', 2, capture => '{"mode": "off"}'), (select max(id) - 1 from mlops.deployment), 'unless it is to capture something else');
select mlops.rollback('diagnosis');
select is(pg_temp.live() ->> 'mode', 'off', 'a rollback captures what was captured last');
select matches(pg_temp.refusal($$select mlops.deploy('diagnosis', 3, capture => '{"mask": ["radius", "texture"]}')$$),
			   '^42703 "mask" in argument "capture" names what the model does not read: texture . It reads radius', 'a masked column must be one of the model''s');
set local role olga_operator;
select matches(pg_temp.refusal($$update mlops.deployment set capture = '{}' where upper_inf(valid)$$), '^42501', 'what a deployment captures is not changed');
reset role;
select * from finish();
rollback;
