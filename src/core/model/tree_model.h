/*
 * tree_model.h
 *		The payload of tree ensembles: layout, validation, prediction, writing.
 *
 * Nodes of all trees lie in one array; a tree's nodes are contiguous and in
 * breadth-first order: the root first, then level by level, the two children
 * of a node next to each other (right = left + 1).  So a child lies behind
 * its parent, each node is reached once, and the upper levels share cache
 * lines.  The score of output g is base_score[g] plus the leaf values of
 * trees g, g + n_groups, g + 2 n_groups, ... added in that order, in double.
 *
 * Forests take the mean over their trees: of a value a leaf (regression, and
 * the share of the second of two classes), or of the shares of all classes.
 * Shares lie among the category sets: for each class that a leaf has, its
 * number and its share (a double in two words), classes ascending.  Leaves of
 * one class may have the same words.
 */
#ifndef MLOPS_CORE_TREE_MODEL_H
#define MLOPS_CORE_TREE_MODEL_H

#include "model.h"

typedef enum TreeLink
{
	LINK_IDENTITY = 1,
	LINK_LOGISTIC = 2,			/* one score; out = {1 - p, p} */
	LINK_SOFTMAX = 3,			/* a score a class */
	LINK_LOG = 4,				/* out = exp(score) */
	LINK_MEAN = 5,				/* out = mean of the leaves p; of two classes {1 - p, p} */
	LINK_SHARES = 6				/* out = mean of the leaves' shares; one group */
} TreeLink;

#define NODE_LEAF			UINT32_C(0x80000000)
#define NODE_MISSING_LEFT	UINT32_C(0x40000000)
#define NODE_CATEGORICAL	UINT32_C(0x20000000)
#define NODE_FEATURE_MASK	UINT32_C(0x1fffffff)

/* In a leaf: it has shares, and u.set says where. */
#define NODE_SHARES			NODE_MISSING_LEFT
#define SHARE_WORDS			3	/* of a class */

/* Split on a number: left when x <= threshold.  On a category: left when its bit is set.  Missing: by NODE_MISSING_LEFT. */
typedef struct TreeNode
{
	union
	{
		double		threshold;
		double		leaf;		/* added to the score */
		uint64_t	set;		/* index of the first word of the category set, in words; set_words[set] = number of words that follow */
	}			u;
	uint32_t	feature;		/* with the NODE_ bits */
	uint32_t	left;			/* index of the left child from the start of its tree; 0 in a leaf */
} TreeNode;

/* For importance and explanation; parallel to the nodes. */
typedef struct TreeNodeStat
{
	float		gain;			/* of the split; 0 in a leaf */
	float		cover;			/* sum of hessians that reached it */
} TreeNodeStat;

typedef struct TreePayload
{
	uint32_t	n_trees;
	uint32_t	n_groups;		/* scores; trees come round-robin by group */
	uint32_t	link;			/* TreeLink */
	uint32_t	max_depth;		/* splits on the longest way down any tree */
	uint64_t	n_nodes;
	uint64_t	n_set_words;	/* uint32 words */
	uint64_t	base_offset;	/* of double base_score[n_groups], from the payload's start */
	uint64_t	starts_offset;	/* of uint64 start[n_trees + 1] */
	uint64_t	nodes_offset;	/* of TreeNode[n_nodes] */
	uint64_t	stats_offset;	/* of TreeNodeStat[n_nodes] */
	uint64_t	sets_offset;	/* of uint32 set_words[n_set_words] */
} TreePayload;

extern bool tree_model_validate(const Model *model, Error *error);
extern void tree_model_predict(const Model *model, const double *features, double *out);

/* Scores before the link: scores[n_groups]; not for LINK_SHARES. */
extern void tree_model_scores(const Model *model, const double *features, double *scores);

/* What one tree adds to the score of its group; the same. */
extern double tree_model_leaf(const Model *model, uint32_t tree, const double *features);

/*
 * What a prediction begins with (scores before any tree, or shares of 0), what
 * a leaf with shares adds (its u.set), and how scores become outputs.  For
 * whoever finds leaves in another way.
 */
extern void tree_model_begin(const Model *model, double *out);
extern void tree_model_add_shares(const Model *model, uint64_t set, double *out);
extern void tree_model_finish(const Model *model, double *out);

/* ---- Writing ---- */

typedef struct TreeWriter
{
	Buffer		nodes;
	Buffer		stats;
	Buffer		sets;
	Buffer		starts;
	Buffer		base;
	Buffer		marks;			/* TreeMark, one a tree */
	TreeLink	link;
	uint32_t	n_groups;
	uint32_t	n_trees;
	bool		malformed;		/* a tree broke the rules below: an error at the end */
} TreeWriter;

extern void tree_writer_init(TreeWriter *writer, TreeLink link, uint32_t n_groups, const double *base_score);
extern void tree_writer_free(TreeWriter *writer);

/*
 * Appends one tree: its root first, otherwise nodes in any order that keeps
 * the two children of a node side by side (they are put in breadth-first
 * order here, and what the root does not reach is left out); sets: words of
 * all category sets and shares of this tree, in the format above, to which u.set refers
 * (rebased here); depth: at least the tree's.
 */
extern void tree_writer_tree(TreeWriter *writer, const TreeNode *nodes, const TreeNodeStat *stats, uint32_t n_nodes,
							 const uint32_t *sets, uint64_t n_set_words, uint32_t depth);

/* Appends all trees of a payload that was validated; the writer must have none. */
extern void tree_writer_copy(TreeWriter *writer, const TreePayload *payload);

/* Drops trees behind the first n (early stopping); n must be a multiple of n_groups. */
extern void tree_writer_truncate(TreeWriter *writer, uint32_t n_trees);

/* Writes the payload to an empty buffer. */
extern bool tree_writer_finish(const TreeWriter *writer, Buffer *payload, Error *error);

#endif
