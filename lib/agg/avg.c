/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avg: the exact sum over the count, rounded once: of integers and floats to
 * double precision, of decimal(p,s) to scale min(s + 6, 38), half away from zero.
 */
#include <string.h>

#include "agg/acc.h"
#include "agg/exact.h"
#include "base/mem.h"

struct avg {
    struct bp_agg base;
    struct bp_agg_array n; /* int64_t: values that are not NULL */
    union {
        struct bp_agg_array small; /* int64_t */
        struct bp_acc128 big;
        struct bp_exact exact;
    } sum;
};

/* ---- counts ---- */

static int count_values(struct avg *v, const struct bp_agg_rows *r)
{
    const struct bp_column *c = &r->cols[0];
    int64_t *n = v->n.p;

    if (!r->ids)
        n[0] += r->n_rows - c->n_nulls;
    else if (c->n_nulls)
        for (int64_t i = 0; i < r->n_rows; i++)
            n[r->ids[i]] += bp_bit_get(c->valid, i);
    else
        for (int64_t i = 0; i < r->n_rows; i++) {
            BP_AGG_FETCH(n, r->ids, i);
            n[r->ids[i]]++;
        }
    return 0;
}

static int merge_counts(struct avg *v, const struct bp_agg_rows *r, struct bp_err *err)
{
    const int64_t *c = r->cols[1].data;
    int64_t *n = v->n.p;
    bool bad = false;

    for (int64_t i = 0; i < r->n_rows; i++) {
        int64_t *to = &n[r->ids ? r->ids[i] : 0];

        bad |= c[i] < 0 || __builtin_add_overflow(*to, c[i], to);
    }
    if (bad)
        return bp_fail(err, BP_EDATA,
                       "column %s: the counts of the partial input are negative or too large",
                       v->base.name);
    return 0;
}

static int save_counts(const struct avg *v, const uint32_t *ids, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    const int64_t *from = v->n.p;
    int64_t *to;

    BP_TRY(bp_agg_column(out, BP_TYPE(BP_INT64), n, err));
    to = (int64_t *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++)
        to[i] = from[ids[i]];
    return 0;
}

/* A result column of n rows, NULL (and 0) where the count is 0. */
static int start_result(const struct avg *v, const uint32_t *ids, int64_t n, struct bp_column *out,
                        struct bp_err *err)
{
    size_t width = bp_type_width_bytes(v->base.result);
    const int64_t *count = v->n.p;
    uint8_t *bits;

    BP_TRY(bp_agg_column(out, v->base.result, n, err));
    for (int64_t i = 0; i < n; i++)
        out->n_nulls += !count[ids[i]];
    if (!out->n_nulls)
        return 0;
    BP_TRY(bp_block_new(&out->own[0], bp_bits_bytes(n) + 8, err));
    bits = out->own[0]->data;
    memset(bits, 0, bp_bits_bytes(n) + 8);
    memset(out->own[1]->data, 0, (size_t)n * width);
    for (int64_t i = 0; i < n; i++)
        if (count[ids[i]])
            bp_bit_set(bits, i);
    out->valid = bits;
    return 0;
}

static int grow_counts(struct avg *v, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(&v->base, &v->n, sizeof(int64_t), n_groups, err));
    v->base.n_groups = n_groups;
    return 0;
}

/* ---- integers up to 32 bits ---- */

static int small_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(bp_agg_array_grow(a, &v->sum.small, sizeof(int64_t), n_groups, err));
    return grow_counts(v, n_groups, err);
}

static int small_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(count_values(v, r));
    return bp_acc64_add(a, &v->sum.small, &r->cols[0], r->ids, err);
}

static int small_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(merge_counts(v, r, err));
    return bp_acc64_add(a, &v->sum.small, &r->cols[0], r->ids, err);
}

static int small_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                      struct bp_err *err)
{
    struct avg *v = (struct avg *)a;
    const int64_t *from = v->sum.small.p;
    int64_t *to;

    BP_TRY(bp_agg_column(&parts[0], BP_TYPE(BP_INT64), n, err));
    to = (int64_t *)(void *)parts[0].own[1]->data;
    for (int64_t i = 0; i < n; i++)
        to[i] = from[ids[i]];
    return save_counts(v, ids, n, &parts[1], err);
}

