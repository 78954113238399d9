/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers to numbers, and booleans to whole numbers and back. As in PostgreSQL
 * floats become whole numbers half to even, decimals half away from zero, and
 * floats become decimals by their 15 (float32: 6) significant digits.
 */
#include "base/simd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "col/text.h"
#include "expr/cast.h"
#include "expr/decimals.h"
#include "expr/wide.h"

/* Run all; if any failed, again row by row to say which. Decimals have 128 bits here. */
typedef bool (*convert)(const void *a, void *r, int64_t n, struct bp_type from, struct bp_type to);

static int run_convert(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const convert *f = r->node->param;
    struct bp_type from = args[0].c.type, to = r->node->type;
    size_t w = from.kind == BP_DECIMAL ? sizeof(bp_int128) : bp_type_width_bytes(from);
    struct bp_decimals d;
    uint8_t scratch[16];
    const uint8_t *a;

    BP_TRY(bp_decimals_start(&d, r, args, 1, out));
    a = (const uint8_t *)d.arg[0];
    if ((*f)(a, d.to, r->n, from, to))
        for (int64_t i = 0; i < r->n; i++)
            if (bp_run_is_valid(r, i) && (*f)(a + (size_t)i * w, scratch, 1, from, to))
                BP_TRY(bp_cast_fail(r, i, &args[0], true));
    bp_decimals_end(&d, out);
    return 0;
}

/* ---- whole numbers ---- */

#define INT_INT(SA, TA, SB, TB)                                                                    \
    BP_WIDE static bool SA##_##SB(const void *pa, void *pr, int64_t n, struct bp_type from,        \
                                  struct bp_type to)                                               \
    {                                                                                              \
        const TA *a = pa;                                                                          \
        TB *r = pr;                                                                                \
        uint8_t bad = 0;                                                                           \
        (void)from, (void)to;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                          \
            r[i] = (TB)a[i];                                                                       \
            bad |= (uint8_t)(((TA)r[i] != a[i]) | ((r[i] < (TB)1) != (a[i] < (TA)1)));             \
        }                                                                                          \
        return bad;                                                                                \
    }
#define INT_FLOAT(SA, TA, SB, TB)                                                                  \
    BP_WIDE static bool SA##_##SB(const void *pa, void *pr, int64_t n, struct bp_type from,        \
                                  struct bp_type to)                                               \
    {                                                                                              \
        const TA *a = pa;                                                                          \
        TB *r = pr;                                                                                \
        (void)from, (void)to;                                                                      \
        for (int64_t i = 0; i < n; i++)                                                            \
            r[i] = (TB)a[i];                                                                       \
        return false;                                                                              \
    }
/* [LO, HI) are the floats that fit, exactly representable. */
#define FLOAT_INT(SA, TA, SB, TB, LO, HI)                                                          \
    static bool SA##_##SB(const void *pa, void *pr, int64_t n, struct bp_type from,                \
                          struct bp_type to)                                                       \
    {                                                                                              \
        const TA *a = pa;                                                                          \
        TB *r = pr;                                                                                \
        bool bad = false;                                                                          \
        (void)from, (void)to;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                          \
            double v = rint((double)a[i]);                                                         \
            bool ok = v >= LO && v < HI;                                                           \
            r[i] = (TB)(ok ? v : 0);                                                               \
            bad |= !ok;                                                                            \
        }                                                                                          \
        return bad;                                                                                \
    }
#define INT_DECIMAL(SA, TA)                                                                        \
    static bool SA##_dec(const void *pa, void *pr, int64_t n, struct bp_type from,                 \
                         struct bp_type to)                                                        \
    {                                                                                              \
        const TA *a = pa;                                                                          \
        bp_int128 *r = pr, p = (bp_int128)bp_ten_to[to.scale];                                     \
        bp_int128 max = (bp_int128)bp_ten_to[to.precision - to.scale] - 1;                         \
        bool bad = false;                                                                          \
        (void)from;                                                                                \
        for (int64_t i = 0; i < n; i++) {                                                          \
            bp_int128 v = (bp_int128)a[i];                                                         \
            bool ok = v <= max && v >= -max;                                                       \
            r[i] = ok ? v * p : 0;                                                                 \
            bad |= !ok;                                                                            \
        }                                                                                          \
        return bad;                                                                                \
    }
