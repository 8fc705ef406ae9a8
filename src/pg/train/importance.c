/*
 * importance.c
 *		mlops.importance(): how much a version relies on each raw column.
 *
 * Shares of gain, cover and splits are read off the trees.  Permutation
 * importance is measured by the trainer on the rows of a source, for any
 * algorithm; like evaluate() it writes nothing.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "judge.h"
#include "../cache/model_cache.h"
#include "../report.h"
#include "../result_row.h"

#define FUNCTION "mlops.importance()"

PG_FUNCTION_INFO_V1(mlops_importance);

/* One column of the model. */
typedef struct ColumnImportance
{
	const char *name;
	double		importance;
	double		deviation;		/* NaN: it has none */
	uint32		position;
} ColumnImportance;

static const struct
{
	const char *name;
	TreeImportance kind;
}			tree_kinds[] = {
	{"gain", IMPORTANCE_GAIN},
	{"cover", IMPORTANCE_COVER},
	{"splits", IMPORTANCE_SPLITS}
};

/* The kind of this name read off trees; false for permutation; INVALID_PARAMETER_VALUE for others. */
static bool
tree_kind(const char *name, TreeImportance *kind)
{
	for (int i = 0; i < (int) lengthof(tree_kinds); i++)
	{
		if (strcmp(name, tree_kinds[i].name) == 0)
		{
			*kind = tree_kinds[i].kind;
			return true;
		}
	}
	if (strcmp(name, "permutation") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no importance of kind \"%s\"", name),
				 errhint("The kinds are gain, cover, splits and permutation.")));
	return false;
}

/* The most important first; equal ones in the order of the signature. */
static int
compare_importance(const void *a, const void *b)
{
	const ColumnImportance *left = a;
	const ColumnImportance *right = b;

	int			order = float8_cmp_internal(right->importance, left->importance);

	if (order != 0)
		return order;
	return left->position < right->position ? -1 : 1;
}

/* Sorts the columns and puts a row for each. */
static void
put_columns(ColumnImportance *columns, uint32 n, ReturnSetInfo *result)
{
	ResultRow	row = {.n = 0};

	qsort(columns, n, sizeof(ColumnImportance), compare_importance);
	for (uint32 i = 0; i < n; i++)
	{
		row_add_text(&row, columns[i].name);
		row_add_number(&row, true, columns[i].importance);
		row_add_number(&row, true, columns[i].deviation);
		row_put(&row, result);
	}
}

/* The columns of a model, their importance still to be filled in. */
static ColumnImportance *
model_columns(const Model *model)
{
	ColumnImportance *columns = palloc((model->n_columns + 1) * sizeof(ColumnImportance));

	for (uint32 i = 0; i < model->n_columns; i++)
		columns[i] = (ColumnImportance) {model_string(model, model->columns[i].name), 0, get_float8_nan(), i};
	return columns;
}

/* Shares of the trees' splits. */
static void
put_shares(const Model *model, const ModelRef *ref, const char *kind_name, TreeImportance kind, ReturnSetInfo *result)
{
	ColumnImportance *columns = model_columns(model);
	double	   *shares = palloc((model->n_columns + 1) * sizeof(double));

	if (!model_has_trees(model))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("version %d of model \"%s\" has no importance of kind %s: it is a %s", ref->version, ref->model_name, kind_name,
						model->algorithm->name),
				 errhint("Any model has the kind permutation: mlops.importance('%s@%d', 'permutation', source => ...).",
						 ref->model_name, ref->version)));
	tree_importance(model, kind, shares);
	for (uint32 i = 0; i < model->n_columns; i++)
		columns[i].importance = shares[i];
	put_columns(columns, model->n_columns, result);
}

/* Shares of a version's trees. */
static void
tree_shares(FunctionCallInfo fcinfo, const char *kind_name, TreeImportance kind)
{
	ModelRef	ref;

	if (!PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("importance of kind %s needs no source", kind_name),
				 errhint("Leave it out, or ask for the kind permutation.")));
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_VIEW, &ref);

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		put_shares(&cached->model, &ref, kind_name, kind, (ReturnSetInfo *) fcinfo->resultinfo);
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
}

/* Reads metric, repeats and seed into the job. */
static void
read_job(FunctionCallInfo fcinfo, Job *job)
{
	int32		repeats = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("importance of kind permutation needs rows"),
				 errhint("Give source => 'a table or SELECT' with the features and the target, of rows that training did not see.")));
	if (repeats < 1 || repeats > REPEATS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("repeats must be between 1 and %d", REPEATS_MAX)));
	if (PG_ARGISNULL(5))
		report_null_argument(FUNCTION, "seed");
	job->repeats = (uint32) repeats;
	job->seed = (uint64) PG_GETARG_INT64(5);

	/* the trainer says which there are; a name that is too long for any stays unknown when it is cut */
	if (!PG_ARGISNULL(3))
		strlcpy(job->metric, text_to_cstring(PG_GETARG_TEXT_PP(3)), sizeof(job->metric));
}

/* What the metric loses when a column's values are shuffled. */
static void
permutation_losses(FunctionCallInfo fcinfo)
{
	Job			job = {.kind = JOB_IMPORTANCE};
	ModelRef	ref;

	read_job(fcinfo, &job);
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_PREDICT, &ref);

	Judgement  *judgement = judge_run(&ref, text_to_cstring(PG_GETARG_TEXT_PP(2)), &job);
	const JobResult *result = &judgement->outcome->result;
	ColumnImportance *columns = model_columns(&judgement->model);

	if (result->n_importances != judgement->model.n_columns)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("the trainer measured %u columns instead of %u", result->n_importances, judgement->model.n_columns)));
	for (uint32 i = 0; i < judgement->model.n_columns; i++)
	{
		columns[i].importance = result->importances[i].mean;
		columns[i].deviation = result->importances[i].deviation;
	}
	put_columns(columns, judgement->model.n_columns, (ReturnSetInfo *) fcinfo->resultinfo);
}

/* mlops.importance(model, kind, source, metric, repeats, seed) */
Datum
mlops_importance(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops importance", ALLOCSET_DEFAULT_SIZES);
	TreeImportance kind;
	char	   *kind_name;

	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "model");
	if (PG_ARGISNULL(1))
		report_null_argument(FUNCTION, "kind");
	InitMaterializedSRF(fcinfo, 0);

	MemoryContextSwitchTo(work);
	kind_name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (tree_kind(kind_name, &kind))
		tree_shares(fcinfo, kind_name, kind);
	else
		permutation_losses(fcinfo);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
