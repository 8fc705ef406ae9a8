/*
 * kind_score_table.c
 *		Jobs of kind score_table: the arguments of mlops.score_table(), and "batch".
 *
 * To append and to upsert, rows are written in batches in the order of their
 * keys, each committed together with the last key that it wrote: an attempt
 * goes on where the one before came to, with the same version of the model.
 * To replace is one transaction: until it commits, readers see the old rows.
 */
#include "kinds.h"

#include <limits.h>

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "../pg/json_fields.h"
#include "../pg/predict/score_table.h"

#define KIND "score_table"
#define DEFAULT_BATCH 100000

/* Where an attempt is. */
typedef struct ScoreState
{
	char	   *model;			/* with its version */
	char	   *last;			/* key written last; NULL: none */
	uint64		done;
} ScoreState;

/* Rows of a batch. */
static uint64
batch_argument(Jsonb *args)
{
	int			n;
	JsonField  *fields = json_fields(args, "args", &n);

	for (int i = 0; i < n; i++)
	{
		double		batch;

		if (strcmp(fields[i].key, "batch") != 0)
			continue;
		batch = json_number(&fields[i], "args");
		if (!(batch >= 1 && batch <= INT_MAX))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"batch\" of a job of kind %s must be from 1 to %d", KIND, INT_MAX)));
		return (uint64) batch;
	}
	return DEFAULT_BATCH;
}

/* Resolves the arguments; model instead of theirs, where it is not NULL. */
static ScoreTable *
open_arguments(Jsonb *args, const char *model)
{
	char	   *mode = job_text_argument(KIND, args, "mode");

	return score_open(model != NULL ? model : job_required_argument(KIND, args, "model"), job_required_argument(KIND, args, "source"),
					  job_required_argument(KIND, args, "destination"), job_required_argument(KIND, args, "key"),
					  mode != NULL ? mode : "append");
}

/* Checks names and rights; source and destination are kept with qualified names, the model as it was given. */
static Jsonb *
check(Jsonb *args, int64 *project_id)
{
	static const char *const keys[] = {"model", "source", "destination", "key", "mode", "batch"};
	JsonbParseState *state = NULL;
	ScoreTable *score;
	JsonField  *fields;
	int			n;

	job_check_keys(KIND, args, keys, lengthof(keys));
	(void) batch_argument(args);
	score = open_arguments(args, NULL);
	if (score->temporary)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a job cannot use temporary tables")));
	*project_id = score->ref.project_id;

	fields = json_fields(args, "args", &n);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		json_push_key(&state, fields[i].key);
		if (strcmp(fields[i].key, "source") == 0)
			json_push_text(&state, WJB_VALUE, score->source->qualified);
		else if (strcmp(fields[i].key, "destination") == 0)
			json_push_text(&state, WJB_VALUE, score->destination);
		else
			pushJsonbValue(&state, WJB_VALUE, &fields[i].value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Reads where the attempt before came to. */
static void
read_state(Jsonb *checkpoint, ScoreState *state)
{
	int			n;
	JsonField  *fields = json_fields(checkpoint, "checkpoint", &n);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, "model") == 0)
			state->model = pstrdup(json_text(&fields[i], "checkpoint"));
		else if (strcmp(fields[i].key, "last") == 0)
			state->last = pstrdup(json_text(&fields[i], "checkpoint"));
		else if (strcmp(fields[i].key, "done") == 0)
			state->done = (uint64) json_number(&fields[i], "checkpoint");
	}
}

/* The same to be stored. */
static Jsonb *
write_state(const ScoreState *state)
{
	JsonbParseState *parse = NULL;

	pushJsonbValue(&parse, WJB_BEGIN_OBJECT, NULL);
	json_push_key(&parse, "model");
	json_push_text(&parse, WJB_VALUE, state->model);
	json_push_key(&parse, "last");
	json_push_text(&parse, WJB_VALUE, state->last);
	json_push_key(&parse, "done");
	json_push_integer(&parse, WJB_VALUE, (int64) state->done);
	return JsonbValueToJsonb(pushJsonbValue(&parse, WJB_END_OBJECT, NULL));
}

/* Writes batches until one is not full. */
static void
run_batches(JobRun *job, const ScoreTable *score, ScoreState *state)
{
	uint64		batch = batch_argument(job->args);
	double		expected = Max(source_expected_rows(score->source), 1);

	for (;;)
	{
		char	   *last;
		uint64		n = score_rows(score, state->last, batch, &last);

		state->done += n;
		if (n < batch)
			return;
		state->last = last;
		PopActiveSnapshot();
		job_commit(job, write_state(state), Min((double) state->done / Max(expected, state->done), 0.99));
		PushActiveSnapshot(GetTransactionSnapshot());
	}
}

/* Scores. */
static void
run(JobRun *job)
{
	ScoreState	state = {0};
	ScoreTable *score;

	if (job->checkpoint != NULL)
		read_state(job->checkpoint, &state);
	PushActiveSnapshot(GetTransactionSnapshot());
	score = open_arguments(job->args, state.model);
	state.model = unconstify(char *, score->model);
	score_begin(score, state.done);
	if (score->mode == SCORE_REPLACE)
	{
		score_clear(score);
		state.done = score_rows(score, NULL, 0, NULL);
		job->message = psprintf(UINT64_FORMAT " rows by %s", state.done, score->model);
	}
	else
	{
		uint64		keyless;

		run_batches(job, score, &state);
		keyless = score_count_keyless(score);
		job->message = keyless == 0 ? psprintf(UINT64_FORMAT " rows by %s", state.done, score->model)
			: psprintf(UINT64_FORMAT " rows by %s; " UINT64_FORMAT " rows have no key, and were left out", state.done, score->model, keyless);
	}
	PopActiveSnapshot();
}

const JobHandler job_score_table = {.name = KIND, .check = check, .run = run};
