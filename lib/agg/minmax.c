/* SPDX-License-Identifier: Apache-2.0 */
/*
 * min and max of every ordered type. Floats: NaN is above all numbers, -0 is 0.
 * Intervals compare as PostgreSQL does (a month is 30 days, a day 24 hours); of
 * equal ones with other fields the smaller (months, days, ns) is the result, so
 * that it does not depend on the order of rows. Text and binary: by bytes.
 */
#include <string.h>

#include "agg/agg.h"
#include "base/arena.h"
#include "base/mem.h"

struct minmax {
    struct bp_agg base;
    struct bp_agg_seen seen;
    int64_t n_seen;           /* groups that have a value */
    struct bp_agg_array best; /* values of the argument's type; floats: ordered integers */
};

static bool is_max(const struct bp_agg *a)
{
    return a->kind->func[1] == 'a';
}

/* ---- fixed widths ---- */

/* Integers in the order of the doubles, NaN on top. */
static int64_t ordered64(double d)
{
    int64_t i;

    if (d != d)
        return INT64_MAX;
    d = d == 0 ? 0 : d;
    memcpy(&i, &d, sizeof i);
    return i < 0 ? (int64_t)((uint64_t)i ^ INT64_MAX) : i;
}

static double unordered64(int64_t i)
{
    double d;

    if (i == INT64_MAX)
        return __builtin_nan("");
    i = i < 0 ? (int64_t)((uint64_t)i ^ INT64_MAX) : i;
    memcpy(&d, &i, sizeof d);
    return d;
}

static bool interval_less(struct bp_interval a, struct bp_interval b)
{
    const int64_t day = 86400 * (int64_t)1000000000;
    bp_int128 va = ((bp_int128)a.months * 30 + a.days) * day + a.ns;
    bp_int128 vb = ((bp_int128)b.months * 30 + b.days) * day + b.ns;

    if (va != vb)
        return va < vb;
    if (a.months != b.months)
        return a.months < b.months;
    return a.days < b.days;
}

#define LESS(a, b) ((a) < (b))
#define SAME(v) (v)

/* The first value of a group is always taken: until then best[id] means nothing. Few rows of
 * large groups are better than all before: that branch is foreseen. */
#define KEEP_ROW(T, S, conv, cond, id)                                                             \
    do {                                                                                           \
        S x = conv(v[i]), b = best[id];                                                            \
        if ((cond) || !has[id]) {                                                                  \
            best[id] = x;                                                                          \
            m->n_seen += !has[id];                                                                 \
            has[id] = 1;                                                                           \
        }                                                                                          \
    } while (0)

/* The most frequent case: no NULLs, and all groups have a value. */
#define KEEP_BETTER(T, S, conv, cond, fetch)                                                       \
    for (int64_t i = 0; i < n; i++) {                                                              \
        S x = conv(v[i]), b = best[ids[i]];                                                        \
        if (fetch)                                                                                 \
            BP_AGG_FETCH(best, ids, i);                                                            \
        if (cond)                                                                                  \
            best[ids[i]] = x;                                                                      \
    }

