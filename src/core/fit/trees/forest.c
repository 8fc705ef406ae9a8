/*
 * forest.c
 *		Random forests, extremely randomised trees, and single trees.
 *
 * Breiman, "Random forests" (2001); Geurts, Ernst & Wehenkel, "Extremely
 * randomized trees" (2006); Breiman, Friedman, Olshen & Stone,
 * "Classification and regression trees" (1984).  A bootstrap takes each row
 * as often as a Poisson variable says, which is what drawing with replacement
 * comes to, row by row (Oza & Russell 2001).
 *
 * Trees are grown by all threads, some at a time, and appended to the model
 * in their order; fewer than threads one after the other, each by all.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../mathfun.h"
#include "../class_weight.h"
#include "forest.h"

#define VOTE_UNITS			(INT64_C(1) << 40)	/* of the largest vote: the most trees leave room for their sum */
#define TREES_AT_A_TIME		4	/* a thread, before they are written */

/* ---- Parameters ---- */

/* Words of "max_features", as indexes of its choices. */
enum
{
	FEATURES_AUTO,
	FEATURES_SQRT,
	FEATURES_LOG2,
	FEATURES_ALL
};

/* How many of p features a node looks at. */
static uint32_t
tried_features(double value, Task task, uint32_t p)
{
	double		n = value;

	if (value == PARAM_WORD(FEATURES_ALL) || (value == PARAM_WORD(FEATURES_AUTO) && task == TASK_REGRESSION))
		n = p;
	else if (value == PARAM_WORD(FEATURES_SQRT) || value == PARAM_WORD(FEATURES_AUTO))
		n = floor(sqrt(p));
	else if (value == PARAM_WORD(FEATURES_LOG2))
		n = p > 0 ? floor(log2(p)) : 0;
	else if (value < 1)
		n = floor(value * p);
	return n > 1 ? (uint32_t) fmin(n, p) : 1;
}

/* The criterion of a task, where none is asked for. */
static ForestCriterion
criterion_of(double value, Task task)
{
	if (value != 0)
		return (ForestCriterion) value;
	return task == TASK_REGRESSION ? CRITERION_SQUARED_ERROR : CRITERION_GINI;
}

/* What all three algorithms have. */
static ForestRules
read_rules(const FitInput *input)
{
	const ParamSet *params = input->params;
	double		max_depth = params_get(params, "max_depth");

	return (ForestRules)
	{
		.n_trees = 1,
		.criterion = criterion_of(params_get(params, "criterion"), input->task),
		.max_depth = max_depth > 0 ? (uint32_t) max_depth : UINT32_MAX,
		.max_leaves = (uint32_t) params_get(params, "max_leaves"),
		.min_split = (uint32_t) params_get(params, "min_samples_split"),
		.min_leaf = (uint32_t) params_get(params, "min_samples_leaf"),
		.n_tried = tried_features(params_get(params, "max_features"), input->task, input->recipe->n_features),
		.max_bin = (uint32_t) params_get(params, "max_bin"),
		.ccp_alpha = params_get(params, "ccp_alpha"),
		.max_samples = 1
	};
}

/* And what forests have. */
static ForestRules
read_forest_rules(const FitInput *input)
{
	ForestRules rules = read_rules(input);

	rules.n_trees = (uint32_t) params_get(input->params, "n_estimators");
	rules.bootstrap = params_get(input->params, "bootstrap") != 0;
	rules.max_samples = params_get(input->params, "max_samples");
	rules.oob_score = params_get(input->params, "oob_score") != 0;
	return rules;
}

/* What cannot be trained. */
static bool
check_input(const FitInput *input, Error *error)
{
	double		max_features = params_get(input->params, "max_features");
	size_t		n = range_rows(input->table->train);

	if (n == 0)
		return error_set(error, ERROR_DATA, "there are no rows to train on");
	if (n > UINT32_MAX - 1)
		return error_set(error, ERROR_LIMIT, "trees take at most %u training rows", UINT32_MAX - 1);
	if (max_features > fmax(1, input->recipe->n_features))
	{
		error_set(error, ERROR_PARAMETER, "max_features is %.0f, but there are %u features", max_features, input->recipe->n_features);
		return error_hint(error, "A share, such as 0.5, or one of auto, sqrt, log2, all follows the number of features.");
	}
	return true;
}

/* ---- Samples ---- */

/* A share of 2^64. */
static uint64_t
hash_limit(double share)
{
	return share < 1 ? (uint64_t) ldexp(share, 64) : UINT64_MAX;
}

