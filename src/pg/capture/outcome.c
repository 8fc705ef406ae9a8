/*
 * outcome.c
 *		Outcomes that a query finds, and outcomes of predictions.
 *
 * A bound query belongs to who bound it and is only ever run by that role,
 * with its rights, under the settings of then, and read-only, like a source of
 * train().  What it finds is collected first, then recorded in one statement
 * for some thousand rows, but for what is recorded already.  A job of kind
 * outcomes does the same again and again.
 */
#include "capture.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "../json_fields.h"
#include "../registry/registry_scan.h"
#include "../report.h"
#include "../settings.h"
#include "../source/source.h"

#define ROWS_AT_ONCE 10000
#define JOB_NAME_BYTES 150		/* of a model's name in that of its job */

PG_FUNCTION_INFO_V1(mlops_bind_outcomes);
PG_FUNCTION_INFO_V1(mlops_read_outcomes);
PG_FUNCTION_INFO_V1(mlops_read_bound_outcomes);
PG_FUNCTION_INFO_V1(mlops_outcome_stamp);

/* The columns that a bound query must have. */
static const char *const outcome_columns[] = {"entity_key", "label", "observed_at"};

#define N_COLUMNS ((int) lengthof(outcome_columns))

/* A binding that is being read. */
typedef struct Binding
{
	ModelRef	ref;
	const char *source;			/* with qualified names */
	TimestampTz since;			/* DT_NOBEGIN: all of it */
	TimestampTz newest;			/* of what was read; DT_NOBEGIN: nothing */
} Binding;

static void
ignore_plan(void *context, double rows)
{
}

/* Checks that a query has the columns that it must have. */
static void
check_source(const Source *source)
{
	for (int i = 0; i < N_COLUMNS; i++)
		(void) source_column(source, outcome_columns[i], psprintf("\"%s\"", outcome_columns[i]));
}

/* Runs the query: (text, text, timestamptz), those since then. */
static Tuplestorestate *
run_source(const Binding *binding)
{
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);
	DestReceiver *receiver = CreateTuplestoreDestReceiver();
	const SourceColumn *picked[N_COLUMNS];
	StringInfoData text;
	Source	   *source;

	initStringInfo(&text);
	appendStringInfo(&text, "select q.entity_key::pg_catalog.text as entity_key, q.label::pg_catalog.text as label, "
					 "q.observed_at::pg_catalog.timestamptz as observed_at from (%s) q where q.entity_key is not null and q.label is not null "
					 "and q.observed_at is not null", binding->source);
	if (!TIMESTAMP_IS_NOBEGIN(binding->since))
		appendStringInfo(&text, " and q.observed_at::pg_catalog.timestamptz operator(pg_catalog.>=) %s::pg_catalog.timestamptz",
						 quote_literal_cstr(DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(binding->since)))));
	source = source_open(text.data);
	for (int i = 0; i < N_COLUMNS; i++)
		picked[i] = source_column(source, outcome_columns[i], outcome_columns[i]);
	SetTuplestoreDestReceiverParams(receiver, rows, CurrentMemoryContext, false, NULL, NULL);
	(void) source_run(source, picked, N_COLUMNS, receiver, ignore_plan, NULL);
	receiver->rDestroy(receiver);
	return rows;
}

