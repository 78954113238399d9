/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date_trunc, extract and their kin. Fields of fixed length are cut by a
 * multiplication with the reciprocal in double and a correction, which
 * vectorises; calendar fields remember the span of the last row, since rows that
 * stand together are usually close in time.
 */
#include "base/simd.h"

#include <math.h>
#include <string.h>

#include "col/civil.h"
#include "col/text.h"
#include "expr/cast.h"
#include "expr/decimals.h"
#include "expr/function.h"
#include "expr/moment.h"
#include "expr/wide.h"

#define DAY_S INT64_C(86400)

enum field {
    F_NONE,
    F_MICRO,
    F_MILLI,
    F_SECOND,
    F_MINUTE,
    F_HOUR,
    F_DAY,
    F_WEEK,
    F_MONTH,
    F_QUARTER,
    F_YEAR,
    F_DECADE,
    F_CENTURY,
    F_MILLENNIUM,
    F_DOW,
    F_ISODOW,
    F_DOY,
    F_ISOYEAR,
    F_EPOCH,
    F_JULIAN,
};

static const struct {
    const char *name;
    enum field f;
} field_names[] = {
    {"microsecond", F_MICRO},
    {"microseconds", F_MICRO},
    {"us", F_MICRO},
    {"usec", F_MICRO},
    {"usecs", F_MICRO},
    {"millisecond", F_MILLI},
    {"milliseconds", F_MILLI},
    {"ms", F_MILLI},
    {"msec", F_MILLI},
    {"msecs", F_MILLI},
    {"second", F_SECOND},
    {"seconds", F_SECOND},
    {"sec", F_SECOND},
    {"secs", F_SECOND},
    {"s", F_SECOND},
    {"minute", F_MINUTE},
    {"minutes", F_MINUTE},
    {"min", F_MINUTE},
    {"mins", F_MINUTE},
    {"m", F_MINUTE},
    {"hour", F_HOUR},
    {"hours", F_HOUR},
    {"hr", F_HOUR},
    {"hrs", F_HOUR},
    {"h", F_HOUR},
    {"day", F_DAY},
    {"days", F_DAY},
    {"d", F_DAY},
    {"week", F_WEEK},
    {"weeks", F_WEEK},
    {"w", F_WEEK},
    {"month", F_MONTH},
    {"months", F_MONTH},
    {"mon", F_MONTH},
    {"mons", F_MONTH},
    {"quarter", F_QUARTER},
    {"qtr", F_QUARTER},
    {"year", F_YEAR},
    {"years", F_YEAR},
    {"yr", F_YEAR},
    {"yrs", F_YEAR},
    {"y", F_YEAR},
    {"decade", F_DECADE},
    {"decades", F_DECADE},
    {"century", F_CENTURY},
    {"centuries", F_CENTURY},
    {"millennium", F_MILLENNIUM},
    {"millennia", F_MILLENNIUM},
    {"dow", F_DOW},
    {"isodow", F_ISODOW},
    {"doy", F_DOY},
    {"isoyear", F_ISOYEAR},
    {"epoch", F_EPOCH},
    {"julian", F_JULIAN},
};

static enum field field_by_name(const char *s, size_t n)
{
    char low[24];

