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
column_sample_init(ColumnSample *sample, ColumnShares shares, uint32_t n_features, Arena *arena, Error *error)
{
	sample->shares = shares;
	sample->n_features = n_features;
	sample->key = 0;
	sample->ranked = arena_alloc(arena, n_features, sizeof(RankedFeature), error);
	sample->tree = arena_alloc(arena, n_features, sizeof(bool), error);
	sample->level = arena_alloc(arena, n_features, sizeof(bool), error);
	return sample->ranked != NULL && sample->tree != NULL && sample->level != NULL;
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
	sample->level_depth = UINT32_MAX;
	return used;
}

void
column_sample_node(ColumnSample *sample, uint32_t depth, uint64_t node_key, bool *used)
{
	if (sample->shares.by_level < 1 && depth != sample->level_depth)
	{
		draw_features(sample, sample->tree, sample->shares.by_level, hash64_combine(sample->key ^ LEVEL_KEY, depth), sample->level);
		sample->level_depth = depth;
	}
	draw_features(sample, sample->shares.by_level < 1 ? sample->level : sample->tree, sample->shares.by_node, node_key, used);
}
