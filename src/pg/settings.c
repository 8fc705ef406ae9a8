/*
 * settings.c
 *		The settings mlops.*.
 *
 * What protects the machine (mlops.max_memory) is the administrator's; what a
 * caller may choose within it is the caller's.
 */
#include "settings.h"

#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include "miscadmin.h"
#include "utils/guc.h"

#define THREADS_MAX 1024

char	   *settings_project;
int			settings_threads;
int			settings_max_memory;
bool		settings_progress_notices;
bool		settings_preloaded;

/* A quarter of the machine's memory in kB, at least 256 MB: what mlops.max_memory is unless it is set. */
static int
default_memory(void)
{
	int64		pages = sysconf(_SC_PHYS_PAGES);
	int64		page_size = sysconf(_SC_PAGESIZE);
	int64		kilobytes = pages > 0 && page_size > 0 ? pages / 4 * (page_size / 1024) : 0;

	return (int) Min(Max(kilobytes, 256 * 1024), MAX_KILOBYTES);
}

/* Defines the settings. */
void
settings_define(void)
{
	settings_preloaded = process_shared_preload_libraries_in_progress;
	DefineCustomStringVariable("mlops.project",
							   "Project that new models of train() go to.",
							   "Empty: the caller's own project.",
							   &settings_project, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("mlops.threads",
							"Threads that a trainer may use.",
							"0: as many as the machine has cores, which is also the most.",
							&settings_threads, 0, 0, THREADS_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("mlops.max_memory",
							"Memory that one training may take: its rows and its trainer together.",
							"The default is a quarter of the machine's memory.",
							&settings_max_memory, default_memory(), 8 * 1024, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomBoolVariable("mlops.progress_notices",
							 "Whether train() reports its progress as a NOTICE once a second.",
							 NULL,
							 &settings_progress_notices, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("mlops");
}

/* Threads that a trainer started now may use. */
int
settings_trainer_threads(void)
{
	cpu_set_t	cpus;
	int			cores = 1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		cores = Max(CPU_COUNT(&cpus), 1);
	return settings_threads == 0 ? cores : Min(settings_threads, cores);
}

/* mlops.max_memory in bytes. */
uint64
settings_memory_bytes(void)
{
	return (uint64) settings_max_memory * 1024;
}
