/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_slab.h"

#include <string.h>

#include "base/num.h"
#include "unit.h"

static void pieces_are_aligned_and_keep_what_was_written(void)
{
    static const size_t bytes[] = {1, 64, 65, 4096, 3, 100000, 1 << 20, 8, 3000000};
    uint8_t *pieces[BP_COUNT_OF(bytes)];
    struct bp_err err = {0};
    struct bp_slab s;

    bp_slab_init(&s, 0);
    for (size_t i = 0; i < BP_COUNT_OF(bytes); i++) {
        NEED(bp_slab_take(&s, bytes[i], &pieces[i], &err) == 0);
        CHECK((uintptr_t)pieces[i] % BP_SLAB_ALIGN_BYTES == 0);
        memset(pieces[i], (int)i + 1, bytes[i]);
    }
    for (size_t i = 0; i < BP_COUNT_OF(bytes); i++)
        CHECK(pieces[i][0] == i + 1 && pieces[i][bytes[i] - 1] == i + 1);
    bp_slab_release(&s);
    CHECK(s.n_blocks == 0);
}

/* As large as all before (and what the pool's sizes add), up to a share of the limit. */
static void blocks_grow_up_to_a_share_of_the_limit(void)
{
    const size_t limit = (size_t)64 << 20, piece = (size_t)100 << 10;
    struct bp_err err = {0};
    struct bp_slab s;
    size_t used = 0;
    uint8_t *p;

    bp_slab_init(&s, (int64_t)limit);
    while (used < limit / 2) {
        NEED(bp_slab_take(&s, piece, &p, &err) == 0);
        used += piece;
        CHECK(s.all_bytes - used <= 2 * used);
        CHECK(s.blocks[s.n_blocks - 1]->cap_bytes <= limit / 16);
    }
    CHECK(s.n_blocks > 8 && s.n_blocks < 20);
    bp_slab_release(&s);
}

static void a_piece_may_be_larger_than_a_block(void)
{
    struct bp_err err = {0};
    struct bp_slab s;
    uint8_t *p;

    bp_slab_init(&s, 1);
    for (int i = 0; i < 3; i++) {
        NEED(bp_slab_take(&s, 5000, &p, &err) == 0);
        memset(p, 7, 5000);
    }
    bp_slab_release(&s);
}

UNIT_MAIN(T(pieces_are_aligned_and_keep_what_was_written),
          T(blocks_grow_up_to_a_share_of_the_limit), T(a_piece_may_be_larger_than_a_block))
