/*
 * matrix_write.c
 *		Appending rows to a matrix.
 *
 * The writer fills a sparse region of the caller's, so that untouched pages
 * cost nothing.  Dictionaries grow in malloc'ed memory while rows arrive and
 * are copied behind the last block at the end.  One thread.
 *
 * A dictionary is an open-addressing hash table with linear probing at a load
 * of at most one half.  Its slots hold 32 bits of the hash beside the code,
 * so that a probe reads a text only where it is almost surely the right one.
 */
#include "matrix.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define CACHE_LINE 64
#define FIRST_SLOTS 64

typedef struct DictionarySlot
{
	uint32_t	tag;			/* high half of the hash */
	uint32_t	entry;			/* code + 1; 0: free */
} DictionarySlot;

struct MatrixDictionary
{
	DictionarySlot *slots;
	uint32_t	n_slots;		/* a power of two */
	uint32_t	n_codes;
	uint32_t	last_code;		/* of the row before */
	uint32_t	max_codes;		/* room in offsets, less one */
	uint64_t   *offsets;		/* n_codes + 1, into text */
	char	   *text;
	size_t		text_capacity;
};

static inline size_t
round_up(size_t value, size_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

static inline uint64_t
blocks_of(uint64_t n_rows)
{
	return n_rows / MATRIX_BLOCK_ROWS + (n_rows % MATRIX_BLOCK_ROWS != 0);
}

/* One cache line more than its values: column k of a block then starts k lines on, not on the same cache set. */
static size_t
column_stride(const MatrixColumn *column)
{
	return (size_t) MATRIX_BLOCK_ROWS * (column->storage == STORAGE_FLOAT64 ? 8 : 4) + CACHE_LINE;
}

static size_t
blocks_offset(uint32_t n_columns)
{
	return round_up(sizeof(MatrixHeader) + n_columns * sizeof(MatrixColumn), CACHE_LINE);
}

uint64_t
matrix_bytes(const MatrixColumn *columns, uint32_t n_columns, uint64_t n_rows)
{
	uint64_t	n_blocks = blocks_of(n_rows);
	uint64_t	block_size = 0;
	uint64_t	bytes;

	for (uint32_t i = 0; i < n_columns; i++)
		block_size += column_stride(&columns[i]);
	if (__builtin_mul_overflow(n_blocks, block_size, &bytes) ||
		__builtin_add_overflow(bytes, blocks_offset(n_columns), &bytes))
		return UINT64_MAX;
	return bytes;
}

/* The region is too small for `needed` bytes. */
static bool
limit_reached(const MatrixWriter *writer, uint64_t needed, Error *error)
{
	error_set(error, ERROR_LIMIT, "the rows need more than %zu bytes of memory", writer->limit);
	error_detail(error, "After %llu rows of %u columns at least %llu bytes are needed.",
				 (unsigned long long) writer->n_rows, writer->header->n_columns,
				 (unsigned long long) needed);
	return error_hint(error, "Raise mlops.max_memory, or select fewer rows or columns.");
}

static MatrixDictionary *
dictionary_create(void)
{
	MatrixDictionary *dictionary = calloc(1, sizeof(MatrixDictionary));

	if (dictionary == NULL)
		return NULL;
	dictionary->slots = calloc(FIRST_SLOTS, sizeof(DictionarySlot));
	dictionary->offsets = calloc(FIRST_SLOTS, sizeof(uint64_t));
	if (dictionary->slots == NULL || dictionary->offsets == NULL)
	{
		free(dictionary->slots);
		free(dictionary->offsets);
		free(dictionary);
		return NULL;
	}
	dictionary->n_slots = FIRST_SLOTS;
	dictionary->max_codes = FIRST_SLOTS - 1;
	dictionary->last_code = CODE_MISSING;
	return dictionary;
}

bool
matrix_writer_init(MatrixWriter *writer, void *base, size_t limit, const MatrixColumn *columns, uint32_t n_columns, Error *error)
{
	size_t		offset = 0;
	uint64_t	needed = matrix_bytes(columns, n_columns, 1);

	memset(writer, 0, sizeof(*writer));
	if (n_columns == 0)
		return error_set(error, ERROR_DATA, "there are no columns");
	if (needed > limit)
	{
		error_set(error, ERROR_LIMIT, "a matrix of %u columns needs at least %llu bytes of memory, but only %zu may be used",
				  n_columns, (unsigned long long) needed, limit);
		return error_hint(error, "Raise mlops.max_memory, or select fewer columns.");
	}
	writer->base = base;
	writer->limit = limit;
	writer->header = base;
	writer->columns = (MatrixColumn *) (writer->header + 1);
	writer->block_row = MATRIX_BLOCK_ROWS;
	writer->dictionaries = calloc(n_columns, sizeof(MatrixDictionary *));
	if (writer->dictionaries == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory");

	writer->n_columns = n_columns;

	memcpy(writer->header->magic, MATRIX_MAGIC, sizeof(writer->header->magic));
	writer->header->n_columns = n_columns;
	writer->header->reserved = 0;
	writer->header->blocks_offset = blocks_offset(n_columns);
	for (uint32_t i = 0; i < n_columns; i++)
	{
		MatrixColumn *column = &writer->columns[i];

		/* a column ends where its name does: what lies behind must not carry stray bytes to the trainer */
		memset(column, 0, sizeof(*column));
		memccpy(column->name, columns[i].name, '\0', sizeof(column->name) - 1);
		memccpy(column->type_name, columns[i].type_name, '\0', sizeof(column->type_name) - 1);
		column->kind = columns[i].kind;
		column->storage = columns[i].storage;
		column->role = columns[i].role;
		column->segment = columns[i].segment;
		column->frozen = columns[i].frozen;
		column->offset = offset;
		offset += column_stride(column);
		if (column->storage == STORAGE_CODE)
		{
			writer->dictionaries[i] = dictionary_create();
			if (writer->dictionaries[i] == NULL)
				return error_set(error, ERROR_MEMORY, "out of memory");
			writer->dictionary_bytes += sizeof(uint64_t);
		}
	}
	writer->header->block_size = offset;
	return true;
}

bool
matrix_writer_block(MatrixWriter *writer, Error *error)
{
	MatrixHeader *header = writer->header;
	uint64_t	used = header->blocks_offset + writer->n_rows / MATRIX_BLOCK_ROWS * header->block_size;
	uint64_t	needed = used + header->block_size + writer->dictionary_bytes;

	if (needed > writer->limit)
		return limit_reached(writer, needed, error);
	writer->block = writer->base + used;
	writer->block_row = 0;
	writer->n_rows++;
	return true;
}

/* Doubles the slots and enters all codes anew. */
static bool
dictionary_rehash(MatrixDictionary *dictionary)
{
	uint32_t	n_slots = dictionary->n_slots * 2;
	DictionarySlot *slots = n_slots == 0 ? NULL : calloc(n_slots, sizeof(DictionarySlot));

	if (slots == NULL)
		return false;
	for (uint32_t code = 0; code < dictionary->n_codes; code++)
	{
		uint64_t	begin = dictionary->offsets[code];
		uint64_t	hash = hash64_bytes(dictionary->text + begin, dictionary->offsets[code + 1] - begin);
		uint32_t	i = (uint32_t) hash & (n_slots - 1);

		while (slots[i].entry != 0)
			i = (i + 1) & (n_slots - 1);
		slots[i] = (DictionarySlot) {(uint32_t) (hash >> 32), code + 1};
	}
	free(dictionary->slots);
	dictionary->slots = slots;
	dictionary->n_slots = n_slots;
	return true;
}

/* Makes room for one more entry of this length. */
static bool
dictionary_reserve(MatrixDictionary *dictionary, size_t length)
{
	size_t		used = dictionary->offsets[dictionary->n_codes];

	if (dictionary->n_codes >= dictionary->n_slots / 2 && !dictionary_rehash(dictionary))
		return false;
	if (dictionary->n_codes == dictionary->max_codes)
	{
		size_t		room = ((size_t) dictionary->max_codes + 1) * 2;
		uint64_t   *offsets = realloc(dictionary->offsets, room * sizeof(uint64_t));

		if (offsets == NULL)
			return false;
		dictionary->offsets = offsets;
		dictionary->max_codes = (uint32_t) (room - 1);
	}
	if (length > dictionary->text_capacity - used)
	{
		size_t		capacity = dictionary->text_capacity < 1024 ? 1024 : dictionary->text_capacity * 2;

		if (capacity - used < length)
			capacity = used + length;

		char	   *text = realloc(dictionary->text, capacity);

		if (text == NULL)
			return false;
		dictionary->text = text;
		dictionary->text_capacity = capacity;
	}
	return true;
}

/* Enters a text that is not there. */
static uint32_t
dictionary_enter(MatrixWriter *writer, MatrixDictionary *dictionary, const char *text, size_t length, uint64_t hash, Error *error)
{
	MatrixHeader *header = writer->header;
	uint64_t	n_blocks = blocks_of(writer->n_rows);
	uint64_t	needed = header->blocks_offset + n_blocks * header->block_size + writer->dictionary_bytes +
		sizeof(uint64_t) + length + sizeof(uint64_t);

	if (needed > writer->limit || dictionary->n_codes == UINT32_MAX / 4)
	{
		limit_reached(writer, needed, error);
		return CODE_MISSING;
	}
	if (!dictionary_reserve(dictionary, length))
	{
		error_set(error, ERROR_MEMORY, "out of memory after %u different categories", dictionary->n_codes);
		return CODE_MISSING;
	}

	uint32_t	code = dictionary->n_codes++;
	uint64_t	begin = dictionary->offsets[code];
	uint32_t	i = (uint32_t) hash & (dictionary->n_slots - 1);

	if (length > 0)
		memcpy(dictionary->text + begin, text, length);
	dictionary->offsets[code + 1] = begin + length;
	while (dictionary->slots[i].entry != 0)
		i = (i + 1) & (dictionary->n_slots - 1);
	dictionary->slots[i] = (DictionarySlot) {(uint32_t) (hash >> 32), code + 1};
	writer->dictionary_bytes += sizeof(uint64_t) + length;
	return code;
}

static inline bool
dictionary_equals(const MatrixDictionary *dictionary, uint32_t code, const char *text, size_t length)
{
	uint64_t	begin = dictionary->offsets[code];

	return dictionary->offsets[code + 1] - begin == length &&
		(length == 0 || memcmp(dictionary->text + begin, text, length) == 0);
}

uint32_t
matrix_writer_code(MatrixWriter *writer, uint32_t column, const char *text, size_t length, Error *error)
{
	MatrixDictionary *dictionary = writer->dictionaries[column];

	if (dictionary->last_code != CODE_MISSING && dictionary_equals(dictionary, dictionary->last_code, text, length))
		return dictionary->last_code;

	uint64_t	hash = hash64_bytes(text, length);
	uint32_t	tag = (uint32_t) (hash >> 32);
	uint32_t	mask = dictionary->n_slots - 1;

	for (uint32_t i = (uint32_t) hash & mask; dictionary->slots[i].entry != 0; i = (i + 1) & mask)
	{
		DictionarySlot slot = dictionary->slots[i];

		if (slot.tag == tag && dictionary_equals(dictionary, slot.entry - 1, text, length))
			return dictionary->last_code = slot.entry - 1;
	}
	return dictionary->last_code = dictionary_enter(writer, dictionary, text, length, hash, error);
}

bool
matrix_writer_finish(MatrixWriter *writer, Error *error)
{
	MatrixHeader *header = writer->header;
	uint64_t	n_blocks = blocks_of(writer->n_rows);
	uint64_t	end = header->blocks_offset + n_blocks * header->block_size;

	for (uint32_t i = 0; i < header->n_columns; i++)
	{
		MatrixDictionary *dictionary = writer->dictionaries[i];
		MatrixColumn *column = &writer->columns[i];

		if (dictionary == NULL)
			continue;

		uint64_t	offsets_size = ((uint64_t) dictionary->n_codes + 1) * sizeof(uint64_t);
		uint64_t	text_size = dictionary->offsets[dictionary->n_codes];

		end = round_up(end, sizeof(uint64_t));
		if (end + offsets_size + text_size > writer->limit)
			return limit_reached(writer, end + offsets_size + text_size, error);
		column->n_codes = dictionary->n_codes;
		column->dictionary_offset = end;
		column->dictionary_size = offsets_size + text_size;
		memcpy(writer->base + end, dictionary->offsets, offsets_size);
		if (text_size > 0)
			memcpy(writer->base + end + offsets_size, dictionary->text, text_size);
		end += offsets_size + text_size;
	}
	header->n_rows = writer->n_rows;
	header->size = end;
	return true;
}

void
matrix_writer_free(MatrixWriter *writer)
{
	if (writer->dictionaries == NULL)
		return;
	for (uint32_t i = 0; i < writer->n_columns; i++)
	{
		MatrixDictionary *dictionary = writer->dictionaries[i];

		if (dictionary == NULL)
			continue;
		free(dictionary->slots);
		free(dictionary->offsets);
		free(dictionary->text);
		free(dictionary);
	}
	free(writer->dictionaries);
	writer->dictionaries = NULL;
}
