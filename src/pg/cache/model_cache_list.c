/*
 * model_cache_list.c
 *		The function behind the view mlops.model_cache.
 *
 * Models are cached by their hash, and shown by the versions that have it:
 * those of projects that the caller may see.  Superusers and members of
 * pg_monitor are shown the rest, too: models whose versions are gone, and
 * those of other databases, which have no names here.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "../predict/explainer_cache.h"
#include "model_cache.h"
#include "../registry/registry_scan.h"

PG_FUNCTION_INFO_V1(mlops_list_cached_models);

/* Columns of the view. */
enum
{
	COLUMN_DATABASE,
	COLUMN_PROJECT,
	COLUMN_MODEL,
	COLUMN_VERSION,
	COLUMN_LOCATION,
	COLUMN_BYTES,
	COLUMN_LOADS,
	COLUMN_HITS,
	COLUMN_PINS,
	COLUMN_LAST_USE,
	N_COLUMNS
};

/* A model in memory. */
typedef struct CachedState
{
	SharedModelState state;
	const char *location;
	bool		named;			/* a version with this hash was met */
} CachedState;

/* The models in memory, those of the server first, then our copies, then what explains them. */
static CachedState *
list_states(int *n)
{
	int			n_shared;
	int			n_all;
	SharedModelState *shared = shared_cache_list(&n_shared);

	n_all = n_shared;
	for (const CachedModel *cached = model_cache_next(NULL); cached != NULL; cached = model_cache_next(cached))
		n_all += cached->copy != NULL ? 1 : 0;
	for (const CachedExplainer *cached = explainer_cache_next(NULL); cached != NULL; cached = explainer_cache_next(cached))
		n_all++;

	CachedState *states = palloc0((n_all + 1) * sizeof(CachedState));

	for (int i = 0; i < n_shared; i++)
	{
		states[i].state = shared[i];
		states[i].location = shared[i].loading ? "loading" : "shared";
	}
	*n = n_shared;
	for (const CachedModel *cached = model_cache_next(NULL); cached != NULL; cached = model_cache_next(cached))
	{
		SharedModelState *state = &states[*n].state;

		if (cached->copy == NULL)
			continue;
		state->database = MyDatabaseId;
		memcpy(state->sha256, cached->sha256, REGISTRY_HASH_SIZE);
		state->size = cached->size;
		state->loads = cached->loads;
		state->hits = cached->hits;
		state->pins = cached->pins;
		state->last_use = cached->last_use;
		states[(*n)++].location = "local";
	}
	for (const CachedExplainer *cached = explainer_cache_next(NULL); cached != NULL; cached = explainer_cache_next(cached))
	{
		SharedModelState *state = &states[*n].state;

		state->database = MyDatabaseId;
		memcpy(state->sha256, cached->sha256, REGISTRY_HASH_SIZE);
		state->size = cached->size;
		state->loads = 1;
		state->hits = cached->hits;
		state->pins = cached->pins;
		state->last_use = cached->last_use;
		states[(*n)++].location = "explain";
	}
	return states;
}

/* One row; project and model NULL where there are none to name. */
static void
put_row(ReturnSetInfo *rows, const CachedState *cached, const char *project, const char *model, int32 version)
{
	const SharedModelState *state = &cached->state;
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {0};
	char	   *database = get_database_name(state->database);
	NameData	database_name;

	nulls[COLUMN_DATABASE] = database == NULL;
	namestrcpy(&database_name, database != NULL ? database : "");
	values[COLUMN_DATABASE] = NameGetDatum(&database_name);
	nulls[COLUMN_PROJECT] = nulls[COLUMN_MODEL] = nulls[COLUMN_VERSION] = model == NULL;
	if (model != NULL)
	{
		values[COLUMN_PROJECT] = CStringGetTextDatum(project);
		values[COLUMN_MODEL] = CStringGetTextDatum(model);
		values[COLUMN_VERSION] = Int32GetDatum(version);
	}
	values[COLUMN_LOCATION] = CStringGetTextDatum(cached->location);
	values[COLUMN_BYTES] = Int64GetDatum((int64) state->size);
	values[COLUMN_LOADS] = Int64GetDatum(state->loads);
	values[COLUMN_HITS] = Int64GetDatum(state->hits);
	values[COLUMN_PINS] = Int32GetDatum(state->pins);
	values[COLUMN_LAST_USE] = TimestampTzGetDatum(state->last_use);
	tuplestore_putvalues(rows->setResult, rows->setDesc, values, nulls);
}

/* A version whose model is in memory: its rows, where the caller may see it. */
static void
put_version(ReturnSetInfo *rows, CachedState *states, int n, const uint8 *sha256, int64 model_id, int32 version)
{
	RegistryScan scan;
	char	   *model;
	int64		project_id;

	registry_scan_open(&scan, "model");
	registry_scan_key_int64(&scan, "id", model_id);
	registry_scan_start(&scan, "model_pkey");
	if (!registry_scan_next(&scan))
		elog(ERROR, "model " INT64_FORMAT " of a version does not exist", model_id);
	model = registry_scan_text(&scan, registry_scan_column(&scan, "name"));
	project_id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "project_id")));
	registry_scan_close(&scan);
	if (!access_allowed(project_id, RIGHT_SEE))
		return;

	char	   *project = registry_project_name(project_id);

	for (int i = 0; i < n; i++)
	{
		if (states[i].state.database != MyDatabaseId || memcmp(states[i].state.sha256, sha256, REGISTRY_HASH_SIZE) != 0)
			continue;
		states[i].named = true;
		put_row(rows, &states[i], project, model, version);
	}
}

/* Whether a hash is that of a model in memory. */
static bool
is_cached(const CachedState *states, int n, const uint8 *sha256)
{
	for (int i = 0; i < n; i++)
	{
		if (states[i].state.database == MyDatabaseId && memcmp(states[i].state.sha256, sha256, REGISTRY_HASH_SIZE) == 0)
			return true;
	}
	return false;
}

/* mlops.list_cached_models(): database, project, model, version, location, bytes, loads, hits, pins, last_use */
Datum
mlops_list_cached_models(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rows = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		sees_all = superuser() || has_privs_of_role(GetUserId(), ROLE_PG_MONITOR);
	RegistryScan scan;
	int			n;

	InitMaterializedSRF(fcinfo, 0);

	CachedState *states = list_states(&n);

	registry_scan_open(&scan, "model_version");

	AttrNumber	model_id = registry_scan_column(&scan, "model_id");
	AttrNumber	version = registry_scan_column(&scan, "version");
	AttrNumber	sha256 = registry_scan_column(&scan, "sha256");

	registry_scan_start(&scan, NULL);
	while (registry_scan_next(&scan))
	{
		bytea	   *hash = DatumGetByteaPP(registry_scan_get(&scan, sha256));

		CHECK_FOR_INTERRUPTS();
		if (is_cached(states, n, (const uint8 *) VARDATA_ANY(hash)))
			put_version(rows, states, n, (const uint8 *) VARDATA_ANY(hash),
						DatumGetInt64(registry_scan_get(&scan, model_id)), DatumGetInt32(registry_scan_get(&scan, version)));
	}
	registry_scan_close(&scan);
	for (int i = 0; i < n && sees_all; i++)
	{
		if (!states[i].named)
			put_row(rows, &states[i], NULL, NULL, 0);
	}
	return (Datum) 0;
}
