/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "col/column.h"

void bp_builder_init(struct bp_builder *b, struct bp_type type)
{
    memset(b, 0, sizeof *b);
    b->type = type;
}

void bp_builder_release(struct bp_builder *b)
{
    struct bp_type type = b->type;

    for (int i = 0; b->kids && i < type.nest->n_kids; i++)
        bp_builder_release(&b->kids[i]);
    bp_mem_free(b->kids);
    bp_block_unref(b->valid);
    bp_block_unref(b->data);
    bp_block_unref(b->bytes);
    bp_builder_init(b, type);
}

/* Bytes of the data block for n rows; text has one more offset. */
static size_t data_bytes(struct bp_type t, int64_t n)
{
    size_t width = bp_type_width_bytes(t);

    if (t.kind == BP_BOOL)
        return bp_bits_bytes(n);
    if (t.kind == BP_STRUCT)
        return 1;
    return width ? (size_t)n * width : ((size_t)n + 1) * sizeof(int32_t);
}

static bool has_offsets(struct bp_type t)
{
    return bp_type_is_bytes(t) || t.kind == BP_LIST;
}

static int need_kids(struct bp_builder *b, struct bp_err *err)
{
    if (b->kids)
        return 0;
    b->kids = bp_mem_new((size_t)b->type.nest->n_kids + 1, sizeof *b->kids, err);
    if (!b->kids)
        return err->code;
    for (int i = 0; i < b->type.nest->n_kids; i++)
        bp_builder_init(&b->kids[i], b->type.nest->kids[i]);
    return 0;
}

int bp_builder_reserve(struct bp_builder *b, int64_t n_rows, struct bp_err *err)
{
    int64_t need = b->n_rows + n_rows, cap = b->cap_rows ? b->cap_rows : 64;

    if (need <= b->cap_rows)
        return 0;
    if (bp_type_is_nested(b->type))
        BP_TRY(need_kids(b, err));
    while (cap < need)
        cap *= 2;
    BP_TRY(bp_block_grow(&b->data, b->cap_rows ? data_bytes(b->type, b->n_rows) : 0,
                         data_bytes(b->type, cap), err));
    if (b->cap_rows == 0 && has_offsets(b->type))
        *(int32_t *)(void *)b->data->data = 0;
    if (b->valid)
        BP_TRY(bp_block_grow(&b->valid, bp_bits_bytes(b->n_rows), bp_bits_bytes(cap), err));
    b->cap_rows = cap;
    return 0;
}

static int need_valid(struct bp_builder *b, struct bp_err *err)
{
    if (b->valid)
        return 0;
    BP_TRY(bp_block_new(&b->valid, bp_bits_bytes(b->cap_rows), err));
    bp_bits_fill(b->valid->data, 0, b->n_rows, true);
    return 0;
}

static int too_many_elements(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "more than 2147483647 elements in one batch of a column of lists");
}

int bp_builder_add_null(struct bp_builder *b, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(b->type);
    int64_t i = b->n_rows;

    BP_TRY(bp_builder_reserve(b, 1, err));
    BP_TRY(need_valid(b, err));
    bp_bit_clear(b->valid->data, i);
    if (b->type.kind == BP_BOOL)
        bp_bit_clear(b->data->data, i);
    else if (width)
        memset(b->data->data + (size_t)i * width, 0, width);
    else if (b->type.kind == BP_STRUCT)
        for (int k = 0; k < b->type.nest->n_kids; k++)
            BP_TRY(bp_builder_add_null(&b->kids[k], err));
    else
        ((int32_t *)(void *)b->data->data)[i + 1] = (int32_t)b->bytes_len;
    b->n_rows++;
    b->n_nulls++;
    return 0;
}

int bp_builder_add(struct bp_builder *b, const void *value, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(b->type);
    int64_t i = b->n_rows;

    BP_TRY(bp_builder_reserve(b, 1, err));
    if (b->valid)
        bp_bit_set(b->valid->data, i);
    if (b->type.kind == BP_BOOL)
        bp_bit_put(b->data->data, i, *(const uint8_t *)value != 0);
    else
        memcpy(b->data->data + (size_t)i * width, value, width);
    b->n_rows++;
    return 0;
}

int bp_builder_add_nested(struct bp_builder *b, struct bp_err *err)
{
    int64_t i = b->n_rows;

    BP_TRY(bp_builder_reserve(b, 1, err));
    if (b->type.kind == BP_LIST) {
        if (b->kids[0].n_rows > INT32_MAX)
            return too_many_elements(err);
        b->bytes_len = (size_t)b->kids[0].n_rows;
        ((int32_t *)(void *)b->data->data)[i + 1] = (int32_t)b->bytes_len;
    }
    if (b->valid)
        bp_bit_set(b->valid->data, i);
    b->n_rows++;
    return 0;
}

static int more_bytes(struct bp_builder *b, size_t n, struct bp_err *err)
{
    if (n > INT32_MAX || b->bytes_len > INT32_MAX - n)
        return bp_fail(err, BP_EDATA,
                       "more than 2 GiB of text in one batch of a column: use smaller values");
    return bp_block_grow(&b->bytes, b->bytes_len, b->bytes_len + n, err);
}

int bp_builder_add_bytes(struct bp_builder *b, const void *p, size_t n, struct bp_err *err)
{
    int64_t i = b->n_rows;

    BP_TRY(bp_builder_reserve(b, 1, err));
    BP_TRY(more_bytes(b, n, err));
    if (n)
        memcpy(b->bytes->data + b->bytes_len, p, n);
    b->bytes_len += n;
    ((int32_t *)(void *)b->data->data)[i + 1] = (int32_t)b->bytes_len;
    if (b->valid)
        bp_bit_set(b->valid->data, i);
    b->n_rows++;
    return 0;
}

