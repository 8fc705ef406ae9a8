/*
 * forest_tree.c
 *		Growing one tree of a forest, and cutting it back.
 *
 * The rows of a node are a range of the tree's rows; a split puts those that
 * go left before the others, both in the order they had, so they always
 * ascend and reads of a column run forward in memory.  Nodes of many rows are
 * split first; below the others, subtrees are grown one after the other, or
 * by several threads, and come in that order.  Nodes wait to be split on a
 * stack, so a part of a subtree is finished while its rows are in the cache;
 * with a limit on leaves, in a heap, and the one of most gain comes first.
 */
#include "forest_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../cpu.h"

/* ---- Memory ---- */

bool
forest_grower_init(ForestGrower *grower, const Forest *forest, const ForestGrower *lender, Arena *arena, Error *error)
{
	size_t		n_rows = forest->bins.n_rows;
	uint32_t	n_features = forest->bins.n_features;
	uint32_t	n_bins = forest->bins.max_bins;
	uint32_t	n_sums = forest->target.n_sums;

	memset(grower, 0, sizeof(*grower));
	grower->forest = forest;
	buffer_init(&grower->nodes);
	buffer_init(&grower->sets);
	buffer_init(&grower->heap);
	buffer_init(&grower->subtrees);
	grower->rows = lender != NULL ? lender->rows : arena_alloc(arena, n_rows, sizeof(ForestRow), error);
	grower->spare = lender != NULL ? lender->spare : arena_alloc(arena, n_rows, sizeof(ForestRow), error);
	grower->cells = arena_zeroed(arena, n_bins, n_sums * sizeof(int64_t), error);
	grower->counts = arena_zeroed(arena, n_bins, sizeof(uint32_t), error);
	grower->occupied = arena_zeroed(arena, n_bins / 64 + 1, sizeof(uint64_t), error);
	grower->gathered = arena_alloc(arena, forest->rules.random_cuts ? n_rows : 0, sizeof(uint16_t), error);
	grower->used = arena_alloc(arena, n_bins + 1, sizeof(uint32_t), error);
	grower->sequence = arena_alloc(arena, n_bins, sizeof(uint32_t), error);
	grower->ordered = arena_alloc(arena, n_bins, sizeof(SortItem), error);
	grower->ordered_spare = arena_alloc(arena, n_bins, sizeof(SortItem), error);
	grower->set = arena_alloc(arena, n_bins / 32 + 2, sizeof(uint32_t), error);
	grower->features = arena_alloc(arena, n_features, sizeof(uint32_t), error);
	grower->found = arena_alloc(arena, n_features, sizeof(FeatureSplit), error);
	grower->swaps = arena_alloc(arena, n_features, sizeof(uint32_t), error);
	grower->node_sums = arena_alloc(arena, 3, n_sums * sizeof(int64_t), error);
	grower->shares = arena_alloc(arena, 3, n_sums * sizeof(double), error);
	grower->pure_sets = arena_alloc(arena, n_sums, sizeof(uint64_t), error);
	if (grower->rows == NULL || grower->spare == NULL || grower->cells == NULL || grower->counts == NULL || grower->occupied == NULL ||
		grower->gathered == NULL || grower->used == NULL || grower->sequence == NULL || grower->ordered == NULL || grower->ordered_spare == NULL ||
		grower->set == NULL || grower->features == NULL || grower->found == NULL || grower->swaps == NULL || grower->node_sums == NULL ||
		grower->shares == NULL || grower->pure_sets == NULL)
		return false;
	grower->left_sums = grower->node_sums + n_sums;
	grower->right_sums = grower->left_sums + n_sums;
	for (uint32_t f = 0; f < n_features; f++)
		grower->features[f] = f;
	return true;
}

void
forest_grower_free(ForestGrower *grower)
{
	buffer_free(&grower->nodes);
	buffer_free(&grower->sets);
	buffer_free(&grower->heap);
	buffer_free(&grower->subtrees);
}

/* The rows twice, the cells, and what is by bin or feature. */
uint64_t
forest_grower_memory(uint64_t n_rows, uint32_t n_features, uint32_t max_bins, uint32_t n_sums)
{
	return n_rows * (2 * sizeof(ForestRow) + sizeof(uint16_t)) + (uint64_t) max_bins * (n_sums * sizeof(int64_t) + 64) + n_features * (2 * sizeof(uint32_t) + sizeof(FeatureSplit)) +
		(uint64_t) n_sums * 64;
}

/* ---- Rows ---- */

/* The rows that the tree takes; all where that would be none. */
static void
draw_rows(ForestGrower *grower)
{
	const Forest *forest = grower->forest;

	grower->n_rows = 0;
	for (size_t row = 0; row < forest->bins.n_rows; row++)
	{
		int64_t		count = forest_draws(forest, grower->tree_key, row);

		if (count > 0)
			grower->rows[grower->n_rows++] = forest_row(&forest->target, row, count);
	}
	grower->takes_all = grower->n_rows == 0;
	for (size_t row = 0; row < forest->bins.n_rows && grower->takes_all; row++)
		grower->rows[grower->n_rows++] = forest_row(&forest->target, row, 1);
}

