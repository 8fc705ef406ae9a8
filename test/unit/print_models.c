/*
 * print_models.c
 *		Fits every algorithm whose models depend on the rows alone, and prints a hash of each model.
 *
 * "make levels" compiles this with different optimisation, and compares what
 * the programs print.
 */
#include "boost_data.h"

typedef struct Printed
{
	const char *algorithm;
	const char *objective;		/* or NULL */
	Task		task;
} Printed;

static const Printed printed[] = {
	{"gradient_boosting", NULL, TASK_REGRESSION},
	{"gradient_boosting", NULL, TASK_BINARY},
	{"gradient_boosting", NULL, TASK_MULTICLASS},
	{"gradient_boosting", "absolute_error", TASK_REGRESSION},
	{"gradient_boosting", "huber", TASK_REGRESSION},
	{"gradient_boosting", "quantile", TASK_REGRESSION},
	{"gradient_boosting", "poisson", TASK_REGRESSION},
	{"gradient_boosting", "gamma", TASK_REGRESSION},
	{"gradient_boosting", "tweedie", TASK_REGRESSION},
	{"random_forest", NULL, TASK_REGRESSION},
	{"random_forest", NULL, TASK_BINARY},
	{"random_forest", NULL, TASK_MULTICLASS},
	{"extra_trees", NULL, TASK_REGRESSION},
	{"extra_trees", NULL, TASK_MULTICLASS},
	{"decision_tree", NULL, TASK_REGRESSION},
	{"decision_tree", NULL, TASK_MULTICLASS}
};

/* Of any objective. */
static double
positive_value(size_t row)
{
	return 1 + fabs(mixed_value(row));
}

int
main(void)
{
	for (size_t k = 0; k < sizeof(printed) / sizeof(printed[0]); k++)
	{
		const Printed *p = &printed[k];

		for (int weighted = 0; weighted < 2; weighted++)
		{
			BoostCase	test = mixed_case(p->task);
			Error		error;

			test.algorithm = p->algorithm;
			test.weight = weighted ? mixed_weight : NULL;
			test.n_threads = 2;
			if (p->task == TASK_REGRESSION)
				test.y = positive_value;
			if (strcmp(p->algorithm, "decision_tree") == 0)
				test.params[0] = (BoostParam) {"max_depth", 12};
			if (strcmp(p->algorithm, "gradient_boosting") != 0)
				test.params[1] = weighted && p->task != TASK_REGRESSION ? (BoostParam) {"criterion", 3} : (BoostParam) {NULL, 0};
			if (p->objective != NULL)
				test.words[0] = (BoostWord) {"objective", p->objective};
			if (!CHECK_OK(boost_case_run(&test, &error), &error))
				return 1;
			printf("%s %s %d %d: %016llx\n", p->algorithm, p->objective == NULL ? "auto" : p->objective, (int) p->task, weighted,
				   (unsigned long long) hash64_bytes(test.payload.data, test.payload.size));
			boost_case_free(&test);
		}
	}
	return 0;
}
