/*
 * capture_key.c
 *		Keys of entities, as they are stored with predictions and outcomes.
 *
 * They are in an index, so they cannot be long: of a longer key its beginning
 * is stored and, so that two of one beginning stay two, its SHA-256.
 */
#include "capture.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#define DIGITS (2 * PG_SHA256_DIGEST_LENGTH)
#define MARK " sha256:"

char *
capture_key_digest(const char *key, size_t length)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char	   *digits = palloc(DIGITS + 1);
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 || pg_cryptohash_update(context, (const uint8 *) key, length) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-256")));
	pg_cryptohash_free(context);
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		sprintf(digits + 2 * i, "%02x", digest[i]);
	return digits;
}

const char *
capture_key(const char *key, size_t *length)
{
	int			kept;

	if (*length <= CAPTURE_LONGEST_KEY)
		return key;
	kept = pg_mbcliplen(key, (int) *length, CAPTURE_LONGEST_KEY - (int) strlen(MARK) - DIGITS);
	key = psprintf("%.*s" MARK "%s", kept, key, capture_key_digest(key, *length));
	*length = strlen(key);
	return key;
}

text *
capture_key_text(text *key)
{
	size_t		length = VARSIZE_ANY_EXHDR(key);
	const char *stored = capture_key(VARDATA_ANY(key), &length);

	return stored == VARDATA_ANY(key) ? key : cstring_to_text_with_len(stored, (int) length);
}
