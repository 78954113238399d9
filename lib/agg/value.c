/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/value.h"

#include <string.h>

#include "col/text.h"

static int put_u32(struct bp_buf *out, size_t v, struct bp_err *err)
{
    uint32_t n = (uint32_t)v;

    return bp_buf_append(out, &n, sizeof n, err);
}

static size_t width_of(struct bp_type t)
{
    return t.kind == BP_BOOL ? 1 : bp_type_width_bytes(t);
}

int bp_agg_value_put(const struct bp_column *c, int64_t i, struct bp_buf *out, struct bp_err *err)
{
    size_t width = width_of(c->type), n;
    uint8_t there = !bp_column_is_null(c, i), bit;
    const int32_t *off = (const int32_t *)c->data;
    const uint8_t *p;

    BP_TRY(bp_buf_append(out, &there, 1, err));
    if (!there)
        return 0;
    if (c->type.kind == BP_BOOL) {
        bit = bp_bit_get(c->data, i);
        return bp_buf_append(out, &bit, 1, err);
    }
    if (width)
        return bp_buf_append(out, (const uint8_t *)c->data + (size_t)i * width, width, err);
    if (bp_type_is_bytes(c->type)) {
        p = bp_column_bytes(c, i, &n);
        BP_TRY(put_u32(out, n, err));
        return n ? bp_buf_append(out, p, n, err) : 0;
    }
    if (c->type.kind == BP_STRUCT) {
        for (int k = 0; k < c->kids->n; k++)
            BP_TRY(bp_agg_value_put(&c->kids->cols[k], i, out, err));
        return 0;
    }
    BP_TRY(put_u32(out, (size_t)(off[i + 1] - off[i]), err));
    for (int32_t k = off[i]; k < off[i + 1]; k++)
        BP_TRY(bp_agg_value_put(&c->kids->cols[0], k, out, err));
    return 0;
}

/* Behind the value at p; NULL: it is none. */
static const uint8_t *skip(struct bp_type t, const uint8_t *p, const uint8_t *end)
{
    size_t width = width_of(t), bad_at;
    uint32_t n;

    if (p == end || *p > 1)
        return NULL;
    if (*p++ == 0)
        return p;
    if (width)
        return (size_t)(end - p) < width || (t.kind == BP_BOOL && *p > 1) ? NULL : p + width;
    if (t.kind == BP_STRUCT) {
        for (int k = 0; p && k < t.nest->n_kids; k++)
            p = skip(t.nest->kids[k], p, end);
        return p;
    }
    if (end - p < (ptrdiff_t)sizeof n)
        return NULL;
    n = bp_load_u32(p);
    p += sizeof n;
    if (t.kind == BP_LIST) {
        for (uint32_t k = 0; p && k < n; k++)
            p = skip(t.nest->kids[0], p, end);
        return p;
    }
    if ((size_t)(end - p) < n || (t.kind == BP_TEXT && !bp_utf8_check(p, n, &bad_at)))
        return NULL;
    return p + n;
}

bool bp_agg_value_is_good(struct bp_type t, const uint8_t *p, const uint8_t *end)
{
    return skip(t, p, end) == end;
}

static int get(struct bp_builder *b, const uint8_t **at, struct bp_err *err)
{
    size_t width = width_of(b->type);
    const uint8_t *p = *at;
    uint8_t room[32];
    uint32_t n;

    BP_TRY(bp_builder_reserve(b, 1, err));
    if (*p++ == 0) {
        *at = p;
        return bp_builder_add_null(b, err);
    }
    if (width) {
        memcpy(room, p, width);
        *at = p + width;
        return bp_builder_add(b, room, err);
    }
    if (b->type.kind == BP_STRUCT) {
        for (int k = 0; k < b->type.nest->n_kids; k++)
            BP_TRY(get(&b->kids[k], &p, err));
        *at = p;
        return bp_builder_add_nested(b, err);
    }
    n = bp_load_u32(p);
    p += sizeof n;
    if (b->type.kind != BP_LIST) {
        *at = p + n;
        return bp_builder_add_bytes(b, p, n, err);
    }
    while (n-- > 0)
        BP_TRY(get(&b->kids[0], &p, err));
    *at = p;
    return bp_builder_add_nested(b, err);
}

int bp_agg_value_get(struct bp_builder *b, const uint8_t *p, struct bp_err *err)
{
    return get(b, &p, err);
}
