/*
 * intake.c
 *		The rows while the backend is still writing them.
 *
 * One core would be idle then.  What can be made of complete blocks is made
 * of them, in take_block(); before that, pages of the rows to come are
 * allocated ahead of the backend, which spends a third of its time on that
 * otherwise.  The matrix may become as large as all memory that the job may
 * take; pages ahead of it and sums of its rows together take no more than
 * what it leaves of that.  Whatever is not done when the rows are complete is done
 * afterwards, by all threads; the results are the same.
 *
 * A block is read only after the backend has said that it is complete, and
 * is never written again: a message is sent after the rows that it counts
 * have been written, and received before they are read.
 */
#include "trainer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORDS 64				/* read at a time */
#define AHEAD_MAX	(16 * 1024 * 1024)	/* bytes allocated before they are needed, at most */
#define AHEAD_STEP	(1024 * 1024)	/* in one call, between looking for messages */
#define FIRST_BLOCKS 64			/* room for sums */

typedef struct Intake
{
	Trainer    *trainer;
	Matrix		matrix;			/* as far as it is written */
	MatrixHeader header;		/* its */
	bool		complete;		/* the backend says that it is */
	uint64_t	n_taken;		/* blocks */
	uint64_t	capacity;		/* blocks that there is room for */
	bool		full;			/* there is no memory for more: they come later */
	size_t		allocated;		/* up to here there are pages, as far as we saw to it */
	uint8_t		part[sizeof(uint64_t)]; /* of a word */
	size_t		n_part;
} Intake;

/* One word from the backend. */
static bool
take_word(Intake *intake, uint64_t word, Error *error)
{
	uint64_t	most = (intake->header.size - intake->header.blocks_offset) / intake->header.block_size * MATRIX_BLOCK_ROWS;

	if (word == ROWS_COMPLETE)
		intake->complete = true;
	else if (intake->complete || word < intake->header.n_rows || word > most)
		return error_set(error, ERROR_CORRUPTED, "the rows handed to the trainer are damaged");
	else
		intake->header.n_rows = word;
	return true;
}

/* Hears what the backend says, and waits for it where asked to; ends the program where it is gone. */
static bool
hear(Intake *intake, bool wait, Error *error)
{
	uint8_t		bytes[WORDS * sizeof(uint64_t)];
	ssize_t		got = recv(TRAINER_FD_SOCKET, bytes, sizeof(bytes), wait ? 0 : MSG_DONTWAIT);

	if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return true;
	if (got <= 0)
		_exit(EXIT_FAILURE);
	for (ssize_t i = 0; i < got; i++)
	{
		uint64_t	word;

		intake->part[intake->n_part++] = bytes[i];
		if (intake->n_part < sizeof(word))
			continue;
		memcpy(&word, intake->part, sizeof(word));
		intake->n_part = 0;
		if (!take_word(intake, word, error))
			return false;
	}
	return true;
}

/* Where the blocks end that are complete. */
static size_t
complete_end(const Intake *intake)
{
	return intake->header.blocks_offset + intake->header.n_rows / MATRIX_BLOCK_ROWS * intake->header.block_size;
}

/* Up to where there are pages. */
static size_t
pages_end(const Intake *intake)
{
	size_t		end = complete_end(intake);

	return end > intake->allocated ? end : intake->allocated;
}

/* Bytes that the sums of so many blocks take. */
static size_t
sums_size(uint64_t capacity)
{
	return capacity * MATRIX_BLOCK_ROWS * sizeof(uint64_t);
}

/* Up to where there are to be pages: as much again as is complete, within bounds. */
static size_t
pages_wanted(const Intake *intake)
{
	size_t		end = complete_end(intake);
	size_t		ahead = end < AHEAD_MAX ? end : AHEAD_MAX;
	size_t		taken = end + sums_size(intake->capacity);

	if (intake->header.n_rows < MATRIX_BLOCK_ROWS || taken >= intake->header.size)
		return 0;
	return intake->header.size - taken < ahead ? end + intake->header.size - taken : end + ahead;
}

