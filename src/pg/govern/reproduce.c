/*
 * reproduce.c
 *		mlops.reproduce(): a training repeated, and compared with what it was.
 *
 * The query, its settings, the arguments and the seed are those of the run.
 * It runs with its author's rights where the caller has them anyway, so that
 * a superuser lends none to others' text; else with the caller's, who sees
 * what row security shows them, and only where it calls no functions of
 * anybody's but the caller's and superusers'.
 * What cannot be repeated is no error: the subtransaction in which it failed
 * is undone, and the answer says why.  What was repeated is written down as a
 * run of its own; the model that came of it is thrown away.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "../json_fields.h"
#include "../progress.h"
#include "../registry/registry.h"
#include "../report.h"
#include "../train/train_job.h"

#define FUNCTION "mlops.reproduce()"

PG_FUNCTION_INFO_V1(mlops_reproduce);

/* What is to be repeated, and what came of it. */
typedef struct Reproduction
{
	int64		run_id;
	int64		project_id;
	const char *why_not;		/* NULL: it can be, as far as one can tell before */
	Jsonb	   *args;			/* of train() */
	Jsonb	   *settings;		/* of its source */
	const char *author;			/* who gave the source */
	int64		repeated_as;	/* the run that repeats it */
	Datum		sha256;			/* of the model that came of it */
} Reproduction;

/* What the run was. */
static void
load_run(Reproduction *work)
{
	Datum		run_id = Int64GetDatum(work->run_id);
	bool		is_null;
	Datum		plan = registry_execute("select mlops.reproduce_plan($1)", 1, &(Oid){INT8OID}, &run_id, NULL, &is_null);
	JsonField  *fields;
	int			n = 0;

	fields = is_null ? NULL : json_fields(DatumGetJsonbP(plan), "plan", &n);
	for (int i = 0; i < n; i++)
	{
		JsonField  *field = &fields[i];

		if (strcmp(field->key, "project_id") == 0)
			work->project_id = (int64) json_number(field, "plan");
		else if (strcmp(field->key, "why_not") == 0)
			work->why_not = field->value.type == jbvNull ? NULL : json_text(field, "plan");
		else if (strcmp(field->key, "args") == 0)
			work->args = JsonbValueToJsonb(&field->value);
		else if (strcmp(field->key, "settings") == 0)
			work->settings = JsonbValueToJsonb(&field->value);
		else if (strcmp(field->key, "author") == 0 && field->value.type != jbvNull)
			work->author = json_text(field, "plan");
	}
	if (is_null || !access_allowed(work->project_id, RIGHT_VIEW))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("run " INT64_FORMAT " does not exist", work->run_id),
				 errhint("Runs that you may see are in mlops.run.")));
	access_require(work->project_id, RIGHT_TRAIN, NULL);
}

/* The arguments, with the source analysed, and with whose rights it runs. */
static TrainRequest *
read_request(const Reproduction *work)
{
	Oid			author = get_role_oid(work->author, true);
	TrainRequest *request;
	const char *strange;
	Oid			owner;

	if (!OidIsValid(author))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", whose query it was, does not exist", work->author)));
	request = train_request_from_json(work->args, NULL, author);
	if (has_privs_of_role(GetUserId(), author))
		return request;

	request->source->role = InvalidOid;
	strange = source_strange(request->source, &owner);
	if (strange != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the query uses %s of role \"%s\", which would have the rights of whoever repeats it", strange, GetUserNameFromId(owner, false))));
	return request;
}

/* Trains, and writes down the run. */
static void
run_again(Reproduction *work)
{
	TrainRecord record = {.started = GetCurrentTimestamp()};
	int			nest_level = NewGUCNestLevel();
	TrainRequest *request;
	TrainedModel *trained;

	source_apply_settings(work->settings);
	request = read_request(work);
	(void) progress_begin("reproduce", request->model_name, request->project_id);
	trained = train_fit(request);
	train_record_run(request, trained, work->run_id, &record);
	AtEOXact_GUC(true, nest_level);
	work->repeated_as = record.run_id;
	work->sha256 = registry_sha256((const uint8 *) VARDATA(trained->artifact), VARSIZE(trained->artifact) - VARHDRSZ);
}

/* Why it failed, where that says something about the run; other errors go on. */
static const char *
failure(MemoryContext context)
{
	MemoryContextSwitchTo(context);

	ErrorData  *error = CopyErrorData();
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	if (category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_SYSTEM_ERROR ||
		category == ERRCODE_TRANSACTION_ROLLBACK || category == ERRCODE_INTERNAL_ERROR)
		return NULL;
	FlushErrorState();
	return psprintf("%s (%s)", error->message, unpack_sql_state(error->sqlerrcode));
}

/* Repeats it in a subtransaction; why_not is set where that failed. */
static void
try_to_repeat(Reproduction *work)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext scratch = AllocSetContextCreate(caller, "mlops reproduction", ALLOCSET_DEFAULT_SIZES);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(scratch);
	PG_TRY();
	{
		run_again(work);
		MemoryContextSwitchTo(caller);
		work->sha256 = PointerGetDatum(PG_DETOAST_DATUM_COPY(work->sha256));
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		work->why_not = failure(caller);
		if (work->why_not == NULL)
			PG_RE_THROW();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	MemoryContextDelete(scratch);
}

/* How the two runs compare: same_rows, same_artifact, same_metrics, detail. */
static Datum
compare(const Reproduction *work, TupleDesc row_type)
{
	static const char *const columns[] = {"same_rows", "same_artifact", "same_metrics", "detail"};
	Oid			types[] = {INT8OID, INT8OID, BYTEAOID, TEXTOID};
	Datum		given[] = {
		Int64GetDatum(work->run_id),
		Int64GetDatum(work->repeated_as),
		work->sha256,
		work->why_not != NULL ? CStringGetTextDatum(work->why_not) : (Datum) 0
	};
	bool		given_nulls[] = {false, work->why_not != NULL, work->why_not != NULL, work->why_not == NULL};
	Jsonb	   *answer = DatumGetJsonbP(registry_execute("select mlops.compare_reproduction($1, $2, $3, $4)", lengthof(types), types, given, given_nulls, NULL));
	Datum		values[lengthof(columns)] = {0};
	bool		nulls[lengthof(columns)];

	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		JsonbValue *value = getKeyJsonValueFromContainer(&answer->root, columns[i], (int) strlen(columns[i]), NULL);

		nulls[i] = value == NULL || value->type == jbvNull;
		if (!nulls[i])
			values[i] = value->type == jbvBool ? BoolGetDatum(value->val.boolean) : JsonbPGetDatum(JsonbValueToJsonb(value));
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}

/* mlops.reproduce(run_id) */
Datum
mlops_reproduce(PG_FUNCTION_ARGS)
{
	Reproduction work = {.run_id = PG_GETARG_INT64(0)};
	TupleDesc	row_type;

	PreventCommandIfReadOnly(FUNCTION);
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, FUNCTION " returns a row");
	load_run(&work);
	if (work.why_not == NULL)
		try_to_repeat(&work);
	return compare(&work, row_type);
}
