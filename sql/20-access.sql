-- Access: what the policies of 40-security.sql ask.

create function mlops.accessible_projects("right" text) returns setof bigint
language c stable strict parallel safe cost 100 rows 20
as 'MODULE_PATHNAME', 'mlops_accessible_projects';
comment on function mlops.accessible_projects(text) is
'The projects in which the caller has a right: see, view, predict, train, review, deploy or own';

create function mlops.resolve_model(reference text, bare text default 'live', "right" text default 'see',
	out project_id bigint, out model_id bigint, out version integer)
language c stable strict parallel safe cost 1000
as 'MODULE_PATHNAME', 'mlops_resolve_model';
comment on function mlops.resolve_model(text, text, text) is
'What a model reference means to the caller, who needs the right; bare says what a name without @ stands for: live, newest or model (version NULL)';

create function mlops.refuse_change() returns trigger
language c as 'MODULE_PATHNAME', 'mlops_refuse_change';
comment on function mlops.refuse_change() is 'Trigger: what was written stays; only mlops.drop_model() removes';