#define DECIMAL_INT(SB, TB, LO, HI)                                                                \
    static bool dec_##SB(const void *pa, void *pr, int64_t n, struct bp_type from,                 \
                         struct bp_type to)                                                        \
    {                                                                                              \
        const bp_int128 *a = pa;                                                                   \
        TB *r = pr;                                                                                \
        bool bad = false;                                                                          \
        (void)to;                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                          \
            bp_int128 v = bp_round_pow10(a[i], from.scale);                                        \
            bool ok = v >= (bp_int128)LO && v <= (bp_int128)HI;                                    \
            r[i] = (TB)(ok ? v : 0);                                                               \
            bad |= !ok;                                                                            \
        }                                                                                          \
        return bad;                                                                                \
    }
#define FROM_INT(SA, TA)                                                                           \
    INT_INT(SA, TA, i8, int8_t)                                                                    \
    INT_INT(SA, TA, i16, int16_t)                                                                  \
    INT_INT(SA, TA, i32, int32_t)                                                                  \
    INT_INT(SA, TA, i64, int64_t)                                                                  \
    INT_INT(SA, TA, u8, uint8_t)                                                                   \
    INT_INT(SA, TA, u16, uint16_t)                                                                 \
    INT_INT(SA, TA, u32, uint32_t)                                                                 \
    INT_INT(SA, TA, u64, uint64_t)                                                                 \
    INT_FLOAT(SA, TA, f32, float)                                                                  \
    INT_FLOAT(SA, TA, f64, double)                                                                 \
    INT_DECIMAL(SA, TA)
#define FROM_FLOAT(SA, TA)                                                                         \
    FLOAT_INT(SA, TA, i8, int8_t, -128.0, 128.0)                                                   \
    FLOAT_INT(SA, TA, i16, int16_t, -32768.0, 32768.0)                                             \
    FLOAT_INT(SA, TA, i32, int32_t, -2147483648.0, 2147483648.0)                                   \
    FLOAT_INT(SA, TA, i64, int64_t, -9223372036854775808.0, 9223372036854775808.0)                 \
    FLOAT_INT(SA, TA, u8, uint8_t, 0.0, 256.0)                                                     \
    FLOAT_INT(SA, TA, u16, uint16_t, 0.0, 65536.0)                                                 \
    FLOAT_INT(SA, TA, u32, uint32_t, 0.0, 4294967296.0)                                            \
    FLOAT_INT(SA, TA, u64, uint64_t, 0.0, 18446744073709551616.0)

FROM_INT(i8, int8_t)
FROM_INT(i16, int16_t)
FROM_INT(i32, int32_t)
FROM_INT(i64, int64_t)
FROM_INT(u8, uint8_t)
FROM_INT(u16, uint16_t)
FROM_INT(u32, uint32_t)
FROM_INT(u64, uint64_t)
FROM_FLOAT(f32, float)
FROM_FLOAT(f64, double)
DECIMAL_INT(i8, int8_t, INT8_MIN, INT8_MAX)
DECIMAL_INT(i16, int16_t, INT16_MIN, INT16_MAX)
DECIMAL_INT(i32, int32_t, INT32_MIN, INT32_MAX)
DECIMAL_INT(i64, int64_t, INT64_MIN, INT64_MAX)
DECIMAL_INT(u8, uint8_t, 0, UINT8_MAX)
DECIMAL_INT(u16, uint16_t, 0, UINT16_MAX)
DECIMAL_INT(u32, uint32_t, 0, UINT32_MAX)
DECIMAL_INT(u64, uint64_t, 0, UINT64_MAX)

/* ---- floats ---- */

BP_WIDE static bool f32_f64(const void *pa, void *pr, int64_t n, struct bp_type from,
                            struct bp_type to)
{
    const float *a = pa;
    double *r = pr;

    (void)from, (void)to;
    for (int64_t i = 0; i < n; i++)
        r[i] = (double)a[i];
    return false;
}

BP_WIDE static bool f64_f32(const void *pa, void *pr, int64_t n, struct bp_type from,
                            struct bp_type to)
{
    const double *a = pa;
    float *r = pr;
    uint8_t bad = 0;

    (void)from, (void)to;
    for (int64_t i = 0; i < n; i++) {
        r[i] = (float)a[i];
        bad |= (uint8_t)((isinf(r[i]) && !isinf(a[i])) | ((r[i] == 0) & (a[i] != 0)));
    }
    return bad;
}

