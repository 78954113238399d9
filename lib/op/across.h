/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-reduce --across: the values of one key become columns. reduce groups by the other
 * keys and by that one, the last; its result has the groups of equal other keys behind
 * one another (it is ordered by the hash of those alone), and is read twice:
 *
 *     key  across  sum                                 key   a    b    c
 *      1     b      5       1st: which values are       1         5
 *      2     a      7       there (a, b, c), then  ->   2    7         9
 *      2     c      9       2nd: a row a key
 *
 * So the columns are known when it is open, which is at the end of the input. Between the
 * two it is in memory as far as the budget goes, else on disk (lib/stage's spill).
 */
#ifndef BP_OP_ACROSS_H
#define BP_OP_ACROSS_H

#include "op/reduce_plan.h"

#define BP_ACROSS_MAX 1000 /* different values */

/* in, the source of a finished reduce with that plan, is replaced; freed on an error. */
int bp_across_open(struct bp_source *in, const struct bp_reduce_plan *plan, struct bp_ctx *ctx,
                   struct bp_err *err) BP_MUST;

#endif
