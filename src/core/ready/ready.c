/*
 * ready.c
 *		Predictions by the ready form of a tree model.
 *
 * The kernels find leaves; here their words are added up, in the order of
 * trees and in double, as the reference does it, and the link makes outputs
 * of the scores.
 */
#include "ready.h"

#include <string.h>

#include "ready_layout.h"

#define CHUNK_TREES 16			/* whose leaves are found before they are added: few, so that the next ones are found meanwhile */

/* Scratch of a block: columns of lanes, scores by group, words of a tree. */
static size_t
columns_size(const ReadyHead *head)
{
	return (size_t) head->n_lanes * READY_ROWS;
}

void
ready_open(Ready *ready, const Model *model, const void *bytes)
{
	const ReadyHead *head = bytes;

	ready->model = model;
	ready->head = head;
	ready->row_size = head->n_lanes;
	ready->direct = head->direct;
	ready->column_words = ready_column_words_kernel();
	ready->column_scores = ready_column_scores_kernel(head);
	ready->columnar = head->columnar && ready->column_words != NULL;
	ready->scratch_size = (ready->columnar ? columns_size(head) : 0) + (size_t) head->n_groups * READY_ROWS * sizeof(double);
	ready->bin = ready_bin_kernel();
	ready->leaves = ready_leaves_kernel(head);
}

bool
ready_bin(const Ready *ready, const double *raw, double *features, uint8_t *lanes, Error *error)
{
	if (!ready->direct && !model_encode(ready->model, raw, features, error))
		return false;
	ready->bin(ready->head, ready->direct ? raw : features, lanes);
	return true;
}

static inline double
word_value(uint64_t word)
{
	double		value;

	memcpy(&value, &word, sizeof(value));
	return value;
}

void
ready_row(const Ready *ready, const uint8_t *lanes, double *out)
{
	const ReadyHead *head = ready->head;
	const Model *model = ready->model;
	uint64_t	words[CHUNK_TREES];
	uint32_t	group = 0;

	tree_model_begin(model, out);
	for (uint32_t first = 0; first < head->n_trees; first += CHUNK_TREES)
	{
		uint32_t	n = head->n_trees - first < CHUNK_TREES ? head->n_trees - first : CHUNK_TREES;

		ready->leaves(head, lanes, first, n, words);
		if (head->link == LINK_SHARES)
		{
			for (uint32_t t = 0; t < n; t++)
				tree_model_add_shares(model, words[t], out);
		}
		else if (head->n_groups == 1)
		{
			double		score = out[0];

			for (uint32_t t = 0; t < n; t++)
				score += word_value(words[t]);
			out[0] = score;
		}
		else
		{
			for (uint32_t t = 0; t < n; t++)
			{
				out[group] += word_value(words[t]);
				group = group + 1 == head->n_groups ? 0 : group + 1;
			}
		}
	}
	tree_model_finish(model, out);
}

/* Adds the leaves' shares of all rows of a block, tree by tree. */
static void
block_shares(const Ready *ready, const uint8_t *lanes, uint32_t n, const uint8_t *columns, double *out)
{
	const Model *model = ready->model;
	uint64_t	words[READY_ROWS];

	for (uint32_t tree = 0; tree < ready->head->n_trees; tree++)
	{
		if (ready->columnar)
			ready->column_words(ready->head, tree, columns, words);
		else
			ready_walk_rows(ready->head, tree, lanes, words);
		for (uint32_t row = 0; row < n; row++)
			tree_model_add_shares(model, words[row], out + (size_t) row * model->n_outputs);
	}
}

/* Adds the leaves of all rows of a block, tree by tree: scores[n_groups][READY_ROWS]. */
static void
block_scores(const Ready *ready, const uint8_t *lanes, const uint8_t *columns, double *scores)
{
	const ReadyHead *head = ready->head;
	uint64_t	words[READY_ROWS];
	uint32_t	group = 0;

	for (uint32_t tree = 0; tree < head->n_trees; tree++)
	{
		double	   *to = scores + (size_t) group * READY_ROWS;

		if (ready->columnar)
			ready->column_scores(head, tree, columns, to);
		else
		{
			ready_walk_rows(head, tree, lanes, words);
			for (int row = 0; row < READY_ROWS; row++)
				to[row] += word_value(words[row]);
		}
		group = group + 1 == head->n_groups ? 0 : group + 1;
	}
}

void
ready_block(const Ready *ready, const uint8_t *lanes, uint32_t n, void *scratch, double *out)
{
	const ReadyHead *head = ready->head;
	const Model *model = ready->model;
	double	   *scores = scratch;
	uint8_t    *columns = (uint8_t *) (scores + (size_t) head->n_groups * READY_ROWS);

	if (ready->columnar)
		ready_columns(head, lanes, columns);
	for (uint32_t row = 0; row < n; row++)
		tree_model_begin(model, out + (size_t) row * model->n_outputs);
	if (head->link == LINK_SHARES)
		block_shares(ready, lanes, n, columns, out);
	else
	{
		for (uint32_t group = 0; group < head->n_groups; group++)
		{
			for (uint32_t row = 0; row < READY_ROWS; row++)
				scores[group * READY_ROWS + row] = out[group];
		}
		block_scores(ready, lanes, columns, scores);
		for (uint32_t row = 0; row < n; row++)
		{
			for (uint32_t group = 0; group < head->n_groups; group++)
				out[(size_t) row * model->n_outputs + group] = scores[group * READY_ROWS + row];
		}
	}
	for (uint32_t row = 0; row < n; row++)
		tree_model_finish(model, out + (size_t) row * model->n_outputs);
}
