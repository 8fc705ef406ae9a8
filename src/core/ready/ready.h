/*
 * ready.h
 *		Tree models made ready to run: binned rows, and trees that compare bytes.
 *
 * A split asks whether x > t, and a model knows finitely many thresholds of
 * each feature.  So a value is replaced, exactly, by the number of thresholds
 * below it, and a split becomes a comparison of bytes.  A binned row is a run
 * of such bytes, its lanes:
 *
 * - Of a number: the count of the 254 thresholds of the lane that lie below
 *   the value; a feature with more thresholds has several lanes.  Missing is 0
 *   in a lane for splits that send it left, 255 in one for those that send it
 *   right; a feature has lanes for the directions that its splits use.
 * - Of a category: eight splits a lane, a bit each: 1 goes right.
 *
 * A split is then (lane & mask) > cut, for both kinds.  Every prediction is
 * the reference's (tree_model.c) bit for bit, whatever the machine: the same
 * leaves are added in the same order.
 *
 * The ready form is one run of bytes without pointers, made once a model from
 * one that model_open() accepted, 64-byte aligned, and never changed: any
 * number of threads and processes may use it where it lies.  It is made by
 * the program that uses it, and never stored.
 */
#ifndef MLOPS_CORE_READY_H
#define MLOPS_CORE_READY_H

#include "../model/model.h"

#define READY_ALIGN	64			/* of the bytes and of binned rows */
#define READY_ROWS	64			/* of a block */

struct ReadyHead;
typedef struct ReadyPlan ReadyPlan;

/* ---- Making ---- */

/*
 * Plans the ready form of a model; NULL where it has none (no trees, or too
 * many thresholds, nodes or categories to gain by it), or without memory:
 * then model_predict() serves.
 */
extern ReadyPlan *ready_plan(const Model *model);

/* Its bytes. */
extern size_t ready_plan_size(const ReadyPlan *plan);

/* Writes them; bytes: aligned. */
extern void ready_plan_write(const ReadyPlan *plan, void *bytes);
extern void ready_plan_free(ReadyPlan *plan);

/* ---- Using ---- */

/* The ready form of a model, as this machine runs it. */
typedef struct Ready
{
	const Model *model;
	const struct ReadyHead *head;
	size_t		row_size;		/* bytes of a binned row, a multiple of READY_ALIGN */
	size_t		scratch_size;	/* bytes that ready_block() needs */
	bool		direct;			/* features are the raw values: rows need no encoding */
	bool		columnar;		/* a block's lanes are put side by side */

	/* What this machine uses. */
	void		(*bin) (const struct ReadyHead *head, const double *values, uint8_t *lanes);
	void		(*leaves) (const struct ReadyHead *head, const uint8_t *lanes, uint32_t first, uint32_t n, uint64_t *words);
	void		(*column_words) (const struct ReadyHead *head, uint32_t tree, const uint8_t *columns, uint64_t *words);	/* columnar */
	void		(*column_scores) (const struct ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores); /* the same */
} Ready;

/* bytes: what ready_plan_write() wrote for this model. */
extern void ready_open(Ready *ready, const Model *model, const void *bytes);

/* One row, raw[n_columns], encoded and binned; features[n_features] is scratch.  Fails like model_encode(). */
extern bool ready_bin(const Ready *ready, const double *raw, double *features, uint8_t *lanes, Error *error);

/* Outputs of one binned row: out[n_outputs]. */
extern void ready_row(const Ready *ready, const uint8_t *lanes, double *out);

/*
 * Outputs of up to READY_ROWS binned rows, one behind the other: out[n][n_outputs].
 * lanes has room for all READY_ROWS; scratch[scratch_size] is aligned.
 */
extern void ready_block(const Ready *ready, const uint8_t *lanes, uint32_t n, void *scratch, double *out);

#endif
