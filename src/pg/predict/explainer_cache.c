/*
 * explainer_cache.c
 *		Explainers of this backend, found by the hash of their model's bytes.
 *
 * An explainer is made of a model once and serves all statements after; it is
 * larger than the model, and none but this backend's.  Those that nobody uses
 * are kept, the latest used first, as long as they fit into
 * mlops.local_cache_size beside the models (model_cache.c).  Memory is core's
 * own (malloc), so an error cannot take it away.
 */
#include "explainer_cache.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "../cache/model_cache.h"
#include "../report.h"

static dlist_head recent = DLIST_STATIC_INIT(recent);
static size_t total_size;		/* bytes of all */

/* Whether core is to give up, so that an interrupt can be served. */
static bool
is_interrupted(void)
{
	return INTERRUPTS_PENDING_CONDITION() && INTERRUPTS_CAN_BE_PROCESSED();
}

/* Drops those that were used longest ago, and by nobody now, until the rest is within a budget. */
void
explainer_cache_shrink(size_t budget)
{
	dlist_node *node = dlist_is_empty(&recent) ? NULL : dlist_tail_node(&recent);

	while (node != NULL && total_size > budget)
	{
		CachedExplainer *cached = dlist_container(CachedExplainer, recency, node);

		node = dlist_has_prev(&recent, node) ? dlist_prev_node(&recent, node) : NULL;
		if (cached->pins > 0)
			continue;
		total_size -= cached->size;
		dlist_delete(&cached->recency);
		explainer_free(cached->explainer);
		pfree(cached);
	}
}

size_t
explainer_cache_size(void)
{
	return total_size;
}

/* Makes one. */
static CachedExplainer *
make_explainer(const uint8 *sha256, const Model *model, uint32 output)
{
	Explainer  *explainer;
	CachedExplainer *cached;
	Error		error;

	while ((explainer = explainer_create(model, output, is_interrupted, &error)) == NULL)
	{
		if (error.code != ERROR_CANCELLED)
			report_error(&error);
		CHECK_FOR_INTERRUPTS();
	}
	cached = MemoryContextAllocExtended(TopMemoryContext, sizeof(CachedExplainer), MCXT_ALLOC_ZERO | MCXT_ALLOC_NO_OOM);
	if (cached == NULL)
	{
		explainer_free(explainer);
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	}
	memcpy(cached->sha256, sha256, REGISTRY_HASH_SIZE);
	cached->output = output;
	cached->explainer = explainer;
	cached->size = sizeof(CachedExplainer) + explainer_size(explainer);
	total_size += cached->size;
	dlist_push_head(&recent, &cached->recency);
	return cached;
}

/* The explainer of an output, pinned. */
CachedExplainer *
explainer_cache_pin(const uint8 *sha256, const Model *model, uint32 output)
{
	CachedExplainer *cached = NULL;
	dlist_iter	iter;

	dlist_foreach(iter, &recent)
	{
		CachedExplainer *candidate = dlist_container(CachedExplainer, recency, iter.cur);

		if (candidate->output != output || memcmp(candidate->sha256, sha256, REGISTRY_HASH_SIZE) != 0)
			continue;
		cached = candidate;
		cached->hits++;
		dlist_move_head(&recent, &cached->recency);
		break;
	}
	if (cached == NULL)
		cached = make_explainer(sha256, model, output);
	cached->pins++;
	cached->last_use = GetCurrentStatementStartTimestamp();
	model_cache_keep_budget();
	return cached;
}

/* Gives a pin back. */
void
explainer_cache_unpin(CachedExplainer *cached)
{
	Assert(cached->pins > 0);
	cached->pins--;
	model_cache_keep_budget();
}

/* The next one. */
const CachedExplainer *
explainer_cache_next(const CachedExplainer *cached)
{
	if (cached == NULL)
		return dlist_is_empty(&recent) ? NULL : dlist_container(CachedExplainer, recency, dlist_head_node(&recent));
	return dlist_has_next(&recent, unconstify(dlist_node *, &cached->recency))
		? dlist_container(CachedExplainer, recency, dlist_next_node(&recent, unconstify(dlist_node *, &cached->recency)))
		: NULL;
}
