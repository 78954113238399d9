/* SPDX-License-Identifier: Apache-2.0 */
#include "col/column.h"

#include <string.h>

int bp_dict_new(struct bp_dict **out, struct bp_column *values, struct bp_err *err)
{
    static _Atomic uint64_t last_id;
    struct bp_dict *d = bp_mem_new(1, sizeof *d, err);

    if (!d) {
        bp_column_release(values);
        return err->code;
    }
    atomic_init(&d->refs, 1);
    d->id = atomic_fetch_add(&last_id, 1) + 1;
    d->values = *values;
    memset(values, 0, sizeof *values);
    *out = d;
    return 0;
}

struct bp_dict *bp_dict_ref(struct bp_dict *d)
{
    if (d)
        atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void bp_dict_unref(struct bp_dict *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
        return;
    bp_column_release(&d->values);
    bp_mem_free(d);
}

int bp_kids_new(struct bp_kids **out, int n, struct bp_err *err)
{
    struct bp_kids *k = bp_mem_new(1, sizeof *k + (size_t)n * sizeof k->cols[0], err);

    *out = k;
    if (!k)
        return err->code;
    atomic_init(&k->refs, 1);
    k->n = n;
    return 0;
}

static struct bp_kids *kids_ref(struct bp_kids *k)
{
    if (k)
        atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

void bp_kids_unref(struct bp_kids *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < k->n; i++)
        bp_column_release(&k->cols[i]);
    bp_mem_free(k);
}

void bp_column_release(struct bp_column *c)
{
    for (size_t i = 0; i < BP_COUNT_OF(c->own); i++)
        bp_block_unref(c->own[i]);
    bp_dict_unref(c->dict);
    bp_kids_unref(c->kids);
    memset(c, 0, sizeof *c);
}

void bp_column_ref(struct bp_column *dst, const struct bp_column *src)
{
    *dst = *src;
    for (size_t i = 0; i < BP_COUNT_OF(dst->own); i++)
        bp_block_ref(dst->own[i]);
    bp_dict_ref(dst->dict);
    kids_ref(dst->kids);
}

/* Bits [from, from + n) of src as a bitmap that begins at bit 0. */
static int slice_bits(const uint8_t **bits, struct bp_block **own, int64_t from, int64_t n,
                      struct bp_err *err)
{
    struct bp_block *b;

    if (from % 8 == 0) {
        *bits += from / 8;
        return 0;
    }
    BP_TRY(bp_block_new(&b, bp_bits_bytes(n), err));
    memset(b->data, 0, bp_bits_bytes(n));
    bp_bits_copy(b->data, 0, *bits, from, n);
    bp_block_unref(*own);
    *own = b;
    *bits = b->data;
    return 0;
}

/* The rows of a struct are those of its fields. */
static int slice_kids(struct bp_column *dst, int64_t from, int64_t n, struct bp_err *err)
{
    struct bp_kids *old = dst->kids;
    int rc = bp_kids_new(&dst->kids, old->n, err);

    for (int i = 0; i < old->n && rc == 0; i++)
        rc = bp_column_slice(&dst->kids->cols[i], &old->cols[i], from, n, err);
    bp_kids_unref(old);
    return rc;
}

int bp_column_slice(struct bp_column *dst, const struct bp_column *src, int64_t from, int64_t n,
                    struct bp_err *err)
{
    size_t width = src->dict ? sizeof(int32_t) : bp_type_width_bytes(src->type);
    const uint8_t *data = src->data;

