/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text -> floats, always correctly rounded. The digits are read once into a
 * 64-bit number m and a power of ten e:
 *
 *   m < 2^53 and |e| <= 22   both are doubles, so one multiplication or division
 *                            rounds once, and rightly: nearly all real data
 *   else, nearly always      Daniel Lemire's way: m times 128 bits of 10^e holds
 *                            enough to round, or shows that it does not
 *   else                     strtod() on the digits, written without a point so
 *                            that no locale matters; beyond 800 digits only
 *                            whether one is not 0 can matter, and one says so
 *
 * A float32 is rounded from the double, except where that would round twice:
 * where the double lies halfway between two float32, or below the normal ones.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "col/pow10.h"
#include "col/text.h"
#include "col/text_scan.h"

#define MANTISSA_DIGITS 19 /* fit 64 bits whatever they are */
#define DIGITS_MAX 800     /* no double and no midpoint of two has more than 768 */

static const double pow10_double[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct float_text {
    const char *digits; /* with at most one point among them */
    size_t n;
    int64_t exponent; /* written behind them */
    uint64_t m;       /* the first 19 digits that count ... */
    int64_t e;        /* ... times 10^e */
    bool cut;         /* more than 19 */
    bool minus;
};

/* The digits, the point, m and e. False if there is no digit. */
static bool scan_digits(struct float_text *t, const char *s, size_t n)
{
    size_t i = 0, n_digits = 0, point = SIZE_MAX, taken = 0;
    int64_t dropped = 0;

    for (; i < n; i++) {
        unsigned d = (unsigned char)(s[i] - '0');

        if (d < 10) {
            n_digits++;
            if (taken < MANTISSA_DIGITS) {
                t->m = t->m * 10 + d;
                taken += t->m != 0;
            } else {
                dropped++;
                t->cut |= d != 0;
            }
        } else if (s[i] == '.' && point == SIZE_MAX) {
            point = i;
        } else {
            break;
        }
    }
    t->digits = s;
    t->n = i;
    t->e = dropped - (point == SIZE_MAX ? 0 : (int64_t)(i - point - 1));
    return n_digits > 0;
}

static bool scan_exponent(struct float_text *t, const char *s, size_t n)
{
    bool minus = false;
    size_t i = 1;

    if (n == 0)
        return true;
    if (s[0] != 'e' && s[0] != 'E')
        return false;
    if (i < n && (s[i] == '-' || s[i] == '+'))
        minus = s[i++] == '-';
    if (i == n)
        return false;
    for (; i < n; i++) {
        if (!bp_is_digit(s[i]))
            return false;
        if (t->exponent < INT64_MAX / 100)
            t->exponent = t->exponent * 10 + (s[i] - '0');
    }
    if (minus)
        t->exponent = -t->exponent;
    t->e += t->exponent;
    return true;
}

static bool parse_word(const char *s, size_t n, double *out)
{
    bool minus = n > 0 && *s == '-';

    if (minus || (n > 0 && *s == '+')) {
        s++;
        n--;
    }
    if (bp_is_word(s, n, "nan")) { /* printf() writes -nan too */
        *out = (double)NAN;
        return true;
    }
    if (!bp_is_word(s, n, "inf") && !bp_is_word(s, n, "infinity"))
        return false;
    *out = minus ? -(double)INFINITY : (double)INFINITY;
    return true;
}

/* The number as "123e-4" for strtod(). */
static void write_plain(const struct float_text *t, char out[DIGITS_MAX + 40])
{
    int64_t e = t->exponent;
    bool in_fraction = false, rest = false;
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        char c = t->digits[i];

        if (c == '.') {
            in_fraction = true;
            continue;
        }
        if (n == DIGITS_MAX) {
            rest |= c != '0';
            e += !in_fraction;
            continue;
        }
        if (n > 0 || c != '0')
            out[n++] = c;
        e -= in_fraction;
    }
    if (rest) {
        out[n++] = '1';
        e--;
    }
    if (n == 0)
        out[n++] = '0';
    e = BP_MAX(BP_MIN(e, 100000), -100000); /* far beyond all that is not 0 or infinite */
    snprintf(out + n, 32, "e%d", (int)e);
}

static int scan(const char *s, size_t n, struct float_text *t)
{
    *t = (struct float_text){0};
    if (n > 0 && (*s == '-' || *s == '+')) {
        t->minus = *s == '-';
        s++;
        n--;
    }
    if (!scan_digits(t, s, n) || !scan_exponent(t, s + t->n, n - t->n))
        return BP_TEXT_BAD;
    return BP_TEXT_OK;
}

