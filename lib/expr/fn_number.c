/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of numbers. As in PostgreSQL: a float rounds half to even, a decimal
 * half away from zero, and floor(integer) is a float.
 */
#include "base/simd.h"

#include <math.h>
#include <string.h>

#include "expr/decimals.h"
#include "expr/function.h"
#include "expr/wide.h"

/* ---- abs ---- */

#define ABS(S, T, MIN)                                                                             \
    static int abs_##S(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)         \
    {                                                                                              \
        const T *a = args[0].c.data;                                                               \
        T *v;                                                                                      \
        void *data;                                                                                \
        BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));                         \
        v = data;                                                                                  \
        for (int64_t i = 0; i < r->n; i++) {                                                       \
            if (a[i] == MIN) {                                                                     \
                v[i] = 0;                                                                          \
                BP_TRY(bp_run_fail(r, i, "abs(%lld) is out of range", (long long)a[i]));           \
            } else {                                                                               \
                v[i] = (T)(a[i] < 0 ? -a[i] : a[i]);                                               \
            }                                                                                      \
        }                                                                                          \
        return 0;                                                                                  \
    }
ABS(i8, int8_t, INT8_MIN)
ABS(i16, int16_t, INT16_MIN)
ABS(i32, int32_t, INT32_MIN)
ABS(i64, int64_t, INT64_MIN)

static int abs_decimal(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_decimals d;

    BP_TRY(bp_decimals_start(&d, r, args, 1, out));
    for (int64_t i = 0; i < r->n; i++)
        ((bp_uint128 *)d.to)[i] = bp_abs128(d.arg[0][i]);
    bp_decimals_end(&d, out);
    return 0;
}

/* ---- floats ---- */

enum float_op { FLOAT_ABS, FLOAT_ROUND, FLOAT_FLOOR, FLOAT_CEIL, FLOAT_TRUNC };

static inline double float_step(enum float_op op, double v)
{
    switch (op) {
    case FLOAT_ABS: return fabs(v);
    case FLOAT_ROUND: return rint(v);
    case FLOAT_FLOOR: return floor(v);
    case FLOAT_CEIL: return ceil(v);
    default: return trunc(v);
    }
}

#define FLOAT_LOOP(OP)                                                                             \
    case OP:                                                                                       \
        for (int64_t i = 0; i < n; i++)                                                            \
            v[i] = float_step(OP, a[i]);                                                           \
        break

BP_WIDE static void float_loop(enum float_op op, const double *a, double *v, int64_t n)
{
    switch (op) {
        FLOAT_LOOP(FLOAT_ABS);
        FLOAT_LOOP(FLOAT_ROUND);
        FLOAT_LOOP(FLOAT_FLOOR);
        FLOAT_LOOP(FLOAT_CEIL);
        FLOAT_LOOP(FLOAT_TRUNC);
    }
}

static int run_float(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    float_loop((enum float_op)r->node->op, args[0].c.data, data, r->n);
    return 0;
}

static int abs_f32(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const float *a = args[0].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        ((float *)data)[i] = fabsf(a[i]);
    return 0;
}

/* ---- decimals ---- */

/* Whole multiples of 10^k of the unscaled value, in one of the four ways. */
static bp_int128 cut(enum float_op op, bp_int128 v, int k)
{
    bp_int128 p, q;

    if (k > 38)
        return 0;
    p = (bp_int128)bp_ten_to[k];
    q = v / p;
    if (op == FLOAT_ROUND)
        return bp_round_pow10(v, k);
    if (op == FLOAT_FLOOR)
        return q - (v % p < 0);
    if (op == FLOAT_CEIL)
        return q + (v % p > 0);
    return q;
}

/* param: digits to keep behind the point. */
static int run_decimal(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t digits = *(const int64_t *)r->node->param;
    int have = args[0].c.type.scale, want = r->node->type.scale;
    int drop = (int)(have - digits), up = want - (int)digits;
    const bp_int128 *a, max = (bp_int128)bp_ten_to[38] - 1;
    struct bp_decimals d;
    bp_int128 *v;

    BP_TRY(bp_decimals_start(&d, r, args, 1, out));
    a = d.arg[0];
    v = d.to;
    for (int64_t i = 0; i < r->n; i++) {
        bp_int128 x = drop > 0 ? cut((enum float_op)r->node->op, a[i], drop) : a[i];
        int k = drop > 0 ? up : want - have;

        if (x && (k > 38 || __builtin_mul_overflow(x, (bp_int128)bp_ten_to[k], &x))) {
            BP_TRY(bp_run_fail(r, i, "the rounded value is out of range"));
            x = 0;
        }
        v[i] = x;
        if (x > max || x < -max)
            BP_TRY(bp_run_fail(r, i, "the rounded value is out of range"));
    }
    bp_decimals_end(&d, out);
    return 0;
}

