/*
 * linear_model.c
 *		Linear models: validation, prediction, writing.
 */
#include "linear_model.h"

#include "../algorithm.h"
#include "../link.h"

bool
model_is_linear(const Model *model)
{
	return model->algorithm->validate == linear_model_validate;
}

/* Sizes fit the payload, the link fits the task, and every number is finite. */
bool
linear_model_validate(const Model *model, Error *error)
{
	const LinearPayload *payload = model->payload;

	if (model->payload_size < sizeof(LinearPayload))
		return error_set(error, ERROR_CORRUPTED, "model is damaged: payload of %zu bytes is too short", model->payload_size);

	uint32_t	n_scores = 0;
	uint32_t	n_features = model->n_features;

	switch ((LinearLink) payload->link)
	{
		case LINEAR_IDENTITY:
			n_scores = model->task == TASK_REGRESSION ? 1 : 0;
			break;
		case LINEAR_LOGISTIC:
			n_scores = model->task == TASK_BINARY ? 1 : 0;
			break;
		case LINEAR_SOFTMAX:
			n_scores = model->task == TASK_MULTICLASS ? model->n_outputs : 0;
			break;
		case LINEAR_CONSTANT:
			n_scores = model->n_outputs;
			n_features = 0;
			break;
	}
	if (n_scores == 0)
		return error_set(error, ERROR_CORRUPTED, "model is damaged: link %u does not fit the task", payload->link);
	if (payload->n_scores != n_scores || payload->n_features != n_features || payload->reserved != 0)
		return error_set(error, ERROR_CORRUPTED, "model is damaged: %u scores of %u features, expected %u of %u",
						 payload->n_scores, payload->n_features, n_scores, n_features);

	/* at most (2^16 + 1) * (2^20 + 1): no overflow */
	uint64_t	n_values = (uint64_t) n_scores * ((uint64_t) n_features + 1) + n_features;

	if (model->payload_size != sizeof(LinearPayload) + n_values * sizeof(double))
		return error_set(error, ERROR_CORRUPTED, "model is damaged: payload of %zu bytes does not hold its coefficients",
						 model->payload_size);

	const double *values = linear_intercept(payload);

	for (uint64_t i = 0; i < n_values; i++)
	{
		if (!isfinite(values[i]))
			return error_set(error, ERROR_CORRUPTED, "model is damaged: coefficient %llu is not finite", (unsigned long long) i);
	}
	return true;
}

void
linear_model_link(const Model *model, double *out)
{
	const LinearPayload *payload = model->payload;

	if (payload->link == LINEAR_LOGISTIC)
		link_logistic(out[0], out);
	else if (payload->link == LINEAR_SOFTMAX)
		link_softmax(out, payload->n_scores);
}

void
linear_model_predict(const Model *model, const double *features, double *out)
{
	const LinearPayload *payload = model->payload;
	const double *intercept = linear_intercept(payload);

	for (uint32_t g = 0; g < payload->n_scores; g++)
	{
		const double *w = linear_weights(payload, g);
		double		score = intercept[g];

		for (uint32_t j = 0; j < payload->n_features; j++)
			score += w[j] * features[j];
		out[g] = score;
	}
	linear_model_link(model, out);
}

bool
linear_model_write(LinearLink link, uint32_t n_scores, uint32_t n_features, const double *intercept, const double *weights,
				   const double *means, Buffer *payload, Error *error)
{
	buffer_u32(payload, link);
	buffer_u32(payload, n_scores);
	buffer_u32(payload, n_features);
	buffer_u32(payload, 0);
	buffer_bytes(payload, intercept, n_scores * sizeof(double));
	buffer_bytes(payload, weights, (size_t) n_scores * n_features * sizeof(double));
	buffer_bytes(payload, means, n_features * sizeof(double));
	return buffer_check(payload, error);
}
