-- A profile that grows is a value at every row: in windows, in variables, beside other aggregates of the same column.
\ir include/begin.sql
select plan(7);
select is(array_agg(rows order by i), '{1,2,3,4,5}', 'a window''s frames')
  from (select i, (mlops.profile(i) over (order by i)::jsonb ->> 'rows')::int as rows from generate_series(1, 5) i) s;
select is(array_agg(rows order by i), '{1,2,2,2,2}', 'frames that move')
  from (select i, (mlops.profile(i) over (order by i rows 1 preceding)::jsonb ->> 'rows')::int as rows from generate_series(1, 5) i) s;
create function pg_temp.by_variables() returns text language plpgsql as $$
declare
	whole mlops.distribution;
	before mlops.distribution;
begin
	for i in 1 .. 300 loop
		whole := mlops.profile_count(whole, i);
		if i = 100 then
			before := whole;
		end if;
	end loop;
	return (before::jsonb ->> 'rows') || ' of ' || (whole::jsonb ->> 'rows') || ', rest ' || (mlops.subtract(whole, before)::jsonb ->> 'rows');
end $$;
select is(pg_temp.by_variables(), '100 of 300, rest 200', 'a variable keeps its value while another grows');
select is(mlops.psi(mlops.profile(i), mlops.profile(i)), 0::float8, 'the same state twice') from generate_series(1, 1000) i;
select is(mlops.profile(i) filter (where i > 500)::jsonb ->> 'min', '501', 'filtered') from generate_series(1, 1000) i;
set local enable_sort = off;
declare groups cursor for select i % 2, mlops.profile(sqrt(i)) from generate_series(1, 40000) i group by 1;
move 1 in groups;
select is(count(*), 2::bigint, 'two states of many values') from pg_backend_memory_contexts where name = 'mlops profile';
select ok(max(total_bytes) between 0.8 * aggtransspace and aggtransspace, 'the planner knows what one takes: ' || aggfnoid::regprocedure)
  from pg_aggregate, pg_backend_memory_contexts where aggfnoid = 'mlops.profile(anyelement)'::regprocedure and name = 'mlops profile' group by aggtransspace, aggfnoid;
close groups;
select * from finish();
rollback;
