/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX TZ texts: two offsets and the two days of a year on which they change. */
#include <string.h>

#include "col/civil.h"
#include "expr/moment.h"
#include "expr/zone.h"

struct text {
    const char *s, *end;
};

static bool take(struct text *t, char c)
{
    if (t->s < t->end && *t->s == c) {
        t->s++;
        return true;
    }
    return false;
}

static bool is_digit(const struct text *t)
{
    return t->s < t->end && *t->s >= '0' && *t->s <= '9';
}

static bool number(struct text *t, int max, int *out)
{
    if (!is_digit(t))
        return false;
    for (*out = 0; is_digit(t); t->s++)
        if ((*out = *out * 10 + (*t->s - '0')) > max)
            return false;
    return true;
}

/* [+-]h[h][:m[:s]] */
static bool hms(struct text *t, int max_hours, int32_t *out)
{
    int sign = take(t, '-') ? -1 : 1, h, m = 0, s = 0;

    if (sign > 0)
        (void)take(t, '+');
    if (!number(t, max_hours, &h))
        return false;
    if (take(t, ':') && !number(t, 59, &m))
        return false;
    if (t->s < t->end && *t->s == ':' && (t->s++, !number(t, 60, &s)))
        return false;
    *out = sign * (h * 3600 + m * 60 + s);
    return true;
}

/* Letters, or anything between < and >. */
static bool abbreviation(struct text *t)
{
    const char *from = t->s;

    if (take(t, '<')) {
        while (t->s < t->end && *t->s != '>')
            t->s++;
        return take(t, '>');
    }
    while (t->s < t->end && ((*t->s >= 'a' && *t->s <= 'z') || (*t->s >= 'A' && *t->s <= 'Z')))
        t->s++;
    return t->s > from;
}

static bool day_rule(struct text *t, struct bp_zone_day *d)
{
    int month = 0, week = 0, day = 0;

    *d = (struct bp_zone_day){.form = 'D', .time_s = 7200};
    if (take(t, 'M')) {
        d->form = 'M';
        if (!number(t, 12, &month) || month < 1 || !take(t, '.') || !number(t, 5, &week) ||
            week < 1 || !take(t, '.') || !number(t, 6, &day))
            return false;
    } else {
        d->form = take(t, 'J') ? 'J' : 'D';
        if (!number(t, 365, &day) || (d->form == 'J' && day < 1))
            return false;
    }
    d->month = (uint8_t)month;
    d->week = (uint8_t)week;
    d->day = (int16_t)day;
    return !take(t, '/') || hms(t, 167, &d->time_s);
}

bool bp_zone_rule_parse(const char *s, size_t n, struct bp_zone_rule *r)
{
    static const char us_days[] = "M3.2.0,M11.1.0"; /* where a text has none */
    struct text t = {s, s + n}, days = {us_days, us_days + sizeof us_days - 1};
    int32_t west;

    memset(r, 0, sizeof *r);
    (void)abbreviation(&t); /* PostgreSQL takes an offset alone, too */
    if (!hms(&t, 167, &west))
        return false;
    r->std_s = -west;
    if (t.s == t.end)
        return true;
    r->has_dst = true;
    r->dst_s = r->std_s + 3600;
    if (!abbreviation(&t))
        return false;
    if (t.s < t.end && *t.s != ',') {
        if (!hms(&t, 167, &west))
            return false;
        r->dst_s = -west;
    }
    if (t.s < t.end) {
        if (!take(&t, ','))
            return false;
        days = t;
    }
    return day_rule(&days, &r->from) && take(&days, ',') && day_rule(&days, &r->to) &&
           days.s == days.end;
}

static int64_t change_day(const struct bp_zone_day *d, int64_t year)
{
    int64_t first = bp_days_from_civil(year, d->form == 'M' ? d->month : 1, 1), day;
    bool leap = bp_days_in_month(year, 2) == 29;

    if (d->form == 'D')
        return first + d->day;
    if (d->form == 'J')
        return first + d->day - 1 + (leap && d->day > 59);
    day = first + 4; /* 1970-01-01 was a Thursday */
    day = first + (d->day - (day - bp_floor_div(day, 7) * 7) + 7) % 7 + 7 * (d->week - 1);
    return day - first >= bp_days_in_month(year, d->month) ? day - 7 : day;
}

/* Changes of the years around t are few: the last at or before t, and the first after it. */
struct bp_zone_span bp_zone_rule_span(const struct bp_zone_rule *r, int64_t t)
{
    struct bp_zone_span s = {.from = INT64_MIN, .to = INT64_MAX, .offset_s = r->std_s};
    int64_t day = bp_floor_div(t, BP_DAY_S), year;

    if (!r->has_dst || day > INT64_C(1) << 40 || day < -(INT64_C(1) << 40))
        return s;
    year = bp_civil_from_days(day).year;
    for (int64_t y = year - 1; y <= year + 1; y++)
        for (int k = 0; k < 2; k++) {
            int64_t at = change_day(k ? &r->to : &r->from, y) * BP_DAY_S +
                         (k ? r->to.time_s - r->dst_s : r->from.time_s - r->std_s);

            /* Of two at one instant the end of summer comes first. */
            if (at <= t && (at > s.from || (at == s.from && k == 0))) {
                s.from = at;
                s.offset_s = k ? r->std_s : r->dst_s;
            }
            if (at > t && at < s.to)
                s.to = at;
        }
    return s;
}