/* How often a row is taken: by the distribution function of Poisson(max_samples), or once with that probability. */
static void
init_draws(Forest *forest)
{
	double		share = forest->rules.max_samples;
	double		term = math_exp(-share);
	double		sum = term;

	if (!forest->rules.bootstrap)
	{
		forest->draw_limits[0] = hash_limit(1 - share);
		forest->n_draw_limits = share < 1 ? 1 : 0;
		return;
	}
	forest->n_draw_limits = FOREST_COUNT_MAX;
	for (int k = 0; k < FOREST_COUNT_MAX; k++)
	{
		forest->draw_limits[k] = hash_limit(sum);
		term *= share / (k + 1);
		sum += term;
	}
}

/* ---- Out of bag ---- */

/* Outputs that votes are counted for. */
static uint32_t
vote_outputs(const Forest *forest)
{
	return forest->target.n_sums > 2 ? forest->target.n_sums : 1;
}

static bool
init_votes(Forest *forest, Error *error)
{
	Arena	   *arena = forest->input->arena;
	size_t		n = forest->bins.n_rows;
	double		largest = forest->target.classes ? 1 : 0;

	forest->out_of_bag = forest->n_draw_limits > 0 && forest->rules.oob_score;
	if (!forest->out_of_bag)
		return true;
	for (size_t i = 0; i < n && !forest->target.classes; i++)
		largest = fmax(largest, fabs(forest->target.value[i]));
	forest->vote_unit = gradient_unit(largest, VOTE_UNITS);
	forest->votes = arena_zeroed(arena, n * vote_outputs(forest), sizeof(int64_t), error);
	forest->n_votes = arena_zeroed(arena, n, sizeof(uint32_t), error);
	return forest->votes != NULL && forest->n_votes != NULL;
}

/* Rows that some tree did not see, with their predictions and those of the constant predictor. */
typedef struct JudgedRows
{
	size_t		n;
	uint32_t	n_outputs;
	double	   *truth;
	double	   *weight;			/* or NULL */
	double	   *outputs;
	double	   *constant;
} JudgedRows;

/* The mean of the votes on a row. */
static void
mean_vote(const Forest *forest, size_t row, double *out)
{
	uint32_t	n = vote_outputs(forest);
	const int64_t *votes = forest->votes + row * n;
	double		unit = forest->vote_unit / forest->n_votes[row];

	for (uint32_t k = 0; k < n; k++)
		out[k] = (double) votes[k] * unit;
	if (forest->target.classes && n == 1)
	{
		out[1] = out[0];
		out[0] = 1 - out[1];
	}
}

/* What predicts the training rows best without looking at features. */
static void
constant_outputs(const Forest *forest, uint32_t n_outputs, double *out)
{
	const double *weight = forest->input->weight;
	size_t		begin = forest->input->table->train.begin;
	double		total = 0;

	memset(out, 0, n_outputs * sizeof(double));
	for (size_t row = 0; row < forest->bins.n_rows; row++)
	{
		double		w = weight != NULL ? weight[begin + row] : 1;
		double		value = forest->target.value[row];

		total += w;
		if (forest->target.classes)
			out[(size_t) value] += w;
		else
			out[0] += w * value;
	}
	for (uint32_t k = 0; k < n_outputs; k++)
		out[k] /= total;
}

static bool
judge_rows(const Forest *forest, JudgedRows *judged, Error *error)
{
	Arena	   *arena = forest->input->arena;
	const double *weight = forest->input->weight;
	size_t		begin = forest->input->table->train.begin;
	size_t		n = forest->bins.n_rows;

	judged->n = 0;
	judged->n_outputs = forest->target.classes ? forest->target.n_sums : 1;
	judged->truth = arena_alloc(arena, n, sizeof(double), error);
	judged->weight = weight != NULL ? arena_alloc(arena, n, sizeof(double), error) : NULL;
	judged->outputs = arena_alloc(arena, n, judged->n_outputs * sizeof(double), error);
	judged->constant = arena_alloc(arena, n, judged->n_outputs * sizeof(double), error);
	if (judged->truth == NULL || (weight != NULL && judged->weight == NULL) || judged->outputs == NULL || judged->constant == NULL)
		return false;
	constant_outputs(forest, judged->n_outputs, judged->constant);
	for (size_t row = 0; row < n; row++)
	{
		if (forest->n_votes[row] == 0)
			continue;
		judged->truth[judged->n] = forest->target.value[row];
		if (weight != NULL)
			judged->weight[judged->n] = weight[begin + row];
		mean_vote(forest, row, judged->outputs + judged->n * judged->n_outputs);
		judged->n++;
	}
	for (size_t i = 1; i < judged->n; i++)
		memcpy(judged->constant + i * judged->n_outputs, judged->constant, judged->n_outputs * sizeof(double));
	return true;
}

