/*
 * test_explain_peer.c
 *		Contributions and interactions of the same trees by XGBoost: equal to the digits that floats have.
 */
#include <stdlib.h>

#include "core/algorithm.h"
#include "core/explain/explain.h"
#include "core/model/tree_inspect.h"

#include "check.h"
#include "fixtures/explain.h"

#define NODES (sizeof(peer_nodes) / sizeof(peer_nodes[0]))

/* Appends the tree that begins at a node of the fixture; the node behind it. */
static size_t
add_tree(TreeWriter *writer, size_t first)
{
	static TreeNode nodes[NODES];
	static TreeNodeStat stats[NODES];
	uint32_t	n = 0;

	for (; first + n < NODES && peer_nodes[first + n].tree == peer_nodes[first].tree; n++)
	{
		const PeerNode *node = &peer_nodes[first + n];

		stats[n] = (TreeNodeStat) {.gain = node->left < 0 ? 0 : 1,.cover = (float) node->cover};
		nodes[n].left = node->left < 0 ? 0 : (uint32_t) node->left;
		nodes[n].feature = node->left < 0 ? NODE_LEAF : (uint32_t) node->feature | (node->missing_left ? NODE_MISSING_LEFT : 0);
		nodes[n].u.threshold = node->threshold;
	}
	tree_writer_tree(writer, nodes, stats, n, NULL, 0, 16);
	return first + n;
}

static bool
write_model(Buffer *out, Error *error)
{
	ModelWriter writer;
	TreeWriter	trees;
	const double base = 0;

	model_writer_init(&writer);
	writer.header.algorithm = ALGORITHM_GRADIENT_BOOSTING;
	writer.header.task = TASK_BINARY;
	writer.header.label_kind = LABEL_TEXT;
	writer.header.target_name = model_writer_string(&writer, "y", 1);
	writer.header.target_type = model_writer_string(&writer, "text", 4);
	model_writer_label(&writer, "0");
	model_writer_label(&writer, "1");
	for (uint32_t c = 0; c < PEER_COLUMNS; c++)
	{
		RecipeColumn column = {
			.n_features = 1,.kind = KIND_NUMBER,.storage = STORAGE_FLOAT32,.missing = MISSING_NATIVE,.encoding = ENCODING_NATIVE,
			.scaling = SCALING_NONE,.unseen = UNSEEN_MISSING,.scale = 1,.first_feature = c
		};

		model_writer_column(&writer, &column, (char[2]) {(char) ('a' + c), '\0'}, "real", NULL, NULL, 0);
	}
	tree_writer_init(&trees, LINK_LOGISTIC, 1, &base);
	for (size_t node = 0; node < NODES;)
		node = add_tree(&trees, node);

	bool		done = tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], error) && model_writer_finish(&writer, out, error);

	tree_writer_free(&trees);
	model_writer_free(&writer);
	return done;
}

int
main(void)
{
	Buffer		bytes;
	Model		model;
	Error		error;

	buffer_init(&bytes);
	if (!CHECK_OK(write_model(&bytes, &error) && model_open(&model, bytes.data, bytes.size, &error), &error))
		return check_done();
	CHECK(tree_payload(&model)->n_trees == PEER_TREES);

	Explainer  *explainer = explainer_create(&model, 1, NULL, &error);

	if (!CHECK_OK(explainer != NULL, &error))
		return check_done();
	for (int row = 0; row < PEER_ROWS; row++)
	{
		const double *contributions = peer_contributions + row * (PEER_COLUMNS + 1);
		const double *interactions = peer_interactions + row * (PEER_COLUMNS + 1) * (PEER_COLUMNS + 1);
		double		features[PEER_COLUMNS];
		double		ours[PEER_COLUMNS];
		double		matrix[PEER_COLUMNS * PEER_COLUMNS];
		double		margin = explainer_base(explainer);

		CHECK_OK(model_encode(&model, peer_rows + row * PEER_COLUMNS, features, &error), &error);
		explain_row(explainer, features, ours);
		explain_row_pairs(explainer, features, matrix);
		CHECK_NEAR(explainer_base(explainer), contributions[PEER_COLUMNS], 1e-5);
		for (int i = 0; i < PEER_COLUMNS; i++)
		{
			margin += ours[i];
			CHECK_NEAR(ours[i], contributions[i], 1e-5);
			for (int j = 0; j < PEER_COLUMNS; j++)
				CHECK_NEAR(matrix[i * PEER_COLUMNS + j], interactions[i * (PEER_COLUMNS + 1) + j], 1e-5);
		}
		CHECK_NEAR(margin, peer_margins[row], 1e-5);
	}
	explainer_free(explainer);
	buffer_free(&bytes);
	return check_done();
}
