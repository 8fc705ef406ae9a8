/*
 * monitor_create.c
 *		mlops.create_monitor(): checking what is to be watched, and keeping it.
 *
 * Names are resolved under the caller's search_path, and stored qualified,
 * with the settings that the meaning of the source depends on.  The caller's
 * rights are checked here; then the rows are written as the extension's owner.
 */
#include "monitor.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "../json_fields.h"
#include "../reading.h"
#include "../report.h"
#include "../source/source.h"

#define FUNCTION "mlops.create_monitor()"
#define NAME_CHARACTERS 200

PG_FUNCTION_INFO_V1(mlops_create_monitor);

/* Positions of the arguments. */
enum MonitorArgument
{
	ARGUMENT_MODEL,
	ARGUMENT_NAME,
	ARGUMENT_SOURCE,
	ARGUMENT_AT,
	ARGUMENT_OUTCOME,
	ARGUMENT_PREDICTION,
	ARGUMENT_SCHEDULE,
	ARGUMENT_WINDOW_SIZE,
	ARGUMENT_REFERENCE,
	ARGUMENT_FEATURES,
	ARGUMENT_SEGMENTS,
	ARGUMENT_METRICS,
	ARGUMENT_THRESHOLDS,
	ARGUMENT_PRESET,
	ARGUMENT_MIN_ROWS,
	ARGUMENT_DELAY
};

/* Several names. */
typedef struct Names
{
	const char *const *names;
	int			n;
} Names;

/* A text argument, or NULL. */
static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* An array of texts; none for NULL. */
static Names
names_of(Datum array, const char *argument)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	const char **names;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	names = palloc((n + 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" must not hold NULL", argument)));
		names[i] = TextDatumGetCString(elements[i]);
	}
	return (Names) {names, n};
}

/* The same of columns, each of which is to be named once. */
static Names
columns_named(Datum array, const char *argument)
{
	Names		columns = names_of(array, argument);

	for (int i = 1; i < columns.n; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (strcmp(columns.names[i], columns.names[j]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("\"%s\" names column \"%s\" twice", argument, columns.names[i])));
		}
	}
	return columns;
}

/* Refuses an empty list, for all is meant by none. */
static void
require_some(const Names *names, const char *argument)
{
	if (names->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" names nothing to watch", argument),
				 errhint("Leave it out, or NULL, for all.")));
}

/* The names that a statement of the registry's own returns as text[]. */
static Names
names_by(const char *statement, int64 model_id)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(model_id);
	bool		null;
	Datum		array = registry_execute(statement, 1, &type, &value, NULL, &null);

	return null ? (Names) {0} : names_of(array, "");
}

static bool
is_among(const char *name, const Names *names)
{
	for (int i = 0; i < names->n; i++)
	{
		if (strcmp(names->names[i], name) == 0)
			return true;
	}
	return false;
}

/* Refuses what is none of the names that there are. */
static void
check_name(const char *name, const Names *known, const char *message, const char *things)
{
	if (!is_among(name, known))
		report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, message, things, name, known->names, known->n);
}

/* The features that the model's live version, or its newest, has. */
static Names
model_features(const ModelRef *ref)
{
	Names		features = names_by("select array(select s.name from mlops.model_signature s where s.model_id = $1 and s.version = v.version "
									"and s.position > 0 order by s.position) from (select coalesce((select d.version from mlops.deployment d "
									"where d.model_id = $1 and upper_inf(d.valid)), (select max(n.version) from mlops.model_version n "
									"where n.model_id = $1)) as version) v where v.version is not null", ref->model_id);

	if (features.names == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no version to watch", ref->model_name)));
	return features;
}

/* The columns of a source. */
static Names
columns_of(const Source *source)
{
	const char **names = palloc(source->n_columns * sizeof(char *));

	for (int i = 0; i < source->n_columns; i++)
		names[i] = source->columns[i].name;
	return (Names) {names, source->n_columns};
}

/* Refuses windows that end within a day for rows that are of a whole one: all of them would lie in the window of its midnight. */
static void
check_dates(const char *at, const Interval *window_size)
{
	if (window_size->day == 0 && window_size->month == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the source is of type date, and windows of %s are not of whole days", at,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(unconstify(Interval *, window_size))))),
				 errhint("Give window_size in days or months, such as '1 day', or a column that has a time of day.")));
}

