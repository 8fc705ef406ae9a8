/*
 * tree_view.h
 *		The arrays of a tree payload, for whoever validates or walks it.
 */
#ifndef MLOPS_CORE_TREE_VIEW_H
#define MLOPS_CORE_TREE_VIEW_H

#include <string.h>

#include "tree_model.h"

/* The arrays of a payload. */
typedef struct TreeView
{
	const TreePayload *head;
	const double *base;
	const uint64_t *starts;
	const TreeNode *nodes;
	const uint32_t *sets;
} TreeView;

/* Of a model of trees. */
static inline TreeView
tree_view(const Model *model)
{
	const uint8_t *payload = model->payload;
	const TreePayload *head = model->payload;

	return (TreeView)
	{
		.head = head,
		.base = (const double *) (payload + head->base_offset),
		.starts = (const uint64_t *) (payload + head->starts_offset),
		.nodes = (const TreeNode *) (payload + head->nodes_offset),
		.sets = (const uint32_t *) (payload + head->sets_offset)
	};
}

/* A share of a leaf. */
static inline double
share_at(const uint32_t *words)
{
	double		share;

	memcpy(&share, words + 1, sizeof(share));
	return share;
}

#endif
