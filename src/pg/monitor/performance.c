/*
 * performance.c
 *		Aggregates that say how good predictions were, or are expected to be.
 *
 * mlops.roc_auc(), mlops.pr_auc(), mlops.binary_performance(),
 * mlops.regression_performance() with outcomes, mlops.cbpe() without.  Their
 * states are rows of numbers (number_rows.h), the weight last where there is one.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "fmgr.h"

#include "../json_fields.h"
#include "number_rows.h"
#include "performance_json.h"
#include "../report.h"

#include "../../core/statistics/performance.h"

PG_FUNCTION_INFO_V1(mlops_roc_auc);
PG_FUNCTION_INFO_V1(mlops_pr_auc);
PG_FUNCTION_INFO_V1(mlops_binary_performance);
PG_FUNCTION_INFO_V1(mlops_regression_performance);
PG_FUNCTION_INFO_V1(mlops_cbpe);
PG_FUNCTION_INFO_V1(mlops_normal_tail);

/* Metrics as {"name": {"value", "se", "se_component", "n"}}; what is not defined is null. */
Jsonb *
performance_to_json(const Performance *performance)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < performance->n; i++)
	{
		const PerformanceMetric *metric = &performance->metrics[i];

		json_push_key(&state, metric->name);
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		json_push_key(&state, "value");
		json_push_number(&state, WJB_VALUE, metric->value);
		json_push_key(&state, "se");
		json_push_number(&state, WJB_VALUE, metric->deviation / sqrt(performance->effective));
		json_push_key(&state, "se_component");
		json_push_number(&state, WJB_VALUE, metric->deviation);
		json_push_key(&state, "n");
		json_push_number(&state, WJB_VALUE, performance->effective);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Measures two classes, by ranking alone or by all. */
static Performance
measure(const BinaryRows *rows, bool (*by) (Performance *, const BinaryRows *, Arena *, Error *))
{
	Performance performance;
	Arena		arena;
	Error		error;
	bool		done;

	arena_init(&arena);
	done = by(&performance, rows, &arena, &error);
	arena_free(&arena);
	if (!done)
		report_error(&error);
	return performance;
}

/* A metric of outcomes and scores; NULL where the rows do not define it. */
static Datum
ranking_metric(FunctionCallInfo fcinfo, const char *name)
{
	NumberRows *state = number_rows_final(fcinfo, 2, 3);
	BinaryRows	rows = {0};
	Performance performance;
	double		value;

	if (state == NULL)
		PG_RETURN_NULL();
	rows.n = state->n;
	rows.truth = number_rows_range(state, 0, "outcome", 0, 1);
	rows.score = number_rows_column(state, 1);
	rows.weight = number_rows_range(state, 2, "weight", 0, DBL_MAX);
	performance = measure(&rows, performance_ranking);
	value = performance_find(&performance, name)->value;
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* Of rows (outcome, score[, weight]) */
Datum
mlops_roc_auc(PG_FUNCTION_ARGS)
{
	return ranking_metric(fcinfo, "roc_auc");
}

/* Likewise */
Datum
mlops_pr_auc(PG_FUNCTION_ARGS)
{
	return ranking_metric(fcinfo, "pr_auc");
}

/* Of rows (outcome, predicted, probability[, weight]) */
Datum
mlops_binary_performance(PG_FUNCTION_ARGS)
{
	NumberRows *state = number_rows_final(fcinfo, 3, 4);
	BinaryRows	rows = {0};
	Performance performance;

	if (state == NULL)
		PG_RETURN_NULL();
	rows.n = state->n;
	rows.truth = number_rows_range(state, 0, "outcome", 0, 1);
	rows.predicted = number_rows_column(state, 1);
	rows.probability = rows.score = number_rows_range(state, 2, "probability", 0, 1);
	rows.weight = number_rows_range(state, 3, "weight", 0, DBL_MAX);
	performance = measure(&rows, performance_binary);
	PG_RETURN_JSONB_P(performance_to_json(&performance));
}

/* Of rows (outcome, prediction[, weight]) */
Datum
mlops_regression_performance(PG_FUNCTION_ARGS)
{
	NumberRows *state = number_rows_final(fcinfo, 2, 3);
	Performance performance;

	if (state == NULL)
		PG_RETURN_NULL();
	performance_regression(&performance, state->n, number_rows_column(state, 0), number_rows_column(state, 1),
						   number_rows_range(state, 2, "weight", 0, DBL_MAX));
	PG_RETURN_JSONB_P(performance_to_json(&performance));
}

/* Of rows (probability, predicted[, score[, weight]]): what is to be expected of the outcomes. */
Datum
mlops_cbpe(PG_FUNCTION_ARGS)
{
	NumberRows *state = number_rows_final(fcinfo, 2, 4);
	BinaryRows	rows = {0};
	Performance performance;

	if (state == NULL)
		PG_RETURN_NULL();
	rows.n = state->n;
	rows.truth = rows.probability = number_rows_range(state, 0, "probability", 0, 1);
	rows.predicted = number_rows_column(state, 1);
	rows.score = state->width > 2 ? number_rows_column(state, 2) : rows.truth;
	rows.weight = number_rows_range(state, 3, "weight", 0, DBL_MAX);
	performance = measure(&rows, performance_binary);
	PG_RETURN_JSONB_P(performance_to_json(&performance));
}

/* mlops.normal_tail(z) */
Datum
mlops_normal_tail(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(erfc(PG_GETARG_FLOAT8(0) * M_SQRT1_2) / 2);
}
