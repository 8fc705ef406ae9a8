/*
 * forest.h
 *		Trees that are grown one by one, each by one thread: forests and single trees.
 *
 * Unlike boosting, no tree waits for another, so trees are what threads
 * share out (fewer trees than threads are grown by all of them, one after
 * the other: forest_team.c), and nothing about a tree depends on how many
 * threads there are.
 * Features are bins of 8 or 16 bits by column (forest_bins.c); each node
 * looks at a random choice of them (forest_split.c, forest_prefix.c), until
 * nothing is left to split (forest_tree.c); then the tree is turned into what
 * a model stores, and the rows that it did not see are predicted by it
 * (forest_leaves.c).
 *
 * All sums over rows are of integers, and all that is random is a hash of the
 * seed, the tree, and the row's position or the node's way from the root.
 */
#ifndef MLOPS_CORE_FIT_FOREST_H
#define MLOPS_CORE_FIT_FOREST_H

#include "../../hash.h"
#include "../../model/tree_model.h"
#include "bins.h"
#include "gradients.h"
#include "../table/sort_by_key.h"

#define FOREST_COUNT_MAX	15	/* times that a bootstrap takes a row */
#define FOREST_AHEAD		16	/* rows whose bins are fetched before they are needed */

typedef enum ForestCriterion	/* index in the choices of "criterion", after auto */
{
	CRITERION_SQUARED_ERROR = 1,
	CRITERION_GINI,
	CRITERION_ENTROPY
} ForestCriterion;

typedef struct ForestRules
{
	uint32_t	n_trees;
	ForestCriterion criterion;
	uint32_t	max_depth;		/* UINT32_MAX: no limit */
	uint32_t	max_leaves;		/* 0: no limit */
	uint32_t	min_split;		/* rows of a node that may be split */
	uint32_t	min_leaf;		/* rows of a child */
	uint32_t	n_tried;		/* features that a node looks at */
	uint32_t	max_bin;
	bool		random_cuts;	/* one random cut a feature, not the best */
	bool		bootstrap;		/* rows are drawn with replacement */
	double		max_samples;	/* share of the rows that a tree draws */
	double		ccp_alpha;
	bool		oob_score;		/* predict the rows by the trees that did not see them */
} ForestRules;

/* ---- Features ---- */

typedef struct ForestColumn
{
	BinFeature	feature;
	const uint8_t *narrow;		/* bins of the training rows; one of the two is NULL */
	const uint16_t *wide;
	double	   *middles;		/* numbers, where cuts are random: the middle of the values in each bin */
} ForestColumn;

typedef struct ForestBins
{
	size_t		n_rows;			/* training rows */
	uint32_t	n_features;
	uint32_t	max_bins;		/* of any feature, bin 0 included */
	ForestColumn *columns;
} ForestBins;

static inline uint32_t
forest_bin(const ForestColumn *column, size_t row)
{
	return column->narrow != NULL ? column->narrow[row] : column->wide[row];
}

/* Cuts and bins the training rows. */
extern bool forest_bins_build(ForestBins *bins, const FitInput *input, const ForestRules *rules, Error *error);
extern uint64_t forest_bins_memory(const FittedRecipe *recipe, uint64_t n_rows, uint32_t max_bin, int n_threads);

/* ---- Targets ---- */

/*
 * What is added up, in integers: of a classification the weight of each class;
 * of a regression the weight, and the weight times the target's distance
 * from the center.
 */
typedef struct ForestTarget
{
	bool		classes;
	uint32_t	n_sums;			/* of a cell: the number of classes, or 2 */
	const double *value;		/* of the training rows: as in FitInput */
	uint32_t   *units;			/* of the training rows: weight in units; NULL: all 1 */
	double		weight_unit;
	double		center;			/* regression */
	double		value_unit;		/* regression: of the distance from the center */
} ForestTarget;

/* A row of a tree, with what it adds to a cell. */
typedef struct ForestRow
{
	uint32_t	row;
	uint32_t	label;			/* classification: class; regression: weight times count */
	int64_t		amount;			/* classification: weight times count; regression: label times distance */
} ForestRow;

/* Fetches the bin of a row not far ahead of this one, but before the end; the width is a constant. */
static inline __attribute__((always_inline)) void
forest_fetch(const ForestColumn *column, bool wide, const ForestRow *row, const ForestRow *end)
{
	size_t		ahead = end - row > FOREST_AHEAD ? row[FOREST_AHEAD].row : row->row;

	if (wide)
		__builtin_prefetch(column->wide + ahead);
	else
		__builtin_prefetch(column->narrow + ahead);
}

/* What a row adds that is taken so many times. */
extern ForestRow forest_row(const ForestTarget *target, size_t row, int64_t count);

extern bool forest_target_init(ForestTarget *target, const FitInput *input, Error *error);

/* ---- A tree in growth ---- */

typedef struct ForestSplit
{
	double		gain;			/* weight times decrease of the impurity, in units; below 0: no split was found */
	uint32_t	feature;
	uint32_t	bin;			/* number: values up to this bin go left */
	uint64_t	set;			/* category: where its set lies among the tree's */
	bool		categorical;
	bool		missing_left;
} ForestSplit;

typedef struct ForestNode
{
	uint64_t	key;			/* hash of its way from the root */
	size_t		begin;			/* its rows */
	size_t		end;
	ForestSplit split;
	double		weight;			/* of its rows, in units */
	uint32_t	depth;
	uint32_t	left;			/* its children are left and left + 1; 0: a leaf */
} ForestNode;

