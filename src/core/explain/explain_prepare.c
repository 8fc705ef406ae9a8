/*
 * explain_prepare.c
 *		Trees made ready to be explained.
 *
 * Trees are put together in blocks whose weights and values fit into the
 * first-level cache; all splits of a level of a block are worked on in one
 * loop, so that none waits for another.  Everything that does not depend on
 * the row is computed here.
 */
#include "explain_prepare.h"

#include <string.h>

/* ---- Blocks ---- */

/* The tree with this number whose places begin at an offset. */
static BlockTree
block_tree(const Preparation *work, uint32_t number, uint32_t offset)
{
	uint64_t	start = work->starts[number];

	return (BlockTree)
	{
		.number = number,
		.n_nodes = (uint32_t) (work->starts[number + 1] - start),
		.nodes = work->nodes + start,
		.stats = work->stats + start,
		.places = work->places + offset,
		.offset = offset
	};
}

/* Which of the block's runs a split belongs to: of its level, or the twigs', and new or again. */
static inline uint32_t
split_kind(const ExplainBlock *block, const BlockTree *tree, uint32_t node)
{
	const Place *place = &tree->places[node];
	uint32_t	level = is_twig(tree, &tree->nodes[node]) ? block->n_levels : place->level;

	return 2 * level + (place->before.node != NO_NODE);
}

/* Counts splits, leaves and what else has an array of its own. */
static void
count_nodes(Preparation *work, ExplainBlock *block, const BlockTree *tree)
{
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		const TreeNode *node = &tree->nodes[i];

		if (is_leaf(node))
			continue;
		work->counts[split_kind(block, tree, i)]++;
		block->n_splits++;
		block->n_sets += (node->feature & NODE_CATEGORICAL) != 0;
		block->n_again += tree->places[i].before.node != NO_NODE;
		if (is_twig(tree, node))
			continue;
		block->n_inner++;
		block->n_leaves += is_leaf(&tree->nodes[node->left]) + is_leaf(&tree->nodes[node->left + 1]);
	}
	block->n_roots += !is_leaf(&tree->nodes[0]);
}

/* One run of splits, from counts to positions. */
static ExplainRun
place_run(uint32_t *counts, uint32_t *next)
{
	ExplainRun	run = {.begin = *next, .again = *next + counts[0], .end = *next + counts[0] + counts[1]};

	counts[0] = run.begin;
	counts[1] = run.again;
	*next = run.end;
	return run;
}

static bool
allocate_block(ExplainBlock *block, Arena *arena, Error *error)
{
	uint32_t	n_twigs = block->n_splits - block->n_inner;

	block->levels = arena_alloc(arena, block->n_levels, sizeof(ExplainRun), error);
	block->roots = arena_alloc(arena, block->n_roots, sizeof(uint32_t), error);
	block->thresholds = arena_zeroed(arena, block->n_splits, sizeof(double), error);
	block->features = arena_alloc(arena, block->n_splits, sizeof(uint32_t), error);
	block->columns = arena_alloc(arena, block->n_splits, sizeof(uint32_t), error);
	block->shares = arena_alloc(arena, block->n_splits, 2 * sizeof(double), error);
	block->children = arena_alloc(arena, block->n_inner, 2 * sizeof(uint32_t), error);
	block->leaves = arena_alloc(arena, n_twigs, 2 * sizeof(double), error);
	block->changes = arena_alloc(arena, n_twigs, 2 * sizeof(double), error);
	block->lone_leaves = arena_alloc(arena, block->n_leaves, sizeof(double), error);
	block->sets = arena_alloc(arena, block->n_sets, sizeof(ExplainSet), error);
	block->again = arena_alloc(arena, block->n_again, sizeof(ExplainAgain), error);
	return block->levels != NULL && block->roots != NULL && block->thresholds != NULL && block->features != NULL &&
		block->columns != NULL && block->shares != NULL && block->children != NULL && block->leaves != NULL &&
		block->changes != NULL && block->lone_leaves != NULL && block->sets != NULL && block->again != NULL;
}

/* Gives each split of a tree its slot, and those of its lone leaves. */
static void
place_nodes(Preparation *work, ExplainBlock *block, const BlockTree *tree, uint32_t *n_roots, uint32_t *n_leaves)
{
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		const TreeNode *node = &tree->nodes[i];

		if (is_leaf(node))
			continue;
		tree->places[i].slot = work->counts[split_kind(block, tree, i)]++;
		work->split_nodes[tree->places[i].slot] = tree->offset + i;
		for (uint32_t side = 0; side < 2 && !is_twig(tree, node); side++)
		{
			uint32_t	child = node->left + side;

			if (!is_leaf(&tree->nodes[child]))
				continue;
			tree->places[child].slot = block->n_splits + *n_leaves;
			block->lone_leaves[(*n_leaves)++] = explain_leaf_value(work, tree, child);
		}
	}
	if (!is_leaf(&tree->nodes[0]))
		block->roots[(*n_roots)++] = tree->places[0].slot;
}