/* Records some rows, but for those that are there; how many. */
static int64
record(const Binding *binding, Datum *const *columns, int n)
{
	Oid			types[] = {INT8OID, TEXTARRAYOID, TEXTARRAYOID, get_array_type(TIMESTAMPTZOID), TEXTOID};
	Datum		values[] = {
		Int64GetDatum(binding->ref.model_id),
		PointerGetDatum(construct_array(columns[0], n, TEXTOID, -1, false, TYPALIGN_INT)),
		PointerGetDatum(construct_array(columns[1], n, TEXTOID, -1, false, TYPALIGN_INT)),
		PointerGetDatum(construct_array(columns[2], n, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};

	return DatumGetInt64(registry_execute(
		"with recorded as (insert into mlops.outcome (model_id, entity_key, value, observed_at, recorded_by) "
		"select $1, f.entity_key, f.value, f.observed_at, $5 from unnest($2, $3, $4) f (entity_key, value, observed_at) "
		"where f.value is distinct from (select o.value from mlops.outcome o where o.model_id = $1 and o.entity_key = f.entity_key "
		"and o.observed_at = f.observed_at order by o.id desc limit 1) returning 1) select count(*) from recorded",
		lengthof(types), types, values, NULL, NULL));
}

/* Reads a binding: what it finds is recorded; how many are new. */
static int64
read_binding(Binding *binding)
{
	Tuplestorestate *rows = run_source(binding);
	TupleDesc	row_type = CreateTemplateTupleDesc(N_COLUMNS);
	TupleTableSlot *slot;
	MemoryContext block = AllocSetContextCreate(CurrentMemoryContext, "mlops outcomes", ALLOCSET_DEFAULT_SIZES);
	Datum	   *columns[N_COLUMNS];
	TimestampTz now = GetCurrentTimestamp();	/* a label of the future, or of "infinity", must not hide those before it */
	int64		recorded = 0;
	int			n = 0;

	for (int i = 0; i < N_COLUMNS; i++)
	{
		columns[i] = palloc(ROWS_AT_ONCE * sizeof(Datum));
		TupleDescInitEntry(row_type, (AttrNumber) (i + 1), outcome_columns[i], i == 2 ? TIMESTAMPTZOID : TEXTOID, -1, 0);
	}
	slot = MakeSingleTupleTableSlot(row_type, &TTSOpsMinimalTuple);
	binding->newest = DT_NOBEGIN;
	for (bool more = true; more;)
	{
		MemoryContext old = MemoryContextSwitchTo(block);

		more = tuplestore_gettupleslot(rows, true, false, slot);
		if (more)
		{
			slot_getallattrs(slot);
			columns[0][n] = PointerGetDatum(capture_key_text(DatumGetTextPCopy(slot->tts_values[0])));
			columns[1][n] = PointerGetDatum(DatumGetTextPCopy(slot->tts_values[1]));
			columns[2][n] = slot->tts_values[2];
			binding->newest = Max(binding->newest, Min(DatumGetTimestampTz(slot->tts_values[2]), now));
			n++;
		}
		if (n > 0 && (!more || n == ROWS_AT_ONCE))
		{
			recorded += record(binding, columns, n);
			n = 0;
			MemoryContextReset(block);
			CHECK_FOR_INTERRUPTS();
		}
		MemoryContextSwitchTo(old);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
	MemoryContextDelete(block);
	return recorded;
}

/* Notes how far the caller's binding was read. */
static void
note_read(const Binding *binding)
{
	Oid			types[] = {INT8OID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {
		Int64GetDatum(binding->ref.model_id), CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)), TimestampTzGetDatum(binding->newest)
	};
	bool		nulls[] = {false, false, TIMESTAMP_IS_NOBEGIN(binding->newest)};

	registry_execute("update mlops.outcome_binding b set read_until = greatest(b.read_until, $3), read_at = clock_timestamp() "
					 "where b.model_id = $1 and b.owner_name = $2", lengthof(types), types, values, nulls, NULL);
}

/* Runs a statement of ours with the caller's rights. */
static void
run_as_caller(const char *statement, int n, Oid *types, Datum *values)
{
	SPI_connect();
	if (SPI_execute_with_args(statement, n, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of \"%s\"", statement);
	SPI_finish();
}

/* Removes the caller's jobs that read outcomes of a model, which may have had another name, but the one of this name, if it is not NULL. */
static void
unschedule_reading(const char *suffix, const char *keep)
{
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(GetUserId()), CStringGetTextDatum(suffix), CStringGetTextDatum(keep != NULL ? keep : "")};

	run_as_caller("select mlops.unschedule_job(j.name) from mlops.job j where j.owner operator(pg_catalog.=) $1 "
				  "and j.kind operator(pg_catalog.=) 'outcomes' and pg_catalog.starts_with(j.name, 'outcomes of ') "
				  "and pg_catalog.right(j.name, pg_catalog.length($2)) operator(pg_catalog.=) $2 and j.name operator(pg_catalog.<>) $3",
				  lengthof(types), types, values);
}

/* Has the caller's binding read by a job; or not any more, where schedule is NULL. */
static void
schedule_reading(const Binding *binding, text *model, text *schedule)
{
	int			length = pg_mbcliplen(binding->ref.model_name, (int) strlen(binding->ref.model_name), JOB_NAME_BYTES);
	char	   *suffix = psprintf("(model " INT64_FORMAT ")", binding->ref.model_id);
	char	   *name = psprintf("outcomes of %.*s %s", length, binding->ref.model_name, suffix);

	unschedule_reading(suffix, schedule != NULL ? name : NULL);
	if (schedule != NULL && settings_preloaded)
	{
		Oid			types[] = {TEXTOID, TEXTOID, TEXTOID};
		Datum		values[] = {CStringGetTextDatum(name), PointerGetDatum(schedule), PointerGetDatum(model)};

		run_as_caller("select mlops.schedule_job($1, $2, 'outcomes', pg_catalog.jsonb_build_object('model', $3))", lengthof(types), types, values);
	}
	else if (schedule != NULL)
		ereport(NOTICE,
				(errmsg("outcomes that come later are not read by themselves"),
				 errdetail("There are no background workers: mlops is not in shared_preload_libraries."),
				 errhint("Call mlops.read_outcomes() now and then.")));
}

/* bind_outcomes(model, source, lateness, schedule) */
Datum
mlops_bind_outcomes(PG_FUNCTION_ARGS)
{
	Binding		binding = {.since = DT_NOBEGIN};
	Source	   *source;
	int64		recorded;

	if (PG_ARGISNULL(0))
		report_null_argument("mlops.bind_outcomes()", "model");
	if (PG_ARGISNULL(1))
		report_null_argument("mlops.bind_outcomes()", "source");
	if (PG_ARGISNULL(2))
		report_null_argument("mlops.bind_outcomes()", "lateness");
	PreventCommandIfReadOnly("mlops.bind_outcomes()");
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_MODEL, RIGHT_PREDICT, &binding.ref);
	source = source_open(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	check_source(source);
	binding.source = source->qualified;

	Oid			types[] = {INT8OID, TEXTOID, JSONBOID, INTERVALOID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(binding.ref.model_id), CStringGetTextDatum(binding.source), JsonbPGetDatum(source_settings()), PG_GETARG_DATUM(2),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)), CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false))
	};

	registry_execute("insert into mlops.outcome_binding (model_id, source, settings, lateness, owner_name, session_user_name) "
					 "values ($1, $2, $3, $4, $5, $6) on conflict on constraint outcome_binding_key do update set source = excluded.source, "
					 "settings = excluded.settings, lateness = excluded.lateness, session_user_name = excluded.session_user_name, read_until = null",
					 lengthof(types), types, values, NULL, NULL);
	recorded = read_binding(&binding);
	note_read(&binding);
	schedule_reading(&binding, PG_GETARG_TEXT_PP(0), PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
	PG_RETURN_INT64(recorded);
}

