/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column on disk: its head, then its bitmap, data and bytes, each from a multiple of
 * ALIGN_BYTES on, then its kids in the same way. Read back it lies in one block, which all of
 * its parts share. Only this process reads it.
 */
#include "fmt/parquet/held.h"

#include <string.h>

#define ALIGN_BYTES ((size_t)64)
#define PUT_BYTES ((size_t)1 << 20)

struct head {
    int64_t n_rows, n_nulls, valid_bytes, data_bytes, bytes_bytes;
};

/* ---- out ---- */

static int put_part(struct bp_buf *buf, const void *p, int64_t n, struct bp_err *err)
{
    size_t bytes = (size_t)n, room = (bytes + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);

    BP_TRY(bp_buf_reserve(buf, room, err));
    if (bytes)
        memcpy(buf->data + buf->len, p, bytes);
    memset(buf->data + buf->len + bytes, 0, room - bytes);
    buf->len += room;
    return 0;
}

/* Offsets, which begin at 0 on disk. */
static int put_offsets(struct bp_buf *buf, const int32_t *off, int64_t n, struct bp_err *err)
{
    size_t at = buf->len;
    int32_t *to;

    BP_TRY(put_part(buf, off, n * (int64_t)sizeof *off, err));
    to = (int32_t *)(void *)(buf->data + at);
    for (int64_t i = 0; off[0] && i < n; i++)
        to[i] = off[i] - off[0];
    return 0;
}

static int put_column(struct bp_buf *buf, const struct bp_column *c, struct bp_err *err);

static int put_kids(struct bp_buf *buf, const struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;
    struct bp_column elements;
    int rc;

    for (int i = 0; c->type.kind == BP_STRUCT && i < c->kids->n; i++)
        BP_TRY(put_column(buf, &c->kids->cols[i], err));
    if (c->type.kind != BP_LIST)
        return 0;
    BP_TRY(bp_column_slice(&elements, &c->kids->cols[0], off[0], off[c->n_rows] - off[0], err));
    rc = put_column(buf, &elements, err);
    bp_column_release(&elements);
    return rc;
}

static int put_plain(struct bp_buf *buf, const struct bp_column *c, struct bp_err *err)
{
    static const int32_t none[1];
    bool has_offsets = bp_type_is_bytes(c->type) || c->type.kind == BP_LIST;
    const int32_t *off = has_offsets && c->data ? c->data : none;
    struct head h = {.n_rows = c->n_rows, .n_nulls = c->n_nulls};

    if (c->valid)
        h.valid_bytes = (int64_t)bp_bits_bytes(c->n_rows);
    if (has_offsets)
        h.data_bytes = (c->n_rows + 1) * (int64_t)sizeof(int32_t);
    else if (c->type.kind == BP_BOOL)
        h.data_bytes = (int64_t)bp_bits_bytes(c->n_rows);
    else
        h.data_bytes = c->n_rows * (int64_t)bp_type_width_bytes(c->type);
    if (bp_type_is_bytes(c->type))
        h.bytes_bytes = off[c->n_rows] - off[0];
    BP_TRY(put_part(buf, &h, sizeof h, err));
    BP_TRY(put_part(buf, c->valid, h.valid_bytes, err));
    if (has_offsets)
        BP_TRY(put_offsets(buf, off, c->n_rows + 1, err));
    else
        BP_TRY(put_part(buf, c->data, h.data_bytes, err));
    BP_TRY(put_part(buf, c->bytes ? c->bytes + off[0] : NULL, h.bytes_bytes, err));
    return bp_type_is_nested(c->type) ? put_kids(buf, c, err) : 0;
}

static int put_column(struct bp_buf *buf, const struct bp_column *c, struct bp_err *err)
{
    struct bp_column plain;
    int rc;

    if (!c->dict)
        return put_plain(buf, c, err);
    BP_TRY(bp_column_plain(&plain, c, err));
    rc = put_plain(buf, &plain, err);
    bp_column_release(&plain);
    return rc;
}

static int open_held(struct bp_pq_held *h, int n_parked, int n_cols, struct bp_err *err)
{
    if (h->is_open)
        return 0;
    BP_TRY(bp_tempfile_open(&h->f, err));
    if (bp_outfile_borrow(&h->out, h->f.fd, "temporary file", err) < 0 ||
        bp_tempfile_whole(&h->in, &h->f, err) < 0) {
        bp_tempfile_close(&h->f);
        return err->code;
    }
    h->n_parked = n_parked;
    h->n_cols = n_cols;
    h->is_open = true;
    return 0;
}

static int reserve_ends(struct bp_pq_held *h, struct bp_err *err)
{
    size_t cap = (size_t)h->cap_batches * 2 + 16;
    int64_t *ends;

    if (h->n_batches < h->cap_batches)
        return 0;
    ends = bp_mem_grow(h->ends, cap * (size_t)h->n_cols + (size_t)h->n_parked, sizeof *ends, err);
    if (!ends)
        return err->code;
    h->ends = ends;
    h->cap_batches = (int)cap;
    return 0;
}

