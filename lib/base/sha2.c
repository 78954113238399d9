/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-2: blocks of 16 words, 64 or 80 rounds. The constants are the fractions of the cube
 * roots (rounds) and square roots (beginnings) of the first primes; those of 32 bits are the
 * upper halves of those of 64.
 */
#include "base/sha2.h"

#include <string.h>

static const uint64_t roots[80] = {
    UINT64_C(0x428a2f98d728ae22), UINT64_C(0x7137449123ef65cd), UINT64_C(0xb5c0fbcfec4d3b2f),
    UINT64_C(0xe9b5dba58189dbbc), UINT64_C(0x3956c25bf348b538), UINT64_C(0x59f111f1b605d019),
    UINT64_C(0x923f82a4af194f9b), UINT64_C(0xab1c5ed5da6d8118), UINT64_C(0xd807aa98a3030242),
    UINT64_C(0x12835b0145706fbe), UINT64_C(0x243185be4ee4b28c), UINT64_C(0x550c7dc3d5ffb4e2),
    UINT64_C(0x72be5d74f27b896f), UINT64_C(0x80deb1fe3b1696b1), UINT64_C(0x9bdc06a725c71235),
    UINT64_C(0xc19bf174cf692694), UINT64_C(0xe49b69c19ef14ad2), UINT64_C(0xefbe4786384f25e3),
    UINT64_C(0x0fc19dc68b8cd5b5), UINT64_C(0x240ca1cc77ac9c65), UINT64_C(0x2de92c6f592b0275),
    UINT64_C(0x4a7484aa6ea6e483), UINT64_C(0x5cb0a9dcbd41fbd4), UINT64_C(0x76f988da831153b5),
    UINT64_C(0x983e5152ee66dfab), UINT64_C(0xa831c66d2db43210), UINT64_C(0xb00327c898fb213f),
    UINT64_C(0xbf597fc7beef0ee4), UINT64_C(0xc6e00bf33da88fc2), UINT64_C(0xd5a79147930aa725),
    UINT64_C(0x06ca6351e003826f), UINT64_C(0x142929670a0e6e70), UINT64_C(0x27b70a8546d22ffc),
    UINT64_C(0x2e1b21385c26c926), UINT64_C(0x4d2c6dfc5ac42aed), UINT64_C(0x53380d139d95b3df),
    UINT64_C(0x650a73548baf63de), UINT64_C(0x766a0abb3c77b2a8), UINT64_C(0x81c2c92e47edaee6),
    UINT64_C(0x92722c851482353b), UINT64_C(0xa2bfe8a14cf10364), UINT64_C(0xa81a664bbc423001),
    UINT64_C(0xc24b8b70d0f89791), UINT64_C(0xc76c51a30654be30), UINT64_C(0xd192e819d6ef5218),
    UINT64_C(0xd69906245565a910), UINT64_C(0xf40e35855771202a), UINT64_C(0x106aa07032bbd1b8),
    UINT64_C(0x19a4c116b8d2d0c8), UINT64_C(0x1e376c085141ab53), UINT64_C(0x2748774cdf8eeb99),
    UINT64_C(0x34b0bcb5e19b48a8), UINT64_C(0x391c0cb3c5c95a63), UINT64_C(0x4ed8aa4ae3418acb),
    UINT64_C(0x5b9cca4f7763e373), UINT64_C(0x682e6ff3d6b2b8a3), UINT64_C(0x748f82ee5defb2fc),
    UINT64_C(0x78a5636f43172f60), UINT64_C(0x84c87814a1f0ab72), UINT64_C(0x8cc702081a6439ec),
    UINT64_C(0x90befffa23631e28), UINT64_C(0xa4506cebde82bde9), UINT64_C(0xbef9a3f7b2c67915),
    UINT64_C(0xc67178f2e372532b), UINT64_C(0xca273eceea26619c), UINT64_C(0xd186b8c721c0c207),
    UINT64_C(0xeada7dd6cde0eb1e), UINT64_C(0xf57d4f7fee6ed178), UINT64_C(0x06f067aa72176fba),
    UINT64_C(0x0a637dc5a2c898a6), UINT64_C(0x113f9804bef90dae), UINT64_C(0x1b710b35131c471b),
    UINT64_C(0x28db77f523047d84), UINT64_C(0x32caab7b40c72493), UINT64_C(0x3c9ebe0a15c9bebc),
    UINT64_C(0x431d67c49c100d4c), UINT64_C(0x4cc5d4becb3e42b6), UINT64_C(0x597f299cfc657e2a),
    UINT64_C(0x5fcb6fab3ad6faec), UINT64_C(0x6c44198c4a475817)};

