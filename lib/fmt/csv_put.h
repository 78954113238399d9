/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and times -> text, eight digits at a time, for csv_cells.c. Up to 16 bytes
 * behind the end may be overwritten. All return the end.
 *
 * Eight digits: a number below 10^8 is split into two of four digits in the halves of a
 * word, these into pairs, these into digits, by multiplying with the reciprocal in all
 * lanes at once; the leading zeros are then the trailing zero bytes of the word, and
 * shifted out. (The idea is P. Khuong's; see also D. Lemire's notes on it.)
 */
#ifndef BP_FMT_CSV_PUT_H
#define BP_FMT_CSV_PUT_H

#include <math.h>
#include <string.h>

#include "col/text.h"

#define PUT_INLINE static inline __attribute__((always_inline))
#define PUT_ZEROS 0x3030303030303030u

PUT_INLINE void put_word(uint8_t *out, uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(out, &x, 8);
}

/* The digits of v < 10^8, the first in the lowest byte, zeros in front. */
PUT_INLINE uint64_t put_digits8(uint32_t v)
{
    uint64_t x = v / 10000 | (uint64_t)(v % 10000) << 32, q;

    q = ((x * 10486) >> 20) & 0x0000007f0000007fu;
    x = q | (x - q * 100) << 16;
    q = ((x * 103) >> 10) & 0x000f000f000f000fu;
    return q | (x - q * 10) << 8;
}

/* v < 10^8. */
PUT_INLINE uint8_t *put_uint8digits(uint8_t *out, uint32_t v)
{
    uint64_t x = put_digits8(v);
    unsigned zeros = (unsigned)__builtin_ctzll(x | (uint64_t)1 << 56) / 8;

    put_word(out, (x | PUT_ZEROS) >> (8 * zeros));
    return out + 8 - zeros;
}

PUT_INLINE uint8_t *put_uint(uint8_t *out, uint64_t v)
{
    if (__builtin_expect(v < 100000000, 1))
        return put_uint8digits(out, (uint32_t)v);
    if (v >= 10000000000000000u)
        return out + bp_format_uint64(v, (char *)out);
    out = put_uint8digits(out, (uint32_t)(v / 100000000));
    put_word(out, put_digits8((uint32_t)(v % 100000000)) | PUT_ZEROS);
    return out + 8;
}

