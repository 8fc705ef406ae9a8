/*
 * capture.c
 *		Which rows of a query are captured.
 *
 * A call site captures where its model is the live deployment's and that
 * says so.  The sites of one query share a CaptureQuery: the first that is
 * called leads, and every call of it is a row; what another site is asked is
 * a row of its own only where the leader was not asked the same, which the
 * hashes of the leader's first rows tell.  Sites belong to one query when
 * their expressions were made in one memory context, the executor's.
 *
 * Up to mlops.capture_rows_per_query rows of a query are captured; beyond,
 * the rate halves whenever their number doubles.  A hash of the query's seed
 * and the row's number decides, never the row itself: equal rows must not
 * share one fate.  What is left out gives its weight to the next row that is
 * captured.  "sample" is a thinning before that, and divides into the weight.
 *
 * The processes of a parallel query number their rows together, by a slot of
 * the leading process in shared memory, a few at a time.
 *
 * Calls at plan time and by EXPLAIN are recognised by capture_hooks.c.  On a
 * standby, and where the deployment is the transaction's own, rows are only
 * counted.
 */
#include "capture.h"

#include "access/parallel.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "../../core/hash.h"
#include "capture_parallel.h"

#define FIRST_SEEN 16			/* slots for hashes, at first; a power of two */
#define MOST_SEEN 65536			/* hashes that a query keeps */
#define REMEMBERED_SETTINGS 16	/* deployments */
#define SAID_AT_ONCE 1024		/* rows left out that are counted together */
#define MOST_COLUMNS_AT_FIRST 1000	/* that a buffer has room for, if they are numbers */

/* What is captured of a query that predicts by one deployment. */
typedef struct CaptureQuery
{
	struct CaptureQuery *next;
	MemoryContext context;		/* of the query; the CaptureQuery ends with it */
	MemoryContextCallback release;
	int64		deployment_id;
	StatementKey key;
	const Predictor *leader;	/* NULL before the first row */
	CaptureCounters *counters;
	uint64		seed;
	double		sample;
	uint64		thinned;		/* rows that "sample" decided about */
	bool		parallel;
	uint64		ordinal;		/* of the latest row */
	uint64		reserved;		/* the last number of ours */
	uint64		doubling;		/* up to this number the rate holds */
	uint64		mask;			/* rate = 1 / (mask + 1) */
	double		carry;			/* weight of rows left out since the last captured one */
	uint64		unsaid;			/* rows left out that are not counted yet */
	uint64	   *seen;			/* hashes, 0: free */
	uint32		n_seen;
	uint32		n_slots;
	uint64		first_seen[FIRST_SEEN]; /* the slots at first */
} CaptureQuery;

/* The settings of a deployment. */
typedef struct KnownSettings
{
	MemoryContext context;		/* that it lies in */
	int64		deployment_id;
	uint64		hash;
	int			uses;			/* by sites, and by known_settings */
	CaptureSettings settings;
} KnownSettings;

static CaptureQuery *queries;	/* of this process, those under way */
static KnownSettings *known_settings[REMEMBERED_SETTINGS];	/* by deployment */
static int	capture_rows_per_query; /* mlops.capture_rows_per_query */

/* ---- Settings of deployments ---- */

/* Gives up one use of settings. */
static void
release_settings(void *argument)
{
	KnownSettings *known = argument;

	if (--known->uses == 0)
		MemoryContextDelete(known->context);
}

/* Reads the settings of the deployment that ref found; NULL where it is gone. */
static KnownSettings *
read_settings(const ModelRef *ref)
{
	Jsonb	   *capture = registry_deployment_capture(ref->deployment_id);

	if (capture == NULL)
		return NULL;

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "mlops capture settings", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	KnownSettings *known = palloc0(sizeof(KnownSettings));

	known->context = context;
	known->deployment_id = ref->deployment_id;
	known->hash = ref->capture_hash;
	capture_settings_read(&known->settings, capture);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, TopMemoryContext);
	return known;
}

/* The same, remembered. */
static KnownSettings *
find_settings(const ModelRef *ref)
{
	KnownSettings **place = &known_settings[ref->deployment_id % REMEMBERED_SETTINGS];
	KnownSettings *known = *place;

	if (known != NULL && known->deployment_id == ref->deployment_id && known->hash == ref->capture_hash)
		return known;
	known = read_settings(ref);
	if (known == NULL)
		return NULL;
	known->uses = 1;
	if (*place != NULL)
		release_settings(*place);
	*place = known;
	return known;
}

/* ---- Queries ---- */

/* Counts what is not counted yet. */
static void
say_left_out(CaptureQuery *query)
{
	pg_atomic_fetch_add_u64(&query->counters->sampled, (int64) query->unsaid);
	query->unsaid = 0;
}

/* The query ends. */
static void
release_query(void *argument)
{
	CaptureQuery *query = argument;

	say_left_out(query);
	capture_counters_release(query->counters);
	for (CaptureQuery **link = &queries; *link != NULL; link = &(*link)->next)
	{
		if (*link == query)
		{
			*link = query->next;
			break;
		}
	}
}

