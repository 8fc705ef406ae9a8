-- trees(): a version's trees, node by node, say what predict() does.
\ir include/begin.sql
\ir include/refusal.sql
create table fruit as
select i as id, (i * 37 % 101)::real / 10 as weight, (array['apple', 'fig', 'plum', 'pear'])[i % 4 + 1] as name, date '2024-01-01' + i * 17 % 90 as day,
	   case when i % 9 > 0 then i * 7 % 19 end as age, i % 3 = 0 as ripe, (i * 37 % 101) + (i % 4) * 20 + (i * 7 % 19) as price
  from generate_series(1, 600) i;
select mlops.train('fruit', 'fruit', 'price', task => 'regression', features => '{weight,name,day,age,ripe}', params => '{"n_estimators": 5, "max_depth": 3}');
select mlops.train('sort', 'fruit', 'name', features => '{weight,age}', params => '{"n_estimators": 2, "max_depth": 2}');
select mlops.train('line', 'fruit', 'price', 'linear_regression', features => '{weight,name}');
select plan(10);
select is((select count(distinct tree) from mlops.trees('fruit@1')), 5::bigint, 'every tree');
select is((select count(*) from mlops.trees('fruit@1') where node = 1 and parent is null and branch is null and depth = 0), 5::bigint, 'each with a root');
select is_empty($$select from mlops.trees('fruit@1') n where (condition is null) <> (value is not null) or (gain is null) <> (value is not null)$$,
				'a node splits or answers');
select is_empty($$select n.tree, n.node from mlops.trees('fruit@1') n left join mlops.trees('fruit@1') c on c.tree = n.tree and c.parent = n.node and c.depth = n.depth + 1
				  group by n.tree, n.node, n.condition having count(c.node) filter (where c.branch = 'yes') <> (n.condition is not null)::int or count(c.node) <> 2 * (n.condition is not null)::int$$,
				'a split has a branch for yes and one for no');

-- Walk the trees: each condition is run on the row as it is written, dates in quotes; where it gives NULL, the row takes the branch of missing.
create table node as select * from mlops.trees('fruit@1');
create function pg_temp.walk(f fruit) returns double precision language plpgsql as $$
declare
	n node;
	holds boolean;
	score double precision := substring(mlops.tree_text('fruit@1', 1) from 'begins at (\S+)');
begin
	for t in 1 .. 5 loop
		select * into n from node where tree = t and parent is null;
		while n.value is null loop
			execute format('select %s from (select ($1).*) as f', regexp_replace(n.condition, '(\d{4}-\d\d-\d\d)', '''\1''')) into holds using f;
			select c.* into n from node c where c.tree = t and c.parent = n.node and c.branch = case holds when true then 'yes' when false then 'no' else n.missing end;
		end loop;
		score := score + n.value;
	end loop;
	return score;
end
$$;
select is((select count(*) from fruit f where abs(pg_temp.walk(f) - mlops.predict('fruit@1', f)) > 1e-9), 0::bigint, 'conditions and values give what predict() gives');
select ok(exists (select from node where missing = 'yes') and exists (select from node where missing = 'no') and exists (select from node where feature = 'name')
		  and exists (select from node where feature = 'weight') and exists (select from fruit where age is null), 'on rows and trees that try all of it');
select results_eq($$select tree, class from mlops.trees('sort@1') where node = 1$$,
				  $$values (1, 'apple'), (2, 'fig'), (3, 'pear'), (4, 'plum'), (5, 'apple'), (6, 'fig'), (7, 'pear'), (8, 'plum')$$, 'with several classes, each tree is for one');
select matches(pg_temp.refusal($$select * from mlops.trees('line@1')$$), '^0A000 .*linear_regression.*coefficients', 'a linear model has none');
select matches(pg_temp.refusal($$select * from mlops.trees('fruit')$$), '^55000 ', 'a bare name means the live version');
select is_empty($$select * from mlops.trees(null)$$, 'NULL has none');
select * from finish();
rollback;
