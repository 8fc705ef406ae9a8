/*
 * capture_block.c
 *		Rows that are predicted by the block: encoded when they are read, queued when they are answered.
 *
 * What reading a row leaves behind, its raw values and the source's own, is
 * gone when the block is predicted; so the bytes of the few rows that are
 * captured wait in a buffer, which belongs to the site.
 */
#include "capture.h"

#include <math.h>

CaptureBlock *
capture_block_make(CaptureSite *site)
{
	MemoryContext old = MemoryContextSwitchTo(site->context);
	CaptureBlock *block = palloc0(sizeof(CaptureBlock));

	initStringInfo(&block->bytes);
	MemoryContextSwitchTo(old);
	return block;
}

void
capture_block_add(CaptureBlock *block, Predictor *predictor, uint32 row, Datum features)
{
	CaptureSite *site = predictor->capture;
	EncodedRow *encoded = &block->rows[block->n];

	capture_encode_row(predictor, site, features);
	encoded->row = row;
	encoded->weight = site->weight;
	encoded->key_size = site->has_key ? (uint32) site->key.len : CAPTURE_NO_KEY;
	encoded->features_size = (uint32) site->features.len;
	appendBinaryStringInfo(&block->bytes, site->key.data, site->key.len);
	appendBinaryStringInfo(&block->bytes, site->features.data, site->features.len);
	block->n++;
}

void
capture_block_finish(CaptureBlock *block, Predictor *predictor, const double *out)
{
	const char *bytes = block->bytes.data;

	for (int i = 0; i < block->n; i++)
	{
		const EncodedRow *encoded = &block->rows[i];
		size_t		key_size = encoded->key_size == CAPTURE_NO_KEY ? 0 : encoded->key_size;

		capture_put(predictor, out + (size_t) encoded->row * predictor->model->n_outputs, encoded, bytes, bytes + key_size, NAN);
		bytes += key_size + encoded->features_size;
	}
	block->n = 0;
	resetStringInfo(&block->bytes);
}
