/* SPDX-License-Identifier: Apache-2.0 */
/* 256-bit steps for decimals: products and quotients that pass through more than
 * 128 bits. Magnitudes only; the callers keep the sign. */
#ifndef BP_EXPR_WIDE_H
#define BP_EXPR_WIDE_H

#include "base/num.h"

struct bp_uint256 {
    bp_uint128 hi, lo;
};

/* 10^k, 0 <= k <= 38. */
extern const bp_uint128 bp_ten_to[39];

struct bp_uint256 bp_wide_mul(bp_uint128 a, bp_uint128 b);
/* a / b, b > 0; the remainder to *rem. */
struct bp_uint256 bp_wide_div(struct bp_uint256 a, bp_uint128 b, bp_uint128 *rem);

/* Largest decimal: 38 nines. */
#define BP_DECIMAL_MAX ((bp_int128)bp_ten_to[38] - 1)

static inline bp_uint128 bp_abs128(bp_int128 v)
{
    return v < 0 ? -(bp_uint128)v : (bp_uint128)v;
}

/* v / 10^k, half away from zero, 0 <= k <= 38. */
static inline bp_int128 bp_round_pow10(bp_int128 v, int k)
{
    bp_uint128 u = bp_abs128(v), p = bp_ten_to[k], q;

    if (k <= 18 && (uint64_t)u == u) {
        uint64_t p64 = (uint64_t)p, q64 = (uint64_t)u / p64;

        q64 += (uint64_t)u % p64 >= p64 - p64 / 2;
        return v < 0 ? -(bp_int128)q64 : (bp_int128)q64;
    }
    q = u / p;
    q += (u % p) >= p - p / 2;
    return v < 0 ? -(bp_int128)q : (bp_int128)q;
}

#endif
