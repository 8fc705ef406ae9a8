/*
 * resolve.c
 *		Model references: 'churn', 'churn@7', 'churn@champion', 'sales/churn'.
 *
 * A reference is taken apart, its model is looked for by name among the
 * projects that the caller may see, the caller's right is checked, and only
 * then is the version looked up.  What the caller may not see is answered as
 * if it did not exist.  All reads are index scans under the active snapshot;
 * memory is the caller's current context.  resolve_cache.c knows when there is
 * nothing new to read.
 */
#include "registry.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "registry_scan.h"
#include "../cache/resolve_cache.h"
#include "../report.h"

/* A reference, taken apart. */
typedef struct Reference
{
	char	   *project;		/* NULL: any */
	int64		project_id;		/* it was named by: "#12"; 0: by its name */
	char	   *model;
	char	   *selector;		/* what stands behind '@'; NULL: bare */
	int32		version;		/* the selector as a number, or 0 */
} Reference;

PG_FUNCTION_INFO_V1(mlops_resolve_model);

/* INVALID_PARAMETER_VALUE about the form of a reference. */
static void
refuse_reference(const char *reference, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid model reference \"%s\": %s", reference, why),
			 errhint("Write model, model@version, model@alias, or project/ before any of them.")));
}

/* Takes a reference apart. */
static void
parse_reference(const char *text, Reference *reference)
{
	char	   *rest = pstrdup(text);
	char	   *slash = strchr(rest, '/');

	memset(reference, 0, sizeof(*reference));
	if (slash != NULL)
	{
		*slash = '\0';
		reference->project = rest;
		reference->project_id = registry_project_number(rest);
		rest = slash + 1;
	}
	reference->model = rest;

	char	   *at = strchr(rest, '@');

	if (at != NULL)
	{
		*at = '\0';
		reference->selector = at + 1;
	}
	if (reference->model[0] == '\0')
		refuse_reference(text, "it names no model");
	if (strchr(reference->model, '/') != NULL ||
		(reference->selector != NULL && strpbrk(reference->selector, "/@") != NULL))
		refuse_reference(text, "it has more than one \"/\" or \"@\"");
	if (reference->project != NULL && (reference->project[0] == '\0' || strchr(reference->project, '@') != NULL))
		refuse_reference(text, "what stands before \"/\" is no project's name");
	if (reference->selector == NULL)
		return;
	if (reference->selector[0] == '\0')
		refuse_reference(text, "nothing follows \"@\"");
	if (strspn(reference->selector, "0123456789") == strlen(reference->selector))
	{
		/* Larger numbers than a version can have name a version that does not exist. */
		unsigned long long number = strtoull(reference->selector, NULL, 10);

		reference->version = number >= 1 && number <= PG_INT32_MAX ? (int32) number : -1;
	}
}

char *
registry_project_name(int64 project_id)
{
	RegistryScan scan;
	char	   *name = NULL;

	registry_scan_open(&scan, "project");
	registry_scan_key_int64(&scan, "id", project_id);
	registry_scan_start(&scan, "project_pkey");
	if (registry_scan_next(&scan))
		name = registry_scan_text(&scan, registry_scan_column(&scan, "name"));
	registry_scan_close(&scan);
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("project " INT64_FORMAT " of a model does not exist", project_id)));
	return name;
}

/* Whether a project is one that a reference allows. */
static bool
is_meant(const Reference *reference, int64 project_id)
{
	if (reference->project_id != 0)
		return reference->project_id == project_id;
	return reference->project == NULL || strcmp(registry_project_name(project_id), reference->project) == 0;
}

