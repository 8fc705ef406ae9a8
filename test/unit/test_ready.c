/*
 * test_ready.c
 *		The ready form of tree models answers what the reference walk answers, bit for bit.
 *
 * Random models of every link and of all sizes that choose between kernels;
 * rows with values at, beside and far from thresholds, missing, infinite, and
 * categories that no set knows; every vector width of this machine.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm.h"
#include "core/cpu.h"
#include "core/model/tree_model.h"
#include "core/ready/ready.h"
#include "core/ready/ready_layout.h"
#include "check.h"
#include "exercise.h"
#include "support.h"

volatile double exercise_sink;

#define MAX_LEAVES 3000

/* A kind of model. */
typedef struct Shape
{
	const char *name;
	uint32_t	n_numbers;
	uint32_t	n_categories;
	uint32_t	n_levels;
	uint32_t	n_trees;
	uint32_t	n_leaves;		/* of a tree, at most */
	uint32_t	max_depth;
	uint32_t	n_thresholds;	/* that a feature's splits choose from */
	TreeLink	link;
	uint32_t	n_groups;
	bool		both_sides;		/* missing values go left here and right there */
	bool		encoded;		/* the recipe fills and scales */
	bool		heaps;			/* what the plan must come to */
	bool		columnar;
} Shape;

static const Shape shapes[] = {
	{"depth 6", 28, 0, 0, 100, 64, 6, 254, LINK_LOGISTIC, 1, false, false, true, true},
	{"both sides", 28, 0, 0, 30, 64, 6, 254, LINK_IDENTITY, 1, true, false, true, true},
	{"two registers", 100, 0, 0, 30, 64, 6, 100, LINK_IDENTITY, 1, false, false, true, true},
	{"four registers", 120, 0, 0, 30, 64, 6, 50, LINK_IDENTITY, 1, true, false, true, true},
	{"too wide for registers", 300, 0, 0, 50, 64, 6, 50, LINK_IDENTITY, 1, false, false, false, true},
	{"several lanes a feature", 5, 0, 0, 200, 64, 6, 1000, LINK_LOG, 1, true, false, true, true},
	{"a lane full, and one more", 1, 0, 0, 300, 16, 6, 255, LINK_IDENTITY, 1, false, false, true, true},
	{"categories alone", 0, 3, 20, 40, 64, 6, 1, LINK_IDENTITY, 1, true, false, true, true},
	{"categories and numbers", 20, 8, 50, 100, 64, 6, 254, LINK_LOGISTIC, 1, true, false, true, true},
	{"categories, three registers", 90, 4, 33, 50, 64, 6, 90, LINK_LOGISTIC, 1, false, false, true, true},
	{"many levels", 2, 2, 300, 30, 64, 6, 90, LINK_IDENTITY, 1, true, false, true, true},
	{"softmax", 10, 2, 8, 60, 32, 5, 254, LINK_SOFTMAX, 3, true, false, true, true},
	{"a scaled recipe", 6, 2, 8, 20, 64, 6, 254, LINK_LOGISTIC, 1, true, true, true, true},
	{"255 leaves", 28, 0, 0, 40, 256, 255, 254, LINK_LOGISTIC, 1, false, false, false, true},
	{"255 leaves with categories", 10, 6, 40, 40, 255, 30, 254, LINK_SOFTMAX, 4, true, false, false, true},
	{"deep forest", 12, 2, 8, 9, MAX_LEAVES, 3000, 254, LINK_MEAN, 1, true, false, false, false},
	{"shares", 5, 1, 8, 20, 64, 6, 254, LINK_SHARES, 1, true, false, true, true},
	{"deep shares", 5, 1, 8, 9, 2000, 200, 254, LINK_SHARES, 1, true, false, false, false},
	{"stumps", 3, 1, 4, 50, 2, 1, 10, LINK_LOGISTIC, 1, true, false, true, true},
	{"leaves alone", 2, 0, 0, 3, 1, 0, 10, LINK_IDENTITY, 1, false, false, true, true},
	{"one tree", 4, 0, 0, 1, 40, 6, 10, LINK_IDENTITY, 1, false, false, true, true},
	{0}
};

static uint64_t state;

static uint32_t
random_below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t) (((state >> 33) * (uint64_t) n) >> 31);
}

/* Thresholds of a feature: at integers, in halves, and some of them far off. */
static double
random_threshold(const Shape *shape)
{
	uint32_t	i = random_below(shape->n_thresholds);

	return i % 97 == 96 ? (i % 2 == 0 ? 1e30 : -1e30) : (double) i * 0.5 - 20.0;
}

