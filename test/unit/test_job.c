/*
 * test_job.c
 *		Jobs, results and errors: what is written is read; what is damaged is refused.
 */
#include <stdlib.h>

#include "core/job.h"
#include "check.h"

/* Writes a job with 3 columns and the boosting parameters at their defaults, but for max_depth. */
static void
write_job(Buffer *out)
{
	double		values[64];
	bool		given[64];
	ParamSet	params;
	Error		error;
	const Algorithm *algorithm = algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING);
	RecipePlan	plans[3];
	static const ParamEntry class_weight[] = {{"yes", 2.5}, {"", 1}};
	static const ParamEntry directions[] = {{"x0", -1}};

	params_init(&params, algorithm->params, algorithm->n_params, values, given);
	CHECK_OK(params_set_number(&params, "max_depth", 4, &error), &error);
	CHECK_OK(params_set_map(&params, "class_weight", class_weight, 2, &error), &error);
	CHECK_OK(params_set_map(&params, "monotone_constraints", directions, 1, &error), &error);
	for (int i = 0; i < 3; i++)
		plans[i] = algorithm_recipe(algorithm, i == 2 ? KIND_CATEGORY : KIND_NUMBER, (RecipePlan) {0});

	Job			job = {
		.kind = JOB_TRAIN, .algorithm = algorithm->id, .task = TASK_BINARY, .label_kind = LABEL_TEXT, .seed = UINT64_MAX, .n_threads = 2,
		.max_memory = UINT64_C(5) << 40, .split_kind = 4, .test = 0.2, .validation = 0.1, .n_features = 3, .plans = plans,
		.n_params = (uint32_t) algorithm->n_params, .params = values, .params_given = given,
		.n_maps = (uint32_t) params.n_maps, .maps = params.maps, .init_hash = "00ff"
	};

	buffer_init(out);
	CHECK_OK(job_write(&job, out, &error), &error);
}

static void
test_job(void)
{
	Buffer		bytes;
	Job			job;
	Error		error;

	write_job(&bytes);
	if (!CHECK_OK(job_read(&job, bytes.data, bytes.size, &error), &error))
		return;
	CHECK(job.kind == JOB_TRAIN && job.algorithm == ALGORITHM_GRADIENT_BOOSTING && job.task == TASK_BINARY);
	CHECK(job.label_kind == LABEL_TEXT && job.seed == UINT64_MAX && job.n_threads == 2 && job.max_memory == UINT64_C(5) << 40);
	CHECK(job.split_kind == 4 && job.n_features == 3);
	CHECK_SAME(job.test, 0.2);
	CHECK_SAME(job.validation, 0.1);
	CHECK(job.plans[2].max_categories == 1000 && job.plans[0].missing == MISSING_NATIVE);
	CHECK_SAME(job.params[0], 100);
	CHECK_SAME(job.params[2], 4);
	CHECK(!job.params_given[0] && job.params_given[2]);
	CHECK_TEXT(job.init_hash, "00ff");
	CHECK(job.n_maps == 2 && job.maps[0].n == 2 && job.maps[1].n == 1);
	CHECK_TEXT(job.maps[0].entries[0].key, "yes");
	CHECK_SAME(job.maps[0].entries[0].value, 2.5);
	CHECK_TEXT(job.maps[0].entries[1].key, "");
	CHECK_TEXT(job.maps[1].entries[0].key, "x0");
	CHECK_SAME(job.maps[1].entries[0].value, -1);
	job_free(&job);

	/* cut at every length, and one byte too many */
	for (size_t size = 0; size < bytes.size; size++)
	{
		uint8_t    *cut = malloc(size + 1);

		memcpy(cut, bytes.data, size);
		CHECK(!job_read(&job, cut, size, &error) && error.code == ERROR_CORRUPTED);
		free(cut);
	}
	buffer_u8(&bytes, 0);
	CHECK(!job_read(&job, bytes.data, bytes.size, &error));

	/* every byte changed: refused or read, never more than that */
	for (size_t i = 0; i + 1 < bytes.size; i++)
	{
		for (int mask = 1; mask < 256; mask *= 2)
		{
			bytes.data[i] ^= (uint8_t) mask;
			if (job_read(&job, bytes.data, bytes.size - 1, &error))
				job_free(&job);
			bytes.data[i] ^= (uint8_t) mask;
		}
	}
	buffer_free(&bytes);
}

