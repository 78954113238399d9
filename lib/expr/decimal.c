/* SPDX-License-Identifier: Apache-2.0 */
/*
 * + - * / % of decimals. The result is a decimal(38, s), s by the operator: the
 * larger scale for + - %, the sum for *, max(left, 6) for /, rounded half away
 * from zero. More than 38 digits are an error.
 */
#include "base/simd.h"

#include "col/text.h"
#include "expr/bind.h"
#include "expr/decimals.h"
#include "expr/wide.h"

int bp_decimal_scale(int op, struct bp_type l, struct bp_type r)
{
    if (op == BP_MUL)
        return l.scale + r.scale;
    if (op == BP_DIV)
        return BP_MAX(l.scale, 6);
    return BP_MAX(l.scale, r.scale);
}

/* What one batch needs to know. */
struct scales {
    int up_a, up_b; /* powers of ten that bring a and b to the result's scale */
};

static bool fits(bp_int128 v)
{
    return v <= BP_DECIMAL_MAX && v >= -BP_DECIMAL_MAX;
}

static bool up(bp_int128 *v, int k)
{
    return k == 0 || !__builtin_mul_overflow(*v, (bp_int128)bp_ten_to[k], v);
}

static bool step_add(bp_int128 a, bp_int128 b, const struct scales *s, bp_int128 *r)
{
    return up(&a, s->up_a) && up(&b, s->up_b) && !__builtin_add_overflow(a, b, r) && fits(*r);
}

static bool step_sub(bp_int128 a, bp_int128 b, const struct scales *s, bp_int128 *r)
{
    return step_add(a, -b, s, r);
}

static bool step_mul(bp_int128 a, bp_int128 b, const struct scales *s, bp_int128 *r)
{
    (void)s;
    if ((int64_t)a == a && (int64_t)b == b) {
        *r = (bp_int128)(int64_t)a * (int64_t)b;
        return fits(*r);
    }
    return !__builtin_mul_overflow(a, b, r) && fits(*r);
}

/* a * 10^up_a / b, half away from zero. */
static bool step_div(bp_int128 a, bp_int128 b, const struct scales *s, bp_int128 *r)
{
    bool minus = (a < 0) != (b < 0);
    bp_uint128 d = bp_abs128(b), q, rem;
    struct bp_uint256 n;

    if (b == 0)
        return false;
    if (s->up_a <= 18 && (int64_t)b == b && (int64_t)a == a) {
        bp_int128 up = (bp_int128)(int64_t)a * (int64_t)bp_ten_to[s->up_a];

        if ((int64_t)up == up && b > 0) {
            int64_t v = (int64_t)up / (int64_t)b, over = (int64_t)up % (int64_t)b;

            over = over < 0 ? -over : over;
            v += over >= (int64_t)b - (int64_t)b / 2 && over ? (minus ? -1 : 1) : 0;
            *r = v;
            return true;
        }
    }
    if (s->up_a > 76)
        return a == 0;
    n = bp_wide_mul(bp_abs128(a), bp_ten_to[BP_MIN(s->up_a, 38)]);
    if (s->up_a > 38) {
        if (n.hi)
            return false;
        n = bp_wide_mul(n.lo, bp_ten_to[s->up_a - 38]);
    }
    if (n.hi == 0) {
        q = n.lo / d;
        rem = n.lo % d;
    } else {
        n = bp_wide_div(n, d, &rem);
        if (n.hi)
            return false;
        q = n.lo;
    }
    q += rem >= d - d / 2 && rem;
    if (q > (bp_uint128)BP_DECIMAL_MAX)
        return false;
    *r = minus ? -(bp_int128)q : (bp_int128)q;
    return true;
}

static bool step_mod(bp_int128 a, bp_int128 b, const struct scales *s, bp_int128 *r)
{
    struct bp_uint256 n = bp_wide_mul(bp_abs128(a), bp_ten_to[s->up_a]);
    bp_uint128 rem;

    if (b == 0)
        return false;
    if (!up(&b, s->up_b)) { /* larger than any a */
        *r = a;
        return true;
    }
    bp_wide_div(n, bp_abs128(b), &rem);
    *r = a < 0 ? -(bp_int128)rem : (bp_int128)rem;
    return fits(*r);
}

typedef bool (*step)(bp_int128 a, bp_int128 b, const struct scales *s, bp_int128 *r);