/* UNDEFINED_OBJECT for a model, or for the project before it, with the nearest name among those that the caller sees. */
static void
unknown_model(const Reference *reference)
{
	RegistryScan scan;
	size_t		capacity = 64;
	size_t		n = 0;
	const char **names = palloc(capacity * sizeof(char *));

	if (reference->project != NULL)
		registry_find_project(reference->project);
	registry_scan_open(&scan, "model");

	AttrNumber	name = registry_scan_column(&scan, "name");
	AttrNumber	project = registry_scan_column(&scan, "project_id");

	registry_scan_start(&scan, NULL);
	while (registry_scan_next(&scan))
	{
		int64		project_id = DatumGetInt64(registry_scan_get(&scan, project));

		if (!access_allowed(project_id, RIGHT_SEE) || !is_meant(reference, project_id))
			continue;
		if (n == capacity)
			names = repalloc_huge(names, (capacity *= 2) * sizeof(char *));
		names[n++] = registry_scan_text(&scan, name);
	}
	registry_scan_close(&scan);

	const char *nearest = nearest_name(reference->model, names, n);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 reference->project != NULL
			 ? errmsg("model \"%s\" does not exist in project \"%s\"", reference->model, reference->project)
			 : errmsg("model \"%s\" does not exist", reference->model),
			 nearest != NULL
			 ? errhint("Perhaps you meant \"%s\".", nearest)
			 : n > 0 ? errhint("mlops.model lists the models that you may see.")
			 : reference->project != NULL ? errhint("The project has no models yet.")
			 : errhint("You may see no model yet: train one, or ask an owner of its project for access.")));
}

/* AMBIGUOUS_ALIAS, with the forms that are not. */
static void
refuse_ambiguous(const char *name, List *projects)
{
	StringInfoData choices;
	ListCell   *cell;

	initStringInfo(&choices);
	foreach(cell, projects)
		appendStringInfo(&choices, "%s'%s/%s'", choices.len > 0 ? ", " : "", registry_project_name(*(int64 *) lfirst(cell)), name);
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_ALIAS),
			 errmsg("model name \"%s\" is ambiguous", name),
			 errdetail("You may see %d models of this name.", list_length(projects)),
			 errhint("Name the project, too: %s.", choices.data)));
}

/* Finds the one model of this name that the caller sees, and the caller's rights in its project; false where there is none. */
static bool
find_model(const Reference *reference, ModelRef *ref, unsigned *rights)
{
	RegistryScan scan;
	List	   *projects = NIL;

	/* No name is longer; a longer one would not fit into an index entry either. */
	if (strlen(reference->model) >= REGISTRY_NAME_SIZE)
		return false;

	registry_scan_open(&scan, "model");

	AttrNumber	id = registry_scan_column(&scan, "id");
	AttrNumber	project = registry_scan_column(&scan, "project_id");

	registry_scan_key_text(&scan, "name", reference->model);
	registry_scan_start(&scan, "model_name_key");
	while (registry_scan_next(&scan))
	{
		int64	   *project_id = palloc(sizeof(int64));
		unsigned	rights_there;

		*project_id = DatumGetInt64(registry_scan_get(&scan, project));
		rights_there = access_rights(*project_id);
		if ((rights_there & RIGHT_BIT(RIGHT_SEE)) == 0 || !is_meant(reference, *project_id))
			continue;
		projects = lappend(projects, project_id);
		*rights = rights_there;
		memset(ref, 0, sizeof(*ref));
		ref->project_id = *project_id;
		ref->model_id = DatumGetInt64(registry_scan_get(&scan, id));
		strlcpy(ref->model_name, reference->model, sizeof(ref->model_name));
	}
	registry_scan_close(&scan);
	if (list_length(projects) > 1)
		refuse_ambiguous(reference->model, projects);
	return projects != NIL;
}

/* "versions 1 to 3, 5 exist"; NULL where there is none. */
static char *
list_versions(int64 model_id)
{
	RegistryScan scan;
	StringInfoData list;
	int32		first = 0;
	int32		last = 0;
	int			n = 0;
	bool		more = true;

	initStringInfo(&list);
	registry_scan_open(&scan, "model_version");

	AttrNumber	version = registry_scan_column(&scan, "version");

	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_start(&scan, "model_version_pkey");
	while (more)
	{
		int32		next = 0;

		more = registry_scan_next(&scan);
		if (more)
			next = DatumGetInt32(registry_scan_get(&scan, version));
		n += more ? 1 : 0;
		if (more && last > 0 && next == last + 1)
		{
			last = next;
			continue;
		}
		if (last > 0)
		{
			appendStringInfo(&list, "%s%d", list.len > 0 ? ", " : "", first);
			if (last > first)
				appendStringInfo(&list, " to %d", last);
		}
		first = last = next;
	}
	registry_scan_close(&scan);
	if (n == 0)
		return NULL;
	return psprintf(n == 1 ? "version %s exists" : "versions %s exist", list.data);
}

