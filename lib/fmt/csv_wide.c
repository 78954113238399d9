/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One field is a word of eight bytes, eight fields are a register, and there are no branches:
 * what csv_digits.h does for one value is done for eight at once. A short number is loaded so
 * that its last byte is on top of its word; what stands before it is masked off, its sign too,
 * and its point is closed up by moving the bytes before it one byte up. Digits are joined by
 * the multiply-and-add instructions: pairs of bytes, of pairs, of fours. (The idea is
 * W. Mula's; see his "SIMD-ized parsing of numbers".) Days are counted from March on, so that
 * the day of the leap year is the last one.
 *
 * A lane that is not of the plain shape has its bit cleared, and is read by others. The words
 * are brought together by plain loads: gathering instructions are slow on many processors.
 */
#include "fmt/csv_wide.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "base/num.h"
#include "fmt/csv_digits.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,bmi,bmi2")))
#define LANES 8

/* ---- words of fields ---- */

struct words {
    uint64_t a[CSV_WIDE_ROWS]; /* numbers: the eight bytes before the end; times: "YYYY-MM-" */
    uint64_t b[CSV_WIDE_ROWS]; /* times: "hh:mm:ss" */
    uint32_t c[CSV_WIDE_ROWS]; /* times: "DD", and a byte behind it */
    uint32_t len[CSV_WIDE_ROWS];
};

static int whole_lanes(struct words *w, int n)
{
    for (; n % LANES; n++) {
        w->a[n] = w->b[n] = 0;
        w->c[n] = w->len[n] = 0;
    }
    return n;
}

static int load_numbers(struct words *w, const struct csv_span *f, int n)
{
    const uint32_t *s = f->s, *e = f->e;

    for (int i = 0; i < n; i++, s += f->step, e += f->step) {
        w->a[i] = bp_load_u64(f->p + *e - 8);
        w->len[i] = *e - *s - 1;
    }
    return whole_lanes(w, n);
}

static int load_times(struct words *w, const struct csv_span *f, int n)
{
    const uint32_t *s = f->s, *e = f->e;

    for (int i = 0; i < n; i++, s += f->step, e += f->step) {
        const uint8_t *p = f->p + *s + 1;

        w->a[i] = bp_load_u64(p);
        memcpy(&w->c[i], p + 8, 4);
        w->b[i] = bp_load_u64(p + 11);
        w->len[i] = *e - *s - 1;
    }
    return whole_lanes(w, n);
}

TARGET static inline __m512i load8(const uint64_t *p)
{
    return _mm512_loadu_si512(p);
}

TARGET static inline __m512i load8u32(const uint32_t *p)
{
    return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

TARGET static inline __m512i all(uint64_t x)
{
    return _mm512_set1_epi64((long long)x);
}

/* Lanes of which no byte is above its byte of most. */
TARGET static inline __mmask8 at_most(__m512i x, uint64_t most)
{
    __m512i above = _mm512_subs_epu8(x, all(most));

    return _mm512_testn_epi64_mask(above, above);
}

/* ---- short numbers ---- */

struct number {
    __m512i digits; /* below 10^8 */
    __m512i scale;  /* how many of them are behind the point */
    __mmask8 minus, ok;
};

/* Digits, the most significant in the lowest byte -> their number. */
TARGET static inline __m512i join8(__m512i x)
{
    x = _mm512_maddubs_epi16(x, all(0x010a010a010a010a));
    x = _mm512_madd_epi16(x, all(0x0001006400010064));
    return _mm512_add_epi64(_mm512_mul_epu32(x, all(10000)), _mm512_srli_epi64(x, 32));
}

/* Takes the point out of x, whose field begins at bit *from; lanes with one at an end of the
 * digits are no numbers. */
TARGET static inline __mmask8 close_point(__m512i *x, __m512i *from, __m512i *scale)
{
    __m512i z = _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(*x, all(CSV_REP('.'))));
    __m512i low = _mm512_and_si512(z, _mm512_sub_epi64(_mm512_setzero_si512(), z));
    __m512i below = _mm512_sub_epi64(low, all(1));
    __m512i upto = _mm512_sub_epi64(_mm512_slli_epi64(low, 8), all(1));
    __mmask8 has = _mm512_test_epi64_mask(z, z);
    __mmask8 first = _mm512_cmpeq_epi64_mask(low, _mm512_sllv_epi64(all(1), *from));

    *scale = _mm512_maskz_srli_epi64(has, _mm512_lzcnt_epi64(low), 3);
    *from = _mm512_mask_add_epi64(*from, has, *from, all(8));
    *x = _mm512_mask_or_epi64(*x, has, _mm512_slli_epi64(_mm512_and_si512(*x, below), 8),
                              _mm512_andnot_si512(upto, *x));
    return (__mmask8)(~has | (_mm512_test_epi64_mask(*scale, *scale) & ~first));
}

TARGET static inline struct number read_numbers(const struct words *w, int i, bool point)
{
    __m512i x = load8(w->a + i), len = load8u32(w->len + i);
    __m512i from = _mm512_sub_epi64(all(64), _mm512_slli_epi64(len, 3));
    __m512i sign = _mm512_and_si512(_mm512_srlv_epi64(x, from), all(0xff));
    struct number r = {.scale = _mm512_setzero_si512()};

    r.minus = _mm512_cmpeq_epi64_mask(sign, all('-'));
    from = _mm512_mask_add_epi64(from, r.minus, from, all(8));
    r.ok = _mm512_cmplt_epu64_mask(from, all(64)); /* one to eight bytes */
    x = _mm512_and_si512(x, _mm512_sllv_epi64(all(UINT64_MAX), from));
    if (point)
        r.ok &= close_point(&x, &from, &r.scale);
    x = _mm512_xor_si512(x, _mm512_sllv_epi64(all(CSV_REP('0')), from));
    r.ok &= at_most(x, CSV_REP(9));
    r.digits = join8(x);
    return r;
}

TARGET static inline __m512i negate(__m512i v, __mmask8 minus)
{
    return _mm512_mask_sub_epi64(v, minus, _mm512_setzero_si512(), v);
}

TARGET static inline __mmask8 put_ints(const struct words *w, int i, __mmask8 in, void *out,
                                       bool wide)
{
    struct number r = read_numbers(w, i, false);
    __m512i v = _mm512_maskz_mov_epi64(r.ok, negate(r.digits, r.minus));

    if (wide)
        _mm512_mask_storeu_epi64((int64_t *)out + i, in, v);
    else
        _mm512_mask_cvtepi64_storeu_epi32((int32_t *)out + i, in, v);
    return r.ok;
}

/* digits / 10^scale is one correctly rounded operation on exact operands. */
TARGET static inline __mmask8 put_floats(const struct words *w, int i, __mmask8 in, double *out)
{
    struct number r = read_numbers(w, i, true);
    __m512d ten = _mm512_permutexvar_pd(r.scale, _mm512_loadu_pd(csv_pow10));
    __m512d v = _mm512_maskz_div_pd(r.ok, _mm512_cvtepu64_pd(r.digits), ten);

    v = _mm512_mask_xor_pd(v, r.minus & r.ok, v, _mm512_set1_pd(-0.0));
    _mm512_mask_storeu_pd(out + i, in, v);
    return r.ok;
}

TARGET static inline __mmask8 put_decimals(struct bp_type t, const struct words *w, int i,
                                           __mmask8 in, bp_int128 *out)
{
    const __m512i even = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i odd = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    struct number r = read_numbers(w, i, true);
    __m512i up = _mm512_sub_epi64(all(t.scale), r.scale); /* zeros that are not written */
    __m512i v =
        _mm512_mul_epu32(r.digits, _mm512_permutexvar_epi64(up, _mm512_loadu_si512(bp_pow10_u64)));
    __m512i high;
    __mmask16 pairs = (__mmask16)_pdep_u32(in, 0x5555) * 3;

    r.ok &= _mm512_cmplt_epu64_mask(up, all(8));
    r.ok &= _mm512_cmplt_epu64_mask(v, all(bp_pow10_u64[t.precision]));
    v = _mm512_maskz_mov_epi64(r.ok, negate(v, r.minus));
    high = _mm512_srai_epi64(v, 63);
    _mm512_mask_storeu_epi64(out + i, (__mmask8)pairs, _mm512_permutex2var_epi64(v, even, high));
    _mm512_mask_storeu_epi64(out + i + 4, (__mmask8)(pairs >> 8),
                             _mm512_permutex2var_epi64(v, odd, high));
    return r.ok;
}

/* ---- dates and times ---- */

/* "YYYY-MM-" and "DD" -> days since 1970-01-01, in the low halves of the lanes. */
TARGET static inline __mmask8 read_days(__m512i head, __m512i tail, __m512i *days)
{
    /* of months 1 to 12: days, and days of the months since March before it */
    const __m512i longest =
        _mm512_set_epi32(0, 0, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 28, 31, 0);
    const __m512i before =
        _mm512_set_epi32(0, 0, 0, 275, 245, 214, 184, 153, 122, 92, 61, 31, 0, 337, 306, 0);
    __m512i x = _mm512_xor_si512(head, all(0x2d30302d30303030)); /* "0000-00-" */
    __m512i d = _mm512_xor_si512(_mm512_and_si512(tail, all(0xffff)), all(0x3030));
    __m512i year, month, most, q100;
    __mmask8 ok = at_most(x, 0x0009010009090909) & at_most(d, 0x0903), leap, late;

    x = _mm512_maddubs_epi16(x, all(0x00010a00010a010a));
    x = _mm512_madd_epi16(x, all(0x0001000100010064));
    year = _mm512_and_si512(x, all(UINT32_MAX));
    month = _mm512_srli_epi64(x, 32);
    d = _mm512_maddubs_epi16(d, all(0x010a));
    q100 = _mm512_srli_epi64(_mm512_mul_epu32(year, all(5243)), 19); /* year / 100 */
    leap = _mm512_testn_epi64_mask(year, all(3)) &
           (_mm512_cmpneq_epi64_mask(year, _mm512_mul_epu32(q100, all(100))) |
            _mm512_testn_epi64_mask(q100, all(3)));
    most = _mm512_permutexvar_epi32(month, longest);
    most = _mm512_mask_add_epi64(most, leap & _mm512_cmpeq_epi64_mask(month, all(2)), most, all(1));
    ok &= _mm512_cmplt_epu64_mask(_mm512_sub_epi64(d, all(1)), most); /* month 0 has 0 days */
    ok &= _mm512_cmple_epu64_mask(month, all(12)) & _mm512_test_epi64_mask(year, year);
    late = _mm512_cmple_epu64_mask(month, all(2)); /* months 11 and 12 of the year before */
    year = _mm512_mask_sub_epi64(year, late, year, all(1));
    q100 = _mm512_srli_epi64(_mm512_mul_epu32(year, all(5243)), 19);
    x = _mm512_add_epi64(_mm512_mul_epu32(year, all(365)), _mm512_srli_epi64(year, 2));
    x = _mm512_sub_epi64(x, q100);
    x = _mm512_add_epi64(x, _mm512_srli_epi64(q100, 2));
    x = _mm512_add_epi64(x, _mm512_add_epi64(_mm512_permutexvar_epi32(month, before), d));
    *days = _mm512_sub_epi64(x, all(719469));
    return ok;
}

/* "hh:mm:ss" */
TARGET static inline __mmask8 read_clock(__m512i x, __m512i *seconds)
{
    __mmask8 ok;

    x = _mm512_xor_si512(x, all(0x30303a30303a3030)); /* "00:00:00" */
    ok = at_most(x, 0x0905000905000902);
    x = _mm512_maddubs_epi16(x, all(0x010a00010a00010a));
    ok &= _mm512_cmplt_epu64_mask(_mm512_and_si512(x, all(0xffff)), all(24));
    x = _mm512_madd_epi16(x, all(0x0001003c003c0e10)); /* 1, 60, 60, 3600 */
    *seconds = _mm512_add_epi64(_mm512_and_si512(x, all(UINT32_MAX)), _mm512_srli_epi64(x, 32));
    return ok;
}

TARGET static inline __mmask8 put_dates(const struct words *w, int i, __mmask8 in, int32_t *out)
{
    __m512i days;
    __mmask8 ok = read_days(load8(w->a + i), load8u32(w->c + i), &days);

    ok &= _mm512_cmpeq_epi64_mask(load8u32(w->len + i), all(10));
    _mm512_mask_cvtepi64_storeu_epi32(out + i, in, _mm512_maskz_mov_epi64(ok, days));
    return ok;
}

TARGET static inline __mmask8 put_timestamps(int64_t per_second, const struct words *w, int i,
                                             __mmask8 in, int64_t *out)
{
    __m512i days, seconds, tail = load8u32(w->c + i), between;
    __mmask8 ok = read_days(load8(w->a + i), tail, &days);

    ok &= read_clock(load8(w->b + i), &seconds);
    ok &= _mm512_cmpeq_epi64_mask(load8u32(w->len + i), all(19));
    between = _mm512_and_si512(tail, all(0xff0000));
    ok &= _mm512_cmpeq_epi64_mask(between, all(' ' << 16)) |
          _mm512_cmpeq_epi64_mask(between, all('T' << 16));
    seconds = _mm512_add_epi64(_mm512_mul_epi32(days, all(86400)), seconds);
    seconds = _mm512_mullo_epi64(seconds, all((uint64_t)per_second));
    _mm512_mask_storeu_epi64(out + i, in, _mm512_maskz_mov_epi64(ok, seconds));
    return ok;
}

/* ---- blocks ---- */

bool csv_wide_has(struct bp_type t)
{
    switch (t.kind) {
    case BP_INT32:
    case BP_INT64:
    case BP_FLOAT64:
    case BP_DATE: return true;
    case BP_DECIMAL: return t.precision <= 18;
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return t.unit != BP_NANO; /* it has a narrower range */
    default: return false;
    }
}

/* put sees i, the lanes' first row, in, those that are rows, and out, the first row's place. */
#define EACH_LANES(type, load, put)                                                                \
    {                                                                                              \
        type *out = (type *)(void *)o->data->data + o->n_rows;                                     \
        int whole = load(&w, f, n);                                                                \
        for (int i = 0; i < whole; i += LANES) {                                                   \
            __mmask8 in = (__mmask8)((rows >> i) & 0xff);                                          \
            read |= (uint64_t)(put) << i;                                                          \
            none |= (uint64_t)_mm512_cmpeq_epi64_mask(load8u32(w.len + i), all(0)) << i;           \
        }                                                                                          \
        break;                                                                                     \
    }

TARGET uint64_t csv_wide(struct csv_out *o, const struct csv_span *f, int n, uint64_t *empty)
{
    const uint64_t rows = UINT64_MAX >> (CSV_WIDE_ROWS - n);
    const struct bp_type t = o->type;
    uint64_t read = 0, none = 0;
    struct words w;

    switch (t.kind) {
    case BP_INT32: EACH_LANES(int32_t, load_numbers, put_ints(&w, i, in, out, false))
    case BP_INT64: EACH_LANES(int64_t, load_numbers, put_ints(&w, i, in, out, true))
    case BP_FLOAT64: EACH_LANES(double, load_numbers, put_floats(&w, i, in, out))
    case BP_DECIMAL: EACH_LANES(bp_int128, load_numbers, put_decimals(t, &w, i, in, out))
    case BP_DATE: EACH_LANES(int32_t, load_times, put_dates(&w, i, in, out))
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ:
        EACH_LANES(int64_t, load_times, put_timestamps(bp_unit_per_second(t.unit), &w, i, in, out))
    default: break;
    }
    *empty = none & rows;
    return (read | none) & rows;
}
#else

bool csv_wide_has(struct bp_type t)
{
    (void)t;
    return false;
}

uint64_t csv_wide(struct csv_out *o, const struct csv_span *f, int n, uint64_t *empty)
{
    (void)o;
    (void)f;
    (void)n;
    *empty = 0;
    return 0;
}
#endif
