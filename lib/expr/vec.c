/* SPDX-License-Identifier: Apache-2.0 */
/* Columns as kernels make them. */
#include <string.h>

#include "expr/node.h"

int bp_vec_fixed(struct bp_column *out, struct bp_type t, int64_t n, void **data,
                 struct bp_err *err)
{
    size_t w = bp_type_width_bytes(t);
    size_t bytes = w ? w * (size_t)n : (bp_bits_bytes(n) + 7) / 8 * 8;
    struct bp_block *b;

    BP_TRY(bp_block_new(&b, bytes + 8, err));
    memset(out, 0, sizeof *out);
    out->type = t;
    out->n_rows = n;
    out->data = b->data;
    out->own[1] = b;
    *data = b->data;
    if (!w && bytes)
        memset(b->data + bytes - 8, 0, 8);
    return 0;
}

#define CLEAR(T)                                                                                   \
    static void clear_##T(T *v, const uint8_t *valid, int64_t n)                                   \
    {                                                                                              \
        for (int64_t i = 0; i < n; i += 64) {                                                      \
            int64_t m = n - i < 64 ? n - i : 64;                                                   \
            uint64_t bits = 0;                                                                     \
            memcpy(&bits, valid + i / 8, bp_bits_bytes(m));                                        \
            if (bits == UINT64_MAX)                                                                \
                continue;                                                                          \
            for (int64_t k = 0; k < m; k++)                                                        \
                v[i + k] = (T)((bits >> k & 1) ? v[i + k] : 0);                                    \
        }                                                                                          \
    }
CLEAR(uint8_t)
CLEAR(uint16_t)
CLEAR(uint32_t)
CLEAR(uint64_t)
CLEAR(bp_uint128)

void bp_vec_set_valid(struct bp_column *c, struct bp_block *valid)
{
    int64_t n_nulls = c->n_rows - bp_bits_count(valid->data, c->n_rows);
    void *data = c->own[1] ? c->own[1]->data : NULL;

    if (n_nulls == 0) {
        bp_block_unref(valid);
        return;
    }
    c->own[0] = valid;
    c->valid = valid->data;
    c->n_nulls = n_nulls;
    if (bp_type_is_bytes(c->type) || bp_type_is_nested(c->type))
        return;
    switch (bp_type_width_bytes(c->type)) {
    case 0:
        for (size_t i = 0; i < bp_bits_bytes(c->n_rows); i++)
            ((uint8_t *)data)[i] = (uint8_t)(((uint8_t *)data)[i] & valid->data[i]);
        break;
    case 1: clear_uint8_t(data, valid->data, c->n_rows); break;
    case 2: clear_uint16_t(data, valid->data, c->n_rows); break;
    case 4: clear_uint32_t(data, valid->data, c->n_rows); break;
    case 8: clear_uint64_t(data, valid->data, c->n_rows); break;
    default: clear_bp_uint128(data, valid->data, c->n_rows); break;
    }
}

static int expand_one(struct bp_column *out, const struct bp_column *one, int64_t n,
                      struct bp_err *err)
{
    struct bp_block *idx;
    int rc;

    if (one->n_nulls)
        return bp_column_nulls(out, one->type, n, err);
    BP_TRY(bp_block_new(&idx, (size_t)n * sizeof(int32_t), err));
    memset(idx->data, 0, (size_t)n * sizeof(int32_t));
    rc = bp_column_gather(out, one, (const int32_t *)idx->data, n, err);
    bp_block_unref(idx);
    return rc;
}

int bp_vec_expand(struct bp_column *out, struct bp_vec *v, int64_t n, struct bp_err *err)
{
    int rc = 0;

    if (v->one) {
        rc = expand_one(out, &v->c, n, err);
        bp_vec_release(v);
        return rc;
    }
    *out = v->c;
    memset(v, 0, sizeof *v);
    return 0;
}

void bp_vec_release(struct bp_vec *v)
{
    bp_column_release(&v->c);
    v->one = false;
}

int bp_text_out_open(struct bp_text_out *o, int64_t n_rows, size_t guess_bytes, struct bp_err *err)
{
    memset(o, 0, sizeof *o);
    BP_TRY(bp_block_new(&o->off, ((size_t)n_rows + 1) * sizeof(int32_t), err));
    ((int32_t *)o->off->data)[0] = 0;
    if (bp_block_new(&o->bytes, guess_bytes + 1, err) < 0) {
        bp_text_out_release(o);
        return err->code;
    }
    return 0;
}

int bp_text_out_room(struct bp_text_out *o, size_t n, uint8_t **p, struct bp_err *err)
{
    if (n > (size_t)INT32_MAX - o->len)
        return bp_fail(err, BP_EDATA, "the text of one batch would be longer than 2 GiB");
    /* All is kept: a row may be written piece by piece. */
    if (o->len + n > o->bytes->cap_bytes)
        BP_TRY(bp_block_grow(&o->bytes, o->bytes->cap_bytes, o->len + n, err));
    *p = o->bytes->data + o->len;
    return 0;
}

void bp_text_out_close(struct bp_text_out *o, struct bp_type t, struct bp_column *out)
{
    memset(out, 0, sizeof *out);
    out->type = t;
    out->n_rows = o->n_rows;
    out->data = o->off->data;
    out->own[1] = o->off;
    out->bytes = o->bytes->data;
    out->own[2] = o->bytes;
    memset(o, 0, sizeof *o);
}

void bp_text_out_release(struct bp_text_out *o)
{
    bp_block_unref(o->off);
    bp_block_unref(o->bytes);
    memset(o, 0, sizeof *o);
}
