/*
 * split_text.h
 *		Splits of trees as text that a person reads.
 */
#ifndef MLOPS_PG_SPLIT_TEXT_H
#define MLOPS_PG_SPLIT_TEXT_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "../core.h"

/*
 * Appends what holds of rows that go left: "age <= 30.5", "since <=
 * 2024-05-01", "plan in ('basic', 'plus')".  Values look as those of the
 * column do in this session; long lists of categories are cut.
 */
extern void split_text_append(StringInfo out, const Model *model, const TreeSplit *split);

/* Appends a number by its shortest exact text. */
extern void split_text_number(StringInfo out, double number);

#endif