static double quotient(bp_int128 sum, int64_t n)
{
    struct bp_big b;

    /* both exact as doubles: one rounding, by the division */
    if (sum <= (bp_int128)1 << 53 && sum >= -((bp_int128)1 << 53) && n <= (int64_t)1 << 53)
        return (double)(int64_t)sum / (double)n;
    bp_big_from_int(&b, sum, 0);
    bp_big_divide(&b, (uint64_t)n);
    return bp_big_round(&b);
}

static int small_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    struct avg *v = (struct avg *)a;
    const int64_t *sum = v->sum.small.p, *count = v->n.p;
    double *to;

    BP_TRY(start_result(v, ids, n, out, err));
    to = (double *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++)
        if (count[ids[i]])
            to[i] = quotient(sum[ids[i]], count[ids[i]]);
    return 0;
}

static void small_release(struct bp_agg *a)
{
    bp_mem_free(((struct avg *)a)->n.p);
    bp_mem_free(((struct avg *)a)->sum.small.p);
}

static const struct bp_agg_ops small_ops = {
    sizeof(struct avg), small_grow,  small_update,  small_merge,
    small_save,         small_final, small_release,
};

/* ---- 64-bit integers and decimals ---- */

static int big_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(bp_acc128_grow(a, &v->sum.big, n_groups, err));
    return grow_counts(v, n_groups, err);
}

static int big_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(count_values(v, r));
    return bp_acc128_add(a, &v->sum.big, &r->cols[0], r->ids, err);
}

static int big_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(merge_counts(v, r, err));
    return bp_acc128_add(a, &v->sum.big, &r->cols[0], r->ids, err);
}

static int big_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                    struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(bp_acc128_column(a, &v->sum.big, a->parts[0].type, ids, n, &parts[0], err));
    return save_counts(v, ids, n, &parts[1], err);
}

static int big_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                     struct bp_err *err)
{
    struct avg *v = (struct avg *)a;
    const bp_int128 *sum = v->sum.big.v.p;
    const int64_t *count = v->n.p;
    double *to;

    /* 2^63 values of 64 bits: high is never in use */
    BP_TRY(start_result(v, ids, n, out, err));
    to = (double *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++)
        if (count[ids[i]])
            to[i] = quotient(sum[ids[i]], count[ids[i]]);
    return 0;
}

static void big_release(struct bp_agg *a)
{
    bp_mem_free(((struct avg *)a)->n.p);
    bp_acc128_release(&((struct avg *)a)->sum.big);
}

static const struct bp_agg_ops big_ops = {
    sizeof(struct avg), big_grow, big_update, big_merge, big_save, big_final, big_release,
};

/* *out = (high x 2^128 + sum) x 10^digits / n, half away from zero; false: beyond
 * 38 digits. */
static bool decimal_quotient(bp_int128 sum, int64_t high, int digits, int64_t n, bp_int128 *out)
{
    bp_uint128 lo = (bp_uint128)sum, rest = 0, q;
    uint64_t limb[4], scale = 1, d = (uint64_t)n;
    /* high counts overflows of a signed word: its bits above are high + the sign's */
    int64_t top = high + (sum < 0 ? -1 : 0);
    bool neg = top < 0;

    for (int i = 0; i < digits; i++)
        scale *= 10;
    if (neg) {
        lo = -lo;
        top = ~top + (lo == 0);
    }
    limb[0] = (uint64_t)lo;
    limb[1] = (uint64_t)(lo >> 64);
    limb[2] = (uint64_t)top;
    for (int i = 0; i < 3; i++) {
        rest += (bp_uint128)limb[i] * scale;
        limb[i] = (uint64_t)rest;
        rest >>= 64;
    }
    limb[3] = (uint64_t)rest;
    rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | limb[i];
        limb[i] = (uint64_t)(rest / d);
        rest %= d;
    }
    q = ((bp_uint128)limb[1] << 64 | limb[0]) + (rest >= d - rest);
    if (limb[2] || limb[3] || q >= (bp_uint128)bp_acc_decimal_end())
        return false;
    *out = neg ? -(bp_int128)q : (bp_int128)q;
    return true;
}

