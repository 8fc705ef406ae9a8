/*
 * artifact.c
 *		The SQL type mlops.artifact: input, output, casts from and to bytea.
 *
 * An artifact is a varlena whose length word is the first field of core's
 * ArtifactHeader; the model's own bytes begin behind it, with "MLOP".  These
 * are what the text form (base64), the binary form and the cast to bytea hold.
 * They depend on no setting, and each way in validates them as hostile.
 *
 * The type's alignment is double, and core reads the bytes in place.  palloc
 * and detoasting give such memory.
 */
#include "artifact.h"

#include "common/base64.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "report.h"

PG_FUNCTION_INFO_V1(mlops_artifact_in);
PG_FUNCTION_INFO_V1(mlops_artifact_out);
PG_FUNCTION_INFO_V1(mlops_artifact_recv);
PG_FUNCTION_INFO_V1(mlops_artifact_send);
PG_FUNCTION_INFO_V1(mlops_artifact_from_bytea);
PG_FUNCTION_INFO_V1(mlops_artifact_to_bytea);

/* Opens an artifact that is whole in memory. */
void
artifact_open(Model *model, const struct varlena *artifact)
{
	Error		error;

	if (!model_open(model, artifact, VARSIZE(artifact), &error))
	{
		if (error.hint[0] == '\0')
			error_hint(&error, "The bytes are damaged, cut off, or of another release; export the model again.");
		report_error(&error);
	}
}

/* A value as artifact_open() needs it. */
struct varlena *
artifact_detoast(Datum value)
{
	struct varlena *artifact = PG_DETOAST_DATUM(value);

	if ((uintptr_t) artifact % MAXIMUM_ALIGNOF != 0)
	{
		struct varlena *copy = palloc(VARSIZE(artifact));

		memcpy(copy, artifact, VARSIZE(artifact));
		artifact = copy;
	}
	return artifact;
}

/* An artifact with room for so many bytes behind the length word. */
static struct varlena *
new_artifact(size_t size)
{
	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a model of %zu bytes is too large for a value of type mlops.artifact", size),
				 errdetail("A value can have at most %zu bytes.", (size_t) MaxAllocSize - VARHDRSZ)));

	struct varlena *artifact = palloc(VARHDRSZ + size);

	SET_VARSIZE(artifact, VARHDRSZ + size);
	return artifact;
}

/* Opens an artifact that comes from outside; its texts must be valid in the database's encoding, too. */
static void
validate_foreign(const struct varlena *artifact)
{
	Model		model;

	artifact_open(&model, artifact);

	const char *text = model.strings;
	const char *end = text + model.header->sections[SECTION_STRINGS].size;

	for (; text < end; text += strlen(text) + 1)
	{
		if (!pg_verifymbstr(text, (int) strlen(text), true))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("the model holds text that is not valid in encoding \"%s\"", GetDatabaseEncodingName()),
					 errhint("Models move between databases of the same encoding.")));
	}
}

/* A validated artifact with a copy of these bytes. */
static struct varlena *
artifact_from_bytes(const void *bytes, size_t size)
{
	struct varlena *artifact = new_artifact(size);

	memcpy(VARDATA(artifact), bytes, size);
	validate_foreign(artifact);
	return artifact;
}

/* Text form: base64. */
Datum
mlops_artifact_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	size_t		length = strlen(text);
	struct varlena *artifact = new_artifact(pg_b64_dec_len((int) length));
	int			size = pg_b64_decode(text, (int) length, (void *) VARDATA(artifact), pg_b64_dec_len((int) length));

	if (size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type mlops.artifact"),
				 errhint("The text form is base64, as the type's output gives it.")));
	SET_VARSIZE(artifact, VARHDRSZ + size);
	validate_foreign(artifact);
	PG_RETURN_POINTER(artifact);
}

/* Text form: base64. */
Datum
mlops_artifact_out(PG_FUNCTION_ARGS)
{
	struct varlena *artifact = PG_GETARG_ARTIFACT(0);
	size_t		size = VARSIZE(artifact) - VARHDRSZ;

	/* Four characters for three bytes, and the 0 behind them. */
	if (size > MaxAllocSize / 4 * 3 - 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a model of %zu bytes is too large for its text form", size),
				 errhint("Use the binary form, or the version in the registry.")));

	int			capacity = pg_b64_enc_len((int) size);
	char	   *text = palloc(capacity + 1);
	int			length = pg_b64_encode((const void *) VARDATA(artifact), (int) size, text, capacity);

	if (length < 0)
		elog(ERROR, "could not encode a model of %zu bytes", size);
	text[length] = '\0';
	PG_RETURN_CSTRING(text);
}

/* Binary form: the bytes behind the length word. */
Datum
mlops_artifact_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;

	PG_RETURN_POINTER(artifact_from_bytes(pq_getmsgbytes(message, size), size));
}

/* Binary form. */
Datum
mlops_artifact_send(PG_FUNCTION_ARGS)
{
	struct varlena *artifact = PG_GETARG_ARTIFACT(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbytes(&message, VARDATA(artifact), (int) (VARSIZE(artifact) - VARHDRSZ));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* Cast from bytea. */
Datum
mlops_artifact_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_POINTER(artifact_from_bytes(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
}

/* Cast to bytea: the same bytes, the same length word. */
Datum
mlops_artifact_to_bytea(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_ARTIFACT(0));
}
