/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A join whose right side does not fit into memory. Both sides are cut into
 * partitions on disk (join_split.h), and each pair of partitions is joined on its own,
 * in memory, by the same code as a small join. A partition that is still too large is
 * cut again by other bits of the hash; one that does not get smaller that way (one
 * key) is joined block by block of its right rows:
 *
 *     inner, cross   with each block
 *     right          the same as a right join: all left rows meet each block
 *     left           with each block as inner; then the left rows that no block's anti
 *                    join took away, joined to nothing
 *     full           with each block as right; then as left
 *     semi           the rows that a block matches come out and go away; anti: the rest
 *
 * Every result row carries the numbers of its two input rows. Results of the parts
 * are runs in order of (left, right), NULLs last, so a merge of the runs by these is
 * the order that a join in memory has.
 *
 *     bp_join_spill_new; _right ... ; _left ...; _join; _next until BP_DONE
 */
#ifndef BP_OP_JOIN_SPILL_H
#define BP_OP_JOIN_SPILL_H

#include "op/join_plan.h"

struct bp_join_spill;

/* right: schema of the batches of _right() (plan->right, or its key columns). plan and
 * opts' texts are borrowed. */
int bp_join_spill_new(struct bp_join_spill **out, const struct bp_join_plan *plan,
                      const struct bp_schema *right, const struct bp_join_opts *opts,
                      struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* Batches, casts done, in input order; they stay the caller's. */
int bp_join_spill_right(struct bp_join_spill *s, const struct bp_batch *b,
                        struct bp_err *err) BP_MUST;
int bp_join_spill_left(struct bp_join_spill *s, const struct bp_batch *b,
                       struct bp_err *err) BP_MUST;
int bp_join_spill_join(struct bp_join_spill *s, struct bp_err *err) BP_MUST;
/* Rows of the result. *left_rows: the number of the left row of each; -1: none. They
 * live until the next call. */
int bp_join_spill_next(struct bp_join_spill *s, struct bp_batch *out, const int64_t **left_rows,
                       struct bp_err *err) BP_MUST;
void bp_join_spill_free(struct bp_join_spill *s); /* NULL is a no-op */

/* join.c: a join that holds its right side whatever the budget says. */
int bp_join_open_held(struct bp_source *out, struct bp_source *left, struct bp_source *right,
                      const struct bp_join_opts *opts, struct bp_ctx *ctx,
                      struct bp_err *err) BP_MUST;

#endif