/* The test, shares and children of one split. */
static bool
fill_split(Preparation *work, ExplainBlock *block, const BlockTree *tree, uint32_t i, uint32_t *n_sets, Error *error)
{
	const TreeNode *node = &tree->nodes[i];
	uint32_t	feature = node->feature & NODE_FEATURE_MASK;
	uint32_t	slot = tree->places[i].slot;
	double	   *shares = block->shares + 2 * (size_t) slot;

	block->features[slot] = feature | (node->feature & NODE_MISSING_LEFT ? EXPLAIN_MISSING_LEFT : 0);
	block->columns[slot] = work->explainer->columns[feature];
	explain_split_shares(tree, i, shares);
	if (node->feature & NODE_CATEGORICAL)
	{
		const uint32_t *set = work->sets + node->u.set;
		uint32_t   *words = arena_copy(&work->explainer->arena, set + 1, set[0] * sizeof(uint32_t), error);

		if (words == NULL)
			return false;
		block->sets[(*n_sets)++] = (ExplainSet) {slot, block->features[slot], set[0], words};
	}
	else
		block->thresholds[slot] = node->u.threshold;

	if (slot < block->n_inner)
	{
		block->children[2 * (size_t) slot] = tree->places[node->left].slot;
		block->children[2 * (size_t) slot + 1] = tree->places[node->left + 1].slot;
		return true;
	}

	double	   *leaves = block->leaves + 2 * (size_t) (slot - block->n_inner);
	double	   *changes = block->changes + 2 * (size_t) (slot - block->n_inner);

	leaves[0] = explain_leaf_value(work, tree, node->left);
	leaves[1] = explain_leaf_value(work, tree, node->left + 1);
	changes[0] = shares[1] * (leaves[0] - leaves[1]);
	changes[1] = shares[0] * (leaves[1] - leaves[0]);
	return true;
}

/* All that the splits of a tree have. */
static bool
fill_tree(Preparation *work, ExplainBlock *block, const BlockTree *tree, uint32_t *n_sets, Error *error)
{
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (!is_leaf(&tree->nodes[i]) && !fill_split(work, block, tree, i, n_sets, error))
			return false;
	}
	return true;
}

/* Fills block->again, in the order of the splits. */
static void
fill_again(const Preparation *work, ExplainBlock *block)
{
	uint32_t	n = 0;

	for (uint32_t slot = 0; slot < block->n_splits; slot++)
	{
		Place	   *place = &work->places[work->split_nodes[slot]];
		const Before *before = &place->before;

		place->again = 0;
		if (before->node == NO_NODE)
			continue;

		const Place *above = &work->places[before->node];

		block->again[n++] = (ExplainAgain) {slot, above->slot, above->again, before->side, before->share};
		place->again = n;
	}
}

/* Puts the splits of all levels in order: runs and slots. */
static void
order_splits(Preparation *work, ExplainBlock *block)
{
	uint32_t	next = 0;
	uint32_t	n_roots = 0;
	uint32_t	n_leaves = 0;

	for (uint32_t level = 0; level < block->n_levels; level++)
		block->levels[level] = place_run(work->counts + 2 * (size_t) level, &next);
	block->twigs = place_run(work->counts + 2 * (size_t) block->n_levels, &next);
	for (uint32_t t = 0; t < work->n_block_trees; t++)
		place_nodes(work, block, &work->block_trees[t], &n_roots, &n_leaves);
}

/* Makes a block of work->block_trees. */
static bool
make_block(Preparation *work, ExplainBlock *block, Error *error)
{
	uint32_t	n_sets = 0;

	for (uint32_t t = 0; t < work->n_block_trees; t++)
	{
		uint32_t	depth = explain_walk_tree(work, &work->block_trees[t]);

		explain_add_mean(work, &work->block_trees[t]);
		if (depth > block->n_levels)
			block->n_levels = depth;
	}
	memset(work->counts, 0, 2 * ((size_t) block->n_levels + 1) * sizeof(uint32_t));
	for (uint32_t t = 0; t < work->n_block_trees; t++)
		count_nodes(work, block, &work->block_trees[t]);
	if (!allocate_block(block, &work->explainer->arena, error))
		return false;
	order_splits(work, block);
	for (uint32_t t = 0; t < work->n_block_trees; t++)
	{
		if (!fill_tree(work, block, &work->block_trees[t], &n_sets, error))
			return false;
	}
	fill_again(work, block);

	if (block->n_levels > work->trees->depth)
		work->trees->depth = block->n_levels;
	return true;
}