#define KEEP_IF(T, S, conv, cond)                                                                  \
    do {                                                                                           \
        const T *v = c->data;                                                                      \
        S *best = m->best.p;                                                                       \
        if (ids && !c->n_nulls && m->n_seen == a->n_groups) {                                      \
            if (many)                                                                              \
                KEEP_BETTER(T, S, conv, cond, true)                                                \
            else                                                                                   \
                KEEP_BETTER(T, S, conv, cond, false)                                               \
        } else {                                                                                   \
            for (int64_t i = 0; i < n; i++) {                                                      \
                if (many) {                                                                        \
                    BP_AGG_FETCH(best, ids, i);                                                    \
                    BP_AGG_FETCH(has, ids, i);                                                     \
                }                                                                                  \
                if (!c->n_nulls || bp_bit_get(c->valid, i))                                        \
                    KEEP_ROW(T, S, conv, cond, ids ? ids[i] : 0);                                  \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define KEEP(T, S, conv, less)                                                                     \
    do {                                                                                           \
        if (is_max(a))                                                                             \
            KEEP_IF(T, S, conv, less(b, x));                                                       \
        else                                                                                       \
            KEEP_IF(T, S, conv, less(x, b));                                                       \
    } while (0)

static int fixed_add(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct minmax *m = (struct minmax *)a;
    const struct bp_column *c = &r->cols[0];
    uint8_t *has = m->seen.flags.p;
    const uint32_t *ids = r->ids;
    bool many = ids && a->n_groups > BP_AGG_NEAR_GROUPS;
    int64_t n = r->n_rows;

    (void)err;
    switch (c->type.kind) {
    case BP_INT8: KEEP(int8_t, int8_t, SAME, LESS); break;
    case BP_INT16: KEEP(int16_t, int16_t, SAME, LESS); break;
    case BP_DATE:
    case BP_INT32: KEEP(int32_t, int32_t, SAME, LESS); break;
    case BP_UINT8: KEEP(uint8_t, uint8_t, SAME, LESS); break;
    case BP_UINT16: KEEP(uint16_t, uint16_t, SAME, LESS); break;
    case BP_UINT32: KEEP(uint32_t, uint32_t, SAME, LESS); break;
    case BP_UINT64: KEEP(uint64_t, uint64_t, SAME, LESS); break;
    case BP_FLOAT32: KEEP(float, int64_t, ordered64, LESS); break;
    case BP_FLOAT64: KEEP(double, int64_t, ordered64, LESS); break;
    case BP_DECIMAL:
        if (bp_type_is_decimal64(c->type))
            KEEP(int64_t, int64_t, SAME, LESS);
        else
            KEEP(bp_int128, bp_int128, SAME, LESS);
        break;
    case BP_INTERVAL: KEEP(struct bp_interval, struct bp_interval, SAME, interval_less); break;
    default: KEEP(int64_t, int64_t, SAME, LESS); break; /* bigint, time, timestamps */
    }
    return 0;
}

static size_t best_bytes(const struct bp_agg *a)
{
    return bp_type_is_float(a->result) ? 8 : bp_type_width_bytes(a->result);
}

static int fixed_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct minmax *m = (struct minmax *)a;

    BP_TRY(bp_agg_array_grow(a, &m->best, best_bytes(a), n_groups, err));
    BP_TRY(bp_agg_array_grow(a, &m->seen.flags, 1, n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

#define TAKE(T)                                                                                    \
    do {                                                                                           \
        const T *from = m->best.p;                                                                 \
        T *to = (T *)(void *)out->own[1]->data;                                                    \
        for (int64_t i = 0; i < n; i++)                                                            \
            to[i] = from[ids[i]];                                                                  \
    } while (0)

static void take_floats(const struct minmax *m, const uint32_t *ids, int64_t n,
                        struct bp_column *out)
{
    const int64_t *from = m->best.p;

    for (int64_t i = 0; i < n; i++) {
        double d = unordered64(from[ids[i]]);

        if (out->type.kind == BP_FLOAT32)
            ((float *)(void *)out->own[1]->data)[i] = (float)d;
        else
            ((double *)(void *)out->own[1]->data)[i] = d;
    }
}

static int fixed_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    struct minmax *m = (struct minmax *)a;

    BP_TRY(bp_agg_column(out, a->result, n, err));
    if (bp_type_is_float(a->result)) {
        take_floats(m, ids, n, out);
        return bp_agg_column_nulls(out, &m->seen, ids, err);
    }
    switch (best_bytes(a)) {
    case 1: TAKE(uint8_t); break;
    case 2: TAKE(uint16_t); break;
    case 4: TAKE(uint32_t); break;
    case 8: TAKE(uint64_t); break;
    default: TAKE(bp_int128); break;
    }
    return bp_agg_column_nulls(out, &m->seen, ids, err);
}

static void fixed_release(struct bp_agg *a)
{
    bp_mem_free(((struct minmax *)a)->best.p);
    bp_mem_free(((struct minmax *)a)->seen.flags.p);
}

static const struct bp_agg_ops fixed_ops = {
    sizeof(struct minmax), fixed_grow,  fixed_add,     fixed_add,
    fixed_final,           fixed_final, fixed_release,
};

/* ---- text and binary ---- */

struct text_best {
    uint8_t *p; /* NULL: nothing seen */
    uint32_t len, cap;
};

struct minmax_text {
    struct bp_agg base;
    struct bp_agg_array best; /* struct text_best */
    struct bp_arena arena;    /* outgrown values stay in it */
};

static int text_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &((struct minmax_text *)a)->best, sizeof(struct text_best),
                             n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static int text_keep(struct minmax_text *m, struct text_best *b, const uint8_t *p, size_t n,
                     struct bp_err *err)
{
    if (!b->p || n > b->cap) {
        size_t cap = BP_MAX(n, (size_t)b->cap * 2);

        cap = BP_MIN(BP_MAX(cap, 16), (size_t)INT32_MAX);
        b->p = bp_arena_alloc(&m->arena, cap, err);
        if (!b->p)
            return err->code;
        b->cap = (uint32_t)cap;
    }
    if (n)
        memcpy(b->p, p, n);
    b->len = (uint32_t)n;
    return 0;
}

static int text_compare(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    size_t n = BP_MIN(na, nb);
    int d = n ? memcmp(a, b, n) : 0;

    return d ? d : (na > nb) - (na < nb);
}

static int text_add(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct minmax_text *m = (struct minmax_text *)a;
    const struct bp_column *c = &r->cols[0];
    int64_t arena_before = (int64_t)m->arena.total_bytes;
    struct text_best *best = m->best.p;
    bool max = is_max(a);

    for (int64_t i = 0; i < r->n_rows; i++) {
        struct text_best *b = &best[r->ids ? r->ids[i] : 0];
        const uint8_t *p;
        size_t n;
        int d;

        if (c->n_nulls && !bp_bit_get(c->valid, i))
            continue;
        p = bp_column_bytes(c, i, &n);
        if (b->p) {
            d = text_compare(p, n, b->p, b->len);
            if (max ? d <= 0 : d >= 0)
                continue;
        }
        BP_TRY(text_keep(m, b, p, n, err));
    }
    a->held_bytes += (int64_t)m->arena.total_bytes - arena_before;
    return 0;
}

static int text_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                      struct bp_err *err)
{
    const struct text_best *best = ((struct minmax_text *)a)->best.p;
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, a->result);
    BP_GO(bp_builder_reserve(&b, n, err));
    for (int64_t i = 0; i < n; i++) {
        const struct text_best *t = &best[ids[i]];

        if (t->p)
            BP_GO(bp_builder_add_bytes(&b, t->p, t->len, err));
        else
            BP_GO(bp_builder_add_null(&b, err));
    }
    rc = bp_builder_finish(&b, out, err);
out:
    bp_builder_release(&b);
    return rc;
}

static void text_release(struct bp_agg *a)
{
    bp_mem_free(((struct minmax_text *)a)->best.p);
    bp_arena_release(&((struct minmax_text *)a)->arena);
}

static const struct bp_agg_ops text_ops = {
    sizeof(struct minmax_text), text_grow, text_add, text_add, text_final, text_final, text_release,
};

/* ---- the records ---- */

static bool fixed(const struct bp_type *t)
{
    return t->kind != BP_BOOL && !bp_type_is_bytes(*t) && bp_agg_flat(t);
}

static bool bytes(const struct bp_type *t)
{
    return bp_type_is_bytes(*t);
}

static int minmax_types(const struct bp_type *args, struct bp_type *result,
                        struct bp_agg_part *parts)
{
    *result = *args;
    parts[0] = (struct bp_agg_part){NULL, *args};
    return 1;
}

#define FIXED "a number, date, time, timestamp or interval"

const struct bp_agg_kind bp_agg_minmax_kinds[] = {
    {"min", FIXED, 1, fixed, minmax_types, &fixed_ops},
    {"min", "text or binary", 1, bytes, minmax_types, &text_ops},
    {"max", FIXED, 1, fixed, minmax_types, &fixed_ops},
    {"max", "text or binary", 1, bytes, minmax_types, &text_ops},
    {0},
};
