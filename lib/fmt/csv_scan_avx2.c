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

/* The sum of 32 bytes. */
TARGET static inline int64_t sum_bytes(__m256i x)
{
    __m256i four = _mm256_sad_epu8(x, _mm256_setzero_si256());

    return _mm256_extract_epi64(four, 0) + _mm256_extract_epi64(four, 1) +
           _mm256_extract_epi64(four, 2) + _mm256_extract_epi64(four, 3);
}

/*
 * Moving a comparison's result out of the vector registers is the dear part. So separators of
 * either kind go together, quotes and CRs only say that there is one, and LFs are counted where
 * they are: in bytes, of which STEPS_MOST steps do not overflow one.
 */
#define STEPS_MOST 127u

TARGET static void scan_avx2(struct csv_scan *state, const uint8_t *p, uint32_t from, uint32_t to)
{
    struct csv_scan s = *state;
    const __m256i d = _mm256_set1_epi8((char)s.delim), lf = _mm256_set1_epi8('\n');
    const __m256i cr = _mm256_set1_epi8('\r'), q = s.quotes ? _mm256_set1_epi8((char)s.quote) : cr;
    __m256i all = _mm256_setzero_si256(), least = _mm256_set1_epi8((char)0xff);
    uint32_t *out = s.idx + s.n_idx;

    for (uint32_t at = from; at < to;) {
        uint32_t stop = at + 64 * STEPS_MOST < to ? at + 64 * STEPS_MOST : to;
        __m256i n_lf = _mm256_setzero_si256();

        for (; at < stop; at += 64) {
            __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
            __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 32));
            __m256i lf_a = _mm256_cmpeq_epi8(a, lf), lf_b = _mm256_cmpeq_epi8(b, lf);
            __m256i sep_a = _mm256_or_si256(_mm256_cmpeq_epi8(a, d), lf_a);
            __m256i sep_b = _mm256_or_si256(_mm256_cmpeq_epi8(b, d), lf_b);
            __m256i rare_a = _mm256_or_si256(_mm256_cmpeq_epi8(a, q), _mm256_cmpeq_epi8(a, cr));
            __m256i rare_b = _mm256_or_si256(_mm256_cmpeq_epi8(b, q), _mm256_cmpeq_epi8(b, cr));
            uint32_t rare = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(rare_a, rare_b));
            uint64_t sep = (uint64_t)(uint32_t)_mm256_movemask_epi8(sep_b) << 32 |
                           (uint32_t)_mm256_movemask_epi8(sep_a);

            all = _mm256_or_si256(all, _mm256_or_si256(a, b));
            least = _mm256_min_epu8(least, _mm256_min_epu8(a, b));
            if (__builtin_expect((rare | s.inside | s.edge_quote | s.edge_cr) == 0, 1)) {
                n_lf = _mm256_sub_epi8(n_lf, _mm256_add_epi8(lf_a, lf_b));
            } else {
                struct csv_masks m = {equal64(a, b, d), s.quotes ? equal64(a, b, q) : 0,
                                      equal64(a, b, lf), equal64(a, b, cr)};

                csv_step_quotes(&s, &m, prefix_xor(m.quote) ^ s.inside, p[(size_t)at - 1]);
                s.n_lf += _mm_popcnt_u64(m.lf);
                sep = m.delim | m.lf;
            }
            out = write_index(out, sep, at);
        }
        s.n_lf += sum_bytes(n_lf);
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
