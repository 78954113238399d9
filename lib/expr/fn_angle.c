/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Angles in degrees, exact where a person expects it (sind(30) is 0.5), after PostgreSQL's
 * scheme: a quarter of the circle is computed from sines below 30 and cosines below 60 degrees,
 * each divided by what the same function makes of the corner. And what is told of decimals.
 */
#include <math.h>
#include <string.h>

#include "expr/function.h"
#include "expr/wide.h"

#define PER_DEGREE 0.0174532925199432957692

/* Not to be folded by the compiler, whose arithmetic may differ in the last bit. */
static volatile const double one = 1.0, half = 0.5, d30 = 30.0, d45 = 45.0, d60 = 60.0;

/* 0 <= x <= 90 */
static double sine_low(double x)
{
    return sin(x * PER_DEGREE) / sin(d30 * PER_DEGREE) / 2;
}

static double cosine_low(double x)
{
    return 1 - (1 - cos(x * PER_DEGREE)) / (1 - cos(d60 * PER_DEGREE)) / 2;
}

static double sine_quarter(double x)
{
    return x <= 30 ? sine_low(x) : cosine_low(90 - x);
}

static double cosine_quarter(double x)
{
    return x <= 60 ? cosine_low(x) : sine_low(90 - x);
}

static double arc_sine_quarter(double x)
{
    return x <= 0.5 ? asin(x) / asin(half) * 30 : 90 - acos(x) / acos(half) * 60;
}

static double arc_cosine_quarter(double x)
{
    return x <= 0.5 ? 90 - asin(x) / asin(half) * 30 : acos(x) / acos(half) * 60;
}

enum angle { SIND, COSD, TAND, COTD, ASIND, ACOSD, ATAND };

static double circle(enum angle op, double x)
{
    double sine = 1, cosine = 1, y;

    x = fmod(x, 360);
    if (x < 0) {
        x = -x;
        sine = -1;
    }
    if (x > 180) {
        x = 360 - x;
        sine = -sine;
    }
    if (x > 90) {
        x = 180 - x;
        cosine = -1;
    }
    switch (op) {
    case SIND: return sine * sine_quarter(x);
    case COSD: return cosine * cosine_quarter(x);
    case TAND:
        y = sine_quarter(x) / cosine_quarter(x) / (sine_quarter(d45) / cosine_quarter(d45));
        break;
    default:
        y = cosine_quarter(x) / sine_quarter(x) / (cosine_quarter(d45) / sine_quarter(d45));
        break;
    }
    y *= sine * cosine;
    return y == 0 ? 0 : y; /* never -0 */
}

/* false: there is no angle. */
static bool angle(enum angle op, double x, double *y)
{
    switch (op) {
    case ASIND: *y = x >= 0 ? arc_sine_quarter(x) : -arc_sine_quarter(-x); return !(fabs(x) > 1);
    case ACOSD:
        *y = x >= 0 ? arc_cosine_quarter(x) : 90 + arc_sine_quarter(-x);
        return !(fabs(x) > 1);
    case ATAND: *y = atan(x) / atan(one) * 45; return true;
    default: *y = isnan(x) ? x : circle(op, x); return !isinf(x);
    }
}

static int run_angle(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const double *a = args[0].c.data;
    double *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = 0;
        if (bp_run_is_valid(r, i) && !angle((enum angle)r->node->op, a[i], &v[i])) {
            v[i] = 0;
            BP_TRY(bp_run_fail(r, i, "there is no value for %g", a[i]));
        }
    }
    return 0;
}

static int run_atan2d(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const double *a = args[0].c.data, *b = args[1].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        ((double *)data)[i] =
            atan2(a[args[0].one ? 0 : i], b[args[1].one ? 0 : i]) / atan(one) * 45;
    return 0;
}

/* isnan, isinf (op 1), isfinite (op 2) */
static int run_odd(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const double *a = args[0].c.data;
    void *bits;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        bp_bit_put(bits, i,
                   r->node->op == 2 ? isfinite(a[i]) != 0
                   : r->node->op    ? isinf(a[i]) != 0
                                    : isnan(a[i]) != 0);
    return 0;
}

/* ---- decimals ---- */

static int run_factorial(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data;
    bp_int128 *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = 1;
        if ((a[i] < 0 || a[i] > 33) && bp_run_is_valid(r, i)) {
            BP_TRY(bp_run_fail(r, i, "the factorial of %lld has no value of 38 digits",
                               (long long)a[i]));
            continue;
        }
        for (int64_t k = 2; k <= a[i] && k <= 33; k++)
            v[i] *= k;
    }
    return 0;
}

static int bind_whole(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)b, (void)tok, (void)args, (void)n;
    c->type = BP_TYPE_DECIMAL(38, 0);
    return 0;
}

/* scale: digits behind the point as declared; min_scale (op 1): those that are needed. */
static int run_scale(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        bp_int128 x = bp_column_decimal(&args[0].c, i);

        v[i] = args[0].c.type.scale;
        for (; r->node->op && v[i] > 0 && x % 10 == 0; v[i]--)
            x /= 10;
    }
    return 0;
}

#define ANGLE(NAME, OP)                                                                            \
    {                                                                                              \
        .name = NAME, .args = {BP_FLOAT64}, .result = BP_FLOAT64, .flags = BP_FN_FALLIBLE,         \
        .op = OP, .run = run_angle                                                                 \
    }

static const struct bp_fn fns[] = {
    ANGLE("sind", SIND),
    ANGLE("cosd", COSD),
    ANGLE("tand", TAND),
    ANGLE("cotd", COTD),
    ANGLE("asind", ASIND),
    ANGLE("acosd", ACOSD),
    ANGLE("atand", ATAND),
    {.name = "atan2d", .args = {BP_FLOAT64, BP_FLOAT64}, .result = BP_FLOAT64, .run = run_atan2d},
    {.name = "isnan", .args = {BP_FLOAT64}, .result = BP_BOOL, .run = run_odd},
    {.name = "isfinite", .args = {BP_FLOAT64}, .result = BP_BOOL, .run = run_odd, .op = 2},
    {.name = "isinf", .args = {BP_FLOAT64}, .result = BP_BOOL, .run = run_odd, .op = 1},
    {.name = "factorial",
     .args = {BP_INT64},
     .result = BP_DECIMAL,
     .flags = BP_FN_FALLIBLE,
     .run = run_factorial,
     .bind = bind_whole},
    {.name = "scale", .args = {BP_DECIMAL}, .result = BP_INT32, .run = run_scale},
    {.name = "min_scale", .args = {BP_DECIMAL}, .result = BP_INT32, .run = run_scale, .op = 1},
};

const struct bp_fn_table bp_fns_angle = {fns, BP_COUNT_OF(fns)};