static bool exact_double(const struct float_text *t, double *out)
{
    if (t->cut || t->m >> 53 || t->e < -22 || t->e > 22)
        return false;
    *out = t->e < 0 ? (double)t->m / pow10_double[-t->e] : (double)t->m * pow10_double[t->e];
    return true;
}

/* 128 bits of 10^e; for 10^-1 to 10^-27, which m may divide, rounded up, so that
 * a product which should be whole comes out above it and not below. */
static void power_of_ten(int e, uint64_t *high, uint64_t *low)
{
    const uint64_t *t = bp_pow10[e - BP_POW10_MIN];

    *high = t[0];
    *low = t[1] + (e < 0 && e >= -27);
}

/* m 10^e rounded to a normal double; false if 128 bits do not decide, or if the
 * result is not normal. */
static bool rounded_double(uint64_t m, int64_t e64, double *out)
{
    int e = (int)e64, zeros, shift, exponent;
    uint64_t high, low, t_high, t_low, w;
    bp_uint128 product;

    if (m == 0 || e64 < BP_POW10_MIN || e64 > 308)
        return false;
    zeros = __builtin_clzll(m);
    power_of_ten(e, &t_high, &t_low);
    product = (bp_uint128)(m << zeros) * t_high;
    high = (uint64_t)(product >> 64);
    low = (uint64_t)product;
    if ((high & 0x1FF) == 0x1FF) { /* a carry from below would reach the last bits */
        uint64_t more = (uint64_t)(((bp_uint128)(m << zeros) * t_low) >> 64);

        low += more;
        high += low < more;
        if (low == UINT64_MAX && (e < -27 || e > 55))
            return false;
    }
    shift = (int)(high >> 63) + 9;
    w = high >> shift; /* 54 bits: one to round by */
    exponent = bp_log2_pow10(e) + 63 + (int)(high >> 63) - zeros + 1023;
    if (exponent <= 0)
        return false;
    if (low <= 1 && e >= -4 && e <= 23 && (w & 3) == 1 && w << shift == high)
        w &= ~UINT64_C(1); /* just halfway: down to even */
    w = (w + (w & 1)) >> 1;
    if (w >> 53) {
        w >>= 1;
        exponent++;
    }
    if (exponent >= 0x7FF)
        return false;
    w = (w & ~(UINT64_C(1) << 52)) | (uint64_t)exponent << 52;
    memcpy(out, &w, sizeof w);
    return true;
}

/* The digits that were cut off lie between m and m + 1. */
static bool quick_double(const struct float_text *t, double *out)
{
    double next;

    if (exact_double(t, out))
        return true;
    if (!rounded_double(t->m, t->e, out))
        return false;
    return !t->cut || (rounded_double(t->m + 1, t->e, &next) && next == *out);
}

int bp_parse_float64(const char *s, size_t n, double *out)
{
    char plain[DIGITS_MAX + 40];
    struct float_text t;
    double v;

    bp_trim(&s, &n);
    if (scan(s, n, &t))
        return parse_word(s, n, out) ? BP_TEXT_OK : BP_TEXT_BAD;
    if (!quick_double(&t, &v)) {
        write_plain(&t, plain);
        v = strtod(plain, NULL);
        if (isinf(v) || (v == 0 && t.m != 0))
            return BP_TEXT_RANGE;
    }
    *out = t.minus ? -v : v;
    return BP_TEXT_OK;
}

int bp_parse_float32(const char *s, size_t n, float *out)
{
    char plain[DIGITS_MAX + 40];
    struct float_text t;
    uint64_t bits;
    double v;
    float f;
    int rc;

    bp_trim(&s, &n);
    rc = bp_parse_float64(s, n, &v);
    if (rc)
        return rc;
    memcpy(&bits, &v, sizeof bits);
    f = (float)v;
    if (isfinite(v) && v != 0 && ((bits & 0x1FFFFFFF) == 0x10000000 || fabs(v) < (double)FLT_MIN)) {
        if (scan(s, n, &t))
            return BP_TEXT_BAD;
        write_plain(&t, plain);
        f = strtof(plain, NULL);
        f = t.minus ? -f : f;
    }
    if ((isinf(f) && !isinf(v)) || (f == 0 && v != 0))
        return BP_TEXT_RANGE;
    *out = f;
    return BP_TEXT_OK;
}
