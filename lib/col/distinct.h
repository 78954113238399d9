/* SPDX-License-Identifier: Apache-2.0 */
/* The different values among the rows of one column of text. */
#ifndef BP_COL_DISTINCT_H
#define BP_COL_DISTINCT_H

#include "col/column.h"

/*
 * code[i]: which value row i has, numbered from 0 by first appearance; first[k]: the row
 * where value k appears first. NULL is a value. Room for c->n_rows in each. BP_DONE: there
 * are more than max values, or c is none of text whose values can be told apart cheaply.
 */
int bp_column_distinct(const struct bp_column *c, int64_t max, int32_t *code, int32_t *first,
                       int64_t *n, struct bp_err *err) BP_MUST;

#endif