/* Allocates the next pages; where that is refused, the backend does it. */
static void
allocate_pages(Intake *intake)
{
	size_t		begin = pages_end(intake);
	size_t		end = pages_wanted(intake) - begin > AHEAD_STEP ? begin + AHEAD_STEP : pages_wanted(intake);

	(void) fallocate(TRAINER_FD_MATRIX, FALLOC_FL_KEEP_SIZE, (off_t) begin, (off_t) (end - begin));
	intake->allocated = end;
}

/* Maps the pages of a block in one call, not in one fault after the other. */
static void
map_block(const Intake *intake, uint64_t block)
{
#ifdef MADV_POPULATE_READ
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	size_t		begin = intake->header.blocks_offset + block * intake->header.block_size;
	size_t		end = begin + intake->header.block_size;

	begin -= begin % page;
	(void) madvise((void *) (intake->matrix.base + begin), end - begin, MADV_POPULATE_READ);
#else
	(void) intake;
	(void) block;
#endif
}

/* Makes room for the sums of one more block; false where that would be more than all rows may take, or there is none. */
static bool
make_room(Intake *intake)
{
	HashedBlocks *hashed = &intake->trainer->hashed;
	uint64_t	capacity = intake->capacity == 0 ? FIRST_BLOCKS : intake->capacity * 2;
	size_t		bytes = sums_size(capacity);
	uint64_t   *sums;

	if (intake->n_taken < intake->capacity)
		return true;
	if (bytes > intake->header.size - pages_end(intake))
		return false;
	sums = realloc(hashed->sums, bytes);
	if (sums == NULL)
		return false;
	hashed->sums = sums;
	intake->capacity = capacity;
	return true;
}

/* Does for one block what needs no other. */
static void
take_block(Intake *intake)
{
	Trainer    *trainer = intake->trainer;
	uint64_t	block = intake->n_taken;

	if (!make_room(intake))
	{
		intake->full = true;
		return;
	}
	map_block(intake, block);
	table_hash_numbers(&intake->matrix, block, trainer->hashed.sums + block * MATRIX_BLOCK_ROWS);
	for (uint32_t c = 0; c < intake->header.n_columns; c++)
		profile_block(&trainer->tallies[c], &intake->matrix, c, block);
	freeze_ahead_block(trainer, &intake->matrix, block);
	intake->n_taken++;
}

bool
intake_rows(Trainer *trainer, Error *error)
{
	Intake		intake = {.trainer = trainer};

	trainer->matrix_bytes = map_descriptor(TRAINER_FD_MATRIX, "matrix", &trainer->matrix_size, error);
	if (trainer->matrix_bytes == NULL ||
		!matrix_open_begun(&intake.matrix, &intake.header, trainer->matrix_bytes, trainer->matrix_size, error))
		return false;
	trainer->tallies = profile_begin(intake.header.n_columns);
	if (trainer->tallies == NULL)
		return error_set(error, ERROR_MEMORY, "out of memory for the profiles of %u columns", intake.header.n_columns);
	if (!freeze_ahead_begin(trainer, &intake.matrix, error))
		return false;

	while (!intake.complete)
	{
		bool		pages = pages_end(&intake) < pages_wanted(&intake);
		bool		blocks = !intake.full && intake.n_taken < intake.header.n_rows / MATRIX_BLOCK_ROWS;

		if (!hear(&intake, !pages && !blocks, error))
			return false;
		if (intake.complete)
			break;
		if (pages)
			allocate_pages(&intake);
		else if (blocks)
			take_block(&intake);
	}
	trainer->hashed.n_blocks = trainer->n_profiled = intake.n_taken;
	return matrix_open(&trainer->matrix, trainer->matrix_bytes, trainer->matrix_size, error);
}
