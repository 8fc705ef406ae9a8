-- Predict: one row in, one answer out.
--
-- With a reference (text) the functions are stable: a deployment changes what they return, at the next statement.  With an artifact they are
-- immutable: they depend on its bytes and on the features, and on no setting.
-- Features are a row or jsonb, matched by name, or float8[], by position.  NULL instead of a model or of all features gives NULL.


create function mlops.predict_support(internal) returns internal
language c strict as 'MODULE_PATHNAME', 'mlops_predict_support';
comment on function mlops.predict_support(internal) is
'Tells the planner what predictions cost, by the size of the model, and how many rows they give';


-- ---- predict ----

create function mlops.predict(model text, features record) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict';
comment on function mlops.predict(text, record) is
'The value that a model predicts; of a classification the label, where labels are numbers or booleans (0, 1). Features: a row, matched by name';

create function mlops.predict(model text, features jsonb) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict';
comment on function mlops.predict(text, jsonb) is
'The value that a model predicts; of a classification the label, where labels are numbers or booleans (0, 1). Features: a JSON object, matched by name';

create function mlops.predict(model text, features double precision[]) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict';
comment on function mlops.predict(text, double precision[]) is
'The value that a model predicts; of a classification the label, where labels are numbers or booleans (0, 1). Features: numbers in the order of the model''s columns';

create function mlops.predict(model mlops.artifact, features record) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict';
comment on function mlops.predict(mlops.artifact, record) is
'The value that a model predicts; of a classification the label, where labels are numbers or booleans (0, 1). Features: a row, matched by name';

create function mlops.predict(model mlops.artifact, features jsonb) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict';
comment on function mlops.predict(mlops.artifact, jsonb) is
'The value that a model predicts; of a classification the label, where labels are numbers or booleans (0, 1). Features: a JSON object, matched by name';

create function mlops.predict(model mlops.artifact, features double precision[]) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict';
comment on function mlops.predict(mlops.artifact, double precision[]) is
'The value that a model predicts; of a classification the label, where labels are numbers or booleans (0, 1). Features: numbers in the order of the model''s columns';


-- ---- predict_class ----

create function mlops.predict_class(model text, features record) returns text
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_class';
comment on function mlops.predict_class(text, record) is
'The label that a model finds most probable. Features: a row, matched by name';

create function mlops.predict_class(model text, features jsonb) returns text
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_class';
comment on function mlops.predict_class(text, jsonb) is
'The label that a model finds most probable. Features: a JSON object, matched by name';

create function mlops.predict_class(model text, features double precision[]) returns text
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_class';
comment on function mlops.predict_class(text, double precision[]) is
'The label that a model finds most probable. Features: numbers in the order of the model''s columns';

create function mlops.predict_class(model mlops.artifact, features record) returns text
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_class';
comment on function mlops.predict_class(mlops.artifact, record) is
'The label that a model finds most probable. Features: a row, matched by name';

create function mlops.predict_class(model mlops.artifact, features jsonb) returns text
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_class';
comment on function mlops.predict_class(mlops.artifact, jsonb) is
'The label that a model finds most probable. Features: a JSON object, matched by name';

create function mlops.predict_class(model mlops.artifact, features double precision[]) returns text
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_class';
comment on function mlops.predict_class(mlops.artifact, double precision[]) is
'The label that a model finds most probable. Features: numbers in the order of the model''s columns';


-- ---- predict_proba ----

create function mlops.predict_proba(model text, features record) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(text, record) is
'The probability of the positive class: the second of two, true, or the larger label. Features: a row, matched by name';

create function mlops.predict_proba(model text, features jsonb) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(text, jsonb) is
'The probability of the positive class: the second of two, true, or the larger label. Features: a JSON object, matched by name';

create function mlops.predict_proba(model text, features double precision[]) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(text, double precision[]) is
'The probability of the positive class: the second of two, true, or the larger label. Features: numbers in the order of the model''s columns';

create function mlops.predict_proba(model mlops.artifact, features record) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(mlops.artifact, record) is
'The probability of the positive class: the second of two, true, or the larger label. Features: a row, matched by name';

create function mlops.predict_proba(model mlops.artifact, features jsonb) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(mlops.artifact, jsonb) is
'The probability of the positive class: the second of two, true, or the larger label. Features: a JSON object, matched by name';

create function mlops.predict_proba(model mlops.artifact, features double precision[]) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(mlops.artifact, double precision[]) is
'The probability of the positive class: the second of two, true, or the larger label. Features: numbers in the order of the model''s columns';


-- ---- predict_proba of a class ----

