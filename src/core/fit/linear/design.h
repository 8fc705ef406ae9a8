/*
 * design.h
 *		The encoded training rows of a linear model, centred, and sums over them.
 *
 * A matrix in double: a row a training row, a column a feature that varies.
 * It never exists as a whole: a pass over it encodes the columns of some rows
 * at a time, which takes no longer than to read them would, and no memory.
 * Each column has its weighted mean subtracted, which frees the intercept
 * from the slopes and keeps what is small beside a large mean; a model in
 * centred columns is turned back by design_expand().
 */
#ifndef MLOPS_CORE_FIT_DESIGN_H
#define MLOPS_CORE_FIT_DESIGN_H

#include "../fit.h"
#include "linalg.h"

/* Rows that are summed on their own, before these sums are added in order. */
#define DESIGN_BLOCK_ROWS 1024

/* What stands in the column behind the features. */
typedef enum DesignLast
{
	DESIGN_TARGET,				/* y - target_center */
	DESIGN_ONE					/* 1 */
} DesignLast;

typedef struct Design
{
	const FitInput *input;
	size_t		n_rows;			/* training rows */
	uint32_t	n_columns;		/* kept features; one more column stands behind them */
	DesignLast	last;
	double		target_center;
	size_t		stride;			/* > n_columns, a multiple of LINALG_LANES: of coefficients and Gram matrices */
	const double *y;			/* of the training rows */
	const double *weight;		/* of the training rows, or NULL */
	double		weight_sum;
	uint32_t   *feature;		/* n_columns: which feature a column is */
	double	   *center;			/* n_columns: what was subtracted */
	double	   *reach;			/* n_columns: largest absolute value after that */
	size_t		panel_rows;		/* that are encoded at a time */
	size_t		panel_size;		/* doubles of a thread's panel */
	double	   *panels;			/* one a thread */
} Design;

static inline size_t
design_blocks(const Design *design)
{
	return (design->n_rows + DESIGN_BLOCK_ROWS - 1) / DESIGN_BLOCK_ROWS;
}

static inline RowRange
design_block(const Design *design, size_t block)
{
	size_t		begin = block * DESIGN_BLOCK_ROWS;
	size_t		end = begin + DESIGN_BLOCK_ROWS;

	return (RowRange) {begin, end < design->n_rows ? end : design->n_rows};
}

/*
 * Finds out what the features are like.  Constant features are left out.
 * With drop_reference, so is the most frequent level of each one-hot column
 * whose levels add up to the intercept.  ERROR_DATA for infinite values.
 */
extern bool design_build(Design *design, const FitInput *input, DesignLast last, bool drop_reference, Error *error);

/* Bytes of the design of so many rows and features, and of finding out what they are like. */
extern uint64_t design_memory(uint64_t n_rows, uint32_t n_features, int n_threads);

/* Encodes at most panel_rows rows into the thread's panel. */
extern Panel design_encode(const Design *design, RowRange rows, int thread);

/* Adds what some rows of a block contribute to sum[size], which is zero at first.  thread: for scratch memory. */
typedef void (*DesignSum) (void *argument, RowRange rows, const Panel *panel, double *sum, int thread);

/*
 * Sums over all rows: blocks on all threads, added in their order.
 * total[size] is overwritten.  slots: of design_slots(size) doubles; the sums
 * in them are aligned where size is a multiple of LINALG_LANES.
 */
extern void design_sum(const Design *design, DesignSum work, void *argument, size_t size, double *slots, double *total);

/* Doubles of slots that design_sum() needs for sums of this size. */
extern size_t design_slots(size_t size);

/* Coefficients of columns and a centred intercept into those of features: weights[n_features], zeros for left-out ones; returns the intercept. */
extern double design_expand(const Design *design, const double *coefficients, double intercept, double *weights);

/* The features' means over the training rows: means[n_features], zeros for left-out ones. */
extern void design_means(const Design *design, double *means);

/* Leaves columns out: keep[n_columns]; the other columns move together. */
extern void design_keep(Design *design, const bool *keep);

/* Tells the user which columns, n of them, got the coefficient 0 because others determine them. */
extern void design_notice_aliased(const Design *design, const int *columns, uint32_t n);

/* "age", "job = clerk" or "age is missing". */
extern void design_feature_name(const FittedRecipe *recipe, uint32_t feature, char *out, size_t out_size);

#endif
