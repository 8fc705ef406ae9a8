/*
 * partition.h
 *		Dividing the rows of nodes among their children.
 *
 * A node's rows are a range of one of two lists; its children get the same
 * range of the other list, left rows first, both in the order they had.  So
 * rows of every node ascend, and reads of their bins run forward in memory.
 */
#ifndef MLOPS_CORE_FIT_PARTITION_H
#define MLOPS_CORE_FIT_PARTITION_H

#include "best_split.h"

typedef struct PartitionNode
{
	const Split *split;
	const uint64_t *set;		/* wide categories: bins that go left */
	const RowList *from;
	const RowList *to;			/* its `rows` is never NULL */
	size_t		begin;
	size_t		end;
	size_t		n_left;			/* out: rows that went left */

	/* Where both children are leaves: nothing is moved, scores of the rows are raised instead. */
	bool		is_last;
	float		left_value;
	float		right_value;
} PartitionNode;

typedef struct Partition
{
	const BinnedMatrix *bins;
	float	   *scores;			/* of the training rows */
	bool		wide;
	struct PartitionChunk *chunks;
	uint64_t   *masks;			/* CHUNK_WORDS a chunk */
	size_t		max_chunks;
} Partition;

/* For at most max_nodes nodes with n_rows rows in all. */
extern bool partition_init(Partition *partition, const BinnedMatrix *bins, size_t n_rows, size_t max_nodes, Arena *arena, Error *error);
extern uint64_t partition_memory(uint64_t n_rows, uint64_t max_nodes);

/* Divides n nodes with disjoint ranges. */
extern void partition_nodes(Partition *partition, PartitionNode *nodes, size_t n, ThreadPool *pool);

#endif
