/*
 * predict_call.c
 *		Which model a call site uses, and how long that holds.
 *
 * The state of a call site lives in its FmgrInfo, which may outlive a
 * statement: PL/pgSQL keeps the state of simple expressions for the whole
 * transaction.  So each call compares a StatementKey, which differs whenever
 * the same reference could mean something else, or the caller's rights or a
 * row type could have changed; then references are resolved again, access
 * check included, and row types looked at.  Only then: within a statement
 * nothing is looked up.
 *
 * A call site may see several models; each has a Predictor.  Models of the
 * registry are pinned in the backend's cache; a reset callback of the
 * FmgrInfo's memory context gives the pins back, however the query ends.
 * The callback leaves the Predictor with the model, for the next statement's
 * call site; so its memory is not the query's, but the callback's to free.
 * Models that come as values are copied, and recognised by their TOAST
 * pointer within a statement, else by their bytes.
 */
#include "predict.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "../cache/model_cache.h"
#include "../cache/model_ready.h"
#include "../capture/capture.h"
#include "../compat.h"
#include "../epoch.h"
#include "../registry/artifact.h"
#include "../registry/registry.h"

#define MAX_PREDICTORS 32		/* models that a call site remembers */
#define ROWS_UNTIL_READY 16		/* for which the ready form of a value is not worth making */

/* A Predictor and where its model came from. */
typedef struct Binding
{
	Predictor	predictor;		/* context: NULL while nothing is bound */
	bool		stale;			/* bound under another key */
	char	   *reference;		/* of the registry: as given */
	size_t		reference_length;
	CachedModel *cached;		/* pinned */
	ModelRef	ref;			/* what the reference means now */
	struct varlena *artifact;	/* a value: the copy that the model is opened in */
	bool		toasted;		/* it came by this pointer, in this statement */
	struct varatt_external pointer;
	const struct varlena *place;	/* else: it lay here, whole, the last time */
	Model		opened;			/* a value: its view */
} Binding;

typedef struct CallSite
{
	MemoryContext context;		/* the FmgrInfo's */
	MemoryContextCallback release;
	StatementKey key;
	FeatureForm form;
	bool		by_value;
	bool		constant;		/* the artifact is a constant of the plan */
	int			n;
	Binding    *bindings[MAX_PREDICTORS];	/* the latest used first */
} CallSite;

/* The key of the current statement. */
static inline StatementKey
statement_key(void)
{
	Snapshot	snapshot = ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot();
	StatementKey key;

	key.transaction = compat_local_transaction();
	key.subtransaction = GetCurrentSubTransactionId();
	key.command = snapshot->curcid;
	key.xmin = snapshot->xmin;
	key.xmax = snapshot->xmax;
	key.n_running = snapshot->xcnt;
	key.n_running_sub = snapshot->subxcnt;
	key.user = GetUserId();
	key.roles = epoch_of_roles;
	key.types = epoch_of_types;
	key.unanswered = capture_off_depth > 0 ? 1 : 0;
	return key;
}

/* Leaves a predictor with its model, but for what belongs to the statement. */
static void
keep_predictor(Predictor *predictor)
{
	Predictor  *place = predictor->place;

	if (predictor->capture_site != NULL)
		MemoryContextDelete(predictor->capture_site->context);
	predictor->capture = predictor->capture_site = NULL;
	predictor->unseen = NULL;
	predictor->statement = NULL;
	predictor->ref = NULL;
	*place = *predictor;
	model_cache_keep(place->cached, place, place->context);
}

/* Lets go of a model; the predictor is empty then.  Raises no errors. */
static void
clear_predictor(Predictor *predictor)
{
	if (predictor->context != NULL && predictor->cached != NULL && predictor->explanation == NULL)
		keep_predictor(predictor);
	else if (predictor->context != NULL)
		MemoryContextDelete(predictor->context);
	memset(predictor, 0, sizeof(*predictor));
}

/* Gives the pins back: the call site's memory ends. */
static void
release_call_site(void *argument)
{
	CallSite   *site = argument;

	for (int i = 0; i < site->n; i++)
	{
		Binding    *binding = site->bindings[i];

		if (binding->cached == NULL)
			continue;
		clear_predictor(&binding->predictor);
		model_cache_unpin(binding->cached);
	}
}

/* Makes the state of a call site. */
static CallSite *
make_call_site(FunctionCallInfo fcinfo)
{
	FmgrInfo   *function = fcinfo->flinfo;
	CallSite   *site = MemoryContextAllocZero(function->fn_mcxt, sizeof(CallSite));
	Oid		   *types;
	int			n_types;

	(void) get_func_signature(function->fn_oid, &types, &n_types);
	site->context = function->fn_mcxt;
	site->by_value = types[0] != TEXTOID;

	/* where the second argument is a text, features come third */
	Oid			features = n_types > 2 && types[1] == TEXTOID ? types[2] : types[1];

	site->form = features == JSONBOID ? FEATURES_JSON : features == FLOAT8ARRAYOID ? FEATURES_ARRAY : FEATURES_RECORD;
	if (site->by_value && function->fn_expr != NULL && IsA(function->fn_expr, FuncExpr))
		site->constant = IsA(linitial(((FuncExpr *) function->fn_expr)->args), Const);
	site->release.func = release_call_site;
	site->release.arg = site;
	MemoryContextRegisterResetCallback(site->context, &site->release);
	function->fn_extra = site;
	return site;
}

