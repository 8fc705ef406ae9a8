/*
 * prediction_view.c
 *		mlops.create_prediction_view(): a view with predictions, for tools that only read tables.
 *
 * The view is an ordinary one, made by CREATE VIEW with the caller's rights
 * and names qualified as they are found now; the model's project by its
 * number, which a renaming does not change.  Its expressions are calls of
 * the predict family on the source's row: those that a query does not read
 * are not made, several for one row cost one prediction (predict_memo.c), and
 * conditions on the source's columns still reach its indexes.
 */
#include "predict_map.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "../cache/model_cache.h"
#include "../registry/registry.h"
#include "../source/source.h"

#define FUNCTION "mlops.create_prediction_view()"

PG_FUNCTION_INFO_V1(mlops_create_prediction_view);

/* What the view is made of. */
typedef struct ViewPlan
{
	const Model *model;
	const char *reference;		/* as an SQL literal */
	const Source *source;
	const char *id;				/* column of the source, or NULL */
	char	   *view;			/* its qualified name */
	bool		invoker;
	bool	   *inputs;			/* columns of the source that the model reads */
} ViewPlan;

/*
 * The reference with the number of the project that it was found in: for who
 * reads the view a bare name could mean another model, or none, and a project
 * can be renamed.
 */
static char *
lasting_reference(const char *reference, const ModelRef *ref)
{
	const char *slash = strchr(reference, '/');

	return psprintf("#" INT64_FORMAT "/%s", ref->project_id, slash != NULL ? slash + 1 : reference);
}

/* The names that the view's own columns have. */
static const char *const own_columns[] = {"prediction", "class", "probability", "version"};

/* The view's qualified, quoted name. */
static char *
view_name(const char *name)
{
	List	   *parts = NIL;
	RangeVar   *place;
	Oid			schema;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || parts == NIL || list_length(parts) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" is no name for a view", name),
				 errhint("Write name, or schema.name.")));
	place = makeRangeVar(list_length(parts) > 1 ? linitial(parts) : NULL, llast(parts), -1);
	schema = RangeVarGetCreationNamespace(place);
	return quote_qualified_identifier(get_namespace_name(schema), place->relname);
}

/* DUPLICATE_COLUMN where a column of the source would be in the view, and has a name that the view needs. */
static void
refuse_own_name(const char *name, bool is_input)
{
	for (int i = 0; i < (int) lengthof(own_columns); i++)
	{
		if (strcmp(name, own_columns[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 is_input
					 ? errmsg("the model reads a column \"%s\", which is also the view's own", name)
					 : errmsg("the id is a column \"%s\", which is also the view's own", name),
					 is_input
					 ? errhint("Write a view over predict() by hand, with another name for it.")
					 : errhint("Give it another name in the source, as in \"select version as id, ...\".")));
	}
}

/* Finds the columns that the model reads; UNDEFINED_COLUMN, DATATYPE_MISMATCH as in predict(). */
static void
find_inputs(ViewPlan *plan, const Predictor *predictor)
{
	int			n = plan->source->n_columns;
	int		   *numbers = palloc((n + 1) * sizeof(int));
	RowMap		map;

	row_map_init(&map, predictor, source_row_type(plan->source));
	(void) row_map_compact(&map, numbers, n);
	plan->inputs = palloc((n + 1) * sizeof(bool));
	for (int i = 0; i < n; i++)
	{
		const char *name = plan->source->columns[i].name;

		plan->inputs[i] = numbers[i] >= 0;
		if (plan->inputs[i] || (plan->id != NULL && strcmp(name, plan->id) == 0))
			refuse_own_name(name, plan->inputs[i]);
	}
}

/* The expressions of prediction, class and probability, by the model's task. */
static void
append_answers(StringInfo sql, const ViewPlan *plan)
{
	LabelKind	labels = (LabelKind) plan->model->header->label_kind;

	if (plan->model->task == TASK_REGRESSION || labels == LABEL_NUMBER || labels == LABEL_BOOLEAN)
		appendStringInfo(sql, "mlops.predict(%s, source.*) as prediction", plan->reference);
	else
		appendStringInfoString(sql, "null::pg_catalog.float8 as prediction");
	if (plan->model->task == TASK_REGRESSION)
		appendStringInfoString(sql, ", null::pg_catalog.text as class, null::pg_catalog.float8 as probability");
	else if (plan->model->task == TASK_BINARY)
		appendStringInfo(sql, ", mlops.predict_class(%s, source.*) as class, mlops.predict_proba(%s, source.*) as probability",
						 plan->reference, plan->reference);
	else
		appendStringInfo(sql, ", mlops.predict_class(%s, source.*) as class,"
						 " mlops.predict_proba(%s, source.*, mlops.predict_class(%s, source.*)) as probability",
						 plan->reference, plan->reference, plan->reference);
}

/* CREATE VIEW. */
static char *
create_statement(const ViewPlan *plan)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "create view %s with (security_invoker = %s)", plan->view, plan->invoker ? "true" : "false");
	appendStringInfoString(&sql, " as select ");
	if (plan->id != NULL)
		appendStringInfo(&sql, "source.%s, ", quote_identifier(plan->id));
	for (int i = 0; i < plan->source->n_columns; i++)
	{
		const char *name = plan->source->columns[i].name;

		if (plan->inputs[i] && (plan->id == NULL || strcmp(name, plan->id) != 0))
			appendStringInfo(&sql, "source.%s, ", quote_identifier(name));
	}
	append_answers(&sql, plan);
	appendStringInfo(&sql, ", (select resolved.version from mlops.resolve_model(%s, 'live', 'predict') as resolved) as version",
					 plan->reference);
	if (plan->source->relation != NULL)
		appendStringInfo(&sql, " from %s as source", plan->source->relation);
	else
		appendStringInfo(&sql, " from (%s) as source", plan->source->qualified);
	return sql.data;
}

