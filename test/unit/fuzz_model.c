/*
 * fuzz_model.c
 *		libFuzzer target: any bytes as a model.
 *
 * Half of the inputs, by their last byte, get a correct checksum and size
 * first: otherwise hardly one would come past them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "exercise.h"
#include "support.h"

volatile double exercise_sink;

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *bytes = malloc(size + 1);
	uint64_t	whole = size;

	memcpy(bytes, data, size);
	if (size >= sizeof(ArtifactHeader) && data[size - 1] % 2 == 0)
	{
		memcpy(bytes + offsetof(ArtifactHeader, size), &whole, sizeof(whole));
		repair_checksum(bytes, size);
	}
	exercise_model(bytes, size);
	free(bytes);
	return 0;
}
