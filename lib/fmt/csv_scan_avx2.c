/* SPDX-License-Identifier: Apache-2.0 */
/* The scan with AVX2: two registers make 64 bytes. */
#include "fmt/csv_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "fmt/csv_scan_step.h"

#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul,lzcnt")))

TARGET static inline uint64_t equal64(__m256i a, __m256i b, __m256i c)
{
    uint32_t lo = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c));
    uint32_t hi = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c));

    return (uint64_t)hi << 32 | lo;
}

TARGET static inline uint64_t prefix_xor(uint64_t x)
{
    __m128i all = _mm_set1_epi8((char)0xff);
    __m128i v = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)x), all, 0);

    return (uint64_t)_mm_cvtsi128_si64(v);
}

/* Eight positions at a time, wanted or not: the branch is taken by count / 8. */
TARGET static inline uint32_t *write_index(uint32_t *out, uint64_t m, uint32_t at)
{
    uint32_t *end = out + _mm_popcnt_u64(m);

    while (m) {
        for (int i = 0; i < 8; i++) {
            out[i] = at + (uint32_t)_tzcnt_u64(m);
            m = _blsr_u64(m);
        }
        out += 8;
    }
    return end;
}

TARGET static void scan_avx2(struct csv_scan *state, const uint8_t *p, uint32_t from, uint32_t to)
{
    struct csv_scan s = *state;
    const __m256i d = _mm256_set1_epi8((char)s.delim), q = _mm256_set1_epi8((char)s.quote);
    const __m256i lf = _mm256_set1_epi8('\n'), cr = _mm256_set1_epi8('\r');
    const uint64_t quotes = s.quotes ? ~(uint64_t)0 : 0;
    __m256i all = _mm256_setzero_si256(), least = _mm256_set1_epi8((char)0xff);
    uint32_t *out = s.idx + s.n_idx;

    for (uint32_t at = from; at < to; at += 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 32));
        struct csv_masks m = {equal64(a, b, d), equal64(a, b, q) & quotes, equal64(a, b, lf),
                              equal64(a, b, cr)};

        all = _mm256_or_si256(all, _mm256_or_si256(a, b));
        least = _mm256_min_epu8(least, _mm256_min_epu8(a, b));
        if (__builtin_expect(!csv_step_is_plain(&s, &m), 0))
            csv_step_quotes(&s, &m, prefix_xor(m.quote) ^ s.inside, p[(size_t)at - 1]);
        s.n_lf += _mm_popcnt_u64(m.lf);
        out = write_index(out, m.delim | m.lf, at);
    }
    s.n_idx = (size_t)(out - s.idx);
    s.saw_high |= _mm256_movemask_epi8(all) != 0;
    s.saw_nul |= _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256())) != 0;
    *state = s;
}

TARGET static size_t count_avx2(const uint8_t *p, size_t n, uint8_t c)
{
    const __m256i v = _mm256_set1_epi8((char)c);
    size_t count = 0, i = 0;

    for (; i + 64 <= n; i += 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32));

        count += (size_t)_mm_popcnt_u64(equal64(a, b, v));
    }
    for (; i < n; i++)
        count += p[i] == c;
    return count;
}

const struct csv_kernels csv_kernels_avx2 = {"avx2", scan_avx2, count_avx2, 1};
#endif
