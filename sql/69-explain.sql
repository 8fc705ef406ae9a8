-- Explain: why a model predicts what it does, for one row, for all rows of a source, and on average.
--
-- Contributions are exact Shapley values on the scale of the margin, what the model adds up before its link: log odds of the second of two
-- classes, a class's score, the logarithm of a rate; of regressions, forests and the baseline the prediction itself.  They and the base value
-- add up to it.  All of it takes the access that predict() takes.


-- ---- explain ----

create function mlops.explain(model text, features record, top integer default null)
returns table (feature text, value text, contribution double precision)
language c stable parallel safe cost 20000 rows 20 as 'MODULE_PATHNAME', 'mlops_explain';
comment on function mlops.explain(text, record, integer) is
'What each column contributes to a prediction, the strongest first, then the base value; of more than two classes to the predicted class. The sum is the margin; with top, one row (others) holds the rest. Features: a row, matched by name';

create function mlops.explain(model text, features jsonb, top integer default null)
returns table (feature text, value text, contribution double precision)
language c stable parallel safe cost 20000 rows 20 as 'MODULE_PATHNAME', 'mlops_explain';
comment on function mlops.explain(text, jsonb, integer) is
'What each column contributes to a prediction, the strongest first, then the base value; of more than two classes to the predicted class. The sum is the margin; with top, one row (others) holds the rest. Features: a JSON object, matched by name';

create function mlops.explain(model text, features double precision[], top integer default null)
returns table (feature text, value text, contribution double precision)
language c stable parallel safe cost 20000 rows 20 as 'MODULE_PATHNAME', 'mlops_explain';
comment on function mlops.explain(text, double precision[], integer) is
'What each column contributes to a prediction, the strongest first, then the base value; of more than two classes to the predicted class. The sum is the margin; with top, one row (others) holds the rest. Features: numbers in the order of the model''s columns';


-- ---- explain_class ----

create function mlops.explain_class(model text, features record, class text, top integer default null)
returns table (feature text, value text, contribution double precision)
language c stable parallel safe cost 20000 rows 20 as 'MODULE_PATHNAME', 'mlops_explain_class';
comment on function mlops.explain_class(text, record, text, integer) is
'What each column contributes to the margin of a class, the strongest first, then the base value. Features: a row, matched by name';

create function mlops.explain_class(model text, features jsonb, class text, top integer default null)
returns table (feature text, value text, contribution double precision)
language c stable parallel safe cost 20000 rows 20 as 'MODULE_PATHNAME', 'mlops_explain_class';
comment on function mlops.explain_class(text, jsonb, text, integer) is
'What each column contributes to the margin of a class, the strongest first, then the base value. Features: a JSON object, matched by name';

create function mlops.explain_class(model text, features double precision[], class text, top integer default null)
returns table (feature text, value text, contribution double precision)
language c stable parallel safe cost 20000 rows 20 as 'MODULE_PATHNAME', 'mlops_explain_class';
comment on function mlops.explain_class(text, double precision[], text, integer) is
'What each column contributes to the margin of a class, the strongest first, then the base value. Features: numbers in the order of the model''s columns';


-- ---- explain_interactions ----

create function mlops.explain_interactions(model text, features record, top integer default null)
returns table (feature text, with_feature text, contribution double precision)
language c stable parallel safe cost 200000 rows 100 as 'MODULE_PATHNAME', 'mlops_explain_interactions';
comment on function mlops.explain_interactions(text, record, integer) is
'What columns contribute to a prediction alone (with_feature is null) and in pairs, the strongest first, then the base value; what is 0 is left out. The sum is the margin. Features: a row, matched by name';

create function mlops.explain_interactions(model text, features jsonb, top integer default null)
returns table (feature text, with_feature text, contribution double precision)
language c stable parallel safe cost 200000 rows 100 as 'MODULE_PATHNAME', 'mlops_explain_interactions';
comment on function mlops.explain_interactions(text, jsonb, integer) is
'What columns contribute to a prediction alone (with_feature is null) and in pairs, the strongest first, then the base value; what is 0 is left out. The sum is the margin. Features: a JSON object, matched by name';