create function mlops.predict_proba(model text, features record, class text) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(text, record, text) is
'The probability of a class. Features: a row, matched by name';

create function mlops.predict_proba(model text, features jsonb, class text) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(text, jsonb, text) is
'The probability of a class. Features: a JSON object, matched by name';

create function mlops.predict_proba(model text, features double precision[], class text) returns double precision
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(text, double precision[], text) is
'The probability of a class. Features: numbers in the order of the model''s columns';

create function mlops.predict_proba(model mlops.artifact, features record, class text) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(mlops.artifact, record, text) is
'The probability of a class. Features: a row, matched by name';

create function mlops.predict_proba(model mlops.artifact, features jsonb, class text) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(mlops.artifact, jsonb, text) is
'The probability of a class. Features: a JSON object, matched by name';

create function mlops.predict_proba(model mlops.artifact, features double precision[], class text) returns double precision
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_proba';
comment on function mlops.predict_proba(mlops.artifact, double precision[], text) is
'The probability of a class. Features: numbers in the order of the model''s columns';


-- ---- predict_all ----

create function mlops.predict_all(model text, features record) returns jsonb
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_all';
comment on function mlops.predict_all(text, record) is
'The probabilities of all classes, as {"label": probability}. Features: a row, matched by name';

create function mlops.predict_all(model text, features jsonb) returns jsonb
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_all';
comment on function mlops.predict_all(text, jsonb) is
'The probabilities of all classes, as {"label": probability}. Features: a JSON object, matched by name';

create function mlops.predict_all(model text, features double precision[]) returns jsonb
language c stable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_all';
comment on function mlops.predict_all(text, double precision[]) is
'The probabilities of all classes, as {"label": probability}. Features: numbers in the order of the model''s columns';

create function mlops.predict_all(model mlops.artifact, features record) returns jsonb
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_all';
comment on function mlops.predict_all(mlops.artifact, record) is
'The probabilities of all classes, as {"label": probability}. Features: a row, matched by name';

create function mlops.predict_all(model mlops.artifact, features jsonb) returns jsonb
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_all';
comment on function mlops.predict_all(mlops.artifact, jsonb) is
'The probabilities of all classes, as {"label": probability}. Features: a JSON object, matched by name';

create function mlops.predict_all(model mlops.artifact, features double precision[]) returns jsonb
language c immutable strict parallel safe cost 100 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_all';
comment on function mlops.predict_all(mlops.artifact, double precision[]) is
'The probabilities of all classes, as {"label": probability}. Features: numbers in the order of the model''s columns';


-- ---- predict_top ----

create function mlops.predict_top(model text, features record, n integer default 5) returns table (class text, probability double precision)
language c stable strict parallel safe cost 100 rows 5 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_top';
comment on function mlops.predict_top(text, record, integer) is
'The n most probable labels and their probabilities, the most probable first. Features: a row, matched by name';

create function mlops.predict_top(model text, features jsonb, n integer default 5) returns table (class text, probability double precision)
language c stable strict parallel safe cost 100 rows 5 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_top';
comment on function mlops.predict_top(text, jsonb, integer) is
'The n most probable labels and their probabilities, the most probable first. Features: a JSON object, matched by name';

create function mlops.predict_top(model text, features double precision[], n integer default 5) returns table (class text, probability double precision)
language c stable strict parallel safe cost 100 rows 5 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_top';
comment on function mlops.predict_top(text, double precision[], integer) is
'The n most probable labels and their probabilities, the most probable first. Features: numbers in the order of the model''s columns';

create function mlops.predict_top(model mlops.artifact, features record, n integer default 5) returns table (class text, probability double precision)
language c immutable strict parallel safe cost 100 rows 5 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_top';
comment on function mlops.predict_top(mlops.artifact, record, integer) is
'The n most probable labels and their probabilities, the most probable first. Features: a row, matched by name';

create function mlops.predict_top(model mlops.artifact, features jsonb, n integer default 5) returns table (class text, probability double precision)
language c immutable strict parallel safe cost 100 rows 5 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_top';
comment on function mlops.predict_top(mlops.artifact, jsonb, integer) is
'The n most probable labels and their probabilities, the most probable first. Features: a JSON object, matched by name';

create function mlops.predict_top(model mlops.artifact, features double precision[], n integer default 5) returns table (class text, probability double precision)
language c immutable strict parallel safe cost 100 rows 5 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_top';
comment on function mlops.predict_top(mlops.artifact, double precision[], integer) is
'The n most probable labels and their probabilities, the most probable first. Features: numbers in the order of the model''s columns';
