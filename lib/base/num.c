/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

const uint64_t bp_pow10_u64[20] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    10000000000000000000u,
};

int64_t bp_bits_count(const uint8_t *bits, int64_t n)
{
    int64_t count = 0, i = 0;

    for (; i + 64 <= n; i += 64)
        count += __builtin_popcountll(bp_load_u64(bits + i / 8));
    for (; i < n; i++)
        count += bp_bit_get(bits, i);
    return count;
}

void bp_bits_fill(uint8_t *bits, int64_t from, int64_t n, bool v)
{
    int64_t i = from, end = from + n;

    for (; i < end && i % 8; i++)
        bp_bit_put(bits, i, v);
    if (end - i >= 8) {
        memset(bits + i / 8, v ? 0xFF : 0, (size_t)((end - i) / 8));
        i += (end - i) / 8 * 8;
    }
    for (; i < end; i++)
        bp_bit_put(bits, i, v);
}

void bp_bits_copy(uint8_t *dst, int64_t dst_from, const uint8_t *src, int64_t src_from, int64_t n)
{
    int64_t i = 0;

    for (; i < n && (dst_from + i) % 8; i++)
        bp_bit_put(dst, dst_from + i, bp_bit_get(src, src_from + i));
    if ((src_from + i) % 8 == 0) {
        if (n - i >= 8) {
            memcpy(dst + (dst_from + i) / 8, src + (src_from + i) / 8, (size_t)((n - i) / 8));
            i += (n - i) / 8 * 8;
        }
    } else {
        unsigned shift = (unsigned)((src_from + i) % 8);

        for (; n - i >= 8; i += 8) {
            const uint8_t *s = src + (src_from + i) / 8;
            dst[(dst_from + i) / 8] = (uint8_t)((s[0] >> shift) | (s[1] << (8 - shift)));
        }
    }
    for (; i < n; i++)
        bp_bit_put(dst, dst_from + i, bp_bit_get(src, src_from + i));
}
