/*
 * boosting.c
 *		Gradient boosting of decision trees over histograms.
 *
 * Friedman, "Greedy function approximation" (2001), with the second-order
 * gains and leaves of XGBoost (Chen & Guestrin 2016) and the histograms of
 * LightGBM (Ke et al. 2017).  Rows are binned once (bins.c).  A round makes
 * derivatives of the loss (objective.c), turns them into integers
 * (gradients.c), grows a tree for each score (grow.c), and adds its leaves to
 * the scores.
 *
 * A fit may go on from a version: its trees come first (boosting_start.c).
 *
 * Sums over rows are of integers or over fixed blocks, and samples are drawn
 * by hash, so the trees depend on the rows, the parameters and the seed alone.
 * All memory is the arena's.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "boosting.h"
#include "boosting_start.h"
#include "../class_weight.h"
#include "early_stop.h"

/* A fit in progress. */
typedef struct Booster
{
	const FitInput *input;
	const Objective *objective;
	BoostingParams params;
	BinnedMatrix bins;
	Grower		grower;
	uint32_t	n_groups;
	double	   *base;			/* n_groups */
	ScoredRows	train;
	ScoredRows	validation;
	float	   *g;				/* of the training rows; see init_lists() */
	float	   *h;
	GradientBlock *blocks;
	size_t	   *offsets;
	GradientSums *partial_sums;
	double	   *partial_losses; /* 2 a block */
	RowSample	sample;			/* of the tree being grown */
	ColumnSample columns;
	EarlyStop	stop;
	bool		weighted;		/* the training rows' weights differ */
	bool		weights_told;	/* the notice about weights was given */
	LeafRefit	refit;
	TreeWriter	writer;
} Booster;

/* ---- Preparation ---- */

/* What cannot be trained. */
static bool
check_rows(const Booster *booster, Error *error)
{
	const Table *table = booster->input->table;

	if (range_rows(table->train) == 0)
		return error_set(error, ERROR_DATA, "there are no rows to train on");
	if (range_rows(table->train) > UINT32_MAX - 1)
		return error_set(error, ERROR_LIMIT, "gradient boosting takes at most %u training rows", UINT32_MAX - 1);
	return objective_check(booster->objective, booster->input, error);
}

/* Rows of one part of the table with the scores that they start with. */
static bool
init_scored(Booster *booster, ScoredRows *rows, RowRange range, Error *error)
{
	const FitInput *input = booster->input;

	rows->n = range_rows(range);
	rows->n_groups = booster->n_groups;
	rows->target = input->target + range.begin;
	rows->weight = input->weight != NULL ? input->weight + range.begin : NULL;
	rows->base = booster->base;
	rows->shape = booster->params.shape;
	rows->tree_scores = arena_zeroed(input->arena, rows->n * booster->n_groups, sizeof(float), error);
	rows->log_sums = NULL;
	if (booster->objective->prepare != NULL)
		rows->log_sums = arena_alloc(input->arena, rows->n, sizeof(double), error);
	return rows->tree_scores != NULL && (booster->objective->prepare == NULL || rows->log_sums != NULL) &&
		start_scores(input, range, rows->tree_scores, error);
}

/* Whether weights differ from row to row. */
static bool
weights_differ(const double *weight, RowRange range)
{
	for (size_t row = range.begin; weight != NULL && row < range.end; row++)
	{
		if (weight[row] != weight[range.begin])
			return true;
	}
	return false;
}

/*
 * Two lists of all training rows.  The second is filled when the root is
 * divided; by then the derivatives have gone into the first, so they lie
 * where the second will be.
 */
static bool
init_lists(Booster *booster, Error *error)
{
	_Static_assert(sizeof(float) == sizeof(uint32_t) && sizeof(float) == sizeof(int32_t), "derivatives fit into a list");

	for (int k = 0; k < 2; k++)
	{
		RowList    *list = &booster->grower.lists[k];

		list->rows = arena_alloc(booster->input->arena, booster->bins.n_train, sizeof(uint32_t), error);
		list->first = arena_alloc(booster->input->arena, booster->bins.n_train, sizeof(int32_t), error);
		list->second = NULL;
		if (list->rows == NULL || list->first == NULL)
			return false;
	}
	booster->g = (float *) booster->grower.lists[1].rows;
	booster->h = (float *) booster->grower.lists[1].first;
	return true;
}

