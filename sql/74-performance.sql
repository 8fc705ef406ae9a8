-- Performance: how good predictions were, or are expected to be, of any rows; whether probabilities mean what they say.
--
-- Metrics come as {"roc_auc": {"value", "se", "se_component", "n"}, ...} by the names of mlops.evaluate(): se is the standard error on these
-- rows, and se_component / sqrt(n) that on n rows alike; n is how many rows of equal weight say as much.  What the rows do not define is null.
-- Rows in which an argument is NULL or not finite count for nothing.

-- ---- States: rows of numbers ----

create function mlops.rows_count(bytea, double precision, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, double precision, double precision) is 'Transition of aggregates over two numbers';

create function mlops.rows_count(bytea, double precision, double precision, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, double precision, double precision, double precision) is 'Transition of aggregates over three numbers';

create function mlops.rows_count(bytea, boolean, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, boolean, double precision) is 'Transition of aggregates over outcomes and scores';

create function mlops.rows_count(bytea, boolean, double precision, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, boolean, double precision, double precision) is 'Transition of aggregates over outcomes, scores and weights';

create function mlops.rows_count(bytea, boolean, boolean, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, boolean, boolean, double precision) is 'Transition of aggregates over outcomes, classes and probabilities';

create function mlops.rows_count(bytea, boolean, boolean, double precision, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, boolean, boolean, double precision, double precision) is
'Transition of aggregates over outcomes, classes, probabilities and weights';

create function mlops.rows_count(bytea, double precision, boolean) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, double precision, boolean) is 'Transition of mlops.cbpe(probability, predicted)';

create function mlops.rows_count(bytea, double precision, boolean, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, double precision, boolean, double precision) is 'Transition of mlops.cbpe(probability, predicted, score)';

