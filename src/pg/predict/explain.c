/*
 * explain.c
 *		explain(), explain_class(), explain_interactions(), explain_batch(): rows of contributions.
 *
 * The contributions of all columns and the base value add up to the margin: to
 * what the model's link makes the prediction from.  Where only the strongest
 * are asked for, one row holds the sum of the others.
 */
#include "explanation.h"

#include <limits.h>
#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "explainer_cache.h"
#include "feature_rows.h"
#include "../report.h"
#include "../result_row.h"

#define BASE	"(base value)"
#define OTHERS	"(others)"

#define PAIRS_BYTES_MAX	((uint64) 1 << 30)	/* of a matrix of interactions: 11,585 columns */

PG_FUNCTION_INFO_V1(mlops_explain);
PG_FUNCTION_INFO_V1(mlops_explain_class);
PG_FUNCTION_INFO_V1(mlops_explain_interactions);
PG_FUNCTION_INFO_V1(mlops_explain_batch);

/* Puts one row; with_id: behind an id. */
static void
put_row(ReturnSetInfo *result, bool with_id, const char *id, const char *feature, const char *value, double contribution)
{
	ResultRow	row = {.n = 0};

	if (with_id)
		row_add_text(&row, id);
	row_add_text(&row, feature);
	row_add_text(&row, value);
	row_add_number(&row, true, contribution);
	row_put(&row, result);
}

/* Puts the rows of an explanation: the strongest, the sum of the others, the base value with the class that is explained. */
static void
put_explanation(ReturnSetInfo *result, bool with_id, const char *id, const Predictor *predictor, const Explanation *explanation, int top)
{
	const Model *model = predictor->model;
	double		others = 0;

	for (uint32 i = 0; i < model->n_columns; i++)
	{
		uint32		column = explanation->order[i];

		if (i < (uint32) top)
			put_row(result, with_id, id, predictor->names[column], raw_text(model, column, predictor->raw[column]),
					explanation->contributions[column]);
		else
			others += explanation->contributions[column];
	}
	if ((uint32) top < model->n_columns)
		put_row(result, with_id, id, OTHERS, NULL, others);
	put_row(result, with_id, id, BASE, explanation_class(explanation), explanation->base);
}

/* mlops.explain(model, features, top) */
Datum
mlops_explain(PG_FUNCTION_ARGS)
{
	int			top = explanation_top(fcinfo, 2);
	Predictor  *predictor;

	InitMaterializedSRF(fcinfo, 0);
	if (explanation_read(fcinfo, &predictor))
		put_explanation((ReturnSetInfo *) fcinfo->resultinfo, false, NULL, predictor, explanation_make(predictor, EXPLAIN_PREDICTED), top);
	return (Datum) 0;
}

/* mlops.explain_class(model, features, class, top) */
Datum
mlops_explain_class(PG_FUNCTION_ARGS)
{
	int			top = explanation_top(fcinfo, 3);
	Predictor  *predictor;

	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(2) && explanation_read(fcinfo, &predictor))
	{
		int			output = explanation_output(predictor->model, text_to_cstring(PG_GETARG_TEXT_PP(2)), "explain_class()");

		put_explanation((ReturnSetInfo *) fcinfo->resultinfo, false, NULL, predictor, explanation_make(predictor, output), top);
	}
	return (Datum) 0;
}

/* An interaction: of a column alone where other is the same. */
typedef struct Interaction
{
	uint32		column;
	uint32		other;
	double		contribution;
} Interaction;

/* The strongest first; equal ones in the order of the signature. */
static int
compare_interactions(const void *a, const void *b, void *unused)
{
	const Interaction *left = a;
	const Interaction *right = b;
	double		left_size = fabs(left->contribution);
	double		right_size = fabs(right->contribution);

	if (left_size != right_size)
		return left_size > right_size ? -1 : 1;
	if (left->column != right->column)
		return left->column < right->column ? -1 : 1;
	return left->other < right->other ? -1 : left->other > right->other;
}

