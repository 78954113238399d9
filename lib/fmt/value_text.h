/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of values that are frequent and short, for the sinks of text: what
 * lib/col/text writes, made here without a call. Each function appends to out and
 * returns its new end; BP_TEXT_MAX bytes are always room enough.
 */
#ifndef BP_FMT_VALUE_TEXT_H
#define BP_FMT_VALUE_TEXT_H

#include <math.h>
#include <string.h>

#include "col/text.h"

#define VALUE_INLINE static inline

/* Two digits. */
VALUE_INLINE uint8_t *value_put_pair(uint8_t *out, uint32_t v)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";

    memcpy(out, pairs + (size_t)v * 2, 2);
    return out + 2;
}

VALUE_INLINE uint8_t *value_put_int(uint8_t *out, int64_t v)
{
    if (v >= 0 && v < 1000) {
        uint32_t u = (uint32_t)v;

        if (u >= 100) {
            *out++ = (uint8_t)('0' + u / 100);
            return value_put_pair(out, u % 100);
        }
        if (u >= 10)
            return value_put_pair(out, u);
        *out++ = (uint8_t)('0' + u);
        return out;
    }
    return out + bp_format_int64(v, (char *)out);
}

/* A float that is a number of hundredths (money, most measurements) below 10^13:
 * if v == round(v * 100) / 100, then those digits read back as v, and none
 * shorter does but with the trailing zeros off. */
VALUE_INLINE uint8_t *value_put_float64(uint8_t *out, double v)
{
    double scaled = v * 100;
    int64_t cents;
    uint32_t frac;

    if (v == 0 && !signbit(v)) {
        *out++ = '0';
        return out;
    }
    if (!(v > -1e13 && v < 1e13) || v == 0)
        return out + bp_format_float64(v, (char *)out);
    cents = (int64_t)(scaled + (v < 0 ? -0.5 : 0.5));
    if ((double)cents / 100 != v)
        return out + bp_format_float64(v, (char *)out);
    if (cents < 0) {
        *out++ = '-';
        cents = -cents;
    }
    out = value_put_int(out, cents / 100);
    frac = (uint32_t)(cents % 100);
    if (frac) {
        *out++ = '.';
        out = value_put_pair(out, frac);
        out -= frac % 10 == 0;
    }
    return out;
}

/* The day whose text is held: rows repeat dates. Zero-initialise. */
struct value_days {
    int32_t day;
    char text[BP_TEXT_MAX];
    size_t len;
};

VALUE_INLINE uint8_t *value_put_day(struct value_days *d, uint8_t *out, int32_t day)
{
    if (day != d->day || !d->len) {
        d->len = bp_format_date(day, d->text);
        d->day = day;
    }
    if (d->len == 10) {
        memcpy(out, d->text, 10);
        return out + 10;
    }
    memcpy(out, d->text, d->len);
    return out + d->len;
}

/* Whole seconds of years 1 to 9999. */
VALUE_INLINE bool value_is_plain_moment(struct bp_type t, int64_t v)
{
    int64_t per = bp_unit_per_second((enum bp_unit)t.unit), sec = v / per;

    return v % per == 0 && sec >= -62135596800 && sec <= 253402300799;
}

/* Such a moment, with mid between date and time, without a zone. */
VALUE_INLINE uint8_t *value_put_moment(struct value_days *d, uint8_t *out, struct bp_type t,
                                       int64_t v, char mid)
{
    int64_t sec = v / bp_unit_per_second((enum bp_unit)t.unit);
    int64_t day = sec / 86400 - (sec % 86400 < 0);
    uint32_t rest = (uint32_t)(sec - day * 86400);

    out = value_put_day(d, out, (int32_t)day);
    *out++ = (uint8_t)mid;
    out = value_put_pair(out, rest / 3600);
    *out++ = ':';
    out = value_put_pair(out, rest / 60 % 60);
    *out++ = ':';
    return value_put_pair(out, rest % 60);
}

#endif
