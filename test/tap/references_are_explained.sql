-- A reference that means nothing is an error that says what there is.
\ir include/begin.sql
\ir include/versions.sql
create function pg_temp.complaint(reference text) returns text language plpgsql as $$
declare
	message text; detail text; hint text;
begin
	perform mlops.predict(reference, a) from ask a;
	return 'none';
exception when others then
	get stacked diagnostics message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
	return sqlstate || ' ' || concat_ws(' | ', message, nullif(detail, ''), nullif(hint, ''));
end $$;
select plan(30);
select matches(pg_temp.complaint('nex'), '^42704 model "nex" does not exist.*"next"', 'a name that is nearly right');
select matches(pg_temp.complaint('something else'), '^42704 .*mlops.model', 'one that is not');
select matches(pg_temp.complaint('nowhere/next'), '^42704 project "nowhere" does not exist', 'a project that is none');
select matches(pg_temp.complaint(name || '/nix'), format('^42704 model "nix" does not exist in project "%s"', name), 'a project without such a model')
  from mlops.project where is_personal and owner_name = current_user;
select id as home from mlops.project where is_personal and owner_name = current_user \gset
select is(pg_temp.complaint(format('#%s/next@1', :home)), 'none', 'a project by its number');
select matches(pg_temp.complaint(format('#%s/nix', :home)), '^42704 model "nix" does not exist in project "#[0-9]+"', 'and no such model');
select matches(pg_temp.complaint('#99999/next'), '^42704 project "#99999" does not exist', 'no such number');
select matches(pg_temp.complaint('#' || repeat('9', 30) || '/next'), '^42704 project "#9+" does not exist', 'nor such a one');
select matches(pg_temp.complaint('#1x/next'), '^42704 project "#1x" does not exist', 'what is none');
select matches(pg_temp.complaint('next'), '^55000 model "next" is not deployed.*mlops.deploy\(''next''\).*''next@3''.*versions 1 to 3 exist', 'not deployed');
select matches(pg_temp.complaint('next@9'), '^42704 model "next" has no version 9.*versions 1 to 3 exist', 'a version that is none');
select matches(pg_temp.complaint('next@0'), '^42704 model "next" has no version 0', 'zero');
select matches(pg_temp.complaint('next@99999999999999999999'), '^42704 model "next" has no version 99999999999999999999', 'a large one');
select is(pg_temp.complaint('next@01'), 'none', 'a version is a number');
select matches(pg_temp.complaint('next@champion'), '^42704 model "next" has no alias "champion".*has no aliases', 'an alias that is none');
select mlops.set_alias('next', 'champion', 1);
select matches(pg_temp.complaint('next@champoin'), '^42704 .*"champoin".*are champion.*"champion"', 'nearly one');
select mlops.drop_model('next', 2);
select matches(pg_temp.complaint('next@2'), '^42704 .*versions 1, 3 exist', 'versions with a gap');
select mlops.drop_alias('next', 'champion');
select mlops.drop_model('next', 3);
select matches(pg_temp.complaint('next@3'), '^42704 .*version 1 exists', 'one version');
select matches(pg_temp.complaint(''), '^22023 .*names no model', 'nothing');
select matches(pg_temp.complaint('@1'), '^22023 .*names no model', 'a version of nothing');
select matches(pg_temp.complaint('next@'), '^22023 .*nothing follows', 'an open end');
select matches(pg_temp.complaint('/next'), '^22023', 'a project without name');
select matches(pg_temp.complaint('a/b/c'), '^22023 .*more than one', 'two projects');
select matches(pg_temp.complaint('next@1@2'), '^22023 .*more than one', 'two versions');
select matches(pg_temp.complaint('a@b/c'), '^22023', 'all mixed up');
select matches(pg_temp.complaint(repeat('x', 100000)), '^42704', 'a very long name');
select throws_ok($$select mlops.resolve_model('next@1', 'model')$$, '22023', null, 'a version where a model is meant');
select throws_ok($$select mlops.resolve_model('next', 'first')$$, '22023', null, 'an unknown meaning of bare names');
select throws_ok($$select mlops.resolve_model('next', 'model', 'fly')$$, '22023', null, 'an unknown right');
select results_eq($$select version, bare from unnest('{newest,model}'::text[]) bare, mlops.resolve_model('next', bare) order by bare$$,
				  $$values (null::int, 'model'), (1, 'newest')$$, 'what bare names can stand for');
select * from finish();
rollback;
