/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of dates, times, timestamps and intervals, as PostgreSQL has it:
 * months first (the day clipped to the month's end), then days, then time. A
 * timestamp plus an interval has at least microseconds.
 */
#include "base/simd.h"

#include <math.h>
#include <string.h>

#include "col/civil.h"
#include "col/text.h"
#include "expr/cast.h"
#include "expr/moment.h"

#define DAY_S INT64_C(86400)
#define DAY_NS (DAY_S * 1000000000)
#define MOST_US 9223372036854774.0 /* whole microseconds in 64 bits of nanoseconds */

static int fail_row(struct bp_run *r, int64_t i, const struct bp_vec *args)
{
    char x[BP_TEXT_MAX + 8], y[BP_TEXT_MAX + 8] = "", name[BP_TYPE_NAME_MAX];

    if (!bp_run_is_valid(r, i))
        return 0;
    bp_show_value(&args[0].c, args[0].one ? 0 : i, x, sizeof x);
    if (r->node->n_args > 1)
        bp_show_value(&args[1].c, args[1].one ? 0 : i, y, sizeof y);
    if (r->node->op == BP_DIV)
        return bp_run_fail(r, i, "division by zero, or out of range: %s / %s", x, y);
    return bp_run_fail(r, i, "with %s and %s the result is out of range for %s", x, y,
                       bp_type_name(r->node->type, name));
}

/* ---- dates and days ---- */

static int run_date_int(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int32_t *a = args[0].c.data;
    const int64_t *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t n = b[i * sb], d = 0;
        bool bad = r->node->op == BP_ADD ? __builtin_add_overflow((int64_t)a[i * sa], n, &d)
                                         : __builtin_sub_overflow((int64_t)a[i * sa], n, &d);

        v[i] = (int32_t)d;
        if (bad || v[i] != d)
            BP_TRY(fail_row(r, i, args));
    }
    return 0;
}

static int run_date_date(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int32_t *a = args[0].c.data, *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (__builtin_sub_overflow(a[i * sa], b[i * sb], &v[i]))
            BP_TRY(fail_row(r, i, args));
    return 0;
}

/* ---- timestamps ---- */

static bool stamp_add(int64_t v, struct bp_interval p, int64_t per_s, int sign, int64_t *out)
{
    int64_t day = DAY_S * per_s, days = bp_floor_div(v, day), in_day = bp_floor_mod(v, day);
    int64_t part = p.ns / (1000000000 / per_s);

    if (p.months) {
        /* Far outside the calendar the product of days would overflow anyway. */
        if (days > INT64_C(1) << 40 || days < -(INT64_C(1) << 40))
            return false;
        days = bp_days_add_months(days, sign * (int64_t)p.months);
    }
    days += sign * (int64_t)p.days;
    return !__builtin_mul_overflow(days, day, out) && !__builtin_add_overflow(*out, in_day, out) &&
           !__builtin_add_overflow(*out, sign * part, out);
}

/* op: BP_ADD or BP_SUB. */
static int run_stamp_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data;
    const struct bp_interval *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    int64_t per_s = bp_unit_per_second(r->node->type.unit), *v;
    int sign = r->node->op == BP_ADD ? 1 : -1;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (!stamp_add(a[i * sa], b[i * sb], per_s, sign, &v[i])) {
            v[i] = 0;
            BP_TRY(fail_row(r, i, args));
        }
    return 0;
}

static int run_stamp_stamp(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data, *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    int64_t per_s = bp_unit_per_second(args[0].c.type.unit), day = DAY_S * per_s;
    bool is_time = args[0].c.type.kind == BP_TIME;
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t d = 0, days;
        bool bad = __builtin_sub_overflow(a[i * sa], b[i * sb], &d);

        days = is_time ? 0 : d / day;
        v[i] = (struct bp_interval){.days = (int32_t)days,
                                    .ns = (d - days * day) * (1000000000 / per_s)};
        if (bad || v[i].days != days)
            BP_TRY(fail_row(r, i, args));
    }
    return 0;
}

/* The time of day goes round midnight. */
static int run_time_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data;
    const struct bp_interval *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one, *v;
    int64_t per_s = bp_unit_per_second(r->node->type.unit), day = DAY_S * per_s;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t part = b[i * sb].ns / (1000000000 / per_s) % day;
        int64_t t = a[i * sa] % day + (r->node->op == BP_ADD ? part : -part);

        v[i] = bp_floor_mod(t, day);
    }
    return 0;
}

static int run_date_time(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data, *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one, *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (__builtin_add_overflow(a[i * sa], b[i * sb], &v[i]))
            BP_TRY(fail_row(r, i, args));
    return 0;
}

/* ---- intervals ---- */

