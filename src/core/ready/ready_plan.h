/*
 * ready_plan.h
 *		What the ready form of a model consists of, before it is written.
 */
#ifndef MLOPS_CORE_READY_PLAN_H
#define MLOPS_CORE_READY_PLAN_H

#include "../arena.h"
#include "ready_layout.h"

/* The distinct thresholds of a feature, by open addressing; at most half of the slots are used. */
typedef struct ThresholdSet
{
	uint32_t	n;
	uint32_t	n_slots;		/* a power of two, or 0 */
	double	   *values;			/* NaN: the slot is free */
	uint32_t   *ranks;			/* how many of the feature's are less */
} ThresholdSet;

/* Adds a threshold where it is new; false without memory. */
extern bool threshold_set_add(ThresholdSet *set, double value, Arena *arena);

/* Gives ranks to all thresholds: they, ascending; NULL without memory, or where there are none. */
extern double *threshold_set_rank(ThresholdSet *set, Arena *arena);

/* How many thresholds lie below this one, which is in the set. */
extern uint32_t threshold_set_find(const ThresholdSet *set, double value);

/* What the splits of one feature use. */
typedef struct PlanFeature
{
	ThresholdSet set;
	uint32_t	n_thresholds;	/* the distinct ones */
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
