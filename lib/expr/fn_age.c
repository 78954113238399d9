/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals as people count them: age(), justify_hours() and its kin; overlaps. */
#include <string.h>

#include "col/civil.h"
#include "expr/function.h"
#include "expr/moment.h"

/* ---- age ---- */

struct clock {
    struct bp_civil date;
    int64_t ns; /* since midnight */
};

static struct clock clock_at(int64_t v, int64_t per_s)
{
    int64_t day = bp_floor_div(v, BP_DAY_S * per_s);

    return (struct clock){.date = bp_civil_from_days(day),
                          .ns = bp_floor_mod(v, BP_DAY_S * per_s) * (1000000000 / per_s)};
}

/* Field by field, the larger less the smaller; a day that is missing is borrowed from the
 * month of the second argument if the first is the later one, else of the first. */
static bool age(int64_t a, int64_t b, int64_t per_s, struct bp_interval *v)
{
    bool swapped = a < b;
    struct clock hi = clock_at(swapped ? b : a, per_s), lo = clock_at(swapped ? a : b, per_s);
    int64_t months = (hi.date.year - lo.date.year) * 12 + hi.date.month - lo.date.month;
    int64_t days = hi.date.day - lo.date.day, ns = hi.ns - lo.ns;

    if (ns < 0) {
        ns += BP_DAY_NS;
        days--;
    }
    if (days < 0) {
        days += bp_days_in_month(lo.date.year, lo.date.month);
        months--;
    }
    *v = (struct bp_interval){.months = (int32_t)(swapped ? -months : months),
                              .days = (int32_t)(swapped ? -days : days),
                              .ns = swapped ? -ns : ns};
    return months == (int32_t)months;
}

static int run_age(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t per_s = bp_unit_per_second(args[0].c.type.unit);
    const int64_t *a = args[0].c.data, *b = args[1].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    for (int64_t i = 0; i < r->n; i++)
        if (!age(a[args[0].one ? 0 : i], b[args[1].one ? 0 : i], per_s,
                 (struct bp_interval *)data + i) &&
            bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "the age is out of range"));
    return 0;
}

static int bind_age(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_type t = args[0]->type;

    (void)c;
    if (*n == 1)
        return bp_bind_fail(b, tok,
                            "age(x) is counted from today, so every run would differ: pass the day "
                            "with -v day=... and write age(:day, x)");
    t.unit = BP_MAX(t.unit, args[1]->type.unit);
    BP_TRY(bp_coerce(b, &args[0], t));
    return bp_coerce(b, &args[1], t);
}

/* ---- justify ---- */

enum justify { HOURS = 1, DAYS = 2 };

static bool add32(int32_t *to, int64_t n)
{
    int64_t sum = *to + n;

    *to = (int32_t)sum;
    return sum == *to;
}

/* Whole days out of the time, whole months of 30 days out of the days; then one sign. */
static bool justify(int what, struct bp_interval *v)
{
    bool ok = true;

    /* Both at once: days that would overflow make room first. */
    if (what == (HOURS | DAYS) && ((v->days > 0 && v->ns > 0) || (v->days < 0 && v->ns < 0))) {
        ok = add32(&v->months, v->days / 30);
        v->days %= 30;
    }
    if (what & HOURS) {
        ok = add32(&v->days, v->ns / BP_DAY_NS) && ok;
        v->ns %= BP_DAY_NS;
    }
    if (what & DAYS) {
        int64_t rest = what & HOURS ? v->ns : 0;

        ok = add32(&v->months, v->days / 30) && ok;
        v->days %= 30;
        if (v->months > 0 && (v->days < 0 || (v->days == 0 && rest < 0))) {
            v->days += 30;
            v->months--;
        } else if (v->months < 0 && (v->days > 0 || (v->days == 0 && rest > 0))) {
            v->days -= 30;
            v->months++;
        }
    }
    if ((what & HOURS) && v->days > 0 && v->ns < 0) {
        v->ns += BP_DAY_NS;
        v->days--;
    } else if ((what & HOURS) && v->days < 0 && v->ns > 0) {
        v->ns -= BP_DAY_NS;
        v->days++;
    }
    return ok;
}

