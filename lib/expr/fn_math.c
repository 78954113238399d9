/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roots, powers, logarithms, angles; whole-number arithmetic by name. As in
 * PostgreSQL a result that does not fit a float is an error, and so is one that
 * vanishes. Decimals are computed as float64.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "expr/decimals.h"
#include "expr/function.h"
#include "expr/wide.h"

#define PER_DEGREE 0.0174532925199432957692

enum math {
    M_SQRT,
    M_CBRT,
    M_EXP,
    M_LN,
    M_LOG10,
    M_LOG2,
    M_DEGREES,
    M_RADIANS,
    M_SIGN,
    M_SIN,
    M_COS,
    M_TAN,
    M_COT,
    M_ASIN,
    M_ACOS,
    M_ATAN,
    M_SINH,
    M_COSH,
    M_TANH,
    M_ASINH,
    M_ACOSH,
    M_ATANH,
};

/* Infinite though x is not, or zero though x is not. */
static inline bool lost(double x, double y)
{
    return (isinf(y) && !isinf(x)) || (y == 0 && x != 0 && !isinf(x));
}

static bool angle(enum math op, double x, double *y)
{
    switch (op) {
    case M_SIN: *y = sin(x); break;
    case M_COS: *y = cos(x); break;
    case M_TAN: *y = tan(x); break;
    default: *y = 1 / tan(x); break;
    }
    return !isinf(x);
}

static bool inverse_angle(enum math op, double x, double *y)
{
    switch (op) {
    case M_ASIN: *y = asin(x); return !(fabs(x) > 1);
    case M_ACOS: *y = acos(x); return !(fabs(x) > 1);
    case M_ATAN: *y = atan(x); return true;
    case M_SINH: *y = sinh(x); return true;
    case M_COSH: *y = cosh(x); return true;
    case M_TANH: *y = tanh(x); return true;
    case M_ASINH: *y = asinh(x); return true;
    case M_ACOSH: *y = acosh(x); return !(x < 1);
    default: *y = atanh(x); return !(fabs(x) > 1);
    }
}

/* false: x has no value. */
static inline bool step(enum math op, double x, double *y)
{
    switch (op) {
    case M_SQRT: *y = sqrt(x); return !(x < 0);
    case M_CBRT: *y = cbrt(x); return true;
    case M_EXP: *y = exp(x); return !lost(x, *y) && (*y != 0 || isinf(x));
    case M_LN: *y = log(x); return !(x <= 0);
    case M_LOG10: *y = log10(x); return !(x <= 0);
    case M_LOG2: *y = log2(x); return !(x <= 0);
    case M_DEGREES: *y = x / PER_DEGREE; return !lost(x, *y);
    case M_RADIANS: *y = x * PER_DEGREE; return !lost(x, *y);
    case M_SIGN: *y = x > 0 ? 1 : x < 0 ? -1 : 0; return true;
    case M_SIN:
    case M_COS:
    case M_TAN:
    case M_COT: return angle(op, x, y);
    default: return inverse_angle(op, x, y);
    }
}

static int run_math(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const double *a = args[0].c.data;
    double *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (!step((enum math)r->node->op, a[i], &v[i])) {
            v[i] = 0;
            if (bp_run_is_valid(r, i))
                BP_TRY(bp_run_fail(r, i, "there is no value for %g, or it is out of range", a[i]));
        }
    return 0;
}

/* ---- of two ---- */

enum math2 { M_POWER, M_LOG, M_ATAN2 };

static bool log_to(double base, double x, double *y)
{
    *y = base == 2 ? log2(x) : base == 10 ? log10(x) : log(x) / log(base);
    return isnan(x) || isnan(base) || (x > 0 && base > 0 && base != 1);
}

static bool power(double x, double p, double *y)
{
    *y = pow(x, p);
    if ((x == 0 && p < 0) || (x < 0 && !isnan(p) && floor(p) != p))
        return false;
    return isinf(x) || isinf(p) || isnan(x) || isnan(p) || !(isinf(*y) || (*y == 0 && x != 0));
}

static inline bool step2(enum math2 op, double x, double p, double *y)
{
    switch (op) {
    case M_POWER: return power(x, p, y);
    case M_LOG: return log_to(x, p, y);
    default: *y = atan2(x, p); return true;
    }
}

