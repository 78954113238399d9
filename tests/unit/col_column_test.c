/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, gathers, concatenations of every kind of column against a naive model. */
#include <stdlib.h>

#include "col/column.h"
#include "col/key.h"
#include "unit.h"

static uint32_t state = 7;
static uint32_t rnd(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static const struct bp_type types[] = {
    {.kind = BP_BOOL},
    {.kind = BP_INT8},
    {.kind = BP_INT16},
    {.kind = BP_INT32},
    {.kind = BP_INT64},
    {.kind = BP_UINT64},
    {.kind = BP_FLOAT32},
    {.kind = BP_FLOAT64},
    {.kind = BP_DECIMAL, .precision = 38, .scale = 2},
    {.kind = BP_DATE},
    {.kind = BP_TIMESTAMP, .unit = BP_MICRO},
    {.kind = BP_INTERVAL},
    {.kind = BP_TEXT},
    {.kind = BP_BINARY},
};

static int make(struct bp_column *out, struct bp_type t, int64_t n, unsigned null_percent,
                struct bp_err *err)
{
    struct bp_builder b;
    uint8_t value[32];

    bp_builder_init(&b, t);
    for (int64_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof value; k++)
            value[k] = (uint8_t)('a' + rnd() % 26);
        if (rnd() % 100 < null_percent)
            BP_TRY(bp_builder_add_null(&b, err));
        else if (bp_type_is_bytes(t))
            BP_TRY(bp_builder_add_bytes(&b, value, rnd() % sizeof value, err));
        else {
            if (t.kind == BP_BOOL)
                value[0] &= 1;
            if (t.kind == BP_DECIMAL)
                value[15] = 0;
            BP_TRY(bp_builder_add(&b, value, err));
        }
    }
    return bp_builder_finish(&b, out, err);
}

/* A dictionary column of the given text values, cycled. */
static int make_dict(struct bp_column *out, int64_t n, struct bp_err *err)
{
    struct bp_builder b;
    struct bp_column values;
    struct bp_dict *d;

    BP_TRY(make(&values, BP_TYPE(BP_TEXT), 9, 0, err));
    BP_TRY(bp_dict_new(&d, &values, err));
    bp_builder_init(&b, BP_TYPE(BP_INT32));
    for (int64_t i = 0; i < n; i++) {
        int32_t code = (int32_t)(rnd() % 9);

        if (rnd() % 5 == 0)
            BP_TRY(bp_builder_add_null(&b, err));
        else
            BP_TRY(bp_builder_add(&b, &code, err));
    }
    BP_TRY(bp_builder_finish(&b, out, err));
    out->type = BP_TYPE(BP_TEXT);
    out->dict = d;
    return 0;
}

static int source(struct bp_column *out, size_t k, int64_t n, unsigned nulls, struct bp_err *err)
{
    return k < BP_COUNT_OF(types) ? make(out, types[k], n, nulls, err) : make_dict(out, n, err);
}
#define N_SOURCES (BP_COUNT_OF(types) + 1)

/* Nulls agree, values agree byte for byte, and null slots are zero. */
static bool same(const struct bp_column *a, int64_t ra, const struct bp_column *b, int64_t rb)
{
    size_t width = bp_type_width_bytes(a->type), na, nb;
    const uint8_t *pa, *pb;

    if (bp_column_is_null(a, ra) || bp_column_is_null(b, rb))
        return bp_column_is_null(a, ra) == bp_column_is_null(b, rb);
    if (a->type.kind == BP_BOOL)
        return bp_bit_get(a->data, ra) == bp_bit_get(b->data, rb);
    if (width)
        return memcmp((const uint8_t *)a->data + (size_t)ra * width,
                      (const uint8_t *)b->data + (size_t)rb * width, width) == 0;
    pa = bp_column_bytes(a, ra, &na);
    pb = bp_column_bytes(b, rb, &nb);
    return na == nb && memcmp(pa, pb, na) == 0;
}

