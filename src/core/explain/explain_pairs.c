/*
 * explain_pairs.c
 *		Interactions: what pairs of columns contribute together, path by path.
 *
 * The interaction of features i and j is half the sum over leaves of
 *
 *		v (o_i - z_i) (o_j - z_j) integral of prod_{l != i, j} (o_l t + z_l (1 - t)) dt
 *
 * with the letters of explain_internal.h.  Let P be the product over all
 * features of a path, and C = (o - z) / (o t + z (1 - t)) of each; the
 * integrand is P C_i C_j.  Each edge of a tree pairs its feature with the others
 * above it, for all leaves below it at once; where the path has the feature
 * already, only the change of its C counts, so that changes add up.
 */
#include "explain_internal.h"

#include <string.h>

#include "../cpu.h"

/* A feature of the path. */
typedef struct Player
{
	uint32_t	feature;
	uint32_t	column;
	bool		alive;			/* the row goes the way of all its splits so far */
	double		share;			/* z */
	double		factor[EXPLAIN_WIDTH];	/* o t + z (1 - t) */
	double		ratio[EXPLAIN_WIDTH];	/* C */
} Player;

/* A node of the path. */
typedef struct ExplainStep
{
	uint32_t	slot;
	uint32_t	next;			/* of a split: the side to go to, 2 where both are done */
	uint32_t	player;			/* of a split: which of the path's */
	bool		joined;			/* of a split: this feature is new to the path */
	Player		saved;			/* of a split: as it was above */
	double		above[EXPLAIN_WIDTH];	/* P */
	double		below[EXPLAIN_WIDTH];	/* sum of weight P v over the leaves below */
} ExplainStep;

/* What a pass over a tree works with. */
typedef struct PairPass
{
	const ExplainTrees *trees;
	const ExplainBlock *block;
	const double *nodes;		/* t, u and the weights of the pass's nodes */
	const double *others;
	const double *weights;
	uint32_t	root;
	uint32_t	n_columns;
	double	   *matrix;
} PairPass;

/* Room for paths of the longest. */
bool
explain_prepare_pairs(ExplainTrees *trees, Arena *arena, Error *error)
{
	trees->path = arena_alloc(arena, (size_t) trees->depth + 1, sizeof(ExplainStep), error);
	trees->players = arena_alloc(arena, (size_t) trees->n_features_on_path + 1, sizeof(Player), error);
	return trees->path != NULL && trees->players != NULL;
}

/* The player of a split: one of the path's, or a new one, of which everything is still open. */
static uint32_t
find_player(Player *players, uint32_t *n_players, uint32_t feature, uint32_t column)
{
	for (uint32_t i = 0; i < *n_players; i++)
	{
		if (players[i].feature == feature)
			return i;
	}

	Player	   *player = &players[*n_players];

	*player = (Player) {.feature = feature, .column = column, .alive = true, .share = 1};
	for (int k = 0; k < EXPLAIN_WIDTH; k++)
		player->factor[k] = 1;
	return (*n_players)++;
}

/* The player on one side of a split. */
CPU_BODY void
take_side(Player *player, const Player *before, const PairPass *pass, bool taken, double share, int width)
{
	player->alive = before->alive && taken;
	player->share = before->share * share;
	for (int k = 0; k < width; k++)
	{
		double		t = pass->nodes[k];
		double		u = pass->others[k];

		player->factor[k] = player->share * u + (player->alive ? t : 0);
		player->ratio[k] = player->alive ? (1 - player->share) / player->factor[k] : -1 / u;
	}
}

/* Adds what the edge to a child does together with the other players. */
CPU_BODY void
pair_edge(const PairPass *pass, uint32_t n_players, uint32_t own, const Player *before, const double *below, int width)
{
	const Player *players = pass->trees->players;
	const Player *player = &players[own];
	double		change[EXPLAIN_WIDTH];

	for (int k = 0; k < width; k++)
		change[k] = below[k] * (player->ratio[k] - before->ratio[k]);
	for (uint32_t i = 0; i < n_players; i++)
	{
		double		sum = 0;

		if (players[i].column == player->column)
			continue;
		for (int k = 0; k < width; k++)
			sum += change[k] * players[i].ratio[k];
		pass->matrix[(size_t) players[i].column * pass->n_columns + player->column] += sum / 2;
		pass->matrix[(size_t) player->column * pass->n_columns + players[i].column] += sum / 2;
	}
}

