/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and structs in: offsets checked against the elements that came, 64-bit
 * offsets, views and lists of one length made int32 offsets, what stands under a
 * null removed. Dictionaries within them become plain text. What is as we hold it
 * stays where it is.
 */
#include <string.h>

#include "ipc/batch_read.h"

/* A few bytes may stand for many: views may overlap, and many codes name one text. What they
 * unfold to is believed as far as bytes came, and as far as this. */
#define VIEWS_SLACK_BYTES ((int64_t)4 << 20)
#define CODES_SLACK_BYTES ((int64_t)128 << 20) /* where they serve to save bytes */

static int damaged(struct bp_err *err, const char *what)
{
    return bp_fail(err, BP_EDATA, "%s", what);
}

static int read_kid(struct bp_ipc_reading *r, const struct bp_ipc_field *f, int64_t n_rows,
                    struct bp_column *out, struct bp_err *err)
{
    struct bp_column c;
    int64_t n_bytes = 0;
    int rc = 0;

    BP_TRY(bp_ipc_read_field(r, f, n_rows, &c, err));
    for (int64_t i = 0; c.dict && i < c.n_rows && n_bytes <= CODES_SLACK_BYTES; i++) {
        size_t n = 0;

        if (!bp_column_is_null(&c, i))
            (void)bp_column_bytes(&c, i, &n);
        n_bytes += (int64_t)n;
    }
    if (n_bytes > CODES_SLACK_BYTES)
        rc = damaged(err, "a dictionary within a list or struct unfolds to more than 128 MiB in a "
                          "batch: write smaller batches");
    else
        rc = bp_column_plain(out, &c, err);
    bp_column_release(&c);
    return rc;
}

/* ---- under nulls ---- */

/* True if a null of c stands over something. */
static bool has_dirt(const struct bp_column *c)
{
    const int32_t *off = c->data;

    for (int64_t i = 0; i < c->n_rows; i++) {
        if (!bp_column_is_null(c, i))
            continue;
        if (c->type.kind == BP_LIST && off[i + 1] != off[i])
            return true;
        for (int k = 0; c->type.kind == BP_STRUCT && k < c->kids->n; k++)
            if (!bp_column_is_null(&c->kids->cols[k], i))
                return true;
    }
    return false;
}

static int clean_nested(struct bp_column *c, struct bp_err *err)
{
    struct bp_column clean;
    struct bp_block *b;
    int32_t *idx;
    int rc;

    if (!c->n_nulls || !has_dirt(c))
        return 0;
    BP_TRY(bp_block_new(&b, (size_t)c->n_rows * sizeof *idx, err));
    idx = (int32_t *)(void *)b->data;
    for (int64_t i = 0; i < c->n_rows; i++)
        idx[i] = bp_column_is_null(c, i) ? -1 : (int32_t)i;
    rc = bp_column_gather(&clean, c, idx, c->n_rows, err);
    bp_block_unref(b);
    if (rc < 0)
        return rc;
    bp_column_release(c);
    *c = clean;
    return 0;
}

/* ---- lists ---- */

/* The number at i of offsets or lengths of 4 or 8 bytes. */
static int64_t number_at(const struct bp_ipc_bytes *b, int32_t width, int64_t i)
{
    return width == 8 ? (int64_t)bp_load_u64(b->p + i * 8) : (int32_t)bp_load_u32(b->p + i * 4);
}

static int new_offsets(struct bp_column *c, int32_t **out, struct bp_err *err)
{
    BP_TRY(bp_block_new(&c->own[1], ((size_t)c->n_rows + 1) * sizeof **out, err));
    c->data = *out = (int32_t *)(void *)c->own[1]->data;
    (*out)[0] = 0;
    return 0;
}

static int read_offsets(struct bp_ipc_bytes *b, const struct bp_ipc_field *f, struct bp_column *c,
                        struct bp_err *err)
{
    int64_t last;
    int32_t *out;

    if (c->n_rows == 0) {
        c->data = bp_ipc_zeros;
        return 0;
    }
    if (b->n / f->width <= c->n_rows)
        return damaged(err, "a buffer of offsets is shorter than its rows");
    if (f->width == 4) {
        BP_TRY(bp_ipc_bytes_align(b, 16, err));
        BP_TRY(
            bp_ipc_check_offsets((const int32_t *)(const void *)b->p, c->n_rows, INT32_MAX, err));
        c->data = b->p;
        c->own[1] = bp_ipc_bytes_keep(b);
        return 0;
    }
    BP_TRY(new_offsets(c, &out, err));
    last = 0;
    for (int64_t i = 0; i <= c->n_rows; i++) {
        int64_t v = number_at(b, 8, i);

        if (v < last || v > INT32_MAX)
            return damaged(err, v < last ? "the offsets of a list do not rise"
                                         : "a batch has more than 2147483647 elements of a list");
        out[i] = (int32_t)v;
        last = v;
    }
    return 0;
}

