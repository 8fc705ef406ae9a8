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

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "../byte_value.h"
#include "../compat.h"
#include "../report.h"

#define A_MODEL	"a model"

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

/* An artifact that comes from outside, validated; its texts must be valid in the database's encoding, too. */
static Datum
validate_foreign(struct varlena *artifact)
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
	return PointerGetDatum(artifact);
}

/* Text form: base64. */
Datum
mlops_artifact_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(validate_foreign(byte_value_in(PG_GETARG_CSTRING(0), "mlops.artifact", A_MODEL)));
}

/* Text form: base64. */
Datum
mlops_artifact_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(byte_value_out(PG_GETARG_ARTIFACT(0), A_MODEL));
}

/* Binary form: the bytes behind the length word. */
Datum
mlops_artifact_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(validate_foreign(byte_value_recv((StringInfo) PG_GETARG_POINTER(0), A_MODEL)));
}

/* Binary form. */
Datum
mlops_artifact_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(byte_value_send(PG_GETARG_ARTIFACT(0)));
}

/* Cast from bytea. */
Datum
mlops_artifact_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_DATUM(validate_foreign(byte_value_of(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), A_MODEL)));
}

/* Cast to bytea: the same bytes, the same length word. */
Datum
mlops_artifact_to_bytea(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_ARTIFACT(0));
}