static int decimal_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    if (!r->ids || r->cols[0].n_nulls)
        return big_update(a, r, err);
    return bp_acc128_add_counted(a, &v->sum.big, &r->cols[0], r->ids, v->n.p, err);
}

static int decimal_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                         struct bp_err *err)
{
    struct avg *v = (struct avg *)a;
    const bp_int128 *sum = v->sum.big.v.p;
    const int64_t *count = v->n.p, *high = v->sum.big.high.p;
    int digits = a->result.scale - a->args[0].scale;
    bp_int128 *to;

    BP_TRY(start_result(v, ids, n, out, err));
    to = (bp_int128 *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        uint32_t id = ids[i];

        if (count[id] && !decimal_quotient(sum[id], high ? high[id] : 0, digits, count[id], &to[i]))
            return bp_fail(err, BP_EDATA,
                           "column %s: an average needs more than 38 digits at scale %d", a->name,
                           a->result.scale);
    }
    return 0;
}

static const struct bp_agg_ops decimal_ops = {
    sizeof(struct avg), big_grow, decimal_update, big_merge, big_save, decimal_final, big_release,
};

/* ---- floats ---- */

static int float_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(bp_exact_grow(&v->sum.exact, a, n_groups, err));
    return grow_counts(v, n_groups, err);
}

static int float_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(count_values(v, r));
    return bp_exact_add(&v->sum.exact, a, r, err);
}

static int float_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct avg *v = (struct avg *)a;

    BP_TRY(merge_counts(v, r, err));
    return bp_exact_merge(&v->sum.exact, a, r, err);
}

static int float_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                      struct bp_err *err)
{
    struct avg *v = (struct avg *)a;
    struct bp_agg_seen all = {0};

    BP_TRY(bp_exact_column(&v->sum.exact, &all, ids, n, &parts[0], err));
    return save_counts(v, ids, n, &parts[1], err);
}

static int float_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    struct avg *v = (struct avg *)a;
    const int64_t *count = v->n.p;
    double *to;

    BP_TRY(start_result(v, ids, n, out, err));
    to = (double *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        BP_AGG_FETCH_OUT((const bp_int128 *)v->sum.exact.window.p, ids, i, n);
        if (count[ids[i]])
            to[i] = bp_exact_round(&v->sum.exact, ids[i], (uint64_t)count[ids[i]]);
    }
    return 0;
}

static void float_release(struct bp_agg *a)
{
    bp_mem_free(((struct avg *)a)->n.p);
    bp_exact_release(&((struct avg *)a)->sum.exact);
}

static const struct bp_agg_ops float_ops = {
    sizeof(struct avg), float_grow,  float_update,  float_merge,
    float_save,         float_final, float_release,
};

/* ---- the records ---- */

static bool small_int(const struct bp_type *t)
{
    return bp_type_is_int(*t) && t->kind != BP_INT64 && t->kind != BP_UINT64;
}

static bool large_int(const struct bp_type *t)
{
    return t->kind == BP_INT64 || t->kind == BP_UINT64;
}

static bool decimal(const struct bp_type *t)
{
    return t->kind == BP_DECIMAL;
}

static bool floating(const struct bp_type *t)
{
    return bp_type_is_float(*t);
}

static int avg_types(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts)
{
    struct bp_type sum = BP_TYPE_DECIMAL(38, args->scale);

    *result = BP_TYPE(BP_FLOAT64);
    if (decimal(args))
        *result = BP_TYPE_DECIMAL(38, (uint8_t)BP_MIN(args->scale + 6, 38));
    if (small_int(args))
        sum = BP_TYPE(BP_INT64);
    if (floating(args))
        sum = BP_TYPE(BP_BINARY);
    parts[0] = (struct bp_agg_part){"sum", sum};
    parts[1] = (struct bp_agg_part){"n", BP_TYPE(BP_INT64)};
    return 2;
}

const struct bp_agg_kind bp_agg_avg_kinds[] = {
    {"avg", "integer", 1, small_int, avg_types, &small_ops},
    {"avg", "bigint", 1, large_int, avg_types, &big_ops},
    {"avg", "decimal", 1, decimal, avg_types, &decimal_ops},
    {"avg", "double precision", 1, floating, avg_types, &float_ops},
    {0},
};
