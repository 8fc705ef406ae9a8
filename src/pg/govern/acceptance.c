/*
 * acceptance.c
 *		Acceptance tests: mlops.add_test(), run_tests(), and request_review(), which runs them, too.
 *
 * A test's query is analysed under the search_path of whoever adds it, and
 * stored with qualified names.  It is run with that role's rights, reading
 * only, whoever has it run: nobody lends their rights to others' text.  In it
 * the literal '{model}' stands for the version under test.  What it showed is
 * evidence, written as the extension's owner; that it failed is evidence, too.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "portability/instr_time.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "../json_fields.h"
#include "../reading.h"
#include "../registry/registry.h"
#include "../registry/registry_scan.h"
#include "../report.h"
#include "../result_row.h"
#include "../source/source.h"
#include "../../core/condition.h"

#define PLACEHOLDER "'{model}'"	/* as it stands in a stored query */
#define SHOWN_ROW 1000			/* bytes of a row that broke a test */

PG_FUNCTION_INFO_V1(mlops_add_test);
PG_FUNCTION_INFO_V1(mlops_acceptance_test_begins);
PG_FUNCTION_INFO_V1(mlops_run_tests);
PG_FUNCTION_INFO_V1(mlops_request_review);

/* What an expectation is about, where it is not about rows. */
static const char *const totals[] = {"rows", "seconds", "microseconds_per_row"};

typedef struct AcceptanceTest
{
	int64		id;
	char	   *name;
	char	   *query;
	char	   *expectation;
	Jsonb	   *settings;
	Oid			owner;
} AcceptanceTest;

/* What a run showed. */
typedef struct TestResult
{
	bool		holds;
	Jsonb	   *detail;
} TestResult;

/* Whether an expectation is of the query as a whole. */
static bool
is_of_totals(const Condition *condition)
{
	for (uint32 i = 0; i < condition->n_names; i++)
	{
		bool		total = false;

		for (int n = 0; n < (int) lengthof(totals); n++)
			total |= strcmp(condition_name(condition, i), totals[n]) == 0;
		if (!total)
			return false;
	}
	return condition->n_names > 0;
}

/* Refuses an expectation that asks for what the query has not. */
static void
check_expectation(const char *text, const Source *source)
{
	Condition  *condition = palloc(sizeof(Condition));
	Error		error;

	if (!condition_parse(condition, text, &error))
		report_error(&error);
	for (uint32 i = 0; i < condition->n_names && !is_of_totals(condition); i++)
	{
		const char *name = condition_name(condition, i);

		/* a column that is jsonb or a row has fields */
		if (!source_has(source, name) && !source_has(source, pnstrdup(name, strcspn(name, "."))))
			(void) source_column(source, name, "expectation");
	}
	pfree(condition);
}

/* Whether the caller may add or run tests: whoever trains, reviews or deploys. */
static bool
may_test(int64 project_id, bool running)
{
	unsigned	rights = access_rights(project_id);

	return (rights & (RIGHT_BIT(RIGHT_TRAIN) | RIGHT_BIT(RIGHT_REVIEW) | (running ? RIGHT_BIT(RIGHT_DEPLOY) : 0))) != 0;
}

/* mlops.add_test(model, name, query, expectation): an insert with the caller's rights; the trigger does the rest. */
Datum
mlops_add_test(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"model", "name", "query", "expectation"};
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[] = {(Datum) 0, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), PG_GETARG_DATUM(3)};
	ModelRef	ref;
	Datum		id;
	bool		none;

	for (int i = 0; i < (int) lengthof(arguments); i++)
	{
		if (PG_ARGISNULL(i))
			report_null_argument("mlops.add_test()", arguments[i]);
	}
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_MODEL, RIGHT_VIEW, &ref);
	if (!may_test(ref.project_id, false))
		access_refuse(ref.project_id, RIGHT_TRAIN, ref.model_name);
	values[0] = Int64GetDatum(ref.model_id);

	int			nest_level = NewGUCNestLevel();

	registry_not_restoring();
	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute_with_args("insert into mlops.acceptance_test (model_id, name, query, expectation) values ($1, $2, $3, $4) returning id",
							  lengthof(types), types, values, NULL, false, 0) != SPI_OK_INSERT_RETURNING || SPI_processed != 1)
		elog(ERROR, "the acceptance test could not be added");
	id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &none);
	SPI_finish();
	AtEOXact_GUC(true, nest_level);
	PG_RETURN_INT64(DatumGetInt64(id));
}

