/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text -> intervals: a row of
 *
 *   [+-]N[.F] unit     1.5 hours, -3 days, 2 weeks (names and short names)
 *   [+-]H:M[:S[.F]]    M:S.F with a fraction but no third number
 *   [+-]Y-M            years and months
 *   [+-]N              before a time: days; at the end: seconds
 *
 * optionally between "@" and "ago"; or ISO 8601: P1Y2M3W4DT5H6M7.8S. As in
 * PostgreSQL each sign is for its own part, the same unit twice is refused, and
 * the fraction of a unit falls to the smaller ones: of a month into days of 30 to
 * the month, of a day into microseconds. Seconds and below are exact to the ns.
 */
#include "col/text.h"
#include "col/text_scan.h"

enum part { MONTHS, DAYS, TIME };

struct unit {
    const char *name; /* "s" behind it is taken if plural */
    bool plural;
    uint8_t part;  /* enum part */
    uint8_t once;  /* which bit of seen */
    int64_t times; /* months, days, ns */
};

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)
#define SEEN_BELOW_SECOND (7u << 3)
#define SEEN_TIME (7u | SEEN_BELOW_SECOND) /* what H:M:S.F says */

static const struct unit units[] = {
    {"h", false, TIME, 0, 3600 * SECOND_NS},
    {"hr", true, TIME, 0, 3600 * SECOND_NS},
    {"hour", true, TIME, 0, 3600 * SECOND_NS},
    {"m", false, TIME, 1, 60 * SECOND_NS},
    {"min", true, TIME, 1, 60 * SECOND_NS},
    {"minute", true, TIME, 1, 60 * SECOND_NS},
    {"s", false, TIME, 2, SECOND_NS},
    {"sec", true, TIME, 2, SECOND_NS},
    {"second", true, TIME, 2, SECOND_NS},
    {"ms", false, TIME, 3, 1000000},
    {"msec", true, TIME, 3, 1000000},
    {"msecond", true, TIME, 3, 1000000},
    {"millisecond", true, TIME, 3, 1000000},
    {"us", false, TIME, 4, 1000},
    {"usec", true, TIME, 4, 1000},
    {"usecond", true, TIME, 4, 1000},
    {"microsecond", true, TIME, 4, 1000},
    {"ns", false, TIME, 5, 1},
    {"nanosecond", true, TIME, 5, 1},
    {"d", false, DAYS, 6, 1},
    {"day", true, DAYS, 6, 1},
    {"w", false, DAYS, 7, 7},
    {"week", true, DAYS, 7, 7},
    {"mon", true, MONTHS, 8, 1},
    {"month", true, MONTHS, 8, 1},
    {"y", false, MONTHS, 9, 12},
    {"yr", true, MONTHS, 9, 12},
    {"year", true, MONTHS, 9, 12},
    {"dec", true, MONTHS, 10, 120},
    {"decade", true, MONTHS, 10, 120},
    {"c", false, MONTHS, 11, 1200},
    {"cent", false, MONTHS, 11, 1200},
    {"century", false, MONTHS, 11, 1200},
    {"centuries", false, MONTHS, 11, 1200},
    {"mil", true, MONTHS, 12, 12000},
    {"millennium", false, MONTHS, 12, 12000},
    {"millennia", false, MONTHS, 12, 12000},
};

struct reader {
    const char *s, *end;
    unsigned seen; /* bits of the units that stood already */
    bool range;    /* some part did not fit */
    int64_t months, days;
    bp_int128 ns;
};

/* sign * (whole + part / 10^part_digits) */
struct amount {
    int64_t whole, part, part_unit; /* part_unit = 10^part_digits */
    bool minus;
};

static bool at_digit(const struct reader *r)
{
    return r->s < r->end && bp_is_digit(*r->s);
}

static void skip_blanks(struct reader *r)
{
    while (r->s < r->end && bp_is_blank(*r->s))
        r->s++;
}

static bool take(struct reader *r, char c)
{
    if (r->s == r->end || *r->s != c)
        return false;
    r->s++;
    return true;
}

/* All digits that stand here; at least one. Too many are a matter of range. */
static bool read_whole(struct reader *r, int64_t *out)
{
    const char *start = r->s;

    for (*out = 0; at_digit(r); r->s++)
        if (*out < INT64_MAX / 100)
            *out = *out * 10 + (*r->s - '0');
        else
            r->range = true;
    return r->s > start;
}

/* The digits behind a point; those below 10^-15 are beyond us. */
static void read_part(struct reader *r, struct amount *a)
{
    for (; at_digit(r); r->s++) {
        if (a->part_unit < INT64_C(1000000000000000)) {
            a->part = a->part * 10 + (*r->s - '0');
            a->part_unit *= 10;
        } else if (*r->s != '0') {
            r->range = true;
        }
    }
}

