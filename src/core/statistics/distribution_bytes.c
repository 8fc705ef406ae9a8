/*
 * distribution_bytes.c
 *		The flat form of a distribution, written and read.
 *
 * Magic, version, kind, shift, what follows; counts; range and moments; cells,
 * each by the distance of its key from the one before and its count as
 * variable-length integers, with the value that it names where shift leaves
 * several and one has the majority; registers.  One distribution has one form: what is read and
 * written again is the same.
 */
#include "distribution.h"

#include <math.h>
#include <string.h>

#include "../buffer.h"

#define MAGIC		"MLOD"
#define VERSION		1
#define HAS_REGISTERS 1
#define FIXED_SIZE	(4 + 4 + 4 + 4 + 4 * 8 + 6 * 8)

/* Writes, or only counts where out is NULL. */
typedef struct Writer
{
	uint8_t    *out;
	size_t		size;
} Writer;

static void
write_bytes(Writer *writer, const void *bytes, size_t n)
{
	if (writer->out != NULL && n > 0)
		memcpy(writer->out + writer->size, bytes, n);
	writer->size += n;
}

static void
write_u64(Writer *writer, uint64_t value)
{
	write_bytes(writer, &value, sizeof(value));
}

static void
write_f64(Writer *writer, double value)
{
	write_bytes(writer, &value, sizeof(value));
}

/* Seven bits a byte, the low ones first; the highest bit says that more follow. */
static void
write_varint(Writer *writer, uint64_t value)
{
	for (; value > 127; value >>= 7)
		write_bytes(writer, &(uint8_t) {(uint8_t) (value | 128)}, 1);
	write_bytes(writer, &(uint8_t) {(uint8_t) value}, 1);
}

/* The votes that are worth keeping: only a majority can be a frequent value. */
static uint64_t
kept_votes(const DistributionCell *cell)
{
	return cell->votes * 2 > cell->count ? cell->votes : 0;
}

static void
write_name(Writer *writer, const Distribution *d, const DistributionCell *cell)
{
	if (kept_votes(cell) == 0)
		return;
	if (!distribution_is_text(d))
	{
		if (d->shift > 0)
			write_varint(writer, cell->name & ((UINT64_C(1) << d->shift) - 1));
		return;
	}

	size_t		offset = cell_name_offset(cell->name);
	size_t		length = cell_name_length(cell->name);

	if (d->shift > 0)
		write_bytes(writer, d->names + offset, sizeof(uint64_t));
	write_varint(writer, length);
	write_bytes(writer, d->names + offset + sizeof(uint64_t), length);
}

static void
write_all(Writer *writer, const Distribution *d)
{
	uint32_t	head[3] = {VERSION, (uint32_t) d->kind | d->shift << 8 | (d->registers != NULL ? HAS_REGISTERS << 16 : 0), (uint32_t) d->n_cells};
	uint64_t	before = 0;

	write_bytes(writer, MAGIC, 4);
	write_bytes(writer, head, sizeof(head));
	write_u64(writer, d->n_null);
	write_u64(writer, d->n_nan);
	write_u64(writer, d->n_below);
	write_u64(writer, d->n_above);
	write_f64(writer, d->lowest);
	write_f64(writer, d->highest);
	write_f64(writer, d->moments.mean);
	write_f64(writer, d->moments.m2);
	write_f64(writer, d->moments.m3);
	write_f64(writer, d->moments.m4);
	for (size_t i = 0; i < d->n_cells; i++)
	{
		const DistributionCell *cell = &d->cells[i];

		write_varint(writer, cell->key - before);
		write_varint(writer, cell->count);
		if (d->shift > 0)
			write_varint(writer, cell->count - kept_votes(cell));
		write_name(writer, d, cell);
		before = cell->key;
	}
	if (d->registers != NULL)
		write_bytes(writer, d->registers, N_REGISTERS);
}

