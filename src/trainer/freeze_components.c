/*
 * freeze_components.c
 *		Principal components of the features of the sample.
 *
 * Numbers are standardised; what is missing or infinite counts as the mean.
 * The first components that hold 65 % of the variance span a plane; how far
 * rows lie from it, on the average, changes when features stop
 * moving together as they did.  Texts, times and columns that never vary are
 * left out.  LAPACK finds the components, on one thread.
 */
#include "freeze.h"

#include <math.h>
#include <string.h>

#include "../core/fit/linear/linalg.h"
#include "json.h"

#define VARIANCE_KEPT	0.65
#define COLUMNS_MAX		256		/* of more, time and memory grow with their cube */
#define ROWS_MIN		30

extern void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a, const int *lda,
				   const double *beta, double *c, const int *ldc);
extern void dsyev_(const char *job, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work, const int *lwork, int *info);

typedef struct Components
{
	const Answers *answers;
	uint32_t	n;				/* columns */
	uint32_t   *features;		/* numbers of them */
	double	   *mean;
	double	   *scale;			/* standard deviation, of a population */
	double	   *x;				/* standardised: n columns of n_sample rows */
	double	   *vectors;		/* n x n, ascending by variance, one after the other */
	double	   *variances;		/* n, ascending */
	uint32_t	n_kept;			/* the last of them */
	double		error_mean;		/* distance of a row from the plane */
	double		error_sd;
} Components;

/* Numbers and booleans have components: texts have no order, and times only go on. */
static bool
takes(const TableColumn *column)
{
	return column->source->kind == KIND_NUMBER || column->source->kind == KIND_BOOLEAN;
}

/* Standardises a feature into the next column, where it varies. */
static void
add_column(Components *components, uint32_t feature)
{
	const Answers *answers = components->answers;
	const TableColumn *column = &answers->table->features[feature];
	size_t		n_rows = answers->n_sample;
	double	   *x = components->x + components->n * n_rows;
	double		sum = 0;
	double		squares = 0;
	double		mean;
	double		scale;
	size_t		n = 0;

	for (size_t i = 0; i < n_rows; i++)
	{
		x[i] = table_number(column, answers->sample[i]);
		sum += isfinite(x[i]) ? x[i] : 0;
		n += isfinite(x[i]) ? 1 : 0;
	}
	mean = sum / (double) n;
	for (size_t i = 0; i < n_rows; i++)
		squares += isfinite(x[i]) ? (x[i] - mean) * (x[i] - mean) : 0;
	scale = sqrt(squares / (double) n);
	if (!isfinite(scale) || !isfinite(mean) || !(scale > 1e-12 * fabs(mean)))
		return;
	for (size_t i = 0; i < n_rows; i++)
		x[i] = isfinite(x[i]) ? (x[i] - mean) / scale : 0;
	components->features[components->n] = feature;
	components->mean[components->n] = mean;
	components->scale[components->n++] = scale;
}

/* Eigenvectors of the correlations; false where LAPACK finds none. */
static bool
find_vectors(Components *components, Arena *scratch, Error *error)
{
	int			n = (int) components->n;
	int			n_rows = (int) components->answers->n_sample;
	int			n_work = 34 * n;
	int			info = 0;
	double		share = 1 / (double) n_rows;
	double		zero = 0;
	double		total = 0;
	double		kept = 0;
	double	   *work = arena_alloc(scratch, (size_t) n_work, sizeof(double), error);

	components->vectors = arena_alloc(scratch, (size_t) n * (size_t) n, sizeof(double), error);
	components->variances = arena_alloc(scratch, (size_t) n, sizeof(double), error);
	if (work == NULL || components->vectors == NULL || components->variances == NULL || !linalg_start(error))
		return false;
	dsyrk_("U", "T", &n, &n_rows, &share, components->x, &n_rows, &zero, components->vectors, &n);
	dsyev_("V", "U", &n, components->vectors, &n, components->variances, work, &n_work, &info);
	if (info != 0)
		return error_set(error, ERROR_DATA, "the features have no principal components");
	for (int i = 0; i < n; i++)
		total += components->variances[i];
	while (components->n_kept < components->n && kept < VARIANCE_KEPT * total)
		kept += components->variances[n - 1 - (int) components->n_kept++];
	return true;
}

