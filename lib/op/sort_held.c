/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incoming rows are cut at multiples of BP_HELD_ROWS. While nothing is pending, a
 * batch gives its full chunks as slices, which share its memory; the rest waits
 * in pending[] until there is enough for a chunk, which is then one copy. With
 * alone_rows, a batch is cut to chunks of one size instead, if they have so many rows.
 */
#include "op/sort_held.h"

#include <string.h>

/* Copied together, text stays below what int32 offsets reach. */
#define PENDING_MAX_BYTES ((int64_t)1 << 30)

void bp_held_init(struct bp_held *h, struct bp_budget *budget)
{
    memset(h, 0, sizeof *h);
    h->budget = budget;
    h->chunk_bytes = PENDING_MAX_BYTES;
    h->alone_rows = INT64_MAX;
}

static int push(struct bp_batch **list, int *n, int *cap, struct bp_batch *in, struct bp_err *err)
{
    if (*n == *cap) {
        int want = *cap ? *cap * 2 : 16;
        struct bp_batch *bigger = bp_mem_grow(*list, (size_t)want, sizeof *bigger, err);

        if (!bigger)
            return err->code;
        *list = bigger;
        *cap = want;
    }
    bp_batch_move(&(*list)[(*n)++], in);
    return 0;
}

static int push_chunk(struct bp_held *h, struct bp_batch *chunk, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(chunk);

    bytes += bp_batch_dict_bytes(chunk, h->n_chunks ? &h->chunks[h->n_chunks - 1] : NULL);
    BP_TRY(push(&h->chunks, &h->n_chunks, &h->cap_chunks, chunk, err));
    /* The one place where held rows are counted. "No" means: spill. */
    if (bp_budget_take(h->budget, bytes))
        h->taken_bytes += bytes;
    else
        h->refused = true;
    return 0;
}

static int concat(const struct bp_batch *from, int n, struct bp_batch *out, struct bp_err *err)
{
    const struct bp_column **srcs = bp_mem_new((size_t)n, sizeof *srcs, err);
    int rc = 0;

    if (!srcs)
        return err->code;
    BP_GO(bp_batch_init(out, from[0].n_cols, err));
    for (int i = 0; i < n; i++)
        out->n_rows += from[i].n_rows;
    for (int c = 0; c < out->n_cols; c++) {
        for (int i = 0; i < n; i++)
            srcs[i] = &from[i].cols[c];
        BP_GO(bp_column_concat(&out->cols[c], srcs, n, err));
    }
    out->first_row = from[0].first_row;
    out->share = from[0].share;
out:
    bp_mem_free(srcs);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

/* The pending rows become a chunk. */
static int flush(struct bp_held *h, struct bp_err *err)
{
    struct bp_batch chunk = {0};
    int rc = 0;

    if (h->n_pending == 1) {
        bp_batch_move(&chunk, &h->pending[0]);
    } else if (h->n_pending > 1) {
        BP_TRY(concat(h->pending, h->n_pending, &chunk, err));
    }
    for (int i = 0; i < h->n_pending; i++)
        bp_batch_release(&h->pending[i]);
    h->pending_rows = h->pending_bytes = 0;
    if (h->n_pending)
        rc = push_chunk(h, &chunk, err);
    h->n_pending = 0;
    if (rc < 0)
        bp_batch_release(&chunk);
    return rc;
}

/* Rows [from, from + n) of in, at most what is missing for a chunk. */
static int add_piece(struct bp_held *h, const struct bp_batch *in, int64_t from, int64_t n,
                     struct bp_err *err)
{
    struct bp_batch piece = {0};
    int64_t bytes;
    int rc;

    BP_GO(from == 0 && n == in->n_rows ? bp_batch_ref(&piece, in, err)
                                       : bp_batch_slice(&piece, in, from, n, err));
    bytes = bp_batch_size_bytes(&piece);
    if (h->n_pending && h->pending_bytes + bytes > h->chunk_bytes)
        BP_GO(flush(h, err));
    BP_GO(push(&h->pending, &h->n_pending, &h->cap_pending, &piece, err));
    h->pending_rows += n;
    h->pending_bytes += bytes;
    if (h->pending_rows == BP_HELD_ROWS)
        BP_GO(flush(h, err));
out:
    bp_batch_release(&piece);
    return rc < 0 ? rc : 0;
}

int bp_held_add(struct bp_held *h, struct bp_batch *in, struct bp_err *err)
{
    int64_t n_chunks = (in->n_rows + BP_HELD_ROWS - 1) / BP_HELD_ROWS;
    int64_t even = n_chunks ? (in->n_rows + n_chunks - 1) / n_chunks : 0;
    bool alone = even >= h->alone_rows;
    int rc = 0;

    if (alone)
        BP_GO(flush(h, err));
    for (int64_t from = 0; from < in->n_rows;) {
        int64_t n = BP_MIN(in->n_rows - from, alone ? even : BP_HELD_ROWS - h->pending_rows);

        BP_GO(add_piece(h, in, from, n, err));
        if (alone)
            BP_GO(flush(h, err));
        from += n;
    }
    h->n_rows += in->n_rows;
out:
    bp_batch_release(in);
    return rc;
}

int bp_held_finish(struct bp_held *h, struct bp_err *err)
{
    return flush(h, err);
}

void bp_held_release(struct bp_held *h)
{
    struct bp_budget *budget = h->budget;
    int64_t chunk_bytes = h->chunk_bytes, alone_rows = h->alone_rows;

    for (int i = 0; i < h->n_chunks; i++)
        bp_batch_release(&h->chunks[i]);
    for (int i = 0; i < h->n_pending; i++)
        bp_batch_release(&h->pending[i]);
    bp_mem_free(h->chunks);
    bp_mem_free(h->pending);
    if (h->taken_bytes)
        bp_budget_give(budget, h->taken_bytes);
    bp_held_init(h, budget);
    h->chunk_bytes = chunk_bytes;
    h->alone_rows = alone_rows;
}

void bp_held_columns(const struct bp_held *h, int col, const struct bp_column **out)
{
    for (int i = 0; i < h->n_chunks; i++)
        out[i] = &h->chunks[i].cols[col];
}
