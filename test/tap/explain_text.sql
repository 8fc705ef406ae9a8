-- explain_text(): three lines that need no training to be read.
\ir include/begin.sql
create table loan as
select i as id, 1000 * (i % 60) as income, i % 7 as late, case when i % 9 > 0 then (array['rent', 'own'])[i % 2 + 1] end as home, 1990 + i % 30 as since,
	   case when 1000 * (i % 60) - 6000 * (i % 7) > 10000 then 'repaid' else 'failed' end as outcome, 3 * (i % 60) - 5 * (i % 7) as score, i % 3 as grade
  from generate_series(1, 2000) i;
do $$
begin
	perform mlops.train('outcome', 'loan', 'outcome', features => '{income,late,home,since}', params => '{"n_estimators": 20}'),
			mlops.train('forest', 'loan', 'outcome', 'random_forest', features => '{income,late,home,since}', params => '{"n_estimators": 20}'),
			mlops.train('score', 'loan', 'score', 'linear_regression', features => '{income,late}'),
			mlops.train('grade', 'loan', 'grade', features => '{income,late}', params => '{"n_estimators": 3}'),
			mlops.train('nothing', 'loan', 'score', 'baseline', features => '{income}');
end
$$;
create function pg_temp.line(model text, id int, line int) returns text language sql as $$
	select split_part(mlops.explain_text(model || '@1', l), e'\n', line) from loan l where l.id = line.id $$;
create table torn as select i as id, (array[e'a\nb', e'c\td'])[i % 2 + 1] as u&"two\000Alines", i % 2 || e'\nclass' as outcome from generate_series(1, 100) i;
select mlops.train('torn', 'torn', 'outcome', 'logistic_regression', exclude => '{id}');
select plan(14);
select is((select array_length(string_to_array(mlops.explain_text(model || '@1', l), e'\n'), 1) from loan l where id = 55), 3, model || ': three lines')
  from unnest('{outcome,forest,score,grade,nothing}'::text[]) model;
select matches(pg_temp.line('outcome', 56, 1), '^Predicted: repaid, with a probability of 9[0-9]\.[0-9] %\.$', 'what is predicted');
select matches(pg_temp.line('outcome', 56, 2), '^Most towards repaid: income = 56,000 \(odds x [0-9.]+\), late = 0 \(odds x [0-9.]+\)', 'what speaks for it, with thousands in groups');
select matches(pg_temp.line('outcome', 13, 2), '^Most towards failed: .*late = 6 \(odds x ', 'of the other class, for it');
select matches(pg_temp.line('forest', 56, 2), '^Most towards repaid: income = 56,000 \(\+[0-9.]+ points\)', 'a forest counts points of probability');
select matches(pg_temp.line('score', 56, 1), '^Predicted: 168; without any of these values: [0-9.]+\.$', 'a value, and the one without');
select matches(pg_temp.line('score', 56, 2), '^Raised most by income = 56,000 \(\+[0-9.]+\), late = 0 \(\+[0-9.]+\)\.$', 'what raises it');
select matches(pg_temp.line('score', 56, 3), '^Nothing lowers it\.$', 'and nothing lowers it');
select matches((select mlops.explain_text('torn@1', t) from torn t where id = 2), '^Predicted: 0 class, .*\nMost towards 0 class: two lines = a b .*\n[^\n]*$', 'texts keep to their line');
select is((select mlops.explain_text('outcome@1', null::loan)), null, 'no row, no text');
select * from finish();
rollback;
