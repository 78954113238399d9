/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-head: the first n rows, or the first n of each run of equal keys. Without
 * keys the input is not pulled again once n rows went out.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "op/op.h"

struct head {
    struct bp_source in;
    int64_t n_rows; /* wanted, in all or of each run */
    int64_t taken;  /* so far: in all, or of the current run */
    int *keys;      /* column indexes; with keys only */
    int n_keys;
    struct bp_column *last; /* the last row of the batch before, per key */
    bool have_last;
    uint8_t *same; /* per row: equal to the row before in all keys */
    int32_t *sel;
    int64_t cap;
    struct bp_share share;
    bool started;
};

/* ---- runs of equal keys ---- */

#define AND_SAME(T)                                                                                \
    do {                                                                                           \
        const T *v = c->data;                                                                      \
        for (int64_t i = 1; i < c->n_rows; i++)                                                    \
            same[i] &= v[i] == v[i - 1];                                                           \
    } while (0)

static void same_bytes(const struct bp_column *c, uint8_t *same)
{
    const int32_t *off = c->data;

    for (int64_t i = 1; i < c->n_rows; i++) {
        size_t n = (size_t)(off[i + 1] - off[i]), before = (size_t)(off[i] - off[i - 1]);

        same[i] &= n == before && !memcmp(c->bytes + off[i], c->bytes + off[i - 1], n);
    }
}

static void same_any(const struct bp_column *c, uint8_t *same)
{
    for (int64_t i = 1; i < c->n_rows; i++)
        if (same[i])
            same[i] = bp_key_equal(c, i, c, i - 1);
}

/* same[i] &= row i equals row i - 1, for i >= 1. Null slots hold zeros, so values
 * alone decide but for a null beside a real zero. */
static void same_column(const struct bp_column *c, uint8_t *same)
{
    switch (bp_type_width_bytes(c->type)) {
    case 1: AND_SAME(uint8_t); break;
    case 2: AND_SAME(uint16_t); break;
    case 4:
        if (c->type.kind == BP_FLOAT32)
            same_any(c, same);
        else
            AND_SAME(uint32_t);
        break;
    case 8:
        if (c->type.kind == BP_FLOAT64)
            same_any(c, same);
        else
            AND_SAME(uint64_t);
        break;
    case 16: AND_SAME(bp_uint128); break;
    default:
        if (bp_type_is_bytes(c->type) && !c->dict)
            same_bytes(c, same);
        else
            same_any(c, same);
    }
    if (!c->n_nulls)
        return;
    for (int64_t i = 1; i < c->n_rows; i++)
        same[i] &= bp_bit_get(c->valid, i) == bp_bit_get(c->valid, i - 1);
}

static void head_same(struct head *h, const struct bp_batch *in)
{
    memset(h->same, 1, (size_t)in->n_rows);
    h->same[0] = h->have_last;
    for (int k = 0; k < h->n_keys; k++) {
        const struct bp_column *c = &in->cols[h->keys[k]];

        if (h->same[0])
            h->same[0] = bp_key_equal(&h->last[k], 0, c, 0);
        same_column(c, h->same);
    }
}

static int head_keep_last(struct head *h, const struct bp_batch *in, struct bp_err *err)
{
    for (int k = 0; k < h->n_keys; k++) {
        bp_column_release(&h->last[k]);
        BP_TRY(bp_column_slice(&h->last[k], &in->cols[h->keys[k]], in->n_rows - 1, 1, err));
    }
    h->have_last = true;
    return 0;
}

static int head_room(struct head *h, int64_t n, struct bp_err *err)
{
    void *p;

    if (n <= h->cap)
        return 0;
    p = bp_mem_grow(h->same, (size_t)n, sizeof *h->same, err);
    if (!p)
        return err->code;
    h->same = p;
    p = bp_mem_grow(h->sel, (size_t)n, sizeof *h->sel, err);
    if (!p)
        return err->code;
    h->sel = p;
    h->cap = n;
    return 0;
}

