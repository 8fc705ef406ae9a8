/*
 * ready_plan.c
 *		What the ready form of a tree model consists of: thresholds, lanes, bits of categories, sizes.
 *
 * Everything is decided here, so that writing (ready_write.c) cannot fail.
 * All memory is the plan's arena.
 */
#include "ready_plan.h"

#include <stdlib.h>
#include <string.h>

#include "../model/tree_inspect.h"

#define MAX_NODES		(UINT64_C(1) << 20)	/* beyond, trees do not fit into caches, and making this takes longer than it saves */
#define MAX_FEATURE_LANES 16	/* of a side: more thresholds than that are no longer worth counting */
#define MAX_TABLE_BYTES	(UINT64_C(4) << 20)	/* of categories, beside what the payload has */
#define SEARCHED_BITS	512		/* of a window */

static inline uint64_t
round_up(uint64_t n, uint64_t multiple)
{
	return (n + multiple - 1) / multiple * multiple;
}

static inline PlanFeature *
node_feature(const ReadyPlan *plan, const TreeNode *node)
{
	return &plan->features[node->feature & NODE_FEATURE_MASK];
}

/* Counts leaves and levels of categories, and notes where splits send missing values. */
static void
count_splits(ReadyPlan *plan)
{
	for (uint64_t i = 0; i < plan->payload->n_nodes; i++)
	{
		const TreeNode *node = &plan->nodes[i];

		if (node->feature & NODE_LEAF)
		{
			plan->n_leaves++;
			continue;
		}

		PlanFeature *feature = node_feature(plan, node);

		if (node->feature & NODE_CATEGORICAL)
		{
			uint64_t	n_levels = (uint64_t) plan->sets[node->u.set] * 32;

			feature->category = true;
			feature->n_levels = n_levels > feature->n_levels ? n_levels : feature->n_levels;
			plan->n_bits++;
			continue;
		}
		feature->sides[node->feature & NODE_MISSING_LEFT ? 0 : 1] = true;
	}
}

/* Gathers each feature's distinct thresholds; false where one has too many. */
static bool
gather_thresholds(ReadyPlan *plan)
{
	for (uint64_t i = 0; i < plan->payload->n_nodes; i++)
	{
		const TreeNode *node = &plan->nodes[i];

		if (node->feature & (NODE_LEAF | NODE_CATEGORICAL))
			continue;

		ThresholdSet *set = &node_feature(plan, node)->set;

		if (!threshold_set_add(set, node->u.threshold, &plan->arena) || set->n > MAX_FEATURE_LANES * READY_LANE_CUTS)
			return false;
	}
	for (uint32_t j = 0; j < plan->model->n_features; j++)
	{
		PlanFeature *feature = &plan->features[j];

		if (feature->set.n == 0)
			continue;
		feature->n_thresholds = feature->set.n;
		feature->thresholds = threshold_set_rank(&feature->set, &plan->arena);
		if (feature->thresholds == NULL)
			return false;
	}
	return true;
}

/* Gives lanes to the features whose splits compare numbers; false where all together need too many. */
static bool
place_numbers(ReadyPlan *plan)
{
	uint64_t	n_lanes = 0;

	for (uint32_t j = 0; j < plan->model->n_features; j++)
	{
		PlanFeature *feature = &plan->features[j];

		if (feature->n_thresholds == 0)
			continue;
		feature->n_lanes = (feature->n_thresholds + READY_LANE_CUTS - 1) / READY_LANE_CUTS;
		feature->first_lane = (uint32_t) n_lanes;
		n_lanes += feature->n_lanes * (uint64_t) (feature->sides[0] + feature->sides[1]);
		plan->head.n_numbers++;
	}
	n_lanes = round_up(n_lanes, READY_WINDOW);
	if (n_lanes > READY_MAX_LANES)
		return false;
	plan->head.n_number_lanes = (uint32_t) n_lanes;
	return true;
}