/* A text of the row that is inserted. */
static char *
row_text(const TriggerData *trigger, const char *column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		null;
	Datum		value = SPI_getbinval(trigger->tg_trigtuple, desc, SPI_fnumber(desc, column), &null);

	return null ? NULL : TextDatumGetCString(value);
}

/* mlops.acceptance_test_begins() */
Datum
mlops_acceptance_test_begins(PG_FUNCTION_ARGS)
{
	static const char *const columns[] = {"query", "settings", "owner", "set_by", "set_at"};
	TriggerData *trigger = registry_insert_trigger(fcinfo, "acceptance_test_begins", "acceptance_test");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	char	   *query = row_text(trigger, "query");
	char	   *expectation = row_text(trigger, "expectation");
	int			numbers[lengthof(columns)];
	Datum		values[lengthof(columns)];
	bool		nulls[lengthof(columns)] = {0};
	bool		no_model;
	bool		found;
	Datum		model_id = SPI_getbinval(trigger->tg_trigtuple, desc, SPI_fnumber(desc, "model_id"), &no_model);
	ModelRef	ref;
	Source	   *source;

	if (registry_is_restoring())
		return PointerGetDatum(trigger->tg_trigtuple);
	found = !no_model && registry_find_model(DatumGetInt64(model_id), &ref);
	if (found ? !may_test(ref.project_id, false) : !superuser())
		registry_refuse_row(trigger);
	/* constraints speak of what is missing */
	if (!found || query == NULL || expectation == NULL)
		return PointerGetDatum(trigger->tg_trigtuple);

	source = source_open(query);
	if (strstr(source->qualified, PLACEHOLDER) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of an acceptance test does not ask the version under test"),
				 errhint("Write the literal '{model}' for it, as in mlops.predict('{model}', t).")));
	if (isQueryUsingTempRelation(source->query))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("an acceptance test cannot use temporary tables"),
				 errdetail("It is run in other sessions, too.")));
	check_expectation(expectation, source);

	for (int i = 0; i < (int) lengthof(columns); i++)
		numbers[i] = SPI_fnumber(desc, columns[i]);
	values[0] = CStringGetTextDatum(source->qualified);
	values[1] = JsonbPGetDatum(source_settings());
	values[2] = ObjectIdGetDatum(GetUserId());
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[4] = TimestampTzGetDatum(GetCurrentTimestamp());
	return PointerGetDatum(heap_modify_tuple_by_cols(trigger->tg_trigtuple, desc, lengthof(columns), numbers, values, nulls));
}

/* The tests of a model. */
static List *
list_tests(int64 model_id)
{
	RegistryScan scan;
	List	   *tests = NIL;

	registry_scan_open(&scan, "acceptance_test");
	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_start(&scan, "acceptance_test_key");
	while (registry_scan_next(&scan))
	{
		AcceptanceTest *test = palloc(sizeof(AcceptanceTest));

		test->id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "id")));
		test->name = registry_scan_text(&scan, registry_scan_column(&scan, "name"));
		test->query = registry_scan_text(&scan, registry_scan_column(&scan, "query"));
		test->expectation = registry_scan_text(&scan, registry_scan_column(&scan, "expectation"));
		test->settings = DatumGetJsonbPCopy(registry_scan_get(&scan, registry_scan_column(&scan, "settings")));
		test->owner = DatumGetObjectId(registry_scan_get(&scan, registry_scan_column(&scan, "owner")));
		tests = lappend(tests, test);
	}
	registry_scan_close(&scan);
	return tests;
}