create function mlops.rows_count(bytea, double precision, boolean, double precision, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_count';
comment on function mlops.rows_count(bytea, double precision, boolean, double precision, double precision) is
'Transition of mlops.cbpe(probability, predicted, score, weight)';

create function mlops.rows_merge(bytea, bytea) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_rows_merge';
comment on function mlops.rows_merge(bytea, bytea) is 'Combines states of aggregates over rows of numbers';

-- ---- With outcomes ----

create function mlops.roc_auc_finish(bytea) returns double precision
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_roc_auc';
comment on function mlops.roc_auc_finish(bytea) is 'Result of mlops.roc_auc(outcome, score)';

create aggregate mlops.roc_auc(outcome boolean, score double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.roc_auc_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.roc_auc(boolean, double precision) is
'Area under the ROC curve: how often a positive scores above a negative, ties half; NULL with outcomes of one kind';

create aggregate mlops.roc_auc(outcome boolean, score double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.roc_auc_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.roc_auc(boolean, double precision, double precision) is 'Area under the ROC curve of weighted rows';

create function mlops.pr_auc_finish(bytea) returns double precision
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_pr_auc';
comment on function mlops.pr_auc_finish(bytea) is 'Result of mlops.pr_auc(outcome, score)';

create aggregate mlops.pr_auc(outcome boolean, score double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.pr_auc_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.pr_auc(boolean, double precision) is
'Average precision: the mean over the positives of the share of positives among rows that score as high; NULL without positives';

create aggregate mlops.pr_auc(outcome boolean, score double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.pr_auc_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.pr_auc(boolean, double precision, double precision) is 'Average precision of weighted rows';

create function mlops.binary_performance_finish(bytea) returns jsonb
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_binary_performance';
comment on function mlops.binary_performance_finish(bytea) is 'Result of mlops.binary_performance(outcome, predicted, probability)';

create aggregate mlops.binary_performance(outcome boolean, predicted boolean, probability double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.binary_performance_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.binary_performance(boolean, boolean, double precision) is
'Metrics of two classes with their standard errors: roc_auc, pr_auc, accuracy, balanced_accuracy, precision, recall, specificity, f1, mcc, log_loss, brier, ece';

create aggregate mlops.binary_performance(outcome boolean, predicted boolean, probability double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.binary_performance_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.binary_performance(boolean, boolean, double precision, double precision) is 'Metrics of two classes, of weighted rows';

create function mlops.regression_performance_finish(bytea) returns jsonb
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_regression_performance';
comment on function mlops.regression_performance_finish(bytea) is 'Result of mlops.regression_performance(outcome, prediction)';

create aggregate mlops.regression_performance(outcome double precision, prediction double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.regression_performance_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.regression_performance(double precision, double precision) is
'Metrics of predicted values with their standard errors: rmse, mae, r2, mape';

create aggregate mlops.regression_performance(outcome double precision, prediction double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.regression_performance_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.regression_performance(double precision, double precision, double precision) is 'Metrics of predicted values, of weighted rows';

create function mlops.class_performance_count(internal, text, text) returns internal
language c immutable as 'MODULE_PATHNAME', 'mlops_class_performance_count';
comment on function mlops.class_performance_count(internal, text, text) is 'Transition of mlops.class_performance(outcome, class)';

create function mlops.class_performance_count(internal, text, text, double precision) returns internal
language c immutable as 'MODULE_PATHNAME', 'mlops_class_performance_count';
comment on function mlops.class_performance_count(internal, text, text, double precision) is 'Transition of mlops.class_performance(outcome, class, weight)';

create function mlops.class_performance_finish(internal) returns jsonb
language c immutable as 'MODULE_PATHNAME', 'mlops_class_performance_finish';
comment on function mlops.class_performance_finish(internal) is 'Result of mlops.class_performance(outcome, class)';

create aggregate mlops.class_performance(outcome text, class text)
(
	sfunc = mlops.class_performance_count, stype = internal, finalfunc = mlops.class_performance_finish
);
comment on aggregate mlops.class_performance(text, text) is
'Metrics of any number of classes with their standard errors: accuracy, balanced_accuracy, macro_ and weighted_ precision, recall and f1';

create aggregate mlops.class_performance(outcome text, class text, weight double precision)
(
	sfunc = mlops.class_performance_count, stype = internal, finalfunc = mlops.class_performance_finish
);
comment on aggregate mlops.class_performance(text, text, double precision) is 'Metrics of any number of classes, of weighted rows';

-- ---- Without outcomes ----

create function mlops.cbpe_finish(bytea) returns jsonb
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_cbpe';
comment on function mlops.cbpe_finish(bytea) is 'Result of mlops.cbpe(probability, predicted)';

create aggregate mlops.cbpe(probability double precision, predicted boolean)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.cbpe_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.cbpe(double precision, boolean) is
'Confidence-based performance estimation: what metrics are to be expected of outcomes still unknown, where the probabilities are calibrated. Names and errors as of mlops.binary_performance()';

create aggregate mlops.cbpe(probability double precision, predicted boolean, score double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.cbpe_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.cbpe(double precision, boolean, double precision) is
'The same of calibrated probabilities, with the scores that they were made of, which rank the rows';

create aggregate mlops.cbpe(probability double precision, predicted boolean, score double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.cbpe_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.cbpe(double precision, boolean, double precision, double precision) is 'The same of weighted rows';

-- ---- Calibration ----

create function mlops.calibration_finish(bytea) returns jsonb
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_calibration';
comment on function mlops.calibration_finish(bytea) is 'Result of mlops.calibration(outcome, probability)';

create aggregate mlops.calibration(outcome boolean, probability double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.calibration_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.calibration(boolean, double precision) is
'Whether probabilities mean what they say: ece in ten bins of equal weight, ece_floor (what chance alone hardly ever exceeds: mean and four standard deviations where calibrated), p_value (Hosmer and Lemeshow), slope and intercept of the log odds (1 and 0 where calibrated), the bins';

create aggregate mlops.calibration(outcome boolean, probability double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.calibration_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.calibration(boolean, double precision, double precision) is 'The same of weighted rows';

create function mlops.isotonic_finish(bytea) returns jsonb
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_isotonic';
comment on function mlops.isotonic_finish(bytea) is 'Result of mlops.isotonic(x, y)';

create aggregate mlops.isotonic(x double precision, y double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.isotonic_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.isotonic(double precision, double precision) is
'Isotonic regression: the never falling function of x that is closest to y, by its knots {"x": [...], "y": [...]}';

create aggregate mlops.isotonic(x double precision, y double precision, weight double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.isotonic_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.isotonic(double precision, double precision, double precision) is 'The same of weighted rows';

create function mlops.isotonic_value(fit jsonb, x double precision) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_isotonic_value';
comment on function mlops.isotonic_value(jsonb, double precision) is
'An isotonic regression at x: on the line between two knots, outside them as at the nearest; so probabilities are calibrated';

-- ---- Features ----

create function mlops.ndcg_finish(bytea) returns double precision
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_ndcg';
comment on function mlops.ndcg_finish(bytea) is 'Result of mlops.ndcg(reference, current)';

create aggregate mlops.ndcg(reference double precision, current double precision)
(
	sfunc = mlops.rows_count, stype = bytea, finalfunc = mlops.ndcg_finish, combinefunc = mlops.rows_merge, parallel = safe
);
comment on aggregate mlops.ndcg(double precision, double precision) is
'Normalised discounted cumulative gain: 1 where the current importances put features into the order of the reference''s, the less the more what was important has fallen';

create function mlops.reconstruction_error(components jsonb, "row" double precision[]) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_reconstruction_error';
comment on function mlops.reconstruction_error(jsonb, double precision[]) is
'How far a row, standardised, lies from the plane of principal components {"mean": [...], "scale": [...], "components": [[...], ...]}; NULLs are as the mean';

create function mlops.domain_auc(source text, label text, repeats integer default 5, seed bigint default 42) returns double precision
language c volatile strict parallel unsafe cost 1000000 as 'MODULE_PATHNAME', 'mlops_domain_auc';
comment on function mlops.domain_auc(text, text, integer, bigint) is
'Can a model tell two sets of rows apart? The area under the ROC curve of gradient boosting that predicts the column label by all others of a source, on a fifth of the rows held out, mean over the repeats: about 0.5 where the sets are alike';
