/*
 * move.c
 *		Models on their way out of the registry, into it, and to their end.
 *
 * drop_model() is the only way in which versions disappear.  Triggers refuse
 * every other change (mlops.refuse_change()); they let deletions through while
 * drop_model()'s own statements run, which a static flag says.
 */
#include "registry.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "artifact.h"
#include "registry_scan.h"
#include "../cache/shared_forget.h"
#include "../report.h"

static bool dropping;			/* drop_model()'s own statements are running */

PG_FUNCTION_INFO_V1(mlops_export_model);
PG_FUNCTION_INFO_V1(mlops_import_model);
PG_FUNCTION_INFO_V1(mlops_drop_model);
PG_FUNCTION_INFO_V1(mlops_refuse_change);

/* export_model(model): the version as a value. */
Datum
mlops_export_model(PG_FUNCTION_ARGS)
{
	ModelRef	ref;
	struct varlena *artifact;
	Model		model;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_TRAIN, &ref);
	artifact = registry_load(ref.model_id, ref.version);
	artifact_open(&model, artifact);
	PG_RETURN_POINTER(artifact);
}

/* import_model(name, artifact, project): the number of the new version, whose metrics are the importer's claim. */
Datum
mlops_import_model(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		report_null_argument("import_model()", "name");
	if (PG_ARGISNULL(1))
		report_null_argument("import_model()", "artifact");

	struct varlena *artifact = PG_GETARG_ARTIFACT(1);
	ModelRef	target;
	Model		model;

	artifact_open(&model, artifact);
	registry_target(text_to_cstring(PG_GETARG_TEXT_PP(0)),
					PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)), &target);

	NewVersion	version = {
		.project_id = target.project_id,
		.model_name = target.model_name,
		.artifact = artifact,
		.model = &model,
		.origin = "reported",
		.params = artifact_params(&model),
		.metrics = artifact_metrics(&model)
	};

	PG_RETURN_INT32(registry_store(&version));
}

/* Refuses to drop what is deployed or has an alias; version 0 means all of the model. */
static void
require_unused(const ModelRef *ref, int32 version)
{
	Oid			types[] = {INT8OID, INT4OID};
	Datum		values[] = {Int64GetDatum(ref->model_id), Int32GetDatum(version)};
	int32		live;
	bool		unused;
	Datum		found;

	/* Also one made since this transaction's snapshot, which repeatable read would not see. */
	PushActiveSnapshot(GetLatestSnapshot());
	live = registry_live_version(ref->model_id);
	PopActiveSnapshot();
	if (live != 0 && (version == 0 || version == live))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("version %d of model \"%s\" is deployed", live, ref->model_name),
				 errhint("Deploy another version first, or end it with mlops.undeploy('%s').", ref->model_name)));

	found = registry_execute("select pg_catalog.format('version %s of model \"%s\" has the alias \"%s\"', a.version, m.name, a.name) "
							 "from mlops.alias a join mlops.model m on m.id = a.model_id "
							 "where a.model_id = $1 and $2 in (0, a.version) order by a.name limit 1",
							 2, types, values, NULL, &unused);
	if (!unused)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("%s", TextDatumGetCString(found)),
				 errhint("Move it with mlops.set_alias(), or remove it with mlops.drop_alias().")));
}

/* Lets the shared cache free what is dropped, when that commits. */
static void
forget_versions(const ModelRef *ref, int32 version)
{
	RegistryScan scan;

	registry_scan_open(&scan, "model_version");

	AttrNumber	sha256 = registry_scan_column(&scan, "sha256");

	registry_scan_key_int64(&scan, "model_id", ref->model_id);
	if (version != 0)
		registry_scan_key_int32(&scan, "version", version);
	registry_scan_start(&scan, "model_version_pkey");
	while (registry_scan_next(&scan))
	{
		bytea	   *hash = DatumGetByteaPP(registry_scan_get(&scan, sha256));

		shared_forget((const uint8 *) VARDATA_ANY(hash));
	}
	registry_scan_close(&scan);
}

/* Runs drop_model()'s statements. */
static void
delete_versions(const ModelRef *ref, int32 version)
{
	Oid			types[] = {INT8OID, INT4OID};
	Datum		values[] = {Int64GetDatum(ref->model_id), Int32GetDatum(version)};

	dropping = true;
	PG_TRY();
	{
		if (version == 0)
			registry_execute("delete from mlops.model where id = $1", 1, types, values, NULL, NULL);
		else
		{
			registry_execute("delete from mlops.model_version where model_id = $1 and version = $2", 2, types, values, NULL, NULL);

			/* Whoever deploys under a snapshot from before, and would still see the version, fails to lock this row. */
			registry_execute("update mlops.model set last_version = last_version where id = $1", 1, types, values, NULL, NULL);
		}
	}
	PG_FINALLY();
	{
		dropping = false;
	}
	PG_END_TRY();
}

/* drop_model(model, version): removes a version, or the model with all that it has. */
Datum
mlops_drop_model(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		report_null_argument("drop_model()", "model");

	char	   *reference = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int32		version = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
	Oid			types[] = {INT8OID};
	Datum		key;
	bool		gone;
	ModelRef	ref;

	/* Through the reference, a version that does not exist is the usual error. */
	registry_resolve(reference, BARE_MODEL, RIGHT_OWN, &ref);
	if (!PG_ARGISNULL(1))
		registry_resolve(psprintf("%s@%d", reference, version), BARE_LIVE, RIGHT_OWN, &ref);

	/* Deploying and naming lock the model, too: what is unused now stays so. */
	key = Int64GetDatum(ref.model_id);
	registry_execute("select m.id from mlops.model m where m.id = $1 for update", 1, types, &key, NULL, &gone);
	if (gone)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was dropped meanwhile", ref.model_name)));
	require_unused(&ref, version);
	forget_versions(&ref, version);
	delete_versions(&ref, version);
	PG_RETURN_VOID();
}

/* Trigger: what was written stays, but for drop_model(). */
Datum
mlops_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("mlops.refuse_change() is a trigger")));
	if (dropping && TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		return PointerGetDatum(TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ? trigger->tg_trigtuple : NULL);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("rows of mlops.%s are immutable", RelationGetRelationName(trigger->tg_relation)),
			 errhint("mlops.drop_model() removes versions that are neither deployed nor named by an alias.")));
}