PUT_INLINE uint8_t *put_int(uint8_t *out, int64_t v)
{
    *out = '-';
    out += v < 0;
    return put_uint(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* n digits of v, zeros in front; n from 1 to 8. */
PUT_INLINE uint8_t *put_fixed8(uint8_t *out, uint32_t v, unsigned n)
{
    put_word(out, (put_digits8(v) | PUT_ZEROS) >> (64 - 8 * n));
    return out + n;
}

/* Below 10^8, a scale of 1 to 7: eight digits, of which enough zeros stay that one digit
 * is before the point; the part behind it is stored again, one byte further on. */
PUT_INLINE uint8_t *put_point8(uint8_t *out, uint32_t m, unsigned scale)
{
    uint64_t x = put_digits8(m);
    unsigned zeros = (unsigned)__builtin_ctzll(x | (uint64_t)1 << (56 - 8 * scale)) / 8;
    uint8_t *point = out + 8 - zeros - scale;

    x |= PUT_ZEROS;
    put_word(out, x >> (8 * zeros));
    *point = '.';
    put_word(point + 1, x >> (64 - 8 * scale));
    return point + 1 + scale;
}

/* A scale of up to 7, else by lib/col. per: 10^scale. */
PUT_INLINE uint8_t *put_decimal64(uint8_t *out, int64_t v, int scale, uint64_t per)
{
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    if (scale > 7)
        return out + bp_format_decimal(v, scale, (char *)out);
    *out = '-';
    out += v < 0;
    if (scale == 0)
        return put_uint(out, m);
    if (__builtin_expect(m < 100000000, 1))
        return put_point8(out, (uint32_t)m, (unsigned)scale);
    out = put_uint(out, m / per);
    *out++ = '.';
    return put_fixed8(out, (uint32_t)(m % per), (unsigned)scale);
}

PUT_INLINE uint8_t *put_decimal128(uint8_t *out, bp_int128 v, int scale, uint64_t per)
{
    if (v > INT64_MAX || v < -INT64_MAX)
        return out + bp_format_decimal(v, scale, (char *)out);
    return put_decimal64(out, (int64_t)v, scale, per);
}

/* A float that is a number of hundredths (money, most measurements) below 10^13:
 * if v == round(v * 100) / 100, then those digits read back as v, and none
 * shorter does but with the trailing zeros off. */
PUT_INLINE uint8_t *put_float64(uint8_t *out, double v)
{
    double a = fabs(v);
    uint64_t cents;
    uint32_t frac;

    if (!(a < 1e13) || a == 0)
        return out + bp_format_float64(v, (char *)out);
    cents = (uint64_t)(a * 100 + 0.5);
    if ((double)cents / 100 != a)
        return out + bp_format_float64(v, (char *)out);
    *out = '-';
    out += v < 0;
    frac = (uint32_t)(cents % 100);
    if (!frac)
        return put_uint(out, cents / 100);
    if (__builtin_expect(cents < 100000000, 1)) {
        out = put_point8(out, (uint32_t)cents, 2);
    } else {
        out = put_uint(out, cents / 100);
        *out++ = '.';
        out = put_fixed8(out, frac, 2);
    }
    return out - (frac % 10 == 0);
}

/* "hh:mm:ss" of seconds below 86400. */
PUT_INLINE uint8_t *put_clock(uint8_t *out, uint32_t s)
{
    uint32_t h = s / 3600, m = s % 3600 / 60;
    uint64_t x = h | (uint64_t)m << 24 | (uint64_t)(s % 60) << 48, q;

    q = ((x * 103) >> 10) & 0x000f00000f00000fu; /* tens */
    put_word(out, (q | (x - q * 10) << 8) + 0x30303a30303a3030u);
    return out + 8;
}

#define PUT_SMALL 1000
/* The texts of 0 to 999, which most integers are: identifiers, counts, codes. */
struct put_small {
    struct {
        uint8_t text[3], len;
    } of[PUT_SMALL + 4]; /* 16 bytes behind a text are readable */
};

static inline void put_small_make(struct put_small *t)
{
    for (int v = 0; v < PUT_SMALL; v++) {
        uint8_t text[16];

        t->of[v].len = (uint8_t)(put_uint8digits(text, (uint32_t)v) - text);
        memcpy(t->of[v].text, text, 3);
    }
}

#define PUT_DAYS 256
/* The texts of days seen last: most rows repeat a date. */
struct put_days {
    struct {
        int32_t day;
        uint8_t text[12]; /* "2020-01-01 " */
    } slot[PUT_DAYS];
};

/* None is there; day 0 belongs to another slot. */
static inline void put_days_clear(struct put_days *d)
{
    for (int i = 0; i < PUT_DAYS; i++)
        d->slot[i].day = i == 1 ? 0 : 1;
}

/* The text of a day of the years 0001 to 9999, and a blank. */
static inline const uint8_t *put_day_make(struct put_days *d, int32_t day)
{
    uint8_t *text = d->slot[day & (PUT_DAYS - 1)].text;
    char all[BP_TEXT_MAX];

    (void)bp_format_date(day, all); /* ten bytes */
    memcpy(text, all, 10);
    text[10] = ' ';
    d->slot[day & (PUT_DAYS - 1)].day = day;
    return text;
}

PUT_INLINE const uint8_t *put_day(struct put_days *d, int32_t day)
{
    if (__builtin_expect(d->slot[day & (PUT_DAYS - 1)].day == day, 1))
        return d->slot[day & (PUT_DAYS - 1)].text;
    return put_day_make(d, day);
}

#define PUT_DAY_FIRST (-719162) /* 0001-01-01 */
#define PUT_DAY_LAST 2932896    /* 9999-12-31 */

PUT_INLINE uint8_t *put_date(uint8_t *out, struct put_days *d, int32_t v)
{
    if (v < PUT_DAY_FIRST || v > PUT_DAY_LAST)
        return out + bp_format_date(v, (char *)out);
    memcpy(out, put_day(d, v), 12);
    return out + 10;
}

PUT_INLINE uint8_t *put_zone(uint8_t *out)
{
    memcpy(out, "+00", 3);
    return out + 3;
}

/* per_second is a constant where this is inlined. */
PUT_INLINE uint8_t *put_timestamp(uint8_t *out, struct put_days *d, int64_t v, int64_t per_second,
                                  enum bp_unit unit, bool zone)
{
    int64_t second = v / per_second, day = second / 86400 - (second % 86400 < 0);

    if (second * per_second != v || day < PUT_DAY_FIRST || day > PUT_DAY_LAST)
        return out + bp_format_timestamp(v, unit, zone, (char *)out);
    memcpy(out, put_day(d, (int32_t)day), 12);
    out = put_clock(out + 11, (uint32_t)(second - day * 86400));
    return zone ? put_zone(out) : out;
}

#endif
