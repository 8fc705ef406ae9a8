/*
 * seeds.c
 *		Writes a fuzzer's first inputs: "seeds fuzz_model DIRECTORY".
 */
#include <stdio.h>
#include <string.h>

#include "support.h"

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

int
main(int argc, char **argv)
{
	if (argc != 3)
	{
		fprintf(stderr, "usage: seeds FUZZER DIRECTORY\n");
		return 2;
	}

	/* other fuzzers start from nothing */
	return strcmp(argv[1], "fuzz_model") == 0 && !write_models(argv[2]);
}
