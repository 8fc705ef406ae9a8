-- Runs found by a condition on what is known of them, and anything by its words; both show what the caller may see.
\ir include/begin.sql
\ir include/registry.sql
select mlops.log_run('diagnosis', 'binary', 'diagnosis', 'mlp', '{"layers": 3, "act": "relu"}', '{"roc_auc": 0.97, "lift": null}', 'clinic') as mlp \gset
select mlops.log_run('diagnosis', 'binary', 'diagnosis', 'svm', '{"c": 0.5}', '{"roc_auc": 0.9}', 'clinic') as svm \gset
select mlops.log_tag(:svm, 'team', 'risk');
create function pg_temp.found(condition text) returns text language sql as
	$$ select string_agg(s.algorithm, ' ' order by s.run_id) from mlops.search(condition) s $$;
select plan(27);

set local role vera_viewer;
select is(pg_temp.found(condition), expected, condition)
  from (values ('roc_auc > 0.9', 'mlp'), ('roc_auc >= 0.9', 'mlp svm'), ('roc_auc > 0.8 and (algorithm = ''mlp'' or tag.team = ''risk'')', 'mlp svm'),
			   ('roc_auc > 0.9 or algorithm = ''svm''', 'mlp svm'), ('tag.team like ''r%''', 'svm'), ('tag.team is null and kind = ''reported''', 'mlp'),
			   ('param.layers = 3', 'mlp'), ('param.act in (''tanh'', ''relu'')', 'mlp'), ('lift is null', 'baseline mlp svm'), ('not kind = ''reported''', 'baseline'),
			   ('lift > 0 or not lift > 0', null), ('metric.roc_auc < 0.6', 'baseline'), ('project = ''clinic'' and experiment = ''first steps''', 'baseline'), ('nothing = 1', null))
	   q (condition, expected);
select throws_ok($$select * from mlops.search('roc_auc >')$$, '22023', null, 'what is no condition');
select throws_ok($$select * from mlops.search('roc_auc > 0; drop table x')$$, '22023', null, 'nor is a statement');
set local role paul_predictor;
select is_empty($$select from mlops.search('lift is null')$$, 'a predictor finds no run');
set local role sten_stranger;
select is_empty($$select from mlops.search('lift is null')$$, 'nor does a stranger');

set local role vera_viewer;
select mlops.add_comment('run ' || :mlp, 'a fluke of the seed, says the intern');
select is((select string_agg(split_part(object, ' ', 1), ' ' order by object) from mlops.find('malignant')), 'model project', 'words of a goal and of a card');
select is((select object from mlops.find('fluke')), 'run ' || :mlp, 'of a comment');
select is((select object from mlops.find('inches')), 'finding ' || (select max(id) from mlops.finding where title like '%inches'), 'of a finding');
select is((select object from mlops.find('risk')), 'run ' || :svm, 'of a tag');
select is((select count(*) from mlops.find('"seed fluke"')), 0::bigint, 'a phrase is a phrase');
select is((select count(*) from mlops.find('fluke -seed')), 0::bigint, 'what is excluded is not found');
select ok(bool_and(rank >= next), 'the best first') from (select rank, lead(rank, 1, 0::real) over () as next from mlops.find('diagnosis')) r;
set local role paul_predictor;
select is((select count(*) from mlops.find('fluke or inches or malignant')), 0::bigint, 'a predictor reads none of it');
set local role sten_stranger;
select is((select count(*) from mlops.find('fluke or inches or malignant or diagnosis or clinic')), 0::bigint, 'nor does a stranger');
select * from finish();
rollback;
