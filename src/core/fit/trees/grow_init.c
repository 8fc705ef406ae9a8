/*
 * grow_init.c
 *		What growing trees takes: allocated once for all trees of a fit, and as
 *		announced before it starts.  All memory is the arena's.
 */
#include "grow_internal.h"

#include <string.h>

#define MAX_BATCH		2048	/* nodes that go through a step together */
#define BATCH_FEATURES	(4 * 1024 * 1024)	/* nodes x features of these */
#define POOL_BYTES		(64 * 1024 * 1024)	/* aim for all histograms of waiting nodes */
#define MIN_SLOTS		4

/* Histograms that can be in use at the same time. */
static uint64_t
most_slots(const GrowRules *rules)
{
	uint64_t	most = rules->max_leaves > 0 ? (uint64_t) rules->max_leaves + 1 : MAX_BATCH;

	if (rules->max_depth < 8 && most > UINT64_C(1) << rules->max_depth)
		most = UINT64_C(1) << rules->max_depth;
	return most < MIN_SLOTS ? MIN_SLOTS : most;
}

/* Slots for histograms of so many cells: no more than can be in use. */
static int
slots_for(const GrowRules *rules, uint64_t n_cells)
{
	uint64_t	slots = POOL_BYTES / (n_cells * sizeof(HistogramCell) + 1);
	uint64_t	most = most_slots(rules);

	if (slots > most)
		slots = most;
	return slots < MIN_SLOTS ? MIN_SLOTS : (int) slots;
}

/* Bytes of the slots for histograms of at most so many cells; fewer cells may have more slots. */
static uint64_t
slots_memory(const GrowRules *rules, uint64_t n_cells)
{
	uint64_t	bytes = n_cells * sizeof(HistogramCell);
	uint64_t	all = most_slots(rules) * bytes;
	uint64_t	least = MIN_SLOTS * bytes;

	if (all > POOL_BYTES)
		all = POOL_BYTES;
	return all > least ? all : least;
}

/* Nodes of a batch: fewer where each may have a sample of many features. */
static uint32_t
batch_for(uint32_t n_features)
{
	uint32_t	n = BATCH_FEATURES / (n_features + 1) + 1;

	return n < MAX_BATCH ? n : MAX_BATCH;
}

/* What counting rows takes, where rules ask for it. */
static bool
init_counts(Grower *grower, Error *error)
{
	const BinnedMatrix *bins = grower->bins;
	size_t		n_threads = (size_t) pool_threads(grower->pool);

	if (!grower->rules.counts_rows)
		return true;
	grower->counts = arena_alloc(grower->arena, (size_t) grower->n_slots * bins->n_cells, sizeof(HistogramCell), error);
	grower->ones = arena_alloc(grower->arena, bins->n_train, sizeof(int32_t), error);
	grower->touched_counts = arena_alloc(grower->arena, n_threads, sizeof(TouchedCells), error);
	if (grower->counts == NULL || grower->ones == NULL || grower->touched_counts == NULL)
		return false;
	for (size_t i = 0; i < bins->n_train; i++)
		grower->ones[i] = 1;
	for (size_t t = 0; t < n_threads; t++)
	{
		if (!touched_init(&grower->touched_counts[t], bins->most_bins, grower->arena, error))
			return false;
	}
	return true;
}

/* What each thread has for itself. */
static bool
init_threads(Grower *grower, Error *error)
{
	size_t		n_threads = (size_t) pool_threads(grower->pool);
	size_t		n_ordered = 2 * (size_t) grower->bins->most_bins;

	grower->touched = arena_alloc(grower->arena, n_threads, sizeof(TouchedCells), error);
	grower->ordered = arena_alloc(grower->arena, n_threads, n_ordered * sizeof(SortItem), error);
	if (grower->touched == NULL || grower->ordered == NULL)
		return false;
	for (size_t t = 0; t < n_threads; t++)
	{
		if (!touched_init(&grower->touched[t], grower->bins->most_bins, grower->arena, error))
			return false;
	}
	return histogram_scratch_init(&grower->scratch, grower->bins, (int) n_threads, grower->arena, error);
}

/* Everything that does not depend on a tree. */
bool
grower_init(Grower *grower, const BinnedMatrix *bins, const GrowRules *rules, ThreadPool *pool, Arena *arena, Error *error)
{
	memset(grower, 0, sizeof(*grower));
	grower->bins = bins;
	grower->rules = *rules;
	grower->pool = pool;
	grower->arena = arena;
	grower->n_slots = slots_for(rules, bins->n_cells);
	grower->max_batch = rules->max_leaves > 0 ? 1 : batch_for(bins->n_features);
	grower->batch = arena_alloc(arena, grower->max_batch, sizeof(uint32_t), error);
	grower->divisions = arena_alloc(arena, grower->max_batch, sizeof(PartitionNode), error);
	grower->builds = arena_alloc(arena, grower->max_batch, 2 * sizeof(Build), error);
	grower->partial = arena_alloc(arena, place_chunks(bins->n_narrow) + bins->n_wide, 2 * sizeof(Split), error);
	grower->cells = arena_alloc(arena, (size_t) grower->n_slots * bins->n_cells, sizeof(HistogramCell), error);
	grower->free_slots = arena_alloc(arena, (size_t) grower->n_slots, sizeof(int), error);
	return grower->batch != NULL && grower->divisions != NULL && grower->builds != NULL && grower->partial != NULL && grower->cells != NULL &&
		grower->free_slots != NULL && init_counts(grower, error) && init_threads(grower, error) &&
		partition_init(&grower->partition, bins, bins->n_train, grower->max_batch, arena, error);
}

/* Bytes of that. */
uint64_t
grower_memory(const GrowRules *rules, const FittedRecipe *recipe, uint64_t n_rows, uint32_t max_bin, int n_threads)
{
	uint64_t	n_cells = 0;
	uint32_t	most_bins = 0;
	uint32_t	n_sums = rules->counts_rows ? 2 : 1;	/* of derivatives, and of rows */

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		const RecipeColumn *column = &recipe->columns[c].recipe;
		uint32_t	n_bins = bins_at_most(column, max_bin);

		n_cells += (uint64_t) column->n_features * n_bins;
		most_bins = n_bins > most_bins ? n_bins : most_bins;
	}
	return slots_memory(rules, n_cells) * n_sums +
		(uint64_t) n_threads * (n_sums * touched_memory(most_bins) + 2 * most_bins * sizeof(SortItem)) +
		(rules->counts_rows ? n_rows * sizeof(int32_t) : 0) +
		histogram_scratch_memory(recipe->n_features, n_threads) + partition_memory(n_rows, MAX_BATCH);
}
