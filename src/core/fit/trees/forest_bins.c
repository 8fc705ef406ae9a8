/*
 * forest_bins.c
 *		The bins of forests.
 *
 * Those of bins.c, but more of them: trees of unlimited depth use fine ones.
 * A node looks at few features, so columns are all there is: dense nodes
 * stream through them, and those of sparse ones stay in the cache.  All
 * memory is the arena's.
 */
#include "forest.h"

bool
forest_bins_build(ForestBins *bins, const FitInput *input, const ForestRules *rules, Error *error)
{
	BinPlan		plan = {.n_rows = range_rows(input->table->train),.max_bin = rules->max_bin,.middles = rules->random_cuts};
	BinnedMatrix binned;

	bins->n_rows = plan.n_rows;
	bins->n_features = input->recipe->n_features;
	bins->columns = arena_zeroed(input->arena, bins->n_features, sizeof(ForestColumn), error);

	/* a feature that cannot be split has no column of its own */
	uint8_t    *constant = arena_zeroed(input->arena, bins->n_rows, sizeof(uint8_t), error);

	if (bins->columns == NULL || constant == NULL || !bins_build(&binned, input, &plan, error))
		return false;
	bins->max_bins = binned.most_bins;
	for (uint32_t f = 0; f < bins->n_features; f++)
	{
		ForestColumn *column = &bins->columns[f];

		column->feature = binned.features[f];
		column->middles = column->feature.middles;
		if (column->feature.constant)
			column->narrow = constant;
		else if (column->feature.wide)
			column->wide = bins_wide_column(&binned, &column->feature);
		else
			column->narrow = bins_column(&binned, &column->feature);
		if (column->feature.n_bins > bins->max_bins)
			bins->max_bins = column->feature.n_bins;
	}
	return true;
}

uint64_t
forest_bins_memory(const FittedRecipe *recipe, uint64_t n_rows, uint32_t max_bin, int n_threads)
{
	BinPlan		plan = {.n_rows = n_rows,.max_bin = max_bin,.middles = true};

	return bins_memory(recipe, &plan, n_threads) + recipe->n_features * sizeof(ForestColumn) + n_rows;
}
