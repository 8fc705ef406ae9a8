-- tree_text(): one tree as indented text.
\ir include/begin.sql
\ir include/refusal.sql
create table fruit as select i as id, i % 2 = 0 as ripe, (array['apple', 'fig', 'o''plum'])[i % 3 + 1] as name, 10 * (i % 2) + i % 3 / 2 * 3 as price from generate_series(1, 600) i;
select mlops.train('fruit', 'fruit', 'price', task => 'regression', features => '{ripe,name}', params => '{"n_estimators": 2, "max_depth": 2, "learning_rate": 1, "reg_lambda": 0}',
				   split => '{"test": 0}');
select mlops.train('codes', 'select ''k'' || n as k, (n % 3 / 2) + 0.0 as y from (select i % 30 as n from generate_series(1, 3000) i) s', 'y',
				   params => '{"n_estimators": 1, "max_depth": 1}');
select mlops.train('texts', 'select (array[''a'', ''b''])[1 + i % 2] || repeat(''x'', 100) as k, i % 2 + 0.0 as y from generate_series(1, 300) i', 'y',
				   params => '{"n_estimators": 1, "max_depth": 1}');
select plan(10);
select is(mlops.tree_text('fruit@1'), 'tree 1 of 2; the score begins at 6
ripe = false   (missing: yes, gain 15000, cover 600)
├─ yes: name in (''o''''plum'')   (missing: no, gain 600, cover 300)
│  ├─ yes: 7   (cover 100)
│  └─ no: 4   (cover 200)
└─ no: name in (''o''''plum'')   (missing: no, gain 600, cover 300)
   ├─ yes: -3   (cover 100)
   └─ no: -6   (cover 200)
', 'a tree with its conditions, gains and leaves');
select is(mlops.tree_text('fruit@1', 1, 1), 'tree 1 of 2; the score begins at 6
ripe = false   (missing: yes, gain 15000, cover 600)
├─ yes: ...
└─ no: ...
', 'down to a depth');
select is(mlops.tree_text('fruit@1', max_depth => 0), E'tree 1 of 2; the score begins at 6\n...\n', 'of nothing, if asked so');
select is((select count(*) from mlops.trees('fruit@1') where tree = 2), (select count(*) - 2 from regexp_split_to_table(mlops.tree_text('fruit@1', 2), '\n')), 'a line a node');
select matches(pg_temp.refusal($$select mlops.tree_text('fruit@1', 3)$$), '^22023 there is no tree 3 \| The model has 2 trees', 'a tree that there is not');
select matches(pg_temp.refusal($$select mlops.tree_text('fruit@1', 0)$$), '^22023 there is no tree 0', 'trees are numbered from 1');
select matches(pg_temp.refusal($$select mlops.tree_text('fruit@1', 1, -1)$$), '^22023 max_depth', 'a depth below 0');
select matches(mlops.tree_text('codes@1'), e'\nk (not )?in \\((''[^'']+'', ){7}''[^'']+'' and 2 more\\) ', 'a long list is cut, and the shorter one is shown');
select matches(mlops.tree_text('texts@1'), '(''[ab]x{39}\.\.\.'')', 'so is a long text');
select is(mlops.tree_text('fruit@1', null), null, 'NULL has no drawing');
select * from finish();
rollback;