/* Second words of lists: wanted by few fits, made when the first tree wants them. */
static bool
widen_lists(Booster *booster, Error *error)
{
	for (int k = 0; k < 2; k++)
	{
		RowList    *list = &booster->grower.lists[k];

		if (list->second == NULL)
			list->second = arena_alloc(booster->input->arena, booster->bins.n_train, sizeof(int32_t), error);
		if (list->second == NULL)
			return false;
	}
	return true;
}

/* Directions of features by the names of their columns. */
static bool
init_directions(Booster *booster, Error *error)
{
	const ParamMap *map = params_map(booster->input->params, "monotone_constraints");

	if (map == NULL)
		return true;

	int8_t	   *directions = arena_zeroed(booster->input->arena, booster->bins.n_features, sizeof(int8_t), error);

	if (directions == NULL)
		return false;
	for (uint32_t f = 0; f < booster->bins.n_features; f++)
	{
		const BinFeature *feature = &booster->bins.features[f];

		/* what says that the value was missing is behind the value itself, and not constrained */
		for (uint32_t k = 0; k < map->n && feature->slot == 0; k++)
		{
			if (param_key_names(map->entries[k].key, feature->column->table->source->name))
				directions[f] = (int8_t) map->entries[k].value;
		}
	}
	booster->params.grow.directions = directions;
	return true;
}

/* Samples of features; nodes get room for their own where they have some. */
static bool
init_columns(Booster *booster, Error *error)
{
	Grower	   *grower = &booster->grower;
	Arena	   *arena = booster->input->arena;
	uint32_t	n = booster->bins.n_features;

	if (!column_sample_init(&booster->columns, booster->params.columns, n, arena, error))
		return false;
	if (!column_sample_narrows(&booster->columns))
		return true;
	grower->columns = &booster->columns;
	grower->used = arena_alloc(arena, (size_t) grower->max_batch * 4, n * sizeof(bool), error);
	return grower->used != NULL;
}

/* What refitting leaves takes, where the objective wants it. */
static bool
init_refit(Booster *booster, Error *error)
{
	LeafRefit  *refit = &booster->refit;

	if (!booster->objective->refits_leaves)
		return true;
	*refit = (LeafRefit)
	{
		.target = booster->train.target,
		.weight = booster->train.weight,
		.base = booster->base[0],
		.share = booster->params.shape,
		.items = arena_alloc(booster->input->arena, booster->train.n, sizeof(QuantileItem), error)
	};
	booster->grower.refit = refit;
	return refit->items != NULL;
}

/* Everything before the first tree. */
static bool
init_booster(Booster *booster, Error *error)
{
	const FitInput *input = booster->input;
	Arena	   *arena = input->arena;
	size_t		n_train = range_rows(input->table->train);
	size_t		n_validation = range_rows(input->table->validation);
	size_t		n_blocks = objective_blocks(n_train > n_validation ? n_train : n_validation);
	BinPlan		bins = {.n_rows = n_train + n_validation,.max_bin = booster->params.max_bin,.by_row = true};

	booster->n_groups = booster->objective->grouped ? input->n_classes : 1;
	booster->weighted = weights_differ(input->weight, input->table->train);
	booster->base = arena_alloc(arena, booster->n_groups, sizeof(double), error);
	booster->blocks = arena_alloc(arena, n_blocks, sizeof(GradientBlock), error);
	booster->offsets = arena_alloc(arena, n_blocks, sizeof(size_t), error);
	booster->partial_sums = arena_alloc(arena, n_blocks, sizeof(GradientSums), error);
	booster->partial_losses = arena_alloc(arena, n_blocks, 2 * sizeof(double), error);
	return booster->base != NULL && booster->blocks != NULL &&
		booster->offsets != NULL && booster->partial_sums != NULL && booster->partial_losses != NULL &&
		start_base(input, booster->objective, &booster->params, booster->base, error) &&
		init_scored(booster, &booster->train, input->table->train, error) &&
		init_scored(booster, &booster->validation, input->table->validation, error) &&
		bins_build(&booster->bins, input, &bins, error) &&
		init_directions(booster, error) &&
		grower_init(&booster->grower, &booster->bins, &booster->params.grow, input->pool, arena, error) &&
		init_columns(booster, error) &&
		init_lists(booster, error) &&
		init_refit(booster, error);
}

