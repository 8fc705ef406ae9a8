/*
 * grow_build.c
 *		Histograms of nodes, and their best splits.
 *
 * A node with many rows is shared by all threads: chunks of its rows are
 * added up first, beside its wide features, then chunks of its features are
 * collected, subtracted from the parent's, and searched.  Of smaller nodes
 * each is one thread's; of the smallest only the touched cells are looked at.
 * Where rules ask for the rows of each bin, these are added up in the same
 * way in a pass of their own before that of derivatives.
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
	bool		counting;		/* this pass is of rows */
} BuildWork;

/* Best splits of a build's two nodes. */
typedef struct SplitPair
{
	Split		of_node;
	Split		of_sibling;
} SplitPair;

/* Whether the tree may split on a feature. */
static inline bool
feature_used(const Grower *grower, uint32_t feature)
{
	return grower->feature_used == NULL || grower->feature_used[feature];
}

/* Groups without a used feature need no histograms. */
static inline bool
group_used(const Grower *grower, uint32_t group)
{
	return grower->scratch.n_places[group] > 0;
}

/* The histogram of a node that has one: of derivatives, or of rows. */
static HistogramCell *
node_cells(const Grower *grower, uint32_t node, bool counting)
{
	return (counting ? grower->counts : grower->cells) + (size_t) grower->nodes[node].histogram * grower->bins->n_cells;
}

/* All cells of a feature in a node that has a histogram. */
static CellList
all_cells(const Grower *grower, uint32_t node, const BinFeature *feature)
{
	return (CellList)
	{
		.cells = node_cells(grower, node, false) + feature->first_cell,
		.counts = grower->rules.counts_rows ? node_cells(grower, node, true) + feature->first_cell : NULL,
		.n = feature->n_bins
	};
}

/* Looks for splits of a feature, where they are wanted; own: the node's cells. */
static void
search_feature(const Grower *grower, const Build *build, int thread, uint32_t f, const CellList *own, SplitPair *best)
{
	const BinFeature *feature = &grower->bins->features[f];

	if (build->search_node && (build->node_used == NULL || build->node_used[f]))
	{
		SplitSearch search = node_search(grower, build->node, f, thread);

		split_search(&search, feature, f, own, &best->of_node);
	}
	if (build->search_sibling && (build->sibling_used == NULL || build->sibling_used[f]))
	{
		SplitSearch search = node_search(grower, build->sibling, f, thread);
		CellList	all = all_cells(grower, build->sibling, feature);

		split_search(&search, feature, f, &all, &best->of_sibling);
	}
}

/* Subtracts a node's cells of a feature from what its sibling has of their parent's; both are searched, unless this pass is of rows. */
static void
finish_feature(const BuildWork *work, const Build *build, int thread, uint32_t f, SplitPair *best)
{
	Grower	   *grower = work->grower;
	const BinFeature *feature = &grower->bins->features[f];

	if (build->sibling != 0)
	{
		const HistogramCell *own = node_cells(grower, build->node, work->counting) + feature->first_cell;
		HistogramCell *others = node_cells(grower, build->sibling, work->counting) + feature->first_cell;

		for (uint32_t b = 0; b < feature->n_bins; b++)
		{
			others[b].g -= own[b].g;
			others[b].h -= own[b].h;
		}
	}
	if (!work->counting && feature_used(grower, f))
	{
		CellList	all = all_cells(grower, build->node, feature);

		search_feature(grower, build, thread, f, &all, best);
	}
}

