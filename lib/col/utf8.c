/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 * Most text is ASCII: 32 bytes a step until one is not.
 */
#include "base/num.h"
#include "col/text.h"

/* Length of the character at s, 0 if it is none. */
static size_t check_char(const uint8_t *s, size_t n)
{
    uint8_t c = s[0], low = 0x80, high = 0xBF;
    size_t len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    if (c < 0xC2 || c > 0xF4 || n < len)
        return 0;
    if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool bp_utf8_check(const uint8_t *s, size_t n, size_t *bad_at)
{
    const uint64_t high = 0x8080808080808080u;
    size_t i = 0;

    while (i < n) {
        size_t len;

        while (n - i >= 32 && ((bp_load_u64(s + i) | bp_load_u64(s + i + 8) |
                                bp_load_u64(s + i + 16) | bp_load_u64(s + i + 24)) &
                               high) == 0)
            i += 32;
        while (n - i >= 8 && (bp_load_u64(s + i) & high) == 0)
            i += 8;
        while (i < n && s[i] < 0x80)
            i++;
        while (i < n && s[i] >= 0x80) {
            len = check_char(s + i, n - i);
            if (len == 0) {
                *bad_at = i;
                return false;
            }
            i += len;
        }
    }
    return true;
}
