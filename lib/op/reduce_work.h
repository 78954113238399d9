/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts become groups: each is grouped, put in order and made into batches by one of
 * the threads; the batches come in the order of the parts, which is that of the result.
 * Groups of a table from before there were parts are merged into theirs.
 */
#ifndef BP_OP_REDUCE_WORK_H
#define BP_OP_REDUCE_WORK_H

#include "op/reduce_parts.h"

struct bp_reduce_work;

/* before: packed as the parts are; may be NULL. states: batches of a spill and not of
 * the result, of about batch_rows rows. All are borrowed. */
int bp_reduce_work_open(struct bp_reduce_work **out, const struct bp_reduce_plan *plan,
                        const struct bp_parts *parts, const struct bp_reduce_table *before,
                        bool states, int64_t batch_rows, struct bp_ctx *ctx,
                        struct bp_err *err) BP_MUST;
/* The next batch: its columns and n_rows; BP_DONE behind the last. */
int bp_reduce_work_next(struct bp_reduce_work *w, struct bp_batch *out, struct bp_err *err) BP_MUST;
void bp_reduce_work_free(struct bp_reduce_work *w); /* NULL is a no-op */

/* Groups a row, judged by the first part that has rows. */
int bp_reduce_work_rate(const struct bp_reduce_plan *plan, const struct bp_parts *parts,
                        const struct bp_pack *pack, double *rate, struct bp_err *err) BP_MUST;

#endif
