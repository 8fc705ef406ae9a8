/*
 * trees.c
 *		mlops.trees() and mlops.tree_text(): tree ensembles for people.
 *
 * Trees and nodes are numbered from 1, a tree as the iteration that made it.
 * What is shown is the payload, so it takes the right to read that.
 */
#include "../registry/registry.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../cache/model_cache.h"
#include "../report.h"
#include "../result_row.h"
#include "split_text.h"

PG_FUNCTION_INFO_V1(mlops_trees);
PG_FUNCTION_INFO_V1(mlops_tree_text);

/* FEATURE_NOT_SUPPORTED for models of other kinds. */
static void
require_trees(const Model *model, const ModelRef *ref)
{
	if (!model_has_trees(model))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("version %d of model \"%s\" has no trees: it is a %s", ref->version, ref->model_name, model->algorithm->name),
				 errhint("mlops.coefficients('%s@%d') shows linear models.", ref->model_name, ref->version)));
}

/* The class whose score a tree adds to; NULL where there is one score. */
static const char *
tree_class(const Model *model, uint32 tree)
{
	uint32		n_groups = tree_payload(model)->n_groups;

	return n_groups > 1 && n_groups == model->n_outputs && model->task != TASK_REGRESSION ? model_label(model, tree % n_groups) : NULL;
}

/* "yes" where a missing value goes as if the condition held; NULL where the recipe refuses it. */
static const char *
missing_answer(const TreeSplit *split)
{
	return split->refuses_missing ? NULL : split->missing_left ? "yes" : "no";
}

/* ---- trees ---- */

/* Where a node hangs. */
typedef struct NodePlace
{
	uint32		parent;			/* NO_NODE: the root */
	uint32		depth;
	bool		left;
} NodePlace;

/* One node as a row; notes where its children hang.  Texts are made in the current context. */
static void
fill_node(ResultRow *row, const Model *model, uint32 tree, uint32 node, NodePlace *places)
{
	const NodePlace *place = &places[node];
	TreeNodeView view = tree_node_view(model, tree, node);

	row_add(row, Int32GetDatum((int32) tree + 1));
	row_add_text(row, tree_class(model, tree));
	row_add(row, Int64GetDatum((int64) node + 1));
	if (place->parent == NO_NODE)
	{
		row_add_null(row);
		row_add_null(row);
	}
	else
	{
		row_add(row, Int64GetDatum((int64) place->parent + 1));
		row_add_text(row, place->left ? "yes" : "no");
	}
	row_add(row, Int32GetDatum((int32) place->depth));
	if (view.leaf)
	{
		for (int i = 0; i < 4; i++)
			row_add_null(row);
	}
	else
	{
		TreeSplit	split = tree_split(model, tree, node);
		StringInfoData condition;

		places[view.left] = (NodePlace) {node, place->depth + 1, true};
		places[view.right] = (NodePlace) {node, place->depth + 1, false};
		initStringInfo(&condition);
		split_text_append(&condition, model, &split);
		row_add_text(row, model_string(model, split.column->name));
		row_add_text(row, condition.data);
		row_add_text(row, missing_answer(&split));
		if (isnan(view.gain))
			row_add_null(row);
		else
			row_add(row, Float4GetDatum(view.gain));
	}
	if (isnan(view.cover))
		row_add_null(row);
	else
		row_add(row, Float4GetDatum(view.cover));
	row_add_number(row, view.leaf, view.value);
}

/* All nodes of all trees. */
static void
put_trees(const Model *model, ReturnSetInfo *result)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "mlops tree node", ALLOCSET_DEFAULT_SIZES);
	ResultRow	row = {.n = 0};

	for (uint32 tree = 0; tree < tree_payload(model)->n_trees; tree++)
	{
		uint32		n = tree_n_nodes(model, tree);
		NodePlace  *places = palloc_extended(n * sizeof(NodePlace), MCXT_ALLOC_HUGE);

		places[0] = (NodePlace) {.parent = NO_NODE};
		for (uint32 node = 0; node < n; node++)
		{
			MemoryContext old = MemoryContextSwitchTo(scratch);

			CHECK_FOR_INTERRUPTS();
			fill_node(&row, model, tree, node, places);
			MemoryContextSwitchTo(old);
			row_put(&row, result);
			MemoryContextReset(scratch);
		}
		pfree(places);
	}
	MemoryContextDelete(scratch);
}

/* mlops.trees(model): one row a node. */
Datum
mlops_trees(PG_FUNCTION_ARGS)
{
	ModelRef	ref;

	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_TRAIN, &ref);
	InitMaterializedSRF(fcinfo, 0);

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		require_trees(&cached->model, &ref);
		put_trees(&cached->model, (ReturnSetInfo *) fcinfo->resultinfo);
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	return (Datum) 0;
}

/* ---- tree_text ---- */

/* What branches are drawn with. */
typedef struct Pen
{
	const char *fork;			/* before a child that has a sibling below */
	const char *end;			/* before the last child */
	const char *pass;			/* beside the subtree of the first */
	const char *blank;			/* beside that of the last */
} Pen;

static const Pen unicode_pen = {"\342\224\234\342\224\200 ", "\342\224\224\342\224\200 ", "\342\224\202  ", "   "};
static const Pen plain_pen = {"|- ", "`- ", "|  ", "   "};