static int run_math2(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const double *a = args[0].c.data, *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    double *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (!step2((enum math2)r->node->op, a[i * sa], b[i * sb], &v[i])) {
            v[i] = 0;
            if (bp_run_is_valid(r, i))
                BP_TRY(bp_run_fail(r, i, "there is no value for %g and %g, or it is out of range",
                                   a[i * sa], b[i * sb]));
        }
    return 0;
}

static int bind_pi(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    const double pi = 3.14159265358979323846;

    (void)n, (void)c;
    return bp_node_const_fixed(b, tok, BP_TYPE(BP_FLOAT64), &pi, &args[0]);
}

/* ---- whole numbers ---- */

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* op 1: least common multiple. */
static bool common(bool least, int64_t a, int64_t b, int64_t max, int64_t *v)
{
    uint64_t x = magnitude(a), y = magnitude(b), u = bp_gcd(x, y);

    *v = 0;
    if (least && u && __builtin_mul_overflow(x / u, y, &u))
        return false;
    if (u > (uint64_t)max)
        return false;
    *v = (int64_t)u;
    return true;
}

static int64_t whole(const struct bp_vec *a, int64_t i)
{
    i = a->one ? 0 : i;
    return a->c.type.kind == BP_INT32 ? ((const int32_t *)a->c.data)[i]
                                      : ((const int64_t *)a->c.data)[i];
}

static int run_common(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    bool is32 = r->node->type.kind == BP_INT32;
    int64_t v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        int64_t x = whole(&args[0], i), y = whole(&args[1], i);

        if (!common(r->node->op, x, y, is32 ? INT32_MAX : INT64_MAX, &v) && bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "the result of %lld and %lld is out of range", (long long)x,
                               (long long)y));
        if (is32)
            ((int32_t *)data)[i] = (int32_t)v;
        else
            ((int64_t *)data)[i] = v;
    }
    return 0;
}

static int bind_mod(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)n, (void)c;
    return bp_bind_operator(b, tok, "%", args[0], args[1], &args[0]);
}

/* Both of one scale. */
static int run_div(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t sa = !args[0].one, sb = !args[1].one;
    const bp_int128 *a, *b;
    struct bp_decimals d;
    bp_int128 *v;

    BP_TRY(bp_decimals_start(&d, r, args, 2, out));
    a = d.arg[0];
    b = d.arg[1];
    v = d.to;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = b[i * sb] ? a[i * sa] / b[i * sb] : 0;
        if (!b[i * sb] && bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "division by zero"));
    }
    bp_decimals_end(&d, out);
    return 0;
}

static int bind_div(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_type t = bp_promote_numbers(args[0]->type, args[1]->type);

    (void)tok, (void)n;
    BP_TRY(bp_coerce(b, &args[0], t));
    BP_TRY(bp_coerce(b, &args[1], t));
    c->type = BP_TYPE_DECIMAL(38, 0);
    return 0;
}

static int run_sign(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const bp_int128 *a;
    struct bp_decimals d;

    BP_TRY(bp_decimals_start(&d, r, args, 1, out));
    a = d.arg[0];
    for (int64_t i = 0; i < r->n; i++)
        ((bp_int128 *)d.to)[i] = (a[i] > 0) - (a[i] < 0);
    bp_decimals_end(&d, out);
    return 0;
}

static int bind_sign(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)b, (void)tok, (void)args, (void)n;
    c->type = BP_TYPE_DECIMAL(1, 0);
    return 0;
}

/* ---- width_bucket(x, low, high, count) ---- */

static double double_at(const struct bp_vec *a, int64_t i)
{
    return ((const double *)a->c.data)[a->one ? 0 : i];
}

