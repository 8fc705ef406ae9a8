-- Model cards: what people write fits a schema, developers and reviewers write what is theirs, facts come by themselves; the inventory.
\ir include/begin.sql
\ir include/registry.sql
create table tumour as select i as radius, i % 2 = 0 as wet, case when i % 7 > 3 then 'malignant' else 'benign' end as diagnosis from generate_series(1, 100) i;
grant select on tumour to sam_scientist;
set local role sam_scientist;
select from mlops.train('clinic/diagnosis', 'tumour', 'diagnosis', 'decision_tree');
reset role;
select plan(27);

set local role sam_scientist;
select lives_ok($$select mlops.set_card('diagnosis', '{"intended_use": "second reader", "depends_on": ["scanner"], "lifecycle": "in_use"}')$$, 'a scientist writes what developers write');
select throws_ok($$select mlops.set_card('diagnosis', '{"tier": "low"}')$$, '42501', null, 'and not what reviewers write');
select throws_ok($$insert into mlops.model_card_field (model_id, name, value) select id, 'validated_on', '"2026-01-01"' from mlops.model$$, '42501', null, 'by hand neither');
select throws_ok($$select mlops.set_card('diagnosis', '{"colour": "red"}')$$, '22023', 'a model card has no field "colour"', 'a field that there is not');
select throws_ok($$select mlops.set_card('diagnosis', '{"purpose": 7}')$$, '22023', null, 'a number for a text');
select throws_ok($$select mlops.set_card('diagnosis', '{"depends_on": ["a", 1]}')$$, '22023', null, 'a number among texts');
select throws_ok($$select mlops.set_card('diagnosis', '{"lifecycle": "asleep"}')$$, '22023', null, 'a word that is none');
select throws_ok($$select mlops.set_card('diagnosis', '[]')$$, '22023', null, 'what is no object');
select lives_ok($$select mlops.set_card('diagnosis', '{"depends_on": null}')$$, 'a field is removed');

set local role rita_reviewer;
select lives_ok($$select mlops.set_card('diagnosis', '{"tier": "high", "validator": "rita", "validated_on": "2024-01-01", "next_validation": "2025-01-01", "exceptions": ["few men"]}')$$,
	'a reviewer writes what reviewers write');
select throws_ok($$select mlops.set_card('diagnosis', '{"next_validation": "2025-02-30"}')$$, '22023', null, 'a day that there is not');
select throws_ok($$select mlops.set_card('diagnosis', '{"purpose": "mine"}')$$, '42501', null, 'and not what developers write');
select is((select count(*) from mlops.model_card_field where set_by = 'rita_reviewer'), 5::bigint, 'who wrote it is kept');

set local role vera_viewer;
select mlops.model_card('clinic/diagnosis') as card \gset
select is(:'card'::jsonb -> 'written', '{"purpose": "find malignant tumours", "intended_use": "second reader", "lifecycle": "in_use", "tier": "high", "validator": "rita", "validated_on": "2024-01-01", "next_validation": "2025-01-01", "exceptions": ["few men"]}',
	'a viewer reads what was written');
select is(:'card'::jsonb -> 'missing', '["limitations", "owner", "restrictions"]', 'and what was not');
select is(:'card'::jsonb #>> '{version,number}', '4', 'of no live version the newest');
select is(:'card'::jsonb #>> '{data,rows_train}', '80', 'what it learned from');
select is((select array_agg(k) from jsonb_object_keys(:'card'::jsonb -> 'importance') k), '{wet,radius}', 'what matters');
select is(jsonb_array_length(:'card'::jsonb -> 'open_findings') > 0, true, 'what is open');
select ok(mlops.model_card_text('diagnosis') like E'# diagnosis\n%**purpose**: find malignant tumours%Not written yet: limitations, owner, restrictions.%| metric | value |%', 'as Markdown');
select results_eq($$select tier, purpose, lifecycle, validator, next_validation, overdue, exceptions from mlops.inventory where model = 'diagnosis'$$,
	$$values ('high', 'find malignant tumours', 'in_use', 'rita', date '2025-01-01', true, '["few men"]'::jsonb)$$, 'the inventory shows it as overdue');
set local role rita_reviewer;
select mlops.set_card('diagnosis', format('{"next_validation": "%s"}', current_date + 30)::jsonb);
select is((select overdue from mlops.inventory where model = 'diagnosis'), false, 'until it is validated');
reset role;
select is(mlops.version_facts(:diagnosis, 3) #>> '{card,tier}', 'high', 'policies may ask for it');

set local role paul_predictor;
select throws_ok($$select mlops.model_card('diagnosis')$$, '42501', null, 'a predictor reads no card');
select is_empty($$select from mlops.inventory$$, 'nor the inventory');
set local role sten_stranger;
select throws_ok($$select mlops.model_card('diagnosis')$$, '42704', null, 'a stranger knows of no model');
select is_empty($$select from mlops.inventory$$, 'nor finds it there');
select * from finish();
rollback;
