/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times and intervals as text by a format: to_char(); names of months and days. */
#include <stdio.h>
#include <string.h>

#include "col/civil.h"
#include "expr/function.h"
#include "expr/moment.h"
#include "expr/picture.h"
#include "expr/text_arg.h"

/* A moment taken apart; in intervals the fields are not bound to the calendar. */
struct parts {
    bool span;   /* an interval */
    bool zoned;  /* an instant, in UTC */
    int64_t day; /* since 1970-01-01 */
    int64_t year, month, mday, hour, minute, second, us;
    int64_t yday, wday; /* from 1; 0 is Sunday */
};

static struct parts stamp_parts(int64_t v, int64_t per_s, bool zoned)
{
    int64_t day = bp_floor_div(v, BP_DAY_S * per_s), in_day = bp_floor_mod(v, BP_DAY_S * per_s);
    struct bp_civil c = bp_civil_from_days(day);
    int64_t s = in_day / per_s;

    return (struct parts){.zoned = zoned,
                          .day = day,
                          .year = c.year,
                          .month = c.month,
                          .mday = c.day,
                          .hour = s / 3600,
                          .minute = s / 60 % 60,
                          .second = s % 60,
                          .us = per_s >= 1000000 ? in_day % per_s / (per_s / 1000000)
                                                 : in_day % per_s * (1000000 / per_s),
                          .yday = day - bp_days_from_civil(c.year, 1, 1) + 1,
                          .wday = day + 4 - bp_floor_div(day + 4, 7) * 7};
}

static struct parts interval_parts(struct bp_interval v)
{
    int64_t us = v.ns / 1000;

    return (struct parts){.span = true,
                          .year = v.months / 12,
                          .month = v.months % 12,
                          .mday = v.days,
                          .hour = us / INT64_C(3600000000),
                          .minute = us / BP_MINUTE_US % 60,
                          .second = us / 1000000 % 60,
                          .us = us % 1000000,
                          .yday = (int64_t)v.months * 30 + v.days};
}

static int64_t iso_week(int64_t day, int64_t *year)
{
    int64_t thursday = bp_floor_div(day + 3, 7) * 7;

    *year = bp_civil_from_days(thursday).year;
    return (thursday - bp_days_from_civil(*year, 1, 1)) / 7 + 1;
}

/* Day of the ISO year. */
static int64_t iso_day(int64_t day)
{
    int64_t year, week = iso_week(day, &year);

    return (week - 1) * 7 + (day + 3 - bp_floor_div(day + 3, 7) * 7) + 1;
}

/* ---- writing ---- */

struct pen {
    char *to;
    size_t n;
};

