/*
 * forest_case.h
 *		Fits of forests and single trees.
 */
#ifndef MLOPS_TEST_FOREST_CASE_H
#define MLOPS_TEST_FOREST_CASE_H

#include "boost_data.h"

static inline uint32_t
count_leaves(const BoostCase *test)
{
	uint32_t	n = 0;

	for (uint64_t i = 0; i < boost_case_trees(test)->n_nodes; i++)
		n += (boost_case_nodes(test)[i].feature & NODE_LEAF) != 0;
	return n;
}

/* A fit of an algorithm on the mixed rows. */
static inline BoostCase
forest_case(const char *algorithm, Task task)
{
	BoostCase	test = mixed_case(task);

	test.algorithm = algorithm;
	test.params[0] = (BoostParam) {"n_estimators", 10};
	test.params[1] = (BoostParam) {NULL, 0};
	if (strcmp(algorithm, "decision_tree") == 0)
		test.params[0] = (BoostParam) {"min_samples_leaf", 1};
	return test;
}

#endif
