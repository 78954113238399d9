/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH3-64, seed 0, of short inputs whose words are in registers: the same values as bp_xxh3(),
 * without a copy of the input and without a call. From "The XXH3 Algorithm" in the xxHash
 * specification 0.2: inputs of 1 to 3, 4 to 8, 9 to 16, 17 to 128 bytes.
 */
#ifndef BP_BASE_XXH3_SHORT_H
#define BP_BASE_XXH3_SHORT_H

#include "base/hash.h"
#include "base/num.h"

/* The first 64 bytes of the default secret. */
static const uint64_t bp_xxh3_secret[8] = {
    0xbe4ba423396cfeb8u, 0x1cad21f72c81017cu, 0xdb979083e96dd4deu, 0x1f67b3b7a4a44072u,
    0x78e5c0cc4ee679cbu, 0x2172ffcc7dd05a82u, 0x8e2443f7744608b8u, 0x4c263a81e69035e0u,
};

static inline uint64_t bp_xxh3_end(uint64_t h)
{
    h = (h ^ h >> 37) * 0x165667919E3779F9u;
    return h ^ h >> 32;
}

/* Of n = 1 to 3 bytes: the first, that at n / 2, the last. */
static inline uint64_t bp_xxh3_1to3(uint8_t first, uint8_t middle, uint8_t last, size_t n)
{
    uint32_t all = (uint32_t)first << 16 | (uint32_t)middle << 24 | last | (uint32_t)n << 8;
    uint64_t h = (uint64_t)all ^ (uint32_t)(bp_xxh3_secret[0] ^ bp_xxh3_secret[0] >> 32);

    h = (h ^ h >> 33) * 0xC2B2AE3D27D4EB4Fu;
    h = (h ^ h >> 29) * 0x165667B19E3779F9u;
    return h ^ h >> 32;
}

/* Of n = 4 to 8 bytes: the first four and the last four. */
static inline uint64_t bp_xxh3_4to8(uint32_t first, uint32_t last, size_t n)
{
    uint64_t h = (last + ((uint64_t)first << 32)) ^ (bp_xxh3_secret[1] ^ bp_xxh3_secret[2]);

    h ^= (h << 49 | h >> 15) ^ (h << 24 | h >> 40);
    h *= 0x9FB21C651E98DF25u;
    h ^= (h >> 35) + n;
    h *= 0x9FB21C651E98DF25u;
    return h ^ h >> 28;
}

/* Of n = 9 to 16 bytes: the first eight and the last eight. */
static inline uint64_t bp_xxh3_9to16(uint64_t first, uint64_t last, size_t n)
{
    uint64_t lo = first ^ (bp_xxh3_secret[3] ^ bp_xxh3_secret[4]);
    uint64_t hi = last ^ (bp_xxh3_secret[5] ^ bp_xxh3_secret[6]);

    return bp_xxh3_end(n + __builtin_bswap64(lo) + hi + bp_fold64(lo, hi));
}

static inline uint64_t bp_xxh3_pair(uint64_t a, uint64_t b, int at)
{
    return bp_fold64(a ^ bp_xxh3_secret[at], b ^ bp_xxh3_secret[at + 1]);
}

/* Of n = 17 to 32 bytes: a[] the first 16, z[] the last 16. */
static inline uint64_t bp_xxh3_17to32(const uint64_t a[2], const uint64_t z[2], size_t n)
{
    return bp_xxh3_end(n * 0x9E3779B185EBCA87u + bp_xxh3_pair(a[0], a[1], 0) +
                       bp_xxh3_pair(z[0], z[1], 2));
}

/* Of n = 33 to 64 bytes: a[] the first 32, z[] the last 32. */
static inline uint64_t bp_xxh3_33to64(const uint64_t a[4], const uint64_t z[4], size_t n)
{
    return bp_xxh3_end(n * 0x9E3779B185EBCA87u + bp_xxh3_pair(a[2], a[3], 4) +
                       bp_xxh3_pair(z[0], z[1], 6) + bp_xxh3_pair(a[0], a[1], 0) +
                       bp_xxh3_pair(z[2], z[3], 2));
}

/* Of n = 2 to 8 words. */
static inline uint64_t bp_xxh3_words(const uint64_t *w, int n)
{
    if (n == 2)
        return bp_xxh3_9to16(w[0], w[1], 16);
    if (n <= 4)
        return bp_xxh3_17to32(w, w + n - 2, (size_t)n * 8);
    return bp_xxh3_33to64(w, w + n - 4, (size_t)n * 8);
}

/* Of a byte and n = 0 to 63 bytes at p behind it. */
static inline uint64_t bp_xxh3_tagged(uint8_t tag, const uint8_t *p, size_t n)
{
    if (n >= 16) {
        uint64_t a[4] = {bp_load_u64(p) << 8 | tag, bp_load_u64(p + 7)};
        uint64_t z[4] = {bp_load_u64(p + n - 16), bp_load_u64(p + n - 8)};

        if (n < 32)
            return bp_xxh3_17to32(a, z, n + 1);
        a[2] = bp_load_u64(p + 15);
        a[3] = bp_load_u64(p + 23);
        z[2] = z[0];
        z[3] = z[1];
        z[0] = bp_load_u64(p + n - 32);
        z[1] = bp_load_u64(p + n - 24);
        return bp_xxh3_33to64(a, z, n + 1);
    }
    if (n >= 8)
        return bp_xxh3_9to16(bp_load_u64(p) << 8 | tag, bp_load_u64(p + n - 8), n + 1);
    if (n >= 4)
        return bp_xxh3_4to8(bp_load_u32(p) << 8 | tag, bp_load_u32(p + n - 4), n + 1);
    if (n == 3) {
        uint32_t all = tag | (uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24;

        return bp_xxh3_4to8(all, all, 4);
    }
    return bp_xxh3_1to3(tag, n ? p[0] : tag, n ? p[n - 1] : tag, n + 1);
}

#endif
