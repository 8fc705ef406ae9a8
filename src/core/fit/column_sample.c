/*
 * column_sample.c
 *		Which features a tree, a level and a node may be split on.
 */
#include "column_sample.h"

#include <stdlib.h>
#include <string.h>

#define LEVEL_KEY UINT64_C(0x6c6576656c)	/* apart from the keys of nodes */

typedef struct RankedFeature
{
	uint64_t	hash;
	uint32_t	feature;
} RankedFeature;

bool
column_sample_init(ColumnSample *sample, ColumnShares shares, uint32_t n_features, uint32_t max_depth, Arena *arena, Error *error)
{
	sample->shares = shares;
	sample->n_features = n_features;
	sample->max_depth = max_depth;
	sample->key = 0;
	sample->ranked = arena_alloc(arena, n_features, sizeof(RankedFeature), error);
	sample->tree = arena_alloc(arena, n_features, sizeof(bool), error);
	sample->levels = NULL;
	if (shares.by_level < 1)
		sample->levels = arena_alloc(arena, (size_t) max_depth * n_features, sizeof(bool), error);
	return sample->ranked != NULL && sample->tree != NULL && (shares.by_level >= 1 || sample->levels != NULL);
}

/* By hash, then by number. */
static int
compare_ranked(const void *a, const void *b)
{
	const RankedFeature *x = a;
	const RankedFeature *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

/* Draws a share of the features in `from` (NULL: of all) into `used`, which may be the same. */
static void
draw_features(ColumnSample *sample, const bool *from, double share, uint64_t key, bool *used)
{
	uint32_t	n = 0;

	for (uint32_t f = 0; f < sample->n_features; f++)
	{
		if (from == NULL || from[f])
			sample->ranked[n++] = (RankedFeature) {.hash = hash64_combine(key, f),.feature = f};
	}

	uint32_t	n_used = share >= 1 ? n : (uint32_t) (share * n);

	if (share < 1)
		qsort(sample->ranked, n, sizeof(RankedFeature), compare_ranked);
	memset(used, 0, sample->n_features * sizeof(bool));
	for (uint32_t i = 0; i < (n_used > 1 ? n_used : 1) && i < n; i++)
		used[sample->ranked[i].feature] = true;
}

const bool *
column_sample_tree(ColumnSample *sample, uint64_t seed, uint64_t tree)
{
	const bool *used = sample->shares.by_tree < 1 ? sample->tree : NULL;

	sample->key = hash64_combine(seed, ~tree);
	draw_features(sample, NULL, sample->shares.by_tree, sample->key, sample->tree);
	for (uint32_t depth = 0; sample->levels != NULL && depth < sample->max_depth; depth++)
		draw_features(sample, sample->tree, sample->shares.by_level, hash64_combine(sample->key ^ LEVEL_KEY, depth),
					  sample->levels + (size_t) depth * sample->n_features);
	return used;
}

void
column_sample_node(ColumnSample *sample, uint32_t depth, uint64_t node_key, bool *used)
{
	const bool *from = sample->levels != NULL ? sample->levels + (size_t) depth * sample->n_features : sample->tree;

	draw_features(sample, from, sample->shares.by_node, node_key, used);
}
