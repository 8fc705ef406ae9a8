/*
 * byte_value.c
 *		SQL types that are runs of bytes behind a length word: their text and binary forms.
 *
 * Memory is the current context's.
 */
#include "byte_value.h"

#include "common/base64.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"

#include "compat.h"

/* A value with room. */
struct varlena *
byte_value_new(size_t size, const char *what)
{
	struct varlena *value;

	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s of %zu bytes is too large for a value", what, size),
				 errdetail("A value can have at most %zu bytes.", (size_t) MaxAllocSize - VARHDRSZ)));
	value = palloc(VARHDRSZ + size);
	SET_VARSIZE(value, VARHDRSZ + size);
	return value;
}

/* A value with bytes. */
struct varlena *
byte_value_of(const void *bytes, size_t size, const char *what)
{
	struct varlena *value = byte_value_new(size, what);

	memcpy(VARDATA(value), bytes, size);
	return value;
}

/* From base64. */
struct varlena *
byte_value_in(const char *text, const char *type, const char *what)
{
	int			length = (int) strlen(text);
	int			capacity = length / 4 * 3 + 3;	/* pg_b64_dec_len() multiplies first, in an int */
	struct varlena *value = byte_value_new(capacity, what);
	int			size = pg_b64_decode(text, length, (void *) VARDATA(value), capacity);

	if (size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", type),
				 errhint("The text form is base64, as the type's output gives it.")));
	SET_VARSIZE(value, VARHDRSZ + size);
	return value;
}

/* To base64. */
char *
byte_value_out(const struct varlena *value, const char *what)
{
	size_t		size = VARSIZE_ANY_EXHDR(value);

	/* four characters for three bytes, and the 0 behind them */
	if (size > MaxAllocSize / 4 * 3 - 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s of %zu bytes is too large for its text form", what, size),
				 errhint("Use the binary form.")));

	int			capacity = pg_b64_enc_len((int) size);
	char	   *text = palloc(capacity + 1);
	int			length = pg_b64_encode((const void *) VARDATA_ANY(value), (int) size, text, capacity);

	if (length < 0)
		elog(ERROR, "could not encode %s of %zu bytes", what, size);
	text[length] = '\0';
	return text;
}

/* From a message. */
struct varlena *
byte_value_recv(StringInfo message, const char *what)
{
	int			size = message->len - message->cursor;

	return byte_value_of(pq_getmsgbytes(message, size), size, what);
}

/* To a message. */
bytea *
byte_value_send(const struct varlena *value)
{
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbytes(&message, VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));
	return pq_endtypsend(&message);
}