static void put_letters(struct pen *w, const char *s, size_t n, int letters)
{
    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (letters == BP_PIC_UPPER && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        if (letters == BP_PIC_LOWER && c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        w->to[w->n++] = c;
    }
}

static void put_name(struct pen *w, const struct bp_piece *p, const char *name, size_t max,
                     size_t width)
{
    size_t n = BP_MIN(strlen(name), max);

    put_letters(w, name, n, p->letters);
    for (; n < width && !p->fill && !p->local; n++)
        w->to[w->n++] = ' ';
}

/* With zeros in front to `width` digits, one more place for a sign. */
static void put_number(struct pen *w, const struct bp_piece *p, int64_t v, int width)
{
    static const char *const ends[] = {"th", "st", "nd", "rd"};
    size_t from = w->n;
    int k;

    w->n += (size_t)sprintf(w->to + w->n, "%0*lld",
                            p->fill ? 0
                            : v < 0 ? width + 1
                                    : width,
                            (long long)v);
    if (!p->th)
        return;
    k = w->to[w->n - 1] - '0';
    if (k > 3 || (w->n - from > 1 && w->to[w->n - 2] == '1'))
        k = 0;
    put_letters(w, ends[k], 2, p->th == 'T' ? BP_PIC_UPPER : BP_PIC_LOWER);
}

/* The same, but a sign takes the place of a digit, as PostgreSQL has it for some. */
static void put_tight(struct pen *w, const struct bp_piece *p, int64_t v, int width)
{
    put_number(w, p, v, width - (v < 0));
}

/* AD and BC, AM and PM: with dots if asked. */
static void put_half(struct pen *w, const struct bp_piece *p, const char *name)
{
    put_letters(w, name, 1, p->letters);
    if (p->dots)
        w->to[w->n++] = '.';
    put_letters(w, name + 1, 1, p->letters);
    if (p->dots)
        w->to[w->n++] = '.';
}

static int64_t shown_year(const struct parts *t, int64_t year)
{
    return !t->span && year <= 0 ? 1 - year : year;
}

static void put_year(struct pen *w, const struct bp_piece *p, const struct parts *t, int64_t year)
{
    static const int64_t cut[] = {1, 10, 100, 1000};
    int64_t v = shown_year(t, year);

    if (p->number == 4)
        put_number(w, p, v, 4);
    else /* the year's sign decides how wide it is */
        put_number(w, p, v % cut[p->number],
                   p->number + (v < 0 && v % cut[p->number] == 0 && p->number > 1));
}

static int64_t century(const struct parts *t)
{
    if (t->span)
        return t->year / 100;
    return t->year > 0 ? (t->year - 1) / 100 + 1 : t->year / 100 - 1;
}

static const int64_t pow10[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

/* Fields of the clock; false if p is none. */
static bool put_clock(struct pen *w, const struct bp_piece *p, const struct parts *t)
{
    int64_t half;

    switch (p->key) {
    case BP_PIC_AM: put_half(w, p, t->hour % 24 >= 12 ? "PM" : "AM"); return true;
    case BP_PIC_HH12:
        half = t->hour % 12;
        put_number(w, p, half ? half : 12, 2 + (t->hour < 0 && half == 0));
        return true;
    case BP_PIC_HH24: put_number(w, p, t->hour, 2); return true;
    case BP_PIC_MI: put_number(w, p, t->minute, 2); return true;
    case BP_PIC_SS: put_number(w, p, t->second, 2); return true;
    case BP_PIC_MS:
    case BP_PIC_FF:
    case BP_PIC_US: {
        int digits = p->key == BP_PIC_FF ? p->number : p->key == BP_PIC_MS ? 3 : 6;
        struct bp_piece plain = *p;

        plain.fill = false;
        put_tight(w, &plain, t->us / pow10[6 - digits], digits);
        return true;
    }
    case BP_PIC_SSSS: put_number(w, p, t->hour * 3600 + t->minute * 60 + t->second, 0); return true;
    default: return false;
    }
}

/* Fields that intervals have, too; false if p is none. */
static bool put_count(struct pen *w, const struct bp_piece *p, const struct parts *t)
{
    int64_t v;

    switch (p->key) {
    case BP_PIC_MM: put_number(w, p, t->month, 2); return true;
    case BP_PIC_DD: put_tight(w, p, t->mday, 2); return true;
    case BP_PIC_DDD: put_tight(w, p, t->yday, 3); return true;
    case BP_PIC_WW: put_tight(w, p, (t->yday - 1) / 7 + 1, 2); return true;
    case BP_PIC_W: put_number(w, p, (t->mday - 1) / 7 + 1, 0); return true;
    case BP_PIC_Q:
        if (t->month)
            put_number(w, p, (t->month - 1) / 3 + 1, 0);
        return true;
    case BP_PIC_CC:
        v = century(t);
        put_number(w, p, v, v < 100 && v > -100 ? 2 : 0);
        return true;
    case BP_PIC_YEAR: put_year(w, p, t, t->year); return true;
    case BP_PIC_Y_YYY:
        v = shown_year(t, t->year);
        w->n += (size_t)sprintf(w->to + w->n, "%lld,", (long long)(v / 1000));
        put_tight(w, p, v % 1000, 3);
        return true;
    default: return false;
    }
}

/* false: no such field. */
static bool put_field(struct pen *w, const struct bp_piece *p, const struct parts *t)
{
    int64_t year;

    if (p->key == BP_PIC_FX || put_clock(w, p, t) || put_count(w, p, t))
        return true;
    if (t->span)
        return false;
    switch (p->key) {
    case BP_PIC_AD: put_half(w, p, t->year <= 0 ? "BC" : "AD"); return true;
    case BP_PIC_MONTH: put_name(w, p, bp_month_names[t->month - 1], 9, 9); return true;
    case BP_PIC_MON: put_name(w, p, bp_month_names[t->month - 1], 3, 0); return true;
    case BP_PIC_RM: put_name(w, p, bp_roman_months[t->month - 1], 4, 4); return true;
    case BP_PIC_DAY: put_name(w, p, bp_day_names[t->wday], 9, 9); return true;
    case BP_PIC_DY: put_name(w, p, bp_day_names[t->wday], 3, 0); return true;
    case BP_PIC_D: put_number(w, p, t->wday + 1, 0); return true;
    case BP_PIC_ID: put_number(w, p, t->wday ? t->wday : 7, 0); return true;
    case BP_PIC_IDDD: put_number(w, p, iso_day(t->day), 3); return true;
    case BP_PIC_IW: put_number(w, p, iso_week(t->day, &year), 2); return true;
    case BP_PIC_ISOYEAR:
        iso_week(t->day, &year);
        put_year(w, p, t, year);
        return true;
    case BP_PIC_J: put_number(w, p, t->day + 2440588, 0); return true;
    case BP_PIC_TZ: put_letters(w, "UTC", t->zoned ? 3 : 0, p->letters); return true;
    case BP_PIC_TZH: put_letters(w, "+00", 3, p->letters); return true;
    case BP_PIC_TZM: put_letters(w, "00", 2, p->letters); return true;
    default:
        put_letters(w, p->fill ? "+0" : "+00", p->fill ? 2 : 3, p->letters);
        return true; /* OF */
    }
}

#define FIELD_BYTES 32 /* at most */

static int row_to_char(struct bp_run *r, const struct bp_vec *args, int64_t i,
                       struct bp_text_out *o, size_t *used)
{
    const struct bp_picture *pic = r->node->param;
    const struct bp_type t = args[0].c.type;
    struct parts x;
    struct pen w = {0};
    uint8_t *to;

    BP_TRY(bp_text_out_room(o, (size_t)pic->n * FIELD_BYTES + FIELD_BYTES, &to, r->ev->err));
    w.to = (char *)to;
    if (t.kind == BP_INTERVAL)
        x = interval_parts(((const struct bp_interval *)args[0].c.data)[i]);
    else
        x = stamp_parts(((const int64_t *)args[0].c.data)[i],
                        bp_unit_per_second((enum bp_unit)t.unit), t.kind == BP_TIMESTAMPTZ);
    for (int k = 0; k < pic->n; k++) {
        const struct bp_piece *p = &pic->pieces[k];

        if (p->kind != BP_PIC_FIELD) {
            memcpy(w.to + w.n, p->text, p->bytes);
            w.n += p->bytes;
        } else if (!put_field(&w, p, &x)) {
            return bp_run_fail(r, i, "an interval has no day of the week, no era and no zone");
        }
    }
    *used = w.n;
    return 0;
}

BP_TEXT_KERNEL(run_to_char, row_to_char)

static int know_picture(struct bp_bind *b, const char *s, size_t n, struct bp_call *c)
{
    struct bp_picture *pic = bp_arena_alloc(&b->e->mem, sizeof *pic, b->err);

    if (!pic)
        return b->err->code;
    c->param = pic;
    return bp_picture_parse(&b->e->mem, s, n, pic, b->err);
}

static int bind_to_char(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    const char *s = "";
    size_t len = 0;

    if (!bp_node_is_null(args[1]) && !bp_node_const_text(args[1], &s, &len))
        return bp_bind_fail(b, args[1]->tok, "the format has to be a constant, as in 'YYYY-MM'");
    if (len == 0) { /* as in PostgreSQL: nothing, for NULL and for an empty format */
        c->run = NULL;
        return bp_node_null(b, tok, c->type, &args[0]);
    }
    *n = 1;
    return know_picture(b, s, len, c);
}

/* monthname, dayname: op tells which */
static int bind_name(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    const char *s = c->op ? "FMDay" : "FMMonth";

    (void)tok, (void)args, (void)n;
    return know_picture(b, s, strlen(s), c);
}

#define TO_CHAR(KIND)                                                                              \
    {                                                                                              \
        .name = "to_char", .args = {KIND, BP_TEXT}, .result = BP_TEXT, .run = run_to_char,         \
        .bind = bind_to_char, .flags = KIND == BP_INTERVAL ? BP_FN_FALLIBLE : 0                    \
    }
#define NAME(NAME, KIND, OP)                                                                       \
    {                                                                                              \
        .name = NAME, .args = {KIND}, .result = BP_TEXT, .run = run_to_char, .bind = bind_name,    \
        .op = OP                                                                                   \
    }

static const struct bp_fn fns[] = {
    TO_CHAR(BP_TIMESTAMPTZ),
    TO_CHAR(BP_TIMESTAMP),
    TO_CHAR(BP_INTERVAL),
    NAME("monthname", BP_TIMESTAMP, 0),
    NAME("monthname", BP_TIMESTAMPTZ, 0),
    NAME("dayname", BP_TIMESTAMP, 1),
    NAME("dayname", BP_TIMESTAMPTZ, 1),
};

const struct bp_fn_table bp_fns_to_char = {fns, BP_COUNT_OF(fns)};
