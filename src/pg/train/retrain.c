/*
 * retrain.c
 *		mlops.retrain(): the live version trained anew, and deployed where it is better.
 *
 * Everything but the source is as in the run of the version that is live (or
 * newest, where none is).  Training, comparison and deployment are one
 * transaction of the caller's, with the caller's rights; the comparison is
 * evidence.
 *
 * The query that was stored then is its author's text: it runs with the
 * author's rights, and only for who has them anyway.  So it can do nothing in
 * the name of a superuser who repeats it, and show nobody what he may not see.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "../json_fields.h"
#include "metrics_json.h"
#include "../report.h"
#include "../../core/model/metric_names.h"
#include "train_job.h"

#define FUNCTION "mlops.retrain()"
#define SIGNIFICANT .05			/* one-sided */

PG_FUNCTION_INFO_V1(mlops_retrain);

typedef enum DeployPolicy
{
	DEPLOY_IF_BETTER,
	DEPLOY_NEVER,
	DEPLOY_ALWAYS
} DeployPolicy;

/* What is to be trained anew. */
typedef struct Retraining
{
	char	   *reference;		/* of the model, as given */
	ModelRef	ref;			/* version: the champion */
	int32		live;			/* the version that was live, or 0 */
	DeployPolicy policy;
	double		margin;
	Jsonb	   *args;			/* of train() */
	Jsonb	   *settings;		/* of the champion's source */
	Jsonb	   *test_part;		/* of the champion; NULL: none */
	Oid			author;			/* of the champion's source, whose rights it runs with; InvalidOid: the caller's */
	TrainRequest *request;
	TrainRecord record;
} Retraining;

/* How the new version does beside the champion. */
typedef struct Verdict
{
	const JobResult *result;	/* NULL: they could not be compared */
	const char *why_not;
	double		difference;
	double		standard_error;
	double		p_value;		/* of the difference being the margin or less */
	bool		better;
} Verdict;

static DeployPolicy
read_policy(const char *text)
{
	static const char *const names[] = {"if_better", "never", "always"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(text, names[i]) == 0)
			return (DeployPolicy) i;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("unknown value \"%s\" of argument \"deploy\"", text), "values", text, names,
						lengthof(names));
}

/* The role whose rights the champion's source runs with; the caller must have them. */
static Oid
find_author(const Retraining *work, const char *name)
{
	static const char *const way_out = "Give a query as \"source\", which runs with your rights.";
	Oid			author = get_role_oid(name, true);

	if (!OidIsValid(author))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\", whose query version %d of model \"%s\" was trained on, does not exist", name, work->ref.version, work->ref.model_name),
				 errhint("%s", way_out)));
	if (!has_privs_of_role(GetUserId(), author))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the query that version %d of model \"%s\" was trained on", work->ref.version, work->ref.model_name),
				 errdetail("It runs with the rights of role \"%s\", which gave it.", name),
				 errhint("%s", way_out)));
	return author;
}

/* The arguments of the champion's run, with another source where one is given. */
static void
load_champion(Retraining *work, const char *source)
{
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(work->ref.model_id),
		Int32GetDatum(work->ref.version),
		CStringGetTextDatum(work->reference),
		source != NULL ? CStringGetTextDatum(source) : (Datum) 0
	};
	bool		nulls[] = {false, false, false, source == NULL};
	bool		is_null;
	Datum		plan = registry_execute("select mlops.retrain_plan($1, $2, $3, $4)", lengthof(types), types, values, nulls, &is_null);
	JsonField  *fields;
	int			n;

	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" was not trained here, so its training cannot be repeated", work->ref.version, work->ref.model_name),
				 errhint("Use mlops.train().")));
	fields = json_fields(DatumGetJsonbP(plan), "plan", &n);
	for (int i = 0; i < n; i++)
	{
		Jsonb	   *value = fields[i].value.type == jbvBinary ? JsonbValueToJsonb(&fields[i].value) : NULL;

		if (strcmp(fields[i].key, "args") == 0)
			work->args = value;
		else if (strcmp(fields[i].key, "settings") == 0)
			work->settings = value;
		else if (strcmp(fields[i].key, "test_part") == 0)
			work->test_part = value;
		else if (strcmp(fields[i].key, "author") == 0 && source == NULL)
			work->author = find_author(work, json_text(&fields[i], "plan"));
	}
}

