/*
 * fuzz_condition.c
 *		libFuzzer target: any bytes as a condition.
 *
 * What is accepted has steps that fit together: it is evaluated with facts of every type.
 */
#include <stdlib.h>
#include <string.h>

#include "core/condition.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A value whose type is that of the round and of the name's first byte. */
static void
look_up(void *context, const char *name, ConditionValue *value)
{
	value->type = (ConditionType) ((unsigned) (name[0] + *(int *) context) % 4);
	value->number = (double) strlen(name);
	value->holds = name[0] < 'm';
	value->text = name;
	value->length = strlen(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Condition condition;
	char	   *text = malloc(size + 1);
	Error		error = {0};

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!condition_parse(&condition, text, &error))
	{
		if (error.message[0] == '\0')
			abort();
	}
	else
	{
		for (int round = 0; round < 4; round++)
		{
			if (condition_evaluate(&condition, look_up, &round) > TRUTH_UNKNOWN)
				abort();
		}
	}
	free(text);
	return 0;
}