/* The query with the version in its place. */
static char *
query_of(const AcceptanceTest *test, const ModelRef *ref)
{
	char	   *version = quote_literal_cstr(psprintf("#" INT64_FORMAT "/%s@%d", ref->project_id, ref->model_name, ref->version));

	return text_to_cstring(DatumGetTextPP(DirectFunctionCall3Coll(replace_text, C_COLLATION_OID, CStringGetTextDatum(test->query),
																  CStringGetTextDatum(PLACEHOLDER), CStringGetTextDatum(version))));
}

/* A detail of one field. */
static Jsonb *
detail_of(const char *key, const char *text)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&state, key);
	json_push_text(&state, WJB_VALUE, text);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Runs the query as its owner; whether the expectation holds of all rows, or of the totals. */
static TestResult
measure(const AcceptanceTest *test, const ModelRef *ref)
{
	Condition  *condition = palloc(sizeof(Condition));
	Error		error;
	StringInfoData statement;
	instr_time	start;
	instr_time	took;
	bool		none;
	Datum		values[3];
	Oid			types[] = {TEXTOID, JSONBOID, FLOAT8OID};
	Jsonb	   *found;

	if (!condition_parse(condition, test->expectation, &error))
		report_error(&error);
	initStringInfo(&statement);
	values[0] = CStringGetTextDatum(test->expectation);
	if (is_of_totals(condition))
		appendStringInfo(&statement, "select pg_catalog.jsonb_build_object('rows', pg_catalog.count(tested_row)) from (%s) tested_row", query_of(test, ref));
	else
		appendStringInfo(&statement,
						 "select pg_catalog.jsonb_build_object('rows', pg_catalog.count(*), 'broken', pg_catalog.count(*) filter (where j.holds is not true), "
						 "'first', pg_catalog.min(pg_catalog.left(j.facts::pg_catalog.text, %d)) filter (where j.holds is not true)) "
						 "from (select mlops.condition_holds($1, f.facts) as holds, f.facts "
						 "from (select pg_catalog.to_jsonb(tested_row) as facts from (%s) tested_row offset 0) f offset 0) j", SHOWN_ROW, query_of(test, ref));
	INSTR_TIME_SET_CURRENT(start);
	found = DatumGetJsonbP(read_as_caller(statement.data, is_of_totals(condition) ? 0 : 1, types, values, &none));
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, start);

	/* some rows, and none that breaks it; or what the totals say */
	values[1] = JsonbPGetDatum(found);
	values[2] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(took));
	found = DatumGetJsonbP(read_as_caller("select mlops.judge_test($1, $2, $3)", lengthof(types), types, values, &none));

	JsonbValue	holds;

	return (TestResult) {
		.holds = getKeyJsonValueFromContainer(&found->root, "holds", 5, &holds) != NULL && holds.type == jbvBool && holds.val.boolean,
		.detail = found
	};
}

/* The same as a result where it fails: but for what has nothing to do with the test, a failure is one. */
static TestResult
run_test(const AcceptanceTest *test, const ModelRef *ref)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile TestResult result = {.holds = false};
	Oid			user;
	int			security;
	int			nest_level;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(test->owner)))
		return (TestResult) {.detail = detail_of("error", "the role that added the test does not exist any more")};
	GetUserIdAndSecContext(&user, &security);
	nest_level = NewGUCNestLevel();
	PG_TRY();
	{
		source_apply_settings(test->settings);
		SetUserIdAndSecContext(test->owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
		if (may_test(ref->project_id, false))
		{
			TestResult	measured = measure(test, ref);

			result.holds = measured.holds;
			result.detail = measured.detail;
		}
		else
			result.detail = detail_of("error", "the role that added the test has no access any more");
	}
	PG_CATCH();
	{
		ErrorData  *failure;
		int			category;

		MemoryContextSwitchTo(caller);
		failure = CopyErrorData();
		category = ERRCODE_TO_CATEGORY(failure->sqlerrcode);
		if (category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_INTERNAL_ERROR ||
			failure->elevel > ERROR)
			PG_RE_THROW();
		FlushErrorState();
		result.detail = detail_of("error", failure->message);
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, security);
	AtEOXact_GUC(true, nest_level);
	return (TestResult) {.holds = result.holds, .detail = result.detail};
}

