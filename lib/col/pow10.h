/* SPDX-License-Identifier: Apache-2.0 */
/* Powers of ten to 128 bits (pow10.c) and logarithms of powers. For lib/col. */
#ifndef BP_COL_POW10_H
#define BP_COL_POW10_H

#include <stdint.h>

#define BP_POW10_MIN (-342)
#define BP_POW10_MAX 324

extern const uint64_t bp_pow10[BP_POW10_MAX - BP_POW10_MIN + 1][2]; /* high, low */

/* floor(log2(10^k)), right for |k| <= 1233. */
static inline int bp_log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

/* floor(log10(2^e)) and floor(log10(3/4 * 2^e)), right for |e| <= 1500. */
static inline int bp_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}

static inline int bp_log10_pow2_3_4(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

#endif
