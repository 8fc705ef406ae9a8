/*
 * test_levels.c
 *		Models of trees are the same whatever the compiler optimises.
 *
 * The Makefile builds this program several times.  With the argument
 * "print" it prints the hash of each model; without, it compares its own with
 * what the others print, whose paths are in MLOPS_LEVELS.
 */
#include "boost_data.h"

#define LINE_MAX_LENGTH 200

static const char *const tree_algorithms[] = {"gradient_boosting", "random_forest", "extra_trees", "decision_tree"};

/* A model of all kinds of columns; entropy and log loss need logarithms, softmax exponentials. */
static BoostCase
level_case(const char *algorithm, Task task)
{
	BoostCase	test = mixed_case(task);

	test.algorithm = algorithm;
	test.n_rows = 1500;
	test.weight = mixed_weight;
	if (strcmp(algorithm, "decision_tree") == 0)
		test.params[0] = (BoostParam) {"min_samples_leaf", 2};
	if (strcmp(algorithm, "gradient_boosting") != 0 && task != TASK_REGRESSION)
		test.params[2] = (BoostParam) {"criterion", 3};
	return test;
}

/* Writes what one model is: the hashes of its bytes and of its predictions. */
static void
describe(const char *algorithm, Task task, char line[LINE_MAX_LENGTH])
{
	BoostCase	test = level_case(algorithm, task);
	Error		error;

	line[0] = '\0';
	if (!CHECK_OK(boost_case_run(&test, &error), &error))
		return;
	snprintf(line, LINE_MAX_LENGTH, "%s %d %016llx %016llx\n", algorithm, (int) task,
			 (unsigned long long) hash64_bytes(test.payload.data, test.payload.size), (unsigned long long) test.prediction_hash);
	boost_case_free(&test);
}

/* Compares all models with those of another build. */
static void
check_level(const char *path)
{
	char		command[1000];
	char		ours[LINE_MAX_LENGTH];
	char		theirs[LINE_MAX_LENGTH];

	snprintf(command, sizeof(command), "%s print", path);

	FILE	   *other = popen(command, "r");

	if (!CHECK(other != NULL))
		return;
	for (size_t a = 0; a < sizeof(tree_algorithms) / sizeof(tree_algorithms[0]); a++)
	{
		for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
		{
			describe(tree_algorithms[a], task, ours);
			if (CHECK(fgets(theirs, sizeof(theirs), other) != NULL))
				CHECK_TEXT(theirs, ours);
		}
	}
	CHECK(pclose(other) == 0);
}

int
main(int n, char **arguments)
{
	const char *levels = getenv("MLOPS_LEVELS");

	if (n > 1 && strcmp(arguments[1], "print") == 0)
	{
		for (size_t a = 0; a < sizeof(tree_algorithms) / sizeof(tree_algorithms[0]); a++)
		{
			for (Task task = TASK_REGRESSION; task <= TASK_MULTICLASS; task++)
			{
				char		line[LINE_MAX_LENGTH];

				describe(tree_algorithms[a], task, line);
				fputs(line, stdout);
			}
		}
		return check_failed > 0;
	}
	if (levels == NULL)
		CHECK_SKIP("MLOPS_LEVELS does not name programs of other optimisation levels");
	else
	{
		char		paths[2000];

		snprintf(paths, sizeof(paths), "%s", levels);
		for (char *path = strtok(paths, " "); path != NULL; path = strtok(NULL, " "))
			check_level(path);
	}
	return check_done();
}
