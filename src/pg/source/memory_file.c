/*
 * memory_file.c
 *		Anonymous files (memfd) that a backend hands to the trainer.
 *
 * A file belongs to the memory context it was made in; the context's reset
 * callback unmaps and closes it, after success and after any error alike.
 * Descriptors are counted with fd.c, so that they take from its budget.
 */
#include "memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "../core.h"

void
memory_file_close(MemoryFile *file)
{
	if (file->base != NULL)
		munmap(file->base, file->mapped);
	file->base = NULL;
	if (file->fd >= 0)
	{
		close(file->fd);
		ReleaseExternalFD();
	}
	file->fd = -1;
}

/* The context's callback. */
static void
memory_file_release(void *argument)
{
	memory_file_close(argument);
}

/* A descriptor of a new memfd, above those that the trainer's own are put to. */
static int
open_memfd(const char *name)
{
	int			low = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int			fd;

	if (low < 0 || low > TRAINER_FD_LAST)
		return low;
	fd = fcntl(low, F_DUPFD_CLOEXEC, TRAINER_FD_LAST + 1);
	close(low);
	return fd;
}

/* A file of zeros in the current memory context. */
MemoryFile *
memory_file_create(const char *name, size_t size, bool map)
{
	MemoryFile *file = palloc0(sizeof(MemoryFile));

	file->fd = -1;
	file->cleanup.func = memory_file_release;
	file->cleanup.arg = file;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &file->cleanup);

	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("too many open files for a memory file: %m")));
	file->fd = open_memfd(name);
	if (file->fd < 0)
	{
		ReleaseExternalFD();
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not make a memory file: %m")));
	}
	if (size > 0 && ftruncate(file->fd, (off_t) size) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not reserve a memory file of %zu bytes: %m", size)));
	if (map)
	{
		void	   *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file->fd, 0);

		if (base == MAP_FAILED)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("could not map %zu bytes of memory: %m", size)));
		file->base = base;
		file->mapped = size;
	}
	return file;
}

/* Appends bytes. */
void
memory_file_write(const MemoryFile *file, const void *bytes, size_t n)
{
	const char *next = bytes;

	while (n > 0)
	{
		ssize_t		written = write(file->fd, next, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("could not write %zu bytes to a memory file: %m", n)));
		next += written;
		n -= (size_t) written;
	}
}

/* Keeps others from changing it while we do. */
void
memory_file_protect(const MemoryFile *file)
{
	int			seals = F_SEAL_SHRINK | F_SEAL_GROW;

#ifdef F_SEAL_FUTURE_WRITE
	seals |= F_SEAL_FUTURE_WRITE;
#endif
	if (fcntl(file->fd, F_ADD_SEALS, seals) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not seal a memory file: %m")));
}

/* Cuts the file to its final size. */
void
memory_file_seal(const MemoryFile *file, size_t size)
{
	if (ftruncate(file->fd, (off_t) size) != 0 ||
		fcntl(file->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not seal a memory file: %m")));
}

/* Bytes that the file has now. */
size_t
memory_file_size(const MemoryFile *file)
{
	struct stat status;

	if (fstat(file->fd, &status) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not look at a memory file: %m")));
	return (size_t) status.st_size;
}

/* Copies n bytes from an offset. */
void
memory_file_read(const MemoryFile *file, size_t offset, void *out, size_t n)
{
	char	   *next = out;

	while (n > 0)
	{
		ssize_t		got = pread(file->fd, next, n, (off_t) offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					 errmsg("a memory file ends before its last %zu bytes", n)));
		next += got;
		offset += (size_t) got;
		n -= (size_t) got;
	}
}
