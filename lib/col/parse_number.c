/* SPDX-License-Identifier: Apache-2.0 */
/* Text -> integers, decimals, booleans. */
#include "col/text.h"
#include "col/text_scan.h"

/* ---- integers ---- */

/* n digits, at least one; RANGE beyond 64 bits. */
static int parse_digits(const char *s, size_t n, uint64_t *out)
{
    uint64_t v = 0;

    if (n <= 8) {
        uint64_t w;

        if (n == 0)
            return BP_TEXT_BAD;
        w = bp_load_digits(s, n);
        *out = bp_8_digits(w);
        return bp_are_8_digits(w) ? BP_TEXT_OK : BP_TEXT_BAD;
    }
    for (size_t head = n % 8, i = 0; i < n; i += head, head = 8) {
        uint64_t w, part;

        if (head == 0)
            head = 8;
        w = bp_load_digits(s + i, head);
        if (!bp_are_8_digits(w))
            return BP_TEXT_BAD;
        part = bp_8_digits(w);
        if (__builtin_mul_overflow(v, 100000000u, &v) || __builtin_add_overflow(v, part, &v)) {
            for (i += head; i < n; i++) /* a number all the same? */
                if (!bp_is_digit(s[i]))
                    return BP_TEXT_BAD;
            return BP_TEXT_RANGE;
        }
    }
    *out = v;
    return BP_TEXT_OK;
}

static bool take_sign(const char **s, size_t *n)
{
    bool minus = *n > 0 && **s == '-';

    if (minus || (*n > 0 && **s == '+')) {
        ++*s;
        --*n;
    }
    return minus;
}

int bp_parse_int64(const char *s, size_t n, int64_t *out)
{
    uint64_t v = 0;
    bool minus;
    int rc;

    bp_trim(&s, &n);
    minus = take_sign(&s, &n);
    rc = parse_digits(s, n, &v);
    if (rc)
        return rc;
    if (v > (uint64_t)INT64_MAX + minus)
        return BP_TEXT_RANGE;
    *out = (int64_t)(minus ? 0 - v : v);
    return BP_TEXT_OK;
}

int bp_parse_uint64(const char *s, size_t n, uint64_t *out)
{
    bool minus;
    int rc;

    bp_trim(&s, &n);
    minus = take_sign(&s, &n);
    rc = parse_digits(s, n, out);
    if (rc)
        return rc;
    return minus && *out > 0 ? BP_TEXT_RANGE : BP_TEXT_OK;
}

/* ---- decimals ---- */

static bp_uint128 pow10_u128(int n) /* 0 to 38 */
{
    return n < 20 ? bp_pow10_u64[n] : (bp_uint128)bp_pow10_u64[n - 19] * bp_pow10_u64[19];
}

/* Digits and at most one point, no exponent, 19 bytes at most: fits 64 bits. */
static bool parse_short_decimal(const char *s, size_t n, int precision, int scale, bool minus,
                                bp_int128 *out)
{
    uint64_t v = 0;
    size_t point = n, digits = 0;
    int missing;
    bp_uint128 wide;

    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned char)(s[i] - '0');

        if (d < 10) {
            v = v * 10 + d;
            digits++;
        } else if (s[i] == '.' && point == n) {
            point = i;
        } else {
            return false;
        }
    }
    missing = scale - (point < n ? (int)(n - point - 1) : 0);
    if (digits == 0 || missing < 0)
        return false;
    wide = (bp_uint128)v * bp_pow10_u64[BP_MIN(missing, 19)];
    if (missing > 19 || wide >= pow10_u128(precision))
        return false;
    *out = minus ? -(bp_int128)wide : (bp_int128)wide;
    return true;
}

struct number {
    const char *digits; /* with at most one point among them */
    size_t n;
    int64_t n_digits; /* without the point */
    int64_t top;      /* the first digit counts 10^top */
};

/* The number's shape is right; its exponent is applied to top. */
static bool scan_number(const char *s, size_t n, struct number *out)
{
    size_t i = 0, point = SIZE_MAX;
    int64_t exponent = 0;
    bool minus;

    for (; i < n && (bp_is_digit(s[i]) || (s[i] == '.' && point == SIZE_MAX)); i++)
        if (s[i] == '.')
            point = i;
    *out = (struct number){.digits = s, .n = i};
    out->n_digits = (int64_t)(i - (point != SIZE_MAX));
    out->top = (int64_t)(point != SIZE_MAX ? point : i) - 1;
    if (out->n_digits == 0)
        return false;
    if (i == n)
        return true;
    if (s[i] != 'e' && s[i] != 'E')
        return false;
    s += i + 1;
    n -= i + 1;
    minus = take_sign(&s, &n);
    if (n == 0)
        return false;
    for (i = 0; i < n; i++) {
        if (!bp_is_digit(s[i]))
            return false;
        if (exponent < INT64_MAX / 100)
            exponent = exponent * 10 + (s[i] - '0');
    }
    out->top += minus ? -exponent : exponent;
    return true;
}

int bp_parse_decimal(const char *s, size_t n, int precision, int scale, bp_int128 *out)
{
    struct number num;
    bp_uint128 v = 0;
    int64_t power;
    bool minus;

    bp_trim(&s, &n);
    minus = take_sign(&s, &n);
    if (n <= 19 && parse_short_decimal(s, n, precision, scale, minus, out))
        return BP_TEXT_OK;
    if (!scan_number(s, n, &num))
        return BP_TEXT_BAD;
    power = num.top; /* of the digit at hand */
    for (size_t i = 0; i < num.n; i++) {
        unsigned d = (unsigned char)(num.digits[i] - '0');

        if (num.digits[i] == '.')
            continue;
        if (power < -scale ? d != 0 : v >= pow10_u128(37))
            return BP_TEXT_RANGE;
        if (power-- >= -scale)
            v = v * 10 + d;
    }
    if (v > 0) {
        int64_t missing = power + 1 + scale; /* zeros to put behind */

        if (missing > 38)
            return BP_TEXT_RANGE;
        for (; missing > 0 && v < pow10_u128(37); missing--)
            v *= 10;
        if (missing > 0 || v >= pow10_u128(precision))
            return BP_TEXT_RANGE;
    }
    *out = minus ? -(bp_int128)v : (bp_int128)v;
    return BP_TEXT_OK;
}

/* ---- booleans ---- */

int bp_parse_bool(const char *s, size_t n, uint8_t *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

    bp_trim(&s, &n);
    if (n == 1 && (*s == '0' || *s == '1')) {
        *out = *s == '1';
        return BP_TEXT_OK;
    }
    for (uint8_t i = 0; i < BP_COUNT_OF(words); i++) {
        size_t len = strlen(words[i]);
        char word[8];

        /* As in PostgreSQL any beginning that leaves no doubt: "o" does. */
        if (n == 0 || n > len || (words[i][0] == 'o' && n < 2))
            continue;
        memcpy(word, words[i], len + 1);
        word[n] = 0;
        if (bp_is_word(s, n, word)) {
            *out = i % 2;
            return BP_TEXT_OK;
        }
    }
    return BP_TEXT_BAD;
}
