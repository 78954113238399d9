/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text -> dates, times of day, timestamps. The shapes that data has,
 * YYYY-MM-DD and YYYY-MM-DD HH:MM:SS, are checked and converted eight bytes at a
 * time; whatever they do not fit goes the general way, which takes:
 *
 *   date  Y-M-D, Y/M/D, Y.M.D (three year digits at least), YYYYMMDD
 *   time  H:M[:S[.F]] [AM|PM], HHMM, HHMMSS[.F]; 24:00:00; second 60
 *   zone  Z, UTC, GMT, [+-]H[:M[:S]], [+-]HHMM
 *   both  date { T or blanks } time [zone] [BC|AD]; a date alone is midnight
 */
#include "col/civil.h"
#include "col/text.h"
#include "col/text_scan.h"

struct cursor {
    const char *s, *end;
};

struct clock {
    int hour, minute, second;
    int64_t fraction; /* of a second, in ns */
    bool finer;       /* digits below ns that are not 0 */
};

/* ---- the shapes that data has ---- */

/* Bytes of w against a pattern of '0' (a digit) and other bytes (itself): on a
 * match the digits' values, with 0 for the others; else ok is cleared. */
static uint64_t match(uint64_t w, uint64_t pattern, uint64_t room, bool *ok)
{
    w ^= pattern;
    *ok &= (((w + room) | w) & 0x8080808080808080u) == 0;
    return w * 10 + (w >> 8); /* byte i: ten times digit i plus digit i + 1 */
}

#define PAIR(w, i) ((unsigned)((w) >> (8 * (i)) & 0xFF))

/* Days of a date of year 1 to 9999; INT64_MIN if there is no such day. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    static const uint16_t before[13] = {0,   306, 337, 0,   31,  61, 92,
                                        122, 153, 184, 214, 245, 275}; /* from 1 March */
    unsigned y;

    if (year == 0 || month - 1 >= 12 || day - 1 >= 31 ||
        (day > 28 && (int)day > bp_days_in_month(year, (int)month)))
        return INT64_MIN;
    y = year - (month <= 2);
    return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + before[month] + day - 1) - 719468;
}

/* YYYY-MM-DD -> days, INT64_MIN if it is not that or not a day. */
static int64_t short_date(const char *s)
{
    bool ok = true;
    uint64_t w = match(bp_load_u64(s), 0x2D30302D30303030u, 0x7F76767F76767676u, &ok);
    unsigned tens = (unsigned char)(s[8] - '0'), ones = (unsigned char)(s[9] - '0');

    if (!ok || tens > 3 || ones > 9)
        return INT64_MIN;
    return days_of(PAIR(w, 0) * 100 + PAIR(w, 2), PAIR(w, 5), tens * 10 + ones);
}

/* HH:MM:SS -> seconds below a day, -1 if it is not that. */
static int64_t short_time(const char *s)
{
    bool ok = true;
    uint64_t w = match(bp_load_u64(s), 0x30303A30303A3030u, 0x76767F76767F7676u, &ok);
    unsigned h = PAIR(w, 0), m = PAIR(w, 3), sec = PAIR(w, 6);

    if (!ok || h > 23 || m > 59 || sec > 59)
        return -1;
    return h * 3600 + m * 60 + sec;
}

/* ---- words of the general way ---- */

static bool at_digit(const struct cursor *c)
{
    return c->s < c->end && bp_is_digit(*c->s);
}

static size_t count_digits(const struct cursor *c)
{
    size_t n = 0;

    while (c->s + n < c->end && bp_is_digit(c->s[n]))
        n++;
    return n;
}

static bool take(struct cursor *c, char ch)
{
    if (c->s == c->end || *c->s != ch)
        return false;
    c->s++;
    return true;
}

