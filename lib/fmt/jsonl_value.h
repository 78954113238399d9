/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of a line, as both loops over lines want it: jsonl_line.c's, of one line, and
 * jsonl_alike.c's, of several. Most are short, and their ends are found here.
 */
#ifndef BP_FMT_JSONL_VALUE_H
#define BP_FMT_JSONL_VALUE_H

#include "base/num.h"
#include "fmt/jsonl_reader.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define JSONL_INLINE static inline __attribute__((always_inline))
#define JSONL_LIKELY(c) __builtin_expect(!!(c), 1)

#if defined(__SSE2__)
/* Bits of the bytes that end the plain part of a string: a quote, a backslash, a control
 * character. */
JSONL_INLINE uint32_t jsonl_not_plain16(__m128i v)
{
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    return (uint32_t)_mm_movemask_epi8(hit);
}
#endif

/*
 * As jsonl_number_end(), which is asked where 16 bytes do not show it all. q is at a digit or a
 * minus. The next key is looked for where this ends, so what counts is how long the chain of
 * instructions from q to the end is: the first byte takes part in no position, and all other
 * questions are branches, which are foreseen.
 */
JSONL_INLINE const uint8_t *jsonl_short_number_end(const uint8_t *q, struct jsonl_bad *bad)
{
#if defined(__SSE2__)
    __m128i v = _mm_sub_epi8(_mm_loadu_si128((const void *)q), _mm_set1_epi8('0'));
    __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v);
    /* bits of the bytes behind q that are no digits; one behind them all */
    uint32_t other = ~((uint32_t)_mm_movemask_epi8(digits) | 1), n = (uint32_t)__builtin_ctz(other);
    uint32_t minus = *q == '-', whole = n - minus;

    if (q[n] == '.') {
        n = (uint32_t)__builtin_ctz(other & (other - 1));
        if (n == minus + whole + 1)
            return jsonl_number_end(q, bad);
    }
    if (JSONL_LIKELY(n < 16 && (q[n] | 0x20) != 'e' && whole && (q[minus] != '0' || whole == 1)))
        return q + n;
#endif
    return jsonl_number_end(q, bad);
}

/* As jsonl_string_end(), which is asked where 32 bytes do not show it all. */
JSONL_INLINE const uint8_t *jsonl_short_string_end(const uint8_t *q, bool *escaped,
                                                   struct jsonl_bad *bad)
{
#if defined(__SSE2__)
    uint32_t other = jsonl_not_plain16(_mm_loadu_si128((const void *)q)) |
                     jsonl_not_plain16(_mm_loadu_si128((const void *)(q + 16))) << 16;

    if (!other)
        return jsonl_string_end(q + 32, escaped, bad);
    q += __builtin_ctz(other);
    if (JSONL_LIKELY(*q == '"'))
        return q;
#endif
    return jsonl_string_end(q, escaped, bad);
}

/* Rows of a column of the spans. */
struct jsonl_cell {
    uint32_t *s, *e;
    uint8_t *marks;
};

JSONL_INLINE struct jsonl_cell jsonl_cell_at(const struct jsonl_spans *spans, int col, int row)
{
    size_t i = (size_t)col * JSONL_BLOCK_ROWS + (size_t)row;

    return (struct jsonl_cell){spans->s + i, spans->e + i, spans->marks + col};
}

/* A NULL, or a value that is not there. */
JSONL_INLINE void jsonl_put_null(struct jsonl_cell *c, int i, uint32_t at)
{
    c->s[i] = at;
    c->e[i] = at + 1;
    *c->marks |= JSONL_NULL;
}

/* The value at q, for row i of c -> behind it. p: what spans count from. */
JSONL_INLINE const uint8_t *jsonl_value(struct jsonl_cell *c, int i, const uint8_t *p,
                                        const uint8_t *q, struct jsonl_bad *bad)
{
    const uint8_t *end;
    bool escaped = false;

    if (*q == '"') {
        end = jsonl_short_string_end(q + 1, &escaped, bad);
        if (!end)
            return NULL;
        c->s[i] = (uint32_t)(q - p);
        c->e[i] = (uint32_t)((end == q + 1 ? q : end) - p);
        if (escaped || end == q + 1)
            *c->marks |= escaped ? JSONL_ESCAPED : JSONL_EMPTY;
        return end + 1;
    }
    if (JSONL_LIKELY((uint8_t)(*q - '0') < 10 || *q == '-')) {
        end = jsonl_short_number_end(q, bad);
    } else if (bp_load_u32(q) == bp_load_u32("null")) {
        jsonl_put_null(c, i, (uint32_t)(q - p));
        return q + 4;
    } else {
        end = jsonl_value_end(q, bad);
        if (*q == '{' || *q == '[')
            *c->marks |= JSONL_NESTED;
    }
    if (!end)
        return NULL;
    c->s[i] = (uint32_t)(q - p) - 1;
    c->e[i] = (uint32_t)(end - p);
    return end;
}

#endif
