/*
 * module.c
 *		The library's entry.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "../jobs/capture_launcher.h"
#include "../jobs/jobs.h"
#include "govern/audit.h"
#include "capture/capture.h"
#include "clock.h"
#include "epoch.h"
#include "cache/model_cache.h"
#include "progress.h"
#include "settings.h"
#include "cache/shared_forget.h"
#include "cache/shared_memory.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Called once in each process that loads the library, or in the postmaster where it is preloaded. */
void
_PG_init(void)
{
	epoch_init();
	audit_init();
	model_cache_init();
	clock_init();
	progress_init();
	jobs_init();
	shared_memory_init();
	capture_ring_init();
	capture_init();
	capture_launcher_init();
	if (process_shared_preload_libraries_in_progress)
		shared_forget_init();
	settings_define();
}