/* The common case of + and -: equal scales, no overflow in 128 bits. */
static bool loop_same(const bp_int128 *a, int64_t sa, const bp_int128 *b, int64_t sb, bp_int128 *r,
                      int64_t n, bool minus)
{
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        bp_int128 x = a[i * sa], y = b[i * sb];

        r[i] = (bp_int128)(minus ? (bp_uint128)x - (bp_uint128)y : (bp_uint128)x + (bp_uint128)y);
        bad |= r[i] > BP_DECIMAL_MAX || r[i] < -BP_DECIMAL_MAX;
    }
    return !bad;
}

static int fail_row(struct bp_run *r, int64_t i, const struct bp_vec *args, bp_int128 a,
                    bp_int128 b)
{
    static const char signs[] = "+-*/%";
    char x[BP_TEXT_MAX + 1], y[BP_TEXT_MAX + 1], name[BP_TYPE_NAME_MAX];
    int op = r->node->op;

    x[bp_format_decimal(a, args[0].c.type.scale, x)] = '\0';
    y[bp_format_decimal(b, args[1].c.type.scale, y)] = '\0';
    if (op >= BP_DIV && b == 0)
        return bp_run_fail(r, i, "division by zero: %s %c %s", x, signs[op], y);
    return bp_run_fail(r, i, "%s %c %s is out of range for %s", x, signs[op], y,
                       bp_type_name(r->node->type, name));
}

static struct scales scales_of(const struct bp_run *r, const struct bp_vec *args)
{
    int s = r->node->type.scale, a = args[0].c.type.scale, b = args[1].c.type.scale;

    if (r->node->op == BP_DIV)
        return (struct scales){.up_a = s + b - a};
    return (struct scales){.up_a = s - a, .up_b = s - b};
}

#define LOOP64(expr)                                                                               \
    do {                                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                          \
            bp_int128 x = a[i * sa], y = b[i * sb];                                                \
            to[i] = (expr);                                                                        \
        }                                                                                          \
    } while (0)

/* Are both of up to 18 digits, so that 38 hold the result, and no scale is to be changed? */
static bool is_short(const struct bp_run *r, const struct bp_vec *args, const struct scales *s)
{
    int op = r->node->op;

    return bp_type_is_decimal64(args[0].c.type) && bp_type_is_decimal64(args[1].c.type) &&
           (op == BP_MUL || (op <= BP_SUB && !s->up_a && !s->up_b));
}

static int run_short(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data, *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one, n = r->n;
    bp_int128 *to;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, n, &data, r->ev->err));
    to = data;
    if (r->node->op == BP_MUL)
        LOOP64(x * y);
    else if (r->node->op == BP_ADD)
        LOOP64(x + y);
    else
        LOOP64(x - y);
    return 0;
}

static int run_steps(struct bp_run *r, const struct bp_vec *args, const struct scales *s,
                     const struct bp_decimals *d)
{
    static const step steps[] = {step_add, step_sub, step_mul, step_div, step_mod};
    const bp_int128 *a = d->arg[0], *b = d->arg[1];
    int64_t sa = !args[0].one, sb = !args[1].one;
    bp_int128 *to = d->to;
    int op = r->node->op;

    if (op <= BP_SUB && s->up_a == 0 && s->up_b == 0 &&
        loop_same(a, sa, b, sb, to, r->n, op == BP_SUB))
        return 0;
    for (int64_t i = 0; i < r->n; i++) {
        if (steps[op](a[i * sa], b[i * sb], s, &to[i]))
            continue;
        to[i] = 0;
        if (bp_run_is_valid(r, i))
            BP_TRY(fail_row(r, i, args, a[i * sa], b[i * sb]));
    }
    return 0;
}

int bp_run_decimal(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct scales s = scales_of(r, args);
    struct bp_decimals d;

    if (is_short(r, args, &s))
        return run_short(r, args, out);
    BP_TRY(bp_decimals_start(&d, r, args, 2, out));
    BP_TRY(run_steps(r, args, &s, &d));
    bp_decimals_end(&d, out);
    return 0;
}

int bp_run_decimal_negate(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_decimals d;
    bp_int128 *to;

    BP_TRY(bp_decimals_start(&d, r, args, 1, out));
    to = d.to;
    for (int64_t i = 0; i < r->n; i++)
        to[i] = (bp_int128)(0 - (bp_uint128)d.arg[0][i]);
    bp_decimals_end(&d, out);
    return 0;
}
