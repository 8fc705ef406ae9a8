-- Which functions each level of access may call, as include/matrix.sql says; so does docs/security.md.
\ir include/begin.sql
\ir include/registry.sql
\ir include/levels.sql
\ir include/matrix.sql

create temporary view function as
select p.oid, p.proname as name, p.oid::regprocedure::text as signature, p.prosecdef as definer
  from pg_proc p where p.pronamespace = 'mlops'::regnamespace;

create temporary table expected as
select f.name, p.level, p.role, pg_temp.filled(f.call) as statement,
	   case when p.level = any (a.levels) then case f.refusal when 'nothing' then '{ok}'::text[] else '{ok,nothing}' end
			when f.refusal is not null then string_to_array(f.refusal, ' ')
			when p.level = any (v.levels) then '{42501}' else '{42704}' end as outcomes
  from matrix_function f join reach a on a.word = f.allowed left join reach v on v.word = f.visible cross join person p
 where f.call is not null;

select plan(6 + (select count(*)::integer from expected));
select is_empty('select signature from function where name not in (select name from matrix_function)', 'every function is in the matrix');
select is_empty('select name from matrix_function except select name from function', 'and each is there');
select is_empty($$select name from matrix_function where (allowed in ('everybody', 'nobody')) <> (call is null)
					 or allowed not in (select word from reach) or visible not in (select word from reach)$$, 'with a call, where it asks for a right');
select is_empty($$select f.signature from function f join matrix_function m on m.name = f.name
				   where m.allowed = 'nobody' and has_function_privilege('public', f.oid, 'execute')$$, 'what is only for the extension is granted to nobody');
select is_empty($$select f.signature, p.level from function f join matrix_function m on m.name = f.name cross join person p
				   where m.allowed <> 'nobody' and not has_function_privilege(p.role, f.oid, 'execute')$$, 'the others are everybody''s to call, with whatever rights they have');
select is_empty($$select f.signature from function f join matrix_function m on m.name = f.name where m.allowed <> 'nobody' and f.definer$$, 'their own');
select ok(outcome = any (outcomes), format('%s: %s(): %s, as expected %s', level, name, outcome, array_to_string(outcomes, ' or ')))
  from (select e.*, pg_temp.outcome(role, statement) as outcome from expected e offset 0) e;
select * from finish();
rollback;
