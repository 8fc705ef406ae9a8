/*
 * grow_build.c
 *		Histograms of nodes, and their best splits.
 *
 * A node with many rows is shared by all threads: chunks of its rows are
 * added up first, beside its wide features, then chunks of its features are
 * collected, subtracted from the parent's, and searched.  Of smaller nodes
 * each is one thread's; of the smallest only the touched cells are looked at.
 */
#include "grow_internal.h"

#include <string.h>

#define CHUNK_ROWS		16384	/* of a task that adds rows */
#define SHARED_WORK		(128 * 1024)	/* rows x features from which threads share a node */

/* What the tasks are given. */
typedef struct BuildWork
{
	Grower	   *grower;
	const Build *builds;		/* of a task each, or the one that is shared */
	size_t		n_row_chunks;
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

/* The histogram of a node that has one. */
static HistogramCell *
node_cells(const Grower *grower, uint32_t node)
{
	return grower->cells + (size_t) grower->nodes[node].histogram * grower->bins->n_cells;
}

/* A search of a node by one thread. */
static SplitSearch
node_search(const Grower *grower, uint32_t node, int thread)
{
	return (SplitSearch)
	{
		.rules = &grower->rules.split,
		.scale = &grower->scale,
		.ordered = grower->ordered + (size_t) thread * 2 * grower->bins->most_bins,
		.node = grower->nodes[node].sums,
		.n_rows = grower->nodes[node].end - grower->nodes[node].begin
	};
}

/* Looks for splits of a feature, where they are wanted; others: the sibling's cells. */
static void
search_feature(const Grower *grower, const Build *build, int thread, uint32_t f, const CellList *own, const HistogramCell *others,
			   SplitPair *best)
{
	const BinFeature *feature = &grower->bins->features[f];

	if (build->search_node)
	{
		SplitSearch search = node_search(grower, build->node, thread);

		split_search(&search, feature, f, own, &best->of_node);
	}
	if (build->search_sibling)
	{
		SplitSearch search = node_search(grower, build->sibling, thread);
		CellList	all = {.cells = others,.n = feature->n_bins};

		split_search(&search, feature, f, &all, &best->of_sibling);
	}
}

/* Subtracts a node's cells of a feature from what its sibling has of their parent's; then both are searched. */
static void
finish_feature(Grower *grower, const Build *build, int thread, uint32_t f, SplitPair *best)
{
	const BinFeature *feature = &grower->bins->features[f];
	const HistogramCell *own = node_cells(grower, build->node) + feature->first_cell;
	HistogramCell *others = build->sibling != 0 ? node_cells(grower, build->sibling) + feature->first_cell : NULL;
	CellList	all = {.cells = own,.n = feature->n_bins};

	for (uint32_t b = 0; b < feature->n_bins && others != NULL; b++)
	{
		others[b].g -= own[b].g;
		others[b].h -= own[b].h;
	}
	if (feature_used(grower, f))
		search_feature(grower, build, thread, f, &all, others, best);
}

/* Collects places first .. end - 1 (of one group) from threads, and finishes these features. */
static void
finish_places(Grower *grower, const Build *build, int first_thread, int end_thread, int thread, uint32_t first, uint32_t end,
			  SplitPair *best)
{
	if (!group_used(grower, first / GROUP_FEATURES))
		return;
	for (uint32_t place = first; place < end; place++)
	{
		uint32_t	f = grower->bins->narrow[place];
		const BinFeature *feature = &grower->bins->features[f];

		histogram_collect(&grower->scratch, first_thread, end_thread, feature, node_cells(grower, build->node) + feature->first_cell);
		finish_feature(grower, build, thread, f, best);
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

/* Adds the rows of a wide feature. */
static void
add_wide(const Grower *grower, const Build *build, uint32_t f)
{
	const BinFeature *feature = &grower->bins->features[f];
	const GrownNode *node = &grower->nodes[build->node];

	histogram_wide_feature(grower->bins, feature, grower->scale.wide, node_list(grower, node), node->begin, node->end,
						   node_cells(grower, build->node) + feature->first_cell);
}

/* Keeps the better splits. */
static void
keep_splits(Grower *grower, const Build *build, const SplitPair *best)
{
	split_keep(&grower->nodes[build->node].split, &best->of_node);
	if (build->sibling != 0)
		split_keep(&grower->nodes[build->sibling].split, &best->of_sibling);
}

/* All of one build by one thread: a histogram. */
static void
build_histogram(Grower *grower, const Build *build, int thread)
{
	const BinnedMatrix *bins = grower->bins;
	const GrownNode *node = &grower->nodes[build->node];
	SplitPair	best = {0};

	for (uint32_t g = 0; g < bins->n_groups; g++)
	{
		const BinGroup *group = &bins->groups[g];

		if (!group_used(grower, g))
			continue;
		histogram_add(&grower->scratch, thread, g, grower->scale.wide, node_list(grower, node), node->begin, node->end);
		finish_places(grower, build, thread, thread + 1, thread, group->first_place, group->first_place + group->n_features, &best);
	}
	finish_groups(grower, thread, thread + 1);
	keep_splits(grower, build, &best);
	for (uint32_t place = 0; place < bins->n_wide; place++)
	{
		best = (SplitPair) {0};
		if (!feature_used(grower, bins->wide[place]))
			continue;
		add_wide(grower, build, bins->wide[place]);
		finish_feature(grower, build, thread, bins->wide[place], &best);
		keep_splits(grower, build, &best);
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

		CellList	list = touched_list(&grower->touched[thread], bins, f, grower->scale.wide, node_list(grower, node), node->begin, node->end);
		HistogramCell *others = build->sibling != 0 ? node_cells(grower, build->sibling) + bins->features[f].first_cell : NULL;

		for (uint32_t i = 0; i < list.n && others != NULL; i++)
		{
			others[list.bins[i]].g -= list.cells[i].g;
			others[list.bins[i]].h -= list.cells[i].h;
		}
		search_feature(grower, build, thread, f, &list, others, &best);
	}
	keep_splits(grower, build, &best);
}

/* Task: all of one build, by one thread. */
static void
build_alone(void *argument, size_t task, int thread)
{
	const BuildWork *work = argument;
	const Build *build = &work->builds[task];

	if (work->grower->nodes[build->node].histogram >= 0)
		build_histogram(work->grower, build, thread);
	else
		build_touched(work->grower, build, thread);
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
			add_wide(grower, work->builds, bins->wide[task]);
		return;
	}
	task -= bins->n_wide;

	const GrownNode *node = &grower->nodes[work->builds->node];
	uint32_t	group = (uint32_t) (task / work->n_row_chunks);
	size_t		begin = node->begin + task % work->n_row_chunks * CHUNK_ROWS;
	size_t		end = node->end - begin < CHUNK_ROWS ? node->end : begin + CHUNK_ROWS;

	if (group_used(grower, group))
		histogram_add(&grower->scratch, thread, group, grower->scale.wide, node_list(grower, node), begin, end);
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
			finish_feature(grower, work->builds, thread, bins->wide[task], &best);
	}
	else
	{
		uint32_t	first = (uint32_t) (task - bins->n_wide) * CHUNK_FEATURES;
		uint32_t	end = bins->n_narrow - first < CHUNK_FEATURES ? bins->n_narrow : first + CHUNK_FEATURES;

		finish_places(grower, work->builds, 0, grower->scratch.n_threads, thread, first, end, &best);
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

	pool_for_thread(grower->pool, bins->n_wide + bins->n_groups * work.n_row_chunks, add_shared, &work);
	pool_for_thread(grower->pool, n_tasks, finish_shared, &work);
	finish_groups(grower, 0, grower->scratch.n_threads);
	for (size_t t = 0; t < n_tasks; t++)
	{
		split_keep(&node->split, &grower->partial[2 * t]);
		if (build->sibling != 0)
			split_keep(&grower->nodes[build->sibling].split, &grower->partial[2 * t + 1]);
	}
}

/* Large nodes one by one with all threads, the others side by side. */
void
grow_build(Grower *grower, Build *builds, size_t n)
{
	size_t		n_alone = 0;

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

/* ---- Sets of wide categories ---- */

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

	SplitSearch search = node_search(grower, work->nodes[task], thread);
	CellList	list = touched_list(&grower->touched[thread], grower->bins, node->split.feature, grower->scale.wide,
									node_list(grower, node), node->begin, node->end);

	split_set(&search, &grower->bins->features[node->split.feature], &list, grower->sets + node->set);
}

/* Candidates for the best split have no sets: they are made of the few that are split. */
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