static bool skip_blanks(struct cursor *c)
{
    const char *start = c->s;

    while (c->s < c->end && bp_is_blank(*c->s))
        c->s++;
    return c->s > start;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t n = 0;

    while (c->s + n < c->end && ((c->s[n] | 32) >= 'a' && (c->s[n] | 32) <= 'z'))
        n++;
    if (!bp_is_word(c->s, n, word))
        return false;
    c->s += n;
    return true;
}

/* min to max digits, all that stand there. */
static bool take_number(struct cursor *c, size_t min, size_t max, int64_t *out)
{
    size_t n = count_digits(c);

    *out = 0;
    if (n < min || n > max)
        return false;
    for (; n > 0; n--)
        *out = *out * 10 + (*c->s++ - '0');
    return true;
}

/* Exactly n digits out of a longer run. */
static int take_digits(struct cursor *c, size_t n)
{
    int v = 0;

    for (; n > 0; n--)
        v = v * 10 + (*c->s++ - '0');
    return v;
}

static bool fits(int64_t v, int *status, int64_t min, int64_t max)
{
    if (v < min || v > max)
        *status = BP_TEXT_RANGE;
    return *status == BP_TEXT_OK;
}

/* ---- parts ---- */

struct day {
    int64_t year, month, day;
};

static int read_day(struct cursor *c, struct day *d)
{
    size_t n = count_digits(c);
    char sep;

    if (n == 8) {
        d->year = take_digits(c, 4);
        d->month = take_digits(c, 2);
        d->day = take_digits(c, 2);
        return BP_TEXT_OK;
    }
    if (!take_number(c, 3, 15, &d->year) || c->s == c->end)
        return BP_TEXT_BAD;
    sep = *c->s++;
    if ((sep != '-' && sep != '/' && sep != '.') || !take_number(c, 1, 2, &d->month) ||
        !take(c, sep) || !take_number(c, 1, 2, &d->day))
        return BP_TEXT_BAD;
    return BP_TEXT_OK;
}

/* After everything else: BC, AD. Then the days. */
static int finish_day(struct cursor *c, const struct day *d, int64_t *days)
{
    int status = BP_TEXT_OK;
    int64_t year = d->year;

    skip_blanks(c);
    if (c->s < c->end && take_word(c, "bc"))
        year = 1 - year;
    else if (c->s < c->end && !take_word(c, "ad"))
        return BP_TEXT_BAD;
    if (c->s != c->end)
        return BP_TEXT_BAD;
    if (fits(d->year, &status, 1, INT64_MAX) && fits(d->month, &status, 1, 12) &&
        fits(d->day, &status, 1, bp_days_in_month(year, (int)d->month)))
        *days = bp_days_from_civil(year, (int)d->month, (int)d->day);
    return status;
}

static void read_fraction(struct cursor *c, struct clock *k)
{
    int64_t unit = 100000000;

    for (; at_digit(c); c->s++, unit /= 10) {
        k->fraction += (*c->s - '0') * unit;
        k->finer |= unit == 0 && *c->s != '0';
    }
}

static int apply_half(struct cursor *c, struct clock *k)
{
    struct cursor try = *c;
    bool pm = false;

    skip_blanks(&try);
    if (!take_word(&try, "am") && !(pm = take_word(&try, "pm")))
        return BP_TEXT_OK;
    *c = try;
    if (k->hour > 12)
        return BP_TEXT_RANGE;
    k->hour = k->hour % 12 + (pm ? 12 : 0);
    return BP_TEXT_OK;
}

static int read_clock(struct cursor *c, struct clock *k)
{
    size_t n = count_digits(c);
    int64_t h, m, s = 0;

    *k = (struct clock){0};
    if (n == 4 || n == 6) {
        h = take_digits(c, 2);
        m = take_digits(c, 2);
        if (n == 6) {
            s = take_digits(c, 2);
            if (take(c, '.'))
                read_fraction(c, k);
        }
    } else {
        if (!take_number(c, 1, 2, &h) || !take(c, ':') || !take_number(c, 1, 2, &m))
            return BP_TEXT_BAD;
        if (take(c, ':')) {
            if (!take_number(c, 1, 2, &s))
                return BP_TEXT_BAD;
            if (take(c, '.'))
                read_fraction(c, k);
        }
    }
    k->hour = (int)h;
    k->minute = (int)m;
    k->second = (int)s;
    if (apply_half(c, k) || h > 24 || m > 59 || s > 60 ||
        (h == 24 && (m > 0 || s > 0 || k->fraction > 0 || k->finer)))
        return BP_TEXT_RANGE;
    return BP_TEXT_OK;
}

