/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/wide.h"

#define E10(n) ((bp_uint128)UINT64_C(10000000000000000000) * UINT64_C(n))

const bp_uint128 bp_ten_to[39] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    E10(1),
    E10(10),
    E10(100),
    E10(1000),
    E10(10000),
    E10(100000),
    E10(1000000),
    E10(10000000),
    E10(100000000),
    E10(1000000000),
    E10(10000000000),
    E10(100000000000),
    E10(1000000000000),
    E10(10000000000000),
    E10(100000000000000),
    E10(1000000000000000),
    E10(10000000000000000),
    E10(100000000000000000),
    E10(1000000000000000000),
    E10(10000000000000000000),
};

struct bp_uint256 bp_wide_mul(bp_uint128 a, bp_uint128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64);
    uint64_t b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    bp_uint128 low = (bp_uint128)a0 * b0, m1 = (bp_uint128)a1 * b0, m2 = (bp_uint128)a0 * b1;
    bp_uint128 mid = (low >> 64) + (uint64_t)m1 + (uint64_t)m2;

    return (struct bp_uint256){
        .hi = (bp_uint128)a1 * b1 + (m1 >> 64) + (m2 >> 64) + (mid >> 64),
        .lo = (mid << 64) | (uint64_t)low,
    };
}

/* Bit by bit, from the top: rare enough. */
struct bp_uint256 bp_wide_div(struct bp_uint256 a, bp_uint128 b, bp_uint128 *rem)
{
    struct bp_uint256 q = {.hi = a.hi / b};
    bp_uint128 r = a.hi % b;

    for (int i = 127; i >= 0; i--) {
        bool carry = (r >> 127) != 0;

        r = r << 1 | (a.lo >> i & 1);
        if (carry || r >= b) {
            r -= b;
            q.lo |= (bp_uint128)1 << i;
        }
    }
    *rem = r;
    return q;
}