static int run_justify(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    memcpy(v, args[0].c.data, (size_t)r->n * sizeof *v);
    for (int64_t i = 0; i < r->n; i++)
        if (!justify(r->node->op, &v[i]) && bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "the interval is out of range"));
    return 0;
}

/* ---- (a, b) overlaps (c, d) ---- */

struct span {
    int64_t from, to;
    bool none, open; /* nothing is known of it; its other end is not known */
};

/* The ends in order; one that is NULL is open. */
static struct span span_at(const struct bp_vec *a, const struct bp_vec *b, int64_t i)
{
    int64_t ra = a->one ? 0 : i, rb = b->one ? 0 : i;
    bool na = bp_column_is_null(&a->c, ra), nb = bp_column_is_null(&b->c, rb);
    int64_t va = ((const int64_t *)a->c.data)[ra], vb = ((const int64_t *)b->c.data)[rb];

    if (na || nb)
        return (struct span){
            .from = na ? vb : va, .to = na ? vb : va, .none = na && nb, .open = true};
    return (struct span){.from = BP_MIN(va, vb), .to = BP_MAX(va, vb)};
}

/* 1, 0, or -1 for not known. An end itself is not part of its span, unless it is all of it. */
static int overlap(struct span x, struct span y)
{
    if (x.none || y.none)
        return -1;
    if (x.from > y.from) {
        struct span swap = x;

        x = y;
        y = swap;
    }
    if (x.from == y.from)
        return x.open || y.open ? -1 : 1;
    if (!x.open && y.from < x.to)
        return 1;
    return x.open || y.open ? -1 : 0;
}

static int run_overlaps(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_block *valid;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    BP_TRY(bp_block_new(&valid, (size_t)(r->n + 7) / 8, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        int yes = overlap(span_at(&args[0], &args[1], i), span_at(&args[2], &args[3], i));

        bp_bit_put(data, i, yes > 0);
        bp_bit_put(valid->data, i, yes >= 0);
    }
    bp_vec_set_valid(out, valid);
    return 0;
}

/* A length stands for the end that it leads to; all four then have one type. */
static int bind_overlaps(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                         struct bp_call *c)
{
    struct bp_type t;

    for (int k = 0; k < 4; k += 2) {
        if (args[k + 1]->type.kind == BP_INTERVAL)
            BP_TRY(bp_bind_operator(b, tok, "+", args[k], args[k + 1], &args[k + 1]));
        if (args[k]->type.kind == BP_DATE)
            BP_TRY(bp_coerce(b, &args[k], BP_TYPE_UNIT(BP_TIMESTAMP, BP_MICRO)));
    }
    BP_TRY(bp_unify(b, tok, "the ends of overlaps", args, *n, 1, &t));
    if (t.kind != BP_TIMESTAMP && t.kind != BP_TIMESTAMPTZ && t.kind != BP_TIME)
        return bp_bind_fail(b, tok, "overlaps takes dates, times and timestamps");
    c->type = BP_TYPE(BP_BOOL);
    return 0;
}

#define AGE(...)                                                                                   \
    {                                                                                              \
        .name = "age", .result = BP_INTERVAL, .run = run_age, .bind = bind_age,                    \
        .flags = BP_FN_FALLIBLE, .args = {                                                         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define JUSTIFY(NAME, OP)                                                                          \
    {                                                                                              \
        .name = NAME, .result = BP_INTERVAL, .run = run_justify, .op = OP,                         \
        .flags = BP_FN_FALLIBLE, .args = {                                                         \
            BP_INTERVAL                                                                            \
        }                                                                                          \
    }

static const struct bp_fn fns[] = {
    AGE(BP_TIMESTAMPTZ, BP_TIMESTAMPTZ),
    AGE(BP_TIMESTAMP, BP_TIMESTAMP),
    AGE(BP_TIMESTAMPTZ),
    JUSTIFY("justify_hours", HOURS),
    JUSTIFY("justify_days", DAYS),
    JUSTIFY("justify_interval", HOURS | DAYS),
    {.name = "overlaps",
     .args = {BP_RAW, BP_RAW, BP_RAW, BP_RAW},
     .result = BP_BOOL,
     .flags = BP_FN_LAX,
     .run = run_overlaps,
     .bind = bind_overlaps},
};

const struct bp_fn_table bp_fns_age = {fns, BP_COUNT_OF(fns)};
