/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times and intervals made of their parts; date_bin(). */
#include <math.h>
#include <string.h>

#include "col/civil.h"
#include "expr/function.h"
#include "expr/moment.h"

static int64_t int_at(const struct bp_vec *a, int64_t i)
{
    return ((const int64_t *)a->c.data)[a->one ? 0 : i];
}

static double double_at(const struct bp_vec *a, int64_t i)
{
    return ((const double *)a->c.data)[a->one ? 0 : i];
}

/* As in PostgreSQL a year below zero is one before Christ, and there is no year 0. */
static bool day_of(int64_t y, int64_t m, int64_t d, int64_t *day)
{
    if (y < 0)
        y++;
    else if (y == 0)
        return false;
    if (y > 5900000 || y < -5900000 || m < 1 || m > 12 || d < 1 || d > bp_days_in_month(y, (int)m))
        return false;
    *day = bp_days_from_civil(y, (int)m, (int)d);
    return *day == (int32_t)*day;
}

/* Microseconds since midnight; 24:00:00 and a second 60 are taken. */
static bool clock_of(int64_t h, int64_t m, double s, int64_t *us)
{
    double part = rint(s * 1e6);

    if (h < 0 || h > 24 || m < 0 || m > 59 || !(part >= 0 && part <= 60e6))
        return false;
    *us = (h * 60 + m) * BP_MINUTE_US + (int64_t)part;
    return *us <= BP_DAY_US;
}

static int run_make_date(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t y = int_at(&args[0], i), m = int_at(&args[1], i), d = int_at(&args[2], i), day = 0;

        if (!day_of(y, m, d, &day) && bp_run_is_valid(r, i)) {
            day = 0;
            BP_TRY(bp_run_fail(r, i, "there is no date %lld-%lld-%lld", (long long)y, (long long)m,
                               (long long)d));
        }
        v[i] = (int32_t)day;
    }
    return 0;
}

static int no_time(struct bp_run *r, int64_t i, int64_t h, int64_t m, double s)
{
    return bp_run_fail(r, i, "there is no time %lld:%lld:%g", (long long)h, (long long)m, s);
}

static int run_make_time(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t h = int_at(&args[0], i), m = int_at(&args[1], i);
        double s = double_at(&args[2], i);

        v[i] = 0;
        if (bp_run_is_valid(r, i) && !clock_of(h, m, s, &v[i]))
            BP_TRY(no_time(r, i, h, m, s));
    }
    return 0;
}

static int run_make_stamp(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t y = int_at(&args[0], i), mo = int_at(&args[1], i), d = int_at(&args[2], i),
                h = int_at(&args[3], i), m = int_at(&args[4], i), day, us;
        double s = double_at(&args[5], i);

        v[i] = 0;
        if (!bp_run_is_valid(r, i))
            continue;
        if (!day_of(y, mo, d, &day) || __builtin_mul_overflow(day, BP_DAY_US, &v[i]))
            BP_TRY(bp_run_fail(r, i, "there is no date %lld-%lld-%lld", (long long)y, (long long)mo,
                               (long long)d));
        else if (!clock_of(h, m, s, &us) || __builtin_add_overflow(v[i], us, &v[i]))
            BP_TRY(no_time(r, i, h, m, s));
    }
    return 0;
}

/* sum += n * size; false: too large for 32 bits. */
static bool add_times(int64_t *sum, int64_t n, int64_t size)
{
    int64_t part;

    return !__builtin_mul_overflow(n, size, &part) && !__builtin_add_overflow(*sum, part, sum) &&
           *sum == (int32_t)*sum;
}

/* Years, months, weeks, days, hours, minutes, seconds; those left out are 0. */
static bool interval_of(struct bp_run *r, const struct bp_vec *args, int64_t i,
                        struct bp_interval *v)
{
    int n = r->node->n_args;
    int64_t months = 0, days = 0, part, ns = 0;
    static const int64_t size[] = {12, 1, 7, 1, INT64_C(3600000000000), INT64_C(60000000000)};

    for (int k = 0; k < n && k < 6; k++) {
        int64_t x = int_at(&args[k], i);

        if (k < 4 && !add_times(k < 2 ? &months : &days, x, size[k]))
            return false;
        if (k >= 4 &&
            (__builtin_mul_overflow(x, size[k], &part) || __builtin_add_overflow(ns, part, &ns)))
            return false;
    }
    if (n > 6) {
        double us = rint(double_at(&args[6], i) * 1e6);

        if (!(fabs(us) < 9.2e15) || __builtin_add_overflow(ns, (int64_t)us * 1000, &ns))
            return false;
    }
    *v = (struct bp_interval){.months = (int32_t)months, .days = (int32_t)days, .ns = ns};
    return true;
}

