/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each word is compared with the last one whose upper half has the same hash. Where the upper
 * halves are equal, a copy of at least four bytes follows, which often reaches into the next word:
 *
 *      ... | low  HIGH | low' HIGH' | ...         (memory, little-endian)
 *            lit  copy----->  lit'
 *
 * The path of such a word has no branch that depends on the data but one for a long copy, since a
 * wrong guess costs as much as the rest.
 */
#include "codec/snappy_words.h"

#include <stdbool.h>
#include <string.h>

#include "base/num.h"

#define SLOT_BITS 12
#define TAIL_BYTES 32 /* wide loads look so far ahead: the last bytes are literals */
#define OFFSET_MOST 65535
#define LITERAL_MOST 65536
#define COPY_MOST 64

static inline uint64_t load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t slot_of(uint64_t word)
{
    return ((uint32_t)(word >> 32) * 0x9e3779b1u) >> (32 - SLOT_BITS);
}

static uint8_t *put_length(uint8_t *out, size_t n)
{
    for (; n >= 128; n >>= 7)
        *out++ = (uint8_t)(n | 128);
    *out++ = (uint8_t)n;
    return out;
}

static uint8_t *put_literal(uint8_t *out, const uint8_t *p, size_t n)
{
    while (n) {
        size_t some = BP_MIN(n, (size_t)LITERAL_MOST);

        if (some <= 60) {
            *out++ = (uint8_t)((some - 1) << 2);
        } else {
            *out++ = 61 << 2; /* two bytes of length follow */
            *out++ = (uint8_t)(some - 1);
            *out++ = (uint8_t)((some - 1) >> 8);
        }
        memcpy(out, p, some);
        out += some;
        p += some;
        n -= some;
    }
    return out;
}

/* Up to 16 bytes, none too: out has room for 17. */
static inline uint8_t *put_short_literal(uint8_t *out, const uint8_t *p, size_t n)
{
    *out = (uint8_t)((n - 1) << 2);
    memcpy(out + 1, p, 16);
    return out + n + (n > 0);
}

/* At least 4 bytes. */
static inline uint8_t *put_copy(uint8_t *out, size_t offset, size_t n)
{
    uint32_t near, far, is_near;

    for (; n > COPY_MOST; n -= COPY_MOST - 4) { /* never leaves less than 4 */
        *out++ = (uint8_t)((COPY_MOST - 4 - 1) << 2 | 2);
        *out++ = (uint8_t)offset;
        *out++ = (uint8_t)(offset >> 8);
    }
    near = (uint32_t)(1 | (n - 4) << 2 | offset >> 8 << 5 | (offset & 255) << 8);
    far = (uint32_t)(2 | (n - 1) << 2 | offset << 8);
    is_near = (uint32_t)(offset < 2048) & (uint32_t)(n <= 11);
    far ^= (near ^ far) & (0 - is_near);
    memcpy(out, &far, sizeof far);
    return out + 3 - is_near;
}

/* How many bytes at a and b are equal; a < stop, and 8 bytes can be read behind it. */
static size_t common(const uint8_t *a, const uint8_t *b, const uint8_t *stop)
{
    const uint8_t *from = a;

    for (; a < stop; a += 8, b += 8) {
        uint64_t x = load(a) ^ load(b);

        if (x)
            return (size_t)(a - from) + ((size_t)__builtin_ctzll(x) >> 3);
    }
    return (size_t)(a - from);
}

size_t bp_snappy_words(const uint8_t *in, size_t n, size_t lead, uint8_t *out)
{
    uint32_t last[1 << SLOT_BITS] = {0}; /* where such a word was, from words on; or the first */
    const uint8_t *words = in + lead, *end = in + n;
    const uint8_t *stop = n > lead + TAIL_BYTES ? end - TAIL_BYTES : words;
    const uint8_t *at = words, *literal = in;
    uint8_t *o = put_length(out, n);

    while (at < stop) {
        uint64_t word = load(at);
        uint32_t *slot = &last[slot_of(word)];
        const uint8_t *before = words + *slot, *from, *to;
        uint64_t x = word ^ load(before);
        size_t offset = (size_t)(at - before), low, n_literal;

        *slot = (uint32_t)(at - words);
        if (__builtin_expect(x >> 32 || offset - 1 >= OFFSET_MOST || literal > at + 4, 0)) {
            at += 8;
            continue;
        }
        low = (size_t)(71 - __builtin_clzll(x | 1)) >> 3; /* bytes that differ: the lowest ones */
        low -= x == 0;
        from = at + low;
        from = from < literal ? literal : from;
        at += 8;
        x = load(at) ^ load(before + 8);
        to = at + ((size_t)__builtin_ctzll(x | (uint64_t)1 << 63) >> 3);
        if (__builtin_expect(x == 0, 0)) {
            to = at + common(at, before + 8, stop);
            at = words + ((size_t)(to - words) & ~(size_t)7);
        }
        n_literal = (size_t)(from - literal);
        if (__builtin_expect(n_literal <= 16, 1))
            o = put_short_literal(o, literal, n_literal);
        else
            o = put_literal(o, literal, n_literal);
        o = put_copy(o, offset, (size_t)(to - from));
        literal = to;
    }
    o = put_literal(o, literal, (size_t)(end - literal));
    return (size_t)(o - out);
}
