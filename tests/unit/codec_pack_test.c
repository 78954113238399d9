/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: what was packed comes back, what is no block is refused; snappy element by element. */
#include "codec/pack.h"
#include "codec/snappy_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "unit.h"

#define MOST 300000

static uint8_t plain[MOST], packed[MOST * 2], back[MOST];

/* Shape 0: zeros; 1: noise; to 16: a pattern of so many bytes; 17: small numbers, 8 bytes each;
 * 18: words. */
static void fill(size_t n, int shape)
{
    static const char words[] = "some words of a few letters";
    uint64_t x = 7;

    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005 + 1442695040888963407;
        if (shape < 2)
            plain[i] = shape ? (uint8_t)(x >> 56) : 0;
        else if (shape < 17)
            plain[i] = (uint8_t)(i % (size_t)shape * 37);
        else if (shape == 17)
            plain[i] = i % 8 < 2 ? (uint8_t)(x >> 60) : 0;
        else
            plain[i] = (uint8_t)words[(x >> 60) + i % 9];
    }
}

static void what_was_packed_comes_back(void)
{
    static const size_t sizes[] = {0,  1,  4,   15,  16,  17,    60,    61,    79,  80,
                                   81, 99, 255, 256, 257, 65535, 65536, 70001, MOST};

    for (int codec = 0; codec < BP_N_PACKS; codec++) {
        const char *name = bp_pack_name((enum bp_pack)codec);
        struct bp_err err = {0};

        if (bp_pack_by_name(name) < 0)
            continue;
        for (int shape = 0; shape < 19; shape++)
            for (size_t i = 0; i < BP_COUNT_OF(sizes); i++) {
                size_t n = sizes[i], n_packed;

                fill(n, shape);
                NEED(bp_pack_into((enum bp_pack)codec, plain, n, packed, &n_packed, &err) == 0);
                CHECK(bp_unpack((enum bp_pack)codec, packed, n_packed, back, n, &err) == 0);
                CHECK(memcmp(plain, back, n) == 0);
                if (n > 1) {
                    CHECK(bp_unpack((enum bp_pack)codec, packed, n_packed, back, n - 1, &err) < 0);
                    CHECK(bp_unpack((enum bp_pack)codec, packed, n_packed - 1, back, n, &err) < 0);
                }
            }
    }
}

/* ---- snappy, by hand ---- */

struct block {
    uint8_t in[512], want[512];
    size_t n_in, n_want;
};

static void put_literal(struct block *b, size_t n)
{
    if (n <= 60) {
        b->in[b->n_in++] = (uint8_t)((n - 1) << 2);
    } else {
        b->in[b->n_in++] = 60 << 2;
        b->in[b->n_in++] = (uint8_t)(n - 1);
    }
    for (size_t i = 0; i < n; i++, b->n_in++)
        b->want[b->n_want++] = b->in[b->n_in] = (uint8_t)(b->n_in * 31);
}

static void put_copy(struct block *b, unsigned kind, size_t offset, size_t n)
{
    b->in[b->n_in++] =
        (uint8_t)(kind == 1 ? 1 | (n - 4) << 2 | offset >> 8 << 5 : kind | (n - 1) << 2);
    for (unsigned i = 0; i < (kind == 3 ? 4 : kind); i++)
        b->in[b->n_in++] = (uint8_t)(offset >> (8 * i));
    for (size_t i = 0; i < n; i++, b->n_want++)
        b->want[b->n_want] = b->want[b->n_want - offset];
}

/* Of exactly so many bytes of memory, that what is beyond is seen by a sanitizer. */
static bool unpacks(const struct block *b, size_t n_in, size_t n_out, uint8_t *out)
{
    uint8_t *in = malloc(n_in + 2);
    struct bp_err err = {0};
    bool done;

    in[0] = (uint8_t)(n_out | 128);
    in[1] = (uint8_t)(n_out >> 7);
    memcpy(in + 2, b->in, n_in);
    done = bp_unpack(BP_PACK_SNAPPY, in, n_in + 2, out, n_out, &err) == 0;
    free(in);
    return done;
}

