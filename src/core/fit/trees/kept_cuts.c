/*
 * kept_cuts.c
 *		The bins of a version that a training goes on from.
 */
#include "kept_cuts.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../model/tree_model.h"

static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Whether a node has a threshold. */
static inline bool
has_threshold(const TreeNode *node)
{
	return !(node->feature & (NODE_LEAF | NODE_CATEGORICAL));
}

/* Sorts a feature's thresholds and drops those that are there twice; how many are left. */
static size_t
make_distinct(double *cuts, size_t n)
{
	size_t		n_distinct = 0;

	if (n > 0)
		qsort(cuts, n, sizeof(double), compare_numbers);
	for (size_t i = 0; i < n; i++)
	{
		if (n_distinct == 0 || cuts[i] != cuts[n_distinct - 1])
			cuts[n_distinct++] = cuts[i];
	}
	return n_distinct;
}

bool
kept_cuts_init(KeptCuts *kept, const Model *model, Arena *arena, Error *error)
{
	const TreePayload *head = model->payload;
	const TreeNode *nodes = (const TreeNode *) ((const uint8_t *) head + head->nodes_offset);
	uint32_t	n_features = model->n_features;
	size_t	   *starts = arena_zeroed(arena, (size_t) n_features + 1, sizeof(size_t), error);
	size_t	   *ends = arena_alloc(arena, (size_t) n_features + 1, sizeof(size_t), error);
	double	   *cuts = arena_alloc(arena, head->n_nodes, sizeof(double), error);
	size_t		n_cuts = 0;

	if (starts == NULL || ends == NULL || cuts == NULL)
		return false;
	for (uint64_t i = 0; i < head->n_nodes; i++)
	{
		if (has_threshold(&nodes[i]))
			starts[(nodes[i].feature & NODE_FEATURE_MASK) + 1]++;
	}
	for (uint32_t f = 0; f < n_features; f++)
	{
		starts[f + 1] += starts[f];
		ends[f] = starts[f];
	}
	for (uint64_t i = 0; i < head->n_nodes; i++)
	{
		if (has_threshold(&nodes[i]))
			cuts[ends[nodes[i].feature & NODE_FEATURE_MASK]++] = nodes[i].u.threshold;
	}
	for (uint32_t f = 0; f < n_features; f++)
	{
		double	   *of_feature = cuts + starts[f];
		size_t		n = make_distinct(of_feature, ends[f] - starts[f]);

		memmove(cuts + n_cuts, of_feature, n * sizeof(double));
		starts[f] = n_cuts;
		n_cuts += n;
	}
	starts[n_features] = n_cuts;
	*kept = (KeptCuts) {cuts, starts};
	return true;
}

/* Where each feature's thresholds begin and end, and one for each node. */
uint64_t
kept_cuts_memory(const Model *model)
{
	const TreePayload *head = model->payload;

	return 2 * ((uint64_t) model->n_features + 1) * sizeof(size_t) + head->n_nodes * sizeof(double);
}

/* The cuts on both sides of which there are values. */
static CutList
within_sample(CutList list, const double *sample, size_t n)
{
	double		lowest = INFINITY;
	double		highest = -INFINITY;

	for (size_t i = 0; i < n; i++)
	{
		lowest = sample[i] < lowest ? sample[i] : lowest;
		highest = sample[i] > highest ? sample[i] : highest;
	}
	while (list.n > 0 && list.cuts[0] < lowest)
	{
		list.cuts++;
		list.n--;
	}
	while (list.n > 0 && (list.cuts[list.n - 1] >= highest || list.cuts[list.n - 1] == DBL_MAX))
		list.n--;
	return list;
}

/* Place k of `room` places at equal distances among n items. */
static inline size_t
spread(size_t k, size_t room, size_t n)
{
	return (2 * k + 1) * n / (2 * room);
}

/* Drops cuts that are kept anyway; how many are left. */
static size_t
drop_kept(double *cuts, size_t n, CutList kept)
{
	size_t		n_left = 0;
	size_t		k = 0;

	for (size_t i = 0; i < n; i++)
	{
		while (k < kept.n && kept.cuts[k] < cuts[i])
			k++;
		if (k == kept.n || kept.cuts[k] != cuts[i])
			cuts[n_left++] = cuts[i];
	}
	return n_left;
}

void
bins_keep_cuts(BinFeature *feature, CutList kept, const double *sample, size_t n, uint32_t max_bin)
{
	double	   *cuts = feature->cuts;

	/* the cut that tells any number from a missing one stays the last */
	bool		tells_missing = feature->n_cuts > 0 && cuts[feature->n_cuts - 1] == DBL_MAX;
	size_t		n_found = feature->n_cuts - tells_missing;
	size_t		room = max_bin - 1 - tells_missing;

	kept = within_sample(kept, sample, n);
	n_found = drop_kept(cuts, n_found, kept);

	size_t		n_kept = kept.n < room ? kept.n : room;
	size_t		n_new = n_found < room - n_kept ? n_found : room - n_kept;

	/* thinned in place, then merged from behind: kept cuts lie elsewhere */
	for (size_t i = 0; i < n_new; i++)
		cuts[i] = cuts[spread(i, n_new, n_found)];

	size_t		left = n_new;

	feature->n_cuts = (uint32_t) (n_kept + n_new);
	for (size_t place = feature->n_cuts, k = n_kept; k > 0;)
	{
		double		cut = kept.cuts[spread(k - 1, n_kept, kept.n)];

		if (left > 0 && cuts[left - 1] > cut)
			cuts[--place] = cuts[--left];
		else
		{
			cuts[--place] = cut;
			k--;
		}
	}
	if (tells_missing)
		cuts[feature->n_cuts++] = DBL_MAX;
	feature->n_bins = feature->n_cuts + 2;
}
