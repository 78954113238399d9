/* SPDX-License-Identifier: Apache-2.0 */
/* Integers and decimals -> text. Two digits at a time, from a table of pairs. */
#include "col/text.h"
#include "col/text_digits.h"

const char bp_digit_pairs[201] = "00010203040506070809101112131415161718192021222324252627282930313"
                                 "233343536373839404142434445464"
                                 "74849505152535455565758596061626364656667686970717273747576777879"
                                 "808182838485868788899091929394"
                                 "9596979899";

size_t bp_format_uint64(uint64_t v, char *out)
{
    size_t n = bp_count_digits(v);

    bp_write_digits(out, v, n);
    return n;
}

size_t bp_format_int64(int64_t v, char *out)
{
    if (v >= 0)
        return bp_format_uint64((uint64_t)v, out);
    *out = '-';
    return 1 + bp_format_uint64(0 - (uint64_t)v, out + 1);
}

#define E19 10000000000000000000u

/* The digits of v, at least min_digits. */
static size_t format_uint128(bp_uint128 v, size_t min_digits, char *out)
{
    uint64_t low, mid, high;
    size_t n;

    if (v >> 64 == 0) {
        n = BP_MAX(bp_count_digits((uint64_t)v), min_digits);
        bp_write_digits(out, (uint64_t)v, n);
        return n;
    }
    low = (uint64_t)(v % E19);
    v /= E19;
    mid = (uint64_t)(v % E19);
    high = (uint64_t)(v / E19);
    n = high ? 38 + bp_count_digits(high) : 19 + bp_count_digits(mid);
    n = BP_MAX(n, min_digits);
    bp_write_digits(out + n - 19, low, 19);
    bp_write_digits(out + (n > 38 ? n - 38 : 0), mid, BP_MIN(n - 19, 19));
    if (n > 38)
        bp_write_digits(out, high, n - 38);
    return n;
}

size_t bp_format_decimal(bp_int128 v, int scale, char *out)
{
    bp_uint128 magnitude = v < 0 ? 0 - (bp_uint128)v : (bp_uint128)v;
    size_t sign = v < 0, n, whole;

    *out = '-';
    out += sign;
    n = format_uint128(magnitude, (size_t)scale + 1, out);
    if (scale > 0) {
        whole = n - (size_t)scale;
        memmove(out + whole + 1, out + whole, (size_t)scale);
        out[whole] = '.';
        n++;
    }
    return sign + n;
}
