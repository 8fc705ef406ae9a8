/*
 * ready_plan.h
 *		What the ready form of a model consists of, before it is written.
 */
#ifndef MLOPS_CORE_READY_PLAN_H
#define MLOPS_CORE_READY_PLAN_H

#include "arena.h"
#include "ready_layout.h"

/* What the splits of one feature use. */
typedef struct PlanFeature
{
	uint32_t	n_thresholds;	/* of all splits, then the distinct ones */
	uint32_t	first_lane;
	uint32_t	n_lanes;		/* of a side */
	double	   *thresholds;
	bool		sides[2];		/* splits that send missing values left, right */
	bool		category;		/* some splits ask for categories */
	uint64_t	n_levels;		/* that one of their sets can hold */
	uint32_t	value;			/* index of what is read, and whether that is rounded first */
	bool		rounds;
	uint32_t	open_lane;		/* of categories: with bits left, and how many are used; 0: none */
	uint32_t	open_bits;
} PlanFeature;

/* A bit of a lane of categories: what a split that asks for categories became. */
typedef struct PlanBit
{
	const uint32_t *set;		/* number of words, and the words */
	uint32_t	feature;
	uint16_t	lane;
	uint8_t		bit;
	bool		missing_right;
} PlanBit;

struct ReadyPlan
{
	const Model *model;
	Arena		arena;			/* all of it but itself */
	const TreePayload *payload;
	const uint64_t *starts;
	const TreeNode *nodes;
	const uint32_t *sets;
	PlanFeature *features;		/* of the model */
	PlanBit    *bits;			/* one a split on categories, in the order of nodes */
	uint64_t	n_bits;
	uint32_t   *windows;		/* of the trees */
	uint64_t	n_splits;		/* of trees with few leaves */
	uint64_t	n_split_leaves; /* the same */
	uint64_t	n_leaves;		/* of all trees */
	bool		columnar;
	ReadyHead	head;			/* with all offsets */
	uint64_t   *cuts;			/* offsets of a feature's cuts, pivots and table */
	uint64_t   *pivots;
	uint64_t   *tables;
};

/* Leaves of a tree: one more than splits. */
static inline uint64_t
plan_leaves(const ReadyPlan *plan, uint32_t tree)
{
	return (plan->starts[tree + 1] - plan->starts[tree] + 1) / 2;
}

static inline uint32_t
plan_groups(const PlanFeature *feature)
{
	return (feature->n_thresholds + READY_CUT_GROUP - 1) / READY_CUT_GROUP;
}

/* Pivots in whole groups. */
static inline uint32_t
plan_pivots(const PlanFeature *feature)
{
	return (plan_groups(feature) + READY_CUT_GROUP - 1) / READY_CUT_GROUP * READY_CUT_GROUP;
}

#endif
