/*
 * buffer.h
 *		A growing byte string to write, and a bounded cursor to read one.
 *
 * Used for model sections, jobs and messages.  A Buffer remembers a failed
 * allocation, so that a sequence of writes is checked once at its end.  A
 * Reader treats its bytes as hostile: a read past the end returns zeros and
 * sets `failed`, which is checked once at the end, too.
 */
#ifndef MLOPS_CORE_BUFFER_H
#define MLOPS_CORE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct Buffer
{
	uint8_t    *data;			/* malloc'ed, 16-byte aligned; owned */
	size_t		size;			/* bytes in use */
	size_t		capacity;
	bool		failed;			/* no memory: later writes do nothing */
} Buffer;

extern void buffer_init(Buffer *buffer);
extern void buffer_free(Buffer *buffer);
extern void buffer_bytes(Buffer *buffer, const void *bytes, size_t n);
extern void buffer_zeros(Buffer *buffer, size_t n);
extern void buffer_align(Buffer *buffer, size_t alignment);
extern void buffer_u8(Buffer *buffer, uint8_t value);
extern void buffer_u32(Buffer *buffer, uint32_t value);
extern void buffer_u64(Buffer *buffer, uint64_t value);
extern void buffer_f64(Buffer *buffer, double value);

/* Length (u32) and bytes; NULL is written like the empty string. */
extern void buffer_string(Buffer *buffer, const char *string);

/* ERROR_MEMORY where a write failed. */
extern bool buffer_check(const Buffer *buffer, Error *error);

typedef struct Reader
{
	const uint8_t *data;
	size_t		size;
	size_t		position;
	bool		failed;
} Reader;

extern void reader_init(Reader *reader, const void *data, size_t size);
extern uint8_t reader_u8(Reader *reader);
extern uint32_t reader_u32(Reader *reader);
extern uint64_t reader_u64(Reader *reader);
extern double reader_f64(Reader *reader);

/* Points into the data; NULL where there are fewer than n bytes left. */
extern const void *reader_bytes(Reader *reader, size_t n);

/* Copies a string written by buffer_string into out, always ends it with 0; fails where it does not fit or holds a 0. */
extern void reader_string(Reader *reader, char *out, size_t out_size);

/* ERROR_CORRUPTED where a read failed; `what` names the thing read. */
extern bool reader_check(const Reader *reader, const char *what, Error *error);

#endif
