/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes of threads: batches go to whichever is free (reduce_lane.h). */
#ifndef BP_OP_REDUCE_LANES_H
#define BP_OP_REDUCE_LANES_H

#include "flow/flow.h"
#include "op/reduce_lane.h"

struct bp_lanes {
    struct bp_lane *lanes;
    int n;
    struct bp_pool *pool;
    /* of each lane, when it was last heard of */
    int64_t *need_bytes, *n_groups;
};

int bp_lanes_open(struct bp_lanes **out, const struct bp_reduce_plan *plan, int n_threads,
                  struct bp_err *err) BP_MUST;
void bp_lanes_free(struct bp_lanes *s); /* NULL is a no-op */
/* Takes the batch over. An error may be that of a batch before. */
int bp_lanes_take(struct bp_lanes *s, struct bp_batch *in, int64_t first_row,
                  struct bp_err *err) BP_MUST;
/* Until all that was taken is in: then the lanes can be looked at. */
int bp_lanes_wait(struct bp_lanes *s, struct bp_err *err) BP_MUST;
int64_t bp_lanes_need_bytes(const struct bp_lanes *s);
/* A group is counted in each lane that has it. */
int64_t bp_lanes_groups(const struct bp_lanes *s);

#endif