/* Writes down what a run showed; the row that broke the test apart from it. */
static void
record_result(const AcceptanceTest *test, const ModelRef *ref, const TestResult *result)
{
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, INT8OID, BOOLOID, JSONBOID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(ref->model_id),
		Int32GetDatum(ref->version),
		CStringGetTextDatum(test->name),
		Int64GetDatum(test->id),
		BoolGetDatum(result->holds),
		JsonbPGetDatum(result->detail),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)),
		CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false))
	};

	(void) registry_execute("with made as (insert into mlops.evidence (model_id, version, kind, name, test_id, holds, detail, sha256, policy_version, measured_by, measured_session) "
							"select v.model_id, v.version, 'test', $3, $4, $5, $6 - 'first'::text, v.sha256, (mlops.policy_in_force(m.project_id)).version, $7, $8 "
							"from mlops.model_version v join mlops.model m on m.id = v.model_id where v.model_id = $1 and v.version = $2 "
							"returning id) insert into mlops.evidence_row (evidence_id, content) select made.id, $6 ->> 'first' from made where $6 ? 'first'",
							lengthof(types), types, values, NULL, NULL);
}

/* What of a result the caller may see: of rows those who decide reviews, and those with the rights that they were read with. */
static Jsonb *
shown_detail(const AcceptanceTest *test, const ModelRef *ref, Jsonb *detail)
{
	if (access_allowed(ref->project_id, RIGHT_REVIEW) || has_privs_of_role(GetUserId(), test->owner))
		return detail;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(detail), CStringGetTextDatum("first")));
}

/* Runs all tests of a version, and puts what they show into a result where one is given. */
static void
run_tests(const ModelRef *ref, ReturnSetInfo *rows)
{
	ListCell   *cell;

	foreach(cell, list_tests(ref->model_id))
	{
		const AcceptanceTest *test = lfirst(cell);
		TestResult	result = run_test(test, ref);
		ResultRow	row = {.n = 0};

		record_result(test, ref, &result);
		if (rows == NULL)
			continue;
		row_add_text(&row, test->name);
		row_add(&row, BoolGetDatum(result.holds));
		row_add(&row, JsonbPGetDatum(shown_detail(test, ref, result.detail)));
		row_put(&row, rows);
	}
}

/* The version that two arguments name, of which the second may be NULL; the caller may have it tested. */
static void
resolve_arguments(FunctionCallInfo fcinfo, const char *function, ModelRef *ref)
{
	PreventCommandIfReadOnly(function);
	if (PG_ARGISNULL(0))
		report_null_argument(function, "model");

	char	   *model = text_to_cstring(PG_GETARG_TEXT_PP(0));

	registry_resolve(PG_ARGISNULL(1) ? model : psprintf("%s@%d", model, PG_GETARG_INT32(1)), BARE_NEWEST, RIGHT_VIEW, ref);
	if (!may_test(ref->project_id, true))
		access_refuse(ref->project_id, RIGHT_REVIEW, ref->model_name);
}

/* mlops.run_tests(model, version) */
Datum
mlops_run_tests(PG_FUNCTION_ARGS)
{
	ModelRef	ref;

	resolve_arguments(fcinfo, "mlops.run_tests()", &ref);
	InitMaterializedSRF(fcinfo, 0);
	run_tests(&ref, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/* mlops.request_review(model, version, note) */
Datum
mlops_request_review(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	bool		nulls[lengthof(types)] = {0};
	ModelRef	ref;

	resolve_arguments(fcinfo, "mlops.request_review()", &ref);
	run_tests(&ref, NULL);
	values[0] = Int64GetDatum(ref.model_id);
	values[1] = Int32GetDatum(ref.version);
	nulls[2] = PG_ARGISNULL(2);
	values[2] = nulls[2] ? (Datum) 0 : PG_GETARG_DATUM(2);
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	PG_RETURN_DATUM(registry_execute("select mlops.store_review($1, $2, $3, $4, $5)", lengthof(types), types, values, nulls, NULL));
}