/* Whether the new version is better by more than the margin, beyond chance. */
static void
judge(const Retraining *work, Verdict *verdict)
{
	const ResultMetric *last;

	if (verdict->result == NULL)
		return;
	last = &verdict->result->metrics[verdict->result->n_metrics - 1];
	verdict->difference = last->value;
	verdict->standard_error = last->baseline;

	/* two models that answer alike differ by nothing, for sure */
	if (verdict->standard_error == 0)
		verdict->p_value = verdict->difference > work->margin ? 0 : 1;
	else
		verdict->p_value = .5 * erfc((verdict->difference - work->margin) / verdict->standard_error / M_SQRT2);
	verdict->better = verdict->difference > work->margin && verdict->p_value <= SIGNIFICANT;
}

/* A version that came while this one was trained was not compared: a person decides.  No other comes from here on. */
static void
check_live(const Retraining *work, Verdict *verdict)
{
	Datum		model_id = Int64GetDatum(work->ref.model_id);

	(void) registry_execute("select mlops.lock_model($1)", 1, &(Oid){INT8OID}, &model_id, NULL, NULL);
	PushActiveSnapshot(GetLatestSnapshot());
	if (registry_live_version(work->ref.model_id) != work->live)
	{
		verdict->better = false;
		verdict->why_not = "another version was deployed meanwhile";
	}
	PopActiveSnapshot();
}

