/*
 * columns.c
 *		Which columns of a source a training uses, and as what.
 */
#include "columns.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "../registry/signature.h"
#include "../report.h"

/* Kind and storage by a column's type; false where it cannot be used. */
bool
column_by_type(ScanColumn *column)
{
	Oid			type = column->source->base_type;
	Oid			element = get_element_type(type);

	if (scan_number_type(type, &column->kind, &column->storage))
		return true;
	if (OidIsValid(element))
	{
		column->element_type = getBaseType(element);
		return scan_number_type(column->element_type, &column->kind, &column->storage) && column->kind == KIND_NUMBER;
	}
	column->kind = KIND_CATEGORY;
	column->storage = STORAGE_CODE;
	return scan_text_type(type);
}

/* The column of an argument, with its role. */
static ScanColumn
named_column(const Source *source, const char *name, const char *argument, ColumnRole role)
{
	ScanColumn	column = {.role = role, .required = true};

	column.source = source_column(source, name, argument);
	return column;
}

static bool
contains(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* The target: a number, a boolean or a text. */
static ScanColumn
choose_target(const Source *source, const char *name)
{
	ScanColumn	target = named_column(source, name, "argument \"target\"", ROLE_TARGET);

	if (!column_by_type(&target) || OidIsValid(target.element_type) ||
		(target.kind != KIND_NUMBER && target.kind != KIND_BOOLEAN && target.kind != KIND_CATEGORY))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s", name, target.source->type_name),
				 errdetail("A target is a number, a boolean or a text."),
				 errhint("Cast it in the source query.")));
	return target;
}

/* The weights: numbers. */
static ScanColumn
choose_weight(const Source *source, const char *name)
{
	ScanColumn	weight = named_column(source, name, "argument \"weight\"", ROLE_WEIGHT);

	if (!column_by_type(&weight) || OidIsValid(weight.element_type) || weight.kind != KIND_NUMBER)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("weight column \"%s\" is of type %s, not a number", name, weight.source->type_name)));
	return weight;
}

/* Whether a usable column can name the part, the time or the group. */
static bool
fits_split(const ScanColumn *column, SplitKind kind)
{
	switch (kind)
	{
		case SPLIT_COLUMN:
			return column->kind == KIND_BOOLEAN || column->kind == KIND_CATEGORY;
		case SPLIT_TIME:
			return column->kind != KIND_BOOLEAN && column->kind != KIND_CATEGORY;
		case SPLIT_GROUP:
		case SPLIT_RANDOM:
			break;
	}
	return true;
}

/* The column that names the part, the time or the group. */
static ScanColumn
choose_split(const Source *source, const SplitRequest *split)
{
	ScanColumn	column = named_column(source, split->column, "argument \"split\"", ROLE_SPLIT);

	if (!column_by_type(&column) || OidIsValid(column.element_type) || !fits_split(&column, split->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be \"%s\" of argument \"split\"",
						split->column, column.source->type_name, split->key),
				 split->kind == SPLIT_COLUMN ? errdetail("It is a boolean (true is test), or a text: train, validation or test.")
				 : errdetail("A time is a date, a timestamp or a number; a group anything that a feature can be.")));
	return column;
}

/* A column by whose values profiles are kept: one that is used already, or another one. */
static void
choose_segment(const Source *source, const char *name, TrainColumns *chosen)
{
	ScanColumn	segment = named_column(source, name, "argument \"split\"", ROLE_SEGMENT);

	if (!scan_category_type(segment.source->base_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be one of \"segments\" of argument \"split\"", name, segment.source->type_name),
				 errdetail("Segments are the values of texts, enums, uuids, booleans and integers."),
				 errhint("Cast it in the source query.")));
	for (int i = 0; i < chosen->n_columns; i++)
	{
		if (strcmp(chosen->columns[i].source->name, name) == 0)
		{
			chosen->columns[i].segment = true;
			return;
		}
	}
	segment.segment = true;
	(void) column_by_type(&segment);
	chosen->columns[chosen->n_columns++] = segment;
}

/* Makes a feature what the request or its type says; false where its type cannot be used. */
static bool
decide_feature(ScanColumn *feature, const Preprocess *preprocess)
{
	const SourceColumn *source = feature->source;
	bool		usable = column_by_type(feature);

	if (preprocess_wants_category(preprocess, source->name))
	{
		if (!scan_category_type(source->base_type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of type %s cannot be a category", source->name, source->type_name),
					 errdetail("Categories are texts, enums, uuids, booleans and integers."),
					 errhint("Cast it to text in the source query.")));
		feature->kind = KIND_CATEGORY;
		feature->storage = STORAGE_CODE;
	}
	else if (preprocess_wants_number(preprocess, source->name) && (!usable || feature->kind == KIND_CATEGORY))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be a number", source->name, source->type_name),
				 errhint("Cast it in the source query.")));
	return usable;
}