/* Begins to number rows. */
static void
start_query(CaptureQuery *query, const StatementKey *key, double sample)
{
	static uint64 n_queries = 0;

	query->key = *key;
	query->leader = NULL;
	query->sample = sample;
	query->seed = hash64_combine((uint64) MyStartTimestamp + n_queries++, (uint64) MyProcPid);
	query->thinned = query->ordinal = query->reserved = 0;
	query->doubling = (uint64) Max(capture_rows_per_query, 1);
	query->mask = 0;
	query->carry = 0;
	query->n_seen = 0;
	query->parallel = IsInParallelMode();
	memset(query->seen, 0, query->n_slots * sizeof(uint64));
}

/* The CaptureQuery of a deployment in a query. */
static CaptureQuery *
find_query(const Predictor *predictor, const ModelRef *ref, MemoryContext context, double sample)
{
	CaptureQuery *query = queries;

	while (query != NULL && (query->context != context || query->deployment_id != ref->deployment_id))
		query = query->next;
	if (query == NULL)
	{
		query = MemoryContextAllocZero(context, sizeof(CaptureQuery));
		query->context = context;
		query->deployment_id = ref->deployment_id;
		query->counters = capture_counters_hold(ref->model_id);
		query->seen = query->first_seen;
		query->n_slots = FIRST_SEEN;
		query->release.func = release_query;
		query->release.arg = query;
		query->next = queries;
		queries = query;
		MemoryContextRegisterResetCallback(context, &query->release);
		start_query(query, predictor->statement, sample);
	}
	else if (memcmp(&query->key, predictor->statement, sizeof(StatementKey)) != 0)
	{
		say_left_out(query);
		start_query(query, predictor->statement, sample);
	}
	return query;
}

/* The columns of the model that are never stored; NULL where there are none. */
static bool *
find_masked(const Predictor *predictor, const CaptureSettings *settings)
{
	bool	   *masked;

	if (settings->n_masked == 0)
		return NULL;
	masked = palloc0((predictor->model->n_columns + 1) * sizeof(bool));
	for (uint32 column = 0; column < predictor->model->n_columns; column++)
	{
		for (int i = 0; i < settings->n_masked; i++)
			masked[column] |= strcmp(predictor->names[column], settings->masked[i]) == 0;
	}
	return masked;
}

/* The memory of a site ends. */
static void
release_site(void *argument)
{
	CaptureSite *site = argument;

	if (site->known != NULL)
		release_settings(site->known);
	if (site->counters != NULL)
		capture_counters_release(site->counters);
}

/* Makes an empty buffer; smaller than initStringInfo() does, for most sites capture one row and end. */
static void
make_buffer(StringInfo buffer, uint32 size)
{
	buffer->data = palloc(size);
	buffer->maxlen = (int) size;
	resetStringInfo(buffer);
}

