/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two low bits of an element's first byte are its kind: 0, a literal of the length in the
 * other six (of 60 to 63: in the one to four bytes that follow); 1, a copy of 4 to 11 bytes with
 * eleven bits of offset; 2 and 3, a copy of up to 64 bytes with an offset of two or four bytes.
 *
 * Which of kinds 1 and 2 comes next cannot be foretold, so their lengths and offsets are computed
 * without a branch. That a copy follows a literal, and that both are short, mostly can be. Away
 * from the ends, bytes move sixteen at a time: what is too much is written over by the next.
 */
#include "codec/snappy_unpack.h"

#include <string.h>

#define NEAR_END 80 /* an element of 64 bytes behind one of 16, and what tells of them */

struct place {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_end, *out_start;
};

static inline void copy_16(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from, 16);
}

static inline void copy_64(uint8_t *to, const uint8_t *from)
{
    for (int i = 0; i < 64; i += 16)
        copy_16(to + i, from + i);
}

static size_t little_endian(const uint8_t *p, unsigned n)
{
    size_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v |= (size_t)p[i] << (8 * i);
    return v;
}

/* They may overlap: a pattern that repeats. */
static void repeat(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* ---- exactly ---- */

static bool literal(struct place *at, unsigned tag)
{
    size_t n = (tag >> 2) + 1;

    if (n > 60) {
        unsigned n_size = (unsigned)n - 60;

        if ((size_t)(at->in_end - at->in) < n_size)
            return false;
        n = little_endian(at->in, n_size) + 1;
        at->in += n_size;
    }
    if ((size_t)(at->in_end - at->in) < n || (size_t)(at->out_end - at->out) < n)
        return false;
    memcpy(at->out, at->in, n);
    at->in += n;
    at->out += n;
    return true;
}

static bool copy(struct place *at, unsigned tag)
{
    unsigned kind = tag & 3, n_offset = kind == 3 ? 4 : kind;
    size_t n = kind == 1 ? 4 + (tag >> 2 & 7) : (tag >> 2) + 1, offset;

    if ((size_t)(at->in_end - at->in) < n_offset)
        return false;
    offset = little_endian(at->in, n_offset) | (kind == 1 ? (size_t)(tag >> 5) << 8 : 0);
    at->in += n_offset;
    if (offset - 1 >= (size_t)(at->out - at->out_start) || (size_t)(at->out_end - at->out) < n)
        return false;
    repeat(at->out, at->out - offset, n);
    at->out += n;
    return true;
}

static bool element(struct place *at)
{
    unsigned tag = *at->in++;

    return tag & 3 ? copy(at, tag) : literal(at, tag);
}

/* ---- fast ---- */

/* From closer than 16 bytes, which are not all there yet. */
static void copy_near(uint8_t *to, size_t offset, size_t n)
{
    uint64_t v;

    if (offset != 8) {
        repeat(to, to - offset, n);
        return;
    }
    memcpy(&v, to - 8, sizeof v);
    for (int i = 0; i < 64; i += 8)
        memcpy(to + i, &v, sizeof v);
}

/* Elements up to near an end of either. */
static bool fast(struct place *at)
{
    const uint8_t *in = at->in;
    uint8_t *out = at->out;

    while (at->in_end - in >= NEAR_END && at->out_end - out >= NEAR_END) {
        uint32_t tag = *in, kind = tag & 3, is_1, next;
        size_t n = (tag >> 2) + 1, offset;

        if (kind == 0 && n <= 16) {
            copy_16(out, in + 1);
            out += n;
            in += 1 + n;
            tag = *in;
            kind = tag & 3;
            if (__builtin_expect(kind == 0, 0))
                continue;
        } else if (kind == 0) {
            at->in = in + 1;
            at->out = out;
            if (!literal(at, tag))
                return false;
            in = at->in;
            out = at->out;
            continue;
        }
        memcpy(&next, in + 1, sizeof next);
        is_1 = kind & 1; /* 3 is put right behind */
        n = (tag >> 2 & (63 >> 3 * is_1)) + 1 + 3 * is_1;
        offset = (next & (0xffff >> 8 * is_1)) | (tag >> 5 << 8 & -is_1);
        in += 1 + kind;
        if (__builtin_expect(kind == 3, 0)) {
            n = (tag >> 2) + 1;
            offset = next;
            in++;
        }
        if (__builtin_expect(offset - 1 >= (size_t)(out - at->out_start), 0))
            return false;
        if (__builtin_expect(offset < 16, 0))
            copy_near(out, offset, n);
        else if (__builtin_expect(n > 16, 0))
            copy_64(out, out - offset);
        else
            copy_16(out, out - offset);
        out += n;
    }
    at->in = in;
    at->out = out;
    return true;
}

bool bp_snappy_unpack(const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
    struct place at = {in, in + in_bytes, out, out + out_bytes, out};
    uint64_t size = 0;
    int shift = 0;

    do {
        if (at.in == at.in_end || shift > 28)
            return false;
        size |= (uint64_t)(*at.in & 127) << shift;
        shift += 7;
    } while (*at.in++ & 128);
    if (size != out_bytes)
        return false;
    do { /* a long literal may lead away from the end again */
        if (!fast(&at))
            return false;
        if (at.in == at.in_end)
            return at.out == at.out_end;
    } while (element(&at));
    return false;
}
