/*
 * gate.c
 *		Whether a version may go live, and what takes it out of service.
 *
 * The rules are SQL (mlops.gate_checks()); here they are asked as the
 * extension's owner, so that nothing is hidden, and under a snapshot of the
 * moment, so that a transaction that began before an approval was withdrawn
 * cannot deploy by it.  Whoever deploys, decides or revokes holds the lock of
 * the model's row, so they follow one another.
 *
 * Triggers run before row security has looked at the row, and roles with
 * BYPASSRLS never meet it: those without the right are refused here, in its
 * words, which tell nothing of the model.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "../json_fields.h"
#include "../registry/registry.h"
#include "../report.h"

PG_FUNCTION_INFO_V1(mlops_deployment_gate);
PG_FUNCTION_INFO_V1(mlops_approval_finding);
PG_FUNCTION_INFO_V1(mlops_lock_for_review);
PG_FUNCTION_INFO_V1(mlops_revoke);

/* A finding that users cannot write: of a review, or of a policy. */
typedef struct NewFinding
{
	int64		project_id;
	int64		model_id;
	const char *source;
	const char *title;
	const char *detail;			/* may be NULL */
	const char *severity;
	bool		has_due;
	DateADT		due;
} NewFinding;

/* What mlops.gate_state() says of a version. */
typedef struct GateState
{
	int64		project_id;
	const char *model;
	const char *revoked;		/* why; NULL: it is not */
	const char *refusal;		/* what is missing; NULL: nothing */
	int32		policy;			/* in force; 0: there is none */
	int32		restored;		/* the policy by which the deployment that a rollback restores went live; 0: none */
} GateState;

/* What keeps a version from going live now. */
char *
gate_refusal(int64 model_id, int32 version)
{
	Oid			types[] = {INT8OID, INT4OID};
	Datum		values[] = {Int64GetDatum(model_id), Int32GetDatum(version)};
	bool		none;
	Datum		refusal = registry_ask_now("select mlops.gate_refusal($1, $2)", lengthof(types), types, values, &none);

	return none ? NULL : TextDatumGetCString(refusal);
}

/* A column of the row that is inserted. */
static Datum
row_value(const TriggerData *trigger, const char *column, bool *null)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);

	return SPI_getbinval(trigger->tg_trigtuple, desc, SPI_fnumber(desc, column), null);
}

/* The row with one column changed. */
static HeapTuple
with_column(const TriggerData *trigger, HeapTuple row, const char *column, Datum value, bool null)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			number = SPI_fnumber(desc, column);

	return heap_modify_tuple_by_cols(row, desc, 1, &number, &value, &null);
}

/* Opens a finding in the caller's name; its id. */
static int64
open_finding(const NewFinding *finding)
{
	Oid			types[] = {INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, DATEOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(finding->project_id),
		Int64GetDatum(finding->model_id),
		CStringGetTextDatum(finding->source),
		CStringGetTextDatum(finding->title),
		finding->detail != NULL ? CStringGetTextDatum(finding->detail) : (Datum) 0,
		CStringGetTextDatum(finding->severity),
		DateADTGetDatum(finding->due),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};
	bool		nulls[lengthof(types)] = {0};

	nulls[4] = finding->detail == NULL;
	nulls[6] = !finding->has_due;
	return DatumGetInt64(registry_execute("insert into mlops.finding (project_id, model_id, source, title, detail, severity, due, opened_by) "
										  "values ($1, $2, $3, pg_catalog.left($4, 500), $5, $6, $7, $8) returning id",
										  lengthof(types), types, values, nulls, NULL));
}

/* How a version stands; false where there is none. */
static bool
read_state(int64 model_id, int32 version, int64 restores, GateState *state)
{
	Oid			types[] = {INT8OID, INT4OID, INT8OID};
	Datum		values[] = {Int64GetDatum(model_id), Int32GetDatum(version), Int64GetDatum(restores)};
	bool		none;
	Datum		found = registry_ask_now("select mlops.gate_state($1, $2, $3)", lengthof(types), types, values, &none);
	JsonField  *fields;
	int			n;

	if (none)
		return false;
	memset(state, 0, sizeof(*state));
	fields = json_fields(DatumGetJsonbP(found), "state", &n);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, "project") == 0)
			state->project_id = (int64) json_number(&fields[i], "state");
		else if (strcmp(fields[i].key, "model") == 0)
			state->model = json_text(&fields[i], "state");
		else if (strcmp(fields[i].key, "revoked") == 0)
			state->revoked = json_text(&fields[i], "state");
		else if (strcmp(fields[i].key, "refusal") == 0)
			state->refusal = json_text(&fields[i], "state");
		else if (strcmp(fields[i].key, "policy") == 0)
			state->policy = (int32) json_number(&fields[i], "state");
		else if (strcmp(fields[i].key, "restored") == 0)
			state->restored = (int32) json_number(&fields[i], "state");
	}
	return true;
}

/* An owner's word against the policy: it opens a finding that stays until a reviewer settles it. */
static void
override_policy(const GateState *state, int64 model_id, int32 version, const char *reason)
{
	NewFinding	finding = {
		.project_id = state->project_id,
		.model_id = model_id,
		.source = "policy",
		.title = psprintf("version %d of model \"%s\" went live against the policy: %s", version, state->model, reason),
		.detail = state->refusal,
		.severity = "high"
	};

	access_require(state->project_id, RIGHT_OWN, state->model);
	(void) open_finding(&finding);
}

