-- How often windows without a change alert, and those with one: 20 features, 20,000 rows of reference, windows of 350 rows drawn from it.
-- The rule over 1,000 windows is counted here in one query, and over some of them as monitors compute it.
\ir include/begin.sql
select setseed(0.42);
set local timezone = 'UTC';
create table learned as select i, random() < 0.5 as y from generate_series(1, 20000) i;
select format('alter table learned add f%s float8 default sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())', n) from generate_series(1, 20) n \gexec
create table later as
select timestamptz '2024-01-01' + p.w * interval '1 hour' + p.n * interval '10 seconds' as at, p.w, l.*
  from (select w, n, 1 + floor(random() * 20000)::int as pick from generate_series(1, 1000) w, generate_series(0, 349) n) p join learned l on l.i = p.pick;
select from mlops.train('sim', 'learned', 'y', 'logistic_regression', exclude => '{i}');
select format('insert into mlops.reference_profile (model_id, version, role, name, rows, profile)
			   select m.id, 1, ''feature'', ''f%1$s'', count(*), mlops.profile(f%1$s) from learned l, mlops.model m group by m.id on conflict do nothing', n)
  from generate_series(1, 20) n \gexec
insert into mlops.reference_profile (model_id, version, role, name, rows, profile)
select m.id, 1, 'prediction', 'prediction', count(*), mlops.profile(mlops.predict_proba('sim@1', l)) from learned l, mlops.model m where i % 5 = 0 group by m.id on conflict do nothing;
insert into mlops.reference_profile (model_id, version, role, name, rows, profile)
select m.id, 1, 'prediction', 'class', count(*), mlops.profile(mlops.predict_class('sim@1', l)) from learned l, mlops.model m where i % 5 = 0 group by m.id on conflict do nothing;
select plan(7);

-- how many of these windows have a feature that is past threshold and noise floor, and whose p is at most .05 among 20
create function pg_temp.alerting(windows text) returns bigint language plpgsql as $$
declare
	profiles text := (select string_agg(format('mlops.profile(f%s)', n), ', ' order by n) from generate_series(1, 20) n);
	alerting bigint;
begin
	execute format(
		'with p as materialized (select w, count(*) as rows, array[%s]::mlops.distribution[] as profiles from (%s) v group by w),'
		' r as materialized (select substr(name, 2)::bigint as n, profile, mlops.cell_counts(profile, profile) as counts'
		' from mlops.reference_profile where role = ''feature''),'
		' c as materialized (select p.w, p.rows, u.n, mlops.compare_cells(r.counts, mlops.cell_counts(r.profile, u.profile)) as c'
		' from p, unnest(p.profiles) with ordinality u (profile, n) join r using (n)),'
		' a as (select w, mlops.adjust_p(array_agg((c).p_value order by n)) as p from c group by w)'
		' select count(distinct w) from c join a using (w)'
		' where (c).psi >= 0.1 and (c).psi >= mlops.noise_floor((c).cells, 20000, rows) and a.p[n] <= 0.05', profiles, windows) into alerting;
	return alerting;
end
$$;
select cmp_ok(pg_temp.alerting('select * from later'), '<=', 10::bigint, 'at most one window of a hundred alerts where nothing changed');
select cmp_ok(pg_temp.alerting($$select w / 14 as w, f1 + 0.4 as f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20
	from later where w between 14 and 713$$), '>=', 48::bigint, 'of 50 windows of 4,900 rows with a shift of .4 sigma in one feature at least 48 do');
select is(pg_temp.alerting($$select w / 14 as w, f1 + 0.2 as f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20
	from later where w between 14 and 713$$), 0::bigint, 'of .2 sigma, which is below the threshold, none');

-- as monitors compute it: all kinds together
create temporary table made as select mlops.create_monitor('sim', 'hourly', source => 'later', at => 'at', outcome => 'y', window_size => '1 hour', schedule => null) as id;
create temporary table run as select r.* from made, mlops.run_monitor(made.id, '2024-01-02 00:00', '2024-01-02 06:00') r;
select is((select count(distinct period) from run), 6::bigint, 'six windows');
select is((select string_agg(format('%s %s %s %s', period, kind, feature, metric), ', ') from run where verdict = 'alert'), null, 'without an alert');
select is((select count(*) from run where kind = 'drift' and feature is not null and verdict = 'ok'), 120::bigint, 'of which all are large enough');
update later set f7 = f7 + 0.4;
select ok((select verdict = 'alert' and value between 0.1 and 0.3 from made, mlops.run_monitor(made.id, '2024-01-02 00:00', '2024-01-02 01:00') r where lower(period) = '2024-01-02' and feature = 'f7' and kind = 'drift')
		  is not null, 'a shift is measured in windows of 350 rows, too');
select * from finish();
rollback;