/* A set of levels at sets[*n_words]; its place. */
static uint64_t
random_set(const Shape *shape, uint32_t *sets, uint64_t *n_words)
{
	uint64_t	place = *n_words;
	uint32_t	n = 1 + random_below((shape->n_levels + 31) / 32);

	sets[(*n_words)++] = n;
	for (uint32_t i = 0; i < n; i++)
		sets[(*n_words)++] = random_below(UINT32_C(0x7fffffff)) * 2 + random_below(2);
	return place;
}

static void
random_split(const Shape *shape, TreeNode *node, uint32_t *sets, uint64_t *n_words)
{
	uint32_t	feature = random_below(shape->n_numbers + shape->n_categories);

	node->feature = feature | (shape->both_sides && random_below(2) ? NODE_MISSING_LEFT : 0);
	if (feature < shape->n_numbers)
	{
		node->u.threshold = random_threshold(shape);
		return;
	}
	node->feature |= NODE_CATEGORICAL;
	node->u.set = random_set(shape, sets, n_words);
}

static void
random_leaf(const Shape *shape, TreeNode *node, uint32_t *sets, uint64_t *n_words)
{
	node->left = 0;
	node->feature = NODE_LEAF;
	if (shape->link != LINK_SHARES)
	{
		node->u.leaf = (double) random_below(1000000) / 1000000.0 - (shape->link == LINK_MEAN ? 0 : 0.4);
		return;
	}

	double		share = random_below(5) / 8.0;
	double		rest = 1 - share;
	uint32_t   *words = sets + *n_words;

	node->feature |= NODE_SHARES;
	node->u.set = *n_words;
	words[0] = 2 * SHARE_WORDS;
	words[1] = random_below(2);
	memcpy(words + 2, &share, sizeof(share));
	words[4] = 2;
	memcpy(words + 5, &rest, sizeof(rest));
	*n_words += 7;
}

/* Grows a tree leaf by leaf, at random places. */
static void
random_tree(const Shape *shape, TreeWriter *writer)
{
	static TreeNode nodes[2 * MAX_LEAVES];
	static TreeNodeStat stats[2 * MAX_LEAVES];
	static uint32_t depths[2 * MAX_LEAVES];
	static uint32_t sets[40 * MAX_LEAVES];
	uint64_t	n_words = 0;
	uint32_t	n = 1;
	uint32_t	n_leaves = shape->n_leaves < 3 ? shape->n_leaves : shape->n_leaves - random_below(shape->n_leaves / 2);

	memset(nodes, 0, sizeof(nodes));
	memset(depths, 0, sizeof(depths));
	nodes[0].feature = NODE_LEAF;
	for (uint32_t tries = 0; (n + 1) / 2 < n_leaves && tries < 100 * shape->n_leaves; tries++)
	{
		uint32_t	i = random_below(n);

		if (!(nodes[i].feature & NODE_LEAF) || depths[i] >= shape->max_depth)
			continue;
		random_split(shape, &nodes[i], sets, &n_words);
		nodes[i].left = n;
		for (int side = 0; side < 2; side++, n++)
		{
			nodes[n].feature = NODE_LEAF;
			depths[n] = depths[i] + 1;
		}
	}
	for (uint32_t i = 0; i < n; i++)
	{
		if (nodes[i].feature & NODE_LEAF)
			random_leaf(shape, &nodes[i], sets, &n_words);
	}
	tree_writer_tree(writer, nodes, stats, n, sets, n_words, shape->max_depth);
}

static void
add_columns(const Shape *shape, ModelWriter *writer)
{
	static char levels[400][16];
	const char *texts[400];
	size_t		lengths[400];

	for (uint32_t i = 0; i < shape->n_levels; i++)
	{
		snprintf(levels[i], sizeof(levels[i]), "v%05u", i);
		texts[i] = levels[i];
		lengths[i] = strlen(levels[i]);
	}
	for (uint32_t i = 0; i < shape->n_numbers + shape->n_categories; i++)
	{
		bool		number = i < shape->n_numbers;
		char		name[16];
		RecipeColumn column = {
			.first_feature = i, .n_features = 1, .kind = number ? KIND_NUMBER : KIND_CATEGORY,
			.storage = !number ? STORAGE_CODE : i % 2 == 0 ? STORAGE_FLOAT32 : STORAGE_FLOAT64,
			.missing = MISSING_NATIVE, .encoding = ENCODING_NATIVE, .scaling = SCALING_NONE, .unseen = UNSEEN_MISSING,
			.scale = 1, .lowest = NAN, .highest = NAN, .mean = NAN
		};

		if (shape->encoded && number)
		{
			column.missing = i % 3 == 0 ? MISSING_MEAN : MISSING_NATIVE;
			column.fill = 3.25;
			column.scaling = SCALING_STANDARD;
			column.center = 0.5;
			column.scale = -1.5;
		}
		snprintf(name, sizeof(name), "x%u", i);
		model_writer_column(writer, &column, name, number ? "real" : "text", texts, lengths, number ? 0 : shape->n_levels);
	}
}

