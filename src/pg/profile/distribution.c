/*
 * distribution.c
 *		The SQL type mlops.distribution: input, output, casts from and to bytea.
 *
 * A value is core's flat form behind a length word.  The text form is base64;
 * the binary form and the cast to bytea are the bytes.  Every way in
 * validates, and writes again what it read, so that equal distributions have
 * equal bytes.
 */
#include "distribution.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "../byte_value.h"
#include "../compat.h"
#include "../report.h"

#define A_DISTRIBUTION	"a distribution"

PG_FUNCTION_INFO_V1(mlops_distribution_in);
PG_FUNCTION_INFO_V1(mlops_distribution_out);
PG_FUNCTION_INFO_V1(mlops_distribution_recv);
PG_FUNCTION_INFO_V1(mlops_distribution_send);
PG_FUNCTION_INFO_V1(mlops_distribution_from_bytea);
PG_FUNCTION_INFO_V1(mlops_distribution_to_bytea);

/* A value with the flat form. */
Datum
distribution_datum(const Distribution *distribution)
{
	struct varlena *value = byte_value_new(distribution_size(distribution), A_DISTRIBUTION);

	distribution_write(distribution, (uint8_t *) VARDATA(value));
	return PointerGetDatum(value);
}

/* A value of bytes from outside, validated and written anew; its texts must be valid in the database's encoding, too. */
static Datum
validate_foreign(const struct varlena *foreign)
{
	Distribution distribution;
	Error		error;

	if (!distribution_open(&distribution, VARDATA_ANY(foreign), VARSIZE_ANY_EXHDR(foreign), profile_memory(CurrentMemoryContext), &error))
	{
		error_hint(&error, "The bytes are damaged, cut off, or of another release.");
		report_error(&error);
	}
	for (size_t i = 0; distribution_is_text(&distribution) && i < distribution.n_cells; i++)
	{
		size_t		length;
		const char *text = cell_text(&distribution, &distribution.cells[i], &length);

		if (!pg_verifymbstr(text, (int) length, true))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("the distribution holds text that is not valid in encoding \"%s\"", GetDatabaseEncodingName()),
					 errhint("Distributions of texts move between databases of the same encoding.")));
	}
	return distribution_datum(&distribution);
}

/* Text form: base64. */
Datum
mlops_distribution_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(validate_foreign(byte_value_in(PG_GETARG_CSTRING(0), "mlops.distribution", A_DISTRIBUTION)));
}

/* Text form: base64. */
Datum
mlops_distribution_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(byte_value_out(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), A_DISTRIBUTION));
}

/* Binary form: the bytes behind the length word. */
Datum
mlops_distribution_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(validate_foreign(byte_value_recv((StringInfo) PG_GETARG_POINTER(0), A_DISTRIBUTION)));
}

/* Binary form. */
Datum
mlops_distribution_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(byte_value_send(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0))));
}

/* Cast from bytea. */
Datum
mlops_distribution_from_bytea(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(validate_foreign(PG_GETARG_BYTEA_PP(0)));
}

/* Cast to bytea. */
Datum
mlops_distribution_to_bytea(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(0));
}