/* ---- A tree ---- */

/* Says that leaves must have more rows than there are. */
static void
check_leaf_rows(const Booster *booster)
{
	const FitMonitor *monitor = booster->input->monitor;
	double		least = params_get(booster->input->params, "min_samples_leaf");
	char		text[160];

	if (2 * least <= (double) booster->train.n)
		return;
	snprintf(text, sizeof(text), "no split is possible: each leaf needs min_samples_leaf = %.0f rows, and there are %zu training rows", least,
			 booster->train.n);
	monitor->notice(monitor->context, text);
}

/* Says once that the weights leave no room for splits.  For the first round: later a good fit has small second derivatives anyway. */
static void
check_weights(Booster *booster, double sum_h)
{
	const FitMonitor *monitor = booster->input->monitor;
	double		least = params_get(booster->input->params, "min_child_weight");
	char		text[256];

	if (booster->weights_told || sum_h >= 10 * least)
		return;
	booster->weights_told = true;
	snprintf(text, sizeof(text), "hardly any split is possible: the second derivatives of all training rows add up to %g, and each leaf needs "
			 "min_child_weight = %g; lower it, or scale the weights up", sum_h, least);
	monitor->notice(monitor->context, text);
}

typedef struct WalkWork
{
	const Booster *booster;
	float	   *scores;
	size_t		first;			/* binned row of scores[0] */
	size_t		n;
	const RowSample *but;		/* rows to leave out, or NULL */
} WalkWork;

/* Task: adds the leaves of a block of rows to their scores. */
static void
walk_block(void *argument, size_t task)
{
	const WalkWork *work = argument;
	size_t		begin = task * OBJECTIVE_BLOCK;
	size_t		end = work->n - begin < OBJECTIVE_BLOCK ? work->n : begin + OBJECTIVE_BLOCK;

	for (size_t i = begin; i < end; i++)
	{
		if (work->but == NULL || !row_sampled(work->but, i))
			work->scores[i] += (float) grown_leaf(&work->booster->grower, work->first + i)->value;
	}
}

/* Scores of rows that the tree was not grown on. */
static void
score_others(const Booster *booster, uint32_t group)
{
	const ScoredRows *validation = &booster->validation;
	WalkWork	left_out = {
		.booster = booster,
		.scores = booster->train.tree_scores + group * booster->train.n,
		.n = booster->train.n,
		.but = &booster->sample
	};
	WalkWork	held_out = {
		.booster = booster,
		.scores = validation->tree_scores + group * validation->n,
		.first = booster->train.n,
		.n = validation->n
	};

	if (!booster->sample.all)
		pool_for(booster->input->pool, objective_blocks(left_out.n), walk_block, &left_out);
	pool_for(booster->input->pool, objective_blocks(held_out.n), walk_block, &held_out);
}

/* Whether derivatives may be of any size: those of classes and of quantiles are at most 1. */
static inline bool
is_unbounded(const Objective *objective)
{
	return objective->link != LINK_LOGISTIC && objective->link != LINK_SOFTMAX && !objective->refits_leaves;
}

/* One tree for one group of scores. */
static bool
add_tree(Booster *booster, uint64_t tree, uint32_t group, Error *error)
{
	Grower	   *grower = &booster->grower;
	ThreadPool *pool = booster->input->pool;
	size_t		n = booster->train.n;
	GradientSums sums;

	objective_gradients(booster->objective, &booster->train, group, booster->g, booster->h, booster->blocks, pool);
	grower->scale = gradient_scale(booster->blocks, objective_blocks(n), n, booster->weighted, is_unbounded(booster->objective));
	if (grower->scale.wide && !widen_lists(booster, error))
		return false;
	booster->sample = row_sample(booster->params.subsample, booster->input->seed, tree);

	size_t		n_rows = gradients_to_list(&grower->scale, &booster->sample, booster->g, booster->h, n, &grower->lists[0],
										   booster->offsets, booster->partial_sums, &sums, pool);

	if (tree - start_trees(booster->input) == group)
		check_weights(booster, (double) sums.h * grower->scale.h_unit);
	grower->root = grower->lists[0];
	if (booster->sample.all)
		grower->root.rows = NULL;
	grower->feature_used = column_sample_tree(&booster->columns, booster->input->seed, tree);
	grower->scores = booster->train.tree_scores + group * n;
	if (!grow_tree(grower, n_rows, sums, error) || !grown_write(grower, &booster->writer, error))
		return false;
	score_others(booster, group);
	return true;
}