/* A random model of a shape. */
static bool
random_model(const Shape *shape, Buffer *out, Error *error)
{
	static const double base[4] = {0.125, -0.25, 0.5, 0};
	static const double zero[1] = {0};
	static const char *const labels[] = {"a", "b", "c", "d"};
	bool		averaged = shape->link == LINK_MEAN || shape->link == LINK_SHARES;
	bool		binary = shape->link == LINK_LOGISTIC || shape->link == LINK_MEAN;
	bool		regression = shape->link == LINK_IDENTITY || shape->link == LINK_LOG;
	uint32_t	n_labels = regression ? 0 : binary ? 2 : shape->link == LINK_SHARES ? 3 : shape->n_groups;
	ModelWriter writer;
	TreeWriter	trees;

	model_writer_init(&writer);
	writer.header.algorithm = averaged ? ALGORITHM_RANDOM_FOREST : ALGORITHM_GRADIENT_BOOSTING;
	writer.header.task = regression ? TASK_REGRESSION : binary ? TASK_BINARY : TASK_MULTICLASS;
	writer.header.label_kind = regression ? LABEL_NONE : LABEL_TEXT;
	writer.header.n_training_rows = 1000;
	writer.header.target_name = model_writer_string(&writer, "y", 1);
	writer.header.target_type = model_writer_string(&writer, "text", 4);
	for (uint32_t i = 0; i < n_labels; i++)
		model_writer_label(&writer, labels[i]);
	add_columns(shape, &writer);
	tree_writer_init(&trees, shape->link, shape->n_groups, averaged ? zero : base);
	for (uint32_t t = 0; t < shape->n_trees; t++)
		random_tree(shape, &trees);

	bool		done = tree_writer_finish(&trees, &writer.sections[SECTION_PAYLOAD], error) && model_writer_finish(&writer, out, error);

	tree_writer_free(&trees);
	model_writer_free(&writer);
	return done;
}

/* A raw value: at a threshold, a float's breadth beside it, anywhere, missing or infinite; any level, or none. */
static double
random_raw(const Shape *shape, uint32_t column)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1e30, 5e-324, -1e308};
	double		t;

	if (column >= shape->n_numbers)
		return random_below(8) == 0 ? NAN : random_below(shape->n_levels);
	t = random_threshold(shape);
	switch (random_below(6))
	{
		case 0:
			return odd[random_below(8)];
		case 1:
			return t;
		case 2:
			return nextafter(t, random_below(2) ? INFINITY : -INFINITY);
		case 3:
			return nextafterf((float) t, random_below(2) ? INFINITY : -INFINITY);
		case 4:
			return shape->encoded ? 0.5 - 1.5 * t : t + 0.25;
		default:
			return random_below(1000) * 0.25 - 100;
	}
}

#define N_ROWS 100				/* a block, and part of one */

/* Rows one by one and by blocks, at one width; whether all bits are the reference's. */
static bool
same_as_reference(const Shape *shape, const Model *model, const void *bytes, double (*raw)[512])
{
	Ready		ready;
	Error		error;
	uint32_t	n_outputs = model->n_outputs;
	double	   *features = malloc(model->n_features * sizeof(double));
	double	   *expected = malloc(n_outputs * sizeof(double));
	double	   *out = malloc(READY_ROWS * n_outputs * sizeof(double));
	bool		same = true;

	ready_open(&ready, model, bytes);

	uint8_t    *lanes = aligned_alloc(READY_ALIGN, READY_ROWS * ready.row_size);
	void	   *scratch = aligned_alloc(READY_ALIGN, (ready.scratch_size + 63) / 64 * 64);

	CHECK(ready.direct == !shape->encoded);
	memset(lanes, 0, READY_ROWS * ready.row_size);
	for (uint32_t first = 0; first < N_ROWS; first += READY_ROWS)
	{
		uint32_t	n = N_ROWS - first < READY_ROWS ? N_ROWS - first : READY_ROWS;

		for (uint32_t i = 0; i < n; i++)
			same = ready_bin(&ready, raw[first + i], features, lanes + i * ready.row_size, &error) && same;
		ready_block(&ready, lanes, n, scratch, out);
		for (uint32_t i = 0; i < n; i++)
		{
			same = model_predict(model, raw[first + i], features, expected, &error) && same;
			same = same && memcmp(out + i * n_outputs, expected, n_outputs * sizeof(double)) == 0;
			ready_row(&ready, lanes + i * ready.row_size, out + i * n_outputs);
			same = same && memcmp(out + i * n_outputs, expected, n_outputs * sizeof(double)) == 0;
		}
	}
	free(features);
	free(expected);
	free(out);
	free(lanes);
	free(scratch);
	return same;
}

