/*
 * grow_build.c
 *		Histograms of nodes, and their best splits.
 *
 * A node with many rows is shared by all threads: chunks of its rows are
 * added up first, then chunks of its features are collected, subtracted from
 * the parent's, and searched.  Of smaller nodes each is one thread's.
 */
#include "grow_internal.h"

#define CHUNK_ROWS		16384	/* of a task that adds rows */
#define SHARED_WORK		(128 * 1024)	/* rows x features from which threads share a node */

/* What the tasks are given. */
typedef struct BuildWork
{
	Grower	   *grower;
	const Build *builds;		/* of a task each, or the one that is shared */
	size_t		n_row_chunks;
	bool		counting;		/* rows, in a pass of its own before that of derivatives */
} BuildWork;

/* Whether the tree may split on a feature. */
static inline bool
feature_used(const Grower *grower, uint32_t feature)
{
	return grower->feature_used == NULL || grower->feature_used[feature];
}

/* Groups without a used feature need no histograms. */
static bool
group_used(const Grower *grower, uint32_t group)
{
	const BinGroup *g = &grower->bins->groups[group];

	for (uint32_t f = g->first_feature; f < g->first_feature + g->n_features; f++)
	{
		if (feature_used(grower, f))
			return true;
	}
	return false;
}

/* The cells of a node that has a histogram: of derivatives, or of rows. */
static HistogramCell *
node_cells(const Grower *grower, uint32_t node, bool counting)
{
	return (counting ? grower->counts : grower->cells) + (size_t) grower->nodes[node].histogram * grower->bins->n_cells;
}

/* Adds rows begin .. end - 1 of a node for a group. */
static void
add_rows(const BuildWork *work, const GrownNode *node, int thread, uint32_t group, size_t begin, size_t end)
{
	Grower	   *grower = work->grower;
	RowList		list = *node_list(grower, node);

	if (work->counting)
		list.first = grower->ones;
	histogram_add(&grower->scratch, thread, group, !work->counting && grower->scale.wide, &list, begin, end);
}

/* The best split of one node by one feature. */
static void
search_feature(const Grower *grower, uint32_t number, uint32_t feature, const HistogramCell *cells, Split *best)
{
	const GrownNode *node = &grower->nodes[number];
	const BinFeature *bin_feature = &grower->bins->features[feature];

	if (!grower->rules.split.bounded && !grower->rules.counts_rows)
	{
		split_search(&grower->rules.split, &grower->scale, bin_feature, feature, cells, node->sums, best);
		return;
	}

	SplitRules	rules = node_rules(grower, node);

	rules.n_rows = (int64_t) (node->end - node->begin);
	rules.counts = grower->rules.counts_rows ? node_cells(grower, number, true) + bin_feature->first_cell : NULL;
	rules.direction = grower->rules.directions != NULL ? grower->rules.directions[feature] : 0;
	split_search(&rules, &grower->scale, bin_feature, feature, cells, node->sums, best);
}

/* Collects features first .. end - 1 (of one group) from the threads, subtracts, and searches unless this is the pass that counts. */
static void
finish_features(const BuildWork *work, const Build *build, int first_thread, int end_thread, uint32_t first, uint32_t end,
				Split *best, Split *best_of_sibling)
{
	Grower	   *grower = work->grower;
	HistogramCell *cells = node_cells(grower, build->node, work->counting);
	HistogramCell *sibling_cells = build->sibling != 0 ? node_cells(grower, build->sibling, work->counting) : NULL;

	if (!group_used(grower, first / GROUP_FEATURES))
		return;
	for (uint32_t f = first; f < end; f++)
	{
		const BinFeature *feature = &grower->bins->features[f];
		HistogramCell *own = cells + feature->first_cell;
		HistogramCell *others = sibling_cells != NULL ? sibling_cells + feature->first_cell : NULL;

		histogram_collect(&grower->scratch, first_thread, end_thread, f, own);
		if (others != NULL)
		{
			for (uint32_t b = 0; b < feature->n_bins; b++)
			{
				others[b].g -= own[b].g;
				others[b].h -= own[b].h;
			}
		}
		if (work->counting || !feature_used(grower, f))
			continue;
		if (build->search_node && (build->node_used == NULL || build->node_used[f]))
			search_feature(grower, build->node, f, own, best);
		if (build->search_sibling && (build->sibling_used == NULL || build->sibling_used[f]))
			search_feature(grower, build->sibling, f, others, best_of_sibling);
	}
}

/* Marks the threads' histograms as empty. */
static void
finish_groups(Grower *grower, int first_thread, int end_thread)
{
	for (uint32_t g = 0; g < grower->bins->n_groups; g++)
	{
		if (group_used(grower, g))
			histogram_collected(&grower->scratch, first_thread, end_thread, g);
	}
}