/* OBJECT_NOT_IN_PREREQUISITE_STATE for a version that answers nobody any more. */
static void
refuse_revoked(const ModelRef *ref)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("version %d of model \"%s\" is revoked", ref->version, ref->model_name),
			 errhint("It was taken out of service for good; mlops.revocation says why.")));
}

/* Reads the hash of the version, and whether it is revoked; false where there is no such version. */
static bool
find_version(ModelRef *ref, bool *revoked)
{
	RegistryScan scan;
	bool		found;

	registry_scan_open(&scan, "model_version");
	registry_scan_key_int64(&scan, "model_id", ref->model_id);
	registry_scan_key_int32(&scan, "version", ref->version);
	registry_scan_start(&scan, "model_version_pkey");
	found = registry_scan_next(&scan);
	if (found)
	{
		bytea	   *hash = DatumGetByteaPP(registry_scan_get(&scan, registry_scan_column(&scan, "sha256")));

		if (VARSIZE_ANY_EXHDR(hash) != REGISTRY_HASH_SIZE)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("the hash of version %d of model \"%s\" has %zu bytes", ref->version, ref->model_name,
							(size_t) VARSIZE_ANY_EXHDR(hash))));
		memcpy(ref->sha256, VARDATA_ANY(hash), REGISTRY_HASH_SIZE);
		ref->size = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "size")));
		*revoked = DatumGetBool(registry_scan_get(&scan, registry_scan_column(&scan, "revoked")));
		registry_check_size(ref->model_id, ref->version, ref->size);
	}
	registry_scan_close(&scan);
	return found;
}

/* UNDEFINED_OBJECT for a version, with those that exist. */
static void
unknown_version(const ModelRef *ref, const char *selector)
{
	char	   *versions = list_versions(ref->model_id);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %s", ref->model_name, selector),
			 versions != NULL ? errdetail("Of this model, %s.", versions) : errdetail("It has no versions."),
			 errhint("Name one that exists, or train a new one.")));
}

/* Version of an alias; UNDEFINED_OBJECT with the aliases that exist, for those who may view them. */
static int32
alias_version(const ModelRef *ref, const char *alias)
{
	RegistryScan scan;
	int32		version = 0;
	List	   *names = NIL;

	registry_scan_open(&scan, "alias");

	AttrNumber	name = registry_scan_column(&scan, "name");
	AttrNumber	version_column = registry_scan_column(&scan, "version");

	registry_scan_key_int64(&scan, "model_id", ref->model_id);
	registry_scan_start(&scan, "alias_pkey");
	while (version == 0 && registry_scan_next(&scan))
	{
		char	   *candidate = registry_scan_text(&scan, name);

		if (strcmp(candidate, alias) == 0)
			version = DatumGetInt32(registry_scan_get(&scan, version_column));
		names = lappend(names, candidate);
	}
	registry_scan_close(&scan);
	if (version == 0 && names == NIL && access_allowed(ref->project_id, RIGHT_VIEW))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no alias \"%s\"", ref->model_name, alias),
				 errdetail("It has no aliases."),
				 errhint("mlops.set_alias() makes one.")));
	if (version == 0)
	{
		const char **array = palloc((list_length(names) + 1) * sizeof(char *));
		ListCell   *cell;

		foreach(cell, names)
			array[foreach_current_index(cell)] = lfirst(cell);
		report_unknown_name(ERRCODE_UNDEFINED_OBJECT,
							psprintf("model \"%s\" has no alias \"%s\"", ref->model_name, alias),
							"aliases of this model", alias, array, access_allowed(ref->project_id, RIGHT_VIEW) ? list_length(names) : 0);
	}
	return version;
}

