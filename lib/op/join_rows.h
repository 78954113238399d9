/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The right side's columns that come out, as rows: where there are more of them than the caches
 * have room for, a match costs a few misses and not one or two for each column.
 */
#ifndef BP_OP_JOIN_ROWS_H
#define BP_OP_JOIN_ROWS_H

#include "op/join_plan.h"
#include "op/sort_rows.h"

struct bp_join_rows {
    bool made;                /* else the columns of held are as they were */
    bool packed;              /* the budget had no room for more */
    struct bp_sort_rows rows; /* chunks are those of held, and one for the missing row */
    int *place;               /* [right column]: which column of rows; -1: none */
    uint64_t missing;         /* the ref of the row that stands for none */
    int64_t taken_bytes;      /* asked of the budget */
    struct bp_budget *budget;
};

/* Does so if it pays and the budget has room: the columns of held are then gone, chunks keep
 * their numbers of rows. Copied on threads. held is finished, its table built. Release it on
 * failure, too. */
int bp_join_rows_make(struct bp_join_rows *r, const struct bp_join_plan *plan, struct bp_held *held,
                      struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* Does output column c come from the rows, where the left is there or missing? */
static inline bool bp_join_col_is_right(const struct bp_join_col *c, bool has_left)
{
    return c->left < 0 || (!has_left && c->right >= 0);
}
void bp_join_rows_release(struct bp_join_rows *r);

#endif
