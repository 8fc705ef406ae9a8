/*
 * memory_file.h
 *		Anonymous files (memfd) that a backend hands to the trainer.
 */
#ifndef MLOPS_PG_MEMORY_FILE_H
#define MLOPS_PG_MEMORY_FILE_H

#include "postgres.h"

typedef struct MemoryFile
{
	int			fd;				/* above the descriptors that a trainer is given */
	void	   *base;			/* its mapping, or NULL */
	size_t		mapped;			/* bytes of the mapping */
	MemoryContextCallback cleanup;
} MemoryFile;

/*
 * A file of `size` bytes of zeros, sparse, mapped where `map`.  It lives
 * until the current memory context is reset: nothing else needs to close it.
 */
extern MemoryFile *memory_file_create(const char *name, size_t size, bool map);

/* Unmaps and closes it earlier. */
extern void memory_file_close(MemoryFile *file);

/* Appends bytes to a file that is not mapped. */
extern void memory_file_write(const MemoryFile *file, const void *bytes, size_t n);

/* Lets nobody change its size, nor write into it but through the mapping that there is. */
extern void memory_file_protect(const MemoryFile *file);

/* Cuts a file to `size` bytes, and lets nobody change that. */
extern void memory_file_seal(const MemoryFile *file, size_t size);

/* Bytes that the file has now. */
extern size_t memory_file_size(const MemoryFile *file);

/* Copies bytes from an offset; raises where there are fewer. */
extern void memory_file_read(const MemoryFile *file, size_t offset, void *out, size_t n);

#endif