/* Takes the next trees of the output, whole ones of BLOCK_NODES nodes together, or one; the tree behind them. */
static uint32_t
next_block(Preparation *work, uint32_t tree)
{
	uint32_t	n_trees = tree_payload(work->model)->n_trees;
	uint32_t	n_nodes = 0;

	work->n_block_trees = 0;
	for (; tree < n_trees; tree += work->n_groups)
	{
		BlockTree	next = block_tree(work, tree, n_nodes);

		if (n_nodes > 0 && next.n_nodes > BLOCK_NODES - n_nodes)
			break;
		work->block_trees[work->n_block_trees++] = next;
		n_nodes += next.n_nodes;
		if (n_nodes >= BLOCK_NODES)
			return tree + work->n_groups;
	}
	return tree;
}

/* ---- All of it ---- */

/* Room for the largest block there can be. */
static bool
begin_preparation(Preparation *work, Error *error)
{
	const TreePayload *head = tree_payload(work->model);
	uint64_t	n_nodes = BLOCK_NODES;

	for (uint32_t t = 0; t < head->n_trees; t++)
	{
		if (work->starts[t + 1] - work->starts[t] > n_nodes)
			n_nodes = work->starts[t + 1] - work->starts[t];
	}
	work->places = arena_alloc(&work->scratch, n_nodes, sizeof(Place), error);
	work->split_nodes = arena_alloc(&work->scratch, n_nodes, sizeof(uint32_t), error);
	work->before = arena_alloc(&work->scratch, work->model->n_features, sizeof(Before), error);
	work->steps = arena_alloc(&work->scratch, (size_t) head->max_depth + 1, sizeof(Step), error);
	work->counts = arena_alloc(&work->scratch, (size_t) head->max_depth + 1, 2 * sizeof(uint32_t), error);
	work->trees = arena_zeroed(&work->explainer->arena, 1, sizeof(ExplainTrees), error);
	if (work->places == NULL || work->split_nodes == NULL || work->before == NULL || work->steps == NULL || work->counts == NULL ||
		work->trees == NULL)
		return false;
	for (uint32_t j = 0; j < work->model->n_features; j++)
		work->before[j] = (Before) {.node = NO_NODE};
	work->trees->blocks = arena_zeroed(&work->explainer->arena, head->n_trees, sizeof(ExplainBlock), error);
	return work->trees->blocks != NULL;
}

static bool
prepare(Preparation *work, uint32_t first_tree, Error *error)
{
	if (!begin_preparation(work, error))
		return false;

	ExplainTrees *trees = work->trees;
	Arena	   *arena = &work->explainer->arena;

	for (uint32_t tree = first_tree; tree < tree_payload(work->model)->n_trees;)
	{
		if (explain_stopped(work->explainer->stop))
			return error_set(error, ERROR_CANCELLED, "cancelled");
		tree = next_block(work, tree);
		if (!make_block(work, &trees->blocks[trees->n_blocks++], error))
			return false;
	}
	work->explainer->trees = trees;
	return explain_prepare_points(trees, work->explainer->stop, arena, error) &&
		explain_prepare_row(trees, work->explainer->n_columns, arena, error) &&
		explain_prepare_pairs(trees, arena, error);
}

/* The trees of a class where each has its own, else all. */
bool
explain_prepare_trees(Explainer *explainer, const Model *model, uint32_t output, Error *error)
{
	const TreePayload *head = tree_payload(model);
	const uint8_t *payload = model->payload;
	Preparation work = {
		.model = model,
		.class = output,
		.n_groups = head->n_groups,
		.starts = (const uint64_t *) (payload + head->starts_offset),
		.nodes = (const TreeNode *) (payload + head->nodes_offset),
		.stats = (const TreeNodeStat *) (payload + head->stats_offset),
		.sets = (const uint32_t *) (payload + head->sets_offset),
		.explainer = explainer
	};

	arena_init(&work.scratch);

	bool		done = prepare(&work, head->n_groups > 1 ? output : 0, error);

	arena_free(&work.scratch);
	return done;
}