static int read_zone(struct cursor *c, bool *found, int64_t *seconds)
{
    int status = BP_TEXT_OK;
    struct cursor try = *c;
    int64_t h, m = 0, s = 0;
    bool minus;
    size_t n;

    skip_blanks(&try);
    *seconds = 0;
    *found = take_word(&try, "z") || take_word(&try, "utc") || take_word(&try, "gmt") ||
             take_word(&try, "zulu");
    if (*found) {
        *c = try;
        return BP_TEXT_OK;
    }
    minus = take(&try, '-');
    if (!minus && !take(&try, '+'))
        return BP_TEXT_OK;
    *found = true;
    n = count_digits(&try);
    if (n == 3 || n == 4) {
        h = take_digits(&try, n - 2);
        m = take_digits(&try, 2);
    } else if (!take_number(&try, 1, 2, &h) ||
               (take(&try, ':') && (!take_number(&try, 1, 2, &m) ||
                                    (take(&try, ':') && !take_number(&try, 1, 2, &s))))) {
        return BP_TEXT_BAD;
    }
    *c = try;
    if (!fits(h, &status, 0, 15) || !fits(m, &status, 0, 59) || !fits(s, &status, 0, 59))
        return status;
    *seconds = (h * 3600 + m * 60 + s) * (minus ? -1 : 1);
    return BP_TEXT_OK;
}

/* seconds and a fraction in a unit; RANGE if they do not fit, or it is too fine. */
static int to_unit(bp_int128 seconds, const struct clock *k, enum bp_unit u, int64_t *out)
{
    int64_t per_second = bp_unit_per_second(u), ns = 1000000000 / per_second;
    bp_int128 v = seconds * per_second + k->fraction / ns;

    if (k->finer || k->fraction % ns != 0 || v > INT64_MAX || v < INT64_MIN)
        return BP_TEXT_RANGE;
    *out = (int64_t)v;
    return BP_TEXT_OK;
}

/* ---- the parsers ---- */

static int parse_any_date(const char *s, size_t n, int32_t *out)
{
    struct cursor c;
    struct day d;
    int64_t days = 0;
    int rc;

    bp_trim(&s, &n);
    c = (struct cursor){s, s + n};
    rc = read_day(&c, &d);
    if (rc == 0)
        rc = finish_day(&c, &d, &days);
    if (rc == 0 && (days < INT32_MIN || days > INT32_MAX))
        rc = BP_TEXT_RANGE;
    if (rc == 0)
        *out = (int32_t)days;
    return rc;
}

int bp_parse_date(const char *s, size_t n, int32_t *out)
{
    if (n == 10) {
        int64_t days = short_date(s);

        if (days != INT64_MIN) {
            *out = (int32_t)days;
            return BP_TEXT_OK;
        }
    }
    return parse_any_date(s, n, out);
}

int bp_parse_time(const char *s, size_t n, enum bp_unit u, int64_t *out)
{
    struct cursor c;
    struct clock k;
    int64_t seconds;
    int rc;

    if (n == 8) {
        seconds = short_time(s);
        if (seconds >= 0) {
            *out = seconds * bp_unit_per_second(u);
            return BP_TEXT_OK;
        }
    }
    bp_trim(&s, &n);
    c = (struct cursor){s, s + n};
    if (!take(&c, 'T'))
        take(&c, 't');
    rc = read_clock(&c, &k);
    if (rc)
        return rc;
    if (c.s != c.end)
        return BP_TEXT_BAD;
    seconds = k.hour * 3600 + k.minute * 60 + k.second;
    if (seconds >= 86400 && (k.fraction > 0 || k.finer))
        return BP_TEXT_RANGE;
    return to_unit(seconds, &k, u, out);
}