    if (n >= sizeof low)
        return F_NONE;
    for (size_t i = 0; i < n; i++)
        low[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
    low[n] = '\0';
    for (size_t i = 0; i < BP_COUNT_OF(field_names); i++)
        if (strcmp(low, field_names[i].name) == 0)
            return field_names[i].f;
    return F_NONE;
}

bool bp_is_clock_field(const char *s, size_t n)
{
    enum field f = field_by_name(s, n);

    return f != F_NONE && f < F_DAY;
}

/* Seconds of a field of fixed length; 0 for the others. */
static int64_t field_seconds(enum field f)
{
    switch (f) {
    case F_SECOND: return 1;
    case F_MINUTE: return 60;
    case F_HOUR: return 3600;
    case F_DAY: return DAY_S;
    case F_WEEK: return 7 * DAY_S;
    default: return 0;
    }
}

/* ---- date_trunc ---- */

/* A result below the least timestamp comes out above its argument: of wrapping, or as INT64_MAX. */

static inline int64_t less(int64_t a, int64_t rest)
{
    return (int64_t)((uint64_t)a - (uint64_t)rest);
}

/* r = a cut down to a multiple of size. */
BP_WIDE static void cut_fixed(const int64_t *a, int64_t *r, int64_t n, int64_t size)
{
    double inverse = 1.0 / (double)size;

    for (int64_t i = 0; i < n; i++) {
        int64_t q = (int64_t)((double)a[i] * inverse);
        int64_t rest = (int64_t)((uint64_t)a[i] - (uint64_t)q * (uint64_t)size);

        rest += rest < 0 ? size : 0;
        rest += rest < 0 ? size : 0;
        rest -= rest >= size ? size : 0;
        r[i] = less(a[i], rest);
    }
}

static void cut_small(const int64_t *a, int64_t *r, int64_t n, int64_t size)
{
    for (int64_t i = 0; i < n; i++)
        r[i] = less(a[i], bp_floor_mod(a[i], size));
}

/* Weeks begin on Mondays; 1970-01-01 was a Thursday. */
static void cut_weeks(const int64_t *a, int64_t *r, int64_t n, int64_t day)
{
    for (int64_t i = 0; i < n; i++)
        r[i] = less(a[i], (bp_floor_mod(a[i], 7 * day) + 3 * day) % (7 * day));
}

static int64_t first_year(enum field f, int64_t y)
{
    switch (f) {
    case F_DECADE: return y >= 0 ? y / 10 * 10 : -((9 - y) / 10) * 10;
    case F_CENTURY: return y > 0 ? (y + 99) / 100 * 100 - 99 : -((100 - y) / 100) * 100 + 1;
    case F_MILLENNIUM:
        return y > 0 ? (y + 999) / 1000 * 1000 - 999 : -((1000 - y) / 1000) * 1000 + 1;
    default: return y;
    }
}

/* First day of the field that holds this day, and the first one behind it. */
static void field_span(enum field f, int64_t day, int64_t *from, int64_t *to)
{
    struct bp_civil c = bp_civil_from_days(day);
    int64_t year = first_year(f, c.year);
    int month = f == F_MONTH ? c.month : f == F_QUARTER ? (c.month - 1) / 3 * 3 + 1 : 1;
    static const int months[] = {[F_MONTH] = 1,    [F_QUARTER] = 3,    [F_YEAR] = 12,
                                 [F_DECADE] = 120, [F_CENTURY] = 1200, [F_MILLENNIUM] = 12000};

    *from = bp_days_from_civil(year, month, 1);
    *to = bp_days_add_months(*from, months[f]);
}

static void cut_calendar(const int64_t *a, int64_t *r, int64_t n, enum field f, int64_t day)
{
    int64_t from = 0, to = 0, lo = 1, hi = 0, result = 0;

    for (int64_t i = 0; i < n; i++) {
        if (a[i] < lo || a[i] >= hi) {
            field_span(f, bp_floor_div(a[i], day), &from, &to);
            result = INT64_MAX;
            if (__builtin_mul_overflow(from, day, &lo))
                lo = INT64_MIN;
            else
                result = lo;
            if (__builtin_mul_overflow(to, day, &hi))
                hi = INT64_MAX;
        }
        r[i] = result;
    }
}

static int check_cut(struct bp_run *r, const struct bp_vec *arg, const int64_t *cut)
{
    const int64_t *a = arg->c.data;
    char text[BP_TEXT_MAX + 8], name[BP_TYPE_NAME_MAX];
    bool bad = false;

    for (int64_t i = 0; i < r->n; i++)
        bad |= cut[i] > a[i];
    for (int64_t i = 0; bad && i < r->n; i++) {
        if (cut[i] <= a[i] || !bp_run_is_valid(r, i))
            continue;
        bp_show_value(&arg->c, i, text, sizeof text);
        BP_TRY(bp_run_fail(r, i, "with %s the result is out of range for %s", text,
                           bp_type_name(r->node->type, name)));
    }
    return 0;
}

static int run_trunc(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    enum field f = (enum field)r->node->op;
    int64_t per_s = bp_unit_per_second(args[1].c.type.unit), size = field_seconds(f) * per_s;
    const int64_t *a = args[1].c.data;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    if (f == F_MICRO || f == F_MILLI)
        size = BP_MAX(per_s / (f == F_MICRO ? 1000000 : 1000), 1);
    if (f == F_WEEK)
        cut_weeks(a, data, r->n, DAY_S * per_s);
    else if (size >= 1 && size < 4096)
        cut_small(a, data, r->n, size);
    else if (size)
        cut_fixed(a, data, r->n, size);
    else
        cut_calendar(a, data, r->n, f, DAY_S * per_s);
    return check_cut(r, &args[1], data);
}

static int run_trunc_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    enum field f = (enum field)r->node->op;
    const struct bp_interval *a = args[1].c.data;
    int32_t months = f == F_MONTH        ? 1
                     : f == F_QUARTER    ? 3
                     : f == F_YEAR       ? 12
                     : f == F_DECADE     ? 120
                     : f == F_CENTURY    ? 1200
                     : f == F_MILLENNIUM ? 12000
                                         : 0;
    int64_t ns = f == F_MICRO ? 1000 : f == F_MILLI ? 1000000 : field_seconds(f) * 1000000000;
    struct bp_interval *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = a[i];
        if (months)
            v[i] = (struct bp_interval){.months = a[i].months / months * months};
        else if (f == F_DAY)
            v[i].ns = 0;
        else
            v[i].ns = a[i].ns / ns * ns;
    }
    return 0;
}