/* Bytes of the flat form. */
size_t
distribution_size(const Distribution *distribution)
{
	Writer		writer = {NULL, 0};

	write_all(&writer, distribution);
	return writer.size;
}

/* The flat form. */
void
distribution_write(const Distribution *distribution, uint8_t *out)
{
	Writer		writer = {out, 0};

	write_all(&writer, distribution);
}

/* A variable-length integer in its shortest form. */
static uint64_t
read_varint(Reader *reader)
{
	uint64_t	value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint8_t		byte = reader_u8(reader);

		if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0))
			break;
		value |= (uint64_t) (byte & 127) << shift;
		if (byte < 128)
			return value;
	}
	reader->failed = true;
	return 0;
}

/* The value that a cell names; texts grow names, which has room for all that can follow. */
static bool
read_name(Reader *reader, Distribution *d, DistributionCell *cell)
{
	uint64_t	hash = cell->key;

	if (!distribution_is_text(d))
	{
		cell->name = cell->key << d->shift;
		if (d->shift > 0 && cell->votes > 0)
		{
			uint64_t	rest = read_varint(reader);

			if (rest >> d->shift != 0)
				return false;
			cell->name |= rest;
		}
		return isfinite(key_number(cell->name)) && cell->name != KEY_OF_MINUS_ZERO;
	}
	cell->name = cell_name(0, 0);
	if (cell->votes == 0)
		return true;
	if (d->shift > 0)
		hash = reader_u64(reader);

	uint64_t	length = read_varint(reader);
	const void *text = length <= TEXT_NAME_MAX ? reader_bytes(reader, length) : NULL;

	if (text == NULL || hash >> d->shift != cell->key)
		return false;
	cell->name = cell_name(d->names_size, length);
	memcpy(d->names + d->names_size, &hash, sizeof(hash));
	memcpy(d->names + d->names_size + sizeof(hash), text, length);
	d->names_size += sizeof(hash) + length;
	return true;
}

static bool
read_cells(Reader *reader, Distribution *d, size_t n_cells)
{
	uint64_t	key = 0;

	for (size_t i = 0; i < n_cells; i++)
	{
		DistributionCell *cell = &d->cells[i];
		uint64_t	distance = read_varint(reader);
		uint64_t	others = 0;

		if ((i > 0 && distance == 0) || distance > (UINT64_MAX >> d->shift) - key)
			return false;
		cell->key = key += distance;
		cell->count = read_varint(reader);
		if (d->shift > 0)
			others = read_varint(reader);
		if (reader->failed || cell->count == 0 || others > cell->count || cell->count > DISTRIBUTION_ROWS_MAX - d->n)
			return false;
		cell->votes = cell->count - others;
		if (cell->votes != kept_votes(cell))
			return false;
		d->n += cell->count;
		if (!read_name(reader, d, cell))
			return false;
	}
	d->n_cells = n_cells;
	return !reader->failed;
}

/* Whether range and counts fit the cells. */
static bool
sums_are_valid(const Distribution *d)
{
	uint64_t	others[] = {d->n_null, d->n_nan, d->n_below, d->n_above};
	uint64_t	rows = d->n;

	for (int i = 0; i < 4; i++)
	{
		if (others[i] > DISTRIBUTION_ROWS_MAX - rows)
			return false;
		rows += others[i];
	}
	if (distribution_is_text(d) || d->n_cells == 0)
		return isnan(d->lowest) && isnan(d->highest) && d->moments.mean == 0;
	return d->lowest <= d->highest &&
		number_key(d->lowest) >> d->shift == d->cells[0].key && number_key(d->highest) >> d->shift == d->cells[d->n_cells - 1].key;
}

static bool
corrupted(Distribution *distribution, ProfileMemory memory, Error *error)
{
	distribution_free(distribution, memory);
	return error_set(error, ERROR_CORRUPTED, "the bytes are no valid distribution");
}

