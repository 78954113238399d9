/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/jsonl_token.h"

#include <string.h>

#include "base/num.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static const uint8_t *wrong(struct jsonl_bad *bad, const uint8_t *at, const char *why)
{
    bad->at = at;
    bad->why = why;
    return NULL;
}

/* ---- strings ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits; -1: they are none. */
static int32_t hex4(const uint8_t *q)
{
    int32_t v = 0;

    for (int i = 0; i < 4; i++) {
        int d = hex_digit(q[i]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* q is at a backslash -> behind the escape, which a pair of surrogates is too. */
static const uint8_t *escape_end(const uint8_t *q, struct jsonl_bad *bad)
{
    int32_t c, low;

    if (q[1] != 'u')
        return q[1] && strchr("\"\\/bfnrt", q[1])
                   ? q + 2
                   : wrong(bad, q, "an escape that JSON does not have");
    c = hex4(q + 2);
    if (c < 0)
        return wrong(bad, q, "\\u wants four hex digits");
    if (c < 0xD800 || c > 0xDFFF)
        return q + 6;
    low = c < 0xDC00 && q[6] == '\\' && q[7] == 'u' ? hex4(q + 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return wrong(bad, q, "half of a surrogate pair, which is no character");
    return q + 12;
}

/* The next byte that is not plain: a quote, a backslash, a control character. */
static inline const uint8_t *plain_end(const uint8_t *q)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i last = _mm_set1_epi8(0x1f);

    for (;; q += 16) {
        __m128i v = _mm_loadu_si128((const void *)q);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        int mask;

        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, last), v));
        mask = _mm_movemask_epi8(hit);
        if (mask)
            return q + __builtin_ctz((unsigned)mask);
    }
#else
    while (*q >= 0x20 && *q != '"' && *q != '\\')
        q++;
    return q;
#endif
}

const uint8_t *jsonl_string_end(const uint8_t *q, bool *escaped, struct jsonl_bad *bad)
{
    for (;;) {
        q = plain_end(q);
        if (__builtin_expect(*q == '"', 1))
            return q;
        if (*q == '\n')
            return wrong(bad, q, "a string that is not closed on its line");
        if (*q != '\\')
            return wrong(bad, q, "a control character in a string, which wants an escape");
        *escaped = true;
        q = escape_end(q, bad);
        if (!q)
            return NULL;
    }
}

static uint8_t *put_char(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (uint8_t)c;
    } else if (c < 0x800) {
        *out++ = (uint8_t)(0xC0 | c >> 6);
        *out++ = (uint8_t)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (uint8_t)(0xE0 | c >> 12);
        *out++ = (uint8_t)(0x80 | (c >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (c & 63));
    } else {
        *out++ = (uint8_t)(0xF0 | c >> 18);
        *out++ = (uint8_t)(0x80 | (c >> 12 & 63));
        *out++ = (uint8_t)(0x80 | (c >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (c & 63));
    }
    return out;
}

size_t jsonl_unescape(uint8_t *out, const uint8_t *s, size_t n)
{
    const uint8_t *const begin = out, *end = s + n, *q;

    while (s < end) {
        uint32_t c;

        q = memchr(s, '\\', (size_t)(end - s));
        if (!q)
            q = end;
        memcpy(out, s, (size_t)(q - s));
        out += q - s;
        if (q == end)
            break;
        switch (q[1]) {
        case 'b': c = '\b'; break;
        case 'f': c = '\f'; break;
        case 'n': c = '\n'; break;
        case 'r': c = '\r'; break;
        case 't': c = '\t'; break;
        case 'u': c = (uint32_t)hex4(q + 2); break;
        default: c = q[1]; break;
        }
        s = q + (q[1] == 'u' ? 6 : 2);
        if (c >= 0xD800 && c < 0xDC00 && q[1] == 'u') {
            c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)hex4(q + 8) - 0xDC00);
            s = q + 12;
        }
        out = put_char(out, c);
    }
    return (size_t)(out - begin);
}

