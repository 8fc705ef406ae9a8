/*
 * table_hash.c
 *		First step of a table: the hash of every row, and which rows are used.
 *
 * The hash of a row is hash64_mix of the sum over its columns of
 * hash64_mix(value ^ key of the column): columns can be added in any order
 * and one at a time, which suits a matrix stored by column.  Numbers enter in
 * normal form (so that integer 1 and float 1.0 are the same), texts by the
 * hash of their bytes (never by their codes, which follow the physical order
 * of the rows).  The key depends on the position of the column.
 *
 * Numbers can be added while later rows are still being written; the hashes
 * of texts wait for the dictionaries, which come last.
 *
 * One task a block of the matrix; what a block finds lies in its BlockTally.
 */
#include "table_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../cpu.h"
#include "../../hash.h"

#define SLICE_ROWS 1024			/* hashes of a slice stay in the first-level cache */

typedef struct BlockTally
{
	uint64_t	fingerprint[2];
	uint32_t	n_dropped;
	uint32_t	n_bad_targets;	/* infinite */
	uint32_t	n_bad_weights;	/* negative or infinite */
} BlockTally;

typedef struct HashWork
{
	RowSet	   *rows;
	uint64_t  **text_hashes;	/* one a column: hashes of its dictionary; NULL unless coded */
	BlockTally *tallies;		/* one a block */
} HashWork;

