/*
 * scan_types.c
 *		Which SQL types a scan can take, and as what.
 */
#include "scan.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

/* Whether values of a base type can be a number, and how they are stored. */
bool
scan_number_type(Oid base_type, ColumnKind *kind, ColumnStorage *storage)
{
	*kind = KIND_NUMBER;
	*storage = STORAGE_FLOAT64;
	switch (base_type)
	{
		case INT2OID:
		case FLOAT4OID:
			*storage = STORAGE_FLOAT32;
			return true;
		case INT4OID:
		case INT8OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		case BOOLOID:
			*kind = KIND_BOOLEAN;
			return true;
		case DATEOID:
			*kind = KIND_DATE;
			return true;
		case TIMESTAMPOID:
			*kind = KIND_TIMESTAMP;
			return true;
		case TIMESTAMPTZOID:
			*kind = KIND_TIMESTAMPTZ;
			return true;
		case INTERVALOID:
			*kind = KIND_INTERVAL;
			return true;
		default:
			return false;
	}
}

/* Whether values of a base type are texts: strings, enums, uuid. */
bool
scan_text_type(Oid base_type)
{
	char		category;
	bool		preferred;

	if (base_type == UUIDOID || base_type == CHAROID)
		return true;
	get_type_category_preferred(base_type, &category, &preferred);
	return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM;
}

/* Whether values of a base type have one text each, so that they can be categories. */
bool
scan_category_type(Oid base_type)
{
	return scan_text_type(base_type) || base_type == BOOLOID || base_type == INT2OID || base_type == INT4OID || base_type == INT8OID;
}
