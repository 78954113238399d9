/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sum: of integers up to 32 bits bigint, of 64-bit ones decimal(38,0), of
 * decimal(p,s) decimal(38,s), of floats double precision, exact and rounded once
 * (a sum of nothing but -0 is 0), of intervals interval. Overflow is an error.
 */
#include <string.h>

#include "agg/acc.h"
#include "agg/exact.h"
#include "base/mem.h"

/* ---- integers up to 32 bits ---- */

struct sum_int {
    struct bp_agg base;
    struct bp_agg_seen seen;
    struct bp_agg_array acc; /* int64_t */
};

static int int_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &((struct sum_int *)a)->acc, sizeof(int64_t), n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static int int_add(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct sum_int *s = (struct sum_int *)a;

    BP_TRY(bp_agg_seen_note(a, &s->seen, r, &r->cols[0], err));
    return bp_acc64_add(a, &s->acc, &r->cols[0], r->ids, err);
}

static int int_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                     struct bp_err *err)
{
    struct sum_int *s = (struct sum_int *)a;
    const int64_t *from = s->acc.p;
    int64_t *to;

    BP_TRY(bp_agg_column(out, a->result, n, err));
    to = (int64_t *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        BP_AGG_FETCH_OUT(from, ids, i, n);
        to[i] = from[ids[i]];
    }
    return bp_agg_column_nulls(out, &s->seen, ids, err);
}

static void int_release(struct bp_agg *a)
{
    bp_mem_free(((struct sum_int *)a)->acc.p);
    bp_mem_free(((struct sum_int *)a)->seen.flags.p);
}

static const struct bp_agg_ops int_ops = {
    sizeof(struct sum_int), int_grow, int_add, int_add, int_final, int_final, int_release,
};

/* ---- 64-bit integers and decimals ---- */

struct sum_big {
    struct bp_agg base;
    struct bp_agg_seen seen;
    struct bp_acc128 acc;
};

static int big_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_acc128_grow(a, &((struct sum_big *)a)->acc, n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static int big_add(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct sum_big *s = (struct sum_big *)a;

    BP_TRY(bp_agg_seen_note(a, &s->seen, r, &r->cols[0], err));
    return bp_acc128_add(a, &s->acc, &r->cols[0], r->ids, err);
}

static int big_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                     struct bp_err *err)
{
    struct sum_big *s = (struct sum_big *)a;

    BP_TRY(bp_acc128_column(a, &s->acc, a->result, ids, n, out, err));
    return bp_agg_column_nulls(out, &s->seen, ids, err);
}

static void big_release(struct bp_agg *a)
{
    bp_acc128_release(&((struct sum_big *)a)->acc);
    bp_mem_free(((struct sum_big *)a)->seen.flags.p);
}

static const struct bp_agg_ops big_ops = {
    sizeof(struct sum_big), big_grow, big_add, big_add, big_final, big_final, big_release,
};

/* ---- floats ---- */

struct sum_float {
    struct bp_agg base;
    struct bp_agg_seen seen;
    struct bp_exact acc;
};

static int float_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_exact_grow(&((struct sum_float *)a)->acc, a, n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static int float_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct sum_float *s = (struct sum_float *)a;

    BP_TRY(bp_agg_seen_note(a, &s->seen, r, &r->cols[0], err));
    return bp_exact_add(&s->acc, a, r, err);
}

static int float_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct sum_float *s = (struct sum_float *)a;

    BP_TRY(bp_agg_seen_note(a, &s->seen, r, &r->cols[0], err));
    return bp_exact_merge(&s->acc, a, r, err);
}

static int float_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                      struct bp_err *err)
{
    struct sum_float *s = (struct sum_float *)a;

    return bp_exact_column(&s->acc, &s->seen, ids, n, parts, err);
}

static int float_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    struct sum_float *s = (struct sum_float *)a;
    double *to;

    BP_TRY(bp_agg_column(out, a->result, n, err));
    to = (double *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        BP_AGG_FETCH_OUT((const bp_int128 *)s->acc.window.p, ids, i, n);
        to[i] = bp_exact_round(&s->acc, ids[i], 1);
        if (bp_exact_overflows(&s->acc, ids[i], to[i]))
            return bp_fail(err, BP_EDATA, "column %s: the sum is beyond double precision", a->name);
    }
    return bp_agg_column_nulls(out, &s->seen, ids, err);
}

static void float_release(struct bp_agg *a)
{
    bp_exact_release(&((struct sum_float *)a)->acc);
    bp_mem_free(((struct sum_float *)a)->seen.flags.p);
}

static const struct bp_agg_ops float_ops = {
    sizeof(struct sum_float),
    float_grow,
    float_update,
    float_merge,
    float_save,
    float_final,
    float_release,
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

static int sum_types(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts)
{
    if (small_int(args))
        *result = BP_TYPE(BP_INT64);
    else if (floating(args))
        *result = BP_TYPE(BP_FLOAT64);
    else
        *result = BP_TYPE_DECIMAL(38, args->scale);
    parts[0] = (struct bp_agg_part){NULL, floating(args) ? BP_TYPE(BP_BINARY) : *result};
    return 1;
}

const struct bp_agg_kind bp_agg_sum_kinds[] = {
    {"sum", "integer", 1, small_int, sum_types, &int_ops},
    {"sum", "bigint", 1, large_int, sum_types, &big_ops},
    {"sum", "decimal", 1, decimal, sum_types, &big_ops},
    {"sum", "double precision", 1, floating, sum_types, &float_ops},
    {0},
};
