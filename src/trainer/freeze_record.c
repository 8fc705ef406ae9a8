/*
 * freeze_record.c
 *		A column that was counted, as records: its profile, and its slices.
 *
 * A slice's rows are counted in the cells of the comparison, which the
 * profile makes; each of the profile's own cells belongs to one of them.
 */
#include "freeze.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/statistics/distance.h"

void
count_slices(const ColumnCounter *counter, const uint8_t *groups, uint32_t n_cells, const double *values, const uint16_t *slices, size_t n,
			 uint64_t *counts)
{
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	cell;

		if (slices[i] == SLICE_NONE)
			continue;
		if (isfinite(values[i]))
			cell = groups[counter_cell(counter, values[i])];
		else
			cell = matrix_is_null(values[i]) ? CELL_NULL : CELL_NOT_FINITE;
		counts[(size_t) slices[i] * n_cells + cell]++;
	}
}

bool
record_column(Buffer *out, const ReferenceColumn *column, const Distribution *distribution, const ColumnCounter *counter,
			  const TimeSlices *slices, SliceCount count, const void *context, Error *error)
{
	ReferenceSlices record = {.origin = slices->origin,.width = slices->width,.n_slices = slices->n};
	uint8_t    *group;
	uint8_t    *groups = NULL;
	uint64_t   *counts;
	bool		done;

	reference_write_profile(out, column, distribution);
	if (slices->n == 0)
		return true;
	group = malloc(distribution->n_cells + 1);
	if (group == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the slices of a column");
	record.n_cells = cells_group(distribution, group);
	counts = calloc((size_t) slices->n * record.n_cells, sizeof(uint64_t));
	if (counter != NULL)
		groups = malloc((size_t) counter->n_cells + 1);
	done = counts != NULL && (counter == NULL || groups != NULL);
	if (done)
	{
		if (counter != NULL)
			counter_groups(counter, distribution, group, groups);
		count(context, slices, counter, counter != NULL ? groups : group, record.n_cells, counts);
		record.counts = counts;
		reference_write_slices(out, column, &record);
	}
	else
		error_set(error, ERROR_MEMORY, "out of memory for the slices of a column");
	free(group);
	free(groups);
	free(counts);
	return done;
}

bool
record_model(Buffer *reference, const char *kind, Buffer *content, Error *error)
{
	ReferenceModel model = {0};
	bool		done = buffer_check(content, error);

	strcpy(model.kind, kind);
	model.content = (const char *) content->data;
	model.content_size = content->size;
	if (done)
		reference_write_model(reference, &model);
	buffer_free(content);
	return done;
}
