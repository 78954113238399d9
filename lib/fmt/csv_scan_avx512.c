/* SPDX-License-Identifier: Apache-2.0 */
/* The scan with AVX-512: one register is 64 bytes, and VBMI2's byte compression
 * turns a mask into positions sixteen at a time. */
#include "fmt/csv_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "fmt/csv_scan_step.h"

#define TARGET                                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,bmi,bmi2,popcnt,"        \
                          "pclmul")))

TARGET static inline uint64_t prefix_xor(uint64_t x)
{
    __m128i all = _mm_set1_epi8((char)0xff);
    __m128i v = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)x), all, 0);

    return (uint64_t)_mm_cvtsi128_si64(v);
}

TARGET static inline __m512i iota64(void)
{
    return _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46,
                           45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28,
                           27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10,
                           9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

TARGET static inline void store16(uint32_t *out, __m128i bytes, __m512i at)
{
    _mm512_storeu_si512(out, _mm512_add_epi32(_mm512_cvtepu8_epi32(bytes), at));
}

TARGET static inline uint32_t *write_index(uint32_t *out, uint64_t m, uint32_t at)
{
    __m512i c = _mm512_maskz_compress_epi8(m, iota64());
    __m512i base = _mm512_set1_epi32((int)at);
    int64_t n = _mm_popcnt_u64(m);

    store16(out, _mm512_castsi512_si128(c), base);
    if (__builtin_expect(n > 16, 0)) {
        store16(out + 16, _mm512_extracti32x4_epi32(c, 1), base);
        if (n > 32) {
            store16(out + 32, _mm512_extracti32x4_epi32(c, 2), base);
            store16(out + 48, _mm512_extracti32x4_epi32(c, 3), base);
        }
    }
    return out + n;
}

TARGET static void scan_avx512(struct csv_scan *state, const uint8_t *p, uint32_t from, uint32_t to)
{
    struct csv_scan s = *state;
    const __m512i d = _mm512_set1_epi8((char)s.delim), q = _mm512_set1_epi8((char)s.quote);
    const __m512i lf = _mm512_set1_epi8('\n'), cr = _mm512_set1_epi8('\r');
    const uint64_t quotes = s.quotes ? ~(uint64_t)0 : 0;
    __m512i all = _mm512_setzero_si512(), least = _mm512_set1_epi8((char)0xff);
    uint32_t *out = s.idx + s.n_idx;

    for (uint32_t at = from; at < to; at += 64) {
        __m512i v = _mm512_loadu_si512(p + at);
        struct csv_masks m = {_mm512_cmpeq_epi8_mask(v, d), _mm512_cmpeq_epi8_mask(v, q) & quotes,
                              _mm512_cmpeq_epi8_mask(v, lf), _mm512_cmpeq_epi8_mask(v, cr)};

        all = _mm512_or_si512(all, v);
        least = _mm512_min_epu8(least, v);
        if (__builtin_expect(!csv_step_is_plain(&s, &m), 0))
            csv_step_quotes(&s, &m, prefix_xor(m.quote) ^ s.inside, p[(size_t)at - 1]);
        s.n_lf += _mm_popcnt_u64(m.lf);
        out = write_index(out, m.delim | m.lf, at);
    }
    s.n_idx = (size_t)(out - s.idx);
    s.saw_high |= _mm512_movepi8_mask(all) != 0;
    s.saw_nul |= _mm512_cmpeq_epi8_mask(least, _mm512_setzero_si512()) != 0;
    *state = s;
}

TARGET static size_t count_avx512(const uint8_t *p, size_t n, uint8_t c)
{
    const __m512i v = _mm512_set1_epi8((char)c);
    size_t count = 0, i = 0;

    for (; i + 64 <= n; i += 64)
        count += (size_t)_mm_popcnt_u64(_mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p + i), v));
    for (; i < n; i++)
        count += p[i] == c;
    return count;
}

const struct csv_kernels csv_kernels_avx512 = {"avx512", scan_avx512, count_avx512, 2};
#endif
