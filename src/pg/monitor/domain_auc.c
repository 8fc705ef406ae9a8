/*
 * domain_auc.c
 *		mlops.domain_auc(): can a model tell two sets of rows apart?
 *
 * Gradient boosting is trained to predict which set a row is of, several
 * times, each time with other rows held out, on which it is judged.  Nothing
 * is stored.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../report.h"
#include "../train/train_job.h"

#define ALGORITHM "gradient_boosting"
#define PARAMS "{\"n_estimators\": 50}"
#define HELD_OUT .2
#define REPEATS_LIMIT 100

PG_FUNCTION_INFO_V1(mlops_domain_auc);

static Jsonb *
json_of(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* A training of the label by all other columns. */
static TrainRequest *
label_request(const char *source, const char *label)
{
	TrainRequest *request = palloc0(sizeof(TrainRequest));
	ColumnChoice choice = {.target = label,.split = &request->split};
	Error		error;

	request->source_text = source;
	request->target = label;
	request->algorithm = algorithm_by_name(ALGORITHM, &error);
	if (request->algorithm == NULL)
		report_error(&error);
	request->params = params_from_json(request->algorithm, json_of(PARAMS));
	request->preprocess = preprocess_from_json(json_of("{}"));
	request->split = (SplitRequest) {.kind = SPLIT_RANDOM,.test = HELD_OUT};
	request->source = source_open(source);
	request->columns = columns_choose(request->source, &choice, request->algorithm, request->preprocess);
	request->task_choice = task_expect("binary", request->algorithm, request->params, request->columns->target);
	return request;
}

/* The metric of one training; NaN where the rows held out do not define it. */
static double
held_out_auc(const TrainRequest *request)
{
	const JobResult *result = &train_fit(request)->outcome->result;

	for (uint32 i = 0; i < result->n_metrics; i++)
	{
		if (strcmp(result->metrics[i].name, "roc_auc") == 0)
			return result->metrics[i].value;
	}
	return NAN;
}

/* mlops.domain_auc(source, label, repeats, seed) */
Datum
mlops_domain_auc(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "mlops domain classifier", ALLOCSET_DEFAULT_SIZES);
	MemoryContext fit = AllocSetContextCreate(work, "mlops domain classifier, one training", ALLOCSET_DEFAULT_SIZES);
	int32		repeats = PG_GETARG_INT32(2);
	TrainRequest *request;
	double		sum = 0;

	if (repeats < 1 || repeats > REPEATS_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("repeats must be between 1 and %d", REPEATS_LIMIT)));
	MemoryContextSwitchTo(work);
	request = label_request(text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	for (int32 i = 0; i < repeats; i++)
	{
		request->seed = (uint64) PG_GETARG_INT64(3) + (uint64) i;
		MemoryContextSwitchTo(fit);
		sum += held_out_auc(request);
		MemoryContextSwitchTo(work);
		MemoryContextReset(fit);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	if (isnan(sum))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum / repeats);
}