/* What may follow the day of a timestamp: a time, a zone. */
static int read_rest(struct cursor *c, bool with_zone, struct clock *k, int64_t *offset)
{
    bool blanks = skip_blanks(c), zone = false;
    int rc = BP_TEXT_OK, rc_zone;

    *k = (struct clock){0};
    *offset = 0;
    if (!blanks && (take(c, 'T') || take(c, 't')) && !at_digit(c))
        return BP_TEXT_BAD;
    if (at_digit(c))
        rc = read_clock(c, k);
    if (rc == BP_TEXT_BAD)
        return rc;
    rc_zone = read_zone(c, &zone, offset);
    if (rc_zone == BP_TEXT_BAD || (zone && !with_zone))
        return BP_TEXT_BAD;
    return rc ? rc : rc_zone;
}

static int parse_any_timestamp(const char *s, size_t n, enum bp_unit u, bool with_zone,
                               int64_t *out)
{
    struct cursor c;
    struct clock k;
    struct day d;
    int64_t days = 0, offset;
    int rc, rc_rest;

    bp_trim(&s, &n);
    c = (struct cursor){s, s + n};
    rc = read_day(&c, &d);
    if (rc)
        return rc;
    rc_rest = read_rest(&c, with_zone, &k, &offset);
    if (rc_rest == BP_TEXT_BAD)
        return rc_rest;
    rc = finish_day(&c, &d, &days);
    if (rc || rc_rest)
        return rc ? rc : rc_rest;
    return to_unit((bp_int128)days * 86400 + k.hour * 3600 + k.minute * 60 + k.second - offset, &k,
                   u, out);
}

/* 1 to 9 digits behind the point in a unit; false if they do not fit it. */
static bool short_fraction(const char *s, size_t n, enum bp_unit u, int64_t *out)
{
    static const uint32_t places[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                      10000,      1000,      100,      10,      1};
    size_t head = n < 8 ? n : 8;
    uint64_t w = bp_load_digits(s, head);
    int64_t ns, unit_ns = 1000000000 / bp_unit_per_second(u);

    if (!bp_are_8_digits(w) || (n == 9 && !bp_is_digit(s[8])))
        return false;
    ns = (int64_t)bp_8_digits(w) * places[head] + (n == 9 ? s[8] - '0' : 0);
    *out = ns / unit_ns;
    return ns % unit_ns == 0;
}

/* YYYY-MM-DD HH:MM:SS[.F][Z], and the date alone. */
static bool short_timestamp(const char *s, size_t n, enum bp_unit u, bool with_zone, int64_t *out)
{
    int64_t days, seconds = 0, fraction = 0, per_second = bp_unit_per_second(u);

    if (n < 10)
        return false;
    days = short_date(s);
    if (days == INT64_MIN)
        return false;
    if (n > 10) {
        n -= with_zone && s[n - 1] == 'Z';
        if (n < 19 || n > 29 || (s[10] != ' ' && s[10] != 'T'))
            return false;
        seconds = short_time(s + 11);
        if (seconds < 0)
            return false;
        if (n > 19 && (n == 20 || s[19] != '.' || !short_fraction(s + 20, n - 20, u, &fraction)))
            return false;
    }
    return !__builtin_mul_overflow(days * 86400 + seconds, per_second, out) &&
           !__builtin_add_overflow(*out, fraction, out);
}

int bp_parse_timestamp(const char *s, size_t n, enum bp_unit u, bool with_zone, int64_t *out)
{
    int64_t v;

    if (short_timestamp(s, n, u, with_zone, &v)) {
        *out = v;
        return BP_TEXT_OK;
    }
    return parse_any_timestamp(s, n, u, with_zone, out);
}
