/*
 * preprocess.c
 *		The argument "preprocess" of train(): a jsonb object by column.
 */
#include "preprocess.h"

#include "../json_fields.h"
#include "../report.h"

static const char *const type_words[] = {"default", "number", "category", NULL};
static const char *const preprocess_keys[] = {
	"type", "missing", "encoding", "scaling", "unseen", "indicator", "max_categories"
};

/* Index of a field's word in a list that NULL ends. */
static uint8
word_index(const JsonField *field, const char *const *words)
{
	const char *word = json_text(field, "preprocess");
	int			n = 0;

	for (; words[n] != NULL; n++)
	{
		if (strcmp(words[n], word) == 0)
			return (uint8) n;
	}
	report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE,
						psprintf("\"%s\" is no value of \"%s\" in argument \"preprocess\"", word, field->key),
						"values", word, words, n);
}

/* A number of categories. */
static uint32
category_count(const JsonField *field)
{
	double		value = json_number(field, "preprocess");

	if (!(value >= 1 && value <= MAX_CATEGORIES) || value != (double) (uint32) value)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"max_categories\" in argument \"preprocess\" is %g", value),
				 errdetail("It must be an integer from 1 to %d.", MAX_CATEGORIES)));
	return (uint32) value;
}

/* Takes one key of a column's object. */
static void
take_key(ColumnRequest *request, const JsonField *field)
{
	RecipePlan *plan = &request->plan;

	if (strcmp(field->key, "type") == 0)
	{
		uint8		type = word_index(field, type_words);

		if (strcmp(request->column, "*") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"type\" in argument \"preprocess\" is for single columns, not for \"*\"")));
		request->as_number = type == 1;
		request->as_category = type == 2;
	}
	else if (strcmp(field->key, "missing") == 0)
		plan->missing = word_index(field, missing_policy_names);
	else if (strcmp(field->key, "encoding") == 0)
		plan->encoding = word_index(field, encoding_names);
	else if (strcmp(field->key, "scaling") == 0)
		plan->scaling = word_index(field, scaling_names);
	else if (strcmp(field->key, "unseen") == 0)
		plan->unseen = word_index(field, unseen_policy_names);
	else if (strcmp(field->key, "indicator") == 0)
		plan->indicator = word_index(field, indicator_policy_names);
	else if (strcmp(field->key, "max_categories") == 0)
		plan->max_categories = category_count(field);
	else
		report_unknown_name(ERRCODE_INVALID_PARAMETER_VALUE,
							psprintf("unknown key \"%s\" for column \"%s\" in argument \"preprocess\"", field->key, request->column),
							"keys", field->key, preprocess_keys, lengthof(preprocess_keys));
}

/* Reads the argument. */
Preprocess *
preprocess_from_json(Jsonb *object)
{
	Preprocess *preprocess = palloc0(sizeof(Preprocess));
	JsonField  *columns = json_fields(object, "preprocess", &preprocess->n_requests);

	preprocess->requests = palloc0((preprocess->n_requests + 1) * sizeof(ColumnRequest));
	for (int i = 0; i < preprocess->n_requests; i++)
	{
		ColumnRequest *request = &preprocess->requests[i];
		int			n_keys;
		JsonField  *keys = json_subfields(&columns[i], "preprocess", &n_keys);

		request->column = columns[i].key;
		for (int j = 0; j < n_keys; j++)
		{
			if (keys[j].value.type != jbvNull)
				take_key(request, &keys[j]);
		}
	}
	return preprocess;
}

/* What is asked for a column, or NULL. */
static ColumnRequest *
find_request(const Preprocess *preprocess, const char *column)
{
	for (int i = 0; i < preprocess->n_requests; i++)
	{
		if (strcmp(preprocess->requests[i].column, column) == 0)
			return &preprocess->requests[i];
	}
	return NULL;
}

/* Whether a column is to be a category. */
bool
preprocess_wants_category(const Preprocess *preprocess, const char *column)
{
	const ColumnRequest *request = find_request(preprocess, column);

	return request != NULL && request->as_category;
}

/* Whether a column is to be a number. */
bool
preprocess_wants_number(const Preprocess *preprocess, const char *column)
{
	const ColumnRequest *request = find_request(preprocess, column);

	return request != NULL && request->as_number;
}

