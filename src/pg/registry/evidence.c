/*
 * evidence.c
 *		Records of what was done: snapshots, runs, metrics by step.
 *
 * Written as the registry's owner (registry_execute), so that no user can
 * forge them; the names of the caller's roles are therefore given, and never
 * left to a default.
 */
#include "evidence.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "../json_fields.h"
#include "registry.h"

#define UINT128_DIGITS 40

/* The experiment of this name in a project, made where there is none. */
int64
evidence_experiment(int64 project_id, const char *name)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(project_id),
		CStringGetTextDatum(name),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};

	registry_execute("insert into mlops.experiment (project_id, name, created_by) values ($1, $2, $3) "
					 "on conflict (project_id, name) do nothing", 3, types, values, NULL, NULL);
	return DatumGetInt64(registry_execute("select e.id from mlops.experiment e where e.project_id = $1 and e.name = $2",
										  2, types, values, NULL, NULL));
}

/* A fingerprint of 128 bits, low word first, as numeric. */
Datum
evidence_fingerprint(const uint64_t *words)
{
	unsigned __int128 rest = (unsigned __int128) words[1] << 64 | words[0];
	char		text[UINT128_DIGITS + 1];
	char	   *digit = text + UINT128_DIGITS;

	*digit = '\0';
	do
	{
		*--digit = (char) ('0' + (int) (rest % 10));
		rest /= 10;
	} while (rest > 0);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(digit), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static const char *
role_name(ColumnRole role)
{
	switch (role)
	{
		case ROLE_FEATURE:
			return "feature";
		case ROLE_TARGET:
			return "target";
		case ROLE_WEIGHT:
			return "weight";
		case ROLE_SPLIT:
			return "split";
		case ROLE_SEGMENT:
			return "segment";
	}
	return "unknown";
}

/* A number of a column's profile, left out where there is none. */
static void
push_profile_number(JsonbParseState **state, const char *key, double value)
{
	if (isnan(value))
		return;
	json_push_key(state, key);
	json_push_number(state, WJB_VALUE, value);
}

/* One object a column: name, type, role and what its values are like. */
static Jsonb *
profile_columns(const JobResult *result)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < result->n_columns; i++)
	{
		const ColumnProfile *column = &result->columns[i];

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		json_push_key(&state, "name");
		json_push_text(&state, WJB_VALUE, column->name);
		json_push_key(&state, "type");
		json_push_text(&state, WJB_VALUE, column->type_name);
		json_push_key(&state, "role");
		json_push_text(&state, WJB_VALUE, role_name((ColumnRole) column->role));
		json_push_key(&state, "kind");
		json_push_text(&state, WJB_VALUE, kind_name((ColumnKind) column->kind));
		json_push_key(&state, "missing");
		json_push_integer(&state, WJB_VALUE, (int64) column->n_missing);
		if (column->n_distinct > 0)
		{
			json_push_key(&state, "distinct");
			json_push_integer(&state, WJB_VALUE, (int64) column->n_distinct);
		}
		push_profile_number(&state, "min", column->lowest);
		push_profile_number(&state, "max", column->highest);
		push_profile_number(&state, "mean", column->mean);
		push_profile_number(&state, "stddev", column->deviation);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* Records what a source returned. */
int64
evidence_snapshot(int64 project_id, const Source *source, bool row_security, const JobResult *result)
{
	Oid			types[] = {INT8OID, TEXTOID, JSONBOID, TEXTOID, BOOLOID, INT8OID, NUMERICOID, JSONBOID};
	Datum		values[] = {
		Int64GetDatum(project_id),
		CStringGetTextDatum(source->qualified),
		JsonbPGetDatum(source_settings()),
		CStringGetTextDatum(GetUserNameFromId(source_role(source), false)),
		BoolGetDatum(row_security),
		Int64GetDatum((int64) result->n_rows),
		evidence_fingerprint(result->fingerprint),
		JsonbPGetDatum(profile_columns(result))
	};

	return DatumGetInt64(registry_execute("insert into mlops.snapshot "
										  "(project_id, query, settings, role_name, row_security_applied, row_count, fingerprint, columns) "
										  "values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
										  lengthof(types), types, values, NULL, NULL));
}

/* Pushes seconds, to the microsecond. */
static void
push_seconds(JsonbParseState **state, const char *phase, double seconds)
{
	json_push_key(state, phase);
	json_push_number(state, WJB_VALUE, rint(seconds * USECS_PER_SEC) / USECS_PER_SEC);
}

/* Seconds by phase: the scan, then what the trainer says. */
static Jsonb *
timing_json(const RunRecord *run)
{
	const JobResult *result = &run->outcome->result;
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_seconds(&state, "scan", run->scan_seconds);
	for (uint32 i = 0; i < result->n_phases; i++)
		push_seconds(&state, result->phases[i].name, result->phases[i].seconds);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Model, version and SHA-256 of what a training went on from; NULLs where it began anew. */
static void
init_columns(const ModelRef *init, Datum *values, bool *nulls)
{
	bytea	   *digest = palloc(VARHDRSZ + REGISTRY_HASH_SIZE);

	nulls[0] = nulls[1] = nulls[2] = init == NULL;
	if (init == NULL)
		return;
	SET_VARSIZE(digest, VARHDRSZ + REGISTRY_HASH_SIZE);
	memcpy(VARDATA(digest), init->sha256, REGISTRY_HASH_SIZE);
	values[0] = Int64GetDatum(init->model_id);
	values[1] = Int32GetDatum(init->version);
	values[2] = PointerGetDatum(digest);
}

/* The row of run. */
static int64
insert_run(const RunRecord *run)
{
	const JobResult *result = &run->outcome->result;
	Oid			types[] = {
		INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID, JSONBOID,
		INT8OID, INT4OID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
		JSONBOID, INT8OID, INT4OID, BYTEAOID, JSONBOID, INT8OID
	};
	Datum		values[] = {
		Int64GetDatum(run->project_id),
		Int64GetDatum(run->experiment_id),
		Int64GetDatum(run->snapshot_id),
		CStringGetTextDatum(run->model_name),
		CStringGetTextDatum(run->algorithm),
		CStringGetTextDatum(task_name(run->task)),
		CStringGetTextDatum(run->target),
		JsonbPGetDatum(run->arguments),
		JsonbPGetDatum(run->params),
		JsonbPGetDatum(run->metrics),
		Int64GetDatum((int64) run->seed),
		Int32GetDatum(run->threads),
		CStringGetTextDatum(MLOPS_VERSION),
		Int64GetDatum((int64) result->n_train),
		Int64GetDatum((int64) result->n_validation),
		Int64GetDatum((int64) result->n_test),
		Int64GetDatum((int64) result->n_dropped),
		CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false)),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)),
		TimestampTzGetDatum(run->started),
		TimestampTzGetDatum(run->finished),
		JsonbPGetDatum(timing_json(run)),
		(Datum) 0, (Datum) 0, (Datum) 0,
		JsonbPGetDatum(run->test_part),
		Int64GetDatum(run->reproduces)
	};
	bool		nulls[lengthof(types)] = {0};

	nulls[1] = run->experiment_id == 0;
	init_columns(run->init, values + 22, nulls + 22);
	nulls[25] = run->test_part == NULL;
	nulls[26] = run->reproduces == 0;
	return DatumGetInt64(registry_execute("insert into mlops.run "
										  "(project_id, experiment_id, snapshot_id, model_name, algorithm, task, target, arguments, params, metrics, "
										  "seed, threads, trainer, rows_train, rows_validation, rows_test, rows_dropped, "
										  "session_user_name, current_user_name, started_at, finished_at, timing, init_model_id, init_version, init_sha256, test_part, reproduces, "
										  "kind, state, device) "
										  "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, "
										  "case when $27 is null then 'train' else 'reproduce' end, 'succeeded', 'cpu') returning id",
										  lengthof(types), types, values, nulls, NULL));
}

