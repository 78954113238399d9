/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows into a table: keys to group ids, then every aggregate. A lane is a table and what
 * it takes to fill it; each of some threads can have one, for batches in any order, as
 * no state depends on it. Lanes are one table again by merging their states.
 */
#ifndef BP_OP_REDUCE_LANE_H
#define BP_OP_REDUCE_LANE_H

#include "op/reduce_table.h"

struct bp_lane {
    const struct bp_reduce_plan *plan;
    struct bp_reduce_table table;
    /* scratch, by rows of a batch */
    uint32_t *ids, *some_ids;
    int32_t *sel;
    int64_t cap;
    struct bp_column *keys;
    const struct bp_column **key_ptrs;
};

/* Empty; plan must outlive it. */
int bp_lane_init(struct bp_lane *l, const struct bp_reduce_plan *plan, struct bp_err *err) BP_MUST;
void bp_lane_release(struct bp_lane *l); /* a zeroed one is a no-op */
/* The table is empty again. */
int bp_lane_clear(struct bp_lane *l, struct bp_err *err) BP_MUST;
/* All rows are in: what only finds their groups is given back. */
void bp_lane_rest(struct bp_lane *l);
/* Rows of a batch, of which the first is row first_row of its task. */
int bp_lane_take(struct bp_lane *l, const struct bp_batch *in, int64_t first_row,
                 struct bp_err *err) BP_MUST;
/* The groups of another lane are added to these, and it is cleared. */
int bp_lane_merge(struct bp_lane *l, struct bp_lane *from, struct bp_err *err) BP_MUST;
/* What its groups need until n_rows more rows are in. */
int64_t bp_lane_need_bytes(const struct bp_lane *l, int64_t n_rows);

/* Key columns of a batch to l->keys: refs, or evaluated. They are the caller's. */
int bp_lane_keys(struct bp_lane *l, const struct bp_batch *in, struct bp_err *err) BP_MUST;
/* The columns an aggregate is given: refs, or evaluated arguments. */
int bp_lane_args(const struct bp_reduce_plan *p, const struct bp_reduce_agg *a,
                 const struct bp_batch *in, struct bp_column *cols, struct bp_err *err) BP_MUST;

#endif
