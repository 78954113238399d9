/* SPDX-License-Identifier: Apache-2.0 */
/*
 * + - * / % of whole numbers and floats. A loop computes all rows and gathers
 * whether any of them failed; only then the rows are looked at one by one to
 * find which. As in PostgreSQL, an integer result that does not fit, a division
 * by zero, and a float that overflows or vanishes are errors.
 */
#include "base/simd.h"

#include <math.h>
#include <string.h>

#include "col/text.h"
#include "expr/bind.h"

/* One step: the value into *r, true if it failed. W is a type that holds + - *
 * of two T; the 64-bit types have none and use the compiler's checks. */
#define STEPS(S, T, W)                                                                             \
    static inline bool add_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        W w = (W)((W)a + (W)b);                                                                    \
        *r = (T)w;                                                                                 \
        return (W)*r != w;                                                                         \
    }                                                                                              \
    static inline bool sub_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        W w = (W)((W)a - (W)b);                                                                    \
        *r = (T)w;                                                                                 \
        return (W)*r != w;                                                                         \
    }                                                                                              \
    static inline bool mul_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        W w = (W)((W)a * (W)b);                                                                    \
        *r = (T)w;                                                                                 \
        return (W)*r != w;                                                                         \
    }
#define STEPS_CHECKED(S, T)                                                                        \
    static inline bool mul_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        return __builtin_mul_overflow(a, b, r);                                                    \
    }

STEPS(i8, int8_t, int32_t)
STEPS(i16, int16_t, int32_t)
STEPS(i32, int32_t, int64_t)
STEPS(u8, uint8_t, int32_t)
STEPS(u16, uint16_t, int64_t)
STEPS_CHECKED(i64, int64_t)
STEPS_CHECKED(u64, uint64_t)

static inline bool add_i64(int64_t a, int64_t b, int64_t *r)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b, s = x + y;

    *r = (int64_t)s;
    return ((x ^ s) & (y ^ s)) >> 63;
}
static inline bool sub_i64(int64_t a, int64_t b, int64_t *r)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b, s = x - y;

    *r = (int64_t)s;
    return ((x ^ y) & (x ^ s)) >> 63;
}
static inline bool add_u64(uint64_t a, uint64_t b, uint64_t *r)
{
    *r = a + b;
    return *r < a;
}
static inline bool sub_u64(uint64_t a, uint64_t b, uint64_t *r)
{
    *r = a - b;
    return a < b;
}
static inline bool add_u32(uint32_t a, uint32_t b, uint32_t *r)
{
    *r = a + b;
    return *r < a;
}
static inline bool sub_u32(uint32_t a, uint32_t b, uint32_t *r)
{
    *r = a - b;
    return a < b;
}
static inline bool mul_u32(uint32_t a, uint32_t b, uint32_t *r)
{
    uint64_t w = (uint64_t)a * b;

    *r = (uint32_t)w;
    return w >> 32 != 0;
}

/* MIN / -1 does not fit; MIN % -1 is 0. */
#define STEPS_DIV(S, T, IS_MIN)                                                                    \
    static inline bool div_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        bool bad = b == 0 || (b == (T)-1 && IS_MIN);                                               \
        *r = (T)(a / (T)(bad ? 1 : b));                                                            \
        return bad;                                                                                \
    }                                                                                              \
    static inline bool mod_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        bool one = b == 0 || (b == (T)-1 && IS_MIN);                                               \
        *r = (T)(a % (T)(one ? 1 : b));                                                            \
        return b == 0;                                                                             \
    }
STEPS_DIV(i8, int8_t, a == INT8_MIN)
STEPS_DIV(i16, int16_t, a == INT16_MIN)
STEPS_DIV(i32, int32_t, a == INT32_MIN)
STEPS_DIV(i64, int64_t, a == INT64_MIN)
STEPS_DIV(u8, uint8_t, false)
STEPS_DIV(u16, uint16_t, false)
STEPS_DIV(u32, uint32_t, false)
STEPS_DIV(u64, uint64_t, false)

