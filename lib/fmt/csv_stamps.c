/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop without branches or divisions, which compilers make vectors of where the machine
 * has products and conversions of 64-bit integers (AVX-512). A quotient is the product with
 * the inverse, off by one at most, and corrected by the sign of the rest. The digits of hour,
 * minute and second are made side by side in one word, as put_clock() does.
 */
#include "fmt/csv_stamps.h"

#include "fmt/csv_put.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#if __GNUC__ >= 12 && defined(__x86_64__) && defined(__gnu_linux__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("default", "arch=x86-64-v4")))
#endif
#endif
#ifndef WIDE
#define WIDE
#endif

/* *rest and the quotient, rounded down, of v by size; |v / size| is below 2^51. */
PUT_INLINE int64_t divide(int64_t v, int64_t size, double inverse, int64_t *rest)
{
    int64_t q = (int64_t)((double)v * inverse), left = v - q * size;

    int64_t below = -(int64_t)(left < 0), above = -(int64_t)(left >= size);

    *rest = left + (size & below) - (size & above);
    return q + below - above;
}

PUT_INLINE uint64_t clock_of(uint64_t second)
{
    uint64_t h = second * 37283 >> 27, left = second - h * 3600, m = left * 34953 >> 21;
    uint64_t x = h | m << 24 | (left - m * 60) << 48, q;

    q = ((x * 103) >> 10) & 0x000f00000f00000fu; /* tens */
    return (q | (x - q * 10) << 8) + 0x30303a30303a3030u;
}

WIDE bool csv_split_stamps(const int64_t *v, int n, int64_t per_second, int32_t *day,
                           uint64_t *clock)
{
    const int64_t first = PUT_DAY_FIRST * INT64_C(86400),
                  last = (PUT_DAY_LAST + INT64_C(1)) * 86400;
    const double per_inverse = 1.0 / (double)per_second, day_inverse = 1.0 / 86400;
    int64_t bad = 0, high, low;

    if (__builtin_mul_overflow(last, per_second, &high))
        high = INT64_MAX - 2 * per_second;
    if (__builtin_mul_overflow(first, per_second, &low))
        low = INT64_MIN + 2 * per_second;
    for (int i = 0; i < n; i++) {
        int64_t usual = -(int64_t)((v[i] >= low) & (v[i] < high)), x = v[i] & usual;
        int64_t part, second, s = divide(x, per_second, per_inverse, &part);
        int64_t d = divide(s, 86400, day_inverse, &second);

        bad |= part | ~usual;
        day[i] = (int32_t)d;
        clock[i] = clock_of((uint64_t)second);
    }
    return !bad;
}
