/*
 * ready_layout.h
 *		How the ready form of a tree model lies in memory.
 *
 * ready_plan.c		what goes into it: thresholds, lanes, bits of categories
 * ready_thresholds.c	the distinct thresholds of a feature
 * ready_write.c	writing it
 * ready_bin.c		rows to lanes
 * ready.c			predictions
 * ready_kernels.c	leaves of many trees or many rows at once
 * ready_columns.c	the same of trees of few leaves, for a block of rows
 * ready_heaps.c	the same of small trees
 *
 * The kernels of small trees (at most READY_SMALL_DEPTH splits deep) have each
 * tree as a complete one, in heap order: node 1 is the root, 2i and 2i + 1 are
 * the children of i.  The lanes of all its nodes are fetched by a permutation
 * of bytes, so a row's lanes must fit into READY_TABLES registers of 64 bytes:
 * those of all numbers, and one window of those of categories.  A tree's bits
 * of categories lie within one window.
 */
#ifndef MLOPS_CORE_READY_LAYOUT_H
#define MLOPS_CORE_READY_LAYOUT_H

#include "ready.h"
#include "../model/tree_model.h"

#define READY_LANE_CUTS		254 /* thresholds that a lane counts */
#define READY_MISSING		255 /* in a lane whose splits send missing values right */
#define READY_MAX_LANES		65536	/* a node has 16 bits for its lane */
#define READY_SMALL_DEPTH	6
#define READY_HEAP			64	/* nodes of a complete tree of that depth, and one; also its leaves */
#define READY_TABLES		4
#define READY_WINDOW		64	/* lanes of a register */
#define READY_BLOCK_LEAVES	256 /* of a tree that a block of rows goes through at once */
#define READY_CUT_GROUP		16	/* thresholds that are compared at once */

/* A feature whose splits compare numbers; its thresholds ascend. */
typedef struct ReadyNumber
{
	uint32_t	value;			/* index in the features, or in the raw values where they serve as such */
	uint8_t		rounds;			/* to float32 before anything else */
	uint8_t		n_sides;		/* 1 or 2 */
	uint8_t		missing[2];		/* what a missing value is in the lanes of each side: 0 or READY_MISSING */
	uint32_t	n_cuts;
	uint32_t	n_groups;		/* of READY_CUT_GROUP thresholds, the last one filled up with infinity, without the one behind it */
	uint32_t	first_lane;		/* n_lanes of the first side, then those of the second */
	uint32_t	n_lanes;		/* of a side */
	uint64_t	cuts;			/* offset of double[(n_groups + 1) * READY_CUT_GROUP] */
	uint64_t	pivots;			/* offset of double[]: the last threshold of each group, filled up like them */
} ReadyNumber;

/* A feature whose splits ask for categories. */
typedef struct ReadyCategory
{
	uint32_t	value;			/* as above */
	uint32_t	rounds;
	uint32_t	n_levels;		/* that any split can send left */
	uint32_t	reserved;
	uint64_t	table;			/* offset of uint8_t[n_levels + 2][category lanes]: levels, then beyond them, then missing */
} ReadyCategory;

/* A node of a tree; its children are left and left + 1.  In a leaf, mask is 0 and left is the leaf itself, so that a walk stays. */
typedef struct ReadyNode
{
	uint16_t	lane;
	uint8_t		mask;
	uint8_t		cut;
	uint32_t	left;
} ReadyNode;

/* A split of a tree of few leaves; splits are in breadth-first order. */
typedef struct ReadySplit
{
	uint16_t	lane;
	uint8_t		mask;
	uint8_t		cut;
	uint16_t	self;
	uint16_t	left;
} ReadySplit;

typedef struct ReadyTree
{
	uint64_t	nodes;			/* index of its first node; also of its first rank */
	uint64_t	words;			/* index of the word of its first leaf; leaves are in the order of nodes */
	uint64_t	splits;			/* index of its first split; of trees with few leaves */
	uint64_t	leaf_nodes;		/* index of the node of its first leaf, the same */
	uint32_t	n_leaves;
	uint32_t	window;			/* its lanes of categories: the first of READY_WINDOW */
} ReadyTree;

/* A small tree in heap order. */
typedef struct ReadyHeap
{
	uint8_t		index[READY_HEAP];	/* table * 64 + byte in it */
	uint8_t		mask[READY_HEAP];
	uint8_t		cut[READY_HEAP];
	uint64_t	words[READY_HEAP];	/* of the leaves */
} ReadyHeap;

/* Offsets are from the head; 0: there is no such part. */
typedef struct ReadyHead
{
	uint64_t	size;
	uint32_t	n_trees;
	uint32_t	n_groups;
	uint32_t	link;			/* TreeLink */
	uint32_t	n_numbers;
	uint32_t	n_categories;
	uint32_t	n_number_lanes;	/* rounded up to READY_WINDOW; those of categories follow */
	uint32_t	n_lanes;		/* of a row: a multiple of READY_WINDOW */
	uint32_t	reserved;
	uint32_t	direct;
	uint32_t	columnar;		/* all trees have few leaves */
	uint64_t	numbers;
	uint64_t	categories;
	uint64_t	trees;
	uint64_t	nodes;
	uint64_t	ranks;			/* uint32: number of a leaf in its tree */
	uint64_t	words;			/* uint64: a leaf's value as bits, or where its shares are */
	uint64_t	splits;
	uint64_t	leaf_nodes;		/* uint16 */
	uint64_t	heaps;			/* all trees are small and the lanes fit */
} ReadyHead;

static inline const void *
ready_at(const ReadyHead *head, uint64_t offset)
{
	return (const uint8_t *) head + offset;
}

/* ---- The kernels ---- */

/* Rows to lanes: values are features, or raw values where head->direct. */
typedef void (*ReadyBin) (const ReadyHead *head, const double *values, uint8_t *lanes);

extern ReadyBin ready_bin_kernel(void);

/* Words of the leaves of trees first .. first + n - 1 for one row. */
typedef void (*ReadyLeaves) (const ReadyHead *head, const uint8_t *lanes, uint32_t first, uint32_t n, uint64_t *words);

extern ReadyLeaves ready_leaves_kernel(const ReadyHead *head);

/* Words of the leaves of one tree for READY_ROWS rows: lanes is row-major. */
extern void ready_walk_rows(const ReadyHead *head, uint32_t tree, const uint8_t *lanes, uint64_t *words);

/* Row-major lanes to columns[n_lanes][READY_ROWS], for what follows, which is for trees of few leaves. */
extern void ready_columns(const ReadyHead *head, const uint8_t *lanes, uint8_t *columns);

/* Words of the leaves of one tree for READY_ROWS rows. */
typedef void (*ReadyColumnWords) (const ReadyHead *head, uint32_t tree, const uint8_t *columns, uint64_t *words);

extern ReadyColumnWords ready_column_words_kernel(void);

/* Adds them to scores[READY_ROWS], as the doubles that they are. */
typedef void (*ReadyColumnScores) (const ReadyHead *head, uint32_t tree, const uint8_t *columns, double *scores);

extern ReadyColumnScores ready_column_scores_kernel(const ReadyHead *head);

/* The same, where there are heaps. */
extern ReadyColumnScores ready_heap_scores_kernel(void);

#endif
