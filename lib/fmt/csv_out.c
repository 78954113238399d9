/* SPDX-License-Identifier: Apache-2.0 */
/* Output columns of CSV while they are filled. */
#include "fmt/csv_out.h"

#include <string.h>

#include "col/text.h"

static size_t data_bytes(const struct csv_out *o, int64_t cap_rows)
{
    struct bp_type t = o->type;

    if (o->dict)
        return (size_t)cap_rows * sizeof(int32_t);
    if (t.kind == BP_BOOL)
        return (size_t)cap_rows / 8;
    if (bp_type_is_bytes(t))
        return ((size_t)cap_rows + 1) * sizeof(int32_t);
    return (size_t)cap_rows * bp_type_width_bytes(t);
}

static int grow_rows(struct csv_out *o, int64_t need, struct bp_err *err)
{
    int64_t cap = BP_MAX(need, o->cap_rows * 2);
    size_t old_valid = (size_t)o->cap_rows / 8;
    size_t old_data = o->cap_rows ? data_bytes(o, o->cap_rows) : 0;

    cap = (cap + 63) & ~(int64_t)63;
    BP_TRY(bp_block_grow(&o->valid, old_valid, (size_t)cap / 8, err));
    memset(o->valid->data + old_valid, 0xff, (size_t)cap / 8 - old_valid);
    BP_TRY(bp_block_grow(&o->data, old_data, data_bytes(o, cap), err));
    if (o->type.kind == BP_BOOL)
        memset(o->data->data + old_data, 0, (size_t)cap / 8 - old_data);
    if (!old_data && bp_type_is_bytes(o->type) && !o->dict)
        ((int32_t *)(void *)o->data->data)[0] = 0;
    o->cap_rows = cap;
    return 0;
}

int csv_out_reserve(struct csv_out *o, int64_t n_rows, size_t n_bytes, struct bp_err *err)
{
    if (o->n_rows + n_rows > o->cap_rows || !o->data)
        BP_TRY(grow_rows(o, o->n_rows + n_rows, err));
    if (bp_type_is_bytes(o->type))
        BP_TRY(bp_block_grow(&o->bytes, o->bytes_len, o->bytes_len + n_bytes + 64, err));
    return 0;
}

void csv_out_nulls(struct csv_out *o, int64_t n)
{
    size_t w = o->dict ? sizeof(int32_t) : bp_type_width_bytes(o->type);

    bp_bits_fill(o->valid->data, o->n_rows, n, false);
    if (bp_type_is_bytes(o->type) && !o->dict) {
        int32_t *off = (int32_t *)(void *)o->data->data + o->n_rows + 1;

        for (int64_t i = 0; i < n; i++)
            off[i] = (int32_t)o->bytes_len;
    } else if (w) {
        memset(o->data->data + (size_t)o->n_rows * w, 0, (size_t)n * w);
    }
    o->n_rows += n;
    o->n_nulls += n;
}

void csv_out_value(struct csv_out *o, const void *value)
{
    size_t w = bp_type_width_bytes(o->type);

    if (o->type.kind == BP_BOOL)
        bp_bit_put(o->data->data, o->n_rows, *(const uint8_t *)value);
    else
        memcpy(o->data->data + (size_t)o->n_rows * w, value, w);
    o->n_rows++;
}

int csv_out_add_text(struct csv_out *o, const void *p, size_t n, struct bp_err *err)
{
    if (o->dict) {
        int32_t *codes = (int32_t *)(void *)o->data->data;

        return bp_dictset_code(o->dict, p, n, &codes[o->n_rows++], err);
    }
    if (n)
        memcpy(o->bytes->data + o->bytes_len, p, n);
    o->bytes_len += n;
    o->n_rows++;
    ((int32_t *)(void *)o->data->data)[o->n_rows] = (int32_t)o->bytes_len;
    return 0;
}

bool csv_out_binary(struct csv_out *o, const void *p, size_t n)
{
    size_t used;

    if (bp_parse_binary(p, n, o->bytes->data + o->bytes_len, &used) != BP_TEXT_OK)
        return false;
    o->bytes_len += used;
    o->n_rows++;
    ((int32_t *)(void *)o->data->data)[o->n_rows] = (int32_t)o->bytes_len;
    return true;
}

int csv_out_finish(struct csv_out *o, struct bp_column *c, struct bp_err *err)
{
    struct bp_dict *d = NULL;

    if (o->dict)
        BP_TRY(bp_dictset_dict(o->dict, &d, err));

    if (o->n_nulls == 0) {
        bp_block_unref(o->valid);
        o->valid = NULL;
    }
    if (d) { /* bytes were room for the values that have quotes within */
        bp_block_unref(o->bytes);
        o->bytes = NULL;
    }
    *c = (struct bp_column){.type = o->type,
                            .n_rows = o->n_rows,
                            .n_nulls = o->n_nulls,
                            .valid = o->valid ? o->valid->data : NULL,
                            .data = o->data ? o->data->data : NULL,
                            .bytes = o->bytes ? o->bytes->data : NULL,
                            .dict = d,
                            .own = {o->valid, o->data, o->bytes}};
    *o = (struct csv_out){.type = o->type, .dict = o->dict};
    return 0;
}

void csv_out_release(struct csv_out *o)
{
    bp_block_unref(o->data);
    bp_block_unref(o->valid);
    bp_block_unref(o->bytes);
    *o = (struct csv_out){.type = o->type, .dict = o->dict};
}
