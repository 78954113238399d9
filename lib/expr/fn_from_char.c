/* SPDX-License-Identifier: Apache-2.0 */
/* to_date() and to_timestamp(): text by a format. */
#include <string.h>

#include "col/civil.h"
#include "col/text.h"
#include "expr/cast.h"
#include "expr/function.h"
#include "expr/moment.h"
#include "expr/picture_read.h"

const int bp_pic_pow10[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};

struct format {
    struct bp_picture pic;
    bool iso; /* its weeks and years are those of ISO 8601 */
};

/* ---- fields -> a moment ---- */

/* The year as the calendar counts it: 0 is 1 BC. */
static int64_t year_of(const struct bp_pic_fields *f)
{
    int64_t cc = f->bc ? -(int64_t)f->century : f->century, y = f->year;

    if (!y)
        return !f->century ? 0 : cc >= 0 ? (cc - 1) * 100 + 1 : cc * 100 + 1;
    if (f->century && f->year_digits <= 2) {
        y %= 100;
        if (!y)
            return cc * 100 + (cc < 0);
        return cc >= 0 ? y + (cc - 1) * 100 : (cc + 1) * 100 - y + 1;
    }
    if (f->bc)
        y = -y;
    return y < 0 ? y + 1 : y;
}

/* Monday of week 1. */
static int64_t iso_year_start(int64_t year)
{
    int64_t jan4 = bp_days_from_civil(year, 1, 4);

    return jan4 - (jan4 + 3 - bp_floor_div(jan4 + 3, 7) * 7);
}

struct date {
    int64_t year, month, day;
    bool has_year, has_month, has_day;
};

static void put_date(struct date *d, int64_t day)
{
    struct bp_civil c = bp_civil_from_days(day);

    *d = (struct date){c.year, c.month, c.day, true, true, true};
}

/* The day of the year where the month or the day is missing. */
static bool by_year_day(struct date *d, const struct bp_pic_fields *f, int64_t yday, bool iso)
{
    struct bp_civil c;

    if (!d->year && !f->bc)
        return false;
    if (iso) {
        put_date(d, iso_year_start(d->year) + yday - 1);
        return true;
    }
    c = bp_civil_from_days(bp_days_from_civil(d->year, 1, 1) + yday - 1);
    if (yday < 1 || c.year != d->year) { /* PostgreSQL goes no further than December */
        c.month = yday < 1 ? 1 : 12;
        c.day = (int)(yday < 1 ? yday
                               : yday - (bp_days_from_civil(d->year, 12, 1) -
                                         bp_days_from_civil(d->year, 1, 1)));
    }
    if (d->month <= 1) {
        d->month = c.month;
        d->has_month = true;
    }
    if (d->day <= 1) {
        d->day = c.day;
        d->has_day = true;
    }
    return true;
}

static bool day_of(const struct bp_pic_fields *f, bool iso, int64_t *day)
{
    struct date d = {year_of(f), 1, 1, f->year || f->century, false, false};
    int64_t yday = f->yday, mday = f->day;

    if (d.year > 5900000 || d.year < -5900000)
        return false;
    if (f->julian)
        put_date(&d, (int64_t)f->julian - 2440588);
    if (f->week && iso)
        put_date(&d, iso_year_start(d.year) + ((int64_t)f->week - 1) * 7 +
                         (f->wday ? (f->wday == 1 ? 6 : f->wday - 2) : 0));
    else if (f->week)
        yday = ((int64_t)f->week - 1) * 7 + 1;
    if (f->week_of_month)
        mday = ((int64_t)f->week_of_month - 1) * 7 + 1;
    if (mday) {
        d.day = mday;
        d.has_day = true;
    }
    if (f->month) {
        d.month = f->month;
        d.has_month = true;
    }
    if (yday && (d.month <= 1 || d.day <= 1) && !by_year_day(&d, f, yday, iso))
        return false;
    if ((d.has_month && (d.month < 1 || d.month > 12)) || (d.has_day && (d.day < 1 || d.day > 31)))
        return false;
    if (d.has_year && d.has_month && d.has_day && d.day > bp_days_in_month(d.year, (int)d.month))
        return false;
    *day = bp_days_from_civil(d.year, (int)d.month, 1) + d.day - 1;
    return true;
}

static bool clock_of(const struct bp_pic_fields *f, int64_t *us)
{
    int64_t h = f->hour, m = f->minute, s = f->second, part = (int64_t)f->ms * 1000 + f->us;

    if (f->second_of_day) {
        h = h ? h : f->second_of_day / 3600;
        m = m ? m : f->second_of_day / 60 % 60;
        s = s ? s : f->second_of_day % 60;
    }
    if (f->half_day) {
        if (h < 1 || h > 12)
            return false;
        h = h % 12 + (f->pm ? 12 : 0);
    }
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 || part < 0 || part >= 1000000)
        return false;
    *us = (h * 3600 + m * 60 + s) * 1000000 + part;
    return true;
}