/* Divides the rows of a node by a number; the width is a constant. */
CPU_BODY size_t
divide_by_number(ForestGrower *grower, const ForestNode *node, const ForestColumn *column, bool wide)
{
	ForestRow  *left = grower->rows + node->begin;
	ForestRow  *right = grower->spare + node->begin;

	/* bin 0 is below all others, or, moved by one, above them */
	uint32_t	first = node->split.missing_left ? 0 : 1;
	uint32_t	n = node->split.bin + 1 - first;

	for (const ForestRow *row = left, *end = grower->rows + node->end; row < end; row++)
	{
		ForestRow	copy = *row;
		uint32_t	bin = wide ? column->wide[copy.row] : column->narrow[copy.row];
		bool		goes_left = bin - first < n;

		forest_fetch(column, wide, row, end);
		*left = copy;
		*right = copy;
		left += goes_left;
		right += !goes_left;
	}
	memcpy(left, grower->spare + node->begin, (size_t) (right - grower->spare - node->begin) * sizeof(ForestRow));
	return (size_t) (left - grower->rows);
}

/* Divides the rows of a node by a category. */
static size_t
divide_by_category(ForestGrower *grower, const ForestNode *node)
{
	const uint32_t *sets = (const uint32_t *) grower->sets.data;
	ForestRow  *left = grower->rows + node->begin;
	ForestRow  *right = grower->spare + node->begin;

	for (size_t i = node->begin; i < node->end; i++)
	{
		ForestRow	row = grower->rows[i];
		bool		goes_left = forest_goes_left(&grower->forest->bins, &node->split, sets, row.row);

		*left = row;
		*right = row;
		left += goes_left;
		right += !goes_left;
	}
	memcpy(left, grower->spare + node->begin, (size_t) (right - grower->spare - node->begin) * sizeof(ForestRow));
	return (size_t) (left - grower->rows);
}

/* Divides the rows of a node; returns where those that go right begin. */
static size_t
divide_rows(ForestGrower *grower, const ForestNode *node)
{
	const ForestColumn *column = &grower->forest->bins.columns[node->split.feature];

	if (node->split.categorical)
		return divide_by_category(grower, node);
	if (column->wide != NULL)
		return divide_by_number(grower, node, column, true);
	return divide_by_number(grower, node, column, false);
}

/* ---- Nodes ---- */

/* Whether all rows have the same target. */
static bool
is_pure(const ForestGrower *grower, const ForestNode *node)
{
	const double *value = grower->forest->target.value;
	double		first = value[grower->rows[node->begin].row];

	for (size_t i = node->begin + 1; i < node->end; i++)
	{
		if (value[grower->rows[i].row] != first)
			return false;
	}
	return true;
}

/* Whether the first of two waiting nodes is to be split before the second. */
static inline bool
goes_first(const ForestGrower *grower, uint32_t a, uint32_t b)
{
	double		gain_a = forest_node(grower, a)->split.gain;
	double		gain_b = forest_node(grower, b)->split.gain;

	return gain_a != gain_b ? gain_a > gain_b : a < b;
}

