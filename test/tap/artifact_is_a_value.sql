-- mlops.artifact: whatever form a model takes, it is the same bytes and the same answers.
\ir include/begin.sql
\ir include/trained.sql
create table shelf (name text, model mlops.artifact);
insert into shelf select name, mlops.export_model(name) from unnest('{price,sold,grade,mood}'::text[]) name;
create function pg_temp.binary_copy() returns void language plpgsql as $$
declare
	file constant text := current_setting('data_directory') || '/mlops_artifact.copy';
begin
	execute format('copy shelf to %L (format binary)', file);
	create temporary table returned (name text, model mlops.artifact);
	execute format('copy returned from %L (format binary)', file);
end $$;
select plan(10);
select bag_eq($$select name, model::text::mlops.artifact::bytea from shelf$$, $$select name, model::bytea from shelf$$, 'through text');
select bag_eq($$select name, model::bytea::mlops.artifact::text from shelf$$, $$select name, model::text from shelf$$, 'through bytea');
select lives_ok($$select pg_temp.binary_copy()$$, 'through COPY BINARY');
select bag_eq($$select name, model::bytea from returned$$, $$select name, model::bytea from shelf$$, 'the same bytes');
select is(encode(substring(model::bytea, 1, 4), 'escape'), 'MLOP', 'the bytes begin with a mark') from shelf where name = 'price';
select is(sha256(s.model::bytea), v.sha256, 'and their hash is the version''s')
  from shelf s join mlops.model m using (name) join mlops.model_version v on v.model_id = m.id where name = 'mood';
select results_eq($$select mlops.predict(s.model, t) from shelf s, thing t where s.name = 'price' order by t.id$$,
				  $$select mlops.predict('price', t) from thing t order by t.id$$, 'a value answers as the registry does');
select results_eq($$select mlops.predict_class(s.model, to_jsonb(t)) from shelf s, thing t where s.name <> 'price' order by s.name, t.id$$,
				  $$select mlops.predict_class(s.name, t) from shelf s, thing t where s.name <> 'price' order by s.name, t.id$$,
				  'also several in one query');
select results_eq($$select mlops.predict(m, t) from (select mlops.export_model('price') as m offset 0) s, thing t order by t.id$$,
				  $$select mlops.predict('price', t) from thing t order by t.id$$, 'and one that no table holds');
select is(mlops.predict(null::mlops.artifact, t), null, 'NULL has no answer') from thing t where id = 1;
select * from finish();
rollback;
