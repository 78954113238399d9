/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times, timestamps, intervals -> text, as PostgreSQL writes them. */
#include "col/civil.h"
#include "col/text.h"
#include "col/text_digits.h"

/* Y-MM-DD, four digits at least, without the era. */
static size_t write_day(const struct bp_civil *c, char *out)
{
    uint64_t year = (uint64_t)(c->year > 0 ? c->year : 1 - c->year);
    size_t n = 4;

    if (year < 10000) {
        bp_write_pair(out, (unsigned)year / 100);
        bp_write_pair(out + 2, (unsigned)year % 100);
    } else {
        n = bp_count_digits(year);
        bp_write_digits(out, year, n);
    }
    out[n] = '-';
    bp_write_pair(out + n + 1, (unsigned)c->month);
    out[n + 3] = '-';
    bp_write_pair(out + n + 4, (unsigned)c->day);
    return n + 6;
}

static size_t write_era(const struct bp_civil *c, char *out)
{
    if (c->year > 0)
        return 0;
    memcpy(out, " BC", 3);
    return 3;
}

/* HH:MM:SS; hours of two digits at least. */
static size_t write_clock(uint64_t seconds, char *out)
{
    uint64_t hours = seconds / 3600;
    unsigned rest = (unsigned)(seconds % 3600);
    size_t n = 2;

    if (hours < 100) {
        bp_write_pair(out, (unsigned)hours);
    } else {
        n = bp_count_digits(hours);
        bp_write_digits(out, hours, n);
    }
    out[n] = ':';
    bp_write_pair(out + n + 1, rest / 60);
    out[n + 3] = ':';
    bp_write_pair(out + n + 4, rest % 60);
    return n + 6;
}

/* "." and the digits of a fraction of a second, without zeros at the end. */
static size_t write_fraction(uint64_t fraction, enum bp_unit u, char *out)
{
    size_t n = 3 * (size_t)u;

    if (fraction == 0)
        return 0;
    for (; fraction % 10 == 0; fraction /= 10)
        n--;
    *out = '.';
    bp_write_digits(out + 1, fraction, n);
    return n + 1;
}

size_t bp_format_date(int32_t days, char *out)
{
    struct bp_civil c = bp_civil_from_days(days);
    size_t n = write_day(&c, out);

    return n + write_era(&c, out + n);
}

/* v = *whole * by + the result, which is not negative. */
static uint64_t split(int64_t v, int64_t by, int64_t *whole)
{
    int64_t rest = v % by;

    *whole = v / by - (rest < 0);
    return (uint64_t)(rest < 0 ? rest + by : rest);
}

size_t bp_format_timestamp(int64_t v, enum bp_unit u, bool with_zone, char *out)
{
    int64_t seconds, days;
    uint64_t fraction = split(v, bp_unit_per_second(u), &seconds);
    uint64_t of_day = split(seconds, 86400, &days);
    struct bp_civil c = bp_civil_from_days(days);
    size_t n = write_day(&c, out);

    out[n++] = ' ';
    n += write_clock(of_day, out + n);
    n += write_fraction(fraction, u, out + n);
    if (with_zone) {
        memcpy(out + n, "+00", 3);
        n += 3;
    }
    return n + write_era(&c, out + n);
}

/* A time of day outside of one day (from elsewhere) is written as it counts. */
size_t bp_format_time(int64_t v, enum bp_unit u, char *out)
{
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t per_second = (uint64_t)bp_unit_per_second(u);
    size_t n = v < 0;

    *out = '-';
    n += write_clock(magnitude / per_second, out + n);
    return n + write_fraction(magnitude % per_second, u, out + n);
}

/* " 3 days": after a negative part a positive one shows its sign. */
static size_t write_part(int32_t v, const char *unit, bool *first, bool *minus, char *out)
{
    size_t n = 0;

    if (v == 0)
        return 0;
    if (!*first)
        out[n++] = ' ';
    if (*minus && v > 0)
        out[n++] = '+';
    n += bp_format_int64(v, out + n);
    out[n++] = ' ';
    memcpy(out + n, unit, strlen(unit));
    n += strlen(unit);
    if (v != 1)
        out[n++] = 's';
    *minus = v < 0;
    *first = false;
    return n;
}

size_t bp_format_interval(struct bp_interval v, char *out)
{
    bool first = true, minus = false;
    uint64_t ns = v.ns < 0 ? 0 - (uint64_t)v.ns : (uint64_t)v.ns;
    size_t n = write_part(v.months / 12, "year", &first, &minus, out);

    n += write_part(v.months % 12, "mon", &first, &minus, out + n);
    n += write_part(v.days, "day", &first, &minus, out + n);
    if (ns == 0 && !first)
        return n;
    if (!first)
        out[n++] = ' ';
    if (v.ns < 0)
        out[n++] = '-';
    else if (minus)
        out[n++] = '+';
    n += write_clock(ns / 1000000000, out + n);
    return n + write_fraction(ns % 1000000000, BP_NANO, out + n);
}
