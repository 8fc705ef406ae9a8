/*
 * grow.c
 *		Growing one tree from histograms.
 */
#include "grow_internal.h"

#include <string.h>

/* Room for two more nodes. */
static bool
reserve_nodes(Grower *grower, Error *error)
{
	if (grower->max_nodes - grower->n_nodes >= 2)
		return true;

	uint32_t	n = grower->max_nodes < 128 ? 128 : 2 * grower->max_nodes;
	GrownNode  *nodes = arena_alloc(grower->arena, n, sizeof(GrownNode), error);
	uint32_t   *heap = arena_alloc(grower->arena, n, sizeof(uint32_t), error);

	if (nodes == NULL || heap == NULL)
		return false;
	if (grower->n_nodes > 0)
		memcpy(nodes, grower->nodes, grower->n_nodes * sizeof(GrownNode));
	if (grower->n_heap > 0)
		memcpy(heap, grower->heap, grower->n_heap * sizeof(uint32_t));
	grower->nodes = nodes;
	grower->heap = heap;
	grower->max_nodes = n;
	return true;
}

/* ---- The heap of nodes with a split ---- */

/* Whether node a is split before node b. */
static bool
comes_first(const Grower *grower, uint32_t a, uint32_t b)
{
	const GrownNode *x = &grower->nodes[a];
	const GrownNode *y = &grower->nodes[b];

	bool		limited = grower->rules.max_leaves > 0;

	if (!(limited && grower->rules.by_gain) && x->depth != y->depth)
		return limited ? x->depth < y->depth : x->depth > y->depth;
	if (limited && x->split.gain != y->split.gain)
		return x->split.gain > y->split.gain;
	return a < b;
}

/* Enters a node. */
static void
heap_push(Grower *grower, uint32_t node)
{
	uint32_t	i = grower->n_heap++;

	for (; i > 0 && comes_first(grower, node, grower->heap[(i - 1) / 2]); i = (i - 1) / 2)
		grower->heap[i] = grower->heap[(i - 1) / 2];
	grower->heap[i] = node;
}

/* Takes the first node out. */
static uint32_t
heap_pop(Grower *grower)
{
	uint32_t	first = grower->heap[0];
	uint32_t	last = grower->heap[--grower->n_heap];
	uint32_t	i = 0;

	for (;;)
	{
		uint32_t	child = 2 * i + 1;

		if (child >= grower->n_heap)
			break;
		if (child + 1 < grower->n_heap && comes_first(grower, grower->heap[child + 1], grower->heap[child]))
			child++;
		if (!comes_first(grower, grower->heap[child], last))
			break;
		grower->heap[i] = grower->heap[child];
		i = child;
	}
	if (grower->n_heap > 0)
		grower->heap[i] = last;
	return first;
}

/* ---- Histogram slots ---- */

/* Gives the slot of a node back. */
static void
release_histogram(Grower *grower, uint32_t node)
{
	if (grower->nodes[node].histogram < 0)
		return;
	grower->free_slots[grower->n_free++] = grower->nodes[node].histogram;
	grower->nodes[node].histogram = -1;
}

/* Takes histograms from waiting nodes, last ones first, until n slots are free. */
static void
evict_histograms(Grower *grower, int n)
{
	while (grower->n_free < n)
	{
		uint32_t	last = 0;
		bool		found = false;

		for (uint32_t i = 0; i < grower->n_heap; i++)
		{
			uint32_t	node = grower->heap[i];

			if (grower->nodes[node].histogram >= 0 && (!found || comes_first(grower, last, node)))
			{
				last = node;
				found = true;
			}
		}
		release_histogram(grower, last);
	}
}

/* ---- Nodes ---- */

/* Whether looking for a split of a node makes sense. */
static bool
may_split(const Grower *grower, const GrownNode *node)
{
	int64_t		n_rows = (int64_t) (node->end - node->begin);

	return node->depth < grower->rules.max_depth && n_rows >= 2 && n_rows >= 2 * grower->rules.split.min_rows &&
		(double) node->sums.h * grower->scale.h_unit >= 2 * grower->rules.split.min_child_weight;
}

/* The value of a leaf with these sums within a node's bounds, before the learning rate. */
static double
leaf_value(const Grower *grower, const GrownNode *node, GradientSums sums)
{
	SplitRules	rules = node_rules(grower, node);

	return split_leaf(&rules, (double) sums.g * grower->scale.g_unit, (double) sums.h * grower->scale.h_unit);
}

