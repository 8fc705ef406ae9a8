/*
 * csv.h
 *		Plain csv files for benchmarks: a line of names, fields between commas, no quotes.
 */
#ifndef MLOPS_BENCH_CSV_H
#define MLOPS_BENCH_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 256

/* Ends the program. */
static inline void
stop(const char *what, const char *detail)
{
	fprintf(stderr, "benchmark: %s: %s\n", what, detail);
	exit(1);
}

/* A file in memory. */
typedef struct Csv
{
	char	   *text;			/* fields end with 0 */
	size_t		n_rows;
	uint32_t	n_columns;
	char	   *names[MAX_FIELDS];
	char	  **fields;			/* n_rows x n_columns */
	bool		numeric[MAX_FIELDS];
} Csv;

/* Cuts a line at its commas; returns how many fields it has. */
static inline uint32_t
cut_line(char *line, char **fields)
{
	uint32_t	n = 0;

	fields[n++] = line;
	for (; *line != '\0'; line++)
	{
		if (*line != ',')
			continue;
		*line = '\0';
		if (n == MAX_FIELDS)
			stop("csv", "too many fields");
		fields[n++] = line + 1;
	}
	return n;
}

/* Reads a file; a column is numeric when all of its fields are numbers or empty. */
static inline Csv
read_csv(const char *path)
{
	Csv			csv = {0};
	FILE	   *file = fopen(path, "rb");

	if (file == NULL)
		stop("cannot read", path);
	fseek(file, 0, SEEK_END);

	size_t		size = (size_t) ftell(file);
	size_t		room = 0;

	rewind(file);
	csv.text = malloc(size + 1);
	if (csv.text == NULL || fread(csv.text, 1, size, file) != size)
		stop("cannot read", path);
	fclose(file);
	csv.text[size] = '\0';

	for (char *line = strtok(csv.text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n"))
	{
		if (csv.n_columns == 0)
		{
			csv.n_columns = cut_line(line, csv.names);
			continue;
		}
		if (csv.n_rows == room)
		{
			room = room == 0 ? 1024 : 2 * room;
			csv.fields = realloc(csv.fields, room * csv.n_columns * sizeof(char *) + MAX_FIELDS * sizeof(char *));
			if (csv.fields == NULL)
				stop("cannot read", "no memory");
		}
		if (cut_line(line, csv.fields + csv.n_rows * csv.n_columns) != csv.n_columns)
			stop("csv", "a line has another number of fields than the first");
		csv.n_rows++;
	}
	for (uint32_t c = 0; c < csv.n_columns; c++)
	{
		csv.numeric[c] = true;
		for (size_t i = 0; i < csv.n_rows && csv.numeric[c]; i++)
		{
			char	   *end;

			strtod(csv.fields[i * csv.n_columns + c], &end);
			csv.numeric[c] = *end == '\0';
		}
	}
	return csv;
}

#endif
