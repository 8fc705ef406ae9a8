-- Where the time of a training went is on record with its run.
\ir include/begin.sql
create table noted as select i as x, i % 2 = 0 as y from generate_series(1, 500) i;
select mlops.train('timed', 'noted', 'y');
select plan(3);
select set_eq($$select jsonb_object_keys(timing) from mlops.run$$,
			  $$values ('scan'), ('start'), ('hash'), ('order'), ('split'), ('levels'), ('profile'), ('freeze columns'), ('gather'), ('recipe'), ('fit'), ('evaluate'), ('freeze answers'), ('write')$$, 'every phase');
select is_empty($$select t.value from mlops.run, jsonb_each_text(timing) t where t.value::float8 < 0$$, 'in seconds');
select ok((select sum(t.value::float8) <= extract(epoch from finished_at - started_at)::float8 from mlops.run, jsonb_each_text(timing) t group by run.id), 'together no longer than the run');
select * from finish();
rollback;