static bool read_amount(struct reader *r, struct amount *a)
{
    bool digits;

    *a = (struct amount){.part_unit = 1};
    a->minus = take(r, '-');
    if (!a->minus)
        take(r, '+');
    skip_blanks(r);
    digits = read_whole(r, &a->whole);
    if (take(r, '.')) {
        const char *start = r->s;

        read_part(r, a);
        digits |= r->s > start;
    }
    return digits;
}

/* ---- adding up ---- */

static void add(struct reader *r, int64_t *sum, int64_t whole, int64_t times, bool minus)
{
    int64_t v;

    if (__builtin_mul_overflow(whole, minus ? -times : times, &v) ||
        __builtin_add_overflow(*sum, v, sum))
        r->range = true;
}

/* a / b to the nearest, halves to even; a >= 0, b > 0. */
static bp_int128 divide(bp_int128 a, bp_int128 b)
{
    bp_int128 q = a / b, twice = a % b * 2;

    return q + (twice > b || (twice == b && q % 2 != 0));
}

/* part / part_unit of so many ns, to the microsecond. */
static void add_part_ns(struct reader *r, bp_int128 part, int64_t part_unit, int64_t unit_ns,
                        bool minus)
{
    bp_int128 ns = divide(part * (unit_ns / 1000), part_unit) * 1000;

    r->ns += minus ? -ns : ns;
}

/* part / part_unit of so many days. */
static void add_part_days(struct reader *r, const struct amount *a, int64_t times)
{
    bp_int128 part = (bp_int128)a->part * times;

    add(r, &r->days, (int64_t)(part / a->part_unit), 1, a->minus);
    add_part_ns(r, part % a->part_unit, a->part_unit, DAY_NS, a->minus);
}

static void add_time(struct reader *r, const struct amount *a, int64_t times)
{
    bp_int128 ns = (bp_int128)a->whole * times;

    r->ns += a->minus ? -ns : ns;
    if (times > SECOND_NS) {
        add_part_ns(r, a->part, a->part_unit, times, a->minus);
        return;
    }
    ns = (bp_int128)a->part * times;
    r->range |= ns % a->part_unit != 0;
    ns /= a->part_unit;
    r->ns += a->minus ? -ns : ns;
}

static void add_unit(struct reader *r, const struct amount *a, uint8_t part, int64_t times)
{
    if (part == TIME) {
        add_time(r, a, times);
    } else if (part == DAYS) {
        add(r, &r->days, a->whole, times, a->minus);
        add_part_days(r, a, times);
    } else {
        add(r, &r->months, a->whole, times, a->minus);
        if (times == 1)
            add_part_days(r, a, 30);
        else
            add(r, &r->months, (int64_t)divide((bp_int128)a->part * times, a->part_unit), 1,
                a->minus);
    }
}

/* ---- the parts of PostgreSQL's form ---- */

/* Marks what stands once only. False if it stood already. */
static bool once(struct reader *r, unsigned bits)
{
    bool first = (r->seen & bits) == 0;

    r->seen |= bits;
    return first;
}

static const struct unit *read_unit(struct reader *r)
{
    char word[16];
    size_t n = 0;

    while (r->s + n < r->end && (r->s[n] | 32) >= 'a' && (r->s[n] | 32) <= 'z')
        n++;
    if (n == 0 || n >= sizeof word)
        return NULL;
    for (size_t i = 0; i < n; i++)
        word[i] = (char)(r->s[i] | 32);
    word[n] = 0;
    for (size_t i = 0; i < BP_COUNT_OF(units); i++) {
        size_t len = strlen(units[i].name);

        if (strncmp(word, units[i].name, len) == 0 &&
            (len == n || (units[i].plural && len + 1 == n && word[len] == 's'))) {
            r->s += n;
            return &units[i];
        }
    }
    return NULL;
}

/* After the first number of H:M[:S[.F]], at the colon. */
static int read_clock(struct reader *r, const struct amount *first)
{
    struct amount second = {.part_unit = 1, .minus = first->minus};
    int64_t hour = first->whole, minute;

    if (first->part_unit > 1 || !once(r, SEEN_TIME) || !take(r, ':') || !read_whole(r, &minute))
        return BP_TEXT_BAD;
    if (take(r, ':')) {
        if (!read_whole(r, &second.whole))
            return BP_TEXT_BAD;
        if (take(r, '.'))
            read_part(r, &second);
    } else if (take(r, '.')) { /* it was M:S.F */
        read_part(r, &second);
        second.whole = minute;
        minute = hour;
        hour = 0;
    }
    if (r->s < r->end && !bp_is_blank(*r->s))
        return BP_TEXT_BAD;
    if (minute > 59 || second.whole > 60)
        r->range = true;
    add_time(r, &(struct amount){.whole = hour, .part_unit = 1, .minus = first->minus},
             3600 * SECOND_NS);
    add_time(r, &(struct amount){.whole = minute, .part_unit = 1, .minus = first->minus},
             60 * SECOND_NS);
    add_time(r, &second, SECOND_NS);
    return BP_TEXT_OK;
}