/* Magic, version and what decides how the rest is read; false where it cannot be. */
static bool
read_head(Reader *reader, Distribution *d, uint32_t *n_cells, bool *has_registers)
{
	const void *magic = reader_bytes(reader, 4);
	uint32_t	version = reader_u32(reader);
	uint32_t	shape = reader_u32(reader);

	*n_cells = reader_u32(reader);
	if (magic == NULL || memcmp(magic, MAGIC, 4) != 0 || version != VERSION || shape >> 17 != 0)
		return false;
	d->kind = (ColumnKind) (shape & 255);
	d->shift = shape >> 8 & 255;
	*has_registers = shape >> 16 & HAS_REGISTERS;
	return d->kind >= KIND_NUMBER && d->kind <= KIND_CATEGORY && !(*has_registers && d->shift == 0) &&
		d->shift <= (distribution_is_text(d) ? TEXT_SHIFT_MAX : NUMBER_SHIFT_MAX);
}

static void
read_sums(Reader *reader, Distribution *d)
{
	d->n_null = reader_u64(reader);
	d->n_nan = reader_u64(reader);
	d->n_below = reader_u64(reader);
	d->n_above = reader_u64(reader);
	d->lowest = reader_f64(reader);
	d->highest = reader_f64(reader);
	d->moments.mean = reader_f64(reader);
	d->moments.m2 = reader_f64(reader);
	d->moments.m3 = reader_f64(reader);
	d->moments.m4 = reader_f64(reader);
}

static bool
registers_are_valid(const uint8_t *registers)
{
	for (size_t i = 0; i < N_REGISTERS; i++)
	{
		if (registers[i] > 64 - REGISTER_BITS + 1)
			return false;
	}
	return true;
}

/* Parses the flat form. */
bool
distribution_open(Distribution *distribution, const void *bytes, size_t size, ProfileMemory memory, Error *error)
{
	Reader		reader;
	uint32_t	n_cells;
	bool		has_registers;

	reader_init(&reader, bytes, size);
	distribution_init(distribution, KIND_NUMBER);
	if (size < FIXED_SIZE || !read_head(&reader, distribution, &n_cells, &has_registers))
		return corrupted(distribution, memory, error);
	read_sums(&reader, distribution);

	/* a cell takes two bytes and more, and more than PROFILE_CELLS are there only where they cannot be wider */
	if (n_cells > (size - FIXED_SIZE) / 2 ||
		(n_cells > PROFILE_CELLS && distribution->shift < (distribution_is_text(distribution) ? TEXT_SHIFT_MAX : NUMBER_SHIFT_MAX)))
		return corrupted(distribution, memory, error);
	distribution->cells = memory.resize(memory.context, NULL, ((size_t) n_cells + 1) * sizeof(DistributionCell));
	if (distribution_is_text(distribution))
		distribution->names = memory.resize(memory.context, NULL, ((size_t) n_cells + 1) * sizeof(uint64_t) + size);
	if (distribution->cells == NULL || (distribution_is_text(distribution) && distribution->names == NULL))
	{
		distribution_free(distribution, memory);
		return error_set(error, ERROR_MEMORY, "out of memory for a distribution of %u cells", n_cells);
	}
	if (distribution_is_text(distribution))
	{
		/* the name of cells that name none: no hash, no text */
		memset(distribution->names, 0, sizeof(uint64_t));
		distribution->names_size = sizeof(uint64_t);
	}
	if (!read_cells(&reader, distribution, n_cells))
		return corrupted(distribution, memory, error);
	if (has_registers)
	{
		distribution->registers = reader_bytes(&reader, N_REGISTERS);
		if (distribution->registers == NULL || !registers_are_valid(distribution->registers))
			return corrupted(distribution, memory, error);
	}
	if (reader.position != size || !sums_are_valid(distribution))
		return corrupted(distribution, memory, error);
	distribution->moments.n = distribution_is_text(distribution) ? 0 : (double) distribution->n;
	return true;
}