/* ---- numbers ---- */

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

const uint8_t *jsonl_number_end(const uint8_t *q, struct jsonl_bad *bad)
{
    const uint8_t *from = q;

    q += *q == '-';
    if (!is_digit(*q))
        return wrong(bad, from, "no number");
    if (*q == '0' && is_digit(q[1]))
        return wrong(bad, from, "a number that begins with 0");
    while (is_digit(*q))
        q++;
    if (*q == '.') {
        if (!is_digit(*++q))
            return wrong(bad, from, "a number with no digit behind its point");
        while (is_digit(*q))
            q++;
    }
    if ((*q | 0x20) == 'e') {
        q++;
        q += *q == '+' || *q == '-';
        if (!is_digit(*q))
            return wrong(bad, from, "a number with no digit in its exponent");
        while (is_digit(*q))
            q++;
    }
    return q;
}

/* ---- any value ---- */

static const uint8_t *scalar_end(const uint8_t *q, struct jsonl_bad *bad)
{
    bool escaped;

    if (*q == '"') {
        q = jsonl_string_end(q + 1, &escaped, bad);
        return q ? q + 1 : NULL;
    }
    if (*q == '-' || is_digit(*q))
        return jsonl_number_end(q, bad);
    if (memcmp(q, "true", 4) == 0 || memcmp(q, "null", 4) == 0)
        return q + 4;
    if (memcmp(q, "false", 5) == 0)
        return q + 5;
    return wrong(bad, q, *q == '\n' ? JSONL_CUT : "no JSON value");
}

/* q is at a key -> at its value. */
static const uint8_t *member(const uint8_t *q, struct jsonl_bad *bad)
{
    bool escaped;

    if (*q != '"')
        return wrong(bad, q, *q == '\n' ? JSONL_CUT : "no key");
    q = jsonl_string_end(q + 1, &escaped, bad);
    if (!q)
        return NULL;
    q = jsonl_blanks(q + 1);
    if (*q != ':')
        return wrong(bad, q, "no colon behind a key");
    return jsonl_blanks(q + 1);
}

/*
 * Lists and objects without recursion: is_list has a bit for each that is open, the
 * innermost in depth - 1.
 */
const uint8_t *jsonl_value_end(const uint8_t *q, struct jsonl_bad *bad)
{
    uint64_t is_list[JSONL_DEPTH_MAX / 64];
    int depth = 0;

    for (;;) {
        if (*q == '{' || *q == '[') { /* opens; its first value, unless it is empty */
            bool list = *q == '[';

            if (depth == JSONL_DEPTH_MAX)
                return wrong(bad, q, "more than 512 lists and objects in one another");
            q = jsonl_blanks(q + 1);
            if (*q != (list ? ']' : '}')) {
                uint64_t bit = (uint64_t)1 << depth % 64;

                is_list[depth / 64] = depth % 64 ? is_list[depth / 64] : 0;
                is_list[depth / 64] = (is_list[depth / 64] & ~bit) | (list ? bit : 0);
                depth++;
                if (!list && !(q = member(q, bad)))
                    return NULL;
                continue;
            }
            q++;
        } else if (!(q = scalar_end(q, bad))) {
            return NULL;
        }
        for (;;) { /* behind a value */
            bool list;

            if (!depth)
                return q;
            list = is_list[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
            q = jsonl_blanks(q);
            if (*q == ',') {
                q = jsonl_blanks(q + 1);
                if (!list && !(q = member(q, bad)))
                    return NULL;
                break;
            }
            if (*q != (list ? ']' : '}'))
                return wrong(bad, q,
                             *q == '\n' ? JSONL_CUT
                             : list     ? "no comma or ] behind a value"
                                        : "no comma or } behind a value");
            depth--;
            q++;
        }
    }
}