/* After the years of Y-M, at the second number. */
static int read_year_month(struct reader *r, const struct amount *years)
{
    int64_t months = 0;

    if (years->part_unit > 1 || !once(r, 3u << 8) || !read_whole(r, &months) ||
        (r->s < r->end && !bp_is_blank(*r->s)))
        return BP_TEXT_BAD;
    if (months > 11)
        r->range = true;
    add(r, &r->months, years->whole, 12, years->minus);
    add(r, &r->months, months, 1, years->minus);
    return BP_TEXT_OK;
}

/* A number without a unit: days if a time follows, seconds at the end. */
static int read_bare(struct reader *r, const struct amount *a)
{
    struct reader try = *r;
    struct amount next;
    bool at_end = r->s == r->end;

    if (at_end || (r->end - r->s == 3 && bp_is_word(r->s, 3, "ago"))) {
        if (!once(r, 1u << 2))
            return BP_TEXT_BAD;
        add_unit(r, a, TIME, SECOND_NS);
        return BP_TEXT_OK;
    }
    if (!take(&try, '-'))
        take(&try, '+');
    if (!at_digit(&try) || !read_amount(&try, &next) || try.s == try.end || *try.s != ':' ||
        !once(r, 1u << 6))
        return BP_TEXT_BAD;
    add_unit(r, a, DAYS, 1);
    return BP_TEXT_OK;
}

static int read_item(struct reader *r)
{
    const struct unit *u;
    struct amount a;

    if (!read_amount(r, &a))
        return BP_TEXT_BAD;
    if (r->s < r->end && *r->s == ':')
        return read_clock(r, &a);
    if (r->end - r->s > 1 && *r->s == '-' && bp_is_digit(r->s[1])) {
        r->s++;
        return read_year_month(r, &a);
    }
    skip_blanks(r);
    u = read_unit(r);
    if (!u)
        return read_bare(r, &a);
    if (!once(r, 1u << u->once) || (u->once == 2 && a.part > 0 && !once(r, SEEN_BELOW_SECOND)))
        return BP_TEXT_BAD;
    add_unit(r, &a, u->part, u->times);
    return BP_TEXT_OK;
}

static int read_items(struct reader *r)
{
    bool any = false;

    take(r, '@');
    skip_blanks(r);
    while (r->s < r->end) {
        if (any && r->end - r->s == 3 && bp_is_word(r->s, 3, "ago")) {
            r->range |= __builtin_sub_overflow(0, r->months, &r->months) ||
                        __builtin_sub_overflow(0, r->days, &r->days);
            r->ns = -r->ns;
            return BP_TEXT_OK;
        }
        if (read_item(r))
            return BP_TEXT_BAD;
        any = true;
        skip_blanks(r);
    }
    return any ? BP_TEXT_OK : BP_TEXT_BAD;
}

/* ---- ISO 8601, behind the P ---- */

static int read_iso(struct reader *r)
{
    static const struct {
        char letter;
        bool time;
        uint8_t part;
        int64_t times;
    } letters[] = {
        {'Y', false, MONTHS, 12},
        {'M', false, MONTHS, 1},
        {'W', false, DAYS, 7},
        {'D', false, DAYS, 1},
        {'H', true, TIME, 3600 * SECOND_NS},
        {'M', true, TIME, 60 * SECOND_NS},
        {'S', true, TIME, SECOND_NS},
    };
    bool in_time = false;

    if (r->s == r->end)
        return BP_TEXT_BAD;
    while (r->s < r->end) {
        struct amount a;
        size_t i;

        if (!in_time && take(r, 'T')) {
            in_time = true;
            continue;
        }
        if (!read_amount(r, &a) || r->s == r->end)
            return BP_TEXT_BAD;
        for (i = 0; i < BP_COUNT_OF(letters); i++)
            if (letters[i].letter == *r->s && letters[i].time == in_time)
                break;
        if (i == BP_COUNT_OF(letters))
            return BP_TEXT_BAD;
        r->s++;
        add_unit(r, &a, letters[i].part, letters[i].times);
    }
    return BP_TEXT_OK;
}

int bp_parse_interval(const char *s, size_t n, struct bp_interval *out)
{
    struct reader r = {0};
    int rc;

    bp_trim(&s, &n);
    if (n > 1000) /* so that sums of parts stay far inside of 128 bits */
        return BP_TEXT_BAD;
    r.s = s;
    r.end = s + n;
    rc = take(&r, 'P') ? read_iso(&r) : read_items(&r);
    if (rc)
        return rc;
    if (r.range || r.months < INT32_MIN || r.months > INT32_MAX || r.days < INT32_MIN ||
        r.days > INT32_MAX || r.ns < INT64_MIN || r.ns > INT64_MAX)
        return BP_TEXT_RANGE;
    *out = (struct bp_interval){(int32_t)r.months, (int32_t)r.days, (int64_t)r.ns};
    return BP_TEXT_OK;
}
