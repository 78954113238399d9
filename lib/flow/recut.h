/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch rule (bp-stream(5)): a batch on a stream or in a file ends behind
 * the row with which it has 65,536 rows or at least 1 MiB of values, whatever
 * the batches inside; so the cut depends on the rows alone. Values count as in
 * bp_column_size_bytes().
 */
#ifndef BP_FLOW_RECUT_H
#define BP_FLOW_RECUT_H

#include "col/column.h"

#define BP_RECUT_ROWS 65536
#define BP_RECUT_BYTES (1 << 20)

struct bp_recut {
    int n_cols;
    struct bp_builder *builders;   /* the pending rows */
    int64_t pending_rows, pending_bytes;
    struct bp_batch in;            /* what put() was given, and how far it is used */
    int64_t in_from;
};

/* Fields with dict keep their codes while the dictionary stays the same; a change
 * of dictionary ends nothing: the pending rows become plain... see recut.c. */
int bp_recut_init(struct bp_recut *r, const struct bp_schema *schema, struct bp_err *err) BP_MUST;
/* Hand over a batch (taken, also on error); only when the last one is used up. */
int bp_recut_put(struct bp_recut *r, struct bp_batch *in, struct bp_err *err) BP_MUST;
/* 0 and a full batch, or BP_DONE: put more. */
int bp_recut_take(struct bp_recut *r, struct bp_batch *out, struct bp_err *err) BP_MUST;
/* The last, short batch (0 rows if none is pending). */
int bp_recut_flush(struct bp_recut *r, struct bp_batch *out, struct bp_err *err) BP_MUST;
void bp_recut_release(struct bp_recut *r);

#endif
