/*
 * forest_team.c
 *		One tree by all threads, where there are fewer trees than threads.
 *
 * While nodes have many rows, the threads share out the features that a node
 * looks at; of equal splits the feature that was drawn first wins, as when
 * one thread looks at them in turn.  Then they share out the subtrees below,
 * whose rows do not overlap, and these are appended in the order in which one
 * thread would have grown them.  So the tree is the same.
 *
 * The members borrow the rows of the grower that they help, its nodes are
 * not written while they work, and what else they write is their own.
 */
#include "forest_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Features ---- */

typedef struct SearchWork
{
	const ForestGrower *grower;
	const ForestNode *node;
} SearchWork;

/* Task: one feature. */
static void
search_one(void *argument, size_t task, int thread)
{
	const SearchWork *work = argument;
	const ForestGrower *grower = work->grower;
	ForestGrower *member = &grower->team->members[thread];
	FeatureSplit *found = &grower->found[task];

	*found = (FeatureSplit) {.score = -INFINITY};
	memcpy(member->node_sums, grower->node_sums, grower->forest->target.n_sums * sizeof(int64_t));
	found->varies = forest_search_feature(member, work->node, grower->features[task], &found->score, &found->split);
}

bool
forest_team_search(ForestGrower *grower, const ForestNode *node, uint32_t n, double *best, ForestSplit *split)
{
	SearchWork	work = {grower, node};
	const FeatureSplit *first = NULL;
	bool		any_varies = false;

	pool_for_thread(grower->team->pool, n, search_one, &work);
	for (uint32_t i = 0; i < n; i++)
	{
		const FeatureSplit *found = &grower->found[i];

		any_varies |= found->varies;
		if (found->score > (first != NULL ? first->score : *best))
			first = found;
	}
	if (first == NULL)
		return any_varies;
	*split = first->split;

	/* a set is where it was found: once more, for this grower */
	if (split->categorical)
		forest_search_feature(grower, node, first->split.feature, best, split);
	*best = first->score;
	return any_varies;
}

/* ---- Subtrees ---- */

/* Where a member has a subtree; nodes[first] is a copy of its root. */
typedef struct Subtree
{
	const ForestGrower *member;
	uint32_t	first;
	uint32_t	end;
	size_t		first_set;
	size_t		end_set;
} Subtree;

typedef struct GrowWork
{
	const ForestGrower *grower;
	Subtree    *subtrees;
} GrowWork;

/* The root of a subtree, as the grower has it. */
static uint32_t
root_number(const ForestGrower *grower, size_t i)
{
	return ((const uint32_t *) grower->subtrees.data)[i];
}

static size_t
set_words(const ForestGrower *grower)
{
	return grower->sets.size / sizeof(uint32_t);
}

/* Task: one subtree. */
static void
grow_one(void *argument, size_t task, int thread)
{
	const GrowWork *work = argument;
	const ForestGrower *grower = work->grower;
	ForestGrower *member = &grower->team->members[thread];
	Subtree    *subtree = &work->subtrees[task];
	ForestNode	root = *forest_node(grower, root_number(grower, task));

	*subtree = (Subtree) {.member = member,.first = forest_n_nodes(member)};
	if (root.split.categorical)
	{
		const uint32_t *words = (const uint32_t *) grower->sets.data + root.split.set;

		root.split.set = set_words(member);
		buffer_bytes(&member->sets, words, (words[0] + 1) * sizeof(uint32_t));
	}
	subtree->first_set = set_words(member);
	buffer_bytes(&member->nodes, &root, sizeof(root));
	if (!member->nodes.failed && !member->sets.failed)
		forest_grow_below(member, subtree->first);
	subtree->end = forest_n_nodes(member);
	subtree->end_set = set_words(member);
}

/* Appends a subtree to the tree. */
static void
append_subtree(ForestGrower *grower, uint32_t root, const Subtree *subtree)
{
	const ForestGrower *member = subtree->member;
	uint32_t	move = forest_n_nodes(grower) - (subtree->first + 1);
	uint64_t	move_sets = set_words(grower) - subtree->first_set;

	forest_node(grower, root)->left = forest_node(member, subtree->first)->left + move;
	for (uint32_t i = subtree->first + 1; i < subtree->end; i++)
	{
		ForestNode	node = *forest_node(member, i);

		if (node.left != 0)
			node.left += move;
		if (node.split.categorical)
			node.split.set += move_sets;
		buffer_bytes(&grower->nodes, &node, sizeof(node));
	}
	if (subtree->end_set > subtree->first_set)
		buffer_bytes(&grower->sets, (const uint32_t *) member->sets.data + subtree->first_set,
					 (subtree->end_set - subtree->first_set) * sizeof(uint32_t));
}

void
forest_team_grow(ForestGrower *grower)
{
	const ForestTeam *team = grower->team;
	size_t		n = grower->subtrees.size / sizeof(uint32_t);
	int			n_members = pool_threads(team->pool);
	GrowWork	work = {.grower = grower,.subtrees = malloc((n > 0 ? n : 1) * sizeof(Subtree))};

	if (work.subtrees == NULL || grower->nodes.failed || grower->sets.failed)
	{
		grower->nodes.failed = true;
		free(work.subtrees);
		return;
	}
	for (int i = 0; i < n_members; i++)
	{
		team->members[i].nodes.size = 0;
		team->members[i].sets.size = 0;
		team->members[i].heap.size = 0;
	}
	pool_for_thread(team->pool, n, grow_one, &work);
	for (int i = 0; i < n_members; i++)
		grower->nodes.failed |= team->members[i].nodes.failed || team->members[i].sets.failed || team->members[i].heap.failed;
	for (size_t i = 0; i < n && !grower->nodes.failed; i++)
		append_subtree(grower, root_number(grower, i), &work.subtrees[i]);
	free(work.subtrees);
}