static const double exact_pow10[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Correctly rounded: exact operands where they are, else through the digits. */
static double decimal_to_double(bp_int128 v, int scale)
{
    const int64_t exact = INT64_C(1) << 53;
    char text[BP_TEXT_MAX];
    double d = 0;

    if (scale <= 22 && v <= exact && v >= -exact)
        return (double)(int64_t)v / exact_pow10[scale];
    bp_parse_float64(text, bp_format_decimal(v, scale, text), &d);
    return d;
}

static bool dec_f64(const void *pa, void *pr, int64_t n, struct bp_type from, struct bp_type to)
{
    const bp_int128 *a = pa;
    double *r = pr;

    (void)to;
    for (int64_t i = 0; i < n; i++)
        r[i] = decimal_to_double(a[i], from.scale);
    return false;
}

static bool dec_f32(const void *pa, void *pr, int64_t n, struct bp_type from, struct bp_type to)
{
    const bp_int128 *a = pa;
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        double d = decimal_to_double(a[i], from.scale);

        bad |= f64_f32(&d, (float *)pr + i, 1, from, to);
    }
    return bad;
}

/* ---- decimals ---- */

/* v with scale `have` as one of `want`, rounded; false if it has more digits. */
static bool rescale(bp_int128 v, int have, struct bp_type to, bp_int128 *r)
{
    bp_int128 max = (bp_int128)bp_ten_to[to.precision] - 1;

    if (have >= to.scale)
        *r = bp_round_pow10(v, have - to.scale);
    else if (__builtin_mul_overflow(v, (bp_int128)bp_ten_to[to.scale - have], r))
        return false;
    return *r <= max && *r >= -max;
}

static bool dec_dec(const void *pa, void *pr, int64_t n, struct bp_type from, struct bp_type to)
{
    const bp_int128 *a = pa;
    bp_int128 *r = pr;
    bool bad = false;

    for (int64_t i = 0; i < n; i++)
        if (!rescale(a[i], from.scale, to, &r[i])) {
            r[i] = 0;
            bad = true;
        }
    return bad;
}

static bool double_to_decimal(double v, int digits, struct bp_type to, bp_int128 *r)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%.*g", digits, v), scale;
    bp_int128 d;

    *r = 0;
    if (!isfinite(v))
        return false;
    if (bp_decimal_parse_any(text, (size_t)n, &d, &scale) != BP_TEXT_OK)
        return fabs(v) < 1e-38; /* too small for any digit to stay */
    if (rescale(d, scale, to, r))
        return true;
    *r = 0;
    return false;
}

static bool f64_dec(const void *pa, void *pr, int64_t n, struct bp_type from, struct bp_type to)
{
    bool bad = false;

    (void)from;
    for (int64_t i = 0; i < n; i++)
        bad |= !double_to_decimal(((const double *)pa)[i], 15, to, (bp_int128 *)pr + i);
    return bad;
}

static bool f32_dec(const void *pa, void *pr, int64_t n, struct bp_type from, struct bp_type to)
{
    bool bad = false;

    (void)from;
    for (int64_t i = 0; i < n; i++)
        bad |= !double_to_decimal((double)((const float *)pa)[i], 6, to, (bp_int128 *)pr + i);
    return bad;
}

/* ---- the table ---- */

#define ROW_INT(S)                                                                                 \
    {                                                                                              \
        S##_i8, S##_i16, S##_i32, S##_i64, S##_u8, S##_u16, S##_u32, S##_u64, S##_f32, S##_f64,    \
            S##_dec                                                                                \
    }
static const convert converts[11][11] = {
    ROW_INT(i8),
    ROW_INT(i16),
    ROW_INT(i32),
    ROW_INT(i64),
    ROW_INT(u8),
    ROW_INT(u16),
    ROW_INT(u32),
    ROW_INT(u64),
    {f32_i8, f32_i16, f32_i32, f32_i64, f32_u8, f32_u16, f32_u32, f32_u64, NULL, f32_f64, f32_dec},
    {f64_i8, f64_i16, f64_i32, f64_i64, f64_u8, f64_u16, f64_u32, f64_u64, f64_f32, NULL, f64_dec},
    {dec_i8, dec_i16, dec_i32, dec_i64, dec_u8, dec_u16, dec_u32, dec_u64, dec_f32, dec_f64,
     dec_dec},
};

