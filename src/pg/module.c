/*
 * module.c
 *		The library's entry.
 */
#include "postgres.h"

#include "fmgr.h"

#include "model_cache.h"
#include "settings.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Called once in each process that loads the library. */
void
_PG_init(void)
{
	model_cache_init();
	settings_define();
}
