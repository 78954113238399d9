/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short numbers, dates and times, eight bytes at a time. Each function takes the
 * plain shape of a value and says no to everything else: the caller then asks
 * lib/col/text, which knows all shapes. 16 bytes behind s are readable.
 */
#ifndef BP_FMT_CSV_DIGITS_H
#define BP_FMT_CSV_DIGITS_H

#include "base/num.h"

#define CSV_INLINE static inline __attribute__((always_inline))
#define CSV_REP(c) ((uint64_t)(c)*0x0101010101010101u)

static const double csv_pow10[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

CSV_INLINE uint64_t csv_load(const uint8_t *s)
{
    uint64_t x = bp_load_u64(s);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* Is every byte of x in 0..9? */
CSV_INLINE bool csv_all_digits(uint64_t x)
{
    return ((x | (x + CSV_REP(0x06))) & CSV_REP(0xf0)) == 0;
}

/* Eight digit values, the most significant in the lowest byte -> their number. */
CSV_INLINE uint64_t csv_join8(uint64_t x)
{
    x = x * 10 + (x >> 8);
    return ((x & 0x000000ff000000ffu) * 0x000f424000000064u +
            ((x >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u) >>
           32;
}

/* 1 to 8 digits. */
CSV_INLINE bool csv_uint8digits(const uint8_t *s, uint32_t n, uint64_t *v)
{
    unsigned shift = 64 - 8 * n;
    uint64_t x = (csv_load(s) << shift) ^ (CSV_REP('0') << shift);

    *v = csv_join8(x);
    return csv_all_digits(x);
}

/* 1 to 16 digits; n is checked. */
CSV_INLINE bool csv_uint(const uint8_t *s, uint32_t n, uint64_t *v)
{
    uint64_t hi, lo;

    if (__builtin_expect(n - 1 < 8, 1))
        return csv_uint8digits(s, n, v);
    if (n - 9 >= 8)
        return false;
    if (!csv_uint8digits(s, n - 8, &hi) || !csv_uint8digits(s + n - 8, 8, &lo))
        return false;
    *v = hi * 100000000 + lo;
    return true;
}

/* Index of the lowest byte of x that equals '.', 8 if none. */
CSV_INLINE uint32_t csv_point(uint64_t x)
{
    uint64_t z = x ^ CSV_REP('.');

    z = (z - CSV_REP(1)) & ~z & CSV_REP(0x80);
    return z ? (uint32_t)__builtin_ctzll(z) >> 3 : 8;
}

/* "123", "12.5" of 1 to 8 bytes -> 125 and 1 digit behind the point. */
CSV_INLINE bool csv_fixed8(const uint8_t *s, uint32_t n, uint64_t *v, uint32_t *scale)
{
    unsigned shift = 64 - 8 * n;
    uint64_t x = csv_load(s) << shift; /* right-aligned: the last byte on top */
    uint64_t z = x ^ CSV_REP('.'), below;

    z = (z - CSV_REP(1)) & ~z & CSV_REP(0x80);
    if (z) {
        unsigned at = (unsigned)__builtin_ctzll(z) - 7; /* bit where the point's byte begins */

        *scale = 7 - at / 8;
        below = ((uint64_t)1 << at) - 1;
        /* close the gap: what is before the point moves up one byte */
        x = (x & ~below & ~((uint64_t)0xff << at)) | (x & below) << 8;
        if (at == shift || *scale == 0)
            return false; /* ".5", "5.", "." */
        shift += 8;
    } else {
        *scale = 0;
    }
    x ^= CSV_REP('0') << shift;
    *v = csv_join8(x);
    return csv_all_digits(x);
}

/* The same up to 16 bytes; the value stays below 10^16. */
CSV_INLINE bool csv_fixed(const uint8_t *s, uint32_t n, uint64_t *v, uint32_t *scale)
{
    uint64_t digits = 0;
    uint32_t point = 0;
    bool seen = false;

    if (__builtin_expect(n - 1 < 8, 1))
        return csv_fixed8(s, n, v, scale);
    if (n - 9 >= 8)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = (uint32_t)s[i] - '0';

        if (c <= 9) {
            digits = digits * 10 + c;
        } else if (s[i] == '.' && !seen && i != 0 && i + 1 != n) {
            seen = true;
            point = i;
        } else {
            return false;
        }
    }
    *v = digits;
    *scale = seen ? n - 1 - point : 0;
    return true;
}

/* "hh:mm:ss" -> seconds; 23:59:59 is the most. */
CSV_INLINE bool csv_clock(const uint8_t *s, uint32_t *seconds)
{
    uint64_t x = csv_load(s) ^ 0x30303a30303a3030u; /* "00:00:00" */
    uint64_t y = x * 10 + (x >> 8);
    uint32_t h = y & 0xff, m = (y >> 24) & 0xff, sec = (y >> 48) & 0xff;
    uint64_t wrong = ((x | (x + 0x0606000606000606u)) & 0xf0f000f0f000f0f0u) |
                     (x & 0x0000ff0000ff0000u); /* the colons must have become 0 */

    *seconds = h * 3600 + m * 60 + sec;
    return wrong == 0 && h < 24 && m < 60 && sec < 60;
}

#endif
