/*
 * project.c
 *		Where a new version goes: which project, which model.
 *
 * A caller's own project is found by a flag of its owner's membership, never
 * by a name, so that nobody can take the place of it, and a role that is
 * renamed keeps it.
 */
#include "registry.h"

#include <ctype.h>

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "registry_scan.h"
#include "../report.h"
#include "../settings.h"

/* The number in "#12", or 0. */
int64
registry_project_number(const char *name)
{
	size_t		n_digits = name[0] == '#' ? strspn(name + 1, "0123456789") : 0;

	/* the longest numbers are larger than any project's */
	return n_digits > 0 && n_digits < 19 && name[1 + n_digits] == '\0' ? strtoll(name + 1, NULL, 10) : 0;
}

/* The project of this name that the caller sees; UNDEFINED_OBJECT with the nearest name, AMBIGUOUS_ALIAS. */
int64
registry_find_project(const char *name)
{
	RegistryScan scan;
	size_t		capacity = 64;
	size_t		n = 0;
	const char **names = palloc(capacity * sizeof(char *));
	int64		number = registry_project_number(name);
	int64		found = 0;
	bool		ambiguous = false;

	registry_scan_open(&scan, "project");

	AttrNumber	id_column = registry_scan_column(&scan, "id");
	AttrNumber	name_column = registry_scan_column(&scan, "name");

	registry_scan_start(&scan, NULL);
	while (registry_scan_next(&scan))
	{
		int64		id = DatumGetInt64(registry_scan_get(&scan, id_column));
		char	   *candidate = registry_scan_text(&scan, name_column);

		if (!access_allowed(id, RIGHT_SEE))
			continue;
		if (n == capacity)
			names = repalloc_huge(names, (capacity *= 2) * sizeof(char *));
		names[n++] = candidate;
		if (number != 0 ? id != number : strcmp(candidate, name) != 0)
			continue;
		ambiguous = found != 0;
		found = id;
	}
	registry_scan_close(&scan);
	if (ambiguous)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_ALIAS),
				 errmsg("project name \"%s\" is ambiguous", name),
				 errdetail("Several projects of this name, of different owners, are visible to you."),
				 errhint("Rename one of them.")));
	if (found == 0)
		report_unknown_name(ERRCODE_UNDEFINED_OBJECT, psprintf("project \"%s\" does not exist", name),
							"projects that you may see", name, names, (int) n);
	return found;
}

/* The caller's own project under the active snapshot, or 0. */
static int64
find_personal(void)
{
	RegistryScan scan;
	int64		id = 0;

	registry_scan_open(&scan, "project_member");
	registry_scan_key_oid(&scan, "member", GetUserId());
	registry_scan_start(&scan, "project_member_personal_key");
	if (registry_scan_next(&scan))
		id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "project_id")));
	registry_scan_close(&scan);
	return id;
}

/* Makes the caller's own project, unless another session of the same role was faster. */
static int64
make_personal(void)
{
	Oid			types[] = {TEXTOID, INT8OID, OIDOID};
	Datum		values[] = {CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)), (Datum) 0, ObjectIdGetDatum(GetUserId())};
	int64		id;

	/* Such a session is waited for; what it made, a snapshot from before does not show. */
	LockSharedObject(AuthIdRelationId, GetUserId(), 0, ShareUpdateExclusiveLock);
	PushActiveSnapshot(GetLatestSnapshot());
	id = find_personal();
	PopActiveSnapshot();
	if (id != 0)
		return id;

	values[1] = registry_execute("insert into mlops.project (name, goal, owner_name, is_personal) "
								 "values ($1, 'Models trained without a project', $1, true) returning id",
								 1, types, values, NULL, NULL);
	registry_execute("insert into mlops.project_member (project_id, member, access, granted_by, is_personal) "
					 "values ($2, $3::pg_catalog.regrole, 'owner', $1, true)",
					 3, types, values, NULL, NULL);
	return DatumGetInt64(values[1]);
}

/* The project that a new model goes to. */
int64
registry_project(const char *project_name)
{
	int64		project_id;

	if (project_name == NULL && settings_project != NULL && settings_project[0] != '\0')
		project_name = settings_project;
	if (project_name != NULL)
	{
		project_id = registry_find_project(project_name);
		access_require(project_id, RIGHT_TRAIN, NULL);
		return project_id;
	}

	project_id = find_personal();
	return project_id != 0 ? project_id : make_personal();
}

/* INVALID_NAME for a name that a model cannot have. */
static void
check_model_name(const char *name)
{
	size_t		length = strlen(name);

	if (length == 0 || length > REGISTRY_NAME_BYTES || strpbrk(name, "/@") != NULL ||
		isspace((unsigned char) name[0]) || isspace((unsigned char) name[length - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" cannot be the name of a model", name),
				 errdetail("A name has 1 to %d bytes, no \"/\" and no \"@\", and no space at its ends.", REGISTRY_NAME_BYTES),
				 strchr(name, '@') != NULL ? errhint("A new version gets the next number by itself.") : 0));
}

/* Says so where a bare name leads into a project of others, whose owners will see what the caller trains. */
static void
tell_foreign(const ModelRef *target)
{
	const char *project = registry_project_name(target->project_id);

	if (access_allowed(target->project_id, RIGHT_OWN) || (settings_project != NULL && strcmp(settings_project, project) == 0))
		return;
	ereport(NOTICE,
			(errmsg("model \"%s\" is in project \"%s\": its members will see this version", target->model_name, project),
			 errhint("Write '%s/%s' to say so, or name another project.", project, target->model_name)));
}

/* Where a new version of a model goes. */
void
registry_target(const char *model, const char *project, ModelRef *target)
{
	const char *slash = strchr(model, '/');
	char	   *prefix = slash != NULL ? pnstrdup(model, slash - model) : NULL;

	if (prefix != NULL && project != NULL && strcmp(prefix, project) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" and argument \"project\" (\"%s\") name different projects", model, project),
				 errhint("Name the project once.")));
	if (prefix == NULL && project == NULL)
	{
		check_model_name(model);
		if (registry_find(model, target))
		{
			access_require(target->project_id, RIGHT_TRAIN, target->model_name);
			tell_foreign(target);
			return;
		}
	}
	memset(target, 0, sizeof(*target));
	model = slash != NULL ? slash + 1 : model;
	check_model_name(model);
	strlcpy(target->model_name, model, sizeof(target->model_name));
	target->project_id = registry_project(prefix != NULL ? prefix : project);
}

/* The project and the name of a model. */
bool
registry_find_model(int64 model_id, ModelRef *ref)
{
	RegistryScan scan;
	bool		found;

	registry_scan_open(&scan, "model");
	registry_scan_key_int64(&scan, "id", model_id);
	registry_scan_start(&scan, "model_pkey");
	found = registry_scan_next(&scan);
	if (found)
	{
		memset(ref, 0, sizeof(*ref));
		ref->model_id = model_id;
		ref->project_id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "project_id")));
		strlcpy(ref->model_name, registry_scan_text(&scan, registry_scan_column(&scan, "name")), sizeof(ref->model_name));
	}
	registry_scan_close(&scan);
	return found;
}
