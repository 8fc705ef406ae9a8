/*
 * store.c
 *		Writing the registry as the extension's owner.
 *
 * Users have no right to write evidence.  The C code that calls this has
 * checked the caller's access; the write then runs as the owner of the
 * registry's tables, for one statement, with a search_path of its own.  An
 * error restores user, security context and settings with the transaction.
 *
 * Versions are numbered under the lock of their model's row, which the
 * statement that raises last_version takes and the transaction holds.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "../compat.h"
#include "../profile/reference.h"
#include "registry.h"

#define CHUNK_BYTES (1024 * 1024)

/* The role that owns the registry's tables. */
static Oid
registry_owner(void)
{
	Oid			table = get_relname_relid("model_version", get_namespace_oid("mlops", false));
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"mlops.model_version\" does not exist"),
				 errhint("Run \"create extension mlops\" in this database.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* A superuser who has switched row_security off for himself is taken for a restore: not within our own statements. */
void
registry_not_restoring(void)
{
	if (!row_security)
		(void) set_config_option("row_security", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Runs a statement, prepared at first where its plan is kept, reading only under
 * the active snapshot or writing; the first column of the first row, palloc'ed
 * in the caller's context.
 */
static Datum
execute(SPIPlanPtr *kept, bool reading, const char *statement, int n, const Oid *types, const Datum *values, const bool *nulls, bool *result_null)
{
	char	   *null_flags = palloc(n + 1);
	Datum		result = (Datum) 0;
	bool		is_null = true;
	Oid			user;
	int			security;
	int			nest_level;
	int			outcome;

	for (int i = 0; i < n; i++)
		null_flags[i] = nulls != NULL && nulls[i] ? 'n' : ' ';

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(registry_owner(), security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	registry_not_restoring();
	SPI_connect();

	if (kept != NULL && *kept == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(statement, n, unconstify(Oid *, types));

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "registry statement cannot be prepared: %s", SPI_result_code_string(SPI_result));
		*kept = plan;
	}
	outcome = kept != NULL ? SPI_execute_plan(*kept, unconstify(Datum *, values), null_flags, reading, 0)
		: SPI_execute_with_args(statement, n, unconstify(Oid *, types), unconstify(Datum *, values), null_flags, reading, 0);
	if (outcome < 0)
		elog(ERROR, "registry statement failed: %s", SPI_result_code_string(outcome));
	if (SPI_tuptable != NULL && SPI_processed > 0)
	{
		TupleDesc	row_type = SPI_tuptable->tupdesc;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], row_type, 1, &is_null);

		if (!is_null)
			result = SPI_datumTransfer(value, TupleDescAttr(row_type, 0)->attbyval, TupleDescAttr(row_type, 0)->attlen);
	}

	SPI_finish();
	AtEOXact_GUC(true, nest_level);
	SetUserIdAndSecContext(user, security);
	pfree(null_flags);
	if (result_null != NULL)
		*result_null = is_null;
	return result;
}

/* Runs one statement of the registry's own as its owner. */
Datum
registry_execute(const char *statement, int n, const Oid *types, const Datum *values, const bool *nulls, bool *result_null)
{
	return execute(NULL, false, statement, n, types, values, nulls, result_null);
}

/* The same for a statement that comes often. */
Datum
registry_execute_kept(struct _SPI_plan **plan, const char *statement, int n, const Oid *types, const Datum *values, const bool *nulls,
					  bool *result_null)
{
	return execute(plan, false, statement, n, types, values, nulls, result_null);
}

/* Asks the registry how things stand at this moment, whatever the transaction's snapshot shows. */
Datum
registry_ask_now(const char *statement, int n, const Oid *types, const Datum *values, bool *result_null)
{
	Datum		result;

	PushActiveSnapshot(GetLatestSnapshot());
	result = execute(NULL, true, statement, n, types, values, NULL, result_null);
	PopActiveSnapshot();
	return result;
}

/* SHA-256 of bytes, as bytea. */
Datum
registry_sha256(const uint8 *bytes, size_t size)
{
	bytea	   *digest = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0 || pg_cryptohash_update(hash, bytes, size) < 0 ||
		pg_cryptohash_final(hash, (uint8 *) VARDATA(digest), PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);
	SET_VARSIZE(digest, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	return PointerGetDatum(digest);
}

/* Finds or makes the model, and gives it its next version number. */
static int64
next_version(const NewVersion *new_version, int32 *version)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(new_version->project_id),
		CStringGetTextDatum(new_version->model_name),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};
	int64		model_id;
	Datum		key;

	model_id = DatumGetInt64(registry_execute("insert into mlops.model as m (project_id, name, last_version, created_by) values ($1, $2, 1, $3) "
											  "on conflict (name, project_id) do update set last_version = m.last_version + 1 "
											  "returning m.id",
											  3, types, values, NULL, NULL));
	key = Int64GetDatum(model_id);
	*version = DatumGetInt32(registry_execute("select m.last_version from mlops.model m where m.id = $1", 1, types, &key, NULL, NULL));
	return model_id;
}

