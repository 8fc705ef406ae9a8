-- create_monitor(): what it refuses and why, whose it is, its job; drop_monitor().
\ir include/begin.sql
\ir include/refusal.sql
\ir include/watched.sql
select plan(44);
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', null)$$), '^22023 argument "name" of mlops.create_monitor\(\) must not be NULL', 'no name');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', '')$$), '^42602 ', 'an empty name');
select matches(pg_temp.refusal($$select mlops.create_monitor('riks', 'm')$$), '^42704 .*"risk"', 'an unknown model');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk@1', 'm')$$), '^22023 |^42', 'a version');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'trades', at => 'at')$$), '^42P01 .*"trade"', 'an unknown source');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'trade')$$), '^22023 .*"at"', 'a source without a time');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'trade', at => 'att')$$), '^42703 .*"att".*"at"', 'an unknown time');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'trade', at => 'amount')$$), '^42804 .*"amount".*double precision', 'a time that is none');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'trade', at => 'at', outcome => 'scor')$$), '^42703 "outcome".*"score"', 'an unknown outcome');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'trade', at => 'at', prediction => 'p')$$), '^42703 "prediction"', 'an unknown prediction');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'select at, amount from trade', at => 'at')$$), '^42703 the model names column "region"', 'a feature that is missing');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', source => 'select at, amount, score from trade', at => 'at', prediction => 'score', features => '{amount}', schedule => null)$$),
			   '^accepted', 'which is not needed where predictions are there');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', at => 'at')$$), '^22023 .*there is none', 'columns without a source');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', features => '{amuont}')$$), '^22023 "features".*region, amount, kind, units.*"amount"', 'an unknown feature');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', features => '{amount,null}')$$), '^22023 .*NULL', 'no feature');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', segments => '{regoin}')$$), '^22023 "segments".*"region"', 'an unknown segment');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', metrics => '{drifts}')$$), '^22023 "metrics" names "drifts".*psi.*"drift"', 'an unknown kind');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', thresholds => '{"pis": 1}')$$), '^22023 "thresholds" names "pis".*psi.*"psi"', 'an unknown metric');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', thresholds => '{"psi": -1}')$$), '^22023 .*negative', 'less than nothing');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', thresholds => '{"psi": "high"}')$$), '^22023 .*number', 'no number');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', thresholds => '[1]')$$), '^22023 .*object', 'no object');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', preset => 'evidenly')$$), '^22023 .*evidently, nannyml, sagemaker, vertex, azure, domino.*"evidently"', 'an unknown preset');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', window_size => '1 month 2 days')$$), '^22023 .*window size', 'a month and days');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', window_size => '-1 day')$$), '^22023 .*window size', 'days before');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', min_rows => 0)$$), '^22023 min_rows is 0', 'no rows');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', delay => '-1 hour')$$), '^22023 .*delay', 'before the end');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', schedule => 'often')$$), '^22007 ', 'no schedule');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', reference => 'trainng')$$), '^42P01 ', 'no reference');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', reference => 'select amount from trade')$$), '^42703 the reference lacks column "region"', 'a reference without the features');
select is(pg_temp.refusal($$select mlops.create_monitor('risk', 'm3', features => '{amount}', reference => 'select amount from trade', schedule => null)$$), 'accepted', 'of which it needs those that are watched');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', features => '{}')$$), '^22023 argument "features" names nothing', 'no features to watch');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', metrics => '{}')$$), '^22023 argument "metrics" names nothing', 'no metrics');
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm', schedule => null)$$), '^42710 .*"m" already', 'a name that is taken');
create temporary table passing as select * from trade limit 10;
select matches(pg_temp.refusal($$select mlops.create_monitor('risk', 'm2', source => 'passing', at => 'at')$$), '^0A000 .*temporary', 'a table that is gone when the job runs');

-- the job
set local mlops.now = '2024-03-01 00:00+00';
create temporary table made as select mlops.create_monitor('risk', 'kept', source => 'trade', at => 'at', outcome => 'score', schedule => '2 hours') as id;
select is(j.kind || ' ' || j.args::text, format('monitor {"monitor": %s}', made.id), 'a job runs it') from made, mlops.monitor m join mlops.job j on j.id = m.job_id where m.id = made.id;
select is(j.next_run, '2024-03-01 02:00+00'::timestamptz, 'at first one interval later') from made, mlops.monitor m join mlops.job j on j.id = m.job_id where m.id = made.id;
select ok(m.source ~ 'FROM public.trade' and m.settings ? 'search_path', 'names are qualified, and settings kept') from made join mlops.monitor m on m.id = made.id;
select lives_ok($$select mlops.drop_monitor(id) from made$$);
select is((select count(*) from mlops.job where kind = 'monitor'), 0::bigint, 'it goes with its job');
select matches(pg_temp.refusal($$select mlops.run_monitor((select id from made))$$), '^42704 monitor \d+ does not exist', 'and is gone');

-- deploy() makes one
select is((select count(*) from mlops.monitor where name = 'default'), 0::bigint, 'a model that is not deployed has none of its own');
delete from mlops.monitor;
select lives_ok($$select mlops.deploy('risk')$$);
select is((select format('%s %s %s', m.name, coalesce(m.source, 'captures'), m.reference) from mlops.monitor m), 'default captures training', 'one that is has');
select mlops.undeploy('risk'), mlops.drop_model('risk');
select is((select count(*) from mlops.monitor) + (select count(*) from mlops.job where kind = 'monitor'), 0::bigint, 'which goes with the model, and its job, too');
select * from finish();
rollback;