static void check(const struct block *b)
{
    uint8_t *out = malloc(b->n_want + 1);

    CHECK(unpacks(b, b->n_in, b->n_want, out));
    CHECK(memcmp(out, b->want, b->n_want) == 0);
    CHECK(!unpacks(b, b->n_in - 1, b->n_want, out));
    CHECK(!unpacks(b, b->n_in, b->n_want - 1, out));
    CHECK(!unpacks(b, b->n_in, b->n_want + 1, out));
    free(out);
}

static void copies_of_every_kind_near_the_end_and_far_from_it(void)
{
    for (unsigned kind = 1; kind <= 3; kind++)
        for (size_t offset = 1; offset <= 70; offset++)
            for (size_t n = kind == 1 ? 4 : 1; n <= (kind == 1 ? 11u : 64u); n += n < 20 ? 1 : 11)
                for (size_t behind = 0; behind <= 180; behind += behind < 100 ? 9 : 80) {
                    struct block b = {.n_in = 0};

                    put_literal(&b, 70);
                    put_literal(&b, 3);
                    put_copy(&b, kind, offset, n);
                    if (behind)
                        put_literal(&b, behind);
                    check(&b);
                }
}

static void a_copy_of_what_is_not_there_is_refused(void)
{
    for (unsigned kind = 1; kind <= 3; kind++)
        for (size_t behind = 0; behind <= 180; behind += 90) {
            struct block b = {.n_in = 0};
            uint8_t out[512];
            size_t at;

            put_literal(&b, 10);
            at = b.n_in;
            put_copy(&b, kind, 10, 8);
            if (behind)
                put_literal(&b, behind);
            CHECK(unpacks(&b, b.n_in, b.n_want, out));
            b.in[at + 1] = 11;
            CHECK(!unpacks(&b, b.n_in, b.n_want, out));
            b.in[at + 1] = 0;
            CHECK(!unpacks(&b, b.n_in, b.n_want, out));
        }
}

static void sizes_that_are_none_are_refused(void)
{
    static const uint8_t bad[][8] = {
        {0x80}, {0x80, 0x80, 0x80, 0x80, 0x80, 0}, {1, 60 << 2}, {5, 63 << 2, 255, 255, 255, 255}};
    static const size_t sizes[] = {1, 6, 2, 6};
    struct bp_err err = {0};

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++)
        for (size_t n = 0; n < 6; n++)
            CHECK(bp_unpack(BP_PACK_SNAPPY, bad[i], sizes[i], back, n, &err) < 0);
    CHECK(bp_unpack(BP_PACK_SNAPPY, bad[0], 0, back, 0, &err) < 0);
}

/* Words of one kind: 0 zeros; 1 noise; 2 counted; 3 times of a month, in no order; 4 the same, each
 * twice; 5 runs; 6 repeated after 40 KB; 7 the same after 80 KB, out of reach; 8 low halves that
 * repeat. */
static void fill_words(size_t n, size_t lead, int kind)
{
    uint64_t x = 7;

    for (size_t i = 0; i < n; i++)
        plain[i] = (uint8_t)(i * 31);
    for (size_t i = 0; lead + i * 8 + 8 <= n; i++) {
        uint64_t v = 0;

        x = x * 6364136223846793005 + 1442695040888963407;
        if (kind == 1)
            v = x;
        else if (kind == 2)
            v = 5000000000 + i;
        else if (kind == 3 || (kind == 4 && i % 2 == 0))
            v = 1577836800000000 + (x >> 33) % 2678400 * 1000000;
        else if (kind == 4)
            memcpy(&v, plain + lead + i * 8 - 8, 8);
        else if (kind == 5)
            v = i / 100 * 0x123456789abcdef;
        else if (kind == 6 || kind == 7)
            v = (i % (kind == 6 ? 5000 : 10000)) * 0x9e3779b97f4a7c15;
        else if (kind == 8)
            v = x << 32 | 0x3fe00000;
        memcpy(plain + lead + i * 8, &v, 8);
    }
}

