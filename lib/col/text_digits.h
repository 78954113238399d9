/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of values share: decimal digits, two at a time. For lib/col. */
#ifndef BP_COL_TEXT_DIGITS_H
#define BP_COL_TEXT_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/num.h"

extern const char bp_digit_pairs[201]; /* "00" "01" ... "99" */

static inline void bp_write_pair(char *out, unsigned v) /* v < 100 */
{
    memcpy(out, bp_digit_pairs + 2 * v, 2);
}

/* How many digits v has; 1 for 0. */
static inline size_t bp_count_digits(uint64_t v)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    unsigned guess = bits * 1233 >> 12; /* bits * log10(2): the count, or one less */

    return guess + (guess == 0 || v >= bp_pow10_u64[guess]);
}

/* The last n digits of v, zeros in front. */
static inline void bp_write_digits(char *out, uint64_t v, size_t n)
{
    while (n >= 2) {
        n -= 2;
        bp_write_pair(out + n, (unsigned)(v % 100));
        v /= 100;
    }
    if (n)
        *out = (char)('0' + v % 10);
}

#endif
