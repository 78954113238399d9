/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a row group that wait on disk, as they came, until it is complete: batches go
 * in, columns come out, in any order and by several threads. With them waits what the writers
 * of the columns had of the group before. One temporary file; a column of a batch is one stretch
 * of it. Zero-initialise.
 *
 *     park for each column, put ...; unpark and read ... for each column; clear; and so on
 */
#ifndef BP_FMT_PARQUET_HELD_H
#define BP_FMT_PARQUET_HELD_H

#include "flow/flow.h"
#include "sys/outfile.h"
#include "sys/tempfile.h"

struct bp_pq_held {
    bool is_open;
    struct bp_tempfile f;
    struct bp_outfile out;
    struct bp_input in; /* the same file */
    struct bp_buf buf;  /* a batch as it goes to disk */
    int64_t begin;      /* of what waits now */
    int64_t *ends; /* of what was parked: n_parked; then of column c of batch i: [i * n_cols + c] */
    int n_parked, n_cols, n_batches, cap_batches;
};

/* Before the first put: the bytes of writer `i` of n_parked, in order; batches have n_cols. */
int bp_pq_held_park(struct bp_pq_held *h, int i, int n_parked, int n_cols,
                    const struct bp_buf *bytes, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* Those bytes, appended to out. */
int bp_pq_held_unpark(const struct bp_pq_held *h, int i, struct bp_buf *out,
                      struct bp_err *err) BP_MUST;

/* b stays the caller's; all batches have the same columns. */
int bp_pq_held_put(struct bp_pq_held *h, const struct bp_batch *b, struct bp_ctx *ctx,
                   struct bp_err *err) BP_MUST;
/* Column `col` of batch i, which is of this type; dictionaries come back as plain text. */
int bp_pq_held_read(const struct bp_pq_held *h, int i, int col, struct bp_type type,
                    struct bp_column *out, struct bp_err *err) BP_MUST;
void bp_pq_held_clear(struct bp_pq_held *h);
void bp_pq_held_release(struct bp_pq_held *h);

#endif
