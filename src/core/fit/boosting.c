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
 * Sums over rows are of integers or over fixed blocks, and samples are drawn
 * by hash, so the trees depend on the rows, the parameters and the seed alone.
 * All memory is the arena's.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "grow.h"

typedef struct BoostingParams
{
	int			n_rounds;
	int			patience;		/* early_stopping_rounds; 0: none */
	double		subsample;
	double		colsample;
	uint32_t	max_bin;
	GrowRules	grow;
} BoostingParams;

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
	float	   *g;				/* of the training rows */
	float	   *h;
	GradientBlock *blocks;
	size_t	   *offsets;
	GradientSums *partial_sums;
	double	   *partial_losses; /* 2 a block */
	RowSample	sample;			/* of the tree being grown */
	bool	   *feature_used;
	struct RankedFeature *ranked;
	bool		weighted;		/* the training rows' weights differ */
	bool		weights_told;	/* the notice about weights was given */
	TreeWriter	writer;
} Booster;

typedef struct RankedFeature
{
	uint64_t	hash;
	uint32_t	feature;
} RankedFeature;

/* The parameters by name. */
static BoostingParams
read_params(const ParamSet *params)
{
	return (BoostingParams)
	{
		.n_rounds = (int) params_get(params, "n_estimators"),
		.patience = (int) params_get(params, "early_stopping_rounds"),
		.subsample = params_get(params, "subsample"),
		.colsample = params_get(params, "colsample_bytree"),
		.max_bin = (uint32_t) params_get(params, "max_bin"),
		.grow = {
			.split = {
				.lambda = params_get(params, "reg_lambda"),
				.alpha = params_get(params, "reg_alpha"),
				.gamma = params_get(params, "gamma"),
				.min_child_weight = params_get(params, "min_child_weight"),
				.max_onehot = (uint32_t) params_get(params, "max_cat_to_onehot"),
				.cat_smooth = params_get(params, "cat_smooth")
			},
			.max_depth = (uint32_t) params_get(params, "max_depth"),
			.max_leaves = (uint32_t) params_get(params, "max_leaves"),
			.learning_rate = params_get(params, "learning_rate")
		}
	};
}

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
	if (booster->params.patience > 0 && range_rows(table->validation) == 0)
	{
		error_set(error, ERROR_PARAMETER, "early_stopping_rounds needs validation rows, and there are none");
		return error_hint(error, "Add a share of validation rows to the split, such as {\"validation\": 0.1}.");
	}
	return true;
}

