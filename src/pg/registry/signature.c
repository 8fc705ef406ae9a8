/*
 * signature.c
 *		The columns of a model's signature in a source.
 */
#include "signature.h"

#include "../source/columns.h"

/* Whether a column of the source can be read as what the model was trained with. */
static bool
fits_kind(const ScanColumn *column, ColumnKind kind)
{
	if (kind == KIND_CATEGORY)
		return scan_category_type(column->source->base_type);
	return column->kind == kind || (kind == KIND_BOOLEAN && column->kind == KIND_NUMBER);
}

/* A column of the source in a column's place of the model. */
static ScanColumn
matching_column(const Source *source, const char *name, ColumnRole role, ColumnKind kind, const char *type)
{
	ScanColumn	column = {.role = role, .required = true};

	column.source = source_column(source, name, "the model");
	if (!column_by_type(&column) && kind != KIND_CATEGORY)
		column.kind = 0;
	if (OidIsValid(column.element_type) || !fits_kind(&column, kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, but the model was trained with type %s", name, column.source->type_name, type),
				 errhint("Cast it in the source query.")));
	column.kind = kind;
	if (kind == KIND_CATEGORY)
		column.storage = STORAGE_CODE;
	return column;
}

/* If columns x[1] ... x[n] of the model begin here and the source has an array x: that array, of n elements; else source is NULL. */
static ScanColumn
matching_array(const Source *source, const Model *model, uint32 first)
{
	ScanColumn	column = {.role = ROLE_FEATURE, .required = true};
	const char *name = model_string(model, model->columns[first].name);
	const char *bracket = strstr(name, "[1]");
	char	   *base;

	if (bracket == NULL || bracket[3] != '\0' || source_find(source, name) != NULL)
		return column;
	base = pnstrdup(name, bracket - name);
	column.source = source_find(source, base);
	if (column.source == NULL)
		return column;
	if (!column_by_type(&column) || !OidIsValid(column.element_type))
	{
		column.source = NULL;
		return column;
	}
	for (uint32 i = first; i < model->n_columns; i++)
	{
		if (strcmp(model_string(model, model->columns[i].name), psprintf("%s[%d]", base, column.n_elements + 1)) != 0)
			break;
		column.n_elements++;
	}
	return column;
}

/* The target. */
ScanColumn
signature_target(const Source *source, const Model *model)
{
	ScanColumn	target = {.role = ROLE_TARGET};
	const char *name = model_string(model, model->header->target_name);
	const char *type = model_string(model, model->header->target_type);

	target.source = source_column(source, name, "the model's target");
	if (!column_by_type(&target) || OidIsValid(target.element_type) ||
		(model->header->label_kind == LABEL_TEXT) != (target.kind == KIND_CATEGORY) ||
		(target.kind != KIND_NUMBER && target.kind != KIND_BOOLEAN && target.kind != KIND_CATEGORY))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" is of type %s, but the model was trained with type %s", name, target.source->type_name, type),
				 errhint("Cast it in the source query.")));
	return target;
}

/* The features, in the model's order. */
int
signature_features(const Source *source, const Model *model, ScanColumn *columns)
{
	int			n = 0;

	for (uint32 i = 0; i < model->n_columns;)
	{
		const RecipeColumn *recipe = &model->columns[i];
		ScanColumn	array = matching_array(source, model, i);

		if (array.source != NULL)
		{
			columns[n++] = array;
			i += (uint32) array.n_elements;
			continue;
		}
		columns[n++] = matching_column(source, model_string(model, recipe->name), ROLE_FEATURE, (ColumnKind) recipe->kind,
									   model_string(model, recipe->type_name));
		i++;
	}
	return n;
}
