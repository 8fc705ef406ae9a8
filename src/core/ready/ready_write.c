/*
 * ready_write.c
 *		Writes the ready form of a tree model as it was planned.
 */
#include <math.h>
#include <string.h>

#include "ready_plan.h"

/* Where a part lies. */
static inline void *
part(void *bytes, uint64_t offset)
{
	return (uint8_t *) bytes + offset;
}

/* The test of a split. */
static ReadyNode
split_test(const ReadyPlan *plan, const TreeNode *node, uint64_t *next_bit)
{
	if (node->feature & NODE_CATEGORICAL)
	{
		const PlanBit *bit = &plan->bits[(*next_bit)++];

		return (ReadyNode) {.lane = bit->lane, .mask = (uint8_t) (1u << bit->bit), .left = node->left};
	}

	const PlanFeature *feature = &plan->features[node->feature & NODE_FEATURE_MASK];
	uint32_t	rank = threshold_set_find(&feature->set, node->u.threshold);
	bool		second = feature->sides[0] && !(node->feature & NODE_MISSING_LEFT);

	return (ReadyNode) {
		.lane = (uint16_t) (feature->first_lane + (second ? feature->n_lanes : 0) + rank / READY_LANE_CUTS),
		.mask = 255,
		.cut = (uint8_t) (rank % READY_LANE_CUTS),
		.left = node->left
	};
}

/* Where heaps find a lane: their tables are all lanes of numbers, then a window. */
static uint8_t
heap_index(const ReadyPlan *plan, uint32_t window, uint32_t lane)
{
	return (uint8_t) (lane < plan->head.n_number_lanes ? lane : plan->head.n_number_lanes + (lane - window));
}

/* Puts the part of a tree below one of its nodes into a heap; what lies below a leaf is never gone to the right. */
static void
fill_heap(const ReadyPlan *plan, const ReadyNode *nodes, const uint32_t *ranks, const uint64_t *words, uint32_t window,
		  uint32_t node, uint32_t at, ReadyHeap *heap)
{
	bool		is_leaf = nodes[node].left == node;

	if (at >= READY_HEAP)
	{
		heap->words[at - READY_HEAP] = words[ranks[node]];
		return;
	}
	if (!is_leaf)
	{
		heap->index[at] = heap_index(plan, window, nodes[node].lane);
		heap->mask[at] = nodes[node].mask;
		heap->cut[at] = nodes[node].cut;
		fill_heap(plan, nodes, ranks, words, window, nodes[node].left + 1, 2 * at + 1, heap);
	}
	else
		heap->cut[at] = 255;
	fill_heap(plan, nodes, ranks, words, window, is_leaf ? node : nodes[node].left, 2 * at, heap);
}

/* Writes all trees. */
static void
write_trees(const ReadyPlan *plan, void *bytes)
{
	const ReadyHead *head = &plan->head;
	ReadyTree  *trees = part(bytes, head->trees);
	ReadyNode  *nodes = part(bytes, head->nodes);
	uint32_t   *ranks = part(bytes, head->ranks);
	uint64_t   *words = part(bytes, head->words);
	ReadySplit *splits = part(bytes, head->splits);
	uint16_t   *leaf_nodes = part(bytes, head->leaf_nodes);
	ReadyHeap  *heaps = part(bytes, head->heaps);
	uint64_t	next_bit = 0;
	uint64_t	next_leaf = 0;
	uint64_t	next_split = 0;

	for (uint32_t tree = 0; tree < head->n_trees; tree++)
	{
		uint64_t	start = plan->starts[tree];
		uint32_t	n = (uint32_t) (plan->starts[tree + 1] - start);
		uint32_t	rank = 0;

		trees[tree] = (ReadyTree) {.nodes = start, .words = next_leaf, .splits = next_split, .leaf_nodes = next_leaf, .window = plan->windows[tree]};
		for (uint32_t i = 0; i < n; i++)
		{
			const TreeNode *node = &plan->nodes[start + i];

			ranks[start + i] = 0;
			if (node->feature & NODE_LEAF)
			{
				nodes[start + i] = (ReadyNode) {.left = i};
				ranks[start + i] = rank;
				words[next_leaf + rank] = node->u.set;
				if (plan->columnar)
					leaf_nodes[next_leaf + rank] = (uint16_t) i;
				rank++;
				continue;
			}
			nodes[start + i] = split_test(plan, node, &next_bit);
			if (plan->columnar)
				splits[next_split++] = (ReadySplit) {
					.lane = nodes[start + i].lane, .mask = nodes[start + i].mask, .cut = nodes[start + i].cut,
					.self = (uint16_t) i, .left = (uint16_t) node->left
				};
		}
		trees[tree].n_leaves = rank;
		if (head->heaps != 0)
		{
			memset(&heaps[tree], 0, sizeof(ReadyHeap));
			fill_heap(plan, nodes + start, ranks + start, words + next_leaf, plan->windows[tree], 0, 1, &heaps[tree]);
		}
		next_leaf += rank;
	}
}

