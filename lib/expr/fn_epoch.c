/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as counts since 1970, and the other way; counts of borders between two. */
#include <math.h>
#include <string.h>

#include "col/civil.h"
#include "expr/function.h"
#include "expr/moment.h"

/* ---- to numbers ---- */

/* op: the unit. */
static int run_count(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t have = bp_unit_per_second(args[0].c.type.unit),
            want = bp_unit_per_second((enum bp_unit)r->node->op), *v;
    const int64_t *a = args[0].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        if (want <= have) {
            v[i] = bp_floor_div(a[i], have / want);
        } else if (__builtin_mul_overflow(a[i], want / have, &v[i])) {
            v[i] = 0;
            if (bp_run_is_valid(r, i))
                BP_TRY(bp_run_fail(r, i, "the count is out of range for bigint"));
        }
    }
    return 0;
}

static int run_seconds(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    double per_s = (double)bp_unit_per_second(args[0].c.type.unit);
    const int64_t *a = args[0].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        ((double *)data)[i] = (double)a[i] / per_s;
    return 0;
}

/* ---- from numbers ---- */

/* op: the unit of the count. */
static int run_moment(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t have = bp_unit_per_second((enum bp_unit)r->node->op), *v;
    const int64_t *a = args[0].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (__builtin_mul_overflow(a[i], 1000000 / have, &v[i])) {
            v[i] = 0;
            if (bp_run_is_valid(r, i))
                BP_TRY(bp_run_fail(r, i, "%lld is out of range for a timestamp", (long long)a[i]));
        }
    return 0;
}

/* As PostgreSQL: from 2000 on, so that the fraction keeps its digits. */
static int run_float_moment(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const double to_2000 = 946684800.0;
    const double *a = args[0].c.data;
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        double us = rint((a[i] - to_2000) * 1e6);

        v[i] = 0;
        if (us > -9.2e18 && us < 9.2e18)
            v[i] = (int64_t)us + INT64_C(946684800000000);
        else if (bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "%g is out of range for a timestamp", a[i]));
    }
    return 0;
}

/* timestamp_seconds(n)::timestamp::text */
static int bind_from_unixtime(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                              struct bp_call *c)
{
    (void)n;
    BP_TRY(bp_bind_function(b, tok, "timestamp_seconds", args, 1, &args[0]));
    BP_TRY(bp_bind_cast(b, tok, args[0], BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO), &args[0]));
    BP_TRY(bp_bind_cast(b, tok, args[0], BP_TYPE(BP_TEXT), &args[0]));
    c->run = NULL;
    return 0;
}

/* ---- date_diff(part, a, b): how many borders of the part lie between a and b ---- */

static const struct part {
    const char *name;
    int64_t us, months; /* one of them */
} parts[] = {
    {"microsecond", 1, 0},
    {"millisecond", 1000, 0},
    {"second", 1000000, 0},
    {"minute", 60000000, 0},
    {"hour", 3600000000, 0},
    {"day", 86400000000, 0},
    {"week", 7 * 86400000000, 0},
    {"month", 0, 1},
    {"quarter", 0, 3},
    {"year", 0, 12},
    {"decade", 0, 120},
};

/* The number of the part that holds v. */
static int64_t part_of(const struct part *p, int64_t v, int64_t per_s)
{
    struct bp_civil d;

    if (p->months) {
        d = bp_civil_from_days(bp_floor_div(v, BP_DAY_S * per_s));
        return bp_floor_div(d.year * 12 + d.month - 1, p->months);
    }
    if (per_s > 1000000)
        v = bp_floor_div(v, per_s / 1000000);
    else if (p->us < 1000000 / per_s)
        return v * (1000000 / per_s / p->us);
    per_s = BP_MIN(per_s, 1000000);
    if (p->us == 7 * BP_DAY_US) /* weeks begin on Monday, and 1970 on a Thursday */
        return bp_floor_div(bp_floor_div(v, BP_DAY_S * per_s) + 3, 7);
    return bp_floor_div(v, p->us / (1000000 / per_s));
}

