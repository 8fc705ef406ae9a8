-- An error lists only what its reader may see: a predictor, who does not see mlops.alias, is not told the aliases there are.
\ir include/begin.sql
\ir include/refusal.sql
\ir include/registry.sql
select mlops.set_alias('diagnosis', 'champion', 1);
select plan(2);
set local role vera_viewer;
select is(pg_temp.refusal($$select mlops.resolve_model('diagnosis@champio')$$),
		  '42704 model "diagnosis" has no alias "champio" | The aliases of this model are champion. | Perhaps you meant "champion".', 'a viewer is told');
set local role paul_predictor;
select is(pg_temp.refusal($$select mlops.resolve_model('diagnosis@champio')$$),
		  '42704 model "diagnosis" has no alias "champio" |  | ', 'a predictor is not');
select * from finish();
rollback;
