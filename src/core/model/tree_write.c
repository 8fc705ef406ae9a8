/*
 * tree_write.c
 *		Tree ensembles: writing.
 *
 * Trees are appended as they are grown; the arrays are put behind each other
 * at the end.  A failed allocation is remembered by the Buffers and found by
 * tree_writer_finish().
 */
#include <stdlib.h>
#include <string.h>

#include "tree_model.h"

/* Where a tree ends, to truncate there. */
typedef struct TreeMark
{
	uint64_t	n_set_words;	/* of this tree and those before it */
	uint32_t	depth;			/* of this tree */
	uint32_t	reserved;
} TreeMark;

void
tree_writer_init(TreeWriter *writer, TreeLink link, uint32_t n_groups, const double *base_score)
{
	buffer_init(&writer->nodes);
	buffer_init(&writer->stats);
	buffer_init(&writer->sets);
	buffer_init(&writer->starts);
	buffer_init(&writer->base);
	buffer_init(&writer->marks);
	writer->link = link;
	writer->n_groups = n_groups;
	writer->n_trees = 0;
	writer->malformed = false;
	buffer_bytes(&writer->base, base_score, n_groups * sizeof(double));
	buffer_u64(&writer->starts, 0);
}

void
tree_writer_free(TreeWriter *writer)
{
	buffer_free(&writer->nodes);
	buffer_free(&writer->stats);
	buffer_free(&writer->sets);
	buffer_free(&writer->starts);
	buffer_free(&writer->base);
	buffer_free(&writer->marks);
}

/*
 * Appends the nodes in breadth-first order; false where there are not as
 * many as their children say.  order: room for n_nodes.
 */
static bool
write_nodes(TreeWriter *writer, const TreeNode *nodes, const TreeNodeStat *stats, uint32_t n_nodes, uint32_t *order, uint32_t *depth)
{
	uint64_t	first_word = writer->sets.size / sizeof(uint32_t);
	uint32_t	claimed = 1;
	uint32_t	level_end = 1;

	*depth = 0;
	order[0] = 0;
	for (uint32_t i = 0; i < claimed; i++)
	{
		TreeNode	node = nodes[order[i]];

		if (i == level_end)
		{
			level_end = claimed;
			(*depth)++;
		}
		if (!(node.feature & NODE_LEAF))
		{
			if (n_nodes - claimed < 2 || node.left >= n_nodes - 1)
				return false;
			order[claimed] = node.left;
			order[claimed + 1] = node.left + 1;
			node.left = claimed;
			claimed += 2;
			if (node.feature & NODE_CATEGORICAL)
				node.u.set += first_word;
		}
		else if (node.feature & NODE_SHARES)
			node.u.set += first_word;
		buffer_bytes(&writer->nodes, &node, sizeof(node));
		buffer_bytes(&writer->stats, &stats[order[i]], sizeof(TreeNodeStat));
	}
	return true;
}

void
tree_writer_tree(TreeWriter *writer, const TreeNode *nodes, const TreeNodeStat *stats, uint32_t n_nodes,
				 const uint32_t *sets, uint64_t n_set_words, uint32_t depth)
{
	uint32_t   *order = n_nodes > 0 ? malloc(n_nodes * sizeof(uint32_t)) : NULL;
	TreeMark	mark = {0};

	if (order == NULL)
	{
		writer->malformed |= n_nodes == 0;
		writer->nodes.failed = true;
		return;
	}
	if (!write_nodes(writer, nodes, stats, n_nodes, order, &mark.depth) || mark.depth > depth)
		writer->malformed = true;
	free(order);

	buffer_bytes(&writer->sets, sets, n_set_words * sizeof(uint32_t));
	buffer_u64(&writer->starts, writer->nodes.size / sizeof(TreeNode));
	mark.n_set_words = writer->sets.size / sizeof(uint32_t);
	buffer_bytes(&writer->marks, &mark, sizeof(mark));
	writer->n_trees++;
}

void
tree_writer_copy(TreeWriter *writer, const TreePayload *payload)
{
	const uint8_t *bytes = (const uint8_t *) payload;
	const uint64_t *starts = (const uint64_t *) (bytes + payload->starts_offset);

	/* where a tree's words end is not known, but these trees are never dropped */
	TreeMark	mark = {.n_set_words = payload->n_set_words,.depth = payload->max_depth};

	buffer_bytes(&writer->nodes, bytes + payload->nodes_offset, payload->n_nodes * sizeof(TreeNode));
	buffer_bytes(&writer->stats, bytes + payload->stats_offset, payload->n_nodes * sizeof(TreeNodeStat));
	buffer_bytes(&writer->sets, bytes + payload->sets_offset, payload->n_set_words * sizeof(uint32_t));
	buffer_bytes(&writer->starts, starts + 1, payload->n_trees * sizeof(uint64_t));
	for (uint32_t t = 0; t < payload->n_trees; t++)
		buffer_bytes(&writer->marks, &mark, sizeof(mark));
	writer->n_trees = payload->n_trees;
}

void
tree_writer_truncate(TreeWriter *writer, uint32_t n_trees)
{
	if (n_trees >= writer->n_trees || writer->starts.failed || writer->marks.failed)
		return;

	uint64_t	n_nodes = ((const uint64_t *) writer->starts.data)[n_trees];
	uint64_t	n_set_words = n_trees > 0 ? ((const TreeMark *) writer->marks.data)[n_trees - 1].n_set_words : 0;

	writer->n_trees = n_trees;
	writer->nodes.size = n_nodes * sizeof(TreeNode);
	writer->stats.size = n_nodes * sizeof(TreeNodeStat);
	writer->sets.size = n_set_words * sizeof(uint32_t);
	writer->starts.size = ((size_t) n_trees + 1) * sizeof(uint64_t);
	writer->marks.size = n_trees * sizeof(TreeMark);
}

/* Appends one array, aligned; its offset. */
static uint64_t
write_array(Buffer *payload, const Buffer *array)
{
	buffer_align(payload, 8);

	uint64_t	offset = payload->size;

	buffer_bytes(payload, array->data, array->size);
	return offset;
}

bool
tree_writer_finish(const TreeWriter *writer, Buffer *payload, Error *error)
{
	const Buffer *arrays[] = {&writer->base, &writer->starts, &writer->nodes, &writer->stats, &writer->sets, &writer->marks};

	if (writer->malformed)
		return error_set(error, ERROR_INTERNAL, "a tree is malformed");
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
	{
		if (!buffer_check(arrays[i], error))
			return false;
	}

	TreePayload head = {
		.n_trees = writer->n_trees,
		.n_groups = writer->n_groups,
		.link = writer->link,
		.n_nodes = writer->nodes.size / sizeof(TreeNode),
		.n_set_words = writer->sets.size / sizeof(uint32_t)
	};

	for (uint32_t t = 0; t < writer->n_trees; t++)
	{
		uint32_t	depth = ((const TreeMark *) writer->marks.data)[t].depth;

		if (depth > head.max_depth)
			head.max_depth = depth;
	}
	buffer_bytes(payload, &head, sizeof(head));
	head.base_offset = write_array(payload, &writer->base);
	head.starts_offset = write_array(payload, &writer->starts);
	head.nodes_offset = write_array(payload, &writer->nodes);
	head.stats_offset = write_array(payload, &writer->stats);
	head.sets_offset = write_array(payload, &writer->sets);
	if (!buffer_check(payload, error))
		return false;
	memcpy(payload->data, &head, sizeof(head));
	return true;
}
