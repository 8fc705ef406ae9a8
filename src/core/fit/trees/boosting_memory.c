/*
 * boosting_memory.c
 *		What gradient boosting takes beside the table, as announced before it starts.
 */
#include "boosting.h"

#define SET_SPLITS 4096

/* Sets of splits on wide categories, in an array that doubles; a tree is taken to have SET_SPLITS of them at most. */
static uint64_t
sets_memory(const FittedRecipe *recipe, uint64_t n_leaves)
{
	uint64_t	most = 0;

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		uint32_t	n_bins = bins_at_most(&recipe->columns[c].recipe, 0);

		if (n_bins > BINS_MAX && n_bins > most)
			most = n_bins;
	}
	return 4 * (n_leaves < SET_SPLITS ? n_leaves : SET_SPLITS) * (most / 64 + (most > 0)) * sizeof(uint64_t);
}

/* Nodes of trees as written and as a payload; leaves of deep trees are taken to have 16 rows or more, but for 4,096 of them. */
static uint64_t
trees_memory(const BoostingParams *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_groups)
{
	uint64_t	n_leaves = params->grow.max_depth < 32 ? UINT64_C(1) << params->grow.max_depth : n_rows;

	if (params->grow.max_leaves > 0 && params->grow.max_leaves < n_leaves)
		n_leaves = params->grow.max_leaves;
	if (n_leaves > n_rows / 16 + 4096)
		n_leaves = n_rows / 16 + 4096;
	return (uint64_t) params->n_rounds * n_groups * 2 * n_leaves * (sizeof(TreeNode) + sizeof(TreeNodeStat)) * 2 +
		2 * n_leaves * sizeof(GrownNode) * 2 + sets_memory(recipe, n_leaves);
}

/* An upper estimate for usual trees; the sum of what the parts take. */
uint64_t
boosting_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads)
{
	BoostingParams boosting = boosting_read_params(params);
	uint32_t	n_groups = n_classes > 2 ? n_classes : 1;
	BinPlan		bins = {.n_rows = n_rows,.max_bin = boosting.max_bin,.by_row = true};
	uint64_t	lists = 2 * (sizeof(uint32_t) + 2 * sizeof(int32_t));
	uint64_t	scores = n_groups * sizeof(float) + (n_groups > 1 ? sizeof(double) : 0);
	uint64_t	weights = n_classes > 0 ? sizeof(double) : 0;	/* by class */
	uint64_t	outputs = params_get(params, "early_stopping_rounds") > 0 ? (n_classes > 0 ? n_classes : 1) * sizeof(double) : 0;
	uint64_t	refit = objective_find(boosting.objective, TASK_REGRESSION)->refits_leaves ? sizeof(QuantileItem) : 0;

	return bins_memory(recipe, &bins, n_threads) + n_rows * (lists + scores + refit + weights + outputs) +
		grower_memory(&boosting.grow, recipe, n_rows, boosting.max_bin, n_threads) +
		trees_memory(&boosting, n_rows, recipe, n_groups);
}
