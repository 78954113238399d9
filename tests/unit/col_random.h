/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of any type with random rows, and whether two rows are the same. */
#ifndef BP_TESTS_COL_RANDOM_H
#define BP_TESTS_COL_RANDOM_H

#include "col/column.h"
#include "col/key.h"
#include "col/text.h"
#include "unit.h"

static uint32_t state = 11;
static inline uint32_t rnd(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

static inline struct bp_type parse(const char *s)
{
    struct bp_type t = {0};
    struct bp_err err = {0};
    size_t used;

    if (bp_type_parse(s, strlen(s), &used, &t, &err) < 0 || used != strlen(s))
        printf("# %s: %s\n", s, err.msg);
    return t;
}

static inline int add_random(struct bp_builder *b, struct bp_err *err)
{
    static const char *const texts[] = {"", "a", "b c", "NULL", "q\"", "\\", "{x,y}", "(z)"};
    const char *s = texts[rnd(8)];
    uint8_t value[16] = {(uint8_t)rnd(5)};

    BP_TRY(bp_builder_reserve(b, 1, err));
    if (rnd(5) == 0)
        return bp_builder_add_null(b, err);
    if (b->type.kind == BP_LIST) {
        for (uint32_t n = rnd(4); n > 0; n--)
            BP_TRY(add_random(&b->kids[0], err));
        return bp_builder_add_nested(b, err);
    }
    if (b->type.kind == BP_STRUCT) {
        for (int i = 0; i < b->type.nest->n_kids; i++)
            BP_TRY(add_random(&b->kids[i], err));
        return bp_builder_add_nested(b, err);
    }
    if (bp_type_is_bytes(b->type))
        return bp_builder_add_bytes(b, s, strlen(s), err);
    if (b->type.kind == BP_BOOL)
        value[0] &= 1;
    return bp_builder_add(b, value, err);
}

static inline int make(struct bp_column *c, const char *type, int n_rows, struct bp_err *err)
{
    struct bp_builder b;

    bp_builder_init(&b, parse(type));
    for (int i = 0; i < n_rows; i++)
        BP_TRY(add_random(&b, err));
    return bp_builder_finish(&b, c, err);
}

static inline bool same_row(const struct bp_column *a, int64_t ra, const struct bp_column *b,
                            int64_t rb)
{
    struct bp_buf x = {0}, y = {0};
    struct bp_err err = {0};
    bool same = bp_column_is_null(a, ra) == bp_column_is_null(b, rb) && bp_key_equal(a, ra, b, rb);

    if (same && !bp_column_is_null(a, ra))
        same = bp_text_append(a, ra, &x, &err) == 0 && bp_text_append(b, rb, &y, &err) == 0 &&
               x.len == y.len && (!x.len || memcmp(x.data, y.data, x.len) == 0);
    bp_buf_release(&x);
    bp_buf_release(&y);
    return same;
}

#endif
