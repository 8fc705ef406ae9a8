-- Predictions for all rows of a source: the fast path for tables.

create function mlops.predict_batch(model text, source text, id text default null)
returns table (id text, prediction double precision, class text, probability double precision)
language c volatile parallel unsafe cost 10000 rows 1000 support mlops.predict_support as 'MODULE_PATHNAME', 'mlops_predict_batch';
comment on function mlops.predict_batch(text, text, text) is
'Predictions for all rows of a source (a table, a view, or one SELECT): the column named by id as text; the value, or the label where labels are numbers; of a classification the label and, of two classes, the probability of the positive one, else of the label';

create function mlops.create_prediction_view(name text, model text, source text, id text default null, security_invoker boolean default true) returns void
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_create_prediction_view';
comment on function mlops.create_prediction_view(text, text, text, text, boolean) is
'Makes a view (id, the model''s inputs, prediction, class, probability, version) over a source, which follows the model''s deployments; with security_invoker, who reads it needs rights on the source, else its owner does. Predicting takes the reader''s right either way';