/* One pass of one build, by one thread. */
static void
pass_alone(const BuildWork *work, size_t task, int thread)
{
	Grower	   *grower = work->grower;
	const BinnedMatrix *bins = grower->bins;
	const Build *build = &work->builds[task];
	GrownNode  *node = &grower->nodes[build->node];
	Split	   *best_of_sibling = build->sibling != 0 ? &grower->nodes[build->sibling].split : NULL;

	for (uint32_t g = 0; g < bins->n_groups; g++)
	{
		const BinGroup *group = &bins->groups[g];

		if (!group_used(grower, g))
			continue;
		add_rows(work, node, thread, g, node->begin, node->end);
		finish_features(work, build, thread, thread + 1, group->first_feature, group->first_feature + group->n_features,
						&node->split, best_of_sibling);
	}
	finish_groups(grower, thread, thread + 1);
}

/* Task: all of one build, by one thread. */
static void
build_alone(void *argument, size_t task, int thread)
{
	BuildWork	work = *(const BuildWork *) argument;

	work.counting = work.grower->rules.counts_rows;
	if (work.counting)
		pass_alone(&work, task, thread);
	work.counting = false;
	pass_alone(&work, task, thread);
}

/* Task: a chunk of rows in one group of the shared build. */
static void
add_shared(void *argument, size_t task, int thread)
{
	const BuildWork *work = argument;
	Grower	   *grower = work->grower;
	const GrownNode *node = &grower->nodes[work->builds->node];
	uint32_t	group = (uint32_t) (task / work->n_row_chunks);
	size_t		begin = node->begin + task % work->n_row_chunks * CHUNK_ROWS;
	size_t		end = node->end - begin < CHUNK_ROWS ? node->end : begin + CHUNK_ROWS;

	if (group_used(grower, group))
		add_rows(work, node, thread, group, begin, end);
}

/* Task: a chunk of features of the shared build. */
static void
finish_shared(void *argument, size_t task)
{
	const BuildWork *work = argument;
	Grower	   *grower = work->grower;
	uint32_t	first = (uint32_t) task * CHUNK_FEATURES;
	uint32_t	end = grower->bins->n_features - first < CHUNK_FEATURES ? grower->bins->n_features : first + CHUNK_FEATURES;
	Split	   *best = &grower->partial[2 * task];

	best[0].gain = best[1].gain = 0;
	finish_features(work, work->builds, 0, grower->scratch.n_threads, first, end, &best[0], &best[1]);
}

/* One build by all threads. */
static void
build_shared(Grower *grower, const Build *build)
{
	GrownNode  *node = &grower->nodes[build->node];
	uint32_t	n_chunks = feature_chunks(grower->bins->n_features);
	BuildWork	work = {
		.grower = grower,
		.builds = build,
		.n_row_chunks = (node->end - node->begin + CHUNK_ROWS - 1) / CHUNK_ROWS
	};

	for (int pass = grower->rules.counts_rows ? 0 : 1; pass < 2; pass++)
	{
		work.counting = pass == 0;
		pool_for_thread(grower->pool, grower->bins->n_groups * work.n_row_chunks, add_shared, &work);
		pool_for(grower->pool, n_chunks, finish_shared, &work);
		finish_groups(grower, 0, grower->scratch.n_threads);
	}
	for (uint32_t c = 0; c < n_chunks; c++)
	{
		const Split *best = &grower->partial[2 * c];

		if (best[0].gain > node->split.gain)
			node->split = best[0];
		if (build->sibling != 0 && best[1].gain > grower->nodes[build->sibling].split.gain)
			grower->nodes[build->sibling].split = best[1];
	}
}

/* Draws the features of one node into place k of those that there is room for. */
static const bool *
draw_node(Grower *grower, uint32_t node, size_t k)
{
	bool	   *used = grower->used + k * grower->bins->n_features;

	column_sample_node(grower->columns, grower->nodes[node].depth, grower->nodes[node].key, used);
	return used;
}

/* Draws the features of all nodes that are to be searched. */
static void
draw_nodes(Grower *grower, Build *builds, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (builds[i].search_node)
			builds[i].node_used = draw_node(grower, builds[i].node, 2 * i);
		if (builds[i].search_sibling)
			builds[i].sibling_used = draw_node(grower, builds[i].sibling, 2 * i + 1);
	}
}

/* Large nodes one by one with all threads, the others side by side. */
void
grow_build(Grower *grower, Build *builds, size_t n)
{
	size_t		n_alone = 0;

	if (grower->columns != NULL)
		draw_nodes(grower, builds, n);

	for (size_t i = 0; i < n; i++)
	{
		const GrownNode *node = &grower->nodes[builds[i].node];

		if (grower->scratch.n_threads > 1 && (node->end - node->begin) * grower->bins->n_features >= SHARED_WORK)
			build_shared(grower, &builds[i]);
		else
			builds[n_alone++] = builds[i];
	}

	BuildWork	work = {.grower = grower,.builds = builds};

	pool_for_thread(grower->pool, n_alone, build_alone, &work);
}