/* round(x), round(x, n) and its kin: n, a constant, decides the scale. */
static int bind_decimal(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    struct bp_type t = args[0]->type;
    int64_t *digits = bp_arena_alloc(&b->e->mem, sizeof *digits, b->err);
    int whole;

    if (!digits)
        return b->err->code;
    if (*n > 1 && !bp_node_const_int(args[1], digits))
        return bp_bind_fail(b, args[1]->tok < 0 ? tok : args[1]->tok,
                            "the number of digits has to be a constant");
    if (*digits > 38 || *digits < -38)
        return bp_bind_fail(b, args[1]->tok, "the number of digits goes from -38 to 38");
    whole = BP_MIN(t.precision - t.scale + 1, 38);
    c->type.scale = (uint8_t)BP_MAX(*digits, 0);
    c->type.precision = (uint8_t)BP_MAX(BP_MIN(whole + c->type.scale, 38), 1);
    c->type.kind = BP_DECIMAL;
    c->param = digits;
    c->fallible = whole + c->type.scale > 38 || *digits < 0;
    *n = 1;
    return 0;
}

#define DECIMAL(NAME, OP, ...)                                                                     \
    {                                                                                              \
        .name = NAME, .args = {__VA_ARGS__}, .result = BP_DECIMAL, .flags = BP_FN_CHEAP, .op = OP, \
        .run = run_decimal, .bind = bind_decimal                                                   \
    }
#define FLOAT(NAME, OP)                                                                            \
    {                                                                                              \
        .name = NAME, .args = {BP_FLOAT64}, .result = BP_FLOAT64, .flags = BP_FN_CHEAP, .op = OP,  \
        .run = run_float                                                                           \
    }
#define ABS_ROW(KIND, RUN, FLAGS)                                                                  \
    {                                                                                              \
        .name = "abs", .args = {KIND}, .result = BP_ANY, .flags = BP_FN_CHEAP | (FLAGS),           \
        .run = RUN                                                                                 \
    }

static const struct bp_fn fns[] = {
    ABS_ROW(BP_INT8, abs_i8, BP_FN_FALLIBLE),
    ABS_ROW(BP_INT16, abs_i16, BP_FN_FALLIBLE),
    ABS_ROW(BP_INT32, abs_i32, BP_FN_FALLIBLE),
    ABS_ROW(BP_INT64, abs_i64, BP_FN_FALLIBLE),
    ABS_ROW(BP_UINT8, NULL, 0),
    ABS_ROW(BP_UINT16, NULL, 0),
    ABS_ROW(BP_UINT32, NULL, 0),
    ABS_ROW(BP_UINT64, NULL, 0),
    ABS_ROW(BP_FLOAT32, abs_f32, 0),
    ABS_ROW(BP_FLOAT64, run_float, 0),
    ABS_ROW(BP_DECIMAL, abs_decimal, 0),
    FLOAT("round", FLOAT_ROUND),
    FLOAT("floor", FLOAT_FLOOR),
    FLOAT("ceil", FLOAT_CEIL),
    FLOAT("ceiling", FLOAT_CEIL),
    FLOAT("trunc", FLOAT_TRUNC),
    DECIMAL("round", FLOAT_ROUND, BP_DECIMAL),
    DECIMAL("round", FLOAT_ROUND, BP_DECIMAL, BP_INT),
    DECIMAL("floor", FLOAT_FLOOR, BP_DECIMAL),
    DECIMAL("ceil", FLOAT_CEIL, BP_DECIMAL),
    DECIMAL("ceiling", FLOAT_CEIL, BP_DECIMAL),
    DECIMAL("trunc", FLOAT_TRUNC, BP_DECIMAL),
    DECIMAL("trunc", FLOAT_TRUNC, BP_DECIMAL, BP_INT),
};

const struct bp_fn_table bp_fns_number = {fns, BP_COUNT_OF(fns)};
