/*
 * model_ready.c
 *		Ready forms of models in this process's memory.
 *
 * A model works without one, so whatever goes wrong is no error.
 */
#include "model_ready.h"

#include "utils/memutils.h"

const void *
model_ready_make(const Model *model, MemoryContext context, size_t *size)
{
	ReadyPlan  *plan = ready_plan(model);
	void	   *memory;

	*size = 0;
	if (plan == NULL)
		return NULL;
	memory = MemoryContextAllocExtended(context, ready_plan_size(plan) + READY_ALIGN, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (memory != NULL)
	{
		memory = (void *) TYPEALIGN(READY_ALIGN, memory);
		ready_plan_write(plan, memory);
		*size = ready_plan_size(plan);
	}
	ready_plan_free(plan);
	return memory;
}

void *
model_ready_alloc(size_t size)
{
	return (void *) TYPEALIGN(READY_ALIGN, MemoryContextAllocHuge(CurrentMemoryContext, size + READY_ALIGN));
}