static int head_runs(struct head *h, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    int64_t n = 0, taken = h->taken;

    if (!in->n_rows) {
        bp_batch_move(out, in);
        return 0;
    }
    BP_TRY(head_room(h, in->n_rows, err));
    head_same(h, in);
    for (int64_t i = 0; i < in->n_rows; i++) {
        taken = h->same[i] ? taken : 0;
        h->sel[n] = (int32_t)i;
        n += taken < h->n_rows;
        taken += taken < h->n_rows;
    }
    h->taken = taken;
    BP_TRY(head_keep_last(h, in, err));
    if (n == in->n_rows) {
        bp_batch_move(out, in);
        return 0;
    }
    BP_TRY(bp_batch_gather(out, in, h->sel, n, err));
    out->first_row = in->first_row;
    out->share = in->share;
    return 0;
}

/* ---- the first n of all ---- */

static int head_cut(struct head *h, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    int64_t left = h->n_rows - h->taken;

    h->taken += BP_MIN(left, in->n_rows);
    if (in->n_rows <= left) {
        bp_batch_move(out, in);
        return 0;
    }
    return bp_batch_slice(out, in, 0, left, err);
}

static int head_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct head *h = self;
    struct bp_batch in = {0};
    bool new_share;
    int rc;

    for (;;) {
        if (!h->n_keys && h->taken >= h->n_rows)
            return BP_DONE;
        rc = bp_source_next(&h->in, &in, err);
        if (rc)
            return rc;
        new_share =
            in.share.n > 0 && (!h->started || in.share.i != h->share.i || in.share.n != h->share.n);
        h->started = true;
        h->share = in.share;
        rc = h->n_keys ? head_runs(h, &in, out, err) : head_cut(h, &in, out, err);
        bp_batch_release(&in);
        if (rc < 0)
            return rc;
        if (out->n_rows || new_share)
            return 0;
        bp_batch_release(out);
    }
}

static void head_free(void *self)
{
    struct head *h = self;

    bp_source_free(&h->in);
    for (int k = 0; h->last && k < h->n_keys; k++)
        bp_column_release(&h->last[k]);
    bp_mem_free(h->last);
    bp_mem_free(h->keys);
    bp_mem_free(h->same);
    bp_mem_free(h->sel);
    bp_mem_free(h);
}

static const struct bp_source_ops head_ops = {.next = head_next, .free = head_free};

static int head_keys(struct head *h, const char *keys, struct bp_err *err)
{
    char **names = NULL;
    int n = 0, rc;

    BP_TRY(bp_expr_parse_names(keys, &names, &n, err));
    h->keys = bp_mem_new((size_t)n + 1, sizeof *h->keys, err);
    h->last = h->keys ? bp_mem_new((size_t)n + 1, sizeof *h->last, err) : NULL;
    rc = h->last ? 0 : err->code;
    for (int k = 0; k < n && rc == 0; k++)
        rc = bp_schema_index(&h->in.schema, names[k], &h->keys[k], err);
    if (rc == 0)
        h->n_keys = n;
    for (int k = 0; k < n; k++)
        bp_mem_free(names[k]);
    bp_mem_free(names);
    return rc;
}

int bp_head_open(struct bp_source *out, struct bp_source *in, int64_t n_rows, const char *keys,
                 struct bp_ctx *ctx, struct bp_err *err)
{
    struct head *h = bp_mem_new(1, sizeof *h, err);
    int rc = 0;

    (void)ctx;
    *out = (struct bp_source){0};
    if (!h) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&h->in, in);
    h->n_rows = n_rows;
    if (n_rows < 0) {
        rc = bp_fail(err, BP_EUSAGE, "-n %lld: the number of rows cannot be negative",
                     (long long)n_rows);
        goto out;
    }
    if (keys)
        BP_GO(head_keys(h, keys, err));
    BP_GO(bp_schema_copy(&out->schema, &h->in.schema, err));
    if (h->in.name) {
        out->name = bp_mem_str(h->in.name, err);
        rc = out->name ? 0 : err->code;
        if (rc < 0)
            goto out;
    }
    out->ops = &head_ops;
    out->self = h;
    return 0;
out:
    head_free(h);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
