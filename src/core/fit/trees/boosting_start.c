/*
 * boosting_start.c
 *		Where boosting starts: at a constant, or at the trees of a version.
 *
 * The trees of a version are walked by value, not by bins: the bins are made
 * for the rows at hand, and not every threshold of theirs need be a cut.
 */
#include "boosting_start.h"

#include <math.h>
#include <string.h>

#include "../../mathfun.h"

#define TILE_NUMBERS 16384		/* encoded rows at a time: what stays in a cache */

/* Their trees; NULL where boosting starts at a constant. */
static inline const TreePayload *
init_trees(const FitInput *input)
{
	return input->init != NULL ? input->init->payload : NULL;
}

uint32_t
start_trees(const FitInput *input)
{
	return input->init != NULL ? init_trees(input)->n_trees : 0;
}

/* The base scores of a version, where they are of this kind. */
static bool
copy_base(const TreePayload *trees, const Objective *objective, uint32_t n_groups, double *base, Error *error)
{
	if (trees->link != objective->link || trees->n_groups != n_groups)
		return error_set(error, ERROR_DATA, "the version to continue has other scores than the objective %s", objective->name);
	memcpy(base, (const uint8_t *) trees + trees->base_offset, n_groups * sizeof(double));
	return true;
}

bool
start_base(const FitInput *input, const Objective *objective, const BoostingParams *params, double *base, Error *error)
{
	double		given = params->base_score;

	if (input->init != NULL)
		return copy_base(init_trees(input), objective, objective->grouped ? input->n_classes : 1, base, error);
	if (isnan(given))
		return objective->base(input, params->shape, base, error);
	switch (objective->link)
	{
		case LINK_LOG:
			base[0] = math_log(given);
			break;
		case LINK_LOGISTIC:
			base[0] = math_log(given) - math_log1p(-given);
			break;
		case LINK_IDENTITY:
		case LINK_SOFTMAX:
			base[0] = given;
			break;
		case LINK_MEAN:
		case LINK_SHARES:
			break;				/* of forests */
	}
	return true;
}

typedef struct StartWork
{
	const FitInput *input;
	RowRange	range;
	float	   *scores;
	size_t		tile;			/* rows encoded at a time */
	double	   *features;		/* for each thread: those of a tile */
} StartWork;

/* Features of n rows of the table from `first` on, row by row. */
static void
encode_tile(const FittedRecipe *recipe, size_t first, size_t n, double *features)
{
	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const FittedColumn *column = &recipe->columns[c];

		/* recipe_keep() has refused the missing values that the encoder would refuse */
		for (size_t i = 0; i < n; i++)
			recipe_encode(&column->recipe, recipe_raw(column, first + i), features + i * recipe->n_features + column->recipe.first_feature);
	}
}

/* Task: the scores of a block of rows, a tile after the other; all rows of a tile walk a tree before the next one is looked at. */
static void
start_block(void *argument, size_t task, int thread)
{
	const StartWork *work = argument;
	const FitInput *input = work->input;
	const TreePayload *trees = init_trees(input);
	size_t		n_rows = range_rows(work->range);
	size_t		n_features = input->recipe->n_features;
	double	   *features = work->features + (size_t) thread * work->tile * n_features;
	size_t		end = (task + 1) * OBJECTIVE_BLOCK < n_rows ? (task + 1) * OBJECTIVE_BLOCK : n_rows;

	for (size_t begin = task * OBJECTIVE_BLOCK; begin < end; begin += work->tile)
	{
		size_t		n = end - begin < work->tile ? end - begin : work->tile;

		encode_tile(input->recipe, work->range.begin + begin, n, features);
		for (uint32_t t = 0; t < trees->n_trees; t++)
		{
			float	   *scores = work->scores + (t % trees->n_groups) * n_rows + begin;

			for (size_t i = 0; i < n; i++)
				scores[i] += (float) tree_model_leaf(input->init, t, features + i * n_features);
		}
	}
}

bool
start_scores(const FitInput *input, RowRange range, float *scores, Error *error)
{
	Arena		scratch;
	StartWork	work = {.input = input,.range = range,.scores = scores};
	size_t		n_features = input->recipe->n_features;

	if (input->init == NULL || range_rows(range) == 0)
		return true;
	work.tile = n_features < TILE_NUMBERS / 4 ? TILE_NUMBERS / (n_features + 1) : 1;
	arena_init(&scratch);
	work.features = arena_alloc(&scratch, (size_t) pool_threads(input->pool) * work.tile, (n_features + 1) * sizeof(double), error);
	if (work.features != NULL)
		pool_for_thread(input->pool, objective_blocks(range_rows(range)), start_block, &work);
	arena_free(&scratch);
	return work.features != NULL;
}
