/*
 * kept_cuts.h
 *		The bins of a version that a training goes on from.
 *
 * A version stores the cuts that its trees split at, and no others: those
 * between which no split ever lay make no difference to what it predicts.
 * They stay cuts, so that new trees can step where the old ones do; what
 * room max_bin leaves is cut by the new rows, or else trees could not tell
 * rows apart that lie where the old rows never were.  On the same rows that
 * gives the same bins again.
 */
#ifndef MLOPS_CORE_FIT_KEPT_CUTS_H
#define MLOPS_CORE_FIT_KEPT_CUTS_H

#include "bins.h"

/* Thresholds by feature. */
typedef struct KeptCuts
{
	const double *cuts;			/* ascending and distinct within a feature */
	const size_t *starts;		/* n_features + 1 */
} KeptCuts;

/* Those of one feature. */
typedef struct CutList
{
	const double *cuts;
	size_t		n;
} CutList;

static inline CutList
kept_cuts_of(const KeptCuts *kept, uint32_t feature)
{
	return (CutList) {kept->cuts + kept->starts[feature], kept->starts[feature + 1] - kept->starts[feature]};
}

/* Collects the thresholds of a model of trees, in the arena. */
extern bool kept_cuts_init(KeptCuts *kept, const Model *model, Arena *arena, Error *error);

/* Bytes that this takes. */
extern uint64_t kept_cuts_memory(const Model *model);

/*
 * Puts kept cuts among those that bins_find_cuts() found in a sample of n:
 * all that lie between values of the sample, and as many of the found ones as
 * max_bin leaves room for, at equal distances.
 */
extern void bins_keep_cuts(BinFeature *feature, CutList kept, const double *sample, size_t n, uint32_t max_bin);

#endif