/* Runs one statement with the caller's rights. */
static void
run(const char *statement)
{
	int			outcome = SPI_execute(statement, false, 0);

	if (outcome < 0)
		elog(ERROR, "a prediction view could not be made: %s", SPI_result_code_string(outcome));
}

/* COMMENT ON COLUMN. */
static void
comment(const ViewPlan *plan, const char *column, const char *text)
{
	run(psprintf("comment on column %s.%s is %s", plan->view, quote_identifier(column), quote_literal_cstr(text)));
}

/* Says what each column is. */
static void
comment_columns(const ViewPlan *plan, const char *reference)
{
	const Model *model = plan->model;

	run(psprintf("comment on view %s is %s", plan->view, quote_literal_cstr(
		psprintf("Predictions of model %s; they follow its deployments", reference))));
	for (int i = 0; i < plan->source->n_columns; i++)
	{
		const char *name = plan->source->columns[i].name;

		if (plan->id != NULL && strcmp(name, plan->id) == 0)
			comment(plan, name, plan->inputs[i] ? "Identifies the row; also an input of the model" : "Identifies the row");
		else if (plan->inputs[i])
			comment(plan, name, "An input of the model");
	}
	comment(plan, "prediction", model->task == TASK_REGRESSION
			? psprintf("The predicted value of %s", model_string(model, model->header->target_name))
			: model->header->label_kind == LABEL_TEXT ? "Always NULL: the labels are texts, see class" : "The most probable label, as a number");
	comment(plan, "class", model->task == TASK_REGRESSION ? "Always NULL: the model predicts a number"
			: psprintf("The most probable label of %s", model_string(model, model->header->target_name)));
	comment(plan, "probability", model->task == TASK_REGRESSION ? "Always NULL: the model predicts a number"
			: model->task == TASK_BINARY ? psprintf("The probability of %s", model_label(model, 1)) : "The probability of class");
	comment(plan, "version", "The version of the model that answers");
}

/* mlops.create_prediction_view(name, model, source, id, security_invoker) */
Datum
mlops_create_prediction_view(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"name", "model", "source"};
	ViewPlan	plan = {0};
	Predictor	predictor = {0};
	ModelRef	ref;
	char	   *reference;

	for (int i = 0; i < (int) lengthof(arguments); i++)
	{
		if (PG_ARGISNULL(i))
			report_null_argument(FUNCTION, arguments[i]);
	}
	reference = text_to_cstring(PG_GETARG_TEXT_PP(1));
	registry_resolve(reference, BARE_LIVE, RIGHT_PREDICT, &ref);
	plan.reference = quote_literal_cstr(lasting_reference(reference, &ref));
	plan.source = source_open(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	plan.view = view_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	plan.invoker = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
	if (!PG_ARGISNULL(3))
	{
		plan.id = text_to_cstring(PG_GETARG_TEXT_PP(3));
		(void) source_column(plan.source, plan.id, "\"id\"");
	}

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		plan.model = &cached->model;
		predict_prepare(&predictor, plan.model, cached, FEATURES_RECORD, CurrentMemoryContext);
		find_inputs(&plan, &predictor);
		SPI_connect();
		run(create_statement(&plan));
		comment_columns(&plan, reference);
		SPI_finish();
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
