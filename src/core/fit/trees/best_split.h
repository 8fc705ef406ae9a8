/*
 * best_split.h
 *		The best split of a node, feature by feature.
 *
 * Of equal gains (split_gain.h) the lowest feature wins, then the lowest bin,
 * then missing values to the right.
 */
#ifndef MLOPS_CORE_FIT_BEST_SPLIT_H
#define MLOPS_CORE_FIT_BEST_SPLIT_H

#include "../table/sort_by_key.h"
#include "split_gain.h"

/* The cells of a feature in a node: all of them, or those that its rows touch. */
typedef struct CellList
{
	const HistogramCell *cells;
	const HistogramCell *counts;	/* h: rows of each; NULL: none are needed */
	const uint16_t *bins;		/* of the cells, ascending, 0 and 1 always among them; NULL: all bins */
	uint32_t	n;
} CellList;

/* A node whose split is looked for, and what is needed for that. */
typedef struct SplitSearch
{
	SplitRules	rules;			/* as they are for the node and the feature */
	const GradientScale *scale;
	SortItem   *ordered;		/* levels by the index of their cells; room for twice the bins of any feature */
	GradientSums node;
	size_t		n_rows;
} SplitSearch;

typedef struct Split
{
	double		gain;			/* 0: there is none */
	uint32_t	feature;
	bool		categorical;
	bool		missing_left;
	uint16_t	bin;			/* number: values up to this bin go left */
	uint64_t	set[BINS_MAX / 64]; /* category, unless it is wide: bins that go left */
	GradientSums left;
} Split;

static inline bool
split_set_has(const uint64_t *set, uint32_t bin)
{
	return set[bin / 64] >> (bin % 64) & 1;
}

/* Words of a set of bins. */
static inline size_t
split_set_words(uint32_t n_bins)
{
	return (n_bins + 63) / 64;
}

/* Replaces *best by the other where that is better. */
static inline void
split_keep(Split *best, const Split *other)
{
	if (other->gain > best->gain || (other->gain > 0 && other->gain == best->gain && other->feature < best->feature))
		*best = *other;
}

/* Replaces *best where this feature has a better split of the node. */
extern void split_search(const SplitSearch *search, const BinFeature *feature, uint32_t feature_number, const CellList *list, Split *best);

/* The set of the best split of a category: set[split_set_words(n_bins)]. */
extern void split_set(const SplitSearch *search, const BinFeature *feature, const CellList *list, uint64_t *set);

/* For each bin of a feature that is not wide, whether it goes left. */
extern void split_directions(const Split *split, uint8_t goes_left[BINS_MAX]);

#endif
