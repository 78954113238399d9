/* SPDX-License-Identifier: Apache-2.0 */
/* csv_wide with AVX2: four lanes. There are no comparisons into bits: a mask is a register, of
 * which a lane is all ones or all zeros. */
#include "fmt/csv_wide.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2")))
#define LANES 4
#define CSV_WIDE csv_wide_avx2

typedef __m256i vec;
typedef __m256i mask;

TARGET static inline vec v_load(const uint64_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

TARGET static inline vec v_load32(const uint32_t *p)
{
    return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)p));
}

TARGET static inline vec v_all(uint64_t x)
{
    return _mm256_set1_epi64x((long long)x);
}

#define v_and _mm256_and_si256
#define v_or _mm256_or_si256
#define v_xor _mm256_xor_si256
#define v_andnot _mm256_andnot_si256
#define v_add _mm256_add_epi64
#define v_sub _mm256_sub_epi64
#define v_shl _mm256_slli_epi64
#define v_shr _mm256_srli_epi64
#define v_shl_by _mm256_sllv_epi64
#define v_shr_by _mm256_srlv_epi64
#define v_pairs _mm256_maddubs_epi16
#define v_fours _mm256_madd_epi16
#define v_mul _mm256_mul_epu32
#define v_mul_signed _mm256_mul_epi32
#define v_sub_bytes _mm256_subs_epu8
#define v_equal_bytes _mm256_cmpeq_epi8

/* x * by, modulo 2^64. */
TARGET static inline vec v_mul_u32(vec x, uint32_t by)
{
    vec low = _mm256_mul_epu32(x, v_all(by)), high = _mm256_mul_epu32(v_shr(x, 32), v_all(by));

    return v_add(low, v_shl(high, 32));
}

TARGET static inline vec v_sum_bytes(vec x)
{
    return _mm256_sad_epu8(x, _mm256_setzero_si256());
}

#define m_and _mm256_and_si256
#define m_or _mm256_or_si256
#define m_andnot _mm256_andnot_si256
#define m_equal _mm256_cmpeq_epi64

TARGET static inline mask m_not(mask m)
{
    return _mm256_xor_si256(m, v_all(UINT64_MAX));
}

TARGET static inline mask m_zero(vec x)
{
    return _mm256_cmpeq_epi64(x, _mm256_setzero_si256());
}

/* Signed. */
TARGET static inline mask m_less(vec a, vec b)
{
    return _mm256_cmpgt_epi64(b, a);
}

/* 0 <= a < b */
TARGET static inline mask m_below(vec a, uint64_t b)
{
    return _mm256_andnot_si256(m_less(a, v_all(0)), m_less(a, v_all(b)));
}

TARGET static inline uint64_t m_bits(mask m)
{
    return (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(m));
}

TARGET static inline vec v_keep(mask m, vec x)
{
    return _mm256_and_si256(m, x);
}

TARGET static inline vec v_pick(mask m, vec yes, vec no)
{
    return _mm256_blendv_epi8(no, yes, m);
}

/* table[index]; index below 16. */
TARGET static inline vec v_look_up(const uint8_t table[16], vec index)
{
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);

    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t),
                               v_or(index, v_all(0x8080808080808000)));
}

/* 10^x in the low halves; x below 8. */
TARGET static inline vec v_pow10(vec x)
{
    const __m256i ten = _mm256_setr_epi32(1, 10, 100, 1000, 10000, 100000, 1000000, 10000000);

    return _mm256_permutevar8x32_epi32(ten, x);
}

/* Numbers below 2^32 in the low halves as doubles: they become the last bits of 2^52. */
TARGET static inline __m256d to_double(vec x)
{
    const vec bits = v_all(0x4330000000000000);
    vec number = v_or(v_and(x, v_all(UINT32_MAX)), bits);

    return _mm256_sub_pd(_mm256_castsi256_pd(number), _mm256_castsi256_pd(bits));
}

TARGET static inline vec v_quotient(vec a, vec b)
{
    return _mm256_castpd_si256(_mm256_div_pd(to_double(a), to_double(b)));
}

/* The first lanes, as many as `in` has bits. */
TARGET static inline void v_store(void *out, unsigned in, vec x)
{
    if (in == 15)
        _mm256_storeu_si256(out, x);
    else
        memcpy(out, &x, 8 * (size_t)__builtin_popcount(in));
}

TARGET static inline void v_store32(int32_t *out, unsigned in, vec x)
{
    vec low = _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));

    if (in == 15)
        _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(low));
    else
        memcpy(out, &low, 4 * (size_t)__builtin_popcount(in));
}

#include "fmt/csv_wide_step.h"
#endif