/* What all trees share. */
typedef struct Forest
{
	const FitInput *input;
	ForestRules rules;
	ForestBins	bins;
	ForestTarget target;
	uint64_t	draw_limits[FOREST_COUNT_MAX];	/* a row is taken as often as its hash reaches one */
	int			n_draw_limits;

	/* predictions of the rows by the trees that did not see them */
	bool		out_of_bag;
	int64_t    *votes;			/* n_rows x outputs, in vote_unit */
	uint32_t   *n_votes;		/* n_rows */
	double		vote_unit;
} Forest;

/* A tree as a model stores it; malloc'ed. */
typedef struct ForestTree
{
	Buffer		nodes;			/* TreeNode */
	Buffer		stats;			/* TreeNodeStat */
	Buffer		sets;			/* words */
	uint32_t	depth;
} ForestTree;

typedef struct ForestTeam ForestTeam;

/* A thread's memory for one tree at a time. */
typedef struct ForestGrower
{
	const Forest *forest;
	const ForestTeam *team;		/* the threads that help with the tree; NULL: none do */
	uint64_t	tree_key;		/* of the tree and the rows it takes */
	ForestRow  *rows;			/* of the tree; the rows of a node are next to each other, ascending */
	ForestRow  *spare;			/* as much room */
	size_t		n_rows;
	bool		takes_all;		/* no row was drawn, so all were taken */
	Buffer		nodes;			/* ForestNode */
	Buffer		sets;			/* words, as in a model */
	Buffer		heap;			/* uint32_t: nodes to be split */
	Buffer		subtrees;		/* uint32_t: nodes below which the tree is grown when all above is */

	/* of the search; zero between two */
	int64_t    *cells;			/* max_bins x n_sums */
	uint32_t   *counts;			/* max_bins: rows, where they are counted */
	uint64_t   *occupied;		/* max_bins bits */

	uint16_t   *gathered;		/* n_rows, where cuts are random: bins of the node's rows */
	uint32_t   *used;			/* max_bins: bins that have rows, ascending */
	uint32_t   *sequence;		/* max_bins: categories in the order whose prefixes are tried */
	SortItem   *ordered;		/* max_bins */
	SortItem   *ordered_spare;
	uint32_t   *set;			/* the best set of categories so far: words behind their number */
	uint32_t   *features;		/* 0 .. n_features - 1 between two searches */
	uint32_t   *swaps;
	struct FeatureSplit *found;	/* n_features: what a team found */
	int64_t    *node_sums;		/* n_sums */
	int64_t    *left_sums;
	int64_t    *right_sums;
	double	   *shares;			/* 3 x n_sums: of the ordering of categories */
	uint64_t   *pure_sets;		/* n_sums: where a leaf of this class alone has its words, + 1 */
} ForestGrower;

/* Threads that grow one tree together: forest_team.c. */
struct ForestTeam
{
	ThreadPool *pool;
	ForestGrower *members;		/* one a thread; they borrow the rows of the one that they help */
};

/* ---- The parts of growing ---- */

static inline ForestNode *
forest_node(const ForestGrower *grower, uint32_t number)
{
	return (ForestNode *) grower->nodes.data + number;
}

static inline uint32_t
forest_n_nodes(const ForestGrower *grower)
{
	return (uint32_t) (grower->nodes.size / sizeof(ForestNode));
}

/* Gain of one unit, in real units. */
static inline double
forest_gain_unit(const ForestTarget *target)
{
	return target->weight_unit * (target->classes ? 1 : target->value_unit * target->value_unit);
}

/* Adds up the rows of a node. */
extern void forest_sums(const ForestTarget *target, const ForestRow *rows, size_t begin, size_t end, int64_t *sums);

/* Weight of the sums, in units. */
extern double forest_weight(const ForestTarget *target, const int64_t *sums);

/* The best split of a node among the features that it looks at, given grower->node_sums; gain < 0 where there is none. */
extern ForestSplit forest_search(ForestGrower *grower, const ForestNode *node);

/* Whether a row goes left. */
static inline bool
forest_goes_left(const ForestBins *bins, const ForestSplit *split, const uint32_t *sets, size_t row)
{
	uint32_t	bin = forest_bin(&bins->columns[split->feature], row);

	if (bin == BIN_MISSING)
		return split->missing_left;
	if (!split->categorical)
		return bin <= split->bin;

	const uint32_t *words = sets + split->set + 1;

	return words[(bin - 1) / 32] >> ((bin - 1) % 32) & 1;
}

/* How often the tree of this key takes a row. */
static inline int64_t
forest_draws(const Forest *forest, uint64_t tree_key, size_t row)
{
	int64_t		n = 0;

	if (forest->n_draw_limits == 0)
		return 1;

	uint64_t	hash = hash64_combine(tree_key, row);

	while (n < forest->n_draw_limits && hash >= forest->draw_limits[n])
		n++;
	return n;
}

/* lender: whose rows are used; NULL: its own. */
extern bool forest_grower_init(ForestGrower *grower, const Forest *forest, const ForestGrower *lender, Arena *arena, Error *error);
extern void forest_grower_free(ForestGrower *grower);
extern uint64_t forest_grower_memory(uint64_t n_rows, uint32_t n_features, uint32_t max_bins, uint32_t n_sums);

/* Grows tree `number`; its nodes are in grower->nodes.  What it could not allocate is found by buffer_check. */
extern void forest_grow(ForestGrower *grower, uint32_t number);

/* Cuts the tree back to where a leaf costs no less than ccp_alpha (Breiman et al. 1984, ch. 3). */
extern void forest_prune(ForestGrower *grower);

/* Makes the grown tree one to be stored; adds its predictions of rows that it did not see to the votes. */
extern void forest_finish_tree(ForestGrower *grower, ForestTree *tree);

#endif
