-- timeline(): what happened to a model, in order.
\ir include/begin.sql
\ir include/registry.sql
\ir include/monitor.sql
select plan(5);
select mlops.deploy('diagnosis', 1);
select mlops.deploy('diagnosis', 2);
select mlops.rollback('diagnosis');
select pg_temp.window(1, 'alert');
set local role olga_operator;
select mlops.acknowledge_alert(alert_id, 'I look') from mlops.alert;
select mlops.set_alias('diagnosis', 'champion', 1);
insert into mlops.finding (project_id, model_id, title) select project_id, id, 'age is in months' from mlops.model;
update mlops.finding set state = 'resolved', resolution = 'in years again';
reset role;
select bag_eq($$select event from mlops.timeline('diagnosis')$$,
	$$values ('trained'), ('trained'), ('trained'), ('monitor'), ('deployed'), ('deployed'), ('rolled back'), ('alert'), ('acknowledged'), ('alias'), ('finding'), ('resolved'), ('compared'),
	  ('review'), ('approved'), ('revoked')$$,
	'all of it');
select is((select array_agg(at order by at) from mlops.timeline('diagnosis')), (select array_agg(at) from mlops.timeline('diagnosis')), 'in order');
select is((select detail from mlops.timeline('diagnosis') where event = 'acknowledged'), (select format('alert %s by olga_operator: I look', alert_id) from mlops.alert), 'in words');
set local role vera_viewer;
select is((select count(*) from mlops.timeline('diagnosis')), 16::bigint, 'for a viewer, too');
set local role sten_stranger;
select throws_ok($$select * from mlops.timeline('diagnosis')$$, '42704', null, 'not for a stranger');
select * from finish();
rollback;
