/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, and the states of a plan's aggregates for them. */
#ifndef BP_OP_REDUCE_TABLE_H
#define BP_OP_REDUCE_TABLE_H

#include "agg/groups.h"
#include "op/reduce_plan.h"

struct bp_reduce_table {
    struct bp_groups *groups;
    struct bp_agg **aggs; /* as the plan's aggs */
    int n_aggs;
};

/* An empty one; pack as for bp_groups_new_packed(), or NULL. plan must outlive it. */
int bp_reduce_table_init(struct bp_reduce_table *t, const struct bp_reduce_plan *plan,
                         const struct bp_pack *pack, struct bp_err *err) BP_MUST;
void bp_reduce_table_release(struct bp_reduce_table *t); /* a zeroed one is a no-op */
/* Released and made anew. */
int bp_reduce_table_clear(struct bp_reduce_table *t, const struct bp_reduce_plan *plan,
                          struct bp_err *err) BP_MUST;
int64_t bp_reduce_table_held_bytes(const struct bp_reduce_table *t);
/* Keys of groups ids[0, n), then states (each in its parts) or results, to cols[]. */
int bp_reduce_table_columns(const struct bp_reduce_table *t, const struct bp_reduce_plan *plan,
                            bool states, const uint32_t *ids, int64_t n, struct bp_column *cols,
                            struct bp_err *err) BP_MUST;

#endif