/* The squares of a row less those of its scores are those of what the plane misses. */
static bool
measure_errors(Components *components, Arena *scratch, Error *error)
{
	size_t		n_rows = components->answers->n_sample;
	uint32_t	n = components->n;
	double	   *errors = arena_zeroed(scratch, n_rows, sizeof(double), error);
	double	   *scores = arena_alloc(scratch, n_rows, sizeof(double), error);
	double		sum = 0;
	double		squares = 0;

	if (errors == NULL || scores == NULL)
		return false;
	for (uint32_t j = 0; j < n; j++)
		for (size_t i = 0; i < n_rows; i++)
			errors[i] += components->x[j * n_rows + i] * components->x[j * n_rows + i];
	for (uint32_t k = n - components->n_kept; k < n; k++)
	{
		memset(scores, 0, n_rows * sizeof(double));
		for (uint32_t j = 0; j < n; j++)
			for (size_t i = 0; i < n_rows; i++)
				scores[i] += components->vectors[(size_t) k * n + j] * components->x[j * n_rows + i];
		for (size_t i = 0; i < n_rows; i++)
			errors[i] -= scores[i] * scores[i];
	}
	for (size_t i = 0; i < n_rows; i++)
	{
		errors[i] = sqrt(fmax(errors[i], 0));
		sum += errors[i];
	}
	components->error_mean = sum / (double) n_rows;
	for (size_t i = 0; i < n_rows; i++)
		squares += (errors[i] - components->error_mean) * (errors[i] - components->error_mean);
	components->error_sd = sqrt(squares / (double) (n_rows - 1));
	return true;
}

/* The components that are kept, the one with most variance first; of a vector and its opposite the one whose largest number is positive. */
static void
write_vectors(const Components *components, Buffer *content)
{
	uint32_t	n = components->n;

	json_raw(content, "[");
	for (uint32_t k = 0; k < components->n_kept; k++)
	{
		double	   *vector = components->vectors + (size_t) (n - 1 - k) * n;
		double		largest = 0;

		for (uint32_t j = 0; j < n; j++)
			largest = fabs(vector[j]) > fabs(largest) ? vector[j] : largest;
		for (uint32_t j = 0; j < n; j++)
			vector[j] = largest < 0 ? -vector[j] : vector[j];
		if (k > 0)
			json_raw(content, ", ");
		json_numbers(content, vector, n);
	}
	json_raw(content, "]");
}

static void
write_components(const Components *components, Buffer *content)
{
	json_raw(content, "{\"columns\": [");
	for (uint32_t j = 0; j < components->n; j++)
	{
		const char *name = components->answers->table->features[components->features[j]].source->name;

		if (j > 0)
			json_raw(content, ", ");
		json_text(content, name, strlen(name));
	}
	json_raw(content, "], \"mean\": ");
	json_numbers(content, components->mean, components->n);
	json_raw(content, ", \"scale\": ");
	json_numbers(content, components->scale, components->n);
	json_raw(content, ", \"components\": ");
	write_vectors(components, content);
	json_raw(content, ", \"error_mean\": ");
	json_number(content, components->error_mean);
	json_raw(content, ", \"error_sd\": ");
	json_number(content, components->error_sd);
	json_raw(content, "}");
}

bool
freeze_components(const Answers *answers, Arena *scratch, Buffer *reference, Error *error)
{
	const Table *table = answers->table;
	Components	components = {.answers = answers};
	Buffer		content;
	uint32_t	n = 0;

	for (uint32_t i = 0; i < table->n_features; i++)
		n += takes(&table->features[i]);
	if (n < 2 || n > COLUMNS_MAX || answers->n_sample < ROWS_MIN)
		return true;
	components.features = arena_alloc(scratch, n, sizeof(uint32_t), error);
	components.mean = arena_alloc(scratch, n, sizeof(double), error);
	components.scale = arena_alloc(scratch, n, sizeof(double), error);
	components.x = arena_alloc(scratch, (size_t) n * answers->n_sample, sizeof(double), error);
	if (components.features == NULL || components.mean == NULL || components.scale == NULL || components.x == NULL)
		return false;
	for (uint32_t i = 0; i < table->n_features; i++)
	{
		if (takes(&table->features[i]))
			add_column(&components, i);
	}
	if (components.n < 2)
		return true;
	if (!find_vectors(&components, scratch, error) || !measure_errors(&components, scratch, error))
		return false;
	buffer_init(&content);
	write_components(&components, &content);
	return record_model(reference, "components", &content, error);
}