/* mlops.deployment_gate() */
Datum
mlops_deployment_gate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = registry_insert_trigger(fcinfo, "deployment_gate", "deployment");
	HeapTuple	row = trigger->tg_trigtuple;
	ModelRef	ref;
	GateState	state;
	int32		held = 0;
	bool		overridden = false;
	bool		no_model;
	bool		no_version;
	bool		no_restores;
	bool		no_override;
	bool		found;
	int64		model_id = DatumGetInt64(row_value(trigger, "model_id", &no_model));
	int32		version = DatumGetInt32(row_value(trigger, "version", &no_version));
	Datum		restores = row_value(trigger, "restores", &no_restores);
	Datum		override = row_value(trigger, "override", &no_override);

	if (registry_is_restoring())
		return PointerGetDatum(row);
	found = !no_model && registry_find_model(model_id, &ref);
	if (found ? !access_allowed(ref.project_id, RIGHT_DEPLOY) : !superuser())
		registry_refuse_row(trigger);
	/* the constraints speak of what is missing */
	if (!found || no_version || !read_state(model_id, version, no_restores ? 0 : DatumGetInt64(restores), &state))
		return PointerGetDatum(row);

	if (state.revoked != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" is revoked", version, state.model),
				 errdetail("%s", state.revoked),
				 errhint("Deploy another version.")));
	if (state.refusal == NULL || state.policy == 0)
		held = state.policy;
	else if (state.restored != 0)
		held = state.restored;
	else if (!no_override)
	{
		override_policy(&state, model_id, version, TextDatumGetCString(override));
		overridden = true;
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" may not go live: the policy of its project does not hold", version, state.model),
				 errdetail("%s", state.refusal),
				 errhint("mlops.why_not('%s', %d) tells each rule; mlops.request_review() asks for approval.", state.model, version)));

	row = with_column(trigger, row, "policy_version", Int32GetDatum(held), held == 0);
	if (!overridden)
		row = with_column(trigger, row, "override", (Datum) 0, true);
	return PointerGetDatum(row);
}

/* mlops.approval_finding(): behind mlops.approval_begins(), which has checked who decides. */
Datum
mlops_approval_finding(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = registry_insert_trigger(fcinfo, "approval_finding", "approval");
	ModelRef	ref;
	NewFinding	finding = {.source = "review", .severity = "medium"};
	bool		no_conditions;
	bool		no_comment;
	bool		null;
	Datum		conditions;
	Datum		comment;

	if (registry_is_restoring())
		return PointerGetDatum(trigger->tg_trigtuple);
	conditions = row_value(trigger, "conditions", &no_conditions);
	comment = row_value(trigger, "comment", &no_comment);
	if (no_conditions || !registry_find_model(DatumGetInt64(row_value(trigger, "model_id", &null)), &ref))
		return PointerGetDatum(trigger->tg_trigtuple);
	if (!access_allowed(ref.project_id, RIGHT_REVIEW))
		registry_refuse_row(trigger);

	finding.project_id = ref.project_id;
	finding.model_id = ref.model_id;
	finding.title = psprintf("version %d of model \"%s\": %s", DatumGetInt32(row_value(trigger, "version", &null)), ref.model_name,
							 TextDatumGetCString(conditions));
	finding.detail = no_comment ? NULL : TextDatumGetCString(comment);
	finding.due = DatumGetDateADT(row_value(trigger, "due", &null));
	finding.has_due = !null;
	return PointerGetDatum(with_column(trigger, trigger->tg_trigtuple, "finding_id", Int64GetDatum(open_finding(&finding)), false));
}

/* mlops.lock_for_review(model_id): says the same of a model that is not there and of one that is none of the caller's. */
Datum
mlops_lock_for_review(PG_FUNCTION_ARGS)
{
	Datum		model_id = PG_GETARG_DATUM(0);
	ModelRef	ref;

	if (!registry_find_model(DatumGetInt64(model_id), &ref) || !access_allowed(ref.project_id, RIGHT_REVIEW))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to review model " INT64_FORMAT, DatumGetInt64(model_id)),
				 errhint("It takes access as reviewer or owner.")));
	(void) registry_execute("select mlops.lock_model($1)", 1, &(Oid){INT8OID}, &model_id, NULL, NULL);
	PG_RETURN_VOID();
}

/* mlops.revoke(model, version, reason) */
Datum
mlops_revoke(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"model", "version", "reason"};
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	ModelRef	ref;

	PreventCommandIfReadOnly("mlops.revoke()");
	for (int i = 0; i < (int) lengthof(arguments); i++)
	{
		if (PG_ARGISNULL(i))
			report_null_argument("mlops.revoke()", arguments[i]);
	}
	registry_resolve(psprintf("%s@%d", text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1)), BARE_LIVE, RIGHT_VIEW, &ref);
	if (!access_allowed(ref.project_id, RIGHT_DEPLOY))
		access_require(ref.project_id, RIGHT_REVIEW, ref.model_name);
	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(2)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a revocation has a reason")));

	values[0] = Int64GetDatum(ref.model_id);
	values[1] = Int32GetDatum(ref.version);
	values[2] = PG_GETARG_DATUM(2);
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	(void) registry_execute("select mlops.store_revocation($1, $2, $3, $4, $5)", lengthof(types), types, values, NULL, NULL);

	/* a deployment that the transaction's snapshot does not show would go on */
	PushActiveSnapshot(GetLatestSnapshot());
	if (registry_live_version(ref.model_id) == ref.version)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access: version %d of model \"%s\" was deployed meanwhile", ref.version, ref.model_name),
				 errhint("Begin the transaction anew.")));
	PopActiveSnapshot();
	PG_RETURN_VOID();
}
