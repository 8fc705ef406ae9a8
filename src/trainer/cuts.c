/*
 * cuts.c
 *		Which rows a training certainly held out: the cuts of its test part, by class.
 *
 * A version is later compared with another on rows that neither was trained
 * on.  What its own split kept back follows from these few numbers, without
 * the rows.
 */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_CLASS UINT32_MAX

/* The class of a value as the matrix has it (of a text its code), or NO_CLASS. */
static uint32_t
class_of_value(const Target *target, const TableColumn *column, double value)
{
	for (uint32_t class = 0; class < target->n_classes; class++)
	{
		if (column->source->storage == STORAGE_CODE)
		{
			uint32_t	level = column->level_of_code[(uint32_t) value];

			if (level != CODE_MISSING && strcmp(column->levels[level], target->labels[class]) == 0)
				return class;
		}
		else if (target_label_number(target->labels[class], column) == value)
			return class;
	}
	return NO_CLASS;
}

uint64_t *
target_cuts(const Target *target, const Table *table, uint32_t *n, Error *error)
{
	bool		by_class = table->n_cuts > 0 && !isnan(table->cuts[0].target);
	uint64_t   *cuts;

	*n = by_class ? target->n_classes : table->n_cuts;
	cuts = calloc((size_t) *n + 1, sizeof(uint64_t));
	if (cuts == NULL)
	{
		error_set(error, ERROR_MEMORY, "out of memory for the cuts of %u classes", *n);
		return NULL;
	}
	for (uint32_t c = 0; c < table->n_cuts; c++)
	{
		uint32_t	class = by_class ? class_of_value(target, table->target, table->cuts[c].target) : 0;

		if (class != NO_CLASS)
			cuts[class] = table->cuts[c].below;
	}
	return cuts;
}