static int run_make_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    memset(v, 0, (size_t)r->n * sizeof *v);
    for (int64_t i = 0; i < r->n; i++)
        if (bp_run_is_valid(r, i) && !interval_of(r, args, i, &v[i]))
            BP_TRY(bp_run_fail(r, i, "the interval is out of range"));
    return 0;
}

static int bind_make_interval(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                              struct bp_call *c)
{
    struct bp_interval none = {0};

    (void)c;
    if (*n)
        return 0;
    *n = 1;
    c->run = NULL;
    return bp_node_const_fixed(b, tok, BP_TYPE(BP_INTERVAL), &none, &args[0]);
}

/* ---- date_bin(stride, source, origin) ---- */

static bool bin(const struct bp_interval *p, int64_t v, int64_t origin, int64_t per_s, int64_t *out)
{
    bp_int128 stride = ((bp_int128)p->days * BP_DAY_S * 1000000000 + p->ns) / (1000000000 / per_s);
    bp_int128 d = (bp_int128)v - origin, rest, at;

    rest = d % stride;
    at = (bp_int128)v - rest - (rest < 0 ? stride : 0);
    *out = (int64_t)at;
    return *out == at;
}

static int run_bin(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t per_s = bp_unit_per_second(r->node->type.unit);
    const struct bp_interval *p = args[0].c.data;
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        const struct bp_interval *stride = &p[args[0].one ? 0 : i];

        v[i] = 0;
        if (!bp_run_is_valid(r, i))
            continue;
        if (stride->months)
            BP_TRY(bp_run_fail(r, i, "date_bin: a month or year is no fixed length"));
        else if ((bp_int128)stride->days * BP_DAY_S * per_s + stride->ns / (1000000000 / per_s) <=
                 0)
            BP_TRY(bp_run_fail(r, i, "date_bin: the length has to be above zero"));
        else if (!bin(stride, int_at(&args[1], i), int_at(&args[2], i), per_s, &v[i]))
            BP_TRY(bp_run_fail(r, i, "date_bin: the result is out of range"));
    }
    return 0;
}

/* Source and origin in the finer unit of the two. */
static int bind_bin(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok, (void)n;
    c->type = args[1]->type;
    c->type.unit = BP_MAX(args[1]->type.unit, args[2]->type.unit);
    BP_TRY(bp_coerce(b, &args[1], c->type));
    return bp_coerce(b, &args[2], c->type);
}

/* ---- isfinite: nothing of ours is infinite, NULLs aside ---- */

static int run_true(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    void *data;

    (void)args;
    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        bp_bit_put(data, i, true);
    return 0;
}

#define FN(NAME, RESULT, RUN, BIND, ...)                                                           \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .flags = BP_FN_FALLIBLE, .bind = BIND,         \
        .args = {                                                                                  \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define INTERVAL(...)                                                                              \
    FN("make_interval", BP_INTERVAL, run_make_interval, bind_make_interval, __VA_ARGS__)
#define I BP_INT64

static const struct bp_fn fns[] = {
    FN("make_date", BP_DATE, run_make_date, NULL, I, I, I),
    FN("make_time", BP_TIME, run_make_time, NULL, I, I, BP_FLOAT64),
    FN("make_timestamp", BP_TIMESTAMP, run_make_stamp, NULL, I, I, I, I, I, BP_FLOAT64),
    FN("make_timestamptz", BP_TIMESTAMPTZ, run_make_stamp, NULL, I, I, I, I, I, BP_FLOAT64),
    INTERVAL(0),
    INTERVAL(I),
    INTERVAL(I, I),
    INTERVAL(I, I, I),
    INTERVAL(I, I, I, I),
    INTERVAL(I, I, I, I, I),
    INTERVAL(I, I, I, I, I, I),
    INTERVAL(I, I, I, I, I, I, BP_FLOAT64),
    FN("date_bin", BP_TIMESTAMP, run_bin, bind_bin, BP_INTERVAL, BP_TIMESTAMP, BP_TIMESTAMP),
    FN("date_bin", BP_TIMESTAMPTZ, run_bin, bind_bin, BP_INTERVAL, BP_TIMESTAMPTZ, BP_TIMESTAMPTZ),
    {.name = "isfinite", .args = {BP_DATE}, .result = BP_BOOL, .run = run_true},
    {.name = "isfinite", .args = {BP_TIMESTAMP}, .result = BP_BOOL, .run = run_true},
    {.name = "isfinite", .args = {BP_TIMESTAMPTZ}, .result = BP_BOOL, .run = run_true},
    {.name = "isfinite", .args = {BP_INTERVAL}, .result = BP_BOOL, .run = run_true},
};

const struct bp_fn_table bp_fns_make = {fns, BP_COUNT_OF(fns)};