/* The zone's offset, east of UTC. */
static bool zone_of(const struct bp_pic_fields *f, int64_t *s)
{
    *s = f->zone_sign * (f->zone_hour * INT64_C(3600) + f->zone_minute * INT64_C(60));
    return !f->zone_sign ||
           (f->zone_hour >= 0 && f->zone_hour <= 15 && f->zone_minute >= 0 && f->zone_minute <= 59);
}

/* enum bp_text_status */
static int read_moment(const struct format *fmt, const char *s, size_t n, int64_t *day, int64_t *us)
{
    struct bp_pic_fields f;
    int64_t zone;

    if (!bp_picture_read(&fmt->pic, s, n, &f))
        return BP_TEXT_BAD;
    if (!day_of(&f, fmt->iso, day) || !clock_of(&f, us) || !zone_of(&f, &zone))
        return BP_TEXT_RANGE;
    *us -= zone * 1000000;
    return BP_TEXT_OK;
}

/* ---- kernels ---- */

static int run_read(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    bool date = r->node->type.kind == BP_DATE;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    memset(data, 0, (size_t)r->n * (date ? sizeof(int32_t) : sizeof(int64_t)));
    for (int64_t i = 0; i < r->n; i++) {
        int64_t day = 0, us = 0, v = 0;
        const char *s;
        size_t n;
        int rc;

        if (!bp_run_is_valid(r, i))
            continue;
        s = (const char *)bp_column_bytes(&args[0].c, i, &n);
        rc = read_moment(r->node->param, s, n, &day, &us);
        if (rc == BP_TEXT_OK &&
            (__builtin_mul_overflow(day, BP_DAY_US, &v) || __builtin_add_overflow(v, us, &v)) &&
            !date)
            rc = BP_TEXT_RANGE;
        if (rc == BP_TEXT_OK && date && day != (int32_t)day)
            rc = BP_TEXT_RANGE;
        if (rc)
            BP_TRY(bp_cast_fail(r, i, &args[0], rc == BP_TEXT_RANGE));
        else if (date)
            ((int32_t *)data)[i] = (int32_t)day;
        else
            ((int64_t *)data)[i] = v;
    }
    return 0;
}

/* ---- binding ---- */

static bool is_iso(int key)
{
    return key == BP_PIC_IDDD || key == BP_PIC_ID || key == BP_PIC_IW || key == BP_PIC_ISOYEAR;
}

static bool is_gregorian(int key)
{
    return key == BP_PIC_DDD || key == BP_PIC_DD || key == BP_PIC_D || key == BP_PIC_MM ||
           key == BP_PIC_MONTH || key == BP_PIC_MON || key == BP_PIC_RM || key == BP_PIC_WW ||
           key == BP_PIC_W || key == BP_PIC_Y_YYY || key == BP_PIC_YEAR;
}

static int bind_format(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct format *f = bp_arena_alloc(&b->e->mem, sizeof *f, b->err);
    bool iso = false, gregorian = false;
    const char *s;
    size_t len;

    if (!f)
        return b->err->code;
    c->param = f;
    if (bp_node_is_null(args[1])) {
        c->run = NULL;
        return bp_node_null(b, tok, c->type, &args[0]);
    }
    if (!bp_node_const_text(args[1], &s, &len))
        return bp_bind_fail(b, args[1]->tok, "the format has to be a constant, as in 'YYYY-MM-DD'");
    BP_TRY(bp_picture_parse(&b->e->mem, s, len, &f->pic, b->err));
    for (int k = 0; k < f->pic.n; k++) {
        const struct bp_piece *p = &f->pic.pieces[k];

        if (p->kind != BP_PIC_FIELD)
            continue;
        if (p->key == BP_PIC_TZ || p->key == BP_PIC_OF)
            return bp_bind_fail(b, args[1]->tok, "TZ and OF are only written, by to_char()");
        iso |= is_iso(p->key);
        gregorian |= is_gregorian(p->key);
    }
    if (iso && gregorian)
        return bp_bind_fail(b, args[1]->tok,
                            "the format mixes days of the year and month with those of ISO weeks");
    f->iso = iso;
    *n = 1;
    return 0;
}

static int bind_to_date(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    struct bp_call cast;

    (void)n;
    if (args[0]->type.kind == BP_DATE)
        return 0; /* run stays NULL: the argument itself */
    if (!bp_cast_find(args[0]->type, BP_TYPE(BP_DATE), &cast))
        return bp_bind_fail(b, tok, "to_date() takes a text or a timestamp");
    *c = cast;
    return 0;
}

static const struct bp_fn fns[] = {
    {.name = "to_date", .args = {BP_ANY}, .result = BP_DATE, .bind = bind_to_date},
    {.name = "to_date",
     .args = {BP_TEXT, BP_TEXT},
     .result = BP_DATE,
     .flags = BP_FN_FALLIBLE,
     .run = run_read,
     .bind = bind_format},
    {.name = "to_timestamp",
     .args = {BP_TEXT, BP_TEXT},
     .result = BP_TIMESTAMPTZ,
     .flags = BP_FN_FALLIBLE,
     .run = run_read,
     .bind = bind_format},
};

const struct bp_fn_table bp_fns_from_char = {fns, BP_COUNT_OF(fns)};
