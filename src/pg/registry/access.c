/*
 * access.c
 *		The caller's rights in projects.
 *
 * mlops.project_member is read as it is under the active snapshot, past the
 * row security that itself rests on this file: a grant or a revoke counts
 * from the next statement of its own transaction on, and for others from its
 * commit.  Whether the caller has the rights of a member is asked of
 * PostgreSQL's own membership cache; a member that was dropped since is an
 * OID that nobody has the rights of.
 */
#include "registry.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "registry_scan.h"

/* What each level lets its members do. */
typedef struct AccessLevel
{
	const char *name;
	unsigned	rights;			/* RIGHT_BITs */
} AccessLevel;

static const AccessLevel access_levels[] = {
	{"viewer", RIGHT_BIT(RIGHT_SEE) | RIGHT_BIT(RIGHT_VIEW)},
	{"predictor", RIGHT_BIT(RIGHT_SEE) | RIGHT_BIT(RIGHT_PREDICT)},
	{"scientist", RIGHT_BIT(RIGHT_SEE) | RIGHT_BIT(RIGHT_VIEW) | RIGHT_BIT(RIGHT_PREDICT) | RIGHT_BIT(RIGHT_TRAIN)},
	{"reviewer", RIGHT_BIT(RIGHT_SEE) | RIGHT_BIT(RIGHT_VIEW) | RIGHT_BIT(RIGHT_REVIEW)},
	{"operator", RIGHT_BIT(RIGHT_SEE) | RIGHT_BIT(RIGHT_VIEW) | RIGHT_BIT(RIGHT_PREDICT) | RIGHT_BIT(RIGHT_DEPLOY)},
	{"owner", ~0u}
};

/* Names of rights as SQL has them; index = Right. */
static const char *const right_names[] = {"see", "view", "predict", "train", "review", "deploy", "own"};

/* What each right is for, in the words of an error; index = Right. */
static const char *const right_purposes[] = {
	"see", "read the registry of", "predict with", "train or export", "review", "deploy or name versions of", "administer"
};

PG_FUNCTION_INFO_V1(mlops_accessible_projects);
PG_FUNCTION_INFO_V1(mlops_rights_of);

/* A right by its name; INVALID_PARAMETER_VALUE with the list. */
Right
right_by_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(right_names); i++)
	{
		if (strcmp(name, right_names[i]) == 0)
			return (Right) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown right \"%s\"", name),
			 errhint("The rights are see, view, predict, train, review, deploy and own.")));
}

/* The rights of a level; 0 where there is none of that name. */
static unsigned
level_rights(const text *name)
{
	for (int i = 0; i < (int) lengthof(access_levels); i++)
	{
		const AccessLevel *level = &access_levels[i];

		if (VARSIZE_ANY_EXHDR(name) == strlen(level->name) &&
			memcmp(VARDATA_ANY(name), level->name, strlen(level->name)) == 0)
			return level->rights;
	}
	return 0;
}

/* The rights that a row of project_member gives the caller; 0 where the caller is not that member. */
static unsigned
granted_rights(const RegistryScan *scan, AttrNumber member, AttrNumber access)
{
	if (!has_privs_of_role(GetUserId(), DatumGetObjectId(registry_scan_get(scan, member))))
		return 0;
	return level_rights(DatumGetTextPP(registry_scan_get(scan, access)));
}

/* The caller's rights in a project. */
unsigned
access_rights(int64 project_id)
{
	if (superuser())
		return ~0u;

	RegistryScan scan;
	unsigned	rights = 0;

	registry_scan_open(&scan, "project_member");

	AttrNumber	member = registry_scan_column(&scan, "member");
	AttrNumber	access = registry_scan_column(&scan, "access");

	registry_scan_key_int64(&scan, "project_id", project_id);
	registry_scan_start(&scan, "project_member_pkey");
	while (registry_scan_next(&scan))
		rights |= granted_rights(&scan, member, access);
	registry_scan_close(&scan);
	return rights;
}

/* Whether the caller has a right in a project. */
bool
access_allowed(int64 project_id, Right right)
{
	return (access_rights(project_id) & RIGHT_BIT(right)) != 0;
}

