/*
 * json_numbers.c
 *		Numbers in a jsonb argument, read once for all rows that it is the same for.
 *
 * What was read lies in a child of the function's own memory context, with
 * a copy of the argument's bytes; both go when other bytes come.
 */
#include "json_numbers.h"

#include "utils/memutils.h"

#include "compat.h"
#include "json_fields.h"

typedef struct ReadArgument
{
	MemoryContext context;
	void	   *bytes;			/* of the argument */
	Size		size;
	void	   *made;			/* of them */
} ReadArgument;

/* The field of a key, or an error. */
static JsonField
find_field(Jsonb *json, const char *argument, const char *key)
{
	int			n;
	JsonField  *fields = json_fields(json, argument, &n);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(fields[i].key, key) == 0)
			return fields[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" has no \"%s\"", argument, key)));
}

/* The elements of an array, which is all or one row of a field. */
static double *
read_numbers(const JsonbValue *array, const char *argument, const char *key, int *n)
{
	JsonField	element = {.key = key};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	double	   *numbers;

	if (array->type != jbvBinary || !JsonContainerIsArray(array->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"%s\" must be an array, not %s", key, argument, json_type(array))));
	numbers = palloc((JsonContainerSize(array->val.binary.data) + 1) * sizeof(double));
	*n = 0;
	iterator = JsonbIteratorInit(array->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element.value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			numbers[(*n)++] = json_number(&element, argument);
	}
	return numbers;
}

double *
json_numbers_field(Jsonb *json, const char *argument, const char *key, int *n)
{
	JsonField	field = find_field(json, argument, key);

	return read_numbers(&field.value, argument, key, n);
}

double *
json_matrix_field(Jsonb *json, const char *argument, const char *key, int n_columns, int *n_rows)
{
	JsonField	field = find_field(json, argument, key);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	row;
	double	   *numbers;

	if (field.value.type != jbvBinary || !JsonContainerIsArray(field.value.val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" in argument \"%s\" must be an array, not %s", key, argument, json_type(&field.value))));
	numbers = palloc((Size) JsonContainerSize(field.value.val.binary.data) * n_columns * sizeof(double) + 1);
	*n_rows = 0;
	iterator = JsonbIteratorInit(field.value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &row, true)) != WJB_DONE)
	{
		double	   *read;
		int			n;

		if (token != WJB_ELEM)
			continue;
		read = read_numbers(&row, argument, key, &n);
		if (n != n_columns)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a row of \"%s\" in argument \"%s\" has %d numbers, and there are %d columns", key, argument, n, n_columns)));
		memcpy(numbers + (Size) *n_rows * n_columns, read, n_columns * sizeof(double));
		pfree(read);
		(*n_rows)++;
	}
	return numbers;
}

void *
json_argument_read(FunctionCallInfo fcinfo, int argument, void *(*read) (Jsonb *json))
{
	ReadArgument *kept = fcinfo->flinfo->fn_extra;
	Jsonb	   *json = PG_GETARG_JSONB_P(argument);
	MemoryContext context;
	MemoryContext caller;

	if (kept != NULL && kept->size == VARSIZE(json) && memcmp(kept->bytes, json, kept->size) == 0)
		return kept->made;
	context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "mlops argument", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);

	ReadArgument *next = palloc(sizeof(ReadArgument));

	next->context = context;
	next->size = VARSIZE(json);
	next->bytes = memcpy(palloc(next->size), json, next->size);
	next->made = read((Jsonb *) next->bytes);
	MemoryContextSwitchTo(caller);
	fcinfo->flinfo->fn_extra = next;
	if (kept != NULL)
		MemoryContextDelete(kept->context);
	return next->made;
}