/* Appends a node; its rows are set later. */
static uint32_t
add_node(Grower *grower, uint32_t depth, GradientSums sums, double lowest, double highest)
{
	GrownNode  *node = &grower->nodes[grower->n_nodes];

	memset(node, 0, sizeof(*node));
	node->depth = depth;
	node->sums = sums;
	node->lowest = lowest;
	node->highest = highest;
	node->value = grower->rules.learning_rate * leaf_value(grower, node, sums);
	node->histogram = -1;
	return grower->n_nodes++;
}

/* Keeps a node that was searched, or gives its histogram back. */
static void
enter_node(Grower *grower, uint32_t node)
{
	if (grower->nodes[node].split.gain > 0)
		heap_push(grower, node);
	else
		release_histogram(grower, node);
}

/* Makes the children of a node, and says how its rows are to be divided. */
static bool
open_node(Grower *grower, uint32_t number, PartitionNode *division, Error *error)
{
	if (!reserve_nodes(grower, error))
		return false;

	GrownNode  *node = &grower->nodes[number];
	GradientSums left = node->split.left;
	GradientSums right = {node->sums.g - left.g, node->sums.h - left.h};

	int			direction = grower->rules.directions != NULL ? grower->rules.directions[node->split.feature] : 0;
	double		middle = (leaf_value(grower, node, left) + leaf_value(grower, node, right)) / 2;

	uint64_t	key = node->key;

	node->left = add_node(grower, node->depth + 1, left, direction < 0 ? middle : node->lowest, direction > 0 ? middle : node->highest);
	add_node(grower, node->depth + 1, right, direction > 0 ? middle : node->lowest, direction < 0 ? middle : node->highest);

	GrownNode  *children = &grower->nodes[node->left];

	children[0].key = column_sample_child_key(key, false);
	children[1].key = column_sample_child_key(key, true);
	*division = (PartitionNode)
	{
		.split = &node->split,
		.from = node_list(grower, node),
		.to = &grower->lists[(node->depth + 1) % 2],
		.begin = node->begin,
		.end = node->end,
		.is_last = node->depth + 1 == grower->rules.max_depth && grower->refit == NULL,
		.left_value = (float) children[0].value,
		.right_value = (float) children[1].value
	};
	children[0].is_scored = children[1].is_scored = division->is_last;
	return true;
}

/* Gives the children their rows, and plans their histograms; returns how many builds that takes. */
static size_t
plan_children(Grower *grower, uint32_t number, const PartitionNode *division, Build *builds)
{
	uint32_t	left = grower->nodes[number].left;
	GrownNode  *children = &grower->nodes[left];

	children[0].begin = division->begin;
	children[0].end = children[1].begin = division->begin + division->n_left;
	children[1].end = division->end;

	bool		search[2] = {may_split(grower, &children[0]), may_split(grower, &children[1])};

	bool		small[2] = {is_small(grower, division->n_left), is_small(grower, division->end - division->begin - division->n_left)};
	uint32_t	few = children[0].end - children[0].begin <= children[1].end - children[1].begin ? 0 : 1;
	uint32_t	many = 1 - few;
	size_t		n = 0;

	if (grower->nodes[number].histogram >= 0 && search[many] && !small[many])
	{
		children[many].histogram = grower->nodes[number].histogram;
		grower->nodes[number].histogram = -1;
		if (!small[few])
			children[few].histogram = grower->free_slots[--grower->n_free];
		builds[0] = (Build) {.node = left + few,.sibling = left + many,.search_node = search[few],.search_sibling = true};
		return 1;
	}
	release_histogram(grower, number);
	for (uint32_t k = 0; k < 2; k++)
	{
		if (!search[k])
			continue;
		if (!small[k])
			children[k].histogram = grower->free_slots[--grower->n_free];
		builds[n++] = (Build) {.node = left + k,.search_node = true};
	}
	return n;
}

/* Slots that splitting a node takes beside its own. */
static int
slots_needed(const Grower *grower, uint32_t node)
{
	if (grower->nodes[node].depth + 1 >= grower->rules.max_depth || is_small(grower, grower->nodes[node].end - grower->nodes[node].begin))
		return 0;
	return grower->nodes[node].histogram >= 0 ? 1 : 2;
}

