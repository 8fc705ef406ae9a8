/*
 * capture_settings.h
 *		What a deployment captures: its column "capture", as a struct.
 */
#ifndef MLOPS_PG_CAPTURE_SETTINGS_H
#define MLOPS_PG_CAPTURE_SETTINGS_H

#include "postgres.h"

#include "utils/jsonb.h"

typedef enum CaptureMode
{
	CAPTURE_OFF,
	CAPTURE_TRANSACTION,		/* what mlops.score() is asked, only */
	CAPTURE_QUEUE				/* what the predict functions are asked, too */
} CaptureMode;

typedef struct CaptureSettings
{
	CaptureMode mode;
	double		sample;			/* share of rows that are captured */
	bool		features;		/* whether what was asked is kept, too */
	char	   *key;			/* column of the row that names the entity; NULL: none */
	int			n_masked;
	char	  **masked;			/* columns of the model that are never stored */
	int			n_also;
	char	  **also;			/* columns of the row, beside the model's, that are */
} CaptureSettings;

/* Reads settings, in the current context; NULL: those of a model without any.  INVALID_PARAMETER_VALUE for what they cannot be. */
extern void capture_settings_read(CaptureSettings *settings, Jsonb *given);

#endif