/* The field, a constant, becomes op. */
static int bind_field(struct bp_bind *b, struct bp_node *nd, struct bp_call *c)
{
    const char *s;
    size_t n;

    if (!bp_node_const_text(nd, &s, &n))
        return bp_bind_fail(b, nd->tok, "the field has to be a constant, as in 'hour'");
    c->op = (uint8_t)field_by_name(s, n);
    if (c->op == F_NONE)
        return bp_bind_fail(b, nd->tok, "'%.*s' is no field of dates and times", (int)BP_MIN(n, 40),
                            s);
    return 0;
}

static int bind_trunc(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok, (void)n;
    BP_TRY(bind_field(b, args[0], c));
    if (c->op > F_MILLENNIUM || (c->op == F_WEEK && args[1]->type.kind == BP_INTERVAL))
        return bp_bind_fail(b, args[0]->tok, "nothing can be cut to this field");
    c->type = args[1]->type;
    c->fallible = args[1]->type.kind != BP_INTERVAL;
    return 0;
}

/* ---- extract ---- */

/* A moment taken apart as far as fields need it. */
struct moment {
    int64_t day;    /* since 1970-01-01 */
    int64_t in_day; /* units since midnight */
    int64_t per_s;
};

static int64_t iso_week(int64_t day, int64_t *year)
{
    int64_t thursday = bp_floor_div(day + 3, 7) * 7; /* of the same week, as days since the epoch */
    int64_t y = bp_civil_from_days(thursday).year;

    *year = y;
    return (thursday - bp_days_from_civil(y, 1, 1)) / 7 + 1;
}

static int64_t day_field(enum field f, int64_t day)
{
    struct bp_civil c;
    int64_t y, week;

    switch (f) {
    case F_DOW: return day + 4 - bp_floor_div(day + 4, 7) * 7;
    case F_ISODOW: return day + 3 - bp_floor_div(day + 3, 7) * 7 + 1;
    case F_JULIAN: return day + 2440588;
    case F_WEEK:
    case F_ISOYEAR: week = iso_week(day, &y); return f == F_WEEK ? week : y > 0 ? y : y - 1;
    default: break;
    }
    c = bp_civil_from_days(day);
    y = c.year;
    switch (f) {
    case F_DAY: return c.day;
    case F_MONTH: return c.month;
    case F_QUARTER: return (c.month - 1) / 3 + 1;
    case F_YEAR: return y > 0 ? y : y - 1;
    case F_DECADE: return y >= 0 ? y / 10 : -((9 - y) / 10);
    case F_CENTURY: return y > 0 ? (y + 99) / 100 : -((100 - y) / 100);
    case F_MILLENNIUM: return y > 0 ? (y + 999) / 1000 : -((1000 - y) / 1000);
    case F_DOY: return day - bp_days_from_civil(y, 1, 1) + 1;
    default: return 0;
    }
}

static int64_t clock_field(enum field f, int64_t in_day, int64_t per_s)
{
    switch (f) {
    case F_HOUR: return in_day / (3600 * per_s);
    case F_MINUTE: return in_day / (60 * per_s) % 60;
    case F_MICRO:
        return per_s <= 1000000 ? in_day % (60 * per_s) * (1000000 / per_s)
                                : in_day % (60 * per_s) / (per_s / 1000000);
    default: return 0;
    }
}

static bool is_clock(enum field f)
{
    return f == F_HOUR || f == F_MINUTE || f == F_MICRO;
}

