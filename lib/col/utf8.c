/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 * Most text is ASCII: 32 bytes a step until one is not.
 *
 * With AVX2, other text too is checked 32 bytes at once, by J. Keiser and D. Lemire ("Validating
 * UTF-8 in less than one instruction per byte", 2020): what two neighbours can do wrong is a set
 * of eight kinds of mistake; three tables, by the halves of the first byte and the upper half of
 * the second, say which kinds each still allows, and what all three allow was made. Only where
 * third and fourth bytes have to be needs more than two neighbours.
 */
#include <string.h>

#include "base/num.h"
#include "col/text.h"

#if defined(__x86_64__) && defined(__SSE2__)
#define HAS_AVX2
#include <immintrin.h>
#endif

/* Length of the character at s, 0 if it is none. */
static size_t check_char(const uint8_t *s, size_t n)
{
    uint8_t c = s[0], low = 0x80, high = 0xBF;
    size_t len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    if (c < 0xC2 || c > 0xF4 || n < len)
        return 0;
    if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

static bool check_portable(const uint8_t *s, size_t n, size_t *bad_at)
{
    const uint64_t high = 0x8080808080808080u;
    size_t i = 0;

    while (i < n) {
        size_t len;

        while (n - i >= 32 && ((bp_load_u64(s + i) | bp_load_u64(s + i + 8) |
                                bp_load_u64(s + i + 16) | bp_load_u64(s + i + 24)) &
                               high) == 0)
            i += 32;
        while (n - i >= 8 && (bp_load_u64(s + i) & high) == 0)
            i += 8;
        while (i < n && s[i] < 0x80)
            i++;
        while (i < n && s[i] >= 0x80) {
            len = check_char(s + i, n - i);
            if (len == 0) {
                *bad_at = i;
                return false;
            }
            i += len;
        }
    }
    return true;
}

#if defined(HAS_AVX2)
#define TARGET __attribute__((target("avx2")))

enum mistake {
    TOO_SHORT = 1,  /* a first byte, and then none that goes on */
    TOO_LONG = 2,   /* ASCII, and then a byte that goes on */
    OVERLONG3 = 4,  /* E0 80 to 9F */
    TOO_LARGE = 8,  /* F4 90 and more, F5 and more with 90 and more */
    SURROGATE = 16, /* ED A0 and more */
    OVERLONG2 = 32, /* C0, C1 */
    FAR = 64,       /* F0 80 to 8F, overlong, and F5 and more with 80 to 8F */
    TWO = 128,      /* two bytes that go on: a mistake unless it is the third or fourth */
    ANY = TOO_SHORT | TOO_LONG | TWO,
};

/* By the upper half of the first byte, its lower half, and the upper half of the second. */
static const uint8_t first_high[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO,
    TWO,
    TWO,
    TWO,
    TOO_SHORT | OVERLONG2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | FAR,
};
static const uint8_t first_low[16] = {
    ANY | OVERLONG2 | OVERLONG3 | FAR,
    ANY | OVERLONG2,
    ANY,
    ANY,
    ANY | TOO_LARGE,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR | SURROGATE,
    ANY | TOO_LARGE | FAR,
    ANY | TOO_LARGE | FAR,
};
#define GOES_ON (TOO_LONG | OVERLONG2 | TWO)
static const uint8_t second_high[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    GOES_ON | OVERLONG3 | FAR,
    GOES_ON | OVERLONG3 | TOO_LARGE,
    GOES_ON | SURROGATE | TOO_LARGE,
    GOES_ON | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

TARGET static inline __m256i look_up(const uint8_t table[16], __m256i index)
{
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);

    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), index);
}

TARGET static inline __m256i upper_half(__m256i x)
{
    return _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(15));
}

/* Not zero: x, behind the bytes of `before`, has a mistake. */
TARGET static inline __m256i mistakes(__m256i x, __m256i before)
{
    __m256i both = _mm256_permute2x128_si256(before, x, 0x21);
    __m256i back1 = _mm256_alignr_epi8(x, both, 15), back2 = _mm256_alignr_epi8(x, both, 14);
    __m256i back3 = _mm256_alignr_epi8(x, both, 13);
    __m256i low = _mm256_and_si256(back1, _mm256_set1_epi8(15));
    __m256i found = _mm256_and_si256(
        _mm256_and_si256(look_up(first_high, upper_half(back1)), look_up(first_low, low)),
        look_up(second_high, upper_half(x)));
    /* the bit of TWO where a third or fourth byte has to be */
    __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8(0xE0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8(0xF0 - 0x80));
    __m256i due = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)TWO));

    return _mm256_xor_si256(due, found);
}

TARGET static bool is_utf8_avx2(const uint8_t *s, size_t n)
{
    __m256i wrong = _mm256_setzero_si256(), before = wrong;
    uint8_t rest[32] = {0};
    size_t i = 0;

    /* where some of the text is not ASCII, a branch for each 32 bytes is often guessed wrong */
    for (; i + 128 <= n; i += 128) {
        const __m256i *p = (const __m256i *)(const void *)(s + i);
        __m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
        __m256i c = _mm256_loadu_si256(p + 2), d = _mm256_loadu_si256(p + 3);
        __m256i all = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));

        if (_mm256_movemask_epi8(_mm256_or_si256(all, before)) == 0)
            continue;
        wrong = _mm256_or_si256(wrong, _mm256_or_si256(mistakes(a, before), mistakes(b, a)));
        wrong = _mm256_or_si256(wrong, _mm256_or_si256(mistakes(c, b), mistakes(d, c)));
        before = d;
    }
    for (; i + 32 <= n; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(s + i));

        if (_mm256_movemask_epi8(_mm256_or_si256(x, before)) == 0)
            continue;
        wrong = _mm256_or_si256(wrong, mistakes(x, before));
        before = x;
    }
    memcpy(rest, s + i, n - i); /* zeros end a character that is not whole */
    wrong = _mm256_or_si256(
        wrong, mistakes(_mm256_loadu_si256((const __m256i *)(const void *)rest), before));
    return _mm256_testz_si256(wrong, wrong);
}
#endif

bool bp_utf8_check(const uint8_t *s, size_t n, size_t *bad_at)
{
#if defined(HAS_AVX2)
    if (n >= 64 && __builtin_cpu_supports("avx2") && is_utf8_avx2(s, n))
        return true;
#endif
    return check_portable(s, n, bad_at);
}