/* The place where lanes of categories are given away: the window's first lane, and those that it has given. */
typedef struct Window
{
	uint32_t	first;
	uint32_t	used;
	uint64_t	first_bit;		/* of the plan, that lies in it */
} Window;

/* Begins the next window. */
static void
next_window(ReadyPlan *plan, Window *window, uint64_t n_bits)
{
	if (window->used > 0)
		window->first += READY_WINDOW;
	window->used = 0;
	window->first_bit = n_bits;
	for (uint32_t j = 0; j < plan->model->n_features; j++)
		plan->features[j].open_lane = plan->features[j].open_bits = 0;
}

/* Lanes that a tree's splits on categories may need beyond those that its window has given; counts is all 0, and is left so. */
static uint32_t
lanes_needed(const ReadyPlan *plan, uint32_t tree, uint32_t *counts)
{
	uint32_t	needed = 0;

	for (uint64_t i = plan->starts[tree]; i < plan->starts[tree + 1]; i++)
	{
		const TreeNode *node = &plan->nodes[i];

		if ((node->feature & NODE_LEAF) || !(node->feature & NODE_CATEGORICAL))
			continue;

		const PlanFeature *feature = node_feature(plan, node);
		uint32_t	count = counts[feature - plan->features]++;
		uint32_t	room = feature->open_lane == 0 ? 0 : 8 - feature->open_bits;

		if (count >= room && (count - room) % 8 == 0)
			needed++;
	}
	for (uint64_t i = plan->starts[tree]; i < plan->starts[tree + 1]; i++)
	{
		if (!(plan->nodes[i].feature & NODE_LEAF))
			counts[plan->nodes[i].feature & NODE_FEATURE_MASK] = 0;
	}
	return needed;
}

/* Whether two splits on categories send the same rows right. */
static bool
same_bit(const PlanBit *a, const PlanBit *b)
{
	return a->feature == b->feature && a->missing_right == b->missing_right && a->set[0] == b->set[0] &&
		memcmp(a->set + 1, b->set + 1, (size_t) a->set[0] * sizeof(uint32_t)) == 0;
}

/* Gives a bit to the next split on categories: that of an equal one of the window, or a new one. */
static void
place_bit(ReadyPlan *plan, Window *window, uint64_t n_bits)
{
	PlanBit    *bit = &plan->bits[n_bits];
	PlanFeature *feature = &plan->features[bit->feature];
	uint64_t	first = n_bits - window->first_bit > SEARCHED_BITS ? n_bits - SEARCHED_BITS : window->first_bit;

	for (uint64_t i = first; i < n_bits; i++)
	{
		if (same_bit(&plan->bits[i], bit))
		{
			bit->lane = plan->bits[i].lane;
			bit->bit = plan->bits[i].bit;
			return;
		}
	}
	if (feature->open_lane == 0 || feature->open_bits == 8)
	{
		if (window->used == READY_WINDOW)
			next_window(plan, window, n_bits);
		feature->open_lane = window->first + window->used++ + 1;	/* so that 0 means none */
		feature->open_bits = 0;
	}
	bit->lane = (uint16_t) (feature->open_lane - 1);
	bit->bit = (uint8_t) feature->open_bits++;
}