/* Collects places first .. end - 1 (of one group) from threads, and finishes these features. */
static void
finish_places(const BuildWork *work, const Build *build, int first_thread, int end_thread, int thread, uint32_t first, uint32_t end,
			  SplitPair *best)
{
	Grower	   *grower = work->grower;

	if (!group_used(grower, first / GROUP_FEATURES))
		return;
	for (uint32_t place = first; place < end; place++)
	{
		uint32_t	f = grower->bins->narrow[place];
		const BinFeature *feature = &grower->bins->features[f];

		histogram_collect(&grower->scratch, first_thread, end_thread, feature,
						  node_cells(grower, build->node, work->counting) + feature->first_cell);
		finish_feature(work, build, thread, f, best);
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

/* Adds rows begin .. end - 1 of a node for a group. */
static void
add_rows(const BuildWork *work, const GrownNode *node, int thread, uint32_t group, size_t begin, size_t end)
{
	Grower	   *grower = work->grower;
	RowList		list = work->counting ? counted_list(grower, node) : *node_list(grower, node);

	histogram_add(&grower->scratch, thread, group, work->counting ? &gradient_counts : &grower->scale, &list, begin, end);
}

/* Adds the rows of a wide feature. */
static void
add_wide(const BuildWork *work, const Build *build, uint32_t f)
{
	const Grower *grower = work->grower;
	const BinFeature *feature = &grower->bins->features[f];
	const GrownNode *node = &grower->nodes[build->node];
	RowList		list = work->counting ? counted_list(grower, node) : *node_list(grower, node);

	histogram_wide_feature(grower->bins, feature, work->counting ? &gradient_counts : &grower->scale, &list, node->begin, node->end,
						   node_cells(grower, build->node, work->counting) + feature->first_cell);
}

/* Keeps the better splits. */
static void
keep_splits(Grower *grower, const Build *build, const SplitPair *best)
{
	split_keep(&grower->nodes[build->node].split, &best->of_node);
	if (build->sibling != 0)
		split_keep(&grower->nodes[build->sibling].split, &best->of_sibling);
}

/* One pass of one build by one thread: a histogram. */
static void
build_histogram(const BuildWork *work, const Build *build, int thread)
{
	Grower	   *grower = work->grower;
	const BinnedMatrix *bins = grower->bins;
	const GrownNode *node = &grower->nodes[build->node];
	SplitPair	best = {0};

	for (uint32_t g = 0; g < bins->n_groups; g++)
	{
		const BinGroup *group = &bins->groups[g];

		if (!group_used(grower, g))
			continue;
		add_rows(work, node, thread, g, node->begin, node->end);
		finish_places(work, build, thread, thread + 1, thread, group->first_place, group->first_place + group->n_features, &best);
	}
	finish_groups(grower, thread, thread + 1);
	keep_splits(grower, build, &best);
	for (uint32_t place = 0; place < bins->n_wide; place++)
	{
		best = (SplitPair) {0};
		if (!feature_used(grower, bins->wide[place]))
			continue;
		add_wide(work, build, bins->wide[place]);
		finish_feature(work, build, thread, bins->wide[place], &best);
		keep_splits(grower, build, &best);
	}
}

/* Subtracts listed cells from all. */
static void
subtract_listed(HistogramCell *all, const uint16_t *bins, const HistogramCell *cells, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		all[bins[i]].g -= cells[i].g;
		all[bins[i]].h -= cells[i].h;
	}
}

/* All of one build by one thread: touched cells, which are subtracted from the sibling's at once. */
static void
build_touched(Grower *grower, const Build *build, int thread)
{
	const BinnedMatrix *bins = grower->bins;
	const GrownNode *node = &grower->nodes[build->node];
	SplitPair	best = {0};

	for (uint32_t f = 0; f < bins->n_features; f++)
	{
		if (!feature_used(grower, f) || bins->features[f].constant)
			continue;

		/* without a sibling, features that the node may not be split on are of no use */
		if (build->sibling == 0 && build->node_used != NULL && !build->node_used[f])
			continue;

		CellList	list = node_touched(grower, node, f, thread);

		if (build->sibling != 0)
		{
			size_t		first_cell = bins->features[f].first_cell;

			subtract_listed(node_cells(grower, build->sibling, false) + first_cell, list.bins, list.cells, list.n);
			if (list.counts != NULL)
				subtract_listed(node_cells(grower, build->sibling, true) + first_cell, list.bins, list.counts, list.n);
		}
		search_feature(grower, build, thread, f, &list, &best);
	}
	keep_splits(grower, build, &best);
}

/* Task: all of one build, by one thread. */
static void
build_alone(void *argument, size_t task, int thread)
{
	BuildWork	work = *(const BuildWork *) argument;
	const Build *build = &work.builds[task];

	if (work.grower->nodes[build->node].histogram < 0)
	{
		build_touched(work.grower, build, thread);
		return;
	}
	work.counting = work.grower->rules.counts_rows;
	if (work.counting)
		build_histogram(&work, build, thread);
	work.counting = false;
	build_histogram(&work, build, thread);
}

/* Task: a wide feature of the shared build, or a chunk of rows in one group. */
static void
add_shared(void *argument, size_t task, int thread)
{
	const BuildWork *work = argument;
	Grower	   *grower = work->grower;
	const BinnedMatrix *bins = grower->bins;

	if (task < bins->n_wide)
	{
		if (feature_used(grower, bins->wide[task]))
			add_wide(work, work->builds, bins->wide[task]);
		return;
	}
	task -= bins->n_wide;

	const GrownNode *node = &grower->nodes[work->builds->node];
	uint32_t	group = (uint32_t) (task / work->n_row_chunks);
	size_t		begin = node->begin + task % work->n_row_chunks * CHUNK_ROWS;
	size_t		end = node->end - begin < CHUNK_ROWS ? node->end : begin + CHUNK_ROWS;

	if (group_used(grower, group))
		add_rows(work, node, thread, group, begin, end);
}

/* Task: a wide feature of the shared build, or a chunk of the others. */
static void
finish_shared(void *argument, size_t task, int thread)
{
	const BuildWork *work = argument;
	Grower	   *grower = work->grower;
	const BinnedMatrix *bins = grower->bins;
	SplitPair	best = {0};

	if (task < bins->n_wide)
	{
		if (feature_used(grower, bins->wide[task]))
			finish_feature(work, work->builds, thread, bins->wide[task], &best);
	}
	else
	{
		uint32_t	first = (uint32_t) (task - bins->n_wide) * CHUNK_FEATURES;
		uint32_t	end = bins->n_narrow - first < CHUNK_FEATURES ? bins->n_narrow : first + CHUNK_FEATURES;

		finish_places(work, work->builds, 0, grower->scratch.n_threads, thread, first, end, &best);
	}
	grower->partial[2 * task] = best.of_node;
	grower->partial[2 * task + 1] = best.of_sibling;
}

/* One build by all threads. */
static void
build_shared(Grower *grower, const Build *build)
{
	const BinnedMatrix *bins = grower->bins;
	GrownNode  *node = &grower->nodes[build->node];
	size_t		n_tasks = bins->n_wide + place_chunks(bins->n_narrow);
	BuildWork	work = {
		.grower = grower,
		.builds = build,
		.n_row_chunks = (node->end - node->begin + CHUNK_ROWS - 1) / CHUNK_ROWS
	};

	for (int pass = grower->rules.counts_rows ? 0 : 1; pass < 2; pass++)
	{
		work.counting = pass == 0;
		pool_for_thread(grower->pool, bins->n_wide + bins->n_groups * work.n_row_chunks, add_shared, &work);
		pool_for_thread(grower->pool, n_tasks, finish_shared, &work);
		finish_groups(grower, 0, grower->scratch.n_threads);
	}
	for (size_t t = 0; t < n_tasks; t++)
	{
		split_keep(&node->split, &grower->partial[2 * t]);
		if (build->sibling != 0)
			split_keep(&grower->nodes[build->sibling].split, &grower->partial[2 * t + 1]);
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

		if (grower->scratch.n_threads > 1 && node->histogram >= 0 &&
			(node->end - node->begin) * grower->bins->n_features >= SHARED_WORK)
			build_shared(grower, &builds[i]);
		else
			builds[n_alone++] = builds[i];
	}

	BuildWork	work = {.grower = grower,.builds = builds};

	pool_for_thread(grower->pool, n_alone, build_alone, &work);
}