static bool interval_add(struct bp_interval a, struct bp_interval b, bool minus,
                         struct bp_interval *v)
{
    if (minus)
        return !__builtin_sub_overflow(a.months, b.months, &v->months) &&
               !__builtin_sub_overflow(a.days, b.days, &v->days) &&
               !__builtin_sub_overflow(a.ns, b.ns, &v->ns);
    return !__builtin_add_overflow(a.months, b.months, &v->months) &&
           !__builtin_add_overflow(a.days, b.days, &v->days) &&
           !__builtin_add_overflow(a.ns, b.ns, &v->ns);
}

static int run_interval_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_interval *a = args[0].c.data, *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (!interval_add(a[i * sa], b[i * sb], r->node->op == BP_SUB, &v[i]))
            BP_TRY(fail_row(r, i, args));
    return 0;
}

static double round_micro(double v)
{
    return rint(v * 1e6) / 1e6;
}

static bool fits32(double v)
{
    return v > -2147483649.0 && v < 2147483648.0;
}

/* Fractions of months become days of 30 to the month, those of days become time,
 * whole microseconds at the end. x / f instead of x * f if divide. */
static bool interval_scale(struct bp_interval x, double f, bool divide, struct bp_interval *v)
{
    double months = divide ? x.months / f : x.months * f;
    double days = divide ? x.days / f : x.days * f;
    double us = (double)x.ns / 1000, part_days, part_s, whole;

    if ((divide && f == 0) || !fits32(months) || !fits32(days))
        return false;
    v->months = (int32_t)months;
    v->days = (int32_t)days;
    part_days = round_micro((months - v->months) * 30);
    part_s = round_micro((days - v->days + part_days - (double)(int64_t)part_days) * (double)DAY_S);
    if (fabs(part_s) >= (double)DAY_S) {
        whole = (double)(int64_t)(part_s / (double)DAY_S);
        v->days += (int32_t)whole;
        part_s -= whole * (double)DAY_S;
    }
    if (__builtin_add_overflow(v->days, (int32_t)part_days, &v->days))
        return false;
    us = rint((divide ? us / f : us * f) + part_s * 1e6);
    if (!(fabs(us) <= MOST_US))
        return false;
    v->ns = (int64_t)us * 1000;
    return true;
}

static int run_interval_scale(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_interval *a = args[0].c.data;
    const double *b = args[1].c.data;
    int64_t sa = !args[0].one, sb = !args[1].one;
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (!interval_scale(a[i * sa], b[i * sb], r->node->op == BP_DIV, &v[i])) {
            memset(&v[i], 0, sizeof v[i]);
            BP_TRY(fail_row(r, i, args));
        }
    return 0;
}

static int run_interval_negate(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_interval *a = args[0].c.data, zero = {0};
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (!interval_add(zero, a[i], true, &v[i]))
            BP_TRY(fail_row(r, i, args));
    return 0;
}

/* ---- which of them is meant ---- */

static bool is_stamp(const struct bp_node *nd)
{
    return nd->type.kind == BP_TIMESTAMP || nd->type.kind == BP_TIMESTAMPTZ;
}

static bool is_moment(const struct bp_node *nd)
{
    return nd->type.kind >= BP_DATE && nd->type.kind <= BP_INTERVAL;
}

/* A time is an interval where it is moved by, scaled, negated. */
static int time_as_interval(struct bp_bind *b, struct bp_node **nd)
{
    return (*nd)->type.kind == BP_TIME ? bp_bind_cast(b, (*nd)->tok, *nd, BP_TYPE(BP_INTERVAL), nd)
                                       : 0;
}

/* An untyped literal beside a date or time: days if it is a whole number beside a
 * date, else what minus pairs with, else an interval. */
static int type_literal(struct bp_bind *b, enum bp_arith op, const struct bp_node *other,
                        struct bp_node **nd)
{
    int64_t n;
    size_t len;

    if ((*nd)->kind != BP_N_LITERAL)
        return 0;
    if (!(*nd)->literal)
        return bp_coerce(b, nd, BP_TYPE(BP_INTERVAL));
    len = strlen((*nd)->literal);
    if (op == BP_MUL || op == BP_DIV)
        return bp_coerce(b, nd, BP_TYPE(BP_FLOAT64));
    if (other->type.kind == BP_DATE && bp_parse_int64((*nd)->literal, len, &n) == BP_TEXT_OK)
        return bp_coerce(b, nd, BP_TYPE(BP_INT64));
    if (op == BP_SUB) {
        struct bp_interval span;

        if (bp_parse_interval((*nd)->literal, len, &span) != BP_TEXT_OK)
            return bp_coerce(b, nd, other->type);
    }
    return bp_coerce(b, nd, BP_TYPE(BP_INTERVAL));
}

static int at_least_micro(struct bp_bind *b, struct bp_node **nd)
{
    struct bp_type t = (*nd)->type;

    if (t.kind == BP_DATE)
        t = BP_TYPE(BP_TIMESTAMP);
    t.unit = BP_MAX(t.unit, BP_MICRO);
    return bp_coerce(b, nd, t);
}