static void words_come_back(void)
{
    static const size_t sizes[] = {0,  1,  7,  8,   31,   32,    33,    40,
                                   47, 64, 65, 100, 8192, 65541, 70000, MOST};

    for (int kind = 0; kind < 9; kind++)
        for (size_t i = 0; i < BP_COUNT_OF(sizes); i++)
            for (size_t lead = 0; lead < 13 && lead <= sizes[i]; lead++) {
                struct bp_err err = {0};
                size_t n = sizes[i], n_packed;

                fill_words(n, lead, kind);
                n_packed = bp_snappy_words(plain, n, lead, packed);
                CHECK(n_packed <= n + n / 100 + 16);
                CHECK(bp_unpack(BP_PACK_SNAPPY, packed, n_packed, back, n, &err) == 0);
                CHECK(memcmp(plain, back, n) == 0);
            }
}

static size_t size_of(int kind, bool as_words)
{
    enum bp_pack_way way = BP_PACK_NOT_ASKED;
    struct bp_err err = {0};
    size_t n = 0;

    fill_words(160006, 6, kind);
    if (as_words)
        CHECK(bp_pack_words_into(BP_PACK_SNAPPY, &way, plain, 160006, 6, packed, &n, &err) == 0);
    else
        CHECK(bp_pack_into(BP_PACK_SNAPPY, plain, 160006, packed, &n, &err) == 0);
    return n;
}

static void words_take_little_more_than_bytes(void)
{
    for (int kind = 0; kind < 9; kind++)
        CHECK(size_of(kind, true) <= size_of(kind, false) / 100 * 104);
    CHECK(size_of(3, true) < 152000); /* times: by a twentieth less, at least */
    CHECK(size_of(4, true) < 120000);
}

static void a_way_is_asked_for_once(void)
{
    enum bp_pack_way way = BP_PACK_NOT_ASKED;
    struct bp_err err = {0};
    size_t n;

    fill_words(100, 0, 2);
    CHECK(bp_pack_words_into(BP_PACK_SNAPPY, &way, plain, 100, 0, packed, &n, &err) == 0);
    CHECK(way == BP_PACK_NOT_ASKED); /* too few to tell */
    fill_words(MOST, 0, 2);
    CHECK(bp_pack_words_into(BP_PACK_SNAPPY, &way, plain, MOST, 0, packed, &n, &err) == 0);
    CHECK(way == BP_PACK_WORDS);
    way = BP_PACK_NOT_ASKED;
    fill_words(MOST, 0, 8);
    CHECK(bp_pack_words_into(BP_PACK_SNAPPY, &way, plain, MOST, 0, packed, &n, &err) == 0);
    CHECK(way == BP_PACK_BYTES);
    CHECK(bp_unpack(BP_PACK_SNAPPY, packed, n, back, MOST, &err) == 0);
    CHECK(memcmp(plain, back, MOST) == 0);
    way = BP_PACK_NOT_ASKED;
    CHECK(bp_pack_words_into(BP_PACK_ZSTD, &way, plain, MOST, 0, packed, &n, &err) == 0);
    CHECK(bp_unpack(BP_PACK_ZSTD, packed, n, back, MOST, &err) == 0);
}

UNIT_MAIN(T(what_was_packed_comes_back), T(words_come_back), T(words_take_little_more_than_bytes),
          T(a_way_is_asked_for_once), T(copies_of_every_kind_near_the_end_and_far_from_it),
          T(a_copy_of_what_is_not_there_is_refused), T(sizes_that_are_none_are_refused))