/* Plans and writes the ready form; NULL where there is none. */
static void *
make_ready(const Model *model)
{
	ReadyPlan  *plan = ready_plan(model);

	if (plan == NULL)
		return NULL;

	/* not one byte more, so that a write behind the end shows */
	size_t		size = ready_plan_size(plan);
	void	   *bytes = aligned_alloc(READY_ALIGN, size);

	ready_plan_write(plan, bytes);
	ready_plan_free(plan);
	return bytes;
}

static void
test_shape(const Shape *shape)
{
	static double raw[N_ROWS][512];
	Buffer		buffer;
	Model		model;
	Error		error;

	buffer_init(&buffer);
	if (!CHECK_OK(random_model(shape, &buffer, &error), &error) || !CHECK_OK(model_open(&model, buffer.data, buffer.size, &error), &error))
	{
		buffer_free(&buffer);
		return;
	}
	for (uint32_t i = 0; i < N_ROWS; i++)
	{
		for (uint32_t j = 0; j < model.n_columns; j++)
			raw[i][j] = random_raw(shape, j);
	}

	void	   *bytes = make_ready(&model);

	if (CHECK(bytes != NULL))
	{
		const ReadyHead *head = bytes;

		CHECK((head->heaps != 0) == shape->heaps);
		CHECK((bool) head->columnar == shape->columnar);
		for (CpuLevel level = CPU_PLAIN; level <= CPU_AVX512; level++)
		{
			cpu_limit(level);
			if (!CHECK(same_as_reference(shape, &model, bytes, raw)))
				printf("\t%s, width %d\n", shape->name, (int) level);
		}
		cpu_limit(CPU_AVX512);
	}
	free(bytes);
	buffer_free(&buffer);
}

/* The small models, whatever they are: those of trees have a ready form, the others none. */
static void
test_examples(void)
{
	for (int i = 0; example_models[i] != NULL; i++)
	{
		Buffer		buffer;
		Model		model;
		Error		error;

		buffer_init(&buffer);
		if (CHECK_OK(example_models[i] (&buffer, &error), &error) && CHECK_OK(model_open(&model, buffer.data, buffer.size, &error), &error))
		{
			void	   *bytes = make_ready(&model);

			CHECK((bytes != NULL) == model_has_trees(&model));
			free(bytes);
			CHECK(exercise_model(buffer.data, buffer.size));
		}
		buffer_free(&buffer);
	}
}

/* Beyond its limits there is no ready form. */
static void
test_limits(void)
{
	static const Shape many = {.name = "many thresholds", .n_numbers = 1, .n_trees = 3, .n_leaves = MAX_LEAVES, .max_depth = 3000,
		.n_thresholds = 1000000, .link = LINK_IDENTITY, .n_groups = 1};
	Buffer		buffer;
	Model		model;
	Error		error;

	buffer_init(&buffer);
	if (CHECK_OK(random_model(&many, &buffer, &error), &error) && CHECK_OK(model_open(&model, buffer.data, buffer.size, &error), &error))
		CHECK(ready_plan(&model) == NULL);
	buffer_free(&buffer);
}

int
main(void)
{
	for (const Shape *shape = shapes; shape->name != NULL; shape++)
	{
		for (int round = 0; round < 3; round++)
		{
			state = (uint64_t) (shape - shapes) * 1000 + (uint64_t) round;
			test_shape(shape);
		}
	}
	test_examples();
	test_limits();
	if (cpu_level() < CPU_AVX512 || !cpu_permutes_bytes())
		CHECK_SKIP("this machine lacks some of the vector widths");
	return check_done();
}
