/*
 * notices.c
 *		What the user should know about the rows before trusting a model.
 */
#include "trainer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* At most this many names in one notice; the others are counted. */
#define NOTICE_NAMES 20

/* A text column looks like an identifier where so many values, and so large a share of them, are distinct. */
#define IDENTIFIER_MIN_ROWS		20
#define IDENTIFIER_MIN_SHARE	0.9

/* A list of quoted names that grows. */
typedef struct NameList
{
	char		text[NOTICE_NAMES * (COLUMN_NAME_MAX + 5) + 64];
	size_t		length;
	uint32_t	n;
} NameList;

static void
list_add(NameList *list, const char *name)
{
	if (list->n++ < NOTICE_NAMES)
		list->length += (size_t) snprintf(list->text + list->length, sizeof(list->text) - list->length, "%s\"%.*s\"",
										  list->n > 1 ? ", " : "", COLUMN_NAME_MAX, name);
}

/* The names; "and 3 more" behind them where there are too many. */
static const char *
list_text(NameList *list)
{
	if (list->n > NOTICE_NAMES)
		snprintf(list->text + list->length, sizeof(list->text) - list->length, " and %u more", list->n - NOTICE_NAMES);
	return list->text;
}

static void notice(const Trainer *trainer, const char *format,...) __attribute__((format(printf, 2, 3)));

static void
notice(const Trainer *trainer, const char *format,...)
{
	char		text[sizeof(NameList) * 2 + 256];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	channel_notice(&trainer->channel, text);
}

void
notice_dropped(const Trainer *trainer, const Table *table)
{
	int			target = matrix_find_role(&trainer->matrix, ROLE_TARGET);
	bool		nan = target >= 0 && trainer->matrix.columns[target].n_nan > 0;

	if (table->n_dropped > 0)
		notice(trainer, "%llu of %llu rows left out, because their target is NULL%s%s", (unsigned long long) table->n_dropped,
			   (unsigned long long) trainer->matrix.header->n_rows, nan ? " or NaN" : "",
			   table->weight == NULL ? "" : ", or their weight is NULL or 0");
}

void
notice_untested(const Trainer *trainer, const Table *table)
{
	if (range_rows(table->test) == 0 && (trainer->job.split_kind == SPLIT_COLUMN || trainer->job.test > 0))
		notice(trainer, "the split holds out none of the %zu rows, so nothing is measured", table->n_rows);
}

/* Whether nearly every value of a column is distinct. */
static bool
is_identifier(const TableColumn *column)
{
	return column->source->storage == STORAGE_CODE && column->n_levels >= IDENTIFIER_MIN_ROWS &&
		column->n_levels >= IDENTIFIER_MIN_SHARE * (double) column->n_present;
}

void
notice_identifiers(const Trainer *trainer, const Table *table)
{
	NameList	list = {.n = 0};

	for (uint32_t i = 0; i < table->n_features; i++)
	{
		if (is_identifier(&table->features[i]))
			list_add(&list, table->features[i].source->name);
	}
	if (list.n > 0)
		notice(trainer, "%s %s: nearly every value is distinct, so no model can learn from it; consider excluding %s",
			   list_text(&list), list.n == 1 ? "looks like an identifier" : "look like identifiers", list.n == 1 ? "it" : "them");
}

void
notice_cut_categories(const Trainer *trainer, const Table *table, const FittedRecipe *recipe)
{
	NameList	list = {.n = 0};

	for (uint32_t i = 0; i < table->n_features; i++)
	{
		const TableColumn *column = &table->features[i];
		const RecipeColumn *fitted = &recipe->columns[i].recipe;

		if (fitted->kind == KIND_CATEGORY && fitted->n_categories == trainer->job.plans[i].max_categories &&
			fitted->n_categories < column->n_levels && !is_identifier(column))
			list_add(&list, column->source->name);
	}
	if (list.n > 0)
		notice(trainer, "only the most frequent categories are kept of %s: the others count as unseen; \"max_categories\" in preprocess says how many",
			   list_text(&list));
}

void
notice_unknown_categories(const Trainer *trainer, const Table *table, const FittedRecipe *recipe)
{
	NameList	list = {.n = 0};

	for (uint32_t i = 0; i < table->n_features; i++)
	{
		const TableColumn *column = &table->features[i];
		bool		unknown = false;

		for (uint32_t code = 0; code < column->n_levels && !unknown; code++)
			unknown = recipe->columns[i].level_of_code[code] == CODE_MISSING;
		if (unknown)
			list_add(&list, column->source->name);
	}
	if (list.n > 0)
		notice(trainer, "%s %s categories that the version does not know: they count as missing, for its recipe is kept", list_text(&list),
			   list.n == 1 ? "has" : "have");
}

void
notice_uninformative(const Trainer *trainer, const Table *table, const FittedRecipe *recipe)
{
	NameList	constant = {.n = 0};
	NameList	missing = {.n = 0};

	for (uint32_t i = 0; i < table->n_features; i++)
	{
		const TableColumn *column = &table->features[i];
		const RecipeColumn *fitted = &recipe->columns[i].recipe;

		if (fitted->n_missing == range_rows(table->train))
			list_add(&missing, column->source->name);
		else if (fitted->n_missing == 0 &&
				 (column->source->storage == STORAGE_CODE ? recipe->columns[i].n_seen == 1 : fitted->lowest == fitted->highest))
			list_add(&constant, column->source->name);
	}
	if (constant.n > 0 && missing.n > 0)
		notice(trainer, "columns that tell nothing: constant in the training rows: %s; all NULL: %s", list_text(&constant), list_text(&missing));
	else if (constant.n > 0)
		notice(trainer, "columns that tell nothing, because they are constant in the training rows: %s", list_text(&constant));
	else if (missing.n > 0)
		notice(trainer, "columns that tell nothing, because they are all NULL in the training rows: %s", list_text(&missing));
}

void
notice_single_classes(const Trainer *trainer, const Target *target)
{
	NameList	list = {.n = 0};

	for (uint32_t i = 0; i < target->n_classes; i++)
		if (target->counts[i] == 1)
			list_add(&list, target->labels[i]);
	if (list.n > 0)
		notice(trainer, "%s with only one training row: %s", list.n == 1 ? "class" : "classes", list_text(&list));
}
