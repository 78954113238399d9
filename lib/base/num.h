/* SPDX-License-Identifier: Apache-2.0 */
/* 128-bit integers, unaligned loads, bit masks, bitmaps (LSB first, as Arrow). */
#ifndef BP_BASE_NUM_H
#define BP_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef __int128 bp_int128;
__extension__ typedef unsigned __int128 bp_uint128;

#define BP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define BP_MAX(a, b) ((a) > (b) ? (a) : (b))
#define BP_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* 10^0 to 10^19: all that fit. */
extern const uint64_t bp_pow10_u64[20];

/* The greatest common divisor; of 0 and b: b. */
static inline uint64_t bp_gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static inline uint32_t bp_load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t bp_load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline size_t bp_bits_bytes(int64_t n_bits)
{
    return (size_t)((n_bits + 7) / 8);
}

static inline bool bp_bit_get(const uint8_t *bits, int64_t i)
{
    return (bits[i >> 3] >> (i & 7)) & 1;
}

static inline void bp_bit_set(uint8_t *bits, int64_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] | (1u << (i & 7)));
}

static inline void bp_bit_clear(uint8_t *bits, int64_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] & ~(1u << (i & 7)));
}

static inline void bp_bit_put(uint8_t *bits, int64_t i, bool v)
{
    uint8_t m = (uint8_t)(1u << (i & 7));
    bits[i >> 3] = (uint8_t)((bits[i >> 3] & ~m) | (v ? m : 0));
}

/* Set bits in [0, n). */
int64_t bp_bits_count(const uint8_t *bits, int64_t n);
/* Set [from, from + n) to v. */
void bp_bits_fill(uint8_t *bits, int64_t from, int64_t n, bool v);
/* dst[dst_from ...] = src[src_from ...], n bits; other bits of dst stay. */
void bp_bits_copy(uint8_t *dst, int64_t dst_from, const uint8_t *src, int64_t src_from, int64_t n);

#endif