    bp_column_ref(dst, src);
    if (from == 0 && n == src->n_rows)
        return 0;
    dst->n_rows = n;
    if (src->valid) {
        if (slice_bits(&dst->valid, &dst->own[0], from, n, err) < 0)
            goto fail;
        dst->n_nulls = n - bp_bits_count(dst->valid, n);
    }
    if (src->type.kind == BP_BOOL) {
        if (slice_bits(&data, &dst->own[1], from, n, err) < 0)
            goto fail;
        dst->data = data;
    } else if (src->type.kind == BP_STRUCT) {
        if (slice_kids(dst, from, n, err) < 0)
            goto fail;
    } else {
        if (!width) /* plain text, binary, lists: offsets */
            width = sizeof(int32_t);
        dst->data = data + (size_t)from * width;
    }
    return 0;
fail:
    bp_column_release(dst);
    return err->code;
}

int bp_column_plain(struct bp_column *dst, const struct bp_column *src, struct bp_err *err)
{
    struct bp_column codes = *src; /* a view: nothing is owned twice */
    int32_t *idx;
    struct bp_block *b;
    int rc;

    if (!src->dict) {
        bp_column_ref(dst, src);
        return 0;
    }
    if (!codes.valid)
        return bp_column_gather(dst, &src->dict->values, codes.data, codes.n_rows, err);
    BP_TRY(bp_block_new(&b, (size_t)codes.n_rows * sizeof *idx, err));
    idx = (int32_t *)(void *)b->data;
    for (int64_t i = 0; i < codes.n_rows; i++)
        idx[i] = bp_bit_get(codes.valid, i) ? ((const int32_t *)codes.data)[i] : -1;
    rc = bp_column_gather(dst, &src->dict->values, idx, codes.n_rows, err);
    bp_block_unref(b);
    return rc;
}

static int null_kids(struct bp_column *dst, const struct bp_nest *nest, int64_t n,
                     struct bp_err *err)
{
    BP_TRY(bp_kids_new(&dst->kids, nest->n_kids, err));
    for (int i = 0; i < nest->n_kids; i++)
        BP_TRY(bp_column_nulls(&dst->kids->cols[i], nest->kids[i], n, err));
    return 0;
}

int bp_column_nulls(struct bp_column *dst, struct bp_type type, int64_t n, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(type), bytes;

    memset(dst, 0, sizeof *dst);
    dst->type = type;
    dst->n_rows = dst->n_nulls = n;
    if (bp_type_is_nested(type) &&
        null_kids(dst, type.nest, type.kind == BP_LIST ? 0 : n, err) < 0) {
        bp_column_release(dst);
        return err->code;
    }
    bytes = type.kind == BP_BOOL ? bp_bits_bytes(n)
            : width              ? (size_t)n * width
                                 : ((size_t)n + 1) * sizeof(int32_t);
    if (bp_block_new(&dst->own[1], bytes, err) < 0 ||
        bp_block_new(&dst->own[0], bp_bits_bytes(n), err) < 0) {
        bp_column_release(dst);
        return err->code;
    }
    memset(dst->own[1]->data, 0, bytes);
    memset(dst->own[0]->data, 0, bp_bits_bytes(n));
    dst->data = dst->own[1]->data;
    dst->valid = dst->own[0]->data;
    dst->bytes = dst->own[1]->data; /* never read: all lengths are 0 */
    return 0;
}

int64_t bp_column_range_bytes(const struct bp_column *c, int64_t from, int64_t n)
{
    const int32_t *off = c->data;
    size_t width = bp_type_counted_bytes(c->type);
    int64_t sum = 0;

    if (c->dict)
        return n * (int64_t)sizeof(int32_t);
    if (c->type.kind == BP_BOOL)
        return n;
    if (width)
        return n * (int64_t)width;
    if (n == 0)
        return 0;
    if (c->type.kind == BP_STRUCT) {
        for (int i = 0; i < c->kids->n; i++)
            sum += bp_column_range_bytes(&c->kids->cols[i], from, n);
        return sum;
    }
    sum = n * (int64_t)sizeof(int32_t);
    if (c->type.kind == BP_LIST)
        return sum + bp_column_range_bytes(&c->kids->cols[0], off[from], off[from + n] - off[from]);
    return sum + (off[from + n] - off[from]);
}

int64_t bp_column_size_bytes(const struct bp_column *c)
{
    return bp_column_range_bytes(c, 0, c->n_rows);
}

int64_t bp_column_text_bytes(const struct bp_column *c)
{
    int64_t sum = 0;
    size_t n;

    for (int64_t i = 0; i < c->n_rows; i++) {
        (void)bp_column_bytes(c, i, &n);
        sum += bp_column_is_null(c, i) ? 0 : (int64_t)n;
    }
    return sum;
}