/* Splits as many of the first nodes of the heap as there are slots for. */
static bool
split_batch(Grower *grower, uint32_t *n_leaves, Error *error)
{
	uint32_t   *batch = grower->batch;
	uint32_t	n = 0;
	int			n_needed = 0;

	while (n < grower->max_batch && grower->n_heap > 0)
	{
		int			needed = slots_needed(grower, grower->heap[0]);

		if (n > 0 && n_needed + needed > grower->n_free)
			break;
		batch[n] = heap_pop(grower);
		n_needed += needed;
		evict_histograms(grower, n_needed);
		if (!open_node(grower, batch[n], &grower->divisions[n], error))
			return false;
		n++;
	}
	*n_leaves += n;

	if (!grow_sets(grower, batch, n, error))
		return false;

	/* nodes may have moved while others were added */
	for (uint32_t i = 0; i < n; i++)
	{
		const GrownNode *node = &grower->nodes[batch[i]];

		grower->divisions[i].split = &node->split;
		grower->divisions[i].set = node->split.categorical ? grown_set(grower, node) : NULL;
	}
	partition_nodes(&grower->partition, grower->divisions, n, grower->pool);

	size_t		n_builds = 0;
	Build	   *builds = grower->builds;

	for (uint32_t i = 0; i < n; i++)
		n_builds += plan_children(grower, batch[i], &grower->divisions[i], builds + n_builds);
	grow_build(grower, builds, n_builds);
	for (uint32_t i = 0; i < n; i++)
	{
		enter_node(grower, grower->nodes[batch[i]].left);
		enter_node(grower, grower->nodes[batch[i]].left + 1);
	}
	return true;
}

/* Task: the value of one leaf by its rows; leaves' ranges of rows, and so their scratch, are disjoint. */
static void
refit_leaf(void *argument, size_t task)
{
	Grower	   *grower = argument;
	GrownNode  *node = &grower->nodes[task];
	const LeafRefit *refit = grower->refit;
	const uint32_t *rows = node_list(grower, node)->rows;

	if (node->left != 0 || node->begin == node->end)
		return;
	for (size_t i = node->begin; i < node->end; i++)
	{
		size_t		row = rows != NULL ? rows[i] : i;

		refit->items[i].value = refit->target[row] - (refit->base + (double) grower->scores[row]);
		refit->items[i].weight = refit->weight != NULL ? refit->weight[row] : 1;
	}
	node->value = grower->rules.learning_rate * weighted_quantile(refit->items + node->begin, node->end - node->begin, refit->share);
}

/* Task: the scores of the rows of one leaf. */
static void
score_leaf(void *argument, size_t task)
{
	const Grower *grower = argument;
	const GrownNode *node = &grower->nodes[task];
	const uint32_t *rows = node_list(grower, node)->rows;
	float		value = (float) node->value;

	if (node->left != 0 || node->is_scored)
		return;
	for (size_t i = node->begin; i < node->end; i++)
		grower->scores[rows != NULL ? rows[i] : i] += value;
}

/* The root, then batch after batch, then the scores. */
bool
grow_tree(Grower *grower, size_t n_rows, GradientSums sums, Error *error)
{
	uint32_t	n_leaves = 1;

	grower->n_nodes = 0;
	grower->n_heap = 0;
	grower->n_set_words = 0;
	grower->n_free = 0;
	for (int slot = grower->n_slots - 1; slot >= 0; slot--)
		grower->free_slots[grower->n_free++] = slot;
	histogram_choose(&grower->scratch, grower->feature_used);
	grower->partition.scores = grower->scores;
	grower->partition.wide = grower->scale.wide;
	if (!reserve_nodes(grower, error))
		return false;

	GrownNode  *root = &grower->nodes[add_node(grower, 0, sums, grower->rules.split.lowest, grower->rules.split.highest)];

	root->end = n_rows;
	root->key = grower->columns != NULL ? grower->columns->key : 0;
	if (may_split(grower, root))
	{
		if (!is_small(grower, n_rows))
			root->histogram = grower->free_slots[--grower->n_free];
		grower->builds[0] = (Build) {.node = 0,.search_node = true};
		grow_build(grower, grower->builds, 1);
		enter_node(grower, 0);
	}
	while (grower->n_heap > 0 && (grower->rules.max_leaves == 0 || n_leaves < grower->rules.max_leaves))
	{
		if (!split_batch(grower, &n_leaves, error))
			return false;
	}
	if (grower->refit != NULL)
		pool_for(grower->pool, grower->n_nodes, refit_leaf, grower);
	pool_for(grower->pool, grower->n_nodes, score_leaf, grower);
	return true;
}