/* Checks that the source has what is needed of it. */
static void
check_source(const Source *source, const char *at, const Interval *window_size, const char *outcome, const char *prediction, const Names *needed)
{
	const SourceColumn *column;

	if (at == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a monitor of a source needs the argument \"at\""),
				 errhint("It names the column that says when a row was.")));
	column = source_column(source, at, "\"at\"");
	if (column->base_type != TIMESTAMPTZOID && column->base_type != TIMESTAMPOID && column->base_type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the source is of type %s, and must be a timestamp or a date", at, column->type_name)));
	if (column->base_type == DATEOID)
		check_dates(at, window_size);
	if (outcome != NULL)
		(void) source_column(source, outcome, "\"outcome\"");
	if (prediction != NULL)
		(void) source_column(source, prediction, "\"prediction\"");
	for (int i = 0; i < needed->n; i++)
		(void) source_column(source, needed->names[i], "the model");
}

/* Checks thresholds: an object of names of metrics and numbers. */
static void
check_thresholds(Jsonb *thresholds, const Names *metrics)
{
	int			n;
	JsonField  *fields = json_fields(thresholds, "thresholds", &n);

	for (int i = 0; i < n; i++)
	{
		double		threshold;

		check_name(fields[i].key, metrics, psprintf("\"thresholds\" names \"%s\", which is no metric", fields[i].key), "metrics");
		threshold = json_number(&fields[i], "thresholds");
		if (!(threshold >= 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the threshold of \"%s\" must not be negative", fields[i].key)));
	}
}

/* Checks metrics, thresholds and the preset. */
static void
check_metrics(FunctionCallInfo fcinfo)
{
	static const char *const presets[] = {"evidently", "nannyml", "sagemaker", "vertex", "azure", "domino"};
	static const char *const metrics_query = "select array_agg(distinct w.metric order by w.metric) from mlops.monitor_metric w where $1 is not null";
	static const char *const kinds_query = "select array_agg(distinct n order by n) from mlops.monitor_metric w, unnest(array[w.kind, w.metric]) n where $1 is not null";

	if (!PG_ARGISNULL(ARGUMENT_METRICS))
	{
		Names		known = names_by(kinds_query, 0);
		Names		metrics = names_of(PG_GETARG_DATUM(ARGUMENT_METRICS), "metrics");

		require_some(&metrics, "metrics");
		for (int i = 0; i < metrics.n; i++)
			check_name(metrics.names[i], &known, psprintf("\"metrics\" names \"%s\", which is neither a kind nor a metric", metrics.names[i]),
					   "kinds and metrics");
	}
	if (!PG_ARGISNULL(ARGUMENT_THRESHOLDS))
	{
		Names		known = names_by(metrics_query, 0);

		check_thresholds(PG_GETARG_JSONB_P(ARGUMENT_THRESHOLDS), &known);
	}
	if (!PG_ARGISNULL(ARGUMENT_PRESET))
	{
		Names		known = {presets, lengthof(presets)};
		char	   *preset = text_argument(fcinfo, ARGUMENT_PRESET);

		check_name(preset, &known, psprintf("unknown preset \"%s\"", preset), "presets");
	}
}