static bool tidy(const struct bp_column *c)
{
    size_t width = bp_type_width_bytes(c->type);
    int64_t nulls = 0;
    static const uint8_t zero[16];

    for (int64_t i = 0; i < c->n_rows; i++) {
        if (!bp_column_is_null(c, i))
            continue;
        nulls++;
        if (c->dict)
            continue;
        if (c->type.kind == BP_BOOL ? bp_bit_get(c->data, i)
            : width ? memcmp((const uint8_t *)c->data + (size_t)i * width, zero, width) != 0
                    : ((const int32_t *)c->data)[i] != ((const int32_t *)c->data)[i + 1])
            return false;
    }
    return nulls == c->n_nulls;
}

static void a_slice_has_the_rows_it_names(void)
{
    struct bp_err err = {0};

    for (size_t k = 0; k < N_SOURCES; k++)
        for (int round = 0; round < 40; round++) {
            struct bp_column c, s;
            int64_t n = 1 + rnd() % 300, from = rnd() % n, len = rnd() % (n - from + 1);

            NEED(source(&c, k, n, round % 2 ? 30 : 0, &err) == 0);
            NEED(bp_column_slice(&s, &c, from, len, &err) == 0);
            CHECK(s.n_rows == len && tidy(&s));
            for (int64_t i = 0; i < len; i++)
                NEED(same(&s, i, &c, from + i));
            bp_column_release(&s);
            bp_column_release(&c);
        }
}

static void a_gather_picks_rows_and_makes_nulls_of_minus_one(void)
{
    struct bp_err err = {0};
    int32_t idx[500];

    for (size_t k = 0; k < N_SOURCES; k++)
        for (int round = 0; round < 40; round++) {
            struct bp_column c, g;
            int64_t n = 1 + rnd() % 300, len = rnd() % 500;

            NEED(source(&c, k, n, round % 2 ? 30 : 0, &err) == 0);
            for (int64_t i = 0; i < len; i++)
                idx[i] = round % 4 >= 2 && rnd() % 7 == 0 ? -1 : (int32_t)(rnd() % n);
            NEED(bp_column_gather(&g, &c, idx, len, &err) == 0);
            CHECK(g.n_rows == len && tidy(&g));
            for (int64_t i = 0; i < len; i++)
                NEED(idx[i] < 0 ? bp_column_is_null(&g, i) : same(&g, i, &c, idx[i]));
            bp_column_release(&g);
            bp_column_release(&c);
        }
}

static void a_gather_from_many_picks_rows_of_each(void)
{
    struct bp_err err = {0};
    uint64_t refs[400];

    for (size_t k = 0; k < N_SOURCES; k++)
        for (int round = 0; round < 20; round++) {
            struct bp_column c[3], g;
            const struct bp_column *srcs[3] = {&c[0], &c[1], &c[2]};

            for (int i = 0; i < 3; i++)
                NEED(source(&c[i], k, 50, round % 2 ? 30 : 0, &err) == 0);
            for (int i = 0; i < 400; i++)
                refs[i] = round % 4 >= 2 && rnd() % 9 == 0
                              ? UINT64_MAX
                              : ((uint64_t)(rnd() % 3) << 32) | rnd() % 50;
            NEED(bp_column_gather_many(&g, srcs, 3, refs, 400, &err) == 0);
            CHECK(tidy(&g));
            for (int i = 0; i < 400; i++)
                NEED(refs[i] == UINT64_MAX
                         ? bp_column_is_null(&g, i)
                         : same(&g, i, srcs[refs[i] >> 32], (int64_t)(refs[i] & 0xffffffffu)));
            bp_column_release(&g);
            for (int i = 0; i < 3; i++)
                bp_column_release(&c[i]);
        }
}

