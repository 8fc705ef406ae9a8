-- Model next with versions 1, 2, 3 that answer 1, 2, 3 whatever they are asked: predict() shows which version answers.  None is deployed.
create table ask as select 0.0::float8 as nothing;
create table lesson as select n as answer, i as row, i::float8 as nothing from generate_series(1, 3) n, generate_series(-1, 1) i;
do $$
begin
	for n in 1 .. 3 loop
		perform mlops.train('next', format('select answer + row * 1e-9 as answer, nothing from lesson where answer = %s', n), 'answer', 'baseline', split => '{"test": 0}');
	end loop;
end
$$;
create function pg_temp.answer(reference text default 'next') returns int language plpgsql as
	$$ begin return (select round(mlops.predict(reference, a)) from ask a); end $$;