/* NULL, or what is wrong. */
static const char *bucket(double x, double lo, double hi, int64_t count, int32_t *v)
{
    double from = lo < hi ? lo : -lo, to = lo < hi ? hi : -hi, at = lo < hi ? x : -x, part;

    *v = 0;
    if (count <= 0 || (count == INT32_MAX && at >= to))
        return "the count of buckets has to be above 0 and below 2147483647";
    if (isnan(x) || isnan(lo) || isnan(hi))
        return "operand and bounds cannot be NaN";
    if (isinf(lo) || isinf(hi) || lo == hi)
        return "the bounds have to be finite and unlike";
    if (at >= to)
        *v = (int32_t)count + 1;
    else if (at >= from) {
        part = isinf(to - from) ? (at / 2 - from / 2) / (to / 2 - from / 2)
                                : (at - from) / (to - from);
        *v = (int32_t)BP_MIN((int64_t)((double)count * part), count - 1) + 1;
    }
    return NULL;
}

static int run_bucket(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        const char *why = bucket(double_at(&args[0], i), double_at(&args[1], i),
                                 double_at(&args[2], i), whole(&args[3], i), (int32_t *)data + i);

        if (why && bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "%s", why));
    }
    return 0;
}

#define MATH(NAME, OP)                                                                             \
    {                                                                                              \
        .name = NAME, .args = {BP_FLOAT64}, .result = BP_FLOAT64, .flags = BP_FN_FALLIBLE,         \
        .op = OP, .run = run_math                                                                  \
    }
#define MATH2(NAME, OP)                                                                            \
    {                                                                                              \
        .name = NAME, .args = {BP_FLOAT64, BP_FLOAT64}, .result = BP_FLOAT64,                      \
        .flags = BP_FN_FALLIBLE, .op = OP, .run = run_math2                                        \
    }
#define COMMON(NAME, KIND, OP)                                                                     \
    {                                                                                              \
        .name = NAME, .args = {KIND, KIND}, .result = KIND, .flags = BP_FN_FALLIBLE, .op = OP,     \
        .run = run_common                                                                          \
    }

static const struct bp_fn fns[] = {
    MATH("sqrt", M_SQRT),
    MATH("cbrt", M_CBRT),
    MATH("exp", M_EXP),
    MATH("ln", M_LN),
    MATH("log", M_LOG10),
    MATH("log10", M_LOG10),
    MATH("log2", M_LOG2),
    MATH("degrees", M_DEGREES),
    MATH("radians", M_RADIANS),
    MATH("sin", M_SIN),
    MATH("cos", M_COS),
    MATH("tan", M_TAN),
    MATH("cot", M_COT),
    MATH("asin", M_ASIN),
    MATH("acos", M_ACOS),
    MATH("atan", M_ATAN),
    MATH("sinh", M_SINH),
    MATH("cosh", M_COSH),
    MATH("tanh", M_TANH),
    MATH("asinh", M_ASINH),
    MATH("acosh", M_ACOSH),
    MATH("atanh", M_ATANH),
    MATH2("log", M_LOG),
    MATH2("atan2", M_ATAN2),
    MATH2("power", M_POWER),
    MATH2("pow", M_POWER),
    {.name = "pi", .result = BP_FLOAT64, .bind = bind_pi},
    {.name = "sign",
     .args = {BP_DECIMAL},
     .result = BP_DECIMAL,
     .run = run_sign,
     .bind = bind_sign},
    {.name = "sign", .args = {BP_FLOAT64}, .result = BP_FLOAT64, .op = M_SIGN, .run = run_math},
    COMMON("gcd", BP_INT32, 0),
    COMMON("gcd", BP_INT64, 0),
    COMMON("lcm", BP_INT32, 1),
    COMMON("lcm", BP_INT64, 1),
    {.name = "mod", .args = {BP_INT, BP_INT}, .result = BP_ANY, .bind = bind_mod},
    {.name = "mod", .args = {BP_DECIMAL, BP_DECIMAL}, .result = BP_DECIMAL, .bind = bind_mod},
    {.name = "div",
     .args = {BP_DECIMAL, BP_DECIMAL},
     .result = BP_DECIMAL,
     .flags = BP_FN_FALLIBLE,
     .run = run_div,
     .bind = bind_div},
    {.name = "width_bucket",
     .args = {BP_FLOAT64, BP_FLOAT64, BP_FLOAT64, BP_INT32},
     .result = BP_INT32,
     .flags = BP_FN_FALLIBLE,
     .run = run_bucket},
};

const struct bp_fn_table bp_fns_math = {fns, BP_COUNT_OF(fns)};