create function mlops.explain_interactions(model text, features double precision[], top integer default null)
returns table (feature text, with_feature text, contribution double precision)
language c stable parallel safe cost 200000 rows 100 as 'MODULE_PATHNAME', 'mlops_explain_interactions';
comment on function mlops.explain_interactions(text, double precision[], integer) is
'What columns contribute to a prediction alone (with_feature is null) and in pairs, the strongest first, then the base value; what is 0 is left out. The sum is the margin. Features: numbers in the order of the model''s columns';


-- ---- explain_text ----

create function mlops.explain_text(model text, features record)
returns text
language c stable parallel safe cost 20000 as 'MODULE_PATHNAME', 'mlops_explain_text';
comment on function mlops.explain_text(text, record) is
'Three lines for people: what a model predicts, which values speak most for it, which against it. Features: a row, matched by name';

create function mlops.explain_text(model text, features jsonb)
returns text
language c stable parallel safe cost 20000 as 'MODULE_PATHNAME', 'mlops_explain_text';
comment on function mlops.explain_text(text, jsonb) is
'Three lines for people: what a model predicts, which values speak most for it, which against it. Features: a JSON object, matched by name';

create function mlops.explain_text(model text, features double precision[])
returns text
language c stable parallel safe cost 20000 as 'MODULE_PATHNAME', 'mlops_explain_text';
comment on function mlops.explain_text(text, double precision[]) is
'Three lines for people: what a model predicts, which values speak most for it, which against it. Features: numbers in the order of the model''s columns';


-- ---- what_if ----

create function mlops.what_if(model text, features record, changes jsonb)
returns table (scenario integer, changes jsonb, prediction double precision, class text, probability double precision)
language c stable parallel safe cost 2000 rows 2 as 'MODULE_PATHNAME', 'mlops_what_if';
comment on function mlops.what_if(text, record, jsonb) is
'What a model predicts of a row as it is (scenario 0), and with other values: changes is an object of columns and values, or an array of such objects. The probability is that of the second of two classes, or of the predicted one of more. Features: a row, matched by name';

create function mlops.what_if(model text, features jsonb, changes jsonb)
returns table (scenario integer, changes jsonb, prediction double precision, class text, probability double precision)
language c stable parallel safe cost 2000 rows 2 as 'MODULE_PATHNAME', 'mlops_what_if';
comment on function mlops.what_if(text, jsonb, jsonb) is
'What a model predicts of a row as it is (scenario 0), and with other values: changes is an object of columns and values, or an array of such objects. The probability is that of the second of two classes, or of the predicted one of more. Features: a JSON object, matched by name';

create function mlops.what_if(model text, features double precision[], changes jsonb)
returns table (scenario integer, changes jsonb, prediction double precision, class text, probability double precision)
language c stable parallel safe cost 2000 rows 2 as 'MODULE_PATHNAME', 'mlops_what_if';
comment on function mlops.what_if(text, double precision[], jsonb) is
'What a model predicts of a row as it is (scenario 0), and with other values: changes is an object of columns and values, or an array of such objects. The probability is that of the second of two classes, or of the predicted one of more. Features: numbers in the order of the model''s columns';


-- ---- of the rows of a source ----

create function mlops.explain_batch(model text, source text, id text default null, top integer default null)
returns table (id text, feature text, value text, contribution double precision)
language c volatile parallel unsafe cost 1000000 rows 20000 as 'MODULE_PATHNAME', 'mlops_explain_batch';
comment on function mlops.explain_batch(text, text, text, integer) is
'What explain() says of each row of a source, a table or one SELECT; id names the column that tells rows apart';

create function mlops.partial_dependence(model text, source text, feature text, points integer default 20)
returns table (value text, class text, prediction double precision)
language c volatile parallel unsafe cost 1000000 rows 20 as 'MODULE_PATHNAME', 'mlops_partial_dependence';
comment on function mlops.partial_dependence(text, text, text, integer) is
'The mean prediction for the rows of a source if a column had other values: numbers at even shares of the rows, of other columns all that occur; null is the missing value. Of two classes the probability of the second, of more that of each';

create function mlops.ice(model text, source text, feature text, points integer default 20, id text default null)
returns table (id text, value text, class text, prediction double precision)
language c volatile parallel unsafe cost 1000000 rows 20000 as 'MODULE_PATHNAME', 'mlops_ice';
comment on function mlops.ice(text, text, text, integer, text) is
'Individual conditional expectation: the prediction for each row of a source if a column had other values; id names the column that tells rows apart';
