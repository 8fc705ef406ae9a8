/*
 * resolve_cache.h
 *		What references meant, as long as it provably is what they mean.
 */
#ifndef MLOPS_PG_RESOLVE_CACHE_H
#define MLOPS_PG_RESOLVE_CACHE_H

#include "../registry/registry.h"

/* What identifies a resolution while it is under way. */
typedef struct ResolveTicket
{
	bool		usable;			/* false: nothing may be recalled or remembered now */
	uint64		epoch;			/* of the roles' memberships when it began */
} ResolveTicket;

/* Finds what a reference means to the current user under the active snapshot; false where it must be looked up. */
extern bool resolve_cache_recall(ResolveTicket *ticket, const char *text, BareName bare, Right right, ModelRef *ref);

/* Remembers what was looked up. */
extern void resolve_cache_remember(const ResolveTicket *ticket, const char *text, BareName bare, Right right, const ModelRef *ref);

#endif