/* Checks window_size, schedule, min_rows and delay. */
static void
check_sizes(FunctionCallInfo fcinfo)
{
	static const Interval nothing = {0};
	Oid			type = INTERVALOID;
	Datum		size = PG_GETARG_DATUM(ARGUMENT_WINDOW_SIZE);

	(void) registry_execute("select mlops.window_start(now(), $1)", 1, &type, &size, NULL, NULL);
	if (!PG_ARGISNULL(ARGUMENT_SCHEDULE))
	{
		Datum		schedule = PG_GETARG_DATUM(ARGUMENT_SCHEDULE);

		(void) registry_execute("select mlops.next_run($1)", 1, (Oid[]) {TEXTOID}, &schedule, NULL, NULL);
	}
	if (!PG_ARGISNULL(ARGUMENT_MIN_ROWS) && PG_GETARG_INT32(ARGUMENT_MIN_ROWS) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_rows is %d, and must be 1 or more", PG_GETARG_INT32(ARGUMENT_MIN_ROWS))));
	if (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(ARGUMENT_DELAY), IntervalPGetDatum(unconstify(Interval *, &nothing)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delay must not be negative")));
}

/* The arguments that must not be NULL. */
static void
check_given(FunctionCallInfo fcinfo)
{
	static const struct
	{
		int			n;
		const char *name;
	}			required[] = {
		{ARGUMENT_MODEL, "model"}, {ARGUMENT_NAME, "name"}, {ARGUMENT_WINDOW_SIZE, "window_size"}, {ARGUMENT_REFERENCE, "reference"},
		{ARGUMENT_DELAY, "delay"}
	};

	PreventCommandIfReadOnly(FUNCTION);
	for (int i = 0; i < (int) lengthof(required); i++)
	{
		if (PG_ARGISNULL(required[i].n))
			report_null_argument(FUNCTION, required[i].name);
	}
}

/* What the names of a call mean. */
typedef struct NewMonitor
{
	ModelRef	ref;
	const char *name;
	Source	   *source;			/* NULL: the captured predictions */
	const char *reference;		/* training, previous, or a qualified query */
	bool		freezes;		/* the reference is a query */
	Names		watched;		/* features */
} NewMonitor;

/* Reads the source, and the columns that are named. */
static void
read_source(FunctionCallInfo fcinfo, NewMonitor *monitor)
{
	Names		features = model_features(&monitor->ref);
	Names		columns = features;
	char	   *source = text_argument(fcinfo, ARGUMENT_SOURCE);
	char	   *prediction = text_argument(fcinfo, ARGUMENT_PREDICTION);

	if (!PG_ARGISNULL(ARGUMENT_FEATURES))
	{
		monitor->watched = columns_named(PG_GETARG_DATUM(ARGUMENT_FEATURES), "features");
		require_some(&monitor->watched, "features");
		for (int i = 0; i < monitor->watched.n; i++)
			check_name(monitor->watched.names[i], &features,
					   psprintf("\"features\" names \"%s\", which the model does not read", monitor->watched.names[i]), "features of the model");
	}
	else
		monitor->watched = features;
	if (source != NULL)
	{
		/* to predict takes all features; of predictions that are there, what is watched */
		monitor->source = source_open(source);
		check_source(monitor->source, text_argument(fcinfo, ARGUMENT_AT), PG_GETARG_INTERVAL_P(ARGUMENT_WINDOW_SIZE),
					 text_argument(fcinfo, ARGUMENT_OUTCOME), prediction, prediction != NULL ? &monitor->watched : &features);
		if (!PG_ARGISNULL(ARGUMENT_SCHEDULE) && isQueryUsingTempRelation(monitor->source->query))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a monitor with a schedule cannot use temporary tables"),
					 errhint("With schedule => NULL it runs when it is called.")));
		columns = columns_of(monitor->source);
	}
	else if (!PG_ARGISNULL(ARGUMENT_AT) || !PG_ARGISNULL(ARGUMENT_OUTCOME) || prediction != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"at\", \"outcome\" and \"prediction\" name columns of a source, and there is none"),
				 errhint("Without a source a monitor watches the captured predictions, which have a time and outcomes.")));
	if (!PG_ARGISNULL(ARGUMENT_SEGMENTS))
	{
		Names		segments = columns_named(PG_GETARG_DATUM(ARGUMENT_SEGMENTS), "segments");

		for (int i = 0; i < segments.n; i++)
			check_name(segments.names[i], &columns, psprintf("\"segments\" names column \"%s\", which there is not", segments.names[i]), "columns");
	}
}

/* Reads what is compared with. */
static void
read_reference(FunctionCallInfo fcinfo, NewMonitor *monitor)
{
	monitor->reference = text_argument(fcinfo, ARGUMENT_REFERENCE);
	if (strcmp(monitor->reference, "training") == 0 || strcmp(monitor->reference, "previous") == 0)
		return;

	Source	   *query = source_open(monitor->reference);

	for (int i = 0; i < monitor->watched.n; i++)
	{
		if (source_find(query, monitor->watched.names[i]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the reference lacks column \"%s\", which is watched", monitor->watched.names[i]),
					 errhint("A query as reference has all features that the monitor watches; \"features\" lists fewer.")));
	}
	monitor->reference = query->qualified;
	monitor->freezes = true;
}

