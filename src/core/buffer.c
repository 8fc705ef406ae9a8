/*
 * buffer.c
 *		A growing byte string to write, and a bounded cursor to read one.
 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

void
buffer_init(Buffer *buffer)
{
	memset(buffer, 0, sizeof(*buffer));
}

void
buffer_free(Buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer);
}

/* Room for n more bytes; NULL where there is none, or nothing to write. */
static uint8_t *
buffer_grow(Buffer *buffer, size_t n)
{
	if (buffer->failed || n == 0)
		return NULL;
	if (n > buffer->capacity - buffer->size)
	{
		size_t		capacity = buffer->capacity < 256 ? 256 : buffer->capacity;

		while (capacity - buffer->size < n && capacity <= SIZE_MAX / 4)
			capacity *= 2;

		uint8_t    *data = capacity - buffer->size < n ? NULL : realloc(buffer->data, capacity);

		if (data == NULL)
		{
			buffer->failed = true;
			return NULL;
		}
		buffer->data = data;
		buffer->capacity = capacity;
	}

	uint8_t    *room = buffer->data + buffer->size;

	buffer->size += n;
	return room;
}

void
buffer_bytes(Buffer *buffer, const void *bytes, size_t n)
{
	uint8_t    *room = buffer_grow(buffer, n);

	if (room != NULL)
		memcpy(room, bytes, n);
}

void
buffer_zeros(Buffer *buffer, size_t n)
{
	uint8_t    *room = buffer_grow(buffer, n);

	if (room != NULL)
		memset(room, 0, n);
}

void
buffer_align(Buffer *buffer, size_t alignment)
{
	buffer_zeros(buffer, (alignment - buffer->size % alignment) % alignment);
}

void
buffer_u8(Buffer *buffer, uint8_t value)
{
	buffer_bytes(buffer, &value, sizeof(value));
}

void
buffer_u32(Buffer *buffer, uint32_t value)
{
	buffer_bytes(buffer, &value, sizeof(value));
}

void
buffer_u64(Buffer *buffer, uint64_t value)
{
	buffer_bytes(buffer, &value, sizeof(value));
}

void
buffer_f64(Buffer *buffer, double value)
{
	buffer_bytes(buffer, &value, sizeof(value));
}

void
buffer_string(Buffer *buffer, const char *string)
{
	size_t		length = string == NULL ? 0 : strlen(string);

	buffer_u32(buffer, (uint32_t) length);
	buffer_bytes(buffer, string, length);
}

bool
buffer_check(const Buffer *buffer, Error *error)
{
	if (buffer->failed)
		return error_set(error, ERROR_MEMORY, "out of memory after %zu bytes of output", buffer->size);
	return true;
}

void
reader_init(Reader *reader, const void *data, size_t size)
{
	reader->data = data;
	reader->size = size;
	reader->position = 0;
	reader->failed = false;
}

const void *
reader_bytes(Reader *reader, size_t n)
{
	if (reader->failed || n > reader->size - reader->position)
	{
		reader->failed = true;
		return NULL;
	}

	const void *bytes = reader->data + reader->position;

	reader->position += n;
	return bytes;
}

/* n bytes into out, or zeros. */
static void
reader_copy(Reader *reader, void *out, size_t n)
{
	const void *bytes = reader_bytes(reader, n);

	if (bytes == NULL)
		memset(out, 0, n);
	else
		memcpy(out, bytes, n);
}

uint8_t
reader_u8(Reader *reader)
{
	uint8_t		value;

	reader_copy(reader, &value, sizeof(value));
	return value;
}

uint32_t
reader_u32(Reader *reader)
{
	uint32_t	value;

	reader_copy(reader, &value, sizeof(value));
	return value;
}

uint64_t
reader_u64(Reader *reader)
{
	uint64_t	value;

	reader_copy(reader, &value, sizeof(value));
	return value;
}

double
reader_f64(Reader *reader)
{
	double		value;

	reader_copy(reader, &value, sizeof(value));
	return value;
}

void
reader_string(Reader *reader, char *out, size_t out_size)
{
	uint32_t	length = reader_u32(reader);
	const char *bytes = reader_bytes(reader, length);

	out[0] = '\0';
	if (bytes == NULL)
		return;
	if (length >= out_size || memchr(bytes, '\0', length) != NULL)
	{
		reader->failed = true;
		return;
	}
	memcpy(out, bytes, length);
	out[length] = '\0';
}

bool
reader_check(const Reader *reader, const char *what, Error *error)
{
	if (reader->failed)
		return error_set(error, ERROR_CORRUPTED, "%s is damaged at byte %zu", what, reader->position);
	return true;
}