/* Requires a right in a project. */
void
access_require(int64 project_id, Right right, const char *model_name)
{
	if (!access_allowed(project_id, right))
		access_refuse(project_id, right, model_name);
}

/* Refuses what takes a right; model_name may be NULL, where it is about the project as such. */
void
access_refuse(int64 project_id, Right right, const char *model_name)
{
	StringInfoData levels;

	initStringInfo(&levels);
	for (int i = 0; i < (int) lengthof(access_levels); i++)
	{
		if ((access_levels[i].rights & RIGHT_BIT(right)) != 0)
			appendStringInfo(&levels, "%s%s",
							 levels.len == 0 ? "" : i == (int) lengthof(access_levels) - 1 ? " or " : ", ",
							 access_levels[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 model_name != NULL
			 ? errmsg("permission denied to %s model \"%s\"", right_purposes[right], model_name)
			 : errmsg("permission denied to %s models of project \"%s\"", right_purposes[right], registry_project_name(project_id)),
			 errhint("It takes access as %s; an owner of the project gives it with mlops.grant_access().", levels.data)));
	pg_unreachable();
}

/* Collects the projects in which the caller has a right; a project may come more than once. */
static int64 *
accessible_projects(Right right, uint64 *n)
{
	bool		everything = superuser();
	size_t		capacity = 64;
	int64	   *projects = palloc(capacity * sizeof(int64));
	RegistryScan scan;
	AttrNumber	id;
	AttrNumber	member = InvalidAttrNumber;
	AttrNumber	access = InvalidAttrNumber;

	registry_scan_open(&scan, everything ? "project" : "project_member");
	id = registry_scan_column(&scan, everything ? "id" : "project_id");
	if (!everything)
	{
		member = registry_scan_column(&scan, "member");
		access = registry_scan_column(&scan, "access");
	}
	registry_scan_start(&scan, NULL);
	*n = 0;
	while (registry_scan_next(&scan))
	{
		if (!everything && (granted_rights(&scan, member, access) & RIGHT_BIT(right)) == 0)
			continue;
		if (*n == capacity)
		{
			capacity *= 2;
			projects = repalloc_huge(projects, capacity * sizeof(int64));
		}
		projects[(*n)++] = DatumGetInt64(registry_scan_get(&scan, id));
	}
	registry_scan_close(&scan);
	return projects;
}

/* mlops.accessible_projects("right" text) returns setof bigint: for policies, as a hashed sub-select. */
Datum
mlops_accessible_projects(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;

	if (SRF_IS_FIRSTCALL())
	{
		call = SRF_FIRSTCALL_INIT();

		MemoryContext old = MemoryContextSwitchTo(call->multi_call_memory_ctx);

		call->user_fctx = accessible_projects(right_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0))), &call->max_calls);
		MemoryContextSwitchTo(old);
	}
	call = SRF_PERCALL_SETUP();
	if (call->call_cntr < call->max_calls)
	{
		/* SRF_RETURN_NEXT counts on before it evaluates its argument */
		int64		project = ((int64 *) call->user_fctx)[call->call_cntr];

		SRF_RETURN_NEXT(call, Int64GetDatum(project));
	}
	SRF_RETURN_DONE(call);
}

/* mlops.rights_of(access text[]) returns text[]: the rights of all these levels together, in their order. */
Datum
mlops_rights_of(PG_FUNCTION_ARGS)
{
	ArrayType  *levels = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *level;
	bool	   *is_null;
	int			n_levels;
	unsigned	rights = 0;
	Datum		names[lengthof(right_names)];
	int			n_names = 0;

	deconstruct_array(levels, TEXTOID, -1, false, TYPALIGN_INT, &level, &is_null, &n_levels);
	for (int i = 0; i < n_levels; i++)
	{
		if (!is_null[i])
			rights |= level_rights(DatumGetTextPP(level[i]));
	}
	for (int i = 0; i < (int) lengthof(right_names); i++)
	{
		if ((rights & RIGHT_BIT(i)) != 0)
			names[n_names++] = CStringGetTextDatum(right_names[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n_names, TEXTOID, -1, false, TYPALIGN_INT));
}
