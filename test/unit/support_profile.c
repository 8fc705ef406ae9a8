/*
 * support_profile.c
 *		Profiles for tests.  Failures end the program: they are not what is tested.
 */
#include "support_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

static void *
resize(void *context, void *old, size_t size)
{
	(void) context;
	if (size == 0)
	{
		free(old);
		return NULL;
	}
	return realloc(old, size);
}

const ProfileMemory test_memory = {resize, NULL};

static void
must(bool success, const Error *error)
{
	if (!success)
	{
		printf("a profile failed: %s\n", error->message);
		abort();
	}
}

/* A copy of what was counted that outlives the profile: by its flat form. */
static Distribution
finish(Profile *profile)
{
	Distribution collected;
	Distribution copy;
	Error		error;

	must(profile_collect(profile, test_memory, &collected, &error), &error);

	Buffer		bytes = flat(&collected);

	must(distribution_open(&copy, bytes.data, bytes.size, test_memory, &error), &error);
	if (copy.registers != NULL)
	{
		/* they point into the bytes: kept by the one who asks for them, in the names' memory, which numbers do not use */
		copy.names = realloc(copy.names, copy.names_size + N_REGISTERS);
		memcpy(copy.names + copy.names_size, copy.registers, N_REGISTERS);
		copy.registers = copy.names + copy.names_size;
	}
	buffer_free(&bytes);
	distribution_free(&collected, test_memory);
	profile_free(profile);
	return copy;
}

Distribution
distribution_of(const double *values, size_t n)
{
	Profile		profile;
	Error		error;

	must(profile_init(&profile, KIND_NUMBER, NULL, test_memory, &error), &error);
	for (size_t i = 0; i < n; i++)
		profile_number(&profile, values[i]);
	return finish(&profile);
}

Distribution
distribution_of_range(double first, double last)
{
	Profile		profile;
	Error		error;

	must(profile_init(&profile, KIND_NUMBER, NULL, test_memory, &error), &error);
	for (double value = first; value <= last; value++)
		profile_number(&profile, value);
	return finish(&profile);
}

Distribution
distribution_of_counts(const double *values, const int *counts, size_t n)
{
	Profile		profile;
	Error		error;

	must(profile_init(&profile, KIND_NUMBER, NULL, test_memory, &error), &error);
	for (size_t i = 0; i < n; i++)
	{
		for (int k = 0; k < counts[i]; k++)
			profile_number(&profile, values[i]);
	}
	return finish(&profile);
}

Distribution
distribution_of_texts(const char *const *texts, const int *counts, size_t n)
{
	Profile		profile;
	Error		error;

	must(profile_init(&profile, KIND_CATEGORY, NULL, test_memory, &error), &error);
	for (size_t i = 0; i < n; i++)
	{
		for (int k = 0; k < counts[i]; k++)
		{
			if (texts[i] == NULL)
				profile_null(&profile);
			else
				profile_text(&profile, hash64_bytes(texts[i], strlen(texts[i])), texts[i], strlen(texts[i]));
		}
	}
	return finish(&profile);
}

Distribution
merged(const Distribution *const *parts, size_t n)
{
	Profile		profile;
	Error		error;

	must(profile_init(&profile, parts[0]->kind, NULL, test_memory, &error), &error);
	for (size_t i = 0; i < n; i++)
		must(profile_merge(&profile, parts[i], &error), &error);
	return finish(&profile);
}

Buffer
flat(const Distribution *distribution)
{
	Buffer		bytes;

	buffer_init(&bytes);
	buffer_zeros(&bytes, distribution_size(distribution));
	distribution_write(distribution, bytes.data);
	return bytes;
}