/* Gives bits to all splits on categories; false where there would be too many. */
static bool
place_categories(ReadyPlan *plan)
{
	Window		window = {.first = plan->head.n_number_lanes};
	uint64_t	n_bits = 0;
	Error		error;
	uint32_t   *counts = arena_zeroed(&plan->arena, (size_t) plan->model->n_features + 1, sizeof(uint32_t), &error);

	plan->bits = arena_alloc(&plan->arena, plan->n_bits + 1, sizeof(PlanBit), &error);
	if (counts == NULL || plan->bits == NULL)
		return false;
	for (uint32_t tree = 0; tree < plan->payload->n_trees; tree++)
	{
		if (plan->n_bits > 0 && window.used + lanes_needed(plan, tree, counts) > READY_WINDOW)
			next_window(plan, &window, n_bits);
		plan->windows[tree] = window.first;
		if (plan->n_bits == 0)
			continue;
		for (uint64_t i = plan->starts[tree]; i < plan->starts[tree + 1]; i++)
		{
			const TreeNode *node = &plan->nodes[i];

			if ((node->feature & NODE_LEAF) || !(node->feature & NODE_CATEGORICAL))
				continue;
			if (window.first + READY_WINDOW > READY_MAX_LANES)
				return false;
			plan->bits[n_bits] = (PlanBit) {
				.set = plan->sets + node->u.set,
				.feature = node->feature & NODE_FEATURE_MASK,
				.missing_right = !(node->feature & NODE_MISSING_LEFT)
			};
			place_bit(plan, &window, n_bits);
			n_bits++;
		}
	}
	plan->head.n_lanes = window.first + (window.used > 0 ? READY_WINDOW : 0);
	return plan->head.n_lanes <= READY_MAX_LANES;
}

/* Whether the raw values, rounded, are the features; and where each feature's value is read. */
static void
place_values(ReadyPlan *plan)
{
	const Model *model = plan->model;
	bool		direct = true;

	for (uint32_t i = 0; i < model->n_columns; i++)
	{
		const RecipeColumn *column = &model->columns[i];

		direct = direct && column->encoding != ENCODING_ONEHOT && column->scaling == SCALING_NONE &&
			column->missing == MISSING_NATIVE && !column->indicator;
	}
	for (uint32_t j = 0; j < model->n_features; j++)
		plan->features[j].value = j;
	for (uint32_t i = 0; direct && i < model->n_columns; i++)
	{
		PlanFeature *feature = &plan->features[model->columns[i].first_feature];

		feature->value = i;
		feature->rounds = model->columns[i].storage == STORAGE_FLOAT32;
	}
	plan->head.direct = direct;
}

/* The next part of the whole: n items of size bytes. */
static uint64_t
place(ReadyPlan *plan, uint64_t n, size_t size)
{
	uint64_t	offset = plan->head.size;

	plan->head.size = round_up(offset + n * size, READY_ALIGN);
	return offset;
}

/* Places the trees, and decides which kernels they allow. */
static void
place_trees(ReadyPlan *plan)
{
	ReadyHead  *head = &plan->head;
	uint32_t	n_trees = plan->payload->n_trees;
	uint32_t	n_tables = head->n_number_lanes / READY_WINDOW + (plan->n_bits > 0 ? 1 : 0);

	plan->columnar = true;
	for (uint32_t tree = 0; tree < n_trees; tree++)
		plan->columnar = plan->columnar && plan_leaves(plan, tree) <= READY_BLOCK_LEAVES;
	head->columnar = plan->columnar;
	head->n_trees = n_trees;
	head->n_groups = plan->payload->n_groups;
	head->link = plan->payload->link;
	head->trees = place(plan, n_trees, sizeof(ReadyTree));
	head->nodes = place(plan, plan->payload->n_nodes, sizeof(ReadyNode));
	head->ranks = place(plan, plan->payload->n_nodes, sizeof(uint32_t));
	head->words = place(plan, plan->n_leaves, sizeof(uint64_t));
	if (plan->columnar)
	{
		head->splits = place(plan, plan->payload->n_nodes - plan->n_leaves, sizeof(ReadySplit));
		head->leaf_nodes = place(plan, plan->n_leaves, sizeof(uint16_t));
	}
	if (plan->payload->max_depth <= READY_SMALL_DEPTH && n_tables >= 1 && n_tables <= READY_TABLES)
		head->heaps = place(plan, n_trees, sizeof(ReadyHeap));
}