/* Takes out of a plan for "*" what the kind has no use for. */
static RecipePlan
fitting_part(RecipePlan plan, ColumnKind kind)
{
	if (kind == KIND_CATEGORY)
	{
		if (plan.missing == MISSING_MEAN || plan.missing == MISSING_MEDIAN || plan.missing == MISSING_ZERO)
			plan.missing = MISSING_DEFAULT;
		plan.scaling = SCALING_DEFAULT;
	}
	else
	{
		plan.encoding = ENCODING_DEFAULT;
		plan.unseen = UNSEEN_DEFAULT;
		plan.max_categories = 0;
	}
	return plan;
}

/* Raises where a column's own request does not fit its kind. */
static void
check_fits(const RecipePlan *plan, const char *column, ColumnKind kind)
{
	RecipePlan	fitting = fitting_part(*plan, kind);
	const char *misfit = NULL;

	if (fitting.missing != plan->missing)
		misfit = psprintf("\"missing\": \"%s\"", missing_policy_names[plan->missing]);
	else if (kind == KIND_CATEGORY && plan->scaling != SCALING_DEFAULT && plan->scaling != SCALING_NONE &&
			 plan->encoding != ENCODING_ORDINAL)
		misfit = psprintf("\"scaling\": \"%s\"", scaling_names[plan->scaling]);
	else if (kind != KIND_CATEGORY && plan->encoding != ENCODING_DEFAULT && plan->encoding != ENCODING_NATIVE)
		misfit = psprintf("\"encoding\": \"%s\"", encoding_names[plan->encoding]);
	else if (fitting.unseen != plan->unseen)
		misfit = psprintf("\"unseen\": \"%s\"", unseen_policy_names[plan->unseen]);
	else if (fitting.max_categories != plan->max_categories)
		misfit = "\"max_categories\"";
	if (misfit != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s in argument \"preprocess\" does not fit column \"%s\"", misfit, column),
				 kind == KIND_CATEGORY
				 ? errdetail("The column is a category: its \"missing\" is native, most_frequent or error, and \"scaling\" needs \"encoding\": \"ordinal\".")
				 : errdetail("The column is a number; \"type\": \"category\" would make it a category.")));
}

/* The plan of a column. */
RecipePlan
preprocess_column(Preprocess *preprocess, const Algorithm *algorithm, const char *column, ColumnKind kind)
{
	ColumnRequest *own = find_request(preprocess, column);
	const ColumnRequest *every = find_request(preprocess, "*");
	RecipePlan	plan = {0};
	Error		error;

	if (own != NULL)
	{
		check_fits(&own->plan, column, kind);
		own->used = true;
		plan = own->plan;
	}
	if (every != NULL)
	{
		RecipePlan	common = fitting_part(every->plan, kind);

		plan.missing = plan.missing == MISSING_DEFAULT ? common.missing : plan.missing;
		plan.encoding = plan.encoding == ENCODING_DEFAULT ? common.encoding : plan.encoding;
		plan.scaling = plan.scaling == SCALING_DEFAULT ? common.scaling : plan.scaling;
		plan.unseen = plan.unseen == UNSEEN_DEFAULT ? common.unseen : plan.unseen;
		plan.indicator = plan.indicator == INDICATOR_DEFAULT ? common.indicator : plan.indicator;
		plan.max_categories = plan.max_categories == 0 ? common.max_categories : plan.max_categories;
	}
	plan = algorithm_recipe(algorithm, kind, plan);
	if (!algorithm_check_recipe(algorithm, kind, &plan, column, &error))
		report_error(&error);
	return plan;
}

/* Refuses requests for columns that are no features. */
void
preprocess_check_used(const Preprocess *preprocess, const char *const *features, int n_features)
{
	for (int i = 0; i < preprocess->n_requests; i++)
	{
		const ColumnRequest *request = &preprocess->requests[i];

		if (!request->used && strcmp(request->column, "*") != 0)
			report_unknown_name(ERRCODE_UNDEFINED_COLUMN,
								psprintf("argument \"preprocess\" names column \"%s\", which is not a feature", request->column),
								"features", request->column, features, n_features);
	}
}
