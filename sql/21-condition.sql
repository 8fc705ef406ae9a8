-- Conditions: comparisons over named facts, for policies, tests and searches.  They are read by a grammar of their own, and never run as SQL.

create function mlops.condition_holds(condition text, facts jsonb) returns boolean
	language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_condition_holds';
comment on function mlops.condition_holds(text, jsonb) is
	'Whether a condition such as ''roc_auc >= 0.9 and (algorithm = ''''mlp'''' or tag.team like ''''r%'''')'' holds of facts, an object; NULL where a fact it takes is missing or of another type.  tag.team is the field "tag.team", or "team" in the object "tag"';

create function mlops.condition_names(condition text) returns text[]
	language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_condition_names';
comment on function mlops.condition_names(text) is 'The names of the facts that a condition asks for, each once; an error where it is no condition';

create function mlops.condition_facts(condition text, facts jsonb) returns jsonb
	language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_condition_facts';
comment on function mlops.condition_facts(text, jsonb) is 'Those of the facts that a condition asks for, by name; null where one is missing';
