/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoded pages that wait for the end of their row group on disk, where memory has no
 * room for them. Zero-initialise.
 *
 *     put ..., then copy for each column, then clear; and so on
 */
#ifndef BP_FMT_PARQUET_STORE_H
#define BP_FMT_PARQUET_STORE_H

#include "flow/flow.h"
#include "fmt/parquet/encoded.h"
#include "sys/outfile.h"
#include "sys/tempfile.h"

struct bp_pq_stored {
    int column;
    int64_t from, to;
};

struct bp_pq_store {
    bool is_open;
    struct bp_tempfile f;
    struct bp_outfile out;
    struct bp_pq_stored *list;
    int n, cap;
};

/* Appends n bytes of this column. */
int bp_pq_store_put(struct bp_pq_store *s, int column, const void *p, size_t n, struct bp_ctx *ctx,
                    struct bp_err *err) BP_MUST;
/* The chunk's pages, which leave memory. */
int bp_pq_store_pages(struct bp_pq_store *s, int column, struct bp_pq_encoded *chunk,
                      struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* What was put for this column, in order. */
int bp_pq_store_copy(const struct bp_pq_store *s, int column, struct bp_outfile *to,
                     struct bp_err *err) BP_MUST;
void bp_pq_store_clear(struct bp_pq_store *s);
void bp_pq_store_release(struct bp_pq_store *s);

#endif