/* An evaluation names no policies and no parameters: they are its model's. */
static void
test_evaluation(void)
{
	RecipePlan	plans[2] = {{0}};
	Job			sent = {.kind = JOB_EVALUATE, .n_threads = 1, .n_features = 2, .plans = plans};
	Job			received;
	Buffer		bytes;
	Error		error;

	buffer_init(&bytes);
	CHECK_OK(job_write(&sent, &bytes, &error), &error);
	if (CHECK_OK(job_read(&received, bytes.data, bytes.size, &error), &error))
	{
		CHECK(received.kind == JOB_EVALUATE && received.n_features == 2 && received.n_params == 0);
		job_free(&received);
	}
	bytes.data[4] = JOB_TRAIN;
	CHECK_ERROR(job_read(&received, bytes.data, bytes.size, &error), &error, ERROR_CORRUPTED, "settings");
	buffer_free(&bytes);
}

/* What a measurement of importance carries beside that. */
static void
test_importance(void)
{
	RecipePlan	plans[1] = {{0}};
	Job			sent = {.kind = JOB_IMPORTANCE, .n_threads = 1, .n_features = 1, .plans = plans, .metric = "roc_auc", .repeats = 5};
	Job			received;
	Buffer		bytes;
	Error		error;

	buffer_init(&bytes);
	CHECK_OK(job_write(&sent, &bytes, &error), &error);
	if (CHECK_OK(job_read(&received, bytes.data, bytes.size, &error), &error))
	{
		CHECK(received.kind == JOB_IMPORTANCE && received.repeats == 5);
		CHECK_TEXT(received.metric, "roc_auc");
		job_free(&received);
	}
	buffer_free(&bytes);
	for (uint32_t repeats = 0; repeats <= REPEATS_MAX + 1; repeats += REPEATS_MAX + 1)
	{
		sent.repeats = repeats;
		CHECK_OK(job_write(&sent, &bytes, &error), &error);
		CHECK_ERROR(job_read(&received, bytes.data, bytes.size, &error), &error, ERROR_CORRUPTED, "settings");
		buffer_free(&bytes);
	}
}

/* Refusals that name their reason. */
static void
test_job_errors(void)
{
	Buffer		bytes;
	Job			job;
	Error		error;
	double		out_of_range = 65537;

	write_job(&bytes);
	CHECK_ERROR(job_read(&job, "nonsense", 8, &error), &error, ERROR_CORRUPTED, "no job");

	/* max_depth is the third of the pairs of value and flag at the end */
	size_t		n_params = (size_t) algorithm_by_id(ALGORITHM_GRADIENT_BOOSTING)->n_params;

	memcpy(bytes.data + bytes.size - (n_params - 2) * 9, &out_of_range, sizeof(out_of_range));
	CHECK_ERROR(job_read(&job, bytes.data, bytes.size, &error), &error, ERROR_CORRUPTED, "\"max_depth\"");
	buffer_free(&bytes);
}

static void
write_result(Buffer *out)
{
	ResultMetric metrics[2] = {{"roc_auc", 0.9, 0.5}, {"log_loss", 0.3, NAN}};
	double		confusion[4] = {10, 2, 3, 15};
	ColumnProfile columns[2] = {
		{.name = "age", .type_name = "integer", .role = ROLE_FEATURE, .kind = KIND_NUMBER, .n_missing = 7, .lowest = 17, .highest = 90, .mean = 38.5, .deviation = 13},
		{.name = "income", .type_name = "text", .role = ROLE_TARGET, .kind = KIND_CATEGORY, .n_distinct = 2, .lowest = NAN, .highest = NAN, .mean = NAN, .deviation = NAN}
	};
	ResultImportance importances[2] = {{0.25, 0.01}, {-0.001, 0}};
	JobResult	result = {
		.n_rows = 100, .n_dropped = 1, .n_train = 60, .n_validation = 9, .n_test = 30, .fingerprint = {1, UINT64_MAX}, .iterations = 50,
		.n_features = 12, .model_size = 12345, .reference_size = 678, .peak_memory = 1 << 20, .seconds_fit = 0.25, .n_metrics = 2, .metrics = metrics,
		.n_classes = 2, .confusion = confusion, .n_columns = 2, .columns = columns, .n_importances = 2, .importances = importances,
		.n_phases = 2, .phases = {{"hash", 0.5}, {"fit", 2}}
	};

	buffer_init(out);
	result_write(&result, out);
}

