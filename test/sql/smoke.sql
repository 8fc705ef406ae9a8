-- The main job in small: what an installation must be able to do.  Real accuracy is tested elsewhere.
set client_min_messages = warning;

create table house as
	select n as id, (n * 37 % 101)::float8 as area, n * 53 % 13 as rooms,
		   case n % 3 when 0 then 'north' when 1 then 'south' end as side,
		   (n * 37 % 101) * 2.5 + (n * 53 % 13) * 7.0 as price,
		   case when (n * 37 % 101) > 60 then 'large' else 'small' end as size
	  from generate_series(1, 500) n;

-- projects and training
select mlops.create_project('smoke') is not null as made;
select version, algorithm, task, (metrics ->> 'r2')::float8 > 0.95 as good
  from mlops.train('price', 'house', 'price', project => 'smoke', exclude => '{id,size}');
select version, algorithm, task, (metrics ->> 'r2')::float8 > 0.95 as good
  from mlops.train('price', 'house', 'price', algorithm => 'linear_regression', exclude => '{id,size}');
select version, algorithm, task, (metrics ->> 'roc_auc')::float8 > 0.95 as good
  from mlops.train('size', 'select area, rooms, side, size from house', 'size', project => 'smoke');
select metric from mlops.evaluate('price@1') where metric !~ '^baseline_' order by metric collate "C";

-- deploying and predicting
select mlops.predict('price', h) from house h where id = 1;
select mlops.deploy('price', 2) is not null as deployed;
select id, price, round(mlops.predict('price', h)::numeric, 1) as predicted from house h where id <= 3 order by id;
select mlops.predict('price', h) = mlops.predict('price', to_jsonb(h)) as jsonb_too,
	   mlops.predict('price', h) = mlops.predict('price@2', h) as version_too
  from house h where id = 1;
select mlops.deploy('size') is not null as deployed;
select id, size, mlops.predict_class('size', h), mlops.predict_proba('size', h, 'large') > 0.5 as likely_large from house h where id <= 3 order by id;
select mlops.predict('size', h) from house h where id = 1;

-- versions, aliases, history
select mlops.deploy('price', 1) is not null as deployed;
select version from mlops.rollback('price');
select mlops.deployed_at('price', clock_timestamp());
select mlops.set_alias('price', 'champion', 1);
select round(mlops.predict('price@champion', h)::numeric) = round(mlops.predict('price@1', h)::numeric) as same from house h where id = 1;
select mlops.drop_model('price', 1);
select mlops.drop_model('price');
select mlops.drop_alias('price', 'champion');
select mlops.undeploy('price');
select mlops.drop_model('price');
select count(*) from mlops.model where name = 'price';

-- moving
create table shelf as select mlops.export_model('size') as model;
select mlops.import_model('copy', model, project => 'smoke') is not null as imported from shelf;
select bool_and(mlops.predict_proba('copy@1', h) = mlops.predict_proba('size', h)) as same from house h;

-- refusals
select mlops.train('t', 'house', 'prize');
select mlops.train('t', 'house', 'price', algorithm => 'linear_regression', params => '{"reg_lamda": 3}');
select mlops.predict('siez', h) from house h;
update mlops.model_version set version = 7;