/* A node to be drawn. */
typedef struct Pending
{
	uint32		node;
	uint32		depth;
	int			indent;			/* bytes of the prefix that stand before its branch */
	bool		left;
} Pending;

/* Appends the classes that a leaf has rows of, with their shares. */
static void
append_shares(StringInfo out, const Model *model, uint32 tree, uint32 node)
{
	bool		any = false;

	for (uint32 class = 0; class < model->n_outputs; class++)
	{
		double		share = tree_leaf_share(model, tree, node, class);

		if (share <= 0)
			continue;
		appendStringInfo(out, "%s%s ", any ? ", " : "", model_label(model, class));
		split_text_number(out, share);
		any = true;
	}
}

/* Appends what a node says, without its branch. */
static void
append_node(StringInfo out, const Model *model, uint32 tree, uint32 node, const TreeNodeView *view)
{
	if (view->leaf)
	{
		if (isnan(view->value))
			append_shares(out, model, tree, node);
		else
			split_text_number(out, view->value);
		appendStringInfo(out, "   (cover %g)\n", view->cover);
		return;
	}

	TreeSplit	split = tree_split(model, tree, node);
	const char *missing = missing_answer(&split);

	split_text_append(out, model, &split);
	appendStringInfoString(out, "   (");
	if (missing != NULL)
		appendStringInfo(out, "missing: %s, ", missing);
	appendStringInfo(out, "gain %g, cover %g)\n", view->gain, view->cover);
}

/* Draws a tree, depth first; what lies deeper than max_depth is left out, and said so. */
static void
draw_tree(StringInfo out, const Model *model, uint32 tree, uint32 max_depth)
{
	const Pen  *pen = GetDatabaseEncoding() == PG_UTF8 ? &unicode_pen : &plain_pen;
	uint32		capacity = 64;
	uint32		n = 0;
	Pending    *stack = palloc(capacity * sizeof(Pending));
	StringInfoData prefix;

	initStringInfo(&prefix);
	stack[n++] = (Pending) {0};
	while (n > 0)
	{
		Pending		at = stack[--n];
		TreeNodeView view = tree_node_view(model, tree, at.node);

		CHECK_FOR_INTERRUPTS();
		prefix.len = at.indent;
		prefix.data[prefix.len] = '\0';
		if (at.depth > 0)
		{
			appendStringInfo(out, "%s%s%s", prefix.data, at.left ? pen->fork : pen->end, at.left ? "yes: " : "no: ");
			appendStringInfoString(&prefix, at.left ? pen->pass : pen->blank);
		}
		if (!view.leaf && at.depth == max_depth)
		{
			appendStringInfoString(out, "...\n");
			continue;
		}
		append_node(out, model, tree, at.node, &view);
		if (view.leaf)
			continue;
		if (n + 2 > capacity)
			stack = repalloc_huge(stack, (capacity *= 2) * sizeof(Pending));
		stack[n++] = (Pending) {view.right, at.depth + 1, prefix.len, false};
		stack[n++] = (Pending) {view.left, at.depth + 1, prefix.len, true};
	}
	pfree(prefix.data);
	pfree(stack);
}

/* The line above a tree: which it is, and what becomes of its leaves. */
static void
append_title(StringInfo out, const Model *model, uint32 tree)
{
	const TreePayload *payload = tree_payload(model);
	const char *class = tree_class(model, tree);

	appendStringInfo(out, "tree %u of %u", tree + 1, payload->n_trees);
	if (class != NULL)
		appendStringInfo(out, " for class %s", class);
	if (tree_leaves_are_averaged(model))
		appendStringInfoString(out, "; predictions are means over the trees");
	else
	{
		appendStringInfoString(out, "; the score begins at ");
		split_text_number(out, tree_base_score(model, tree % payload->n_groups));
	}
	appendStringInfoChar(out, '\n');
}

/* A tree of a model as text, in the current context. */
static text *
tree_to_text(const Model *model, int32 tree, uint32 max_depth)
{
	uint32		n_trees = tree_payload(model)->n_trees;
	StringInfoData out;

	if (tree < 1 || (uint32) tree > n_trees)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no tree %d", tree),
				 errdetail("The model has %u trees, numbered from 1.", n_trees)));
	initStringInfo(&out);
	append_title(&out, model, (uint32) tree - 1);
	draw_tree(&out, model, (uint32) tree - 1, max_depth);
	return cstring_to_text_with_len(out.data, out.len);
}

/* mlops.tree_text(model, tree, max_depth): one tree, drawn. */
Datum
mlops_tree_text(PG_FUNCTION_ARGS)
{
	ModelRef	ref;
	text	   *volatile drawing;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	volatile int32 max_depth = PG_ARGISNULL(2) ? PG_INT32_MAX : PG_GETARG_INT32(2);

	if (max_depth < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_depth must not be negative")));
	registry_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), BARE_LIVE, RIGHT_TRAIN, &ref);

	CachedModel *cached = model_cache_pin(&ref);

	PG_TRY();
	{
		require_trees(&cached->model, &ref);
		drawing = tree_to_text(&cached->model, PG_GETARG_INT32(1), (uint32) max_depth);
	}
	PG_FINALLY();
	{
		model_cache_unpin(cached);
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(drawing);
}
