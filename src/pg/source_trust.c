/*
 * source_trust.c
 *		Whether a query that somebody else wrote can run with one's own rights.
 *
 * A function runs with the rights of whoever calls it, so a query that calls
 * its author's functions is the author's program.  What the caller or a
 * superuser owns does what its owner means it to do.  Views and row security
 * are looked into, as the rewriter puts them into the query; domains call the
 * functions of their constraints.
 */
#include "source.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
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

/* Whether a function is somebody else's. */
static bool
function_is_strange(Oid function, void *context)
{
	Strange    *strange = context;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	if (is_trusted(owner))
		return false;
	*strange = (Strange) {psprintf("function %s", format_procedure_qualified(function)), owner};
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

/* What in a source is neither the caller's nor a superuser's; NULL: nothing. */
const char *
source_strange(const Source *source, Oid *owner)
{
	Strange		strange = {NULL, InvalidOid};

	if (!is_strange((Node *) QueryRewrite(copyObject(source->query)), &strange))
		return NULL;
	*owner = strange.owner;
	return strange.what;
}
