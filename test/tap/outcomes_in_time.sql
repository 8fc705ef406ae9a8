-- Labels come late, again, and corrected: each is kept with its times, and a prediction has the one that came first behind it, as it was said last.
\ir include/begin.sql
create table house as
	select i as id, i * 37 % 101 as area, i * 37 % 101 * 2.5 as price from generate_series(1, 100) i;
select mlops.train('price', 'house', 'price', exclude => '{id}', algorithm => 'linear_regression');
select mlops.deploy('price', capture => '{"mode": "transaction"}');
select plan(13);
create function pg_temp.predict_at(clock timestamptz, entity text) returns bigint language plpgsql as $$
declare
	id bigint;
begin
	perform set_config('mlops.now', clock::text, true);
	select s.prediction_id into id from house h, mlops.score('price', entity, h) s where h.id = 1;
	return id;
end
$$;
create function pg_temp.outcome(id bigint) returns text language sql as $$ select c.outcome from mlops.captured c where c.prediction_id = id $$;
select pg_temp.predict_at('2031-03-01 10:00+00', 'a') as first \gset
select pg_temp.predict_at('2031-03-05 10:00+00', 'a') as second \gset
select pg_temp.predict_at('2031-03-05 11:00+00', 'b') as other \gset

select mlops.record_outcome('price', 'a', '2031-02-28 10:00+00', 'before');
select is(pg_temp.outcome(:first), null, 'a label from before a prediction is not its outcome');
select mlops.record_outcome('price', 'a', '2031-03-09 10:00+00', 'second');
select is(pg_temp.outcome(:first) || ', ' || pg_temp.outcome(:second), 'second, second', 'one from behind is, of all since the one before');
select mlops.record_outcome('price', 'a', '2031-03-02 10:00+00', 'first');
select is(pg_temp.outcome(:first) || ', ' || pg_temp.outcome(:second), 'first, second', 'a label that comes late takes the place that is its own');
select mlops.record_outcome('price', 'a', '2031-03-02 10:00+00', 'first');
select is((select count(*) from mlops.outcome where value = 'first'), 2::bigint, 'what is said again is kept');
select is((select count(*) from mlops.captured), 3::bigint, 'and is no second row');
select mlops.record_outcome('price', 'a', '2031-03-02 10:00+00', 'corrected');
select is(pg_temp.outcome(:first) || ', ' || pg_temp.outcome(:second), 'corrected, second', 'a correction holds');
select is((select string_agg(value, ' ' order by id) from mlops.outcome where observed_at = '2031-03-02 10:00+00'), 'first first corrected', 'beside what it corrects');
select mlops.record_outcome(:second, 'of this one');
select is(pg_temp.outcome(:second), 'of this one', 'that of the prediction itself comes before those of its entity');
select mlops.record_outcome(:second, 'of this one, after all');
select is(pg_temp.outcome(:second), 'of this one, after all', 'and is corrected, too');
select is(pg_temp.outcome(:other), null, 'others have none');
select is((select bool_and(recorded_at > now() - interval '1 hour' and observed_at is not null) from mlops.outcome), true, 'each has the time it was so, and the time it was written');
select is((select string_agg(to_char(day at time zone 'UTC', 'YYYY-MM-DD') || ' ' || captured || ' ' || labelled || ' ' || coverage, ', ' order by day) from mlops.outcome_coverage),
		  '2031-03-01 1 1 1, 2031-03-05 2 1 0.5', 'coverage is by day');
insert into mlops.outcome (model_id, entity_key, value, observed_at) select m.id, 'b', 'bulk', '2031-03-06' from mlops.model m;
select is(pg_temp.outcome(:other), 'bulk', 'outcomes come by INSERT, too');
select * from finish();
rollback;
