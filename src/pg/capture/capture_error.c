/*
 * capture_error.c
 *		Predictions that fail.
 *
 * An error ends its transaction, so what is known of it goes through the
 * queue in shared memory, like a row that is captured; the writer counts
 * errors by minute, version and SQLSTATE in mlops.prediction_error.
 *
 * It is noticed by an error context callback, which adds no context: that
 * costs a row a few stores, and is called wherever the error comes from, also
 * where it is caught further out.  Nothing in it can fail, and it waits for
 * nobody but for the lock of the counters, whose holders wait for nobody.
 */
#include "capture.h"

#include "access/xlog.h"
#include "storage/lwlock.h"

/* Whether an error says that the prediction failed: what is no error, a cancelled query and a conflict of transactions do not. */
static bool
is_failure(int code)
{
	switch (ERRCODE_TO_CATEGORY(code))
	{
		case ERRCODE_SUCCESSFUL_COMPLETION:
		case ERRCODE_WARNING:
		case ERRCODE_NO_DATA:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_TRANSACTION_ROLLBACK:
			return false;
		default:
			return true;
	}
}

/* An error while a prediction is under way. */
void
capture_error(void *argument)
{
	const ModelRef *ref = argument;
	int			code = geterrcode();
	CaptureCounters *counters;
	CaptureRow *row;

	if (capture_shared == NULL || ref == NULL || ref->deployment_id == 0 || ref->uncommitted || !is_failure(code) || RecoveryInProgress() ||
		LWLockHeldByMe(capture_shared->lock))
		return;
	counters = capture_counters_hold(ref->model_id);
	row = capture_ring_reserve(counters, ref->model_id, 0);
	if (row != NULL)
	{
		row->error = code;
		row->version = ref->version;
		row->deployment_id = ref->deployment_id;
		row->key_size = CAPTURE_NO_KEY;
		row->class_size = row->features_size = 0;
		capture_ring_publish(row);
	}
	capture_counters_release(counters);
}
