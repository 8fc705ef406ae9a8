-- The stage of a version follows from the facts.
\ir include/begin.sql
\ir include/registry.sql
\ir include/governed.sql
select plan(15);
create function pg_temp.stages() returns text language sql as $$ select string_agg(stage, ' ' order by version) from mlops.version_stage where model = 'screening' $$;
select pg_temp.set_policy('{"checks": {"accurate": "roc_auc >= 0.9"}, "approvals": {"reviewer": 1}, "valid_for": "30 days"}') as policy;
select is(pg_temp.stages(), 'candidate candidate candidate candidate', 'all are candidates');
select mlops.request_review('screening', n) from generate_series(1, 2) n;
select is(pg_temp.stages(), 'in_review in_review candidate candidate', 'whose review is asked for');
select pg_temp.as_role('rita_reviewer', $$select mlops.approve('screening', 1), mlops.reject('screening', 2)$$) as decided;
select is(pg_temp.stages(), 'approved candidate candidate candidate', 'is approved, or is a candidate again');
select pg_temp.as_role('rob_reviewer', $$select mlops.reject('screening', 1)$$) as decided;
select is(pg_temp.stages(), 'candidate candidate candidate candidate', 'whatever one says, another may be in the way');
select pg_temp.as_role('rob_reviewer', $$select mlops.approve('screening', 1)$$) as decided;
select pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 1)$$) as deployed;
select is(pg_temp.stages(), 'live candidate candidate candidate', 'it goes live');
select mlops.request_review('screening', 4);
select pg_temp.as_role('rob_reviewer', $$select mlops.approve('screening', 4)$$) as decided;
select pg_temp.as_role('olga_operator', $$select mlops.deploy('screening', 4)$$) as deployed;
select is(pg_temp.stages(), 'archived candidate candidate live', 'and after the next one is archived');
select mlops.request_review('screening', 1);
select is(pg_temp.stages(), 'approved candidate candidate live', 'until somebody looks at it anew');
select pg_temp.set_policy('{"approvals": {"reviewer": 2}}') as policy;
select is(pg_temp.stages(), 'archived candidate candidate live', 'reviews end with their policy');
select mlops.request_review('screening', 1);
select is(pg_temp.stages(), 'in_review candidate candidate live', 'and begin anew');
select mlops.revoke('screening', 4, 'no');
select is(pg_temp.stages(), 'in_review candidate candidate revoked', 'revoked');
set local role vera_viewer;
select is(pg_temp.stages(), 'in_review candidate candidate revoked', 'a viewer sees it');
set local role paul_predictor;
select is(pg_temp.stages(), null, 'a predictor does not');
set local role sten_stranger;
select is(pg_temp.stages(), null, 'nor does a stranger');
select throws_ok($$select * from mlops.why_not('screening', 1)$$, '42704', null, 'who is told nothing');
set local role vera_viewer;
select throws_ok($$update mlops.version_stage set stage = 'approved'$$, null, null, 'nobody sets one');
reset role;
select * from finish();
rollback;