/* Places all that features need; false where the tables of categories would be too large. */
static bool
place_features(ReadyPlan *plan)
{
	ReadyHead  *head = &plan->head;
	uint32_t	n_features = plan->model->n_features;
	uint64_t	n_category_lanes = head->n_lanes - head->n_number_lanes;
	uint64_t	table_bytes = 0;
	Error		error;

	plan->cuts = arena_zeroed(&plan->arena, n_features, sizeof(uint64_t), &error);
	plan->pivots = arena_zeroed(&plan->arena, n_features, sizeof(uint64_t), &error);
	plan->tables = arena_zeroed(&plan->arena, n_features, sizeof(uint64_t), &error);
	if (plan->cuts == NULL || plan->pivots == NULL || plan->tables == NULL)
		return false;
	for (uint32_t j = 0; j < n_features; j++)
		head->n_categories += plan->features[j].category ? 1 : 0;
	head->numbers = place(plan, head->n_numbers, sizeof(ReadyNumber));
	head->categories = place(plan, head->n_categories, sizeof(ReadyCategory));
	for (uint32_t j = 0; j < n_features; j++)
	{
		const PlanFeature *feature = &plan->features[j];

		if (feature->n_thresholds > 0)
		{
			plan->cuts[j] = place(plan, (uint64_t) (plan_groups(feature) + 1) * READY_CUT_GROUP, sizeof(double));
			plan->pivots[j] = place(plan, plan_pivots(feature), sizeof(double));
		}
		if (feature->category)
		{
			table_bytes += (feature->n_levels + 2) * n_category_lanes;
			if (feature->n_levels > MAX_CATEGORIES + 32 || table_bytes > MAX_TABLE_BYTES + plan->model->payload_size)
				return false;
			plan->tables[j] = place(plan, feature->n_levels + 2, n_category_lanes);
		}
	}
	return true;
}

/* Fills the plan; false where the model has no ready form. */
static bool
make_plan(ReadyPlan *plan)
{
	const Model *model = plan->model;
	const uint8_t *payload = model->payload;
	Error		error;

	plan->payload = model->payload;
	if (plan->payload->n_trees == 0 || plan->payload->n_nodes > MAX_NODES || model->n_features == 0 || model->n_features > READY_MAX_LANES)
		return false;
	plan->starts = (const uint64_t *) (payload + plan->payload->starts_offset);
	plan->nodes = (const TreeNode *) (payload + plan->payload->nodes_offset);
	plan->sets = (const uint32_t *) (payload + plan->payload->sets_offset);
	plan->features = arena_zeroed(&plan->arena, model->n_features, sizeof(PlanFeature), &error);
	plan->windows = arena_zeroed(&plan->arena, plan->payload->n_trees, sizeof(uint32_t), &error);
	if (plan->features == NULL || plan->windows == NULL)
		return false;
	count_splits(plan);
	if (!gather_thresholds(plan) || !place_numbers(plan) || !place_categories(plan))
		return false;
	if (plan->head.n_lanes == 0)	/* leaves alone: a lane for them to read */
		plan->head.n_lanes = plan->head.n_number_lanes = READY_WINDOW;
	place_values(plan);
	plan->head.size = round_up(sizeof(ReadyHead), READY_ALIGN);
	place_trees(plan);
	return place_features(plan);
}

ReadyPlan *
ready_plan(const Model *model)
{
	if (!model_has_trees(model))
		return NULL;

	ReadyPlan  *plan = calloc(1, sizeof(ReadyPlan));

	if (plan == NULL)
		return NULL;
	plan->model = model;
	arena_init(&plan->arena);
	if (make_plan(plan))
		return plan;
	ready_plan_free(plan);
	return NULL;
}

size_t
ready_plan_size(const ReadyPlan *plan)
{
	return plan->head.size;
}

void
ready_plan_free(ReadyPlan *plan)
{
	if (plan == NULL)
		return;
	arena_free(&plan->arena);
	free(plan);
}
