-- Catalog: what there is to train with, as the table of algorithms in C says.

create function mlops.list_algorithms() returns table (name text, tasks text[], summary text)
language c stable strict parallel safe rows 10 as 'MODULE_PATHNAME', 'mlops_list_algorithms';
comment on function mlops.list_algorithms() is 'The rows of view mlops.algorithm';

create function mlops.list_parameters() returns table (algorithm text, name text, type text, "default" text, range text, meaning text)
language c stable strict parallel safe rows 50 as 'MODULE_PATHNAME', 'mlops_list_parameters';
comment on function mlops.list_parameters() is 'The rows of view mlops.algorithm_parameter';

create view mlops.algorithm with (security_invoker) as
	select a.name, a.tasks, a.summary from mlops.list_algorithms() as a;
comment on view mlops.algorithm is 'What train() can use as "algorithm", and for which tasks';
comment on column mlops.algorithm.tasks is 'regression, binary, multiclass';
grant select on mlops.algorithm to public;

create view mlops.algorithm_parameter with (security_invoker) as
	select p.algorithm, p.name, p.type, p."default", p.range, p.meaning from mlops.list_parameters() as p;
comment on view mlops.algorithm_parameter is 'What each algorithm takes in "params"';
comment on column mlops.algorithm_parameter.type is 'integer, number, boolean, a word of those in range, an object, or a model: a reference to a version';
comment on column mlops.algorithm_parameter."default" is 'The value where none is given';
comment on column mlops.algorithm_parameter.range is 'The values that are allowed';
grant select on mlops.algorithm_parameter to public;
