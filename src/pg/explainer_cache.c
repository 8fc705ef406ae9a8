/*
 * explainer_cache.c
 *		Explainers of this backend, found by the hash of their model's bytes.
 *
 * An explainer is made of a model once and serves all statements after; it is
 * larger than the model, and none but this backend's.  Those that nobody uses
 * are kept, the latest used first, within a budget.  Memory is core's own
 * (malloc), so an error cannot take it away.
 */
#include "explainer_cache.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "registry.h"
#include "report.h"

#define UNUSED_BYTES_KEPT	((size_t) 64 * 1024 * 1024)

struct CachedExplainer
{
	uint8		sha256[REGISTRY_HASH_SIZE];	/* of the model's bytes */
	uint32		output;
	int			pins;
	Explainer  *explainer;
	dlist_node	recency;		/* in the list of all, most recently used first */
};

static dlist_head recent = DLIST_STATIC_INIT(recent);
static size_t unused_bytes;		/* of those without pins */

/* Drops those that were used longest ago until the rest is within the budget. */
static void
keep_budget(void)
{
	dlist_node *node = dlist_is_empty(&recent) ? NULL : dlist_tail_node(&recent);

	while (node != NULL && unused_bytes > UNUSED_BYTES_KEPT)
	{
		CachedExplainer *cached = dlist_container(CachedExplainer, recency, node);

		node = dlist_has_prev(&recent, node) ? dlist_prev_node(&recent, node) : NULL;
		if (cached->pins > 0)
			continue;
		unused_bytes -= explainer_size(cached->explainer);
		dlist_delete(&cached->recency);
		explainer_free(cached->explainer);
		pfree(cached);
	}
}

/* Makes one. */
static CachedExplainer *
make_explainer(const uint8 *sha256, const Model *model, uint32 output)
{
	CachedExplainer *cached = MemoryContextAllocZero(TopMemoryContext, sizeof(CachedExplainer));
	Error		error;

	memcpy(cached->sha256, sha256, REGISTRY_HASH_SIZE);
	cached->output = output;
	cached->explainer = explainer_create(model, output, &error);
	if (cached->explainer == NULL)
	{
		pfree(cached);
		report_error(&error);
	}
	dlist_push_head(&recent, &cached->recency);
	return cached;
}

/* The explainer of an output, pinned. */
CachedExplainer *
explainer_cache_pin(const uint8 *sha256, const Model *model, uint32 output)
{
	dlist_iter	iter;
	CachedExplainer *cached;

	dlist_foreach(iter, &recent)
	{
		cached = dlist_container(CachedExplainer, recency, iter.cur);
		if (cached->output != output || memcmp(cached->sha256, sha256, REGISTRY_HASH_SIZE) != 0)
			continue;
		if (cached->pins++ == 0)
			unused_bytes -= explainer_size(cached->explainer);
		dlist_move_head(&recent, &cached->recency);
		return cached;
	}
	cached = make_explainer(sha256, model, output);
	cached->pins = 1;
	return cached;
}

/* Gives a pin back. */
void
explainer_cache_unpin(CachedExplainer *cached)
{
	Assert(cached->pins > 0);
	if (--cached->pins > 0)
		return;
	unused_bytes += explainer_size(cached->explainer);
	keep_budget();
}

Explainer *
explainer_cache_get(const CachedExplainer *cached)
{
	return cached->explainer;
}