static void concat_is_one_after_the_other_and_plain_keeps_values(void)
{
    struct bp_err err = {0};

    for (size_t k = 0; k < N_SOURCES; k++) {
        struct bp_column c[3], all, plain;
        const struct bp_column *srcs[3] = {&c[0], &c[1], &c[2]};
        int64_t at = 0;

        for (int i = 0; i < 3; i++)
            NEED(source(&c[i], k, 33 * i, i == 2 ? 30 : 0, &err) == 0);
        NEED(bp_column_concat(&all, srcs, 3, &err) == 0);
        NEED(bp_column_plain(&plain, &all, &err) == 0);
        CHECK(all.n_rows == 99 && tidy(&all) && tidy(&plain) && !plain.dict);
        for (int i = 0; i < 3; i++)
            for (int64_t r = 0; r < c[i].n_rows; r++, at++)
                NEED(same(&all, at, &c[i], r) && same(&plain, at, &c[i], r));
        bp_column_release(&plain);
        bp_column_release(&all);
        for (int i = 0; i < 3; i++)
            bp_column_release(&c[i]);
    }
}

static void the_hash_of_a_batch_is_the_hash_of_its_canonical_bytes(void)
{
    struct bp_err err = {0};
    uint64_t h[64], pair[64];

    for (size_t k = 0; k < N_SOURCES; k++) {
        struct bp_column c, plain;

        NEED(source(&c, k, 64, 30, &err) == 0);
        NEED(bp_column_plain(&plain, &c, &err) == 0);
        NEED(bp_key_hash((const struct bp_column *[]){&c}, 1, 64, h, &err) == 0);
        NEED(bp_key_hash((const struct bp_column *[]){&plain, &c}, 2, 64, pair, &err) == 0);
        for (int64_t i = 0; i < 64; i++)
            for (int64_t j = 0; j < 64; j++) {
                bool equal = bp_key_equal(&c, i, &plain, j);

                CHECK(equal == (h[i] == h[j]));
                CHECK(equal == (pair[i] == pair[j]));
            }
        bp_column_release(&plain);
        bp_column_release(&c);
    }
}

static void numbers_of_one_class_compare_by_value(void)
{
    struct bp_err err = {0};
    struct bp_builder b;
    struct bp_column d, i, f;
    bp_int128 dec[] = {100, -250, 12345};
    int32_t ints[] = {1, -2, 123};
    double floats[] = {-0.0, 0.0, __builtin_nan("")};

    bp_builder_init(&b, BP_TYPE_DECIMAL(10, 2));
    for (int k = 0; k < 3; k++)
        NEED(bp_builder_add(&b, &dec[k], &err) == 0);
    NEED(bp_builder_finish(&b, &d, &err) == 0);
    bp_builder_init(&b, BP_TYPE(BP_INT32));
    for (int k = 0; k < 3; k++)
        NEED(bp_builder_add(&b, &ints[k], &err) == 0);
    NEED(bp_builder_finish(&b, &i, &err) == 0);
    bp_builder_init(&b, BP_TYPE(BP_FLOAT64));
    for (int k = 0; k < 3; k++)
        NEED(bp_builder_add(&b, &floats[k], &err) == 0);
    NEED(bp_builder_finish(&b, &f, &err) == 0);
    CHECK(bp_key_equal(&d, 0, &i, 0));  /* 1.00 = 1 */
    CHECK(!bp_key_equal(&d, 1, &i, 1)); /* -2.50, -2 */
    CHECK(bp_value_compare(&d, 0, &i, 0) == 0);
    CHECK(bp_value_compare(&d, 1, &i, 1) < 0);
    CHECK(bp_value_compare(&d, 2, &i, 2) > 0); /* 123.45 > 123 */
    CHECK(bp_key_equal(&f, 0, &f, 1));
    CHECK(bp_key_equal(&f, 2, &f, 2));
    CHECK(bp_value_compare(&f, 2, &f, 1) > 0);
    bp_column_release(&d);
    bp_column_release(&i);
    bp_column_release(&f);
}

UNIT_MAIN(T(a_slice_has_the_rows_it_names), T(a_gather_picks_rows_and_makes_nulls_of_minus_one),
          T(a_gather_from_many_picks_rows_of_each),
          T(concat_is_one_after_the_other_and_plain_keeps_values),
          T(the_hash_of_a_batch_is_the_hash_of_its_canonical_bytes),
          T(numbers_of_one_class_compare_by_value))