/* Whether some value of `from` has no place in `to`. */
static bool may_fail(struct bp_type from, struct bp_type to)
{
    struct bp_type t;

    if (to.kind == BP_FLOAT64 || (to.kind == BP_FLOAT32 && bp_type_is_int(from)))
        return false;
    if (from.kind == BP_DECIMAL && to.kind == BP_DECIMAL && to.scale < from.scale)
        return true; /* rounding may carry */
    t = bp_promote_numbers(from, to);
    if (bp_type_is_int(from) && to.kind == BP_DECIMAL) /* enough whole digits? */
        return t.precision - t.scale > to.precision - to.scale;
    return !bp_type_equal(t, to);
}

/* ---- booleans ---- */

static int run_bool_int(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const uint8_t *a = args[0].c.data;
    size_t w = bp_type_width_bytes(r->node->type);
    uint8_t *to;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    to = data;
    memset(to, 0, (size_t)r->n * w);
    for (int64_t i = 0; i < r->n; i++)
        to[(size_t)i * w] = bp_bit_get(a, i);
    return 0;
}

static int run_int_bool(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    size_t w = bp_type_width_bytes(args[0].c.type);
    const uint8_t *a = args[0].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    memset(data, 0, bp_bits_bytes(r->n));
    for (int64_t i = 0; i < r->n; i++) {
        uint64_t v = 0;

        memcpy(&v, a + (size_t)i * w, w);
        bp_bit_put(data, i, v != 0);
    }
    return 0;
}

/* ---- rescaling that saturates, for comparisons ---- */

static int run_widen_decimal(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    bp_int128 *to, p = (bp_int128)bp_ten_to[r->node->type.scale - args[0].c.type.scale];
    const bp_int128 max = (bp_int128)(~(bp_uint128)0 >> 1), *a;
    struct bp_decimals d;

    BP_TRY(bp_decimals_start(&d, r, args, 1, out));
    a = d.arg[0];
    to = d.to;
    for (int64_t i = 0; i < r->n; i++)
        if (__builtin_mul_overflow(a[i], p, &to[i]))
            to[i] = a[i] < 0 ? -max : max;
    bp_decimals_end(&d, out);
    return 0;
}

static int run_widen_unit(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_type from = args[0].c.type, to = r->node->type;
    int64_t p =
        bp_unit_per_second(to.unit) / (from.kind == BP_DATE ? 1 : bp_unit_per_second(from.unit));
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, to, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t a = from.kind == BP_DATE ? ((const int32_t *)args[0].c.data)[i] * INT64_C(86400)
                                         : ((const int64_t *)args[0].c.data)[i];

        if (__builtin_mul_overflow(a, p, &v[i]))
            v[i] = a < 0 ? INT64_MIN : INT64_MAX;
    }
    return 0;
}

int bp_bind_widen(struct bp_bind *b, struct bp_node **nd, struct bp_type to)
{
    struct bp_node *n = *nd;
    struct bp_call c = {.type = to, .run = run_widen_unit};

    if (n->kind == BP_N_LITERAL || bp_type_equal(n->type, to))
        return bp_coerce(b, nd, to);
    if (to.kind == BP_DECIMAL) {
        if (n->type.kind != BP_DECIMAL)
            BP_TRY(bp_coerce(b, nd, bp_promote_numbers(n->type, BP_TYPE_DECIMAL(1, 0))));
        if ((*nd)->type.scale == to.scale &&
            bp_type_is_decimal64((*nd)->type) == bp_type_is_decimal64(to))
            return 0;
        c.run = run_widen_decimal;
        return bp_node_call(b, n->tok, &c, nd, 1, nd);
    }
    if (to.kind != BP_TIMESTAMP && to.kind != BP_TIMESTAMPTZ && to.kind != BP_TIME)
        return bp_coerce(b, nd, to);
    return bp_node_call(b, n->tok, &c, nd, 1, nd);
}

bool bp_cast_number(struct bp_type from, struct bp_type to, struct bp_call *c)
{
    if (bp_type_is_number(from) && bp_type_is_number(to)) {
        c->run = run_convert;
        c->param = &converts[from.kind - BP_INT8][to.kind - BP_INT8];
        c->fallible = may_fail(from, to);
        return true;
    }
    if (from.kind == BP_BOOL && bp_type_is_int(to))
        c->run = run_bool_int;
    else if (bp_type_is_int(from) && to.kind == BP_BOOL)
        c->run = run_int_bool;
    return c->run != NULL;
}