#define STEPS_FLOAT(S, T, INF)                                                                     \
    static inline bool add_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        *r = a + b;                                                                                \
        return (*r == INF || *r == -INF) & (a != INF) & (a != -INF) & (b != INF) & (b != -INF);    \
    }                                                                                              \
    static inline bool sub_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        return add_##S(a, -b, r);                                                                  \
    }                                                                                              \
    static inline bool mul_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        *r = a * b;                                                                                \
        return ((*r == INF || *r == -INF) & (a != INF) & (a != -INF) & (b != INF) & (b != -INF)) | \
               ((*r == 0) & (a != 0) & (b != 0));                                                  \
    }                                                                                              \
    static inline bool div_##S(T a, T b, T *r)                                                     \
    {                                                                                              \
        *r = a / b;                                                                                \
        return ((b == 0) & (a == a)) | ((*r == INF || *r == -INF) & (a != INF) & (a != -INF)) |    \
               ((*r == 0) & (a != 0) & (b != INF) & (b != -INF));                                  \
    }
STEPS_FLOAT(f32, float, HUGE_VALF)
STEPS_FLOAT(f64, double, HUGE_VAL)

/* ---- loops ---- */

#define LOOP(NAME, STEP, T, A, B)                                                                  \
    BP_WIDE static bool NAME(const T *a, const T *b, T *r, int64_t n)                              \
    {                                                                                              \
        uint8_t bad = 0;                                                                           \
        for (int64_t i = 0; i < n; i++)                                                            \
            bad |= (uint8_t)STEP(A, B, &r[i]);                                                     \
        return bad;                                                                                \
    }