/* The row of model_version. */
static void
store_version_row(const NewVersion *new_version, int64 model_id, int32 version)
{
	const uint8 *bytes = (const uint8 *) VARDATA(new_version->artifact);
	size_t		size = VARSIZE(new_version->artifact) - VARHDRSZ;
	Oid			types[] = {INT8OID, INT4OID, INT8OID, TEXTOID, TEXTOID, INT8OID, BYTEAOID, JSONBOID, JSONBOID, TEXTOID, TEXTOID};
	Datum		values[] = {
		Int64GetDatum(model_id),
		Int32GetDatum(version),
		Int64GetDatum(new_version->run_id),
		CStringGetTextDatum(new_version->model->algorithm->name),
		CStringGetTextDatum(task_name(new_version->model->task)),
		Int64GetDatum((int64) size),
		registry_sha256(bytes, size),
		JsonbPGetDatum(new_version->params),
		JsonbPGetDatum(new_version->metrics),
		CStringGetTextDatum(new_version->origin),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))
	};
	bool		nulls[lengthof(types)] = {0};

	nulls[2] = new_version->run_id == 0;
	registry_execute("insert into mlops.model_version "
					 "(model_id, version, run_id, algorithm, task, size, sha256, params, metrics, origin, created_by) "
					 "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
					 lengthof(types), types, values, nulls, NULL);
}

/* The rows of model_signature: the target at position 0, then the columns in order. */
static void
store_signature(const Model *model, int64 model_id, int32 version)
{
	int			n = (int) model->n_columns + 1;
	Datum	   *names = palloc(n * sizeof(Datum));
	Datum	   *type_names = palloc(n * sizeof(Datum));
	Datum	   *categories = palloc(n * sizeof(Datum));
	bool	   *no_categories = palloc(n * sizeof(bool));
	int			lower_bound = 0;
	Oid			types[] = {INT8OID, INT4OID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID};
	Datum		values[lengthof(types)];

	names[0] = CStringGetTextDatum(model_string(model, model->header->target_name));
	type_names[0] = CStringGetTextDatum(model_string(model, model->header->target_type));
	categories[0] = Int32GetDatum((int32) model->n_outputs);
	no_categories[0] = model->task == TASK_REGRESSION;
	for (int i = 1; i < n; i++)
	{
		const RecipeColumn *column = &model->columns[i - 1];

		names[i] = CStringGetTextDatum(model_string(model, column->name));
		type_names[i] = CStringGetTextDatum(model_string(model, column->type_name));
		categories[i] = Int32GetDatum((int32) column->n_categories);
		no_categories[i] = column->kind != KIND_CATEGORY;
	}
	values[0] = Int64GetDatum(model_id);
	values[1] = Int32GetDatum(version);
	values[2] = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
	values[3] = PointerGetDatum(construct_array(type_names, n, TEXTOID, -1, false, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_md_array(categories, no_categories, 1, &n, &lower_bound, INT4OID, 4, true, TYPALIGN_INT));
	registry_execute("insert into mlops.model_signature (model_id, version, position, name, type, role, categories) "
					 "select $1, $2, (c.n - 1)::integer, c.name, c.type, case when c.n = 1 then 'target' else 'feature' end, c.categories "
					 "from rows from (unnest($3), unnest($4), unnest($5)) with ordinality as c (name, type, categories, n)",
					 lengthof(types), types, values, NULL, NULL);
}

/* The rows of model_chunk: the bytes behind the varlena header in pieces. */
static void
store_chunks(const struct varlena *artifact, int64 model_id, int32 version)
{
	const char *bytes = VARDATA(artifact);
	size_t		size = VARSIZE(artifact) - VARHDRSZ;
	bytea	   *piece = palloc(VARHDRSZ + CHUNK_BYTES);
	Oid			types[] = {INT8OID, INT4OID, INT4OID, BYTEAOID};
	int32		chunk = 0;

	for (size_t offset = 0; offset < size; offset += CHUNK_BYTES, chunk++)
	{
		size_t		n = Min(size - offset, CHUNK_BYTES);
		Datum		values[] = {Int64GetDatum(model_id), Int32GetDatum(version), Int32GetDatum(chunk), PointerGetDatum(piece)};

		SET_VARSIZE(piece, VARHDRSZ + n);
		memcpy(VARDATA(piece), bytes + offset, n);
		registry_execute("insert into mlops.model_chunk (model_id, version, chunk, bytes) values ($1, $2, $3, $4)",
						 lengthof(types), types, values, NULL, NULL);
		CHECK_FOR_INTERRUPTS();
	}
	pfree(piece);
}

/* Stores a version; its number. */
int32
registry_store(const NewVersion *new_version)
{
	int32		version;
	int64		model_id = next_version(new_version, &version);

	store_version_row(new_version, model_id, version);
	store_signature(new_version->model, model_id, version);
	store_chunks(new_version->artifact, model_id, version);
	if (new_version->reference_size > 0)
		reference_store(model_id, version, new_version->reference, new_version->reference_size);
	return version;
}