/* The metrics of one of the two. */
static void
push_side(JsonbParseState **state, const char *key, int32 version, const JobResult *result, bool baseline)
{
	json_push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	json_push_key(state, "version");
	json_push_integer(state, WJB_VALUE, version);
	for (uint32 i = 0; result != NULL && i + 1 < result->n_metrics; i++)
	{
		json_push_key(state, result->metrics[i].name);
		json_push_number(state, WJB_VALUE, baseline ? result->metrics[i].baseline : result->metrics[i].value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* What is kept of the comparison, and returned; what kept the better version from going live, or NULL. */
static Jsonb *
comparison_json(const Retraining *work, const Verdict *verdict, const char *refusal)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_side(&state, "champion", work->ref.version, verdict->result, true);
	push_side(&state, "challenger", work->record.version, verdict->result, false);
	if (verdict->why_not != NULL)
	{
		json_push_key(&state, "why_not");
		json_push_text(&state, WJB_VALUE, verdict->why_not);
	}
	if (verdict->result != NULL)
	{
		json_push_key(&state, "metric");
		json_push_text(&state, WJB_VALUE, metric_main(work->record.task));
		json_push_key(&state, "rows");
		json_push_integer(&state, WJB_VALUE, (int64) verdict->result->n_test);
		json_push_key(&state, "difference");
		json_push_number(&state, WJB_VALUE, verdict->difference);
		json_push_key(&state, "standard_error");
		json_push_number(&state, WJB_VALUE, verdict->standard_error);
		json_push_key(&state, "margin");
		json_push_number(&state, WJB_VALUE, work->margin);
		json_push_key(&state, "p_value");
		json_push_number(&state, WJB_VALUE, verdict->p_value);
	}
	if (refusal != NULL)
	{
		json_push_key(&state, "held_back");
		json_push_text(&state, WJB_VALUE, refusal);
	}
	json_push_key(&state, "better");
	pushJsonbValue(&state, WJB_VALUE, &(JsonbValue) {.type = jbvBool, .val.boolean = verdict->better});
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Deploys the new version as the caller. */
static void
deploy(const Retraining *work)
{
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(work->reference), Int32GetDatum(work->record.version)};

	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute_with_args("select mlops.deploy($1, $2)", lengthof(types), types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "version %d could not be deployed", work->record.version);
	SPI_finish();
}

/* Writes the comparison down. */
static void
record_comparison(const Retraining *work, Jsonb *comparison, bool deployed)
{
	Oid			types[] = {INT8OID, INT4OID, INT4OID, INT8OID, JSONBOID, BOOLOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(work->ref.model_id),
		Int32GetDatum(work->ref.version),
		Int32GetDatum(work->record.version),
		Int64GetDatum(work->record.run_id),
		JsonbPGetDatum(comparison),
		BoolGetDatum(deployed),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};

	(void) registry_execute("insert into mlops.comparison (model_id, champion, challenger, run_id, comparison, deployed, compared_by) "
							"values ($1, $2, $3, $4, $5, $6, $7)", lengthof(types), types, values, NULL, NULL);
}

/* Trains under the settings that the champion's source was written under, where it is that one, and compares. */
static void
train_challenger(Retraining *work, Verdict *verdict, bool own_source)
{
	int			nest_level = NewGUCNestLevel();

	if (!own_source)
		source_apply_settings(work->settings);
	work->request = train_request_from_json(work->args, NULL, work->author);
	train_execute(work->request, &work->record);

	/* what was stored just now is to be read */
	CommandCounterIncrement();
	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();
	verdict->result = train_compare(work->request, work->ref.model_id, work->ref.version, work->record.version, work->test_part, &verdict->why_not);
	PopActiveSnapshot();
	AtEOXact_GUC(true, nest_level);
}

/* mlops.retrain(model, source, deploy, margin) */
Datum
mlops_retrain(PG_FUNCTION_ARGS)
{
	Retraining	work = {.record = {.started = GetCurrentTimestamp()}};
	Verdict		verdict = {0};
	Jsonb	   *comparison;
	const char *refusal = NULL;
	bool		deployed;
	TupleDesc	row_type;
	Datum		values[4];
	bool		nulls[4] = {0};

	PreventCommandIfReadOnly(FUNCTION);
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, FUNCTION " returns a row");
	if (PG_ARGISNULL(0))
		report_null_argument(FUNCTION, "model");
	work.reference = text_to_cstring(PG_GETARG_TEXT_PP(0));
	work.policy = PG_ARGISNULL(2) ? DEPLOY_IF_BETTER : read_policy(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	work.margin = PG_ARGISNULL(3) ? 0 : PG_GETARG_FLOAT8(3);
	if (!(work.margin >= 0) || isinf(work.margin))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the margin must be 0 or more")));

	registry_resolve(work.reference, BARE_MODEL, RIGHT_TRAIN, &work.ref);
	if (work.policy != DEPLOY_NEVER)
		access_require(work.ref.project_id, RIGHT_DEPLOY, work.ref.model_name);
	work.live = work.ref.version = registry_live_version(work.ref.model_id);
	if (work.live == 0)
		registry_resolve(work.reference, BARE_NEWEST, RIGHT_TRAIN, &work.ref);

	load_champion(&work, PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	train_challenger(&work, &verdict, !PG_ARGISNULL(1));
	judge(&work, &verdict);
	if (work.policy == DEPLOY_IF_BETTER && verdict.better)
		check_live(&work, &verdict);
	deployed = work.policy == DEPLOY_ALWAYS || (work.policy == DEPLOY_IF_BETTER && verdict.better);

	/* a version that must be looked at first is kept, and waits for that */
	if (deployed)
		refusal = gate_refusal(work.ref.model_id, work.record.version);
	deployed = deployed && refusal == NULL;
	comparison = comparison_json(&work, &verdict, refusal);
	if (deployed)
		deploy(&work);
	record_comparison(&work, comparison, deployed);

	values[0] = Int64GetDatum(work.record.run_id);
	values[1] = Int32GetDatum(work.record.version);
	values[2] = BoolGetDatum(deployed);
	values[3] = JsonbPGetDatum(comparison);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}