/* Whole fields of timestamps. */
static int run_extract_stamp(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    enum field f = (enum field)r->node->op;
    int64_t per_s = bp_unit_per_second(args[1].c.type.unit), day = DAY_S * per_s;
    const int64_t *a = args[1].c.data;
    int64_t *v, lo = 1, hi = 0, last = 0;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        if (is_clock(f)) {
            v[i] = clock_field(f, bp_floor_mod(a[i], day), per_s);
            continue;
        }
        if (a[i] < lo || a[i] >= hi) {
            int64_t d = bp_floor_div(a[i], day);

            last = day_field(f, d);
            if (__builtin_mul_overflow(d, day, &lo))
                lo = INT64_MIN;
            if (__builtin_add_overflow(lo, day, &hi))
                hi = INT64_MAX;
        }
        v[i] = last;
    }
    return 0;
}

static int run_extract_date(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const int32_t *a = args[1].c.data;
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = day_field((enum field)r->node->op, a[i]);
    return 0;
}

static int run_extract_time(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t per_s = bp_unit_per_second(args[1].c.type.unit);
    const int64_t *a = args[1].c.data;
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = clock_field((enum field)r->node->op, a[i], per_s);
    return 0;
}

static int64_t interval_field(enum field f, struct bp_interval v)
{
    int64_t years = v.months / 12;

    switch (f) {
    case F_MICRO: return v.ns % 60000000000 / 1000;
    case F_MINUTE: return v.ns / 60000000000 % 60;
    case F_HOUR: return v.ns / 3600000000000;
    case F_DAY: return v.days;
    case F_MONTH: return v.months % 12;
    case F_QUARTER: return v.months % 12 / 3 + 1;
    case F_YEAR: return years;
    case F_DECADE: return years / 10;
    case F_CENTURY: return years / 100;
    case F_MILLENNIUM: return years / 1000;
    default: return 0;
    }
}

static int run_extract_interval(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_interval *a = args[1].c.data;
    int64_t *v;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++)
        v[i] = interval_field((enum field)r->node->op, a[i]);
    return 0;
}

/* Nanoseconds of row i: since midnight or the minute for second, in all for epoch. */
static bp_int128 total_ns(const struct bp_column *c, int64_t i, bool epoch)
{
    const struct bp_interval *p;
    int64_t per_s, v;

    if (c->type.kind == BP_DATE)
        return epoch ? (bp_int128)((const int32_t *)c->data)[i] * DAY_S * 1000000000 : 0;
    if (c->type.kind == BP_INTERVAL) {
        p = (const struct bp_interval *)c->data + i;
        if (!epoch)
            return p->ns % 60000000000;
        /* A year of 365.25 days, a month of 30. */
        return (bp_int128)(p->months / 12) * 31557600 * 1000000000 +
               ((bp_int128)(p->months % 12) * 30 + p->days) * DAY_S * 1000000000 + p->ns;
    }
    per_s = bp_unit_per_second(c->type.unit);
    v = ((const int64_t *)c->data)[i];
    if (!epoch)
        v = bp_floor_mod(v, 60 * per_s);
    return (bp_int128)v * (1000000000 / per_s);
}

/* second, milliseconds, epoch: decimals. */
static int run_extract_exact(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const bp_int128 per_unit = 1000;
    struct bp_decimals d;
    bp_int128 *v;

    BP_TRY(bp_decimals_start(&d, r, NULL, 0, out));
    v = d.to;
    for (int64_t i = 0; i < r->n; i++) {
        bp_int128 ns = total_ns(&args[1].c, args[1].one ? 0 : i, r->node->op == F_EPOCH);

        v[i] =
            ns / per_unit - (ns % per_unit < 0); /* microseconds, or thousandths of milliseconds */
        if (bp_abs128(v[i]) >= bp_ten_to[18] && bp_run_is_valid(r, i))
            BP_TRY(bp_run_fail(r, i, "the epoch is out of range for decimal(18,6)"));
    }
    bp_decimals_end(&d, out);
    return 0;
}

static int field_refused(struct bp_bind *b, int tok, struct bp_type t)
{
    char name[BP_TYPE_NAME_MAX];

    return bp_bind_fail(b, tok, "%s has no such field", bp_type_name(t, name));
}