/* Labels as numbers; NULL where they are texts, or there are none. */
static double *
class_values(const Model *model)
{
	LabelKind	kind = (LabelKind) model->header->label_kind;

	if (model->task == TASK_REGRESSION || (kind != LABEL_NUMBER && kind != LABEL_BOOLEAN))
		return NULL;

	double	   *values = palloc(model->n_outputs * sizeof(double));

	for (uint32 i = 0; i < model->n_outputs; i++)
	{
		const char *label = model_label(model, i);

		values[i] = kind == LABEL_BOOLEAN ? (strcmp(label, "true") == 0 ? 1.0 : 0.0) : strtod(label, NULL);
	}
	return values;
}

/* Opens a ready form for a predictor, in the current context. */
static void
open_ready(Predictor *predictor, const void *bytes)
{
	ready_open(&predictor->ready, predictor->model, bytes);
	predictor->lanes = model_ready_alloc(predictor->ready.row_size);
	memset(predictor->lanes, 0, predictor->ready.row_size);
	predictor->is_ready = true;
}

/* Makes the ready form of a value's model. */
void
predict_make_ready(Predictor *predictor)
{
	MemoryContext old = MemoryContextSwitchTo(predictor->context);
	size_t		size;
	const void *bytes = model_ready_make(predictor->model, predictor->context, &size);

	if (bytes != NULL)
		open_ready(predictor, bytes);
	MemoryContextSwitchTo(old);
}

void
predict_prepare(Predictor *predictor, const Model *model, CachedModel *cached, FeatureForm form, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "mlops predictor", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	predictor->model = model;
	predictor->cached = cached;
	predictor->form = form;
	predictor->by_value = cached == NULL;
	predictor->place = palloc(sizeof(Predictor));
	predictor->raw = palloc((model->n_columns + 1) * sizeof(double));
	predictor->features = palloc((model->n_features + 1) * sizeof(double));
	encoder_init(&predictor->encoder, model, palloc(encoder_size(model) + 1));
	predictor->out = palloc(model->n_outputs * sizeof(double));
	predictor->class_values = class_values(model);
	predictor->names = palloc((model->n_columns + 1) * sizeof(char *));
	predictor->name_lengths = palloc((model->n_columns + 1) * sizeof(size_t));
	for (uint32 i = 0; i < model->n_columns; i++)
	{
		predictor->names[i] = model_string(model, model->columns[i].name);
		predictor->name_lengths[i] = strlen(predictor->names[i]);
	}
	predict_find_runs(predictor);
	if (cached != NULL && cached->ready != NULL)
		open_ready(predictor, cached->ready);
	predictor->until_ready = cached == NULL ? ROWS_UNTIL_READY : 0;
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, parent);
	predictor->context = context;
}

/* The same for a model of a call site; of a cached one, what an earlier statement left is taken where it is there. */
static void
prepare(CallSite *site, Predictor *predictor, const Model *model, CachedModel *cached)
{
	Predictor  *kept = cached != NULL ? model_cache_take(cached) : NULL;

	if (kept != NULL)
	{
		*predictor = *kept;
		predictor->form = site->form;
		predictor->recheck_types = true;
	}
	else
		predict_prepare(predictor, model, cached, site->form, cached != NULL ? CacheMemoryContext : site->context);
	predictor->statement = &site->key;
}

/* The place for another model: a new one, or that of the model used longest ago. */
static Binding *
add_binding(CallSite *site)
{
	Binding    *binding;

	if (site->n < MAX_PREDICTORS)
	{
		binding = MemoryContextAllocZero(site->context, sizeof(Binding));
		site->bindings[site->n++] = binding;
		return binding;
	}

	binding = site->bindings[site->n - 1];
	clear_predictor(&binding->predictor);
	if (binding->cached != NULL)
		model_cache_unpin(binding->cached);
	if (binding->reference != NULL)
		pfree(binding->reference);
	if (binding->artifact != NULL)
		pfree(binding->artifact);
	memset(binding, 0, sizeof(*binding));
	return binding;
}

/* Makes binding i the first. */
static Binding *
move_to_front(CallSite *site, int i)
{
	Binding    *binding = site->bindings[i];

	memmove(site->bindings + 1, site->bindings, i * sizeof(Binding *));
	site->bindings[0] = binding;
	return binding;
}

