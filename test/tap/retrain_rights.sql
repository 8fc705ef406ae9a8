-- retrain() without a source: the stored query runs with the rights of the role that gave it, for those who have them.
\ir include/begin.sql
\ir include/refusal.sql
create role ann_author;
create role bob_scientist;
create role mia_member in role ann_author;
create role olga_operator login;
create table patient (age float8, ill boolean);
insert into patient select i % 97, i % 97 > 48 and i % 7 > 0 from generate_series(1, 2000) i;
grant select on patient to ann_author;
create function public.whoever() returns name language sql volatile as 'select current_user';
set local role ann_author;
select mlops.create_project('clinic');
select mlops.grant_access('clinic', 'bob_scientist', 'owner');
select mlops.grant_access('clinic', 'mia_member', 'owner');
select mlops.grant_access('clinic', 'olga_operator', 'operator');
-- what it gives depends on whose rights it has
select mlops.train('ill', $$select age, ill from public.patient where public.whoever() = 'ann_author'$$, 'ill', project => 'clinic', algorithm => 'logistic_regression');
reset role;
select plan(18);

-- somebody else, though he owns the project
set local role bob_scientist;
select is(pg_temp.refusal($$select mlops.retrain('ill')$$),
	'42501 permission denied for the query that version 1 of model "ill" was trained on | It runs with the rights of role "ann_author", which gave it. | Give a query as "source", which runs with your rights.',
	'another role''s query is not run');
select matches(pg_temp.refusal($$select mlops.retrain('ill', source => 'select age, ill from public.patient')$$), '^42501 permission denied for table patient', 'his own runs with his own rights');
reset role;
grant select on patient to bob_scientist;
set local role bob_scientist;
select is(version, 2, 'which is enough where they are') from mlops.retrain('ill', source => 'select age, ill from public.patient', deploy => 'never');
reset role;
select results_eq('select role_name from mlops.snapshot order by id', $$values ('ann_author'), ('bob_scientist')$$, 'who gave a query is written down');

-- a member, and a superuser: with her rights, not with theirs
set local role ann_author;
select mlops.deploy('ill', 1);
set local role mia_member;
select is(version, 3, 'a member of the role') from mlops.retrain('ill', deploy => 'never');
select is((select row_count from mlops.snapshot order by id desc limit 1), 2000::bigint, 'repeats it with the rights of the author');
select is((select role_name from mlops.snapshot order by id desc limit 1), 'ann_author', 'which remain the author''s');
reset role;
select is(version, 4, 'a superuser') from mlops.retrain('ill', deploy => 'always');
select is((select row_count from mlops.snapshot order by id desc limit 1), 2000::bigint, 'too');
select is((select role_name from mlops.snapshot order by id desc limit 1), 'ann_author', 'so that nobody''s rights grow by repetition');
select is((select current_user_name from mlops.run order by id desc limit 1), current_user::text, 'though it is known who did it');
select is(current_user::text, session_user::text, 'whose rights are back afterwards');
update patient set ill = null;
select matches(pg_temp.refusal($$select mlops.retrain('ill')$$), '^22', 'also where it fails');
select is(current_user::text, session_user::text, 'as after an error');

-- an action of a role that has not the author's rights
insert into mlops.monitor (model_id, name, settings, window_size, reference, owner, session_role)
select m.id, 'daily', '{}', '1 day', 'training', 'olga_operator', 'olga_operator' from mlops.model m returning id as monitor \gset
set local session authorization olga_operator;
select matches(pg_temp.refusal(format('select mlops.on_alert(%s, %L)', :monitor, 'retrain')), '^42501 action retrain needs a source', 'an action needs a source, too');
select lives_ok(format('select mlops.on_alert(%s, %L, args => %L)', :monitor, 'retrain', '{"source": "select 1 as age, true as ill"}'), 'and has one');
reset session authorization;
update mlops.monitor_action set args = '{}';
insert into mlops.raised_alert (model_id, monitor_id, kind, segment, feature, severity, version, evidence, first_period, last_period)
select o.model_id, o.id, 'drift', '', 'age', 'critical', 4, '[]', '[2026-01-01, 2026-01-02)', '[2026-01-01, 2026-01-02)' from mlops.monitor o where o.id = :monitor;
select mlops.act_on_alert(max(id)) from mlops.raised_alert;
select max(x.id) as run from mlops.action_run x \gset
set local role olga_operator;
select is(mlops.perform_action(:run)::jsonb, '{"refused": "the version was trained on the query of a role whose rights the action has not: give it a source"}', 'where another version is live by then, the action is refused');
reset role;

-- a role that is gone
update pg_authid set rolname = 'ann_married' where rolname = 'ann_author';
select matches(pg_temp.refusal($$select mlops.retrain('ill')$$), '^42704 role "ann_author", whose query version 4 of model "ill" was trained on, does not exist', 'a role that has another name now');
select * from finish();
rollback;
