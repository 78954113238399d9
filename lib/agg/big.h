/* SPDX-License-Identifier: Apache-2.0 */
/* Magnitudes of many 64-bit limbs (lowest first), and their rounding to a double. */
#ifndef BP_AGG_BIG_H
#define BP_AGG_BIG_H

#include "base/num.h"

/* 40 limbs: every sum of 2^63 doubles, with two limbs to spare for a quotient's fraction. */
#define BP_BIG_LIMBS 40

struct bp_big {
    uint64_t limb[BP_BIG_LIMBS];
    int n;    /* limbs in use; limb[n - 1] != 0; 0: zero */
    int exp2; /* the value is limbs * 2^exp2 */
    bool neg;
    bool sticky; /* something not zero lies below the lowest bit */
};

void bp_big_from_int(struct bp_big *b, bp_int128 v, int exp2);
/* b = b / n (n > 0), with at least 64 bits of quotient; a remainder sets sticky. */
void bp_big_divide(struct bp_big *b, uint64_t n);
/* Nearest double, ties to even; infinity beyond the largest. Zero is +0. */
double bp_big_round(const struct bp_big *b);

#endif
