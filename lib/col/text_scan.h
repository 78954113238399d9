/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers of values share: blanks, digits many at a time. For lib/col. */
#ifndef BP_COL_TEXT_SCAN_H
#define BP_COL_TEXT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/num.h"

/* isspace() of the C locale. */
static inline bool bp_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool bp_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline void bp_trim(const char **s, size_t *n)
{
    while (*n > 0 && bp_is_blank(**s)) {
        ++*s;
        --*n;
    }
    while (*n > 0 && bp_is_blank((*s)[*n - 1]))
        --*n;
}

/* True if s[0, n) is word (lower case) in any case. */
static inline bool bp_is_word(const char *s, size_t n, const char *word)
{
    size_t i;

    for (i = 0; i < n && word[i]; i++)
        if ((s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]) != word[i])
            return false;
    return i == n && word[i] == 0;
}

/* Eight bytes, the first the lowest, are eight digits. */
static inline bool bp_are_8_digits(uint64_t w)
{
    return (((w + 0x4646464646464646u) | (w - 0x3030303030303030u)) & 0x8080808080808080u) == 0;
}

/* Their number: pairs, then fours, then eight, by multiplication. */
static inline uint32_t bp_8_digits(uint64_t w)
{
    w -= 0x3030303030303030u;
    w = w * 10 + (w >> 8);
    w = ((w & 0x000000FF000000FFu) * 0x000F424000000064u +
         ((w >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u) >>
        32;
    return (uint32_t)w;
}

/* s[0, n), n 1 to 8, as eight bytes with zeros ('0') in front; reads no further. */
static inline uint64_t bp_load_digits(const char *s, size_t n)
{
    uint64_t w;

    if (n == 8)
        return bp_load_u64(s);
    if (n >= 4)
        w = bp_load_u32(s) | (uint64_t)bp_load_u32(s + n - 4) << (8 * (n - 4));
    else
        w = (uint64_t)(uint8_t)s[0] | (uint64_t)(uint8_t)s[n / 2] << (8 * (n / 2)) |
            (uint64_t)(uint8_t)s[n - 1] << (8 * (n - 1));
    return w << (8 * (8 - n)) | 0x3030303030303030u >> (8 * n);
}

#endif