static int run_diff(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct part *p = r->node->param;
    int64_t per_s = bp_unit_per_second(args[0].c.type.unit), *v;
    const int64_t *a = args[0].c.data, *b = args[1].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        if (__builtin_sub_overflow(part_of(p, b[args[1].one ? 0 : i], per_s),
                                   part_of(p, a[args[0].one ? 0 : i], per_s), &v[i]) &&
            bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "the difference is out of range"));
    return 0;
}

static int bind_diff(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_type t = args[1]->type;
    const char *s;
    size_t len;

    (void)tok;
    if (!bp_node_const_text(args[0], &s, &len))
        return bp_bind_fail(b, args[0]->tok, "the part has to be a constant, as in 'month'");
    for (size_t i = 0; i < BP_COUNT_OF(parts) && !c->param; i++) {
        size_t k = strlen(parts[i].name);

        if (len >= k && len <= k + 1 && strncasecmp(s, parts[i].name, k) == 0 &&
            (len == k || (s[k] | 0x20) == 's'))
            c->param = &parts[i];
    }
    if (!c->param)
        return bp_bind_fail(b, args[0]->tok,
                            "'%.*s' is no part of dates: use one from microsecond "
                            "to decade",
                            (int)BP_MIN(len, 40), s);
    t.unit = BP_MAX(args[1]->type.unit, args[2]->type.unit);
    BP_TRY(bp_coerce(b, &args[1], t));
    BP_TRY(bp_coerce(b, &args[2], t));
    args[0] = args[1];
    args[1] = args[2];
    *n = 2;
    return 0;
}

#define FN(NAME, RESULT, RUN, OP, ...)                                                             \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .op = OP, .flags = BP_FN_FALLIBLE, .args = {   \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define COUNT(NAME, OP)                                                                            \
    FN(NAME, BP_INT64, run_count, OP, BP_TIMESTAMPTZ),                                             \
        FN(NAME, BP_INT64, run_count, OP, BP_TIMESTAMP)
#define DIFF(NAME, KIND)                                                                           \
    {                                                                                              \
        .name = NAME, .result = BP_INT64, .run = run_diff, .bind = bind_diff,                      \
        .flags = BP_FN_FALLIBLE, .args = {                                                         \
            BP_TEXT,                                                                               \
            KIND,                                                                                  \
            KIND                                                                                   \
        }                                                                                          \
    }

static const struct bp_fn fns[] = {
    FN("to_timestamp", BP_TIMESTAMPTZ, run_float_moment, 0, BP_FLOAT64),
    COUNT("epoch_ms", BP_MILLI),
    FN("epoch_ms", BP_TIMESTAMP, run_moment, BP_MILLI, BP_INT64),
    COUNT("epoch_us", BP_MICRO),
    COUNT("epoch_ns", BP_NANO),
    {.name = "epoch", .result = BP_FLOAT64, .run = run_seconds, .args = {BP_TIMESTAMPTZ}},
    {.name = "epoch", .result = BP_FLOAT64, .run = run_seconds, .args = {BP_TIMESTAMP}},
    COUNT("unix_timestamp", BP_SECOND),
    COUNT("unix_seconds", BP_SECOND),
    COUNT("unix_millis", BP_MILLI),
    COUNT("unix_micros", BP_MICRO),
    FN("timestamp_seconds", BP_TIMESTAMPTZ, run_moment, BP_SECOND, BP_INT64),
    FN("timestamp_millis", BP_TIMESTAMPTZ, run_moment, BP_MILLI, BP_INT64),
    FN("timestamp_micros", BP_TIMESTAMPTZ, run_moment, BP_MICRO, BP_INT64),
    {.name = "from_unixtime", .args = {BP_INT64}, .result = BP_TEXT, .bind = bind_from_unixtime},
    DIFF("date_diff", BP_TIMESTAMP),
    DIFF("date_diff", BP_TIMESTAMPTZ),
    DIFF("datediff", BP_TIMESTAMP),
    DIFF("datediff", BP_TIMESTAMPTZ),
};

const struct bp_fn_table bp_fns_epoch = {fns, BP_COUNT_OF(fns)};
