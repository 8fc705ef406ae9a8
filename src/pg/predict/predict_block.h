/*
 * predict_block.h
 *		Rows that are predicted together.
 */
#ifndef MLOPS_PG_PREDICT_BLOCK_H
#define MLOPS_PG_PREDICT_BLOCK_H

#include "predict.h"

/* Up to READY_ROWS rows of one model. */
typedef struct PredictBlock
{
	Predictor  *predictor;
	uint32		n;				/* rows in it */
	uint8	   *lanes;			/* of its rows; without a ready form NULL, and rows are predicted as they come */
	void	   *scratch;
	double	   *out;			/* of its rows, n_outputs each */
} PredictBlock;

/* Makes room, in the current context. */
extern void predict_block_init(PredictBlock *block, Predictor *predictor);

/* Adds the row in predictor->raw; whether the block is full then. */
extern bool predict_block_add(PredictBlock *block);

/* Predicts the rows of the block: block->out.  Empties it; the number of rows. */
extern uint32 predict_block_finish(PredictBlock *block);

#endif