/* Interactions that are not 0: each column alone, and each pair once, with both halves. */
static Interaction *
collect_interactions(const Predictor *predictor, const Explanation *explanation, uint64 *n)
{
	uint64		n_columns = predictor->model->n_columns;
	uint64		bytes = n_columns * n_columns * sizeof(double);

	if (bytes > PAIRS_BYTES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("interactions of %u columns need a matrix of %llu MB", predictor->model->n_columns, (unsigned long long) (bytes >> 20)),
				 errhint("mlops.explain() needs none.")));

	double	   *matrix = MemoryContextAllocHuge(CurrentMemoryContext, bytes + 1);
	Interaction *interactions;

	while (!explain_row_pairs(explanation_explainer(explanation), predictor->features, matrix))
		CHECK_FOR_INTERRUPTS();
	*n = 0;
	for (uint64 i = 0; i < n_columns; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint64 j = i; j < n_columns; j++)
			*n += matrix[i * n_columns + j] != 0;
	}
	interactions = MemoryContextAllocHuge(CurrentMemoryContext, *n * sizeof(Interaction) + 1);
	*n = 0;
	for (uint64 i = 0; i < n_columns; i++)
	{
		for (uint64 j = i; j < n_columns; j++)
		{
			double		contribution = i == j ? matrix[i * n_columns + j] : matrix[i * n_columns + j] + matrix[j * n_columns + i];

			if (matrix[i * n_columns + j] != 0)
				interactions[(*n)++] = (Interaction) {(uint32) i, (uint32) j, contribution};
		}
	}
	pfree(matrix);
	qsort_interruptible(interactions, *n, sizeof(Interaction), compare_interactions, NULL);
	return interactions;
}

/* Puts a row of interactions. */
static void
put_interaction(ReturnSetInfo *result, const char *feature, const char *with_feature, double contribution)
{
	ResultRow	row = {.n = 0};

	row_add_text(&row, feature);
	row_add_text(&row, with_feature);
	row_add_number(&row, true, contribution);
	row_put(&row, result);
}

/* mlops.explain_interactions(model, features, top) */
Datum
mlops_explain_interactions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			top = explanation_top(fcinfo, 2);
	Predictor  *predictor;

	InitMaterializedSRF(fcinfo, 0);
	if (!explanation_read(fcinfo, &predictor))
		return (Datum) 0;

	Explanation *explanation = explanation_make(predictor, EXPLAIN_PREDICTED);
	uint64		n;
	Interaction *interactions = collect_interactions(predictor, explanation, &n);
	double		others = 0;

	for (uint64 i = 0; i < n; i++)
	{
		const Interaction *interaction = &interactions[i];

		CHECK_FOR_INTERRUPTS();
		if (i < (uint64) top)
			put_interaction(result, predictor->names[interaction->column],
							interaction->other == interaction->column ? NULL : predictor->names[interaction->other], interaction->contribution);
		else
			others += interaction->contribution;
	}
	if ((uint64) top < n)
		put_interaction(result, OTHERS, NULL, others);
	put_interaction(result, BASE, NULL, explanation->base);
	return (Datum) 0;
}

typedef struct Batch
{
	ReturnSetInfo *result;
	int			top;
} Batch;

/* The rows of one row of the source. */
static bool
explain_source_row(void *context, Predictor *predictor, TupleTableSlot *slot, text *id)
{
	const Batch *batch = context;

	put_explanation(batch->result, true, id != NULL ? text_to_cstring(id) : NULL, predictor, explanation_make(predictor, EXPLAIN_PREDICTED),
					batch->top);
	return true;
}

static const FeatureConsumer explain_consumer = {.row = explain_source_row};

/* mlops.explain_batch(model, source, id, top) */
Datum
mlops_explain_batch(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops explanations", ALLOCSET_DEFAULT_SIZES);
	Batch		batch = {.result = (ReturnSetInfo *) fcinfo->resultinfo,.top = explanation_top(fcinfo, 3)};

	if (PG_ARGISNULL(0))
		report_null_argument("mlops.explain_batch()", "model");
	if (PG_ARGISNULL(1))
		report_null_argument("mlops.explain_batch()", "source");
	InitMaterializedSRF(fcinfo, 0);

	Predictor  *predictor = predict_bind(fcinfo);

	MemoryContextSwitchTo(work);
	feature_rows(predictor, text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)),
				 &explain_consumer, &batch);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
