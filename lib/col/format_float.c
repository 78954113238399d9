/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floats -> the shortest text that reads back the same, in PostgreSQL's form:
 * 0.0001, 1e-05, 123456789012345, 1e+15, Infinity, NaN, -0.
 *
 * Two ways. Whole numbers and numbers of two decimals (money) below 10^13 are
 * found by multiplication: r = round(100 v) has at most 15 digits, and if r / 100,
 * which rounds once, is v again, its digits are the answer, because no two
 * decimals of 15 digits are the same double. All else: Raffaello Giulietti's
 * Schubfach. Write v = c 2^q and take the largest k for which the numbers that
 * round to v span at least 10^k. A multiple of 10^(k+1) among them, if there is
 * one, is the shortest; else the nearer of the two multiples of 10^k around v.
 * The products with 10^-k carry 126 bits of it and are rounded to odd, which
 * keeps the comparisons exact. As in PostgreSQL a decimal just halfway to the
 * next float does not count as reading back, whatever the reader's rounding.
 */
#include <math.h>

#include "col/pow10.h"
#include "col/text.h"
#include "col/text_digits.h"

struct decimal {
    uint64_t digits;
    int exp10;
};

/* g * cp / 2^127, rounded to odd: the last bit says "not exact" as well. */
static uint64_t round_to_odd(bp_uint128 g, uint64_t cp)
{
    uint64_t g0 = (uint64_t)g & (UINT64_MAX >> 1), g1 = (uint64_t)(g >> 63);
    uint64_t x1 = (uint64_t)(((bp_uint128)g0 * cp) >> 64);
    bp_uint128 y = (bp_uint128)g1 * cp;
    uint64_t z = ((uint64_t)y >> 1) + x1;
    uint64_t w = (uint64_t)(y >> 64) + (z >> 63);

    return w | ((z & (UINT64_MAX >> 1)) != 0);
}

/* c 2^q, c > 0; lowest: c is the first of its binade, so the gap below is half. */
static struct decimal shortest(uint64_t c, int q, bool lowest)
{
    int k = lowest ? bp_log10_pow2_3_4(q) : bp_log10_pow2(q);
    int h = q + bp_log2_pow10(-k) + 2;
    const uint64_t *t = bp_pow10[-k - BP_POW10_MIN];
    bp_uint128 g = (((bp_uint128)t[0] << 64 | t[1]) >> 2) + 1;
    uint64_t v = round_to_odd(g, (4 * c) << h); /* all three in quarters of 10^k */
    uint64_t low = round_to_odd(g, (4 * c - (lowest ? 1 : 2)) << h);
    uint64_t high = round_to_odd(g, (4 * c + 2) << h);
    uint64_t s = v / 4, tens = s / 10 * 10;
    bool in_low = low < 4 * tens, in_high = 4 * (tens + 10) < high;

    if (in_low != in_high)
        return (struct decimal){in_low ? tens : tens + 10, k};
    in_low = low < 4 * s;
    in_high = 4 * (s + 1) < high;
    if (in_low != in_high)
        return (struct decimal){in_low ? s : s + 1, k};
    if (v - 4 * s != 2)
        return (struct decimal){v - 4 * s < 2 ? s : s + 1, k};
    return (struct decimal){s + (s & 1), k};
}

/* d.ddde+XX */
static size_t write_scientific(const char *digits, size_t n, int exp10, char *out)
{
    size_t len = 0;
    unsigned e = (unsigned)(exp10 < 0 ? -exp10 : exp10);

    out[len++] = digits[0];
    if (n > 1) {
        out[len++] = '.';
        memcpy(out + len, digits + 1, n - 1);
        len += n - 1;
    }
    out[len++] = 'e';
    out[len++] = exp10 < 0 ? '-' : '+';
    if (e >= 100)
        out[len++] = (char)('0' + e / 100);
    bp_write_pair(out + len, e % 100);
    return len + 2;
}

/* digits * 10^exp10; from 10^sci_from on, and below 10^-4, with an exponent. */
static size_t write_decimal(struct decimal d, int sci_from, char *out)
{
    char digits[20];
    size_t n, whole;
    int top;

    if (d.digits % 100000000 == 0) {
        d.digits /= 100000000;
        d.exp10 += 8;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exp10++;
    }
    n = bp_count_digits(d.digits);
    bp_write_digits(digits, d.digits, n);
    top = (int)n - 1 + d.exp10; /* the power of the first digit */
    if (top < -4 || top >= sci_from)
        return write_scientific(digits, n, top, out);
    if (top < 0) {
        memcpy(out, "0.0000", 6);
        memcpy(out + 1 - top, digits, n);
        return (size_t)(1 - top) + n;
    }
    whole = (size_t)top + 1;
    if (whole >= n) {
        memset(out, '0', whole);
        memcpy(out, digits, n);
        return whole;
    }
    memcpy(out, digits, whole);
    out[whole] = '.';
    memcpy(out + whole + 1, digits + whole, n - whole);
    return n + 1;
}

/* Infinity, NaN and 0. */
static size_t write_special(double v, bool minus, char *out)
{
    const char *word = isnan(v) ? "NaN"
                       : v == 0 ? (minus ? "-0" : "0")
                       : minus  ? "-Infinity"
                                : "Infinity";
    size_t n = strlen(word);

    memcpy(out, word, n);
    return n;
}

/* Whole numbers and two decimals; v > 0. 0 if v is neither. */
static size_t write_money(double v, char *out)
{
    uint64_t r, whole;
    unsigned cents;
    size_t n;

    if (!(v < 1e13))
        return 0;
    r = (uint64_t)(v * 100 + 0.5);
    if ((double)r / 100 != v)
        return 0;
    whole = r / 100;
    cents = (unsigned)(r % 100);
    n = bp_format_uint64(whole, out);
    if (cents == 0)
        return n;
    out[n] = '.';
    bp_write_pair(out + n + 1, cents);
    return n + 3 - (cents % 10 == 0);
}

size_t bp_format_float64(double v, char *out)
{
    uint64_t bits, c;
    bool minus;
    size_t n;
    int q;

    memcpy(&bits, &v, sizeof bits);
    minus = bits >> 63;
    if (v == 0 || !isfinite(v))
        return write_special(v, minus, out);
    *out = '-';
    out += minus;
    n = write_money(fabs(v), out);
    if (n > 0)
        return minus + n;
    c = bits & 0xFFFFFFFFFFFFFu;
    q = (int)(bits >> 52 & 0x7FF);
    if (q == 0)
        return minus + write_decimal(shortest(c, -1074, false), 15, out);
    return minus + write_decimal(shortest(c | 1ull << 52, q - 1075, c == 0 && q > 1), 15, out);
}

size_t bp_format_float32(float v, char *out)
{
    uint32_t bits, c;
    bool minus;
    int q;

    memcpy(&bits, &v, sizeof bits);
    minus = bits >> 31;
    if (v == 0 || !isfinite(v))
        return write_special((double)v, minus, out);
    *out = '-';
    out += minus;
    c = bits & 0x7FFFFF;
    q = (int)(bits >> 23 & 0xFF);
    if (q == 0)
        return minus + write_decimal(shortest(c, -149, false), 6, out);
    return minus + write_decimal(shortest(c | 1u << 23, q - 150, c == 0 && q > 1), 6, out);
}
