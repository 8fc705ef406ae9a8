/*
 * table_gather.c
 *		Values of the matrix in the order of the table.
 *
 * The order is random with respect to the matrix, so one side of the way must
 * jump.  It is the writing one: the matrix, which is large and lies in pages
 * of 4 kB, is read from its beginning to its end, and a value goes to its
 * position in one column, which the caches hold for the most part.
 */
#include "table_internal.h"

#include <string.h>

#define CHUNK_ROWS 65536

/* ---- Positions ---- */

typedef struct PositionWork
{
	const Table *table;
	uint32_t   *positions;
} PositionWork;

/* Task: the positions of a chunk of the order. */
static void
place_chunk(void *argument, size_t chunk)
{
	const PositionWork *work = argument;
	size_t		begin = chunk * CHUNK_ROWS;
	size_t		end = begin + CHUNK_ROWS < work->table->n_rows ? begin + CHUNK_ROWS : work->table->n_rows;

	for (size_t row = begin; row < end; row++)
		work->positions[work->table->order[row]] = (uint32_t) row;
}

uint32_t *
table_positions(const Table *table, ThreadPool *pool, Arena *arena, Error *error)
{
	size_t		n = table->matrix->header->n_rows;
	PositionWork work = {table, arena_alloc(arena, n, sizeof(uint32_t), error)};

	if (work.positions == NULL)
		return NULL;
	if (table->n_rows < n)
		memset(work.positions, 0xff, n * sizeof(uint32_t));	/* ROW_UNUSED */
	pool_for(pool, (table->n_rows + CHUNK_ROWS - 1) / CHUNK_ROWS, place_chunk, &work);
	return work.positions;
}

/* ---- Single values ---- */

double
table_number_apart(const TableColumn *column, size_t row)
{
	return matrix_number(column->matrix, column->number, column->order[row]) + 0.0;
}

uint32_t
table_code_apart(const TableColumn *column, size_t row)
{
	uint32_t	code = matrix_code(column->matrix, column->number, column->order[row]);

	return code == CODE_MISSING ? CODE_MISSING : column->level_of_code[code];
}

/* ---- Columns ---- */

/*
 * Loads n values from row `begin` of the table on.  Other rows are written
 * behind the last one: a branch on a random position would be guessed wrong.
 */
#define DEFINE_LOAD(name, type, converted) \
static void \
name(const TableColumn *column, size_t begin, size_t n, const uint32_t *positions, type *out) \
{ \
	for (uint64_t block = 0; block < matrix_blocks(column->matrix); block++) \
	{ \
		const type *values = matrix_values(column->matrix, column->number, block); \
		uint32_t	block_rows = matrix_block_rows(column->matrix, block); \
		\
		for (uint32_t i = 0; i < block_rows; i++) \
		{ \
			type		value = values[i]; \
			size_t		place = positions[i] - begin; \
			\
			out[place < n ? place : n] = converted; \
		} \
		positions += block_rows; \
	} \
}

/* -0 becomes 0, as in the hash */
DEFINE_LOAD(load_floats, float, value + 0.0f)
DEFINE_LOAD(load_doubles, double, value + 0.0)
DEFINE_LOAD(load_codes, uint32_t, value == CODE_MISSING ? CODE_MISSING : column->level_of_code[value])

TableColumn
table_load(const TableColumn *column, RowRange range, const uint32_t *positions, void *room)
{
	TableColumn loaded = *column;

	if (table_is_gathered(column, range))
		return loaded;
	loaded.gathered = range;
	loaded.u.f64 = room;
	switch (column->source->storage)
	{
		case STORAGE_FLOAT32:
			load_floats(column, range.begin, range_rows(range), positions, loaded.u.f32);
			break;
		case STORAGE_FLOAT64:
			load_doubles(column, range.begin, range_rows(range), positions, loaded.u.f64);
			break;
		case STORAGE_CODE:
			load_codes(column, range.begin, range_rows(range), positions, loaded.u.codes);
			break;
	}
	return loaded;
}

typedef struct GatherWork
{
	TableColumn **columns;
	RowRange	range;
	const uint32_t *positions;
	void	  **rooms;
} GatherWork;

/* Task: one column. */
static void
gather_column(void *argument, size_t task)
{
	const GatherWork *work = argument;

	*work->columns[task] = table_load(work->columns[task], work->range, work->positions, work->rooms[task]);
}

/* Gathers n columns; scratch is freed by the caller. */
static bool
gather(const Table *table, TableColumn **columns, uint32_t n, RowRange range, ThreadPool *pool, Arena *arena, Arena *scratch, Error *error)
{
	GatherWork	work = {
		.columns = columns,
		.range = range,
		.positions = table_positions(table, pool, scratch, error),
		.rooms = arena_alloc(scratch, n, sizeof(void *), error)
	};

	if (work.positions == NULL || work.rooms == NULL)
		return false;
	for (uint32_t c = 0; c < n; c++)
	{
		work.rooms[c] = arena_alloc(arena, range_rows(range) + 1, columns[c]->source->storage == STORAGE_FLOAT64 ? 8 : 4, error);
		if (work.rooms[c] == NULL)
			return false;
	}
	pool_for(pool, n, gather_column, &work);
	return true;
}

bool
table_gather_features(Table *table, RowRange range, ThreadPool *pool, Arena *arena, Error *error)
{
	Arena		scratch;

	arena_init(&scratch);

	TableColumn **columns = arena_alloc(&scratch, table->n_features, sizeof(TableColumn *), error);
	uint32_t	n = 0;

	for (uint32_t f = 0; columns != NULL && f < table->n_features; f++)
	{
		TableColumn *column = &table->features[f];

		if (!table_is_gathered(column, range))
			columns[n++] = column;
	}

	bool		gathered = columns != NULL && (n == 0 || gather(table, columns, n, range, pool, arena, &scratch, error));

	arena_free(&scratch);
	return gathered;
}

bool
table_gather_target(Table *table, ThreadPool *pool, Arena *arena, Error *error)
{
	TableColumn *columns[] = {table->target, table->weight};
	Arena		scratch;

	arena_init(&scratch);

	bool		gathered = gather(table, columns, table->weight != NULL ? 2 : 1, (RowRange) {0, table->n_rows}, pool, arena, &scratch, error);

	arena_free(&scratch);
	return gathered;
}

void
table_release_target(Table *table)
{
	table->target->gathered = (RowRange) {0, 0};
	if (table->weight != NULL)
		table->weight->gathered = (RowRange) {0, 0};
}

uint64_t
table_gather_memory(const Matrix *matrix, uint64_t n_rows)
{
	uint64_t	row = 0;

	for (uint32_t c = 0; c < matrix->header->n_columns; c++)
	{
		if (matrix->columns[c].role == ROLE_FEATURE)
			row += matrix->columns[c].storage == STORAGE_FLOAT64 ? 8 : 4;
	}
	return (n_rows + 1) * row;
}