/* Metrics of the out-of-bag predictions, named oob_*. */
static bool
judge(const Forest *forest, FitOutput *output, Error *error)
{
	Arena	   *arena = forest->input->arena;
	Task		task = forest->input->task;
	JudgedRows	rows;

	if (!judge_rows(forest, &rows, error))
		return false;
	if (rows.n == 0)
		return true;
	if (!metrics_compute(&output->metrics, task, rows.n, rows.truth, rows.outputs, rows.n_outputs, rows.weight, arena, error) ||
		!metrics_compute(&output->baseline, task, rows.n, rows.truth, rows.constant, rows.n_outputs, rows.weight, arena, error))
		return false;
	for (int i = 0; i < output->metrics.n; i++)
	{
		char	   *name = output->metrics.names[i];

		memmove(name + 4, name, METRIC_NAME_MAX - 5);
		memcpy(name, "oob_", 4);
	}
	return true;
}

/* ---- All trees ---- */

typedef struct GrowWork
{
	ForestGrower *growers;		/* one a thread */
	ForestTree *trees;
	uint32_t	first;			/* number of trees[0] */
} GrowWork;

/* Task: one tree. */
static void
grow_one(void *argument, size_t task, int thread)
{
	const GrowWork *work = argument;
	ForestGrower *grower = &work->growers[thread];

	forest_grow(grower, work->first + (uint32_t) task);
	if (grower->forest->rules.ccp_alpha > 0)
		forest_prune(grower);
	forest_finish_tree(grower, &work->trees[task]);
}

/* Writes and frees grown trees; after an error, frees them. */
static bool
append_trees(TreeWriter *writer, ForestTree *trees, size_t n, Error *error)
{
	bool		done = true;

	for (size_t i = 0; i < n; i++)
	{
		ForestTree *tree = &trees[i];

		done = done && buffer_check(&tree->nodes, error) && buffer_check(&tree->stats, error) && buffer_check(&tree->sets, error);
		if (done)
			tree_writer_tree(writer, (const TreeNode *) tree->nodes.data, (const TreeNodeStat *) tree->stats.data,
							 (uint32_t) (tree->nodes.size / sizeof(TreeNode)), (const uint32_t *) tree->sets.data,
							 tree->sets.size / sizeof(uint32_t), tree->depth);
		buffer_free(&tree->nodes);
		buffer_free(&tree->stats);
		buffer_free(&tree->sets);
	}
	return done;
}

/* Grows all trees: as many as keep the threads busy at a time, or each by all threads. */
static bool
grow_all(const Forest *forest, ForestGrower *growers, TreeWriter *writer, Error *error)
{
	const FitInput *input = forest->input;
	uint32_t	n_trees = forest->rules.n_trees;
	uint32_t	wave = growers->team != NULL ? 1 : TREES_AT_A_TIME * (uint32_t) pool_threads(input->pool);
	ForestTree *trees = arena_alloc(input->arena, wave, sizeof(ForestTree), error);

	if (trees == NULL)
		return false;
	for (uint32_t first = 0; first < n_trees; first += wave)
	{
		uint32_t	n = n_trees - first < wave ? n_trees - first : wave;
		GrowWork	work = {.growers = growers,.trees = trees,.first = first};

		for (uint32_t i = 0; i < n; i++)
		{
			buffer_init(&trees[i].nodes);
			buffer_init(&trees[i].stats);
			buffer_init(&trees[i].sets);
		}
		if (growers->team != NULL)
			grow_one(&work, 0, 0);
		else
			pool_for_thread(input->pool, n, grow_one, &work);
		if (!append_trees(writer, trees, n, error))
			return false;
		for (uint32_t i = 1; i <= n && n_trees > 1; i++)
			input->monitor->iteration(input->monitor->context, (int) (first + i), (int) n_trees, NAN, NAN);
	}
	return true;
}

/* Bins, targets and samples.  Weights by class count in the trees, not in what judges them. */
static bool
init_forest(Forest *forest, Error *error)
{
	FitInput	weighted = *forest->input;

	if (!class_weights(forest->input, &weighted.weight, error) ||
		!forest_bins_build(&forest->bins, forest->input, &forest->rules, error) ||
		!forest_target_init(&forest->target, &weighted, error))
		return false;
	init_draws(forest);
	return init_votes(forest, error);
}

