/*
 * recipe.h
 *		How each raw column becomes features.
 *
 * A RecipePlan is what the user (or the algorithm's default) asks for; it is
 * fitted on the training rows by recipe_fit() (fit/table/recipe_fit.c) and written
 * into the model; recipe_encode() applies it, in the fit as in prediction.
 *
 * A raw value is a double: the number, or the category's index in the
 * column's sorted list of levels; NaN is missing.
 */
#ifndef MLOPS_CORE_RECIPE_H
#define MLOPS_CORE_RECIPE_H

#include "../error.h"
#include "../types.h"

/* What a missing value becomes. */
typedef enum MissingPolicy
{
	MISSING_DEFAULT = 0,		/* the algorithm's choice */
	MISSING_NATIVE = 1,			/* stays missing; the algorithm copes */
	MISSING_MEAN = 2,
	MISSING_MEDIAN = 3,
	MISSING_MOST_FREQUENT = 4,
	MISSING_ZERO = 5,
	MISSING_ERROR = 6			/* training and prediction refuse it */
} MissingPolicy;

typedef enum Encoding
{
	ENCODING_DEFAULT = 0,
	ENCODING_NATIVE = 1,		/* the number; the category's index */
	ENCODING_ONEHOT = 2,		/* a 0/1 feature for each level */
	ENCODING_ORDINAL = 3		/* the category's index, taken as a number */
} Encoding;

typedef enum Scaling
{
	SCALING_DEFAULT = 0,
	SCALING_NONE = 1,
	SCALING_STANDARD = 2,		/* (x - mean) / standard deviation (n in the denominator) */
	SCALING_MINMAX = 3			/* (x - min) / (max - min) */
} Scaling;

typedef enum UnseenPolicy
{
	UNSEEN_DEFAULT = 0,			/* missing */
	UNSEEN_MISSING = 1,
	UNSEEN_ERROR = 2			/* prediction refuses a level that training did not see */
} UnseenPolicy;

typedef enum IndicatorPolicy
{
	INDICATOR_DEFAULT = 0,
	INDICATOR_NEVER = 1,
	INDICATOR_AUTO = 2			/* a 0/1 feature "was missing" where training had missing values */
} IndicatorPolicy;

/* What is asked for one column; zeros mean the algorithm's default. */
typedef struct RecipePlan
{
	uint8_t		missing;		/* MissingPolicy */
	uint8_t		encoding;		/* Encoding */
	uint8_t		scaling;		/* Scaling */
	uint8_t		unseen;			/* UnseenPolicy */
	uint8_t		indicator;		/* IndicatorPolicy */
	uint32_t	max_categories; /* 0: the default; more frequent levels win, the rest are unseen */
} RecipePlan;

/* A fitted column as it lies in the model's section COLUMNS: 128 bytes. */
typedef struct RecipeColumn
{
	uint64_t	name;			/* offset in the section STRINGS; text ends with 0 there */
	uint64_t	type_name;		/* SQL type at training, the same */
	uint64_t	categories;		/* index of its first level in the section CATEGORIES */
	uint64_t	slots;			/* index of its first slot in the section SLOTS */
	uint32_t	n_categories;
	uint32_t	n_slots;		/* a power of two > n_categories, or 0 */
	uint32_t	first_feature;	/* of the encoded vector */
	uint32_t	n_features;		/* levels or 1, and the indicator */
	uint8_t		kind;			/* ColumnKind */
	uint8_t		storage;		/* ColumnStorage: FLOAT32 rounds before use */
	uint8_t		missing;		/* policies, none DEFAULT */
	uint8_t		encoding;
	uint8_t		scaling;
	uint8_t		unseen;
	uint8_t		indicator;		/* 1: the last feature says "was missing" */
	uint8_t		reserved;
	double		fill;			/* what a missing value becomes (a number, or an index) unless NATIVE or ERROR */
	double		center;			/* encoded = (raw - center) / scale */
	double		scale;			/* never 0 */
	double		lowest;			/* over the training rows; NaN where there was none */
	double		highest;
	double		mean;
	uint64_t	n_missing;		/* among the training rows */
	uint8_t		padding[16];
} RecipeColumn;

_Static_assert(sizeof(RecipeColumn) == 128, "RecipeColumn is a file format");

/*
 * The features of one raw value: features[0 .. n_features-1] of the column
 * itself.  Rounds to float32 where the column was stored so; then fills;
 * then encodes and scales.  A missing value that stays missing is NaN, and
 * all zeros where it is one-hot.  False where the recipe refuses the value
 * (it is missing, and the policy is MISSING_ERROR); features are then unset.
 */
extern bool recipe_encode(const RecipeColumn *column, double raw, double *features);

/* Names of policies as the user writes them; NULL ends each list; index = value. */
extern const char *const missing_policy_names[];
extern const char *const encoding_names[];
extern const char *const scaling_names[];
extern const char *const unseen_policy_names[];
extern const char *const indicator_policy_names[];

#endif