static int add_plain_text(struct bp_builder *b, const struct bp_column *c, int64_t from, int64_t n,
                          struct bp_err *err)
{
    const int32_t *off = (const int32_t *)c->data + from;
    int32_t *out = (int32_t *)(void *)b->data->data + b->n_rows;
    int32_t shift = (int32_t)b->bytes_len - off[0];
    size_t bytes = (size_t)(off[n] - off[0]);

    BP_TRY(more_bytes(b, bytes, err));
    if (bytes)
        memcpy(b->bytes->data + b->bytes_len, c->bytes + off[0], bytes);
    for (int64_t i = 1; i <= n; i++)
        out[i] = off[i] + shift;
    b->bytes_len += bytes;
    return 0;
}

static int add_dict_text(struct bp_builder *b, const struct bp_column *c, int64_t from, int64_t n,
                         struct bp_err *err)
{
    int32_t *out = (int32_t *)(void *)b->data->data + b->n_rows + 1;

    for (int64_t i = 0; i < n; i++) {
        size_t len = 0;

        if (!bp_column_is_null(c, from + i)) {
            const uint8_t *p = bp_column_bytes(c, from + i, &len);

            BP_TRY(more_bytes(b, len, err));
            if (len)
                memcpy(b->bytes->data + b->bytes_len, p, len);
            b->bytes_len += len;
        }
        out[i] = (int32_t)b->bytes_len;
    }
    return 0;
}

static int add_list(struct bp_builder *b, const struct bp_column *c, int64_t from, int64_t n,
                    struct bp_err *err)
{
    const int32_t *off = (const int32_t *)c->data + from;
    int32_t *out = (int32_t *)(void *)b->data->data + b->n_rows;
    int64_t shift = (int64_t)b->bytes_len - off[0];

    if (shift + off[n] > INT32_MAX)
        return too_many_elements(err);
    BP_TRY(bp_builder_add_rows(&b->kids[0], &c->kids->cols[0], off[0], off[n] - off[0], err));
    for (int64_t i = 1; i <= n; i++)
        out[i] = (int32_t)(off[i] + shift);
    b->bytes_len = (size_t)(shift + off[n]);
    return 0;
}

static int add_struct(struct bp_builder *b, const struct bp_column *c, int64_t from, int64_t n,
                      struct bp_err *err)
{
    for (int i = 0; i < c->kids->n; i++)
        BP_TRY(bp_builder_add_rows(&b->kids[i], &c->kids->cols[i], from, n, err));
    return 0;
}

int bp_builder_add_rows(struct bp_builder *b, const struct bp_column *c, int64_t from, int64_t n,
                        struct bp_err *err)
{
    size_t width = bp_type_width_bytes(b->type);
    int64_t nulls = 0;

    if (n == 0)
        return 0;
    BP_TRY(bp_builder_reserve(b, n, err));
    if (c->valid && c->n_nulls) {
        BP_TRY(need_valid(b, err));
        bp_bits_copy(b->valid->data, b->n_rows, c->valid, from, n);
        for (int64_t i = 0; i < n; i++)
            nulls += !bp_bit_get(c->valid, from + i);
    } else if (b->valid) {
        bp_bits_fill(b->valid->data, b->n_rows, n, true);
    }
    if (b->type.kind == BP_BOOL)
        bp_bits_copy(b->data->data, b->n_rows, c->data, from, n);
    else if (width)
        memcpy(b->data->data + (size_t)b->n_rows * width,
               (const uint8_t *)c->data + (size_t)from * width, (size_t)n * width);
    else if (c->dict)
        BP_TRY(add_dict_text(b, c, from, n, err));
    else if (b->type.kind == BP_LIST)
        BP_TRY(add_list(b, c, from, n, err));
    else if (b->type.kind == BP_STRUCT)
        BP_TRY(add_struct(b, c, from, n, err));
    else
        BP_TRY(add_plain_text(b, c, from, n, err));
    b->n_rows += n;
    b->n_nulls += nulls;
    return 0;
}

static int finish_kids(struct bp_builder *b, struct bp_column *out, struct bp_err *err)
{
    BP_TRY(bp_kids_new(&out->kids, b->type.nest->n_kids, err));
    for (int i = 0; i < out->kids->n; i++)
        if (bp_builder_finish(&b->kids[i], &out->kids->cols[i], err) < 0) {
            bp_column_release(out);
            return err->code;
        }
    bp_mem_free(b->kids);
    return 0;
}

int bp_builder_finish(struct bp_builder *b, struct bp_column *out, struct bp_err *err)
{
    BP_TRY(bp_builder_reserve(b, b->n_rows ? 0 : 1, err));
    memset(out, 0, sizeof *out);
    if (b->kids)
        BP_TRY(finish_kids(b, out, err));
    out->type = b->type;
    out->n_rows = b->n_rows;
    out->n_nulls = b->n_nulls;
    out->own[0] = b->valid;
    out->own[1] = b->data;
    out->own[2] = b->bytes;
    out->valid = b->valid ? b->valid->data : NULL;
    out->data = b->type.kind == BP_STRUCT ? NULL : b->data->data;
    /* text without bytes: any address will do, nothing is read there */
    out->bytes = b->bytes ? b->bytes->data : b->data->data;
    bp_builder_init(b, b->type);
    return 0;
}
