/*
 * distribution_show.h
 *		A distribution for people: top values and a histogram.
 */
#ifndef MLOPS_PG_DISTRIBUTION_SHOW_H
#define MLOPS_PG_DISTRIBUTION_SHOW_H

#include "distribution.h"

/* "a 30, b 20, c 5": the most frequent values with their counts, at most `most`; NULL where none is there twice. */
extern char *show_top(const Distribution *distribution, int most);

/*
 * Bars of Unicode blocks, scaled to the highest: of numbers from the least to the greatest in steps
 * of equal width, of texts the most frequent ones.  NULL where there are no
 * values, or the database's encoding has no such characters.
 */
extern char *show_histogram(const Distribution *distribution);

#endif
