/*
 * nearest_name.c
 *		The name that somebody may have meant.
 */
#include "params.h"

#include <string.h>

#define NAME_LIMIT		80		/* longer names are not compared by distance */

static int
least(int a, int b)
{
	return a < b ? a : b;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/*
 * Edit distance with swaps of neighbours (optimal string alignment), ASCII
 * letters alike in both cases.  Both names are at most NAME_LIMIT long.
 */
static int
edit_distance(const char *a, const char *b)
{
	int			rows[3][NAME_LIMIT + 1];
	int		   *before = rows[0];	/* two rows up */
	int		   *above = rows[1];
	int		   *row = rows[2];
	size_t		n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		above[j] = (int) j;
	for (size_t i = 1; a[i - 1] != '\0'; i++)
	{
		row[0] = (int) i;
		for (size_t j = 1; j <= n; j++)
		{
			bool		same = lower(a[i - 1]) == lower(b[j - 1]);

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}

		int		   *spare = before;

		before = above;
		above = row;
		row = spare;
	}
	return above[n];
}

const char *
nearest_name(const char *name, const char *const *names, size_t n)
{
	size_t		length = strlen(name);
	const char *nearest = NULL;
	int			nearest_distance = 0;

	if (length > NAME_LIMIT)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		size_t		other = strlen(names[i]);

		if (other > NAME_LIMIT)
			continue;

		/* one slip in three letters is a slip, more is another word */
		int			limit = least((int) (length > other ? length : other) / 3, 4);
		int			distance = edit_distance(name, names[i]);

		if (distance <= limit && (nearest == NULL || distance < nearest_distance))
		{
			nearest = names[i];
			nearest_distance = distance;
		}
	}
	return nearest;
}
