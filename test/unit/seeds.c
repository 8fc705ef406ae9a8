/*
 * seeds.c
 *		Writes a fuzzer's first inputs: "seeds fuzz_model DIRECTORY".
 */
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "support_profile.h"

/* The example models, from the real writers. */
static bool
write_models(const char *directory)
{
	for (int i = 0; example_models[i] != NULL; i++)
	{
		Buffer		model;
		Error		error;
		char		path[4096];

		buffer_init(&model);
		snprintf(path, sizeof(path), "%s/model-%d", directory, i);

		FILE	   *file = fopen(path, "wb");
		bool		written = file != NULL && example_models[i] (&model, &error) && fwrite(model.data, 1, model.size, file) == model.size;

		if (file != NULL)
			written &= fclose(file) == 0;
		buffer_free(&model);
		if (!written)
		{
			fprintf(stderr, "could not write \"%s\"\n", path);
			return false;
		}
	}
	return true;
}

/* One example's file. */
static bool
write_example(const char *directory, const char *name, const Distribution *distribution)
{
	Buffer		bytes = flat(distribution);
	char		path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);

	FILE	   *file = fopen(path, "wb");
	bool		written = file != NULL && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;

	if (file != NULL)
		written &= fclose(file) == 0;
	buffer_free(&bytes);
	return written;
}

/* Few numbers, so many that cells are wide, and texts. */
static bool
write_distributions(const char *directory)
{
	Distribution numbers = distribution_of_range(-3, 20);
	Distribution many = distribution_of_range(-1000, 4000);
	Distribution texts = distribution_of_texts((const char *[]) {"a", "b", NULL}, (int[]) {3, 200, 1}, 3);
	bool		written = write_example(directory, "numbers", &numbers) && write_example(directory, "many", &many) &&
		write_example(directory, "texts", &texts);

	distribution_free(&numbers, test_memory);
	distribution_free(&many, test_memory);
	distribution_free(&texts, test_memory);
	return written;
}

int
main(int argc, char **argv)
{
	if (argc != 3)
	{
		fprintf(stderr, "usage: seeds FUZZER DIRECTORY\n");
		return 2;
	}

	/* other fuzzers start from nothing */
	if (strcmp(argv[1], "fuzz_model") == 0)
		return !write_models(argv[2]);
	return strcmp(argv[1], "fuzz_distribution") == 0 && !write_distributions(argv[2]);
}