/* Features that the caller listed. */
static void
listed_features(const Source *source, const ColumnChoice *choice, const Preprocess *preprocess, TrainColumns *chosen)
{
	for (int i = 0; i < choice->n_features; i++)
	{
		const char *name = choice->features[i];
		ScanColumn	feature = named_column(source, name, "argument \"features\"", ROLE_FEATURE);

		if (contains(choice->features, i, name))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"features\" names column \"%s\" twice", name)));
		if (strcmp(name, choice->target) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the target \"%s\" cannot be a feature", name)));
		if (contains(choice->exclude, choice->n_exclude, name))
			continue;
		if (!decide_feature(&feature, preprocess))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature \"%s\" is of type %s, which cannot be used", name, feature.source->type_name),
					 errhint("Cast it in the source query to a number or a text, or leave it out.")));
		chosen->columns[chosen->n_columns++] = feature;
	}
}

/* All columns that are nothing else and are not excluded. */
static void
other_features(const Source *source, const ColumnChoice *choice, const Preprocess *preprocess, TrainColumns *chosen)
{
	StringInfoData left_out;

	initStringInfo(&left_out);
	for (int i = 0; i < source->n_columns; i++)
	{
		const char *name = source->columns[i].name;
		ScanColumn	feature = {.role = ROLE_FEATURE};

		if (strcmp(name, choice->target) == 0 ||
			(choice->weight != NULL && strcmp(name, choice->weight) == 0) ||
			(choice->split->column != NULL && strcmp(name, choice->split->column) == 0) ||
			contains(choice->exclude, choice->n_exclude, name))
			continue;
		feature.source = source_find(source, name);
		if (decide_feature(&feature, preprocess))
			chosen->columns[chosen->n_columns++] = feature;
		else
			appendStringInfo(&left_out, "%s\"%s\" (%s)", left_out.len > 0 ? ", " : "", name, feature.source->type_name);
	}
	if (left_out.len > 0)
		ereport(NOTICE,
				(errmsg("left out for their types: %s", left_out.data)));
}

/* Names of columns that are not among others, as a list; NULL where there is none. */
static char *
names_missing_in(const char *const *names, int n, const char *const *others, int n_others)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
	{
		if (!contains(others, n_others, names[i]))
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "", names[i]);
	}
	return list.len > 0 ? list.data : NULL;
}

/* Raises where the caller asks for other features than those of the version to continue, whose names these are. */
static void
check_continued(const ColumnChoice *choice, const char *const *names, int n)
{
	char	   *unknown = choice->features != NULL ? names_missing_in(choice->features, choice->n_features, names, n) : NULL;
	char	   *missing = choice->features != NULL ? names_missing_in(names, n, choice->features, choice->n_features) : NULL;
	const char *taken = NULL;

	if (unknown != NULL || missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"features\" does not list the columns of the version to continue"),
				 errdetail("%s: %s.", unknown != NULL ? "The version does not know" : "It has also", unknown != NULL ? unknown : missing),
				 errhint("Leave out \"features\": the version's columns are used.")));
	for (int i = 0; i < n; i++)
	{
		if (contains(choice->exclude, choice->n_exclude, names[i]))
			taken = "argument \"exclude\"";
		else if (strcmp(names[i], choice->target) == 0)
			taken = "the target";
		else if (choice->weight != NULL && strcmp(names[i], choice->weight) == 0)
			taken = "argument \"weight\"";
		else if (choice->split->column != NULL && strcmp(names[i], choice->split->column) == 0)
			taken = "argument \"split\"";
		if (taken != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s names column \"%s\", which is a feature of the version to continue", taken, names[i])));
	}
}

/* The policies of a column of the version, which are kept. */
static RecipePlan
kept_plan(const RecipeColumn *recipe)
{
	return (RecipePlan)
	{
		.missing = recipe->missing,.encoding = recipe->encoding,.scaling = recipe->scaling,.unseen = recipe->unseen,
		.indicator = recipe->indicator ? INDICATOR_AUTO : INDICATOR_NEVER
	};
}