/* Rows of one part of the table with scores of zero. */
static bool
init_scored(Booster *booster, ScoredRows *rows, RowRange range, Error *error)
{
	const FitInput *input = booster->input;

	rows->n = range_rows(range);
	rows->n_groups = booster->n_groups;
	rows->target = input->target + range.begin;
	rows->weight = input->weight != NULL ? input->weight + range.begin : NULL;
	rows->base = booster->base;
	rows->tree_scores = arena_zeroed(input->arena, rows->n * booster->n_groups, sizeof(float), error);
	rows->log_sums = NULL;
	if (booster->objective->prepare != NULL)
		rows->log_sums = arena_alloc(input->arena, rows->n, sizeof(double), error);
	return rows->tree_scores != NULL && (booster->objective->prepare == NULL || rows->log_sums != NULL);
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

/* Two lists of all training rows. */
static bool
init_lists(Booster *booster, Error *error)
{
	for (int k = 0; k < 2; k++)
	{
		RowList    *list = &booster->grower.lists[k];

		list->rows = arena_alloc(booster->input->arena, booster->bins.n_train, sizeof(uint32_t), error);
		list->first = arena_alloc(booster->input->arena, booster->bins.n_train, sizeof(int32_t), error);
		list->second = NULL;
		if (list->rows == NULL || list->first == NULL)
			return false;
	}
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

/* Everything before the first tree. */
static bool
init_booster(Booster *booster, Error *error)
{
	const FitInput *input = booster->input;
	Arena	   *arena = input->arena;
	size_t		n_train = range_rows(input->table->train);
	size_t		n_validation = range_rows(input->table->validation);
	size_t		n_blocks = objective_blocks(n_train > n_validation ? n_train : n_validation);

	booster->n_groups = booster->objective->grouped ? input->n_classes : 1;
	booster->weighted = weights_differ(input->weight, input->table->train);
	booster->base = arena_alloc(arena, booster->n_groups, sizeof(double), error);
	booster->g = arena_alloc(arena, n_train, sizeof(float), error);
	booster->h = arena_alloc(arena, n_train, sizeof(float), error);
	booster->blocks = arena_alloc(arena, n_blocks, sizeof(GradientBlock), error);
	booster->offsets = arena_alloc(arena, n_blocks, sizeof(size_t), error);
	booster->partial_sums = arena_alloc(arena, n_blocks, sizeof(GradientSums), error);
	booster->partial_losses = arena_alloc(arena, n_blocks, 2 * sizeof(double), error);
	booster->feature_used = arena_alloc(arena, input->recipe->n_features, sizeof(bool), error);
	booster->ranked = arena_alloc(arena, input->recipe->n_features, sizeof(RankedFeature), error);
	return booster->base != NULL && booster->g != NULL && booster->h != NULL && booster->blocks != NULL &&
		booster->offsets != NULL && booster->partial_sums != NULL && booster->partial_losses != NULL &&
		booster->feature_used != NULL && booster->ranked != NULL &&
		booster->objective->base(input, booster->base, error) &&
		init_scored(booster, &booster->train, input->table->train, error) &&
		init_scored(booster, &booster->validation, input->table->validation, error) &&
		bins_build(&booster->bins, input, booster->params.max_bin, error) &&
		grower_init(&booster->grower, &booster->bins, &booster->params.grow, input->pool, arena, error) &&
		init_lists(booster, error);
}

/* ---- A tree ---- */

/* By hash, then by number. */
static int
compare_ranked(const void *a, const void *b)
{
	const RankedFeature *x = a;
	const RankedFeature *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

/* The features of a tree: those with the smallest hashes of seed, tree and feature. */
static const bool *
sample_features(Booster *booster, uint64_t tree)
{
	uint32_t	n = booster->bins.n_features;
	uint64_t	key = hash64_combine(booster->input->seed, ~tree);
	uint32_t	n_used = (uint32_t) (booster->params.colsample * n);

	if (booster->params.colsample >= 1)
		return NULL;
	for (uint32_t f = 0; f < n; f++)
		booster->ranked[f] = (RankedFeature) {.hash = hash64_combine(key, f),.feature = f};
	qsort(booster->ranked, n, sizeof(RankedFeature), compare_ranked);
	for (uint32_t i = 0; i < n; i++)
		booster->feature_used[booster->ranked[i].feature] = i < (n_used > 1 ? n_used : 1);
	return booster->feature_used;
}

/* Says once that the weights leave no room for splits.  For the first round: later a good fit has small second derivatives anyway. */
static void
check_weights(Booster *booster, double sum_h)
{
	const FitMonitor *monitor = booster->input->monitor;
	double		least = booster->params.grow.split.min_child_weight;
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

/* One tree for one group of scores. */
static bool
add_tree(Booster *booster, uint64_t tree, uint32_t group, Error *error)
{
	Grower	   *grower = &booster->grower;
	ThreadPool *pool = booster->input->pool;
	size_t		n = booster->train.n;
	GradientSums sums;

	objective_gradients(booster->objective, &booster->train, group, booster->g, booster->h, booster->blocks, pool);
	grower->scale = gradient_scale(booster->blocks, objective_blocks(n), n, booster->weighted);
	if (grower->scale.wide && !widen_lists(booster, error))
		return false;
	booster->sample = row_sample(booster->params.subsample, booster->input->seed, tree);

	size_t		n_rows = gradients_to_list(&grower->scale, &booster->sample, booster->g, booster->h, n, &grower->lists[0],
										   booster->offsets, booster->partial_sums, &sums, pool);

	if (tree == group)
		check_weights(booster, (double) sums.h * grower->scale.h_unit);
	grower->root = grower->lists[0];
	if (booster->sample.all)
		grower->root.rows = NULL;
	grower->feature_used = sample_features(booster, tree);
	grower->scores = booster->train.tree_scores + group * n;
	if (!grow_tree(grower, n_rows, sums, error) || !grown_write(grower, &booster->writer, error))
		return false;
	score_others(booster, group);
	return true;
}

/* ---- Rounds ---- */

/* Boosts until all rounds are done or the validation loss stops falling; *n_rounds: those to keep. */
static bool
boost(Booster *booster, int *n_rounds, Error *error)
{
	const FitInput *input = booster->input;
	const FitMonitor *monitor = input->monitor;
	int			total = booster->params.n_rounds;
	double		least_loss = INFINITY;

	*n_rounds = total;
	objective_prepare(booster->objective, &booster->train, input->pool);
	for (int round = 1; round <= total; round++)
	{
		for (uint32_t group = 0; group < booster->n_groups; group++)
		{
			if (!add_tree(booster, (uint64_t) (round - 1) * booster->n_groups + group, group, error))
				return false;
		}
		objective_prepare(booster->objective, &booster->train, input->pool);
		objective_prepare(booster->objective, &booster->validation, input->pool);

		double		train_loss = objective_loss(booster->objective, &booster->train, booster->partial_losses, input->pool);
		double		loss = objective_loss(booster->objective, &booster->validation, booster->partial_losses, input->pool);

		monitor->iteration(monitor->context, round, total, train_loss, loss);
		if (booster->params.patience == 0)
			continue;
		if (loss < least_loss)
		{
			least_loss = loss;
			*n_rounds = round;
		}
		else if (round - *n_rounds >= booster->params.patience)
			break;
	}
	return true;
}

/* See the head of this file. */
bool
boosting_fit(const FitInput *input, FitOutput *output, Error *error)
{
	Booster		booster = {
		.input = input,
		.objective = objective_of(input->task),
		.params = read_params(input->params)
	};

	if (!check_rows(&booster, error) || !init_booster(&booster, error))
		return false;
	tree_writer_init(&booster.writer, booster.objective->link, booster.n_groups, booster.base);

	bool		done = boost(&booster, &output->iterations, error);

	if (done)
	{
		tree_writer_truncate(&booster.writer, (uint32_t) output->iterations * booster.n_groups);
		done = tree_writer_finish(&booster.writer, &output->payload, error);
	}
	tree_writer_free(&booster.writer);
	return done;
}

/* Nodes of trees as written and as a payload; leaves of deep trees are taken to have 16 rows or more. */
static uint64_t
trees_memory(const BoostingParams *params, uint64_t n_rows, uint32_t n_groups)
{
	uint64_t	n_leaves = params->grow.max_depth < 32 ? UINT64_C(1) << params->grow.max_depth : n_rows;

	if (params->grow.max_leaves > 0 && params->grow.max_leaves < n_leaves)
		n_leaves = params->grow.max_leaves;
	if (n_leaves > n_rows / 16 + 1024)
		n_leaves = n_rows / 16 + 1024;
	return (uint64_t) params->n_rounds * n_groups * 2 * n_leaves * (sizeof(TreeNode) + sizeof(TreeNodeStat)) * 2 +
		2 * n_leaves * sizeof(GrownNode) * 2;
}

/* An upper estimate for usual trees; the sum of what the parts take. */
uint64_t
boosting_memory(const ParamSet *params, uint64_t n_rows, uint32_t n_features, uint32_t n_classes)
{
	BoostingParams boosting = read_params(params);
	uint32_t	n_groups = n_classes > 2 ? n_classes : 1;
	long		n_threads = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t	lists = 2 * (sizeof(uint32_t) + 2 * sizeof(int32_t));
	uint64_t	scores = n_groups * sizeof(float) + (n_groups > 1 ? sizeof(double) : 0);

	return bins_memory(n_rows, n_features) + n_rows * (lists + scores + 2 * sizeof(float)) +
		grower_memory(&boosting.grow, n_rows, n_features, n_threads > 0 ? (int) n_threads : 1) +
		trees_memory(&boosting, n_rows, n_groups);
}