/* A node waits. */
static void
push(ForestGrower *grower, uint32_t number)
{
	buffer_u32(&grower->heap, number);
	if (grower->heap.failed || grower->forest->rules.max_leaves == 0)
		return;

	uint32_t   *heap = (uint32_t *) grower->heap.data;
	size_t		i = grower->heap.size / sizeof(uint32_t) - 1;

	for (; i > 0 && goes_first(grower, number, heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = number;
}

/* The next node to be split; there is one. */
static uint32_t
pop(ForestGrower *grower)
{
	uint32_t   *heap = (uint32_t *) grower->heap.data;
	size_t		n = grower->heap.size / sizeof(uint32_t) - 1;
	uint32_t	last = heap[n];
	uint32_t	first = heap[0];
	size_t		i = 0;

	grower->heap.size -= sizeof(uint32_t);
	if (grower->forest->rules.max_leaves == 0)
		return last;
	for (size_t child; (child = 2 * i + 1) < n; i = child)
	{
		if (child + 1 < n && goes_first(grower, heap[child + 1], heap[child]))
			child++;
		if (!goes_first(grower, heap[child], last))
			break;
		heap[i] = heap[child];
	}
	heap[i] = last;
	return first;
}

/* Appends a node; where it can be split, it waits for that. */
static void
enter_node(ForestGrower *grower, ForestNode node)
{
	const Forest *forest = grower->forest;
	const ForestRules *rules = &forest->rules;
	size_t		n = node.end - node.begin;

	node.left = 0;
	node.split = (ForestSplit) {.gain = -1};
	forest_sums(&forest->target, grower->rows, node.begin, node.end, grower->node_sums);
	node.weight = forest_weight(&forest->target, grower->node_sums);
	if (node.depth < rules->max_depth && n >= rules->min_split && n / 2 >= rules->min_leaf && !is_pure(grower, &node))
		node.split = forest_search(grower, &node);
	if (node.split.gain >= 0 && node.split.categorical)
	{
		node.split.set = grower->sets.size / sizeof(uint32_t);
		buffer_bytes(&grower->sets, grower->set, (grower->set[0] + 1) * sizeof(uint32_t));
	}
	buffer_bytes(&grower->nodes, &node, sizeof(node));
	if (node.split.gain >= 0 && !grower->nodes.failed && !grower->sets.failed)
		push(grower, forest_n_nodes(grower) - 1);
}

/* Splits a node. */
static void
split_node(ForestGrower *grower, uint32_t number)
{
	ForestNode	node = *forest_node(grower, number);
	size_t		middle = divide_rows(grower, &node);
	uint32_t	left = forest_n_nodes(grower);

	forest_node(grower, number)->left = left;
	enter_node(grower, (ForestNode) {.key = hash64_combine(node.key, UINT64_MAX),.begin = node.begin,.end = middle,.depth = node.depth + 1});
	enter_node(grower, (ForestNode) {.key = hash64_combine(node.key, UINT64_MAX - 1),.begin = middle,.end = node.end,.depth = node.depth + 1});
}

void
forest_grow_below(ForestGrower *grower, uint32_t number)
{
	push(grower, number);
	while (grower->heap.size > 0 && !grower->nodes.failed)
		split_node(grower, pop(grower));
}

/* Splits nodes of many rows; the others become subtrees. */
static void
grow_top(ForestGrower *grower)
{
	while (grower->heap.size > 0 && !grower->nodes.failed)
	{
		uint32_t	number = pop(grower);
		const ForestNode *node = forest_node(grower, number);

		if (node->end - node->begin > FOREST_SUBTREE_ROWS)
			split_node(grower, number);
		else
			buffer_u32(&grower->subtrees, number);
	}
}

/* Splits the nodes of most gain first, up to a number of leaves. */
static void
grow_best_first(ForestGrower *grower, uint32_t max_leaves)
{
	for (uint32_t n_leaves = 1; grower->heap.size > 0 && n_leaves < max_leaves && !grower->nodes.failed; n_leaves++)
		split_node(grower, pop(grower));
}

void
forest_grow(ForestGrower *grower, uint32_t number)
{
	uint32_t	max_leaves = grower->forest->rules.max_leaves;

	grower->tree_key = hash64_combine(grower->forest->input->seed, number);
	grower->nodes.size = 0;
	grower->sets.size = 0;
	grower->heap.size = 0;
	grower->subtrees.size = 0;
	draw_rows(grower);
	enter_node(grower, (ForestNode) {.key = hash64_combine(grower->tree_key, UINT64_MAX),.end = grower->n_rows});
	if (max_leaves > 0)
	{
		grow_best_first(grower, max_leaves);
		return;
	}
	grow_top(grower);
	if (grower->team != NULL)
	{
		forest_team_grow(grower);
		return;
	}
	for (size_t i = 0; i < grower->subtrees.size / sizeof(uint32_t); i++)
		forest_grow_below(grower, ((const uint32_t *) grower->subtrees.data)[i]);
}

/* ---- Cutting back ---- */

/* What the branch of a node saves, and with how many leaves. */
typedef struct Branch
{
	double		gain;
	uint32_t	n_leaves;
} Branch;

/*
 * From the leaves up: a branch goes where all its gains together are at most
 * alpha for each leaf more than one.  That leaves the smallest tree of least
 * cost, the same as cutting the weakest link again and again.
 */
void
forest_prune(ForestGrower *grower)
{
	uint32_t	n = forest_n_nodes(grower);
	Branch	   *branches = malloc(n * sizeof(Branch));

	if (branches == NULL)
	{
		grower->nodes.failed = true;
		return;
	}

	const Forest *forest = grower->forest;
	double		unit = forest_gain_unit(&forest->target) / (forest->target.weight_unit * forest_node(grower, 0)->weight);

	/* alpha is in the unit of the entropy that is usual */
	if (forest->rules.criterion == CRITERION_ENTROPY)
		unit /= M_LN2;

	for (uint32_t i = n; i-- > 0;)
	{
		ForestNode *node = forest_node(grower, i);

		branches[i] = (Branch) {.n_leaves = 1};
		if (node->left == 0)
			continue;

		Branch		left = branches[node->left];
		Branch		right = branches[node->left + 1];
		Branch		whole = {node->split.gain * unit + left.gain + right.gain, left.n_leaves + right.n_leaves};

		if (whole.gain <= forest->rules.ccp_alpha * (whole.n_leaves - 1))
			node->left = 0;
		else
			branches[i] = whole;
	}
	free(branches);
}