/* Inserts n values of one metric, each with its step; NaN is NULL. */
static void
insert_metric(int64 run_id, const char *name, const int32 *steps, const double *metric_values, int n)
{
	Datum	   *step_datums = palloc((n + 1) * sizeof(Datum));
	Datum	   *value_datums = palloc((n + 1) * sizeof(Datum));
	bool	   *undefined = palloc((n + 1) * sizeof(bool));
	int			lower_bound = 1;
	Oid			types[] = {INT8OID, TEXTOID, INT4ARRAYOID, FLOAT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(run_id), CStringGetTextDatum(name), (Datum) 0, (Datum) 0};

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		step_datums[i] = Int32GetDatum(steps[i]);
		value_datums[i] = Float8GetDatum(metric_values[i]);
		undefined[i] = isnan(metric_values[i]);
	}
	values[2] = PointerGetDatum(construct_array(step_datums, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[3] = PointerGetDatum(construct_md_array(value_datums, undefined, 1, &n, &lower_bound,
												   FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	registry_execute("insert into mlops.metric (run_id, name, step, value) "
					 "select $1, $2, s.step, s.value from rows from (unnest($3), unnest($4)) as s (step, value)",
					 lengthof(types), types, values, NULL, NULL);
}

/* One curve: a number by iteration, which lies at an offset in each; where it is NaN there is none. */
static void
insert_curve(int64 run_id, const char *name, const TrainerOutcome *outcome, size_t offset)
{
	int32	   *steps = palloc_extended((outcome->n_iterations + 1) * sizeof(int32), MCXT_ALLOC_HUGE);
	double	   *values = palloc_extended((outcome->n_iterations + 1) * sizeof(double), MCXT_ALLOC_HUGE);
	int			n = 0;

	for (int i = 0; i < outcome->n_iterations; i++)
	{
		const TrainerIteration *iteration = &outcome->iterations[i];
		double		value;

		memcpy(&value, (const char *) iteration + offset, sizeof(value));
		if (isnan(value))
			continue;
		steps[n] = (int32) iteration->number;
		values[n++] = value;
	}
	insert_metric(run_id, name, steps, values, n);
	pfree(steps);
	pfree(values);
}

/* The log of the training: losses, and the metric that it stops by, on both parts. */
static void
insert_curves(int64 run_id, const TrainerOutcome *outcome)
{
	insert_curve(run_id, "train_loss", outcome, offsetof(TrainerIteration, train_loss));
	insert_curve(run_id, "validation_loss", outcome, offsetof(TrainerIteration, validation_loss));
	if (outcome->metric[0] == '\0')
		return;
	insert_curve(run_id, psprintf("train_%s", outcome->metric), outcome, offsetof(TrainerIteration, train_metric));
	insert_curve(run_id, psprintf("validation_%s", outcome->metric), outcome, offsetof(TrainerIteration, validation_metric));
}

/* Records a training. */
int64
evidence_run(const RunRecord *run)
{
	const JobResult *result = &run->outcome->result;
	int64		run_id = insert_run(run);
	int32		result_step = 0;

	for (uint32 i = 0; i < result->n_metrics; i++)
		insert_metric(run_id, result->metrics[i].name, &result_step, &result->metrics[i].value, 1);
	insert_curves(run_id, run->outcome);
	return run_id;
}