/* Goes down all paths of one tree. */
CPU_BODY void
tree_body(const PairPass *pass, int width)
{
	const ExplainTrees *trees = pass->trees;
	const ExplainBlock *block = pass->block;
	ExplainStep *steps = trees->path;
	Player	   *players = trees->players;
	uint32_t	n_players = 0;
	uint32_t	i = 0;

	steps[0].slot = pass->root;
	steps[0].next = 0;
	for (int k = 0; k < width; k++)
		steps[0].above[k] = 1;
	for (;;)
	{
		ExplainStep *step = &steps[i];
		uint32_t	s = step->slot;

		if (step->next == 0)
		{
			uint32_t	known = n_players;

			for (int k = 0; k < width; k++)
				step->below[k] = 0;
			step->player = find_player(players, &n_players, block->features[s] & ~EXPLAIN_MISSING_LEFT,
									   block->columns[s] / trees->width);
			step->joined = n_players > known;
			step->saved = players[step->player];
		}
		else
		{
			/* a child is done: its sum is in the step below */
			pair_edge(pass, n_players, step->player, &step->saved, steps[i + 1].below, width);
			for (int k = 0; k < width; k++)
				step->below[k] += steps[i + 1].below[k];
		}
		if (step->next == 2)
		{
			players[step->player] = step->saved;
			if (step->joined)
				n_players--;
			if (i == 0)
				return;
			i--;
			continue;
		}

		uint32_t	side = step->next++;
		double		share = block->shares[2 * (size_t) s + side];
		Player	   *player = &players[step->player];
		ExplainStep *child = &steps[i + 1];
		bool		twig = s >= block->n_inner;
		uint32_t	slot = twig ? 0 : block->children[2 * (size_t) s + side] / trees->width;

		take_side(player, &step->saved, pass, trees->right[s] == side, share, width);
		for (int k = 0; k < width; k++)
			child->above[k] = step->above[k] * (step->saved.alive ? player->factor[k] / step->saved.factor[k] : share);
		if (twig || slot >= block->n_splits)
		{
			double		value = twig ? block->leaves[2 * (size_t) (s - block->n_inner) + side] : block->lone_leaves[slot - block->n_splits];

			for (int k = 0; k < width; k++)
				child->below[k] = value * pass->weights[k] * child->above[k];
			continue;
		}
		child->slot = slot;
		child->next = 0;
		i++;
	}
}

CPU_BODY void
narrow_tree_body(const PairPass *pass)
{
	tree_body(pass, 4);
}

CPU_BODY void
wide_tree_body(const PairPass *pass)
{
	tree_body(pass, 8);
}

CPU_DISPATCH(narrow_tree, (const PairPass *pass), (pass))
CPU_DISPATCH(wide_tree, (const PairPass *pass), (pass))

/* All trees, one pass of the quadrature's nodes after the other. */
bool
explain_trees_pairs(const Explainer *explainer, const double *features, bool missing, double *matrix)
{
	const ExplainTrees *trees = explainer->trees;

	for (uint32_t b = 0; b < trees->n_blocks; b++)
	{
		const ExplainBlock *block = &trees->blocks[b];
		PairPass	pass = {.trees = trees, .block = block, .n_columns = explainer->n_columns, .matrix = matrix};

		explain_decide(trees, block, features, missing);
		for (uint32_t p = 0; p < trees->n_passes; p++)
		{
			pass.nodes = trees->nodes + (size_t) p * trees->width;
			pass.others = trees->others + (size_t) p * trees->width;
			pass.weights = trees->weights + (size_t) p * trees->width;
			for (uint32_t r = 0; r < block->n_roots; r++)
			{
				if (explain_stopped(explainer->stop))
					return false;
				pass.root = block->roots[r];
				if (trees->width == 4)
					narrow_tree(&pass);
				else
					wide_tree(&pass);
			}
		}
	}
	return true;
}