/* Makes a site of settings that are known, or of a version without a deployment. */
static CaptureSite *
make_site(const Predictor *predictor, const ModelRef *ref, KnownSettings *known)
{
	static const CaptureSettings nothing_special = {.mode = CAPTURE_TRANSACTION, .sample = 1, .features = true};
	MemoryContext context = AllocSetContextCreate(predictor->context, "mlops capture site", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	CaptureSite *site = palloc0(sizeof(CaptureSite));

	site->context = context;
	site->settings = known != NULL ? &known->settings : &nothing_special;
	site->known = known;
	if (known != NULL)
		known->uses++;
	site->release.func = release_site;
	site->release.arg = site;
	MemoryContextRegisterResetCallback(context, &site->release);
	site->model_id = ref->model_id;
	site->deployment_id = ref->deployment_id;
	site->version = ref->version;
	site->masked = find_masked(predictor, site->settings);
	site->weight = 1;
	make_buffer(&site->features, Min(predictor->model->n_columns, MOST_COLUMNS_AT_FIRST) * 11 + 16);
	make_buffer(&site->key, 32);
	MemoryContextSwitchTo(old);
	return site;
}

CaptureSite *
capture_site_make(const Predictor *predictor, const ModelRef *ref)
{
	return make_site(predictor, ref, ref->deployment_id != 0 ? find_settings(ref) : NULL);
}

void
capture_bind(Predictor *predictor, const ModelRef *ref, MemoryContext query)
{
	CaptureSite *site = predictor->capture_site;
	KnownSettings *known;

	predictor->capture = NULL;
	predictor->unseen = NULL;	/* a row that failed may have left it, and the site may go */
	if (capture_shared == NULL || ref->deployment_id == 0 || capture_is_off())
		return;
	known = find_settings(ref);
	if (known == NULL || known->settings.mode != CAPTURE_QUEUE)
		return;
	if (site == NULL || site->deployment_id != ref->deployment_id || site->settings != &known->settings)
	{
		if (site != NULL)
			MemoryContextDelete(site->context);
		predictor->capture_site = NULL;
		predictor->capture_site = site = make_site(predictor, ref, known);
		site->counters = capture_counters_hold(ref->model_id);
	}
	site->query = NULL;
	if (RecoveryInProgress())
		site->only_counted = &site->counters->standby;
	else if (ref->uncommitted)
		site->only_counted = &site->counters->uncommitted;
	else
		site->query = find_query(predictor, ref, query, site->settings->sample);
	predictor->capture = site;
}

/* ---- Rows ---- */

/* Where a hash is, or would be. */
static uint32
seen_slot(const CaptureQuery *query, uint64 hash)
{
	uint32		slot = (uint32) hash & (query->n_slots - 1);

	while (query->seen[slot] != 0 && query->seen[slot] != hash)
		slot = (slot + 1) & (query->n_slots - 1);
	return slot;
}

/* Keeps the hash of a row, as long as there is room for more. */
static void
keep_seen(CaptureQuery *query, uint64 hash)
{
	if (query->n_seen >= MOST_SEEN)
		return;
	if (query->n_seen * 2 >= query->n_slots)
	{
		uint64	   *old = query->seen;
		uint32		n_old = query->n_slots;

		query->n_slots = n_old * 2;
		query->seen = MemoryContextAllocZero(query->context, query->n_slots * sizeof(uint64));
		for (uint32 i = 0; i < n_old; i++)
		{
			if (old[i] != 0)
				query->seen[seen_slot(query, old[i])] = old[i];
		}
		if (old != query->first_seen)
			pfree(old);
	}

	uint32		slot = seen_slot(query, hash);

	if (query->seen[slot] == 0)
	{
		query->seen[slot] = hash;
		query->n_seen++;
	}
}

/* Whether this is a row that the query was not asked before. */
static bool
is_new_row(CaptureQuery *query, const Predictor *predictor, const void *row, size_t length, bool known)
{
	bool		leads;

	if (query->leader == NULL)
		query->leader = predictor;
	leads = query->leader == predictor;
	if (!leads && (known || query->n_seen >= MOST_SEEN))
		return false;
	if (query->n_seen >= MOST_SEEN)
		return true;

	uint64		hash = hash64_bytes(row, length) | 1;

	if (!leads && query->seen[seen_slot(query, hash)] != 0)
		return false;
	keep_seen(query, hash);
	return true;
}

/* Whether a number comes out of the query's lottery, below a share of 1. */
static bool
draw(const CaptureQuery *query, uint64 number, double share)
{
	return (double) (hash64_combine(query->seed, number) >> 11) * 0x1p-53 < share;
}

/* Whether a new row is captured, and with which weight. */
static bool
choose_row(CaptureQuery *query, double *weight)
{
	if (query->sample < 1 && !draw(query, ~query->thinned++, query->sample))
		return false;
	if (query->parallel && query->ordinal == query->reserved)
		query->ordinal = capture_parallel_reserve(&query->reserved);
	query->ordinal++;
	while (query->ordinal > query->doubling)
	{
		query->doubling *= 2;
		query->mask = query->mask * 2 + 1;
	}
	if (query->mask != 0 && (hash64_combine(query->seed, query->ordinal) & query->mask) != 0)
	{
		query->carry++;
		return false;
	}
	*weight = (query->carry + 1) / query->sample;
	query->carry = 0;
	return true;
}

/* Begins a new row where it is captured. */
static bool
begin_if_chosen(Predictor *predictor, CaptureSite *site)
{
	CaptureQuery *query = site->query;

	if (!choose_row(query, &site->weight))
	{
		if (++query->unsaid >= SAID_AT_ONCE)
			say_left_out(query);
		return false;
	}
	capture_begin_row(predictor, site);
	return true;
}

bool
capture_wants(Predictor *predictor, const void *row, size_t length, bool known)
{
	CaptureSite *site = predictor->capture;
	CaptureQuery *query = site->query;

	if (query == NULL)
	{
		if (!known)
			pg_atomic_fetch_add_u64(site->only_counted, 1);
		return false;
	}
	return is_new_row(query, predictor, row, length, known) && begin_if_chosen(predictor, site);
}

bool
capture_wants_next(Predictor *predictor)
{
	CaptureSite *site = predictor->capture;

	if (site->query == NULL)
	{
		pg_atomic_fetch_add_u64(site->only_counted, 1);
		return false;
	}
	return begin_if_chosen(predictor, site);
}

void
capture_pass_on(CaptureSite *site, double weight)
{
	site->query->carry += weight * site->query->sample;
}

/* Defines the setting. */
void
capture_init(void)
{
	DefineCustomIntVariable("mlops.capture_rows_per_query",
							"Rows of a query that are captured in full.",
							"Of more, fewer and fewer are captured: the rate halves whenever their number doubles.",
							&capture_rows_per_query, 10000, 1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	if (process_shared_preload_libraries_in_progress)
		capture_hooks_init();
}