/* Writes the monitor; its id. */
static int64
write_monitor(FunctionCallInfo fcinfo, const NewMonitor *monitor)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID, INTERVALOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID,
	TEXTARRAYOID, JSONBOID, TEXTOID, INT4OID, INTERVALOID, OIDOID, OIDOID};
	static const int arguments[lengthof(types)] = {-1, -1, -1, ARGUMENT_AT, ARGUMENT_OUTCOME, ARGUMENT_PREDICTION, -1, ARGUMENT_SCHEDULE,
		ARGUMENT_WINDOW_SIZE, -1, ARGUMENT_FEATURES, ARGUMENT_SEGMENTS, ARGUMENT_METRICS, ARGUMENT_THRESHOLDS, ARGUMENT_PRESET, ARGUMENT_MIN_ROWS,
	ARGUMENT_DELAY, -1, -1};
	Datum		values[lengthof(types)];
	bool		nulls[lengthof(types)] = {false};
	bool		null;
	Datum		id;

	for (int i = 0; i < (int) lengthof(types); i++)
	{
		if (arguments[i] < 0)
			continue;
		nulls[i] = PG_ARGISNULL(arguments[i]);
		values[i] = PG_GETARG_DATUM(arguments[i]);
	}
	values[0] = Int64GetDatum(monitor->ref.model_id);
	values[1] = CStringGetTextDatum(monitor->name);
	nulls[2] = monitor->source == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(monitor->source->qualified);
	values[6] = JsonbPGetDatum(source_settings());
	values[9] = CStringGetTextDatum(monitor->reference);
	values[17] = ObjectIdGetDatum(GetUserId());
	values[18] = ObjectIdGetDatum(GetSessionUserId());
	id = registry_execute("insert into mlops.monitor (model_id, name, source, at, outcome, prediction, settings, schedule, window_size, reference, "
						  "features, segments, metrics, thresholds, preset, min_rows, delay, owner, session_role) values ($1, $2, $3, $4, $5, $6, $7, $8, "
						  "$9, $10, $11, coalesce($12, '{}'), $13, coalesce($14, '{}'), $15, $16, $17, $18::regrole, $19::regrole) "
						  "on conflict on constraint monitor_key do nothing returning id", lengthof(types), types, values, nulls, &null);
	if (null)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" has a monitor \"%s\" already", monitor->ref.model_name, monitor->name),
				 errhint("Give another name, or remove it with mlops.drop_monitor().")));
	return DatumGetInt64(id);
}

/* Profiles the rows of the reference, with the caller's rights, and keeps that. */
static void
freeze_reference(int64 id)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(id);
	bool		null;
	Datum		rows = read_as_caller("select mlops.reference_of_query($1)", 1, &type, &value, &null);
	Oid			types[] = {INT8OID, monitor_array_type("monitor_reference")};

	if (!null)
		(void) registry_execute("insert into mlops.monitor_reference select r.* from unnest($2) r where r.monitor_id = $1",
								lengthof(types), types, (Datum[]) {value, rows}, NULL, NULL);
}

/* Makes the job that runs it, where there are workers. */
static void
schedule_monitor(FunctionCallInfo fcinfo, int64 id)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT8OID};
	Datum		values[] = {
		CStringGetTextDatum(psprintf("monitor " INT64_FORMAT, id)), PG_GETARG_DATUM(ARGUMENT_SCHEDULE), Int64GetDatum(id)
	};
	bool		null;
	Datum		job = call_as_caller("select mlops.schedule_job($1, $2, 'monitor', pg_catalog.jsonb_build_object('monitor', $3)) where mlops.can_capture()",
									 lengthof(types), types, values, &null);

	if (null)
	{
		ereport(NOTICE,
				(errmsg("monitor " INT64_FORMAT " runs only when it is called", id),
				 errhint("Its schedule takes background workers: add mlops to shared_preload_libraries and restart the server.")));
		return;
	}
	(void) registry_execute("update mlops.monitor m set job_id = $1 where m.id = $2", 2, (Oid[]) {INT8OID, INT8OID},
							(Datum[]) {job, Int64GetDatum(id)}, NULL, NULL);
}

/* mlops.create_monitor(model, name, source, at, ...) */
Datum
mlops_create_monitor(PG_FUNCTION_ARGS)
{
	NewMonitor	monitor = {0};
	int64		id;

	check_given(fcinfo);
	monitor.name = text_argument(fcinfo, ARGUMENT_NAME);
	if (monitor.name[0] == '\0' || pg_mbstrlen(monitor.name) > NAME_CHARACTERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of a monitor must have 1 to %d characters", NAME_CHARACTERS)));
	registry_resolve(text_argument(fcinfo, ARGUMENT_MODEL), BARE_MODEL, RIGHT_VIEW, &monitor.ref);
	monitor_require_right(&monitor.ref);
	check_sizes(fcinfo);
	check_metrics(fcinfo);
	read_source(fcinfo, &monitor);
	read_reference(fcinfo, &monitor);

	id = write_monitor(fcinfo, &monitor);
	if (monitor.freezes)
		freeze_reference(id);
	if (!PG_ARGISNULL(ARGUMENT_SCHEDULE))
		schedule_monitor(fcinfo, id);
	PG_RETURN_INT64(id);
}