#define LOOPS(OP, S, T)                                                                            \
    LOOP(OP##_vv_##S, OP##_##S, T, a[i], b[i])                                                     \
    LOOP(OP##_vc_##S, OP##_##S, T, a[i], *b)                                                       \
    LOOP(OP##_cv_##S, OP##_##S, T, *a, b[i])                                                       \
    static bool OP##_all_##S(const void *a, bool a_one, const void *b, bool b_one, void *r,        \
                             int64_t n)                                                            \
    {                                                                                              \
        return (b_one ? OP##_vc_##S : a_one ? OP##_cv_##S : OP##_vv_##S)(a, b, r, n);              \
    }                                                                                              \
    static bool OP##_one_##S(const void *a, const void *b)                                         \
    {                                                                                              \
        T r;                                                                                       \
        return OP##_##S(*(const T *)a, *(const T *)b, &r);                                         \
    }
#define INT_LOOPS(S, T)                                                                            \
    LOOPS(add, S, T) LOOPS(sub, S, T) LOOPS(mul, S, T) LOOPS(div, S, T) LOOPS(mod, S, T)
#define FLOAT_LOOPS(S, T) LOOPS(add, S, T) LOOPS(sub, S, T) LOOPS(mul, S, T) LOOPS(div, S, T)

INT_LOOPS(i8, int8_t)
INT_LOOPS(i16, int16_t)
INT_LOOPS(i32, int32_t)
INT_LOOPS(i64, int64_t)
INT_LOOPS(u8, uint8_t)
INT_LOOPS(u16, uint16_t)
INT_LOOPS(u32, uint32_t)
INT_LOOPS(u64, uint64_t)
FLOAT_LOOPS(f32, float)
FLOAT_LOOPS(f64, double)

struct loop {
    bool (*all)(const void *a, bool a_one, const void *b, bool b_one, void *r, int64_t n);
    bool (*one)(const void *a, const void *b); /* whether this pair fails */
};
#define ROW(S)                                                                                     \
    {                                                                                              \
        {add_all_##S, add_one_##S}, {sub_all_##S, sub_one_##S}, {mul_all_##S, mul_one_##S},        \
            {div_all_##S, div_one_##S},                                                            \
    }
#define INT_ROW(S)                                                                                 \
    {                                                                                              \
        {add_all_##S, add_one_##S}, {sub_all_##S, sub_one_##S}, {mul_all_##S, mul_one_##S},        \
            {div_all_##S, div_one_##S}, {mod_all_##S, mod_one_##S},                                \
    }
static const struct loop loops[BP_N_KINDS][5] = {
    [BP_INT8] = INT_ROW(i8),    [BP_INT16] = INT_ROW(i16),  [BP_INT32] = INT_ROW(i32),
    [BP_INT64] = INT_ROW(i64),  [BP_UINT8] = INT_ROW(u8),   [BP_UINT16] = INT_ROW(u16),
    [BP_UINT32] = INT_ROW(u32), [BP_UINT64] = INT_ROW(u64), [BP_FLOAT32] = ROW(f32),
    [BP_FLOAT64] = ROW(f64),
};

/* ---- the kernel ---- */

static bool is_zero(struct bp_type t, const void *p)
{
    if (t.kind == BP_FLOAT32)
        return *(const float *)p == 0;
    if (t.kind == BP_FLOAT64)
        return *(const double *)p == 0;
    for (size_t i = 0; i < bp_type_width_bytes(t); i++)
        if (((const uint8_t *)p)[i])
            return false;
    return true;
}

static int fail_row(struct bp_run *r, int64_t i, const void *a, const void *b)
{
    static const char signs[] = "+-*/%";
    struct bp_type t = r->node->type;
    char x[BP_TEXT_MAX + 1], y[BP_TEXT_MAX + 1], name[BP_TYPE_NAME_MAX];

    x[bp_text_format(t, a, x)] = '\0';
    y[bp_text_format(t, b, y)] = '\0';
    if (r->node->op >= BP_DIV && is_zero(t, b))
        return bp_run_fail(r, i, "division by zero: %s %c %s", x, signs[r->node->op], y);
    return bp_run_fail(r, i, "%s %c %s is out of range for %s", x, signs[r->node->op], y,
                       bp_type_name(t, name));
}

static int run_arith(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_type t = r->node->type;
    const struct loop *l = &loops[t.kind][r->node->op];
    const uint8_t *a = args[0].c.data, *b = args[1].c.data;
    size_t w = bp_type_width_bytes(t), wa = args[0].one ? 0 : w, wb = args[1].one ? 0 : w;
    void *data;

    BP_TRY(bp_vec_fixed(out, t, r->n, &data, r->ev->err));
    if (!l->all(a, args[0].one, b, args[1].one, data, r->n))
        return 0;
    for (int64_t i = 0; i < r->n; i++, a += wa, b += wb)
        if (bp_run_is_valid(r, i) && l->one(a, b))
            BP_TRY(fail_row(r, i, a, b));
    return 0;
}

bp_kernel bp_arith_kernel(int kind)
{
    return loops[kind][0].all ? run_arith : NULL;
}

/* ---- minus ---- */

#define NEGATE(S, T, MIN)                                                                          \
    static int negate_##S(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)      \
    {                                                                                              \
        const T *a = args[0].c.data;                                                               \
        char name[BP_TYPE_NAME_MAX];                                                               \
        void *data;                                                                                \
        BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));                         \
        for (int64_t i = 0; i < r->n; i++) {                                                       \
            if (MIN && bp_run_is_valid(r, i))                                                      \
                BP_TRY(bp_run_fail(r, i, "the value is out of range for %s",                       \
                                   bp_type_name(r->node->type, name)));                            \
            ((T *)data)[i] = (T)(MIN ? 0 : -a[i]);                                                 \
        }                                                                                          \
        return 0;                                                                                  \
    }
NEGATE(i8, int8_t, a[i] == INT8_MIN)
NEGATE(i16, int16_t, a[i] == INT16_MIN)
NEGATE(i32, int32_t, a[i] == INT32_MIN)
NEGATE(i64, int64_t, a[i] == INT64_MIN)
NEGATE(f32, float, false)
NEGATE(f64, double, false)

bp_kernel bp_negate_kernel(int kind)
{
    switch (kind) {
    case BP_INT8: return negate_i8;
    case BP_INT16: return negate_i16;
    case BP_INT32: return negate_i32;
    case BP_INT64: return negate_i64;
    case BP_FLOAT32: return negate_f32;
    case BP_FLOAT64: return negate_f64;
    case BP_DECIMAL: return bp_run_decimal_negate;
    default: return NULL;
    }
}
