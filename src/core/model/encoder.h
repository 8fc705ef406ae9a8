/*
 * encoder.h
 *		Rows of a model encoded with vectors.
 *
 * What model_encode() does column by column, done at once for neighbouring
 * columns of plain numbers, those that become one feature each and can be
 * missing: with the same operations, so bit for bit the same.
 */
#ifndef MLOPS_CORE_ENCODER_H
#define MLOPS_CORE_ENCODER_H

#include "model.h"

/* How a column of plain numbers is encoded; of others only n is read. */
typedef struct Encoder
{
	const Model *model;
	uint32_t   *n;				/* by column: so many from it on are plain, 0: it is not */
	uint64_t   *rounds;			/* all bits: to float32 */
	double	   *fill;			/* what a missing value becomes; NaN: it stays */
	double	   *center;
	double	   *scale;
} Encoder;

/* Bytes of memory that encoder_init() needs, 8-byte aligned. */
extern size_t encoder_size(const Model *model);

/* An encoder in memory that, like the model, stays for as long as it is used. */
extern void encoder_init(Encoder *encoder, const Model *model, void *memory);

/* model_encode(). */
extern bool encoder_encode(const Encoder *encoder, const double *raw, double *features, Error *error);

/* model_predict(). */
extern bool encoder_predict(const Encoder *encoder, const double *raw, double *features, double *out, Error *error);

#endif