static int bind_extract(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    struct bp_type t = args[1]->type;
    enum field f;

    (void)tok, (void)n;
    BP_TRY(bind_field(b, args[0], c));
    f = (enum field)c->op;
    c->type = BP_TYPE(BP_INT64);
    if (f == F_SECOND || f == F_MILLI || f == F_EPOCH) {
        if (t.kind == BP_DATE && f != F_EPOCH)
            return field_refused(b, args[0]->tok, t);
        c->type = BP_TYPE_DECIMAL(18, f == F_MILLI ? 3 : 6);
        c->run = run_extract_exact;
        c->fallible = f == F_EPOCH;
        return 0;
    }
    if (t.kind == BP_DATE) {
        if (is_clock(f))
            return field_refused(b, args[0]->tok, t);
        c->run = run_extract_date;
    } else if (t.kind == BP_TIME) {
        if (!is_clock(f))
            return field_refused(b, args[0]->tok, t);
        c->run = run_extract_time;
    } else if (t.kind == BP_INTERVAL) {
        if (f == F_WEEK || f >= F_DOW)
            return field_refused(b, args[0]->tok, t);
        c->run = run_extract_interval;
    } else {
        if (f == F_JULIAN)
            return bp_bind_fail(b, args[0]->tok, "take the julian day of a date: cast to date");
        c->run = run_extract_stamp;
    }
    return 0;
}

/* year(x) and its like: extract with the function's own name. */
static int bind_named(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *field;
    char *name = bp_tok_name(b->toks, tok, &b->e->mem, b->err);

    if (!name)
        return b->err->code;
    BP_TRY(bp_bind_literal(b, tok, strcasecmp(name, "dayofweek") == 0 ? "dow" : name, &field));
    args[1] = args[0];
    args[0] = field;
    BP_TRY(bp_settle(b, &args[0]));
    *n = 2;
    return bind_extract(b, tok, args, n, c);
}

#define NAMED(NAME, KIND)                                                                          \
    {                                                                                              \
        .name = NAME, .args = {KIND}, .result = BP_INT64, .bind = bind_named                       \
    }
static const struct bp_fn fns[] = {
    {.name = "date_trunc",
     .args = {BP_TEXT, BP_TIMESTAMPTZ},
     .result = BP_TIMESTAMPTZ,
     .flags = BP_FN_CHEAP,
     .run = run_trunc,
     .bind = bind_trunc},
    {.name = "date_trunc",
     .args = {BP_TEXT, BP_TIMESTAMP},
     .result = BP_TIMESTAMP,
     .flags = BP_FN_CHEAP,
     .run = run_trunc,
     .bind = bind_trunc},
    {.name = "date_trunc",
     .args = {BP_TEXT, BP_INTERVAL},
     .result = BP_INTERVAL,
     .run = run_trunc_interval,
     .bind = bind_trunc},
    {.name = "extract", .args = {BP_TEXT, BP_DATE}, .result = BP_INT64, .bind = bind_extract},
    {.name = "extract", .args = {BP_TEXT, BP_TIME}, .result = BP_INT64, .bind = bind_extract},
    {.name = "extract", .args = {BP_TEXT, BP_TIMESTAMP}, .result = BP_INT64, .bind = bind_extract},
    {.name = "extract",
     .args = {BP_TEXT, BP_TIMESTAMPTZ},
     .result = BP_INT64,
     .bind = bind_extract},
    {.name = "extract", .args = {BP_TEXT, BP_INTERVAL}, .result = BP_INT64, .bind = bind_extract},
    NAMED("year", BP_DATE),
    NAMED("year", BP_TIMESTAMP),
    NAMED("year", BP_TIMESTAMPTZ),
    NAMED("quarter", BP_DATE),
    NAMED("quarter", BP_TIMESTAMP),
    NAMED("quarter", BP_TIMESTAMPTZ),
    NAMED("month", BP_DATE),
    NAMED("month", BP_TIMESTAMP),
    NAMED("month", BP_TIMESTAMPTZ),
    NAMED("day", BP_DATE),
    NAMED("day", BP_TIMESTAMP),
    NAMED("day", BP_TIMESTAMPTZ),
    NAMED("hour", BP_TIME),
    NAMED("hour", BP_TIMESTAMP),
    NAMED("hour", BP_TIMESTAMPTZ),
    NAMED("minute", BP_TIME),
    NAMED("minute", BP_TIMESTAMP),
    NAMED("minute", BP_TIMESTAMPTZ),
};

const struct bp_fn_table bp_fns_time = {fns, BP_COUNT_OF(fns)};