static int put_bytes(struct bp_pq_held *h, const struct bp_buf *bytes, struct bp_ctx *ctx,
                     struct bp_err *err)
{
    if (bp_outfile_write(&h->out, bytes->data, bytes->len, err) < 0)
        return bp_err_prefix(err, "rows of a row group, in '%s' (TMPDIR; %lld bytes are free)",
                             h->f.dir, (long long)bp_tempfile_free_bytes(&h->f));
    atomic_fetch_add(&ctx->spilled_bytes, (long long)bytes->len);
    return 0;
}

int bp_pq_held_park(struct bp_pq_held *h, int i, int n_parked, int n_cols,
                    const struct bp_buf *bytes, struct bp_ctx *ctx, struct bp_err *err)
{
    BP_TRY(open_held(h, n_parked, n_cols, err));
    BP_TRY(reserve_ends(h, err));
    if (i == 0)
        h->begin = h->out.pos_bytes;
    BP_TRY(put_bytes(h, bytes, ctx, err));
    h->ends[i] = h->out.pos_bytes;
    return 0;
}

int bp_pq_held_put(struct bp_pq_held *h, const struct bp_batch *b, struct bp_ctx *ctx,
                   struct bp_err *err)
{
    int64_t *ends;

    BP_TRY(reserve_ends(h, err));
    ends = h->ends + h->n_parked + (size_t)h->n_batches * (size_t)h->n_cols;
    h->buf.len = 0;
    for (int c = 0; c < h->n_cols; c++) {
        BP_TRY(put_column(&h->buf, &b->cols[c], err));
        ends[c] = h->out.pos_bytes + (int64_t)h->buf.len;
        if (h->buf.len < PUT_BYTES)
            continue;
        BP_TRY(put_bytes(h, &h->buf, ctx, err));
        h->buf.len = 0;
    }
    BP_TRY(put_bytes(h, &h->buf, ctx, err));
    h->n_batches++;
    return 0;
}

/* ---- in ---- */

static const uint8_t *take_part(const uint8_t **at, int64_t n)
{
    const uint8_t *p = *at;

    *at += ((size_t)n + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
    return p;
}

static int take_column(struct bp_block *b, const uint8_t **at, struct bp_type type,
                       struct bp_column *out, struct bp_err *err)
{
    struct head h;

    memcpy(&h, take_part(at, sizeof h), sizeof h);
    *out = (struct bp_column){
        .type = type, .n_rows = h.n_rows, .n_nulls = h.n_nulls, .own = {bp_block_ref(b)}};
    out->valid = h.valid_bytes ? take_part(at, h.valid_bytes) : NULL;
    if (type.kind != BP_STRUCT)
        out->data = take_part(at, h.data_bytes);
    if (bp_type_is_bytes(type))
        out->bytes = take_part(at, h.bytes_bytes);
    if (!bp_type_is_nested(type))
        return 0;
    BP_TRY(bp_kids_new(&out->kids, type.nest->n_kids, err));
    for (int i = 0; i < type.nest->n_kids; i++)
        BP_TRY(take_column(b, at, type.nest->kids[i], &out->kids->cols[i], err));
    return 0;
}

/* Bytes of stretch k of ends. */
static int64_t stretch_bytes(const struct bp_pq_held *h, size_t k, int64_t *from)
{
    *from = k ? h->ends[k - 1] : h->begin;
    return h->ends[k] - *from;
}

static int read_bytes(const struct bp_pq_held *h, void *p, size_t n, int64_t from,
                      struct bp_err *err)
{
    size_t got;

    BP_TRY(bp_input_read_at(&h->in, p, n, from, &got, err));
    if (got < n)
        return bp_fail(err, BP_ESYS, "the temporary file in '%s' became shorter", h->f.dir);
    return 0;
}

int bp_pq_held_unpark(const struct bp_pq_held *h, int i, struct bp_buf *out, struct bp_err *err)
{
    int64_t from;
    size_t n = (size_t)stretch_bytes(h, (size_t)i, &from);

    BP_TRY(bp_buf_reserve(out, n + 1, err));
    BP_TRY(read_bytes(h, out->data + out->len, n, from, err));
    out->len += n;
    return 0;
}

int bp_pq_held_read(const struct bp_pq_held *h, int i, int col, struct bp_type type,
                    struct bp_column *out, struct bp_err *err)
{
    int64_t from;
    size_t n = (size_t)stretch_bytes(
        h, (size_t)h->n_parked + (size_t)i * (size_t)h->n_cols + (size_t)col, &from);
    struct bp_block *b;
    const uint8_t *at;
    int rc;

    *out = (struct bp_column){0};
    BP_TRY(bp_block_new(&b, n, err));
    at = b->data;
    rc = read_bytes(h, b->data, n, from, err);
    if (rc == 0)
        rc = take_column(b, &at, type, out, err);
    if (rc < 0)
        bp_column_release(out);
    bp_block_unref(b);
    return rc;
}

void bp_pq_held_clear(struct bp_pq_held *h)
{
    if (h->is_open && h->out.pos_bytes > h->begin)
        bp_tempfile_discard(&h->f, h->begin, h->out.pos_bytes);
    h->n_batches = 0;
}

void bp_pq_held_release(struct bp_pq_held *h)
{
    if (h->is_open) {
        bp_input_close(&h->in);
        bp_outfile_abort(&h->out);
        bp_tempfile_close(&h->f);
    }
    bp_buf_release(&h->buf);
    bp_mem_free(h->ends);
    *h = (struct bp_pq_held){0};
}