/* Finds the caller's binding of a model, and applies its settings; false where there is none. */
static bool
find_binding(Binding *binding)
{
	RegistryScan scan;
	bool		found;

	registry_scan_open(&scan, "outcome_binding");
	registry_scan_key_int64(&scan, "model_id", binding->ref.model_id);
	registry_scan_key_text(&scan, "owner_name", GetUserNameFromId(GetUserId(), false));
	registry_scan_start(&scan, "outcome_binding_key");
	found = registry_scan_next(&scan);
	if (found)
	{
		bool		null;
		Datum		read_until = registry_scan_value(&scan, "read_until", &null);

		binding->since = null ? DT_NOBEGIN
			: DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, read_until,
													  registry_scan_get(&scan, registry_scan_column(&scan, "lateness"))));
		binding->source = registry_scan_text(&scan, registry_scan_column(&scan, "source"));
		source_apply_settings(DatumGetJsonbPCopy(registry_scan_get(&scan, registry_scan_column(&scan, "settings"))));
	}
	registry_scan_close(&scan);
	return found;
}

/* Reads what is new of the caller's binding of a model, who must still have the right to predict; false where there is none. */
static bool
read_again(Binding *binding, int64 *recorded)
{
	int			nest_level = NewGUCNestLevel();
	bool		found = find_binding(binding);

	if (found)
	{
		/* asked here, so that who has bound nothing is told nothing of a model that is there */
		access_require(binding->ref.project_id, RIGHT_PREDICT, binding->ref.model_name);
		*recorded = read_binding(binding);
		note_read(binding);
	}
	AtEOXact_GUC(true, nest_level);
	return found;
}

