/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/big.h"

#include <math.h>
#include <string.h>

static void trim(struct bp_big *b)
{
    while (b->n && !b->limb[b->n - 1])
        b->n--;
}

void bp_big_from_int(struct bp_big *b, bp_int128 v, int exp2)
{
    bp_uint128 mag = v < 0 ? -(bp_uint128)v : (bp_uint128)v;

    b->neg = v < 0;
    b->limb[0] = (uint64_t)mag;
    b->limb[1] = (uint64_t)(mag >> 64);
    b->n = 2;
    b->exp2 = exp2;
    b->sticky = false;
    trim(b);
}

void bp_big_divide(struct bp_big *b, uint64_t n)
{
    bp_uint128 rest = 0;

    if (!b->n)
        return;
    /* two limbs of fraction: the quotient has more than 64 significant bits */
    memmove(b->limb + 2, b->limb, (size_t)b->n * sizeof b->limb[0]);
    b->limb[0] = b->limb[1] = 0;
    b->n += 2;
    b->exp2 -= 128;
    for (int i = b->n - 1; i >= 0; i--) {
        rest = rest << 64 | b->limb[i];
        b->limb[i] = (uint64_t)(rest / n);
        rest %= n;
    }
    b->sticky |= rest != 0;
    trim(b);
}

/* Bits [from, from + 64) of the magnitude; from may be negative. */
static uint64_t bits_at(const struct bp_big *b, int from)
{
    int i = from >> 6, s = from & 63;
    uint64_t lo = i >= 0 && i < b->n ? b->limb[i] : 0;
    uint64_t hi = i + 1 >= 0 && i + 1 < b->n ? b->limb[i + 1] : 0;

    return s ? lo >> s | hi << (64 - s) : lo;
}

static bool any_below(const struct bp_big *b, int bit)
{
    int i;

    for (i = 0; i < b->n && (i + 1) * 64 <= bit; i++)
        if (b->limb[i])
            return true;
    return i < b->n && bit > i * 64 && (b->limb[i] << (64 - (bit - i * 64)));
}

double bp_big_round(const struct bp_big *b)
{
    int top, cut; /* the highest bit; the lowest that the double can hold */
    uint64_t m, half;
    bool rest;
    double d;

    if (!b->n)
        return 0.0;
    top = b->n * 64 - 1 - __builtin_clzll(b->limb[b->n - 1]);
    cut = top - 52;
    if (cut + b->exp2 < -1074)
        cut = -1074 - b->exp2;
    if (cut > top + 1)
        return b->neg ? -0.0 : 0.0; /* below half of the smallest: a quotient */
    m = bits_at(b, cut) & (((uint64_t)1 << 53) - 1);
    if (top - cut < 52)
        m &= ((uint64_t)1 << (top - cut + 1)) - 1;
    half = cut > 0 ? bits_at(b, cut - 1) & 1 : 0;
    rest = b->sticky || (cut > 1 && any_below(b, cut - 1));
    m += half && (rest || (m & 1));
    d = ldexp((double)m, cut + b->exp2);
    return b->neg ? -d : d;
}
