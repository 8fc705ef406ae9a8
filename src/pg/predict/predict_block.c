/*
 * predict_block.c
 *		Rows that are predicted together.
 *
 * Each row is binned as it comes; 64 of them go through the trees at once.
 * The outputs are those that predict() has for each row alone, bit for bit.
 */
#include "predict_block.h"

#include "utils/memutils.h"

#include "../cache/model_ready.h"

/* Makes room. */
void
predict_block_init(PredictBlock *block, Predictor *predictor)
{
	const Ready *ready = &predictor->ready;

	*block = (PredictBlock) {.predictor = predictor};
	block->out = MemoryContextAllocHuge(CurrentMemoryContext, (size_t) READY_ROWS * predictor->model->n_outputs * sizeof(double));
	if (predictor->is_ready)
	{
		block->lanes = model_ready_alloc(READY_ROWS * ready->row_size);
		memset(block->lanes, 0, READY_ROWS * ready->row_size);
		block->scratch = model_ready_alloc(ready->scratch_size);
	}
}

/* Adds a row. */
bool
predict_block_add(PredictBlock *block)
{
	Predictor  *predictor = block->predictor;
	uint32		row = block->n++;
	Error		error;
	bool		done;

	if (block->lanes != NULL)
		done = ready_bin(&predictor->ready, predictor->raw, predictor->features,
						 block->lanes + (size_t) row * predictor->ready.row_size, &error);
	else
		done = encoder_predict(&predictor->encoder, predictor->raw, predictor->features,
							   block->out + (size_t) row * predictor->model->n_outputs, &error);
	if (unlikely(!done))
		report_error(&error);
	return block->n == READY_ROWS;
}

/* Predicts. */
uint32
predict_block_finish(PredictBlock *block)
{
	uint32		n = block->n;

	if (block->lanes != NULL && n > 0)
		ready_block(&block->predictor->ready, block->lanes, n, block->scratch, block->out);
	block->n = 0;
	return n;
}
