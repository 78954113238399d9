/* SPDX-License-Identifier: Apache-2.0 */
/* What pruning is made of: stretches of rows, and Bloom filters by the specification. */
#include <string.h>

#include "base/hash.h"
#include "fmt/parquet/bloom.h"
#include "fmt/parquet/stretch.h"
#include "unit.h"

static void stretches_are_found_by_row(void)
{
    struct bp_pq_stretches s = {0};
    struct bp_err err = {0};

    CHECK(!bp_pq_stretch_at(&s, 0));
    NEED(bp_pq_stretch_add(&s, 5, 9, 0, &err) == 0);
    NEED(bp_pq_stretch_add(&s, 9, 9, 0, &err) == 0);
    NEED(bp_pq_stretch_add(&s, 9, 12, 0, &err) == 0);  /* the same one, longer */
    NEED(bp_pq_stretch_add(&s, 12, 20, 1, &err) == 0); /* another row group */
    NEED(s.n == 2);
    CHECK(bp_pq_stretch_at(&s, 0)->from == 5);
    CHECK(bp_pq_stretch_at(&s, 11)->to == 12);
    CHECK(bp_pq_stretch_at(&s, 12)->group == 1);
    CHECK(!bp_pq_stretch_at(&s, 20));
    for (int i = 0; i < 1000; i++)
        NEED(bp_pq_stretch_add(&s, 100 + 2 * i, 101 + 2 * i, 1, &err) == 0);
    bp_pq_stretch_forget(&s, 1101);
    CHECK(s.n == 499);
    CHECK(bp_pq_stretch_at(&s, 1101)->from == 1102);
    bp_pq_stretches_release(&s);
}

/* BloomFilter.md: a hash of 0 in its upper half is block 0; bits by the salts. */
static void a_filter_is_the_specification_s(void)
{
    static const uint32_t salts[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                      0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
    struct bp_pq_layout l = {.physical = BP_PQ_INT64, .width = 8};
    uint64_t value = 42, hash = bp_xxh64(&value, 8);
    struct bp_pq_words w = {.n = 1, .words = &value};
    struct bp_pq_bloom b = {0};
    struct bp_buf out = {0};
    struct bp_err err = {0};

    CHECK(bp_xxh64("", 0) == 0xef46db3751d8e999U); /* of its own specification */
    bp_pq_bloom_init(&b, 1000);
    NEED(bp_pq_bloom_add(&b, &l, &w, &err) == 0);
    NEED(bp_pq_bloom_put(&b, &out, &err) == 0);
    NEED(out.len > 32 && out.len < 32 + 24); /* one value: folded to one block */
    for (int i = 0; i < 8; i++) {
        uint32_t word;

        memcpy(&word, out.data + out.len - 32 + 4 * i, 4);
        CHECK(word == (uint32_t)1 << (((uint32_t)hash * salts[i]) >> 27));
    }
    out.len = 0;
    NEED(bp_pq_bloom_put(&b, &out, &err) == 0);
    CHECK(out.len == 0); /* nothing was added: no filter */
    bp_buf_release(&out);
}

/* As many blocks as one in a hundred mistakes asks for, whatever it began with. */
static void a_filter_is_folded_to_its_values(void)
{
    struct bp_pq_layout l = {.physical = BP_PQ_INT64, .width = 8};
    struct bp_pq_bloom b = {0};
    struct bp_buf out = {0};
    struct bp_err err = {0};

    bp_pq_bloom_init(&b, 1000000);
    for (uint64_t v = 0; v < 5000; v++)
        NEED(bp_pq_bloom_add(&b, &l, &(struct bp_pq_words){.n = 1, .words = &v}, &err) == 0);
    NEED(bp_pq_bloom_put(&b, &out, &err) == 0);
    CHECK(out.len > 256 * 32 && out.len < 256 * 32 + 24);
    bp_buf_release(&out);
}

UNIT_MAIN(T(stretches_are_found_by_row), T(a_filter_is_the_specification_s),
          T(a_filter_is_folded_to_its_values))
