/*
 * prediction_view.c
 *		mlops.create_prediction_view(): a view with predictions, for tools that only read tables.
 *
 * The view is an ordinary one, made by CREATE VIEW with the caller's rights
 * and names qualified as they are found now.  Its expressions are calls of
 * the predict family on the source's row: those that a query does not read
 * are not made, several for one row cost one prediction (predict_memo.c), and
 * conditions on the source's columns still reach its indexes.
 */
#include "predict.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "model_cache.h"
#include "registry.h"
#include "source.h"

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
 * The reference with the project that it was found in, as far as one can be
 * written: for who reads the view a bare name could mean another model, or
 * none.  Of a personal project's name, which is a role's, only a plain one.
 */
static char *
qualified_reference(const char *reference, const ModelRef *ref)
{
	const char *project = registry_project_name(ref->project_id);

	if (strpbrk(reference, "/") != NULL || strpbrk(project, "/@") != NULL)
		return pstrdup(reference);
	return psprintf("%s/%s", project, reference);
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

/* Marks the source's columns of this name; whether there was one. */
static bool
mark_input(ViewPlan *plan, const char *name)
{
	const SourceColumn *column = source_find(plan->source, name);

	if (column == NULL)
		return false;
	plan->inputs[column - plan->source->columns] = true;
	return true;
}

/* Finds the columns that the model reads; UNDEFINED_COLUMN, DATATYPE_MISMATCH as in predict(). */
static void
find_inputs(ViewPlan *plan, const Predictor *predictor)
{
	bool	   *lacking = palloc0((plan->model->n_columns + 1) * sizeof(bool));
	bool		any_lacking = false;
	const char **given = palloc((plan->source->n_columns + 1) * sizeof(char *));

	plan->inputs = palloc0((plan->source->n_columns + 1) * sizeof(bool));
	for (uint32 i = 0; i < plan->model->n_columns;)
	{
		const ElementRun *run = predictor->runs[i];

		if (mark_input(plan, predictor->names[i]))
			i++;
		else if (run != NULL && mark_input(plan, run->name))
			i += run->n_columns;
		else
			lacking[i++] = any_lacking = true;
	}
	for (int i = 0; i < plan->source->n_columns; i++)
		given[i] = plan->source->columns[i].name;
	if (any_lacking)
		predict_missing_columns(predictor, lacking, given, plan->source->n_columns);
	for (int i = 0; i < plan->source->n_columns; i++)
	{
		for (int j = 0; j < (int) lengthof(own_columns); j++)
		{
			const char *name = plan->source->columns[i].name;
			bool		is_id = plan->id != NULL && strcmp(name, plan->id) == 0;

			if ((plan->inputs[i] || is_id) && strcmp(name, own_columns[j]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 plan->inputs[i]
						 ? errmsg("the model reads a column \"%s\", which is also the view's own", name)
						 : errmsg("the id is a column \"%s\", which is also the view's own", name),
						 plan->inputs[i]
						 ? errhint("Write a view over predict() by hand, with another name for it.")
						 : errhint("Give it another name in the source, as in \"select version as id, ...\".")));
		}
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
	reference = qualified_reference(reference, &ref);
	plan.reference = quote_literal_cstr(reference);
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
