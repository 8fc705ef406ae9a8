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

#include "common/base64.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "report.h"

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
	size_t		size = distribution_size(distribution);

	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a distribution of %zu bytes is too large for a value", size)));

	struct varlena *value = palloc(VARHDRSZ + size);

	SET_VARSIZE(value, VARHDRSZ + size);
	distribution_write(distribution, (uint8_t *) VARDATA(value));
	return PointerGetDatum(value);
}

/* A validated value of bytes from outside; its texts must be valid in the database's encoding, too. */
static Datum
distribution_from_bytes(const void *bytes, size_t size)
{
	Distribution distribution;
	Error		error;

	if (!distribution_open(&distribution, bytes, size, profile_memory(CurrentMemoryContext), &error))
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
	char	   *text = PG_GETARG_CSTRING(0);
	int			capacity = pg_b64_dec_len((int) strlen(text));
	char	   *bytes = palloc(capacity + 1);
	int			size = pg_b64_decode(text, (int) strlen(text), (void *) bytes, capacity);

	if (size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type mlops.distribution"),
				 errhint("The text form is base64, as the type's output gives it.")));
	PG_RETURN_DATUM(distribution_from_bytes(bytes, size));
}

/* Text form: base64. */
Datum
mlops_distribution_out(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	size_t		size = VARSIZE_ANY_EXHDR(value);

	/* Four characters for three bytes, and the 0 behind them. */
	if (size > MaxAllocSize / 4 * 3 - 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a distribution of %zu bytes is too large for its text form", size)));

	int			capacity = pg_b64_enc_len((int) size);
	char	   *text = palloc(capacity + 1);
	int			length = pg_b64_encode((const void *) VARDATA_ANY(value), (int) size, text, capacity);

	if (length < 0)
		elog(ERROR, "could not encode a distribution of %zu bytes", size);
	text[length] = '\0';
	PG_RETURN_CSTRING(text);
}

/* Binary form: the bytes behind the length word. */
Datum
mlops_distribution_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;

	PG_RETURN_DATUM(distribution_from_bytes(pq_getmsgbytes(message, size), size));
}

/* Binary form. */
Datum
mlops_distribution_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbytes(&message, VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* Cast from bytea. */
Datum
mlops_distribution_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_DATUM(distribution_from_bytes(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
}

/* Cast to bytea. */
Datum
mlops_distribution_to_bytea(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(0));
}