static void
test_result(void)
{
	Buffer		bytes;
	JobResult	result;
	Error		error;

	write_result(&bytes);
	if (!CHECK_OK(result_read(&result, bytes.data, bytes.size, &error), &error))
		return;
	CHECK(result.n_rows == 100 && result.n_dropped == 1 && result.n_train == 60 && result.n_validation == 9 && result.n_test == 30);
	CHECK(result.fingerprint[0] == 1 && result.fingerprint[1] == UINT64_MAX && result.iterations == 50 && result.n_features == 12);
	CHECK(result.model_size == 12345 && result.reference_size == 678 && result.peak_memory == 1 << 20);
	CHECK_SAME(result.seconds_fit, 0.25);
	CHECK_TEXT(result.metrics[1].name, "log_loss");
	CHECK_SAME(result.metrics[0].baseline, 0.5);
	CHECK_SAME(result.metrics[1].baseline, NAN);
	CHECK_SAME(result.confusion[2], 3);
	CHECK_TEXT(result.columns[1].name, "income");
	CHECK_TEXT(result.columns[0].type_name, "integer");
	CHECK(result.columns[0].n_missing == 7 && result.columns[1].n_distinct == 2 && result.columns[1].role == ROLE_TARGET);
	CHECK_SAME(result.columns[0].deviation, 13);
	CHECK(result.n_phases == 2);
	CHECK_TEXT(result.phases[1].name, "fit");
	CHECK_SAME(result.phases[1].seconds, 2);
	CHECK(result.n_importances == 2);
	CHECK_SAME(result.importances[0].mean, 0.25);
	CHECK_SAME(result.importances[0].deviation, 0.01);
	CHECK_SAME(result.importances[1].mean, -0.001);
	result_free(&result);

	for (size_t size = 0; size < bytes.size; size++)
	{
		uint8_t    *cut = malloc(size + 1);

		memcpy(cut, bytes.data, size);
		CHECK(!result_read(&result, cut, size, &error) && error.code == ERROR_CORRUPTED);
		free(cut);
	}
	buffer_u8(&bytes, 0);
	CHECK_ERROR(result_read(&result, bytes.data, bytes.size, &error), &error, ERROR_CORRUPTED, "too many");
	for (size_t i = 0; i + 1 < bytes.size; i++)
	{
		for (int mask = 1; mask < 256; mask *= 2)
		{
			bytes.data[i] ^= (uint8_t) mask;
			if (result_read(&result, bytes.data, bytes.size - 1, &error))
				result_free(&result);
			bytes.data[i] ^= (uint8_t) mask;
		}
	}
	buffer_free(&bytes);
}

static void
test_error(void)
{
	Buffer		bytes;
	Error		sent;
	Error		received;

	error_set(&sent, ERROR_DATA, "the target has one class only");
	error_detail(&sent, "All rows are \"no\".");
	buffer_init(&bytes);
	error_write(&sent, &bytes);
	CHECK(error_read(&received, bytes.data, bytes.size));
	CHECK(received.code == ERROR_DATA);
	CHECK_TEXT(received.message, sent.message);
	CHECK_TEXT(received.detail, sent.detail);
	CHECK_TEXT(received.hint, "");
	for (size_t size = 0; size < bytes.size; size++)
		CHECK(!error_read(&received, bytes.data, size));
	bytes.data[0] = 99;
	CHECK(!error_read(&received, bytes.data, bytes.size));
	buffer_free(&bytes);
}

int
main(void)
{
	test_job();
	test_job_errors();
	test_evaluation();
	test_importance();
	test_result();
	test_error();
	return check_done();
}