/* read_outcomes(model) */
Datum
mlops_read_outcomes(PG_FUNCTION_ARGS)
{
	Binding		binding = {.since = DT_NOBEGIN};
	int64		recorded;

	PreventCommandIfReadOnly("mlops.read_outcomes()");
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_MODEL, RIGHT_PREDICT, &binding.ref);
	if (!read_again(&binding, &recorded))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("you have bound no outcomes to model \"%s\"", binding.ref.model_name),
				 errhint("Bind a query with mlops.bind_outcomes().")));
	PG_RETURN_INT64(recorded);
}

/* read_bound_outcomes(model_id): the same for a model that may have another name by now, or be gone. */
Datum
mlops_read_bound_outcomes(PG_FUNCTION_ARGS)
{
	Binding		binding = {.ref.model_id = PG_GETARG_INT64(0), .since = DT_NOBEGIN};
	RegistryScan scan;
	int64		recorded;

	PreventCommandIfReadOnly("mlops.read_bound_outcomes()");
	registry_scan_open(&scan, "model");
	registry_scan_key_int64(&scan, "id", binding.ref.model_id);
	registry_scan_start(&scan, "model_pkey");
	if (registry_scan_next(&scan))
		binding.ref.project_id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "project_id")));
	registry_scan_close(&scan);
	if (binding.ref.project_id == 0)
		PG_RETURN_NULL();
	if (!read_again(&binding, &recorded))
		PG_RETURN_NULL();
	PG_RETURN_INT64(recorded);
}

/* The model of a prediction that the caller may record outcomes of; UNDEFINED_OBJECT where there is none. */
static int64
model_of_prediction(int64 prediction_id)
{
	static struct _SPI_plan *model_plan = NULL;
	static struct _SPI_plan *project_plan = NULL;
	TimestampTz at = capture_id_time(prediction_id);
	Oid			types[] = {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {Int64GetDatum(prediction_id), TimestampTzGetDatum(at), TimestampTzGetDatum(at + 1000)};
	bool		null;
	Datum		model_id = registry_execute_kept(&model_plan, "select p.model_id from mlops.prediction p where p.prediction_id = $1 "
												 "and p.at >= $2 and p.at < $3 limit 1", lengthof(types), types, values, NULL, &null);
	Datum		project_id = (Datum) 0;

	if (!null)
		project_id = registry_execute_kept(&project_plan, "select m.project_id from mlops.model m where m.id = $1", 1, types, &model_id, NULL, &null);
	if (null || !access_allowed(DatumGetInt64(project_id), RIGHT_PREDICT))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("prediction " INT64_FORMAT " does not exist", prediction_id),
				 errhint("One that was made just now may not be written yet: mlops.flush_capture() waits for it.")));
	return DatumGetInt64(model_id);
}

/* Trigger: the model of an outcome's prediction, where it is left out; its entity's key as captured keys are. */
Datum
mlops_outcome_stamp(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != get_relname_relid("outcome", get_namespace_oid("mlops", false)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.outcome_stamp() is a trigger of mlops.outcome, before each row")));

	static const char *const names[] = {"model_id", "prediction_id", "entity_key"};
	TupleDesc	row_type = RelationGetDescr(trigger->tg_relation);
	int			numbers[lengthof(names)];
	Datum		values[lengthof(names)];
	bool		nulls[lengthof(names)];

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		numbers[i] = get_attnum(RelationGetRelid(trigger->tg_relation), names[i]);
		values[i] = heap_getattr(trigger->tg_trigtuple, numbers[i], row_type, &nulls[i]);
	}
	if (nulls[0] && !nulls[1])
	{
		values[0] = Int64GetDatum(model_of_prediction(DatumGetInt64(values[1])));
		nulls[0] = false;
	}
	else if (!nulls[2] && toast_raw_datum_size(values[2]) - VARHDRSZ > CAPTURE_LONGEST_KEY)
		values[2] = PointerGetDatum(capture_key_text(DatumGetTextPP(values[2])));
	else
		return PointerGetDatum(trigger->tg_trigtuple);
	return PointerGetDatum(heap_modify_tuple_by_cols(trigger->tg_trigtuple, row_type, lengthof(names), numbers, values, nulls));
}
