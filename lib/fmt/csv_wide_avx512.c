/* SPDX-License-Identifier: Apache-2.0 */
/* csv_wide with AVX-512: eight lanes; a mask is a bit for each. */
#include "fmt/csv_wide.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2")))
#define LANES 8
#define CSV_WIDE csv_wide_avx512

typedef __m512i vec;
typedef __mmask8 mask;

TARGET static inline vec v_load(const uint64_t *p)
{
    return _mm512_loadu_si512(p);
}

TARGET static inline vec v_load32(const uint32_t *p)
{
    return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

TARGET static inline vec v_all(uint64_t x)
{
    return _mm512_set1_epi64((long long)x);
}

#define v_and _mm512_and_si512
#define v_or _mm512_or_si512
#define v_xor _mm512_xor_si512
#define v_andnot _mm512_andnot_si512
#define v_add _mm512_add_epi64
#define v_sub _mm512_sub_epi64
#define v_shl _mm512_slli_epi64
#define v_shr _mm512_srli_epi64
#define v_shl_by _mm512_sllv_epi64
#define v_shr_by _mm512_srlv_epi64
#define v_pairs _mm512_maddubs_epi16
#define v_fours _mm512_madd_epi16
#define v_mul _mm512_mul_epu32
#define v_mul_signed _mm512_mul_epi32
#define v_sub_bytes _mm512_subs_epu8

TARGET static inline vec v_equal_bytes(vec a, vec b)
{
    return _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(a, b));
}

/* x * by, modulo 2^64. */
TARGET static inline vec v_mul_u32(vec x, uint32_t by)
{
    return _mm512_mullo_epi64(x, v_all(by));
}

TARGET static inline vec v_sum_bytes(vec x)
{
    return _mm512_sad_epu8(x, _mm512_setzero_si512());
}

#define m_equal _mm512_cmpeq_epi64_mask
#define m_less _mm512_cmplt_epi64_mask

static inline mask m_and(mask a, mask b)
{
    return a & b;
}

static inline mask m_or(mask a, mask b)
{
    return a | b;
}

static inline mask m_andnot(mask a, mask b)
{
    return (mask)(~a & b);
}

static inline mask m_not(mask m)
{
    return (mask)~m;
}

TARGET static inline mask m_zero(vec x)
{
    return _mm512_testn_epi64_mask(x, x);
}

/* 0 <= a < b */
TARGET static inline mask m_below(vec a, uint64_t b)
{
    return _mm512_cmplt_epu64_mask(a, v_all(b));
}

static inline uint64_t m_bits(mask m)
{
    return m;
}

TARGET static inline vec v_keep(mask m, vec x)
{
    return _mm512_maskz_mov_epi64(m, x);
}

TARGET static inline vec v_pick(mask m, vec yes, vec no)
{
    return _mm512_mask_mov_epi64(no, m, yes);
}

/* table[index]; index below 16. */
TARGET static inline vec v_look_up(const uint8_t table[16], vec index)
{
    __m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);

    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), v_or(index, v_all(0x8080808080808000)));
}

/* 10^x; x below 8. */
TARGET static inline vec v_pow10(vec x)
{
    return _mm512_permutexvar_epi64(x, _mm512_loadu_si512(bp_pow10_u64));
}

TARGET static inline vec v_quotient(vec a, vec b)
{
    return _mm512_castpd_si512(_mm512_div_pd(_mm512_cvtepu64_pd(a), _mm512_cvtepu64_pd(b)));
}

/* The lanes of the bits of `in`. */
TARGET static inline void v_store(void *out, unsigned in, vec x)
{
    _mm512_mask_storeu_epi64(out, (mask)in, x);
}

TARGET static inline void v_store32(int32_t *out, unsigned in, vec x)
{
    _mm512_mask_cvtepi64_storeu_epi32(out, (mask)in, x);
}

#include "fmt/csv_wide_step.h"
#endif