static const uint64_t begin_512[8] = {UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
                                      UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
                                      UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
                                      UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179)};
static const uint64_t begin_384[8] = {UINT64_C(0xcbbb9d5dc1059ed8), UINT64_C(0x629a292a367cd507),
                                      UINT64_C(0x9159015a3070dd17), UINT64_C(0x152fecd8f70e5939),
                                      UINT64_C(0x67332667ffc00b31), UINT64_C(0x8eb44a8768581511),
                                      UINT64_C(0xdb0c2e0d64f98fa7), UINT64_C(0x47b5481dbefa4fa4)};

static void add_block_256(uint32_t h[8], const uint8_t *p)
{
    uint32_t v[8], w[64];

    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], p + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] + ((a >> 7 | a << 25) ^ (a >> 18 | a << 14) ^ a >> 3) +
               ((b >> 17 | b << 15) ^ (b >> 19 | b << 13) ^ b >> 10);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t a = v[0], e = v[4];
        uint32_t t = v[7] + ((e >> 6 | e << 26) ^ (e >> 11 | e << 21) ^ (e >> 25 | e << 7)) +
                     ((e & v[5]) ^ (~e & v[6])) + (uint32_t)(roots[i] >> 32) + w[i];
        uint32_t u = ((a >> 2 | a << 30) ^ (a >> 13 | a << 19) ^ (a >> 22 | a << 10)) +
                     ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t;
        v[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

static void add_block_512(uint64_t h[8], const uint8_t *p)
{
    uint64_t v[8], w[80];

    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], p + 8 * i, 8);
        w[i] = __builtin_bswap64(w[i]);
    }
    for (int i = 16; i < 80; i++) {
        uint64_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] + ((a >> 1 | a << 63) ^ (a >> 8 | a << 56) ^ a >> 7) +
               ((b >> 19 | b << 45) ^ (b >> 61 | b << 3) ^ b >> 6);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
        uint64_t a = v[0], e = v[4];
        uint64_t t = v[7] + ((e >> 14 | e << 50) ^ (e >> 18 | e << 46) ^ (e >> 41 | e << 23)) +
                     ((e & v[5]) ^ (~e & v[6])) + roots[i] + w[i];
        uint64_t u = ((a >> 28 | a << 36) ^ (a >> 34 | a << 30) ^ (a >> 39 | a << 25)) +
                     ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t;
        v[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

/* Whole blocks are added by the caller; the rest, a one, zeros and the length are left: one block
 * or two, in tail. Returns their size. */
static size_t make_tail(const uint8_t *s, size_t n, size_t block, size_t length_bytes,
                        uint8_t tail[256])
{
    size_t left = n % block, room = left + 1 + length_bytes <= block ? block : 2 * block;
    uint64_t bits = __builtin_bswap64((uint64_t)n * 8);

    memset(tail, 0, 256);
    if (left)
        memcpy(tail, s + n - left, left);
    tail[left] = 0x80;
    memcpy(tail + room - 8, &bits, 8);
    return room;
}

void bp_sha256(const void *p, size_t n, int digest_bytes, uint8_t *digest)
{
    const uint8_t *s = p;
    uint8_t tail[256];
    uint32_t h[8];

    for (int i = 0; i < 8; i++)
        h[i] = digest_bytes == 28 ? (uint32_t)begin_384[i] : (uint32_t)(begin_512[i] >> 32);
    for (size_t i = 0; i + 64 <= n; i += 64)
        add_block_256(h, s + i);
    for (size_t i = 0, room = make_tail(s, n, 64, 8, tail); i < room; i += 64)
        add_block_256(h, tail + i);
    for (int i = 0; i < 8; i++)
        h[i] = __builtin_bswap32(h[i]);
    memcpy(digest, h, (size_t)digest_bytes);
}

void bp_sha512(const void *p, size_t n, int digest_bytes, uint8_t *digest)
{
    const uint8_t *s = p;
    uint8_t tail[256];
    uint64_t h[8];

    memcpy(h, digest_bytes == 48 ? begin_384 : begin_512, sizeof h);
    for (size_t i = 0; i + 128 <= n; i += 128)
        add_block_512(h, s + i);
    for (size_t i = 0, room = make_tail(s, n, 128, 16, tail); i < room; i += 128)
        add_block_512(h, tail + i);
    for (int i = 0; i < 8; i++)
        h[i] = __builtin_bswap64(h[i]);
    memcpy(digest, h, (size_t)digest_bytes);
}