/* What the values of a column are mixed with: by its position, so that columns cannot change places. */
static inline uint64_t
column_key(uint32_t column)
{
	return hash64_mix((column + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

CPU_BODY void
add_floats_body(const float *restrict values, uint32_t n, uint64_t key, uint64_t *restrict hashes)
{
	for (uint32_t i = 0; i < n; i++)
		hashes[i] += hash64_mix(hash64_number_bits((double) values[i]) ^ key);
}

CPU_DISPATCH(add_floats, (const float *values, uint32_t n, uint64_t key, uint64_t *hashes), (values, n, key, hashes))

CPU_BODY void
add_doubles_body(const double *restrict values, uint32_t n, uint64_t key, uint64_t *restrict hashes)
{
	for (uint32_t i = 0; i < n; i++)
		hashes[i] += hash64_mix(hash64_number_bits(values[i]) ^ key);
}

CPU_DISPATCH(add_doubles, (const double *values, uint32_t n, uint64_t key, uint64_t *hashes), (values, n, key, hashes))

/* Adds the numbers of a slice of a block to the hashes of its rows. */
static void
add_numbers(const Matrix *matrix, uint64_t block, uint32_t first, uint32_t n, uint64_t *hashes)
{
	for (uint32_t c = 0; c < matrix->header->n_columns; c++)
	{
		const void *values = matrix_values(matrix, c, block);

		/* what only parts the profiles changes neither the split nor the model */
		if (matrix->columns[c].role == ROLE_SEGMENT)
			continue;
		if (matrix->columns[c].storage == STORAGE_FLOAT32)
			add_floats((const float *) values + first, n, column_key(c), hashes);
		else if (matrix->columns[c].storage == STORAGE_FLOAT64)
			add_doubles((const double *) values + first, n, column_key(c), hashes);
	}
}

/* Adds the texts likewise; text_hashes: one a column, hashes of its dictionary. */
static void
add_texts(const Matrix *matrix, uint64_t *const *text_hashes, uint64_t block, uint32_t first, uint32_t n, uint64_t *hashes)
{
	for (uint32_t c = 0; c < matrix->header->n_columns; c++)
	{
		if (matrix->columns[c].storage != STORAGE_CODE || matrix->columns[c].role == ROLE_SEGMENT)
			continue;

		const uint32_t *codes = (const uint32_t *) matrix_values(matrix, c, block) + first;
		uint64_t	key = column_key(c);

		for (uint32_t i = 0; i < n; i++)
			hashes[i] += hash64_mix((codes[i] == CODE_MISSING ? HASH_MISSING : text_hashes[c][codes[i]]) ^ key);
	}
}

void
table_hash_numbers(const Matrix *matrix, uint64_t block, uint64_t *sums)
{
	uint32_t	block_rows = matrix_block_rows(matrix, block);

	memset(sums, 0, block_rows * sizeof(uint64_t));
	for (uint32_t first = 0; first < block_rows; first += SLICE_ROWS)
		add_numbers(matrix, block, first, block_rows - first < SLICE_ROWS ? block_rows - first : SLICE_ROWS, sums + first);
}

/* Whether a row is used; counts why not. */
static bool
row_is_used(const RowSet *rows, uint64_t row, BlockTally *tally)
{
	bool		used = true;

	if (rows->matrix->columns[rows->target].storage == STORAGE_CODE)
		used = matrix_code(rows->matrix, rows->target, row) != CODE_MISSING;
	else
	{
		double		target = matrix_number(rows->matrix, rows->target, row);

		used = !isnan(target);
		tally->n_bad_targets += isinf(target) != 0;
	}
	if (rows->weight >= 0)
	{
		double		weight = matrix_number(rows->matrix, rows->weight, row);

		used = used && weight > 0;
		tally->n_bad_weights += weight < 0 || isinf(weight);
	}
	tally->n_dropped += !used;
	return used;
}

/* Hashes one block; its items lie where its rows do, those not used marked by their index. */
static void
hash_block(void *argument, size_t block)
{
	HashWork   *work = argument;
	RowSet	   *rows = work->rows;
	const Matrix *matrix = rows->matrix;
	uint32_t	block_rows = matrix_block_rows(matrix, block);
	BlockTally	tally = {0};
	unsigned __int128 fingerprint = 0;

	for (uint32_t first = 0; first < block_rows; first += SLICE_ROWS)
	{
		uint64_t	hashes[SLICE_ROWS] = {0};
		uint32_t	n = block_rows - first < SLICE_ROWS ? block_rows - first : SLICE_ROWS;
		uint64_t	row = block * MATRIX_BLOCK_ROWS + first;

		if (rows->hashed != NULL && block < rows->hashed->n_blocks)
			memcpy(hashes, rows->hashed->sums + row, n * sizeof(uint64_t));
		else
			add_numbers(matrix, block, first, n, hashes);
		add_texts(matrix, work->text_hashes, block, first, n, hashes);
		for (uint32_t i = 0; i < n; i++, row++)
		{
			SortItem   *item = &rows->items[row];

			item->key = hash64_mix(hashes[i]);
			item->index = row_is_used(rows, row, &tally) ? (uint32_t) row : ROW_UNUSED;
			item->extra = 0;
			fingerprint += item->key;
		}
	}
	tally.fingerprint[0] = (uint64_t) fingerprint;
	tally.fingerprint[1] = (uint64_t) (fingerprint >> 64);
	work->tallies[block] = tally;
}

/* Hashes the dictionary of one column. */
static void
hash_dictionary(void *argument, size_t column)
{
	HashWork   *work = argument;
	const Matrix *matrix = work->rows->matrix;

	if (work->text_hashes[column] == NULL)
		return;
	for (uint32_t code = 0; code < matrix->columns[column].n_codes; code++)
	{
		size_t		length;
		const char *text = matrix_text(matrix, (uint32_t) column, code, &length);

		work->text_hashes[column][code] = hash64_bytes(text, length);
	}
}

/* Adds up the blocks; refuses what cannot be learned from. */
static bool
sum_tallies(RowSet *rows, const BlockTally *tallies, Error *error)
{
	const Matrix *matrix = rows->matrix;
	unsigned __int128 fingerprint = 0;
	uint64_t	n_bad_targets = 0;
	uint64_t	n_bad_weights = 0;

	rows->n_dropped = 0;
	for (uint64_t b = 0; b < matrix_blocks(matrix); b++)
	{
		fingerprint += (unsigned __int128) tallies[b].fingerprint[1] << 64 | tallies[b].fingerprint[0];
		rows->n_dropped += tallies[b].n_dropped;
		n_bad_targets += tallies[b].n_bad_targets;
		n_bad_weights += tallies[b].n_bad_weights;
	}
	rows->fingerprint[0] = (uint64_t) fingerprint;
	rows->fingerprint[1] = (uint64_t) (fingerprint >> 64);

	if (n_bad_targets > 0)
	{
		error_set(error, ERROR_DATA, "target column \"%s\" is infinite in %llu rows", matrix->columns[rows->target].name,
				  (unsigned long long) n_bad_targets);
		return error_hint(error, "Leave these rows out of the source query, or replace the infinities by NULL.");
	}
	if (n_bad_weights > 0)
	{
		error_set(error, ERROR_DATA, "weight column \"%s\" is negative or infinite in %llu rows",
				  matrix->columns[rows->weight].name, (unsigned long long) n_bad_weights);
		return error_hint(error, "A weight is a positive number; rows with weight 0 or NULL are left out.");
	}
	if (rows->n_dropped == matrix->header->n_rows)
	{
		error_set(error, ERROR_DATA, "no rows are left that can be used");
		return error_detail(error, "In all %llu rows the target \"%s\" is NULL or NaN%s.",
							(unsigned long long) matrix->header->n_rows, matrix->columns[rows->target].name,
							rows->weight < 0 ? "" : ", or the weight is NULL or 0");
	}
	return true;
}

bool
table_hash_rows(RowSet *rows, Error *error)
{
	const Matrix *matrix = rows->matrix;
	uint64_t	n_rows = matrix->header->n_rows;
	uint32_t	n_columns = matrix->header->n_columns;
	HashWork	work = {.rows = rows};

	if (n_rows == 0)
		return error_set(error, ERROR_DATA, "the query returned no rows");
	if (n_rows >= ROW_UNUSED)
		return error_set(error, ERROR_LIMIT, "%llu rows are too many: a table holds at most %u",
						 (unsigned long long) n_rows, ROW_UNUSED - 1);

	rows->items = arena_alloc(rows->scratch, n_rows, sizeof(SortItem), error);
	work.tallies = arena_alloc(rows->scratch, matrix_blocks(matrix), sizeof(BlockTally), error);
	work.text_hashes = arena_zeroed(rows->scratch, n_columns, sizeof(uint64_t *), error);
	if (rows->items == NULL || work.tallies == NULL || work.text_hashes == NULL)
		return false;
	for (uint32_t c = 0; c < n_columns; c++)
	{
		if (matrix->columns[c].storage != STORAGE_CODE)
			continue;
		work.text_hashes[c] = arena_alloc(rows->scratch, matrix->columns[c].n_codes, sizeof(uint64_t), error);
		if (work.text_hashes[c] == NULL)
			return false;
	}
	pool_for(rows->pool, n_columns, hash_dictionary, &work);
	pool_for(rows->pool, matrix_blocks(matrix), hash_block, &work);
	if (rows->hashed != NULL)
	{
		free(rows->hashed->sums);
		*rows->hashed = (HashedBlocks) {0};
	}
	if (!sum_tallies(rows, work.tallies, error))
		return false;

	rows->n = n_rows - rows->n_dropped;
	if (rows->n_dropped > 0)
	{
		size_t		used = 0;

		for (uint64_t i = 0; i < n_rows; i++)
		{
			if (rows->items[i].index != ROW_UNUSED)
				rows->items[used++] = rows->items[i];
		}
	}
	return true;
}