/* Growers, one a thread; with a team one that leads, and behind it its members. */
static bool
init_growers(const Forest *forest, ForestGrower *growers, size_t n, const ForestTeam *team, Error *error)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!forest_grower_init(&growers[i], forest, team != NULL && i > 0 ? growers : NULL, forest->input->arena, error))
			return false;
	}
	growers->team = team;
	return true;
}

/* Fits by these rules. */
static bool
fit(const FitInput *input, ForestRules rules, FitOutput *output, Error *error)
{
	const double base = 0;
	size_t		n_threads = (size_t) pool_threads(input->pool);
	bool		together = rules.n_trees < n_threads;
	size_t		n_growers = together ? n_threads + 1 : n_threads;
	Forest		forest = {.input = input,.rules = rules};
	ForestGrower *growers = arena_zeroed(input->arena, n_growers, sizeof(ForestGrower), error);
	ForestTeam	team = {.pool = input->pool,.members = growers + 1};
	TreeWriter	writer;

	if (growers == NULL || !init_forest(&forest, error) || !init_growers(&forest, growers, n_growers, together ? &team : NULL, error))
		return false;
	tree_writer_init(&writer, input->task == TASK_MULTICLASS ? LINK_SHARES : LINK_MEAN, 1, &base);

	bool		done = grow_all(&forest, growers, &writer, error) && tree_writer_finish(&writer, &output->payload, error) &&
		(!forest.out_of_bag || judge(&forest, output, error));

	output->iterations = (int) rules.n_trees;
	tree_writer_free(&writer);
	for (size_t i = 0; i < n_growers; i++)
		forest_grower_free(&growers[i]);
	return done;
}

bool
random_forest_fit(const FitInput *input, FitOutput *output, Error *error)
{
	return check_input(input, error) && fit(input, read_forest_rules(input), output, error);
}

bool
extra_trees_fit(const FitInput *input, FitOutput *output, Error *error)
{
	ForestRules rules = read_forest_rules(input);

	rules.random_cuts = true;
	return check_input(input, error) && fit(input, rules, output, error);
}

bool
decision_tree_fit(const FitInput *input, FitOutput *output, Error *error)
{
	return check_input(input, error) && fit(input, read_rules(input), output, error);
}

/* ---- Memory ---- */

/* An upper estimate for usual trees, whose leaves have 4 rows or more. */
uint64_t
forest_memory(const ParamSet *params, uint64_t n_rows, const FittedRecipe *recipe, uint32_t n_classes, int n_threads)
{
	uint32_t	max_bin = (uint32_t) params_get(params, "max_bin");
	uint32_t	n_sums = n_classes > 2 ? n_classes : 2;
	double		max_depth = params_get(params, "max_depth");
	double		max_leaves = params_get(params, "max_leaves");
	double		n_trees = params_get(params, "n_estimators");
	double		n_leaves = (double) n_rows / 4 + 1;

	if (max_depth > 0)
		n_leaves = fmin(n_leaves, ldexp(1, (int) fmin(max_depth, 62)));
	if (max_leaves > 0)
		n_leaves = fmin(n_leaves, max_leaves);

	/* growing nodes of each thread; trees as written and as a payload */
	uint64_t	n_nodes = 2 * (uint64_t) n_leaves;
	uint64_t	tree = n_nodes * (sizeof(TreeNode) + sizeof(TreeNodeStat)) * 2;
	uint64_t	votes = n_rows * (n_sums > 2 ? 3 * n_sums + 3 : 7) * sizeof(double);

	/* of rows, in units and by class */
	uint64_t	weights = n_rows * (sizeof(uint32_t) + (n_classes > 0 ? sizeof(double) : 0));
	uint32_t	most_bins = 0;

	for (uint32_t c = 0; c < recipe->n_columns; c++)
	{
		uint32_t	n_bins = bins_at_most(&recipe->columns[c].recipe, max_bin);

		most_bins = n_bins > most_bins ? n_bins : most_bins;
	}
	return forest_bins_memory(recipe, n_rows, max_bin, n_threads) + weights +
		(uint64_t) n_threads * (forest_grower_memory(n_rows, recipe->n_features, most_bins, n_sums) + n_nodes * sizeof(ForestNode) + tree) +
		(isnan(n_trees) ? tree : (uint64_t) n_trees * tree + votes);
}