/* The newest version that exists, or 0. */
static int32
newest_version(int64 model_id)
{
	RegistryScan scan;
	int32		newest = 0;

	registry_scan_open(&scan, "model_version");

	AttrNumber	version = registry_scan_column(&scan, "version");

	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_start(&scan, "model_version_pkey");
	while (registry_scan_next(&scan))
		newest = DatumGetInt32(registry_scan_get(&scan, version));
	registry_scan_close(&scan);
	return newest;
}

/* What a bare name stands for. */
static int32
bare_version(ModelRef *ref, BareName bare)
{
	int32		version = 0;

	switch (bare)
	{
		case BARE_MODEL:
			return 0;
		case BARE_NEWEST:
			version = newest_version(ref->model_id);
			break;
		case BARE_LIVE:
			version = registry_live_deployment(ref);
			break;
	}
	if (version == 0)
	{
		char	   *versions = list_versions(ref->model_id);

		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 versions == NULL
				 ? errmsg("model \"%s\" has no versions", ref->model_name)
				 : errmsg("model \"%s\" is not deployed", ref->model_name),
				 versions == NULL
				 ? errhint("Train one with mlops.train().")
				 : errhint("Deploy it with mlops.deploy('%s'), or name a version, such as '%s@%d'; %s.",
						   ref->model_name, ref->model_name, newest_version(ref->model_id), versions)));
	}
	return version;
}

/* Looks up what a reference means. */
static void
look_up(const char *text, BareName bare, Right right, ModelRef *ref)
{
	Reference	reference;
	unsigned	rights;
	bool		revoked = false;

	parse_reference(text, &reference);
	if (bare == BARE_MODEL && reference.selector != NULL)
		refuse_reference(text, "a model is meant here, not one of its versions");
	if (!find_model(&reference, ref, &rights))
		unknown_model(&reference);
	if ((rights & RIGHT_BIT(right)) == 0)
		access_refuse(ref->project_id, right, ref->model_name);

	if (reference.selector == NULL)
		ref->version = bare_version(ref, bare);
	else if (reference.version != 0)
		ref->version = reference.version;
	else
		ref->version = alias_version(ref, reference.selector);
	if (ref->version != 0 && !find_version(ref, &revoked))
		unknown_version(ref, reference.version != 0 ? reference.selector : psprintf("%d", ref->version));
	if (revoked && right == RIGHT_PREDICT)
		refuse_revoked(ref);
}

/* Resolves a reference and requires a right. */
void
registry_resolve(const char *text, BareName bare, Right right, ModelRef *ref)
{
	ResolveTicket ticket;

	if (resolve_cache_recall(&ticket, text, bare, right, ref))
		return;
	look_up(text, bare, right, ref);
	resolve_cache_remember(&ticket, text, bare, right, ref);
}

/* Looks for a model that need not exist. */
bool
registry_find(const char *text, ModelRef *ref)
{
	Reference	reference;
	unsigned	rights;

	parse_reference(text, &reference);
	if (reference.selector != NULL)
		refuse_reference(text, "a model is meant here, not one of its versions");
	return find_model(&reference, ref, &rights);
}

/* A meaning of bare names by the word that SQL has for it. */
static BareName
bare_by_name(const char *name)
{
	if (strcmp(name, "live") == 0)
		return BARE_LIVE;
	if (strcmp(name, "newest") == 0)
		return BARE_NEWEST;
	if (strcmp(name, "model") == 0)
		return BARE_MODEL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown meaning of a bare name \"%s\"", name),
			 errhint("It is live, newest or model.")));
}

/* mlops.resolve_model(reference, bare, "right") returns (project_id, model_id, version); version is NULL for the model as such. */
Datum
mlops_resolve_model(PG_FUNCTION_ARGS)
{
	TupleDesc	row_type;
	ModelRef	ref;

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "resolve_model() must return a row");
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)),
					 bare_by_name(text_to_cstring(PG_GETARG_TEXT_PP(1))),
					 right_by_name(text_to_cstring(PG_GETARG_TEXT_PP(2))),
					 &ref);

	Datum		values[] = {Int64GetDatum(ref.project_id), Int64GetDatum(ref.model_id), Int32GetDatum(ref.version)};
	bool		nulls[] = {false, false, ref.version == 0};

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls)));
}