static int read_list(struct bp_ipc_reading *r, const struct bp_ipc_field *f, struct bp_column *c,
                     struct bp_err *err)
{
    struct bp_ipc_bytes b;
    int rc;

    BP_TRY(bp_ipc_take_buffer(r, &b, err));
    rc = read_offsets(&b, f, c, err);
    bp_ipc_bytes_drop(&b);
    BP_TRY(rc);
    BP_TRY(read_kid(r, &f->kids[0], -1, &c->kids->cols[0], err));
    if (((const int32_t *)c->data)[c->n_rows] > c->kids->cols[0].n_rows)
        return damaged(err, "a list reaches behind its elements");
    return 0;
}

static int read_fixed_list(struct bp_ipc_reading *r, const struct bp_ipc_field *f,
                           struct bp_column *c, struct bp_err *err)
{
    int32_t *out;

    if (c->n_rows > INT32_MAX / f->width)
        return damaged(err, "a batch has more than 2147483647 elements of a list");
    BP_TRY(read_kid(r, &f->kids[0], c->n_rows * f->width, &c->kids->cols[0], err));
    BP_TRY(new_offsets(c, &out, err));
    for (int64_t i = 0; i <= c->n_rows; i++)
        out[i] = (int32_t)(i * f->width);
    return 0;
}

/* Views name any stretch of the elements: those of each row, one behind the other. */
static int gather_views(const struct bp_ipc_bytes *from, const struct bp_ipc_bytes *length,
                        int32_t width, struct bp_column *c, struct bp_err *err)
{
    struct bp_column kid = c->kids->cols[0];
    struct bp_block *b;
    int64_t total = 0, n_bytes = 0, came = bp_column_size_bytes(&kid);
    int32_t *out, *idx;
    int rc;

    BP_TRY(new_offsets(c, &out, err));
    for (int64_t i = 0; i < c->n_rows; i++) {
        int64_t n = bp_column_is_null(c, i) ? 0 : number_at(length, width, i);
        int64_t at = n ? number_at(from, width, i) : 0;

        if (n < 0 || at < 0 || n > kid.n_rows || at > kid.n_rows - n)
            return damaged(err, "a list view lies outside its elements");
        total += n;
        n_bytes += n ? bp_column_range_bytes(&kid, at, n) : 0;
        if (n_bytes > came + VIEWS_SLACK_BYTES || total > kid.n_rows + VIEWS_SLACK_BYTES)
            return damaged(err, "list views overlap and unfold to more than came: write lists");
        if (total > INT32_MAX)
            return damaged(err, "a batch has more than 2147483647 elements of a list");
        out[i + 1] = (int32_t)total;
    }
    BP_TRY(bp_block_new(&b, (size_t)total * sizeof *idx, err));
    idx = (int32_t *)(void *)b->data;
    for (int64_t i = 0; i < c->n_rows; i++)
        for (int32_t k = out[i]; k < out[i + 1]; k++)
            idx[k] = (int32_t)number_at(from, width, i) + (k - out[i]);
    rc = bp_column_gather(&c->kids->cols[0], &kid, idx, total, err);
    bp_block_unref(b);
    bp_column_release(&kid);
    return rc;
}

static int read_list_views(struct bp_ipc_reading *r, const struct bp_ipc_field *f,
                           struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_bytes from, length = {0};
    int rc;

    BP_TRY(bp_ipc_take_buffer(r, &from, err));
    BP_GO(bp_ipc_take_buffer(r, &length, err));
    if (from.n / f->width < c->n_rows || length.n / f->width < c->n_rows)
        BP_GO(damaged(err, "a buffer of views is shorter than its rows"));
    BP_GO(read_kid(r, &f->kids[0], -1, &c->kids->cols[0], err));
    rc = gather_views(&from, &length, f->width, c, err);
out:
    bp_ipc_bytes_drop(&from);
    bp_ipc_bytes_drop(&length);
    return rc;
}

int bp_ipc_read_nested(struct bp_ipc_reading *r, const struct bp_ipc_field *f, struct bp_column *c,
                       struct bp_err *err)
{
    BP_TRY(bp_kids_new(&c->kids, f->n_kids, err));
    switch (f->layout) {
    case BP_IPC_LIST: BP_TRY(read_list(r, f, c, err)); break;
    case BP_IPC_FIXLIST: BP_TRY(read_fixed_list(r, f, c, err)); break;
    case BP_IPC_LISTVIEWS: BP_TRY(read_list_views(r, f, c, err)); break;
    default:
        for (int i = 0; i < f->n_kids; i++)
            BP_TRY(read_kid(r, &f->kids[i], c->n_rows, &c->kids->cols[i], err));
    }
    return clean_nested(c, err);
}
