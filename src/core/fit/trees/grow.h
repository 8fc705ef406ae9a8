/*
 * grow.h
 *		Growing one tree from histograms.
 *
 * Nodes that can be split wait in a heap: the deepest first (a whole level
 * then goes through each step together), or, with a limit on leaves, the one
 * of most gain: of all, or of the highest level.  Splitting divides a node's
 * rows, builds the histogram of the child with fewer of them, and gets the
 * other's by subtraction from their parent's.  Histograms live in a pool of fixed size; where it is exhausted,
 * the node that would come last loses its own, and its children's are both
 * built from rows.  Nodes of few rows have no histogram: their sums are made
 * feature by feature and forgotten (touched_cells.h).  Which tree results
 * depends on neither pool nor threads.
 */
#ifndef MLOPS_CORE_FIT_GROW_H
#define MLOPS_CORE_FIT_GROW_H

#include "../../model/tree_model.h"
#include "../table/column_sample.h"
#include "partition.h"
#include "../quantile.h"
#include "touched_cells.h"

typedef struct GrowRules
{
	SplitRules	split;
	uint32_t	max_depth;		/* UINT32_MAX: no limit */
	uint32_t	max_leaves;		/* 0: no limit */
	bool		by_gain;		/* with a limit: the largest gain anywhere first, not level by level */
	double		learning_rate;
	bool		counts_rows;	/* for split.min_rows; false: nothing needs them */
	const int8_t *directions;	/* by feature, as SplitRules have it; NULL: none is constrained */
} GrowRules;

/* Leaves that get the quantile of what is left over of their rows' targets, times the learning rate. */
typedef struct LeafRefit
{
	const double *target;		/* of the training rows */
	const double *weight;		/* or NULL */
	double		base;			/* score before the first tree */
	double		share;			/* of the quantile */
	QuantileItem *items;		/* scratch for all training rows */
} LeafRefit;

typedef struct GrownNode
{
	size_t		begin;			/* its rows: a range of the root's list, then of lists[depth % 2] */
	size_t		end;
	GradientSums sums;
	double		value;			/* of the leaf that it is or would be */
	uint64_t	key;			/* of its sample of features */
	double		lowest;			/* bounds of that value before the learning rate, where rules are bounded */
	double		highest;
	Split		split;			/* the best, where it was looked for */
	size_t		set;			/* of a split on a wide category: index of its words in the grower's sets */
	uint32_t	depth;
	uint32_t	left;			/* its children are left and left + 1; 0: a leaf */
	int			histogram;		/* slot in the pool, or -1 */
	bool		is_scored;		/* a leaf whose rows have their scores */
} GrownNode;

typedef struct Grower
{
	/* for all trees */
	const BinnedMatrix *bins;
	GrowRules	rules;
	ThreadPool *pool;
	Arena	   *arena;
	HistogramScratch scratch;
	TouchedCells *touched;		/* one a thread */
	TouchedCells *touched_counts;	/* the same, of rows: where rules count them */
	SortItem   *ordered;		/* 2 most_bins a thread */
	Partition	partition;
	uint32_t	max_batch;
	uint32_t   *batch;			/* max_batch nodes */
	PartitionNode *divisions;	/* of these */
	struct Build *builds;		/* 2 max_batch */
	Split	   *partial;		/* 2 a chunk of features, and 2 a wide one */
	HistogramCell *cells;		/* n_slots x n_cells */
	HistogramCell *counts;		/* the same, of rows: where rules count them */
	int32_t    *ones;			/* n_train words that say "g = 0, h = 1"; the same */
	int			n_slots;
	int		   *free_slots;
	int			n_free;
	ColumnSample *columns;		/* or NULL: nodes see what the tree sees */
	bool	   *used;			/* with columns: of the nodes of each build, 4 max_batch x n_features */
	const LeafRefit *refit;		/* or NULL: leaves stay as their sums say */

	/* the tree */
	GradientScale scale;
	RowList		lists[2];		/* room for n_train rows each */
	RowList		root;			/* lists[0] with the rows that the tree sees; its `rows` may be NULL */
	const bool *feature_used;	/* of the tree; NULL: all */
	float	   *scores;
	GrownNode  *nodes;
	uint32_t	n_nodes;
	uint32_t	max_nodes;
	uint64_t   *sets;			/* of wide categories */
	size_t		n_set_words;
	size_t		max_set_words;
	uint32_t   *heap;			/* nodes with a split; room for max_nodes */
	uint32_t	n_heap;
} Grower;

/* Leaves refit, columns and used, and what belongs to a tree to the caller: scale, lists, root, feature_used and scores. */
extern bool grower_init(Grower *grower, const BinnedMatrix *bins, const GrowRules *rules, ThreadPool *pool, Arena *arena, Error *error);
extern uint64_t grower_memory(const GrowRules *rules, const FittedRecipe *recipe, uint64_t n_rows, uint32_t max_bin, int n_threads);

/* Bins of a node that go left, of a split on a category. */
static inline const uint64_t *
grown_set(const Grower *grower, const GrownNode *node)
{
	return grower->bins->features[node->split.feature].wide ? grower->sets + node->set : node->split.set;
}

/*
 * Grows a tree from the n_rows rows of the root, whose derivatives add up to
 * sums, and adds its leaves to the scores of these rows.
 */
extern bool grow_tree(Grower *grower, size_t n_rows, GradientSums sums, Error *error);

/* ---- The grown tree ---- */

/* The leaf of a binned row. */
extern const GrownNode *grown_leaf(const Grower *grower, size_t row);

/* Appends it to a model; nodes are numbered level by level. */
extern bool grown_write(const Grower *grower, TreeWriter *writer, Error *error);

#endif
