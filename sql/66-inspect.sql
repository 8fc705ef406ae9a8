-- Inspect: what a version has learned.  Trees and coefficients are its payload, which takes access as scientist.

create function mlops.trees(model text,
	out tree integer, out class text, out node bigint, out parent bigint, out branch text, out depth integer, out feature text, out condition text,
	out missing text, out gain real, out cover real, out value double precision)
returns setof record
language c stable strict parallel safe cost 10000 rows 5000 as 'MODULE_PATHNAME', 'mlops_trees';
comment on function mlops.trees(text) is
'Trees of a version, one row a node: branch yes hangs where the parent''s condition holds, missing is the branch of a missing value; value is what a leaf adds to the score.  It takes access as scientist';

create function mlops.tree_text(model text, tree integer default 1, max_depth integer default null) returns text
language c stable parallel safe cost 10000 as 'MODULE_PATHNAME', 'mlops_tree_text';
comment on function mlops.tree_text(text, integer, integer) is
'One tree of a version, drawn as indented text down to a depth.  It takes access as scientist';

create function mlops.coefficients(model text,
	out class text, out term text, out feature text, out level text, out coefficient double precision, out raw_coefficient double precision)
returns setof record
language c stable strict parallel safe cost 10000 rows 50 as 'MODULE_PATHNAME', 'mlops_coefficients';
comment on function mlops.coefficients(text) is
'Coefficients of a linear version, of the encoded features and of the raw numbers (per day of a date, per second of a timestamp or interval); term is intercept, value, level or missing.  It takes access as scientist';

create function mlops.importance(model text, kind text default 'gain', source text default null, metric text default null,
								 repeats integer default 5, seed bigint default 42)
returns table (feature text, importance double precision, deviation double precision)
language c volatile parallel unsafe cost 10000 rows 20 as 'MODULE_PATHNAME', 'mlops_importance';
comment on function mlops.importance(text, text, text, text, integer, bigint) is
'How much a version relies on each column: its share of the trees'' gain, cover or splits; or, of kind permutation, what a metric loses on the rows of a source when the column is shuffled (mean and deviation of the repeats)';
