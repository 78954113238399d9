/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times, timestamps of all units, intervals: one into the other, in UTC. */
#include "base/simd.h"

#include <string.h>

#include "expr/cast.h"
#include "expr/moment.h"

#define DAY_S INT64_C(86400)
#define EPOCH_2000_S INT64_C(946684800)

int64_t bp_change_unit(int64_t v, int from, int to, bool *bad)
{
    int64_t have = bp_unit_per_second((enum bp_unit)from),
            want = bp_unit_per_second((enum bp_unit)to);
    int64_t r, p, epoch;

    if (want >= have) {
        *bad |= __builtin_mul_overflow(v, want / have, &r);
        return r;
    }
    p = have / want;
    epoch = EPOCH_2000_S * want;
    r = bp_floor_div(v, p);
    v = bp_floor_mod(v, p);
    /* A half goes away from 2000-01-01. */
    return r + (r >= epoch ? v >= p - p / 2 : v > p / 2);
}

/* A time of day in a coarser unit: a half goes up. */
static int64_t round_time(int64_t v, int from, int to)
{
    int64_t have = bp_unit_per_second((enum bp_unit)from),
            want = bp_unit_per_second((enum bp_unit)to);

    return want >= have ? v * (want / have) : (v + have / want / 2) / (have / want);
}

static int run_unit(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int from = args[0].c.type.unit, to = r->node->type.unit;
    const int64_t *a = args[0].c.data;
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    if (from == to) {
        memcpy(v, a, (size_t)r->n * sizeof *v);
        return 0;
    }
    for (int64_t i = 0; i < r->n; i++) {
        bool bad = false;

        v[i] = bp_change_unit(a[i], from, to, &bad);
        if (bad && bp_run_is_valid(r, i))
            BP_TRY(bp_cast_fail(r, i, &args[0], true));
    }
    return 0;
}

static int run_date_stamp(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int32_t *a = args[0].c.data;
    int64_t day = DAY_S * bp_unit_per_second(r->node->type.unit), *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (__builtin_mul_overflow((int64_t)a[i], day, &v[i]) && bp_run_is_valid(r, i))
            BP_TRY(bp_cast_fail(r, i, &args[0], true));
    return 0;
}

/* Days of instants, rounded down, without a division each: a product with the inverse is off
 * by one at most (size, a day, is 86400 or more: the quotient is exact as a double). False:
 * one does not fit. */
BP_WIDE static bool floor_days(const int64_t *a, int32_t *days, int64_t n, int64_t size)
{
    double inverse = 1.0 / (double)size;
    int64_t any = 0;

    for (int64_t i = 0; i < n; i++) {
        int64_t d = (int64_t)((double)a[i] * inverse);
        int64_t rest = (int64_t)((uint64_t)a[i] - (uint64_t)d * (uint64_t)size);

        d -= rest < 0;
        rest += rest < 0 ? size : 0;
        d -= rest < 0;
        d += rest >= size;
        days[i] = (int32_t)d;
        any |= d ^ (int64_t)(int32_t)d;
    }
    return !any;
}

static int run_stamp_date(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data;
    int64_t day = DAY_S * bp_unit_per_second(args[0].c.type.unit);
    int32_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    if (floor_days(a, v, r->n, day))
        return 0;
    for (int64_t i = 0; i < r->n; i++)
        if (v[i] != bp_floor_div(a[i], day) && bp_run_is_valid(r, i))
            BP_TRY(bp_cast_fail(r, i, &args[0], true));
    return 0;
}

static int run_stamp_time(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int from = args[0].c.type.unit, to = r->node->type.unit;
    const int64_t *a = args[0].c.data;
    int64_t day = DAY_S * bp_unit_per_second((enum bp_unit)from), *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = round_time(bp_floor_mod(a[i], day), from, to);
    return 0;
}

static int run_time_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int64_t *a = args[0].c.data;
    int64_t p = 1000000000 / bp_unit_per_second(args[0].c.type.unit);
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = (struct bp_interval){.ns = a[i] * p};
    return 0;
}

/* The time of day that is left when whole days are dropped; it is rounded up to 24:00 at most. */
static int run_interval_time(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_interval *a = args[0].c.data;
    int to = r->node->type.unit;
    int64_t *v;
    int64_t day = DAY_S * 1000000000;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = round_time(bp_floor_mod(a[i].ns, day), BP_NANO, to);
    return 0;
}

bool bp_cast_moment(struct bp_type from, struct bp_type to, struct bp_call *c)
{
    bool from_stamp = from.kind == BP_TIMESTAMP || from.kind == BP_TIMESTAMPTZ;
    bool to_stamp = to.kind == BP_TIMESTAMP || to.kind == BP_TIMESTAMPTZ;

    c->fallible = true;
    if ((from_stamp && to_stamp) || (from.kind == BP_TIME && to.kind == BP_TIME)) {
        c->run = run_unit;
        c->fallible = to.unit > from.unit && from.kind != BP_TIME;
    } else if (from.kind == BP_DATE && to_stamp) {
        c->run = run_date_stamp;
    } else if (from_stamp && to.kind == BP_DATE) {
        c->run = run_stamp_date;
        c->fallible = from.unit < BP_MICRO;
    } else if (from_stamp && to.kind == BP_TIME) {
        c->run = run_stamp_time;
        c->fallible = false;
    } else if (from.kind == BP_TIME && to.kind == BP_INTERVAL) {
        c->run = run_time_interval;
        c->fallible = false;
    } else if (from.kind == BP_INTERVAL && to.kind == BP_TIME) {
        c->run = run_interval_time;
        c->fallible = false;
    }
    return c->run != NULL;
}
