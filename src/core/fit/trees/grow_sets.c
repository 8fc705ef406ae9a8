/*
 * grow_sets.c
 *		Sets of splits on wide categories.
 *
 * Candidates for the best split have no sets: they are made for the few nodes
 * that are split, each by one thread, by searching the one feature again.
 */
#include "grow_internal.h"

#include <string.h>

/* What the tasks are given. */
typedef struct SetWork
{
	const Grower *grower;
	const uint32_t *nodes;
} SetWork;

/* Room for n more words. */
static bool
reserve_set_words(Grower *grower, size_t n, Error *error)
{
	if (n <= grower->max_set_words - grower->n_set_words)
		return true;

	size_t		max = 2 * (grower->n_set_words + n);
	uint64_t   *sets = arena_alloc(grower->arena, max, sizeof(uint64_t), error);

	if (sets == NULL)
		return false;
	if (grower->n_set_words > 0)
		memcpy(sets, grower->sets, grower->n_set_words * sizeof(uint64_t));
	grower->sets = sets;
	grower->max_set_words = max;
	return true;
}

/* Whether a node's split is on a wide category. */
static inline bool
has_wide_set(const Grower *grower, const GrownNode *node)
{
	return node->split.categorical && grower->bins->features[node->split.feature].wide;
}

/* Task: the set of one node, from its rows. */
static void
make_set(void *argument, size_t task, int thread)
{
	const SetWork *work = argument;
	const Grower *grower = work->grower;
	const GrownNode *node = &grower->nodes[work->nodes[task]];

	if (!has_wide_set(grower, node))
		return;

	SplitSearch search = node_search(grower, work->nodes[task], node->split.feature, thread);
	CellList	list = node_touched(grower, node, node->split.feature, thread);

	split_set(&search, &grower->bins->features[node->split.feature], &list, grower->sets + node->set);
}

/* Words first, then the tasks. */
bool
grow_sets(Grower *grower, const uint32_t *nodes, size_t n, Error *error)
{
	bool		any = false;

	for (size_t i = 0; i < n; i++)
	{
		GrownNode  *node = &grower->nodes[nodes[i]];

		if (!has_wide_set(grower, node))
			continue;

		size_t		n_words = split_set_words(grower->bins->features[node->split.feature].n_bins);

		if (!reserve_set_words(grower, n_words, error))
			return false;
		node->set = grower->n_set_words;
		grower->n_set_words += n_words;
		any = true;
	}

	SetWork		work = {grower, nodes};

	if (any)
		pool_for_thread(grower->pool, n, make_set, &work);
	return true;
}
