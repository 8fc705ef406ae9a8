/*
 * explain_internal.h
 *		How an explainer keeps trees.
 *
 * explain.c			explainers; linear models
 * explain_prepare.c	trees made ready; explain_walk.c, what they are along their paths
 * explain_points.c		the nodes of the quadrature
 * explain_trees.c		contributions, all of a block of trees side by side
 * explain_pairs.c		interactions, path by path
 *
 * The method.  A leaf of value v counts in the value of a set of known
 * features by the product over the features on its path: 1 or 0 (the row goes
 * its way, or not) of a known one, the share z of the training rows that go
 * its way of any other.  The Shapley weight of a set is an integral of powers
 * of t and 1 - t, so the contribution of feature i is
 *
 *		sum over leaves: v (o_i - z_i) integral of prod_{j != i} (o_j t + z_j (1 - t)) dt
 *
 * with o_i 1 where the row goes the way of all splits on i, else 0, and z_i
 * the product of their shares (Quadrature-TreeSHAP, Wettenstein, Mitchell, Yu,
 * arXiv 2605.04497).  The integrand is a polynomial, and Gauss-Legendre
 * quadrature with as many nodes as half the features of a path is exact.
 *
 * Two passes over the splits of a tree do it, without a division.  Let u = 1 -
 * t.  The weight P of a node is the product over the path above; at a split on
 * a feature new to the path, the side that the row does not take (cold, share
 * z) has P z u and the other (hot) the rest of P.  From the leaves up, T is
 * the value of a node: T_hot - z u (T_hot - T_cold); and the feature gets the
 * integral of P z (T_hot - T_cold).  Where the path has the feature already,
 * with shares z' on it, its factor is f = z' u + t if the row goes that way:
 * then u becomes z' u / f, and P in the integral P z' / f^2.  If the row has
 * left the way before, u becomes 1, and the feature gets nothing here.  These
 * two vectors are the `bends` of a split.
 */
#ifndef MLOPS_CORE_EXPLAIN_INTERNAL_H
#define MLOPS_CORE_EXPLAIN_INTERNAL_H

#include "../arena.h"
#include "explain.h"

#define EXPLAIN_MISSING_LEFT	UINT32_C(0x80000000)
#define EXPLAIN_WIDTH			8	/* the most nodes of quadrature at a time */

struct ExplainStep;
struct Player;

/* Splits of one level: on features new to their path, then on others. */
typedef struct ExplainRun
{
	uint32_t	begin;
	uint32_t	again;			/* the first of the others */
	uint32_t	end;
} ExplainRun;

/* A split on a category. */
typedef struct ExplainSet
{
	uint32_t	split;
	uint32_t	feature;		/* with EXPLAIN_MISSING_LEFT */
	uint32_t	n_words;
	const uint32_t *words;		/* levels that go left */
} ExplainSet;

/* A split on a feature that the path has already. */
typedef struct ExplainAgain
{
	uint32_t	split;
	uint32_t	before;			/* the nearest such split above */
	uint32_t	before_again;	/* its number among those that are here, from 1; 0: it is the first */
	uint32_t	side;			/* 1: right of it */
	double		share;			/* z': of the training rows at the first split on the feature, those that come here by the splits on it */
} ExplainAgain;

/*
 * Some trees, whose splits are ordered by level, twigs (two leaves below) last.
 * A node's slot is its split's number; leaves that are no twig's lie behind.
 */
typedef struct ExplainBlock
{
	uint32_t	n_splits;
	uint32_t	n_inner;		/* splits that are no twigs */
	uint32_t	n_leaves;		/* that are no twig's */
	uint32_t	n_levels;
	uint32_t	n_roots;
	uint32_t	n_sets;
	uint32_t	n_again;
	ExplainRun *levels;
	ExplainRun	twigs;
	uint32_t   *roots;			/* slots; trees that are a leaf have none */

	/* of splits */
	double	   *thresholds;		/* 0 where there is a set */
	uint32_t   *features;		/* with EXPLAIN_MISSING_LEFT */
	uint32_t   *columns;		/* of the model, times width */
	double	   *shares;			/* [2]: of the training rows here, those that go left and right */
	uint32_t   *children;		/* [2], of inner splits: slots, times width */
	double	   *leaves;			/* [2], of twigs, by their number among them */
	double	   *changes;		/* [2], the same: share of the cold side times (hot - cold leaf), where right is 0 or 1 hot */

	double	   *lone_leaves;
	ExplainSet *sets;
	ExplainAgain *again;		/* by split, ascending */
	double	   *bends;			/* [pass][n_again][2][width] */
} ExplainBlock;

typedef struct ExplainTrees
{
	ExplainBlock *blocks;
	uint32_t	n_blocks;
	uint32_t	width;			/* nodes of quadrature at a time: 4 or 8 */
	uint32_t	n_passes;
	uint32_t	n_features_on_path;	/* the most */
	uint32_t	depth;			/* splits on the longest path */
	double	   *nodes;			/* [n_passes][width], in (0, 1) */
	double	   *others;			/* 1 - node */
	double	   *weights;

	/* scratch */
	uint32_t   *right;			/* of a block's splits: the row goes right */
	uint32_t   *alive;			/* of splits on a feature again, from 1: it goes the way of those above on it; alive[0] is 1 */
	double	   *above;			/* P: [slot][width] */
	double	   *below;			/* T: the same */
	double	   *sums;			/* [column][width] */
	struct ExplainStep *path;	/* of pairs: depth + 1 */
	struct Player *players;		/* of pairs: n_features_on_path + 1 */
} ExplainTrees;

struct Explainer
{
	Arena		arena;
	uint32_t	n_features;
	uint32_t	n_columns;
	uint32_t   *columns;		/* n_features: whose feature it is */
	double		base;
	double		scale;			/* of contributions: -1 for the first of two classes, 1 / trees for means */
	double	   *weights;		/* linear: n_features, or NULL */
	double	   *means;
	ExplainTrees *trees;		/* or NULL */
	double	   *row;			/* n_columns: scratch */
	ExplainStop stop;			/* or NULL */
};

/* Whether the caller wants no more. */
static inline bool
explain_stopped(ExplainStop stop)
{
	return stop != NULL && stop();
}

/* Fills explainer->trees and adds to its base; output as in explainer_create(). */
extern bool explain_prepare_trees(Explainer *explainer, const Model *model, uint32_t output, Error *error);

/* Chooses the nodes of the quadrature for the longest path, and fills the bends of all blocks. */
extern bool explain_prepare_points(ExplainTrees *trees, ExplainStop stop, Arena *arena, Error *error);

/* Room for explain_trees_row(). */
extern bool explain_prepare_row(ExplainTrees *trees, uint32_t n_columns, Arena *arena, Error *error);

/* Room for the paths of explain_trees_pairs(). */
extern bool explain_prepare_pairs(ExplainTrees *trees, Arena *arena, Error *error);

/* Which way a row goes at each split of a block: trees->right and trees->alive; missing: whether any feature is. */
extern void explain_decide(const ExplainTrees *trees, const ExplainBlock *block, const double *features, bool missing);

/* contributions[n_columns], not yet scaled; false where it was stopped. */
extern bool explain_trees_row(const Explainer *explainer, const double *features, bool missing, double *contributions);

/* Adds interactions of different columns to both cells of the matrix, not yet scaled; false where it was stopped. */
extern bool explain_trees_pairs(const Explainer *explainer, const double *features, bool missing, double *matrix);

#endif
