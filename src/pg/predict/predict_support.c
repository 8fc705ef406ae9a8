/*
 * predict_support.c
 *		What the planner is told of predictions: their cost, and how many rows there will be.
 *
 * The cost follows the size of the model, where its reference is known at
 * plan time: the newest version of what the caller sees under the name, read
 * by two index scans, and remembered for the rest of the transaction, for a
 * query has several calls.  It is an estimate: which version will answer is
 * decided when the query runs, and so is everything that can be an error.
 */
#include "predict.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "../compat.h"
#include "../registry/artifact.h"
#include "../registry/registry.h"
#include "../registry/registry_scan.h"

PG_FUNCTION_INFO_V1(mlops_predict_support);

/*
 * In cpu_operator_cost: of a call, and of so many bytes of a model.  Of a
 * small one all nodes are compared; of a large one a row sees few.
 */
#define CALL_UNITS 15
#define BYTES_PER_UNIT 4096
#define SMALL_BYTES (1024 * 1024)
#define MORE_BYTES_PER_UNIT 32768
#define BATCH_ROW_UNITS 30		/* of a row of a batch, beside the model */

/* Bytes of a version, or -1. */
static int64
version_size(int64 model_id, int32 version)
{
	RegistryScan scan;
	int64		size = -1;

	registry_scan_open(&scan, "model_version");
	registry_scan_key_int64(&scan, "model_id", model_id);
	registry_scan_key_int32(&scan, "version", version);
	registry_scan_start(&scan, "model_version_pkey");
	if (registry_scan_next(&scan))
		size = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "size")));
	registry_scan_close(&scan);
	return size;
}

/* The name of the model in a reference, or NULL where it cannot be one. */
static char *
name_in_reference(const char *reference)
{
	const char *slash = strchr(reference, '/');
	const char *name = slash != NULL ? slash + 1 : reference;
	size_t		length = strcspn(name, "@");

	return length > 0 && length <= REGISTRY_NAME_BYTES ? pnstrdup(name, length) : NULL;
}

/* Bytes of the model that a reference may mean, or -1. */
static int64
reference_size(const char *reference)
{
	static LocalTransactionId transaction;
	static Oid	user;
	static char known[2 * REGISTRY_NAME_SIZE];
	static int64 known_size;
	char	   *name = name_in_reference(reference);
	int64		size = -1;
	RegistryScan scan;

	if (name == NULL || !ActiveSnapshotSet())
		return -1;
	if (transaction == compat_local_transaction() && user == GetUserId() && strcmp(known, reference) == 0)
		return known_size;
	registry_scan_open(&scan, "model");

	AttrNumber	id = registry_scan_column(&scan, "id");
	AttrNumber	project = registry_scan_column(&scan, "project_id");
	AttrNumber	last_version = registry_scan_column(&scan, "last_version");

	registry_scan_key_text(&scan, "name", name);
	registry_scan_start(&scan, "model_name_key");
	while (size < 0 && registry_scan_next(&scan))
	{
		if (access_allowed(DatumGetInt64(registry_scan_get(&scan, project)), RIGHT_SEE))
			size = version_size(DatumGetInt64(registry_scan_get(&scan, id)), DatumGetInt32(registry_scan_get(&scan, last_version)));
	}
	registry_scan_close(&scan);
	transaction = compat_local_transaction();
	user = GetUserId();
	known_size = size;
	if (strlcpy(known, reference, sizeof(known)) >= sizeof(known))
		known[0] = '\0';
	return size;
}

/* The constant that an argument comes to, or NULL. */
static const Const *
constant_argument(PlannerInfo *root, const List *arguments, int n)
{
	Node	   *node;

	if (n >= list_length(arguments))
		return NULL;
	node = list_nth(arguments, n);
	if (!IsA(node, Const) && root != NULL)
		node = estimate_expression_value(root, node);
	return IsA(node, Const) && !((Const *) node)->constisnull ? (const Const *) node : NULL;
}

/* Bytes of the model that a call names, or -1. */
static int64
model_size(PlannerInfo *root, const List *arguments)
{
	const Const *model = constant_argument(root, arguments, 0);

	if (model == NULL)
		return -1;
	if (model->consttype == TEXTOID)
		return reference_size(TextDatumGetCString(model->constvalue));
	return (int64) toast_raw_datum_size(model->constvalue);
}

/* Rows of the relation that a text names, or -1. */
static double
relation_rows(const char *name)
{
	List	   *parts = NIL;
	Oid			relation = InvalidOid;
	HeapTuple	tuple;
	double		rows = -1;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts))
		return -1;
	if (list_length(parts) == 1)
		relation = RelnameGetRelid(linitial(parts));
	else if (list_length(parts) == 2)
	{
		Oid			schema = get_namespace_oid(linitial(parts), true);

		relation = OidIsValid(schema) ? get_relname_relid(lsecond(parts), schema) : InvalidOid;
	}
	if (!OidIsValid(relation))
		return -1;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (form->relkind == RELKIND_RELATION || form->relkind == RELKIND_MATVIEW || form->relkind == RELKIND_PARTITIONED_TABLE)
			rows = form->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

/* Rows that a function that returns a set will give, or -1: those of the source, or the number asked for. */
static double
expected_rows(PlannerInfo *root, const List *arguments)
{
	const Const *source = constant_argument(root, arguments, 1);
	const Const *n = constant_argument(root, arguments, 2);

	if (source != NULL && source->consttype == TEXTOID)
		return relation_rows(TextDatumGetCString(source->constvalue));
	if (n != NULL && n->consttype == INT4OID)
		return Max(DatumGetInt32(n->constvalue), 1);
	return -1;
}

/* Whether the rows come from a source that the function runs itself. */
static bool
is_batch(const List *arguments)
{
	return list_length(arguments) > 1 && exprType(lsecond(arguments)) == TEXTOID;
}

/* What one row costs, in cpu_operator_cost. */
static double
row_units(int64 size)
{
	int64		small = Min(size, SMALL_BYTES);

	return CALL_UNITS + (double) small / BYTES_PER_UNIT + (double) (size - small) / MORE_BYTES_PER_UNIT;
}

/* Answers a question about cost; false where the planner is to take the function's own. */
static bool
estimate_cost(SupportRequestCost *request)
{
	const List *arguments;
	int64		size;

	if (request->node == NULL || !IsA(request->node, FuncExpr))
		return false;
	arguments = ((FuncExpr *) request->node)->args;
	size = model_size(request->root, arguments);
	if (size < 0)
		return false;

	double		units = row_units(size);

	if (is_batch(arguments))
	{
		double		rows = expected_rows(request->root, arguments);

		if (rows < 0)
			return false;
		units = CALL_UNITS + rows * (units + BATCH_ROW_UNITS);
	}
	request->startup = 0;
	request->per_tuple = units * cpu_operator_cost;
	return true;
}

/* Answers a question about rows. */
static bool
estimate_rows(SupportRequestRows *request)
{
	double		rows;

	if (request->node == NULL || !IsA(request->node, FuncExpr))
		return false;
	rows = expected_rows(request->root, ((FuncExpr *) request->node)->args);
	if (rows < 0)
		return false;
	request->rows = Max(rows, 1);
	return true;
}

/* The support function of the predict family. */
Datum
mlops_predict_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	bool		answered = false;

	if (IsA(request, SupportRequestCost))
		answered = estimate_cost((SupportRequestCost *) request);
	else if (IsA(request, SupportRequestRows))
		answered = estimate_rows((SupportRequestRows *) request);
	PG_RETURN_POINTER(answered ? request : NULL);
}
