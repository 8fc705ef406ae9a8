-- Profiles by segment: of columns that are features, and of columns that are nothing else; and what segments do not change.
\ir include/begin.sql
set client_min_messages = error;
create table visit as
select i, (i * 7919 % 997) / 10.0::float8 as score, case when i % 11 = 0 then null else (array['north', 'south', 'west'])[1 + i % 3] end as region,
	   i % 7 = 0 as urgent, i % 70 as ward, i % 50 + i % 7 as cost, 'visit ' || i as note, case when i % 9 = 0 then null else i % 50 + i % 7 end as partly
  from generate_series(1, 3000) i;
create temp view frozen as select m.name as model, v.version, p.role, p.name, p.segment, p.rows, p.profile
  from mlops.reference_profile p join mlops.model_version v using (model_id, version) join mlops.model m on m.id = p.model_id;

select no_plan();
select version from mlops.train('cost', 'visit', 'cost', algorithm => 'linear_regression', features => '{i, score, urgent}',
								split => '{"segments": ["region", "urgent", "ward"]}');
select set_eq($$select distinct segment from frozen where model = 'cost' and segment not like 'ward=%'$$,
			  $$values (''), ('region=north'), ('region=south'), ('region=west'), ('region=NULL'), ('urgent=true'), ('urgent=false')$$, 'segments, NULL among them');
select is((select count(distinct segment) from frozen where model = 'cost' and segment like 'ward=%'), 50::bigint, 'of many values the 50 most frequent');
select is_empty($$
	select f.name, f.segment from frozen f
	  join (select 'region=' || coalesce(region, 'NULL') as segment, mlops.profile(score) as score, mlops.profile(urgent) as urgent, mlops.profile(cost) as cost from visit group by 1
			union all select 'urgent=' || urgent, mlops.profile(score), mlops.profile(urgent), mlops.profile(cost) from visit group by urgent
			union all select 'ward=' || ward, mlops.profile(score), mlops.profile(urgent), mlops.profile(cost) from visit group by ward) c using (segment)
	 where f.model = 'cost' and f.name in ('score', 'urgent', 'cost')
	   and mlops.cell_counts(f.profile, f.profile) <> mlops.cell_counts(f.profile, case f.name when 'score' then c.score when 'urgent' then c.urgent else c.cost end)
$$, 'each is what SQL says of its rows');
select is((select sum(rows)::bigint from frozen where model = 'cost' and role = 'prediction' and segment like 'region=%'), 600::bigint, 'answers are by segment, too');
select is_empty($$select from frozen where name in ('region', 'ward')$$, 'what is nothing else has no profile');
select version from mlops.train('cost', 'visit', 'cost', algorithm => 'linear_regression', features => '{i, score, urgent}');
select is(a.sha256, b.sha256, 'segments change neither the split nor the model')
  from mlops.model_version a, mlops.model_version b where a.version = 1 and b.version = 2;
select is((select c ->> 'role' from mlops.snapshot, jsonb_array_elements(columns) c where c ->> 'name' = 'region'), 'segment', 'the snapshot says what the column was read for');
select version from mlops.train('some', 'visit', 'partly', algorithm => 'linear_regression', features => '{score}', split => '{"segments": ["region"]}');
select results_eq($$select segment, rows from frozen where model = 'some' and name = 'score' and segment <> '' order by 1$$,
				  $$select 'region=' || coalesce(region, 'NULL'), count(partly) from visit group by 1 order by 1$$, 'rows that were dropped are in no segment');
select throws_ok($$select mlops.train('x', 'visit', 'cost', split => '{"segments": ["regoin"]}')$$, '42703', null, 'an unknown column');
select throws_ok($$select mlops.train('x', 'visit', 'cost', split => '{"segments": ["score"]}')$$, '42804', null, 'a column of no type of segments');
select throws_ok($$select mlops.train('x', 'visit', 'cost', split => '{"segments": "region"}')$$, '22023', null, 'no array');
select throws_ok($$select mlops.train('x', 'visit', 'cost', split => '{"segments": [1]}')$$, '22023', null, 'no names');

-- Principal components of the numbers of the sample.
create temp table components as
select content from mlops.reference_model r join mlops.model m on m.id = r.model_id where m.name = 'cost' and r.version = 1 and r.kind = 'components';
select is((select content -> 'columns' from components), '["i", "score", "urgent"]'::jsonb, 'components of the numbers');
select ok(abs(sum(c.v::float8 ^ 2) - 1) < 1e-9, 'of length 1') from components, jsonb_array_elements(content -> 'components') k, jsonb_array_elements_text(k) c (v) group by k;
create temp table centred as
select r.n, c.place, ((r.features ->> c.name)::numeric::float8 - (content -> 'mean' ->> (c.place - 1)::integer)::float8) / (content -> 'scale' ->> (c.place - 1)::integer)::float8 as z, content
  from components, jsonb_array_elements_text(content -> 'columns') with ordinality c (name, place),
	   (select row_number() over () as n, features || jsonb_build_object('urgent', (features ->> 'urgent')::boolean::integer) as features
		  from mlops.reference_rows((select id from mlops.model where name = 'cost'), 1)) r;
select is_empty('select place from centred group by place having abs(avg(z)) > 1e-9 or abs(stddev_pop(z) - 1) > 1e-9', 'mean and scale are the sample''s');
with score as (select c.n, k.place, sum(c.z * (k.vector ->> (c.place - 1)::integer)::float8) as s
				 from centred c, jsonb_array_elements(c.content -> 'components') with ordinality k (vector, place) group by 1, 2),
	 error as (select c.n, sqrt(greatest(sum(z ^ 2) - (select sum(s ^ 2) from score s where s.n = c.n), 0)) as e from centred c group by c.n)
select ok(abs(avg(e) - (content ->> 'error_mean')::float8) < 1e-9 and abs(stddev_samp(e) - (content ->> 'error_sd')::float8) < 1e-9, 'errors are the distances from the plane')
  from error, components group by content;
select * from finish();
rollback;
