/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/stage: which partition each row of a task belongs to. By hash of the
 * keys; evenly; by an operator's rule (ranges). Rows of hot keys go to the partitions
 * in turn, or beyond the last, where all read them.
 */
#ifndef BP_STAGE_ROUTE_H
#define BP_STAGE_ROUTE_H

#include "stage/stage.h"

struct bp_route {
    uint32_t parts;
    bool even, copied; /* copied: hot keys' rows are of the partition `parts` */
    const struct bp_stage_router *router;
    int *key_cols; /* n_keys */
    int n_keys;
    const struct bp_column **keys; /* scratch */
    struct bp_block *hashes;       /* scratch, per row */
    const uint64_t *hot;           /* n_hot, ascending */
    int64_t n_hot;
    uint64_t *hot_bits;   /* by the upper bits of a hash: there may be a hot one */
    uint64_t n_even_rows; /* of the task so far: all rows, or those of hot keys */
};

/* keys: as opts->keys, found in schema. opts->router and ->hot outlive r. */
int bp_route_open(struct bp_route *r, const struct bp_schema *schema,
                  const struct bp_stage_opts *opts, struct bp_err *err) BP_MUST;
/* part_of[i] for each row of in: those of the task, in order. */
int bp_route_rows(struct bp_route *r, const struct bp_batch *in, uint32_t *part_of,
                  struct bp_err *err) BP_MUST;
void bp_route_release(struct bp_route *r);

#endif