struct pair {
    struct bp_bind *b;
    int tok;
    enum bp_arith op;
    struct bp_node *l, *r, **out;
};

static int make(struct pair *p, bp_kernel run, struct bp_type type)
{
    struct bp_call c = {.run = run, .op = (uint8_t)p->op, .type = type, .fallible = true};

    return bp_node_call(p->b, p->tok, &c, (struct bp_node *[]){p->l, p->r}, 2, p->out);
}

static int bind_plus(struct pair *p)
{
    struct bp_node *swap;
    bool number = bp_type_is_number(p->l->type);

    if (p->op == BP_ADD && (number || p->l->type.kind == BP_INTERVAL ||
                            (p->l->type.kind == BP_TIME && p->r->type.kind == BP_DATE))) {
        if (p->r->type.kind != BP_INTERVAL) {
            swap = p->l;
            p->l = p->r;
            p->r = swap;
        }
    }
    if (p->l->type.kind == BP_DATE && bp_type_is_int(p->r->type)) {
        BP_TRY(bp_coerce(p->b, &p->r, BP_TYPE(BP_INT64)));
        return make(p, run_date_int, BP_TYPE(BP_DATE));
    }
    if (p->r->type.kind == BP_INTERVAL && (is_stamp(p->l) || p->l->type.kind == BP_DATE)) {
        BP_TRY(at_least_micro(p->b, &p->l));
        return make(p, run_stamp_interval, p->l->type);
    }
    if (p->r->type.kind == BP_INTERVAL && p->l->type.kind == BP_TIME)
        return make(p, run_time_interval, p->l->type);
    if (p->r->type.kind == BP_INTERVAL && p->l->type.kind == BP_INTERVAL)
        return make(p, run_interval_interval, p->l->type);
    if (p->op == BP_ADD && p->l->type.kind == BP_DATE && p->r->type.kind == BP_TIME) {
        BP_TRY(at_least_micro(p->b, &p->l));
        BP_TRY(bp_coerce(p->b, &p->r, BP_TYPE_UNIT(BP_TIME, p->l->type.unit)));
        return make(p, run_date_time, p->l->type);
    }
    return 0;
}

static int bind_difference(struct pair *p)
{
    struct bp_type t;

    if (p->l->type.kind == BP_DATE && p->r->type.kind == BP_DATE)
        return make(p, run_date_date, BP_TYPE(BP_INT32));
    if ((p->l->type.kind == BP_TIME) != (p->r->type.kind == BP_TIME) ||
        p->l->type.kind == BP_INTERVAL || p->r->type.kind == BP_INTERVAL ||
        !bp_promote(p->l->type, p->r->type, &t))
        return 0;
    BP_TRY(bp_coerce(p->b, &p->l, t));
    BP_TRY(bp_coerce(p->b, &p->r, t));
    return make(p, run_stamp_stamp, BP_TYPE(BP_INTERVAL));
}

static int bind_scale(struct pair *p)
{
    struct bp_node *swap = p->l;

    if (p->op == BP_MUL && p->r->type.kind == BP_INTERVAL) {
        p->l = p->r;
        p->r = swap;
    }
    if (p->l->type.kind != BP_INTERVAL || !bp_type_is_number(p->r->type))
        return 0;
    BP_TRY(bp_coerce(p->b, &p->r, BP_TYPE(BP_FLOAT64)));
    return make(p, run_interval_scale, BP_TYPE(BP_INTERVAL));
}

int bp_bind_moment(struct bp_bind *b, int tok, enum bp_arith op, struct bp_node *l,
                   struct bp_node *r, struct bp_node **out)
{
    struct pair p = {.b = b, .tok = tok, .op = op, .l = l, .r = r, .out = out};
    struct bp_call c = {.run = run_interval_negate, .type = r->type, .fallible = true};

    *out = NULL;
    if (!l) {
        BP_TRY(time_as_interval(b, &r));
        c.type = r->type;
        return r->type.kind == BP_INTERVAL ? bp_node_call(b, tok, &c, &r, 1, out) : 0;
    }
    if (!is_moment(l) && !is_moment(r))
        return 0;
    BP_TRY(type_literal(b, op, r, &p.l));
    BP_TRY(type_literal(b, op, l, &p.r));
    if (op == BP_MUL || op == BP_DIV || is_stamp(p.l) ||
        (p.l->type.kind == BP_DATE && op == BP_SUB))
        BP_TRY(time_as_interval(b, &p.r));
    if (op == BP_MUL || op == BP_DIV || (is_stamp(p.r) && op == BP_ADD))
        BP_TRY(time_as_interval(b, &p.l));
    if (op == BP_ADD || op == BP_SUB)
        BP_TRY(bind_plus(&p));
    if (!*out && op == BP_SUB && is_moment(p.l) && is_moment(p.r))
        return bind_difference(&p);
    if (!*out && (op == BP_MUL || op == BP_DIV))
        return bind_scale(&p);
    return 0;
}
