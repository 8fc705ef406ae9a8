/*
 * source_trust.c
 *		Whether a query that somebody else wrote can run with one's own rights.
 *
 * A function runs with the rights of whoever calls it, so a query that calls
 * its author's functions is the author's program.  What the caller or a
 * superuser owns does what its owner means it to do.  Views and row security
 * are looked into, as the rewriter puts them into the query; domains call the
 * functions of their constraints.  A function that finds its names by the
 * path of whoever calls it would find what the query's author put there.
 */
#include "../source/source.h"

#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* What was found: the first thing of somebody else's. */
typedef struct Strange
{
	const char *what;
	Oid			owner;
} Strange;

static bool
is_trusted(Oid owner)
{
	return owner == GetUserId() || superuser_arg(owner);
}

/* Whether a function finds the same names whoever calls it: it has none, or a path of its own. */
static bool
has_own_path(HeapTuple function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	bool		none;
	Datum		settings = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_proconfig, &none);
	Datum	   *values;
	int			n = 0;

	if (form->oid < FirstNormalObjectId || form->prolang == INTERNALlanguageId || form->prolang == ClanguageId)
		return true;
	if (!none)
		deconstruct_array(DatumGetArrayTypeP(settings), TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		if (strncmp(TextDatumGetCString(values[i]), "search_path=", strlen("search_path=")) == 0)
			return true;
	}
	return false;
}

/* Whether a function is somebody else's, or may come to call one. */
static bool
function_is_strange(Oid function, void *context)
{
	Strange    *strange = context;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;
	bool		trusted;

	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	trusted = is_trusted(owner) && has_own_path(tuple);
	ReleaseSysCache(tuple);
	if (trusted)
		return false;
	*strange = (Strange) {psprintf(is_trusted(owner) ? "function %s with no search_path" : "function %s", format_procedure_qualified(function)), owner};
	return true;
}

/* Whether making a value of a type may call functions of somebody else's: that of a domain, or of a row, which may have one in it. */
static bool
type_is_strange(Oid type, Strange *strange)
{
	Oid			element = get_base_element_type(type);
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(OidIsValid(element) ? element : type));
	Form_pg_type form;
	bool		found;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_type) GETSTRUCT(tuple);
	found = (form->typtype == TYPTYPE_DOMAIN || form->typtype == TYPTYPE_COMPOSITE) && !is_trusted(form->typowner);
	if (found)
		*strange = (Strange) {psprintf("type %s", format_type_be_qualified(form->oid)), form->typowner};
	ReleaseSysCache(tuple);
	return found;
}

/* Whether there is something of somebody else's in a tree. */
static bool
is_strange(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, is_strange, context, 0);
	if (check_functions_in_node(node, function_is_strange, context))
		return true;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_CoerceToDomain:
			if (type_is_strange(exprType(node), context))
				return true;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, is_strange, context);
}

/* What in a source is neither the caller's nor a superuser's, or finds its names by a path that is neither's; NULL: nothing. */
const char *
source_strange(const Source *source, Oid *owner)
{
	Strange		strange = {NULL, InvalidOid};

	if (!is_strange((Node *) QueryRewrite(copyObject(source->query)), &strange))
		return NULL;
	*owner = strange.owner;
	return strange.what;
}