/* Writes a feature that is compared. */
static void
write_number(const ReadyPlan *plan, uint32_t j, ReadyNumber *number, void *bytes)
{
	const PlanFeature *feature = &plan->features[j];
	double	   *cuts = part(bytes, plan->cuts[j]);
	double	   *pivots = part(bytes, plan->pivots[j]);

	*number = (ReadyNumber) {
		.value = feature->value,
		.rounds = feature->rounds,
		.n_cuts = feature->n_thresholds,
		.n_groups = plan_groups(feature),
		.first_lane = feature->first_lane,
		.n_lanes = feature->n_lanes,
		.cuts = plan->cuts[j],
		.pivots = plan->pivots[j]
	};
	if (feature->sides[0])
		number->missing[number->n_sides++] = 0;
	if (feature->sides[1])
		number->missing[number->n_sides++] = READY_MISSING;
	for (uint32_t i = 0; i < (number->n_groups + 1) * READY_CUT_GROUP; i++)
		cuts[i] = i < feature->n_thresholds ? feature->thresholds[i] : INFINITY;
	for (uint32_t i = 0; i < plan_pivots(feature); i++)
		pivots[i] = i < number->n_groups ? cuts[(i + 1) * READY_CUT_GROUP - 1] : INFINITY;
}

/* Whether a level goes right: it is not in the set. */
static inline bool
level_right(const uint32_t *set, uint64_t level)
{
	return level / 32 >= set[0] || !((set[1 + level / 32] >> (level % 32)) & 1);
}

/* Writes the bits of all splits on categories into their features' tables, which are all 0. */
static void
write_bits(const ReadyPlan *plan, void *bytes)
{
	uint32_t	n_lanes = plan->head.n_lanes - plan->head.n_number_lanes;

	for (uint64_t i = 0; i < plan->n_bits; i++)
	{
		const PlanBit *bit = &plan->bits[i];
		uint64_t	n_levels = plan->features[bit->feature].n_levels;
		uint8_t    *table = (uint8_t *) part(bytes, plan->tables[bit->feature]) + (bit->lane - plan->head.n_number_lanes);
		uint8_t		mask = (uint8_t) (1u << bit->bit);

		for (uint64_t level = 0; level <= n_levels; level++)
		{
			if (level_right(bit->set, level))
				table[level * n_lanes] |= mask;
		}
		if (bit->missing_right)
			table[(n_levels + 1) * n_lanes] |= mask;
	}
}

void
ready_plan_write(const ReadyPlan *plan, void *bytes)
{
	ReadyNumber *numbers = part(bytes, plan->head.numbers);
	ReadyCategory *categories = part(bytes, plan->head.categories);

	memset(bytes, 0, plan->head.size);
	memcpy(bytes, &plan->head, sizeof(ReadyHead));
	write_trees(plan, bytes);
	for (uint32_t j = 0; j < plan->model->n_features; j++)
	{
		const PlanFeature *feature = &plan->features[j];

		if (feature->n_thresholds > 0)
			write_number(plan, j, numbers++, bytes);
		if (feature->category)
			*categories++ = (ReadyCategory) {
				.value = feature->value, .rounds = feature->rounds, .n_levels = (uint32_t) feature->n_levels, .table = plan->tables[j]
			};
	}
	write_bits(plan, bytes);
}