/* ---- Rounds ---- */

/* The scores of a version, which new trees have to better. */
static bool
rate_start(Booster *booster, Error *error)
{
	ThreadPool *pool = booster->input->pool;

	objective_prepare(booster->objective, &booster->validation, pool);

	double		loss = objective_loss(booster->objective, &booster->validation, booster->partial_losses, pool);

	return early_stop_start(&booster->stop, booster->objective, &booster->validation, loss, error);
}

/* Boosts until all rounds are done or validation rows are predicted no better; *n_rounds: those to keep. */
static bool
boost(Booster *booster, int *n_rounds, Error *error)
{
	const FitInput *input = booster->input;
	const FitMonitor *monitor = input->monitor;
	int			total = booster->params.n_rounds;
	uint64_t	first_tree = start_trees(input);

	*n_rounds = total;
	check_leaf_rows(booster);
	objective_prepare(booster->objective, &booster->train, input->pool);
	if (input->init != NULL && !rate_start(booster, error))
		return false;
	for (int round = 1; round <= total; round++)
	{
		for (uint32_t group = 0; group < booster->n_groups; group++)
		{
			if (!add_tree(booster, first_tree + (uint64_t) (round - 1) * booster->n_groups + group, group, error))
				return false;
		}
		objective_prepare(booster->objective, &booster->train, input->pool);
		objective_prepare(booster->objective, &booster->validation, input->pool);

		double		train_loss = objective_loss(booster->objective, &booster->train, booster->partial_losses, input->pool);
		double		loss = objective_loss(booster->objective, &booster->validation, booster->partial_losses, input->pool);

		monitor->iteration(monitor->context, round, total, train_loss, loss);

		bool		done;

		if (!early_stop_round(&booster->stop, booster->objective, &booster->train, &booster->validation, round, loss, &done, error))
			return false;
		if (booster->stop.patience > 0 && booster->stop.metric[0] != '\0' && monitor->metric != NULL)
			monitor->metric(monitor->context, booster->stop.metric, booster->stop.train_metric, booster->stop.validation_metric);
		if (booster->stop.patience > 0)
			*n_rounds = booster->stop.best_round;
		if (done)
			break;
	}
	return true;
}

/* See the head of this file. */
bool
boosting_fit(const FitInput *input, FitOutput *output, Error *error)
{
	FitInput	weighted = *input;
	KeptCuts	kept;
	Booster		booster = {
		.input = &weighted,
		.params = boosting_read_params(input->params)
	};

	booster.objective = objective_find(booster.params.objective, input->task);
	/* where each row adds 1 to h, the least weight of a leaf can count its rows */
	if (booster.objective->unit_h && input->weight == NULL)
	{
		SplitRules *split = &booster.params.grow.split;

		split->min_child_weight = fmax(split->min_child_weight, (double) split->min_rows);
		booster.params.grow.counts_rows = false;
	}
	if (input->init != NULL)
	{
		if (!kept_cuts_init(&kept, input->init, input->arena, error))
			return false;
		weighted.kept_cuts = &kept;
	}
	if (!early_stop_init(&booster.stop, input, error) || !class_weights(input, &weighted.weight, error) || !check_rows(&booster, error) ||
		!init_booster(&booster, error))
		return false;
	tree_writer_init(&booster.writer, booster.objective->link, booster.n_groups, booster.base);

	if (input->init != NULL)
		tree_writer_copy(&booster.writer, input->init->payload);

	int			n_rounds;
	bool		done = boost(&booster, &n_rounds, error);

	if (done)
	{
		if (n_rounds == 0)
			input->monitor->notice(input->monitor->context, "no round predicts the validation rows better than the version did: no tree is added");
		output->iterations = (int) (start_trees(input) / booster.n_groups) + n_rounds;
		tree_writer_truncate(&booster.writer, (uint32_t) output->iterations * booster.n_groups);
		done = tree_writer_finish(&booster.writer, &output->payload, error);
	}
	tree_writer_free(&booster.writer);
	return done;
}