/* Resolves a reference, and binds the model where it is another than before. */
static void
resolve_binding(CallSite *site, Binding *binding)
{
	ModelRef	ref;

	registry_resolve(binding->reference, BARE_LIVE, RIGHT_PREDICT, &ref);

	ErrorWatch	watch;

	capture_watch(&watch, &ref);
	if (binding->predictor.context == NULL || memcmp(binding->cached->sha256, ref.sha256, REGISTRY_HASH_SIZE) != 0)
	{
		CachedModel *cached = model_cache_pin(&ref);

		clear_predictor(&binding->predictor);
		if (binding->cached != NULL)
			model_cache_unpin(binding->cached);
		binding->cached = cached;
		prepare(site, &binding->predictor, &cached->model, cached);
	}
	binding->ref = ref;
	binding->predictor.ref = &binding->ref;
	capture_bind(&binding->predictor, &binding->ref, site->context);
	binding->stale = false;
	capture_unwatch(&watch);
}

/* The binding of a reference. */
static Binding *
bind_reference(CallSite *site, const text *reference)
{
	const char *bytes = VARDATA_ANY(reference);
	size_t		length = VARSIZE_ANY_EXHDR(reference);

	for (int i = 0; i < site->n; i++)
	{
		Binding    *binding = site->bindings[i];

		if (binding->reference == NULL || binding->reference_length != length || memcmp(binding->reference, bytes, length) != 0)
			continue;
		if (i > 0)
			move_to_front(site, i);
		if (unlikely(binding->stale))
			resolve_binding(site, binding);
		return binding;
	}

	Binding    *binding = add_binding(site);

	binding->stale = true;
	binding->reference = MemoryContextAlloc(site->context, length + 1);
	memcpy(binding->reference, bytes, length);
	binding->reference[length] = '\0';
	binding->reference_length = length;
	move_to_front(site, site->n - 1);
	resolve_binding(site, binding);
	return binding;
}

/* Whether a value is the one that a binding was made of. */
static bool
same_artifact(const Binding *binding, const struct varlena *value, const struct varlena *whole)
{
	if (binding->predictor.context == NULL)
		return false;
	if (whole == NULL)
	{
		struct varatt_external pointer;

		if (!binding->toasted || binding->stale)
			return false;
		VARATT_EXTERNAL_GET_POINTER(pointer, value);
		return memcmp(&pointer, &binding->pointer, sizeof(pointer)) == 0;
	}
	if (VARSIZE(whole) != VARSIZE(binding->artifact))
		return false;

	/* where the same value lay before in this statement, its header with the checksum stands for it */
	return memcmp(whole, binding->artifact,
				  whole == binding->place && !binding->stale ? sizeof(ArtifactHeader) : VARSIZE(whole)) == 0;
}

/* Notes where a value came from, for the rest of the statement. */
static void
note_origin(Binding *binding, const struct varlena *value, const struct varlena *whole)
{
	binding->place = whole;
	binding->stale = false;
	binding->toasted = VARATT_IS_EXTERNAL_ONDISK(value);
	if (binding->toasted)
		VARATT_EXTERNAL_GET_POINTER(binding->pointer, value);
}

/* The binding of a value. */
static Binding *
bind_artifact(CallSite *site, Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	struct varlena *whole = NULL;

	if (site->constant && site->n > 0 && site->bindings[0]->predictor.context != NULL)
		return site->bindings[0];
	for (int pass = VARATT_IS_EXTERNAL_ONDISK(value) ? 0 : 1; pass < 2; pass++)
	{
		/* first by its TOAST pointer, then by its bytes */
		if (pass == 1)
			whole = artifact_detoast(datum);
		for (int i = 0; i < site->n; i++)
		{
			Binding    *binding = site->bindings[i];

			if (!same_artifact(binding, value, whole))
				continue;
			if (i > 0)
				move_to_front(site, i);
			if (whole != NULL && (binding->stale || whole != binding->place || VARATT_IS_EXTERNAL_ONDISK(value)))
				note_origin(binding, value, whole);
			return binding;
		}
	}

	Binding    *binding = add_binding(site);

	binding->stale = true;
	binding->artifact = MemoryContextAllocHuge(site->context, VARSIZE(whole));
	memcpy(binding->artifact, whole, VARSIZE(whole));
	artifact_open(&binding->opened, binding->artifact);
	move_to_front(site, site->n - 1);
	prepare(site, &binding->predictor, &binding->opened, NULL);
	note_origin(binding, value, whole);
	return binding;
}

/* A new statement: what was resolved may have changed. */
static void
begin_statement(CallSite *site, const StatementKey *key)
{
	site->key = *key;
	for (int i = 0; i < site->n; i++)
	{
		site->bindings[i]->stale = true;
		site->bindings[i]->predictor.recheck_types = true;
	}
}

/* The model of this call. */
Predictor *
predict_bind(FunctionCallInfo fcinfo)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;
	StatementKey key = statement_key();

	if (unlikely(site == NULL))
		site = make_call_site(fcinfo);
	if (unlikely(memcmp(&key, &site->key, sizeof(key)) != 0))
		begin_statement(site, &key);
	if (site->by_value)
		return &bind_artifact(site, PG_GETARG_DATUM(0))->predictor;
	return &bind_reference(site, PG_GETARG_TEXT_PP(0))->predictor;
}