/* Numbers come as wide as they did: a threshold of the one width would divide values of the other elsewhere. */
static void
check_storage(const ScanColumn *feature, const Model *init, const RecipeColumn *recipe)
{
	if (feature->storage != (ColumnStorage) recipe->storage)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, but the version to continue was trained with type %s", feature->source->name,
						feature->source->type_name, model_string(init, recipe->type_name)),
				 errhint("Cast it in the source query.")));
}

/* The features of the version to continue; what else the source has is told. */
static void
continued_features(const Source *source, const ColumnChoice *choice, TrainColumns *chosen)
{
	const char **names;
	uint32		column = 0;
	StringInfoData left_out;

	chosen->n_columns = signature_features(source, choice->init, chosen->columns);
	names = palloc((chosen->n_columns + 1) * sizeof(char *));
	for (int i = 0; i < chosen->n_columns; i++)
	{
		ScanColumn *feature = &chosen->columns[i];

		names[i] = feature->source->name;
		check_storage(feature, choice->init, &choice->init->columns[column]);
		feature->plan = kept_plan(&choice->init->columns[column]);
		column += OidIsValid(feature->element_type) ? feature->n_elements : 1;
	}
	check_continued(choice, names, chosen->n_columns);

	initStringInfo(&left_out);
	for (int i = 0; i < source->n_columns; i++)
	{
		const char *name = source->columns[i].name;

		if (strcmp(name, choice->target) != 0 && (choice->weight == NULL || strcmp(name, choice->weight) != 0) &&
			(choice->split->column == NULL || strcmp(name, choice->split->column) != 0) &&
			!contains(choice->exclude, choice->n_exclude, name) && !contains(names, chosen->n_columns, name))
			appendStringInfo(&left_out, "%s\"%s\"", left_out.len > 0 ? ", " : "", name);
	}
	if (left_out.len > 0)
		ereport(NOTICE,
				(errmsg("left out, for the version to continue does not know them: %s", left_out.data)));
}

/* Plans of the features; what "preprocess" names must be one. */
static void
plan_features(TrainColumns *chosen, const Algorithm *algorithm, Preprocess *preprocess)
{
	const char **names = palloc(chosen->n_features * sizeof(char *));

	for (int i = 0; i < chosen->n_features; i++)
	{
		ScanColumn *feature = &chosen->columns[i];

		names[i] = feature->source->name;
		feature->plan = preprocess_column(preprocess, algorithm, names[i], feature->kind);
	}
	preprocess_check_used(preprocess, names, chosen->n_features);
}

/* Chooses the columns of a training. */
TrainColumns *
columns_choose(const Source *source, const ColumnChoice *choice, const Algorithm *algorithm, Preprocess *preprocess)
{
	TrainColumns *chosen = palloc0(sizeof(TrainColumns));
	ScanColumn	target = choose_target(source, choice->target);

	chosen->columns = palloc((Max(Max(choice->n_features, source->n_columns), choice->init != NULL ? (int) choice->init->n_columns : 0) + 3 + choice->split->n_segments) *
							 sizeof(ScanColumn));
	for (int i = 0; i < choice->n_exclude; i++)
	{
		if (!source_has(source, choice->exclude[i]))
			(void) source_column(source, choice->exclude[i], "argument \"exclude\"");
	}
	if (choice->init != NULL)
		continued_features(source, choice, chosen);
	else if (choice->features != NULL)
		listed_features(source, choice, preprocess, chosen);
	else
		other_features(source, choice, preprocess, chosen);
	chosen->n_features = chosen->n_columns;
	if (chosen->n_features == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no feature left beside the target \"%s\"", choice->target),
				 errhint("The source must return at least one more column of a type that can be used.")));
	if (choice->init == NULL)
		plan_features(chosen, algorithm, preprocess);

	chosen->target = &chosen->columns[chosen->n_columns];
	chosen->columns[chosen->n_columns++] = target;
	if (choice->weight != NULL)
		chosen->columns[chosen->n_columns++] = choose_weight(source, choice->weight);
	if (choice->split->column != NULL)
		chosen->columns[chosen->n_columns++] = choose_split(source, choice->split);
	for (int i = 0; i < chosen->n_features; i++)
		chosen->columns[i].frozen = true;
	chosen->columns[chosen->n_features].frozen = true;
	for (int i = 0; i < choice->split->n_segments; i++)
		choose_segment(source, choice->split->segments[i], chosen);
	return chosen;
}
