/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "unit.h"

static void blocks_are_aligned_and_as_large_as_asked(void)
{
    struct bp_err err = {0};

    for (size_t n = 0; n < (size_t)3 << 20; n = n * 3 / 2 + 1) {
        struct bp_block *b;

        NEED(bp_block_new(&b, n, &err) == 0);
        CHECK(b->cap_bytes >= n);
        CHECK(((uintptr_t)b->data & 63) == 0);
        memset(b->data, 0xAA, n + BP_BLOCK_PAD_BYTES);
        bp_block_unref(b);
    }
}

static void a_shared_block_lives_until_the_last_unref(void)
{
    struct bp_err err = {0};
    struct bp_block *b, *other;

    NEED(bp_block_new(&b, 100000, &err) == 0);
    b->data[5] = 42;
    bp_block_ref(b);
    bp_block_unref(b);
    NEED(bp_block_new(&other, 100000, &err) == 0);
    CHECK(other != b);
    CHECK(b->data[5] == 42);
    bp_block_unref(other);
    bp_block_unref(b);
}

static void a_freed_block_is_used_again(void)
{
    struct bp_err err = {0};
    struct bp_block *b, *again;

    NEED(bp_block_new(&b, 70000, &err) == 0);
    bp_block_unref(b);
    NEED(bp_block_new(&again, 70001, &err) == 0);
    CHECK(again == b);
    bp_block_unref(again);
}

static void grow_keeps_the_used_bytes(void)
{
    struct bp_err err = {0};
    struct bp_block *b = NULL;

    NEED(bp_block_grow(&b, 0, 10, &err) == 0);
    for (size_t n = 0; n < 50000; n++) {
        NEED(bp_block_grow(&b, n, n + 1, &err) == 0);
        b->data[n] = (uint8_t)n;
    }
    for (size_t n = 0; n < 50000; n++)
        NEED(b->data[n] == (uint8_t)n);
    bp_block_unref(b);
}

static void an_impossible_size_is_an_error_not_a_crash(void)
{
    struct bp_err err = {0};
    struct bp_block *b;

    CHECK(bp_block_new(&b, SIZE_MAX - 10, &err) == BP_ENOMEM);
    bp_err_clear(&err);
    CHECK(bp_mem_grow(NULL, SIZE_MAX / 2, 16, &err) == NULL && err.code == BP_ENOMEM);
}

static void the_first_error_sticks_and_gets_its_place(void)
{
    struct bp_err err = {0};

    CHECK(bp_fail(&err, BP_EDATA, "bad %d", 1) == BP_EDATA);
    CHECK(bp_fail(&err, BP_ESYS, "later") == BP_EDATA);
    bp_err_prefix(&err, "file %s", "x.csv");
    CHECK_STR(err.msg, "file x.csv: bad 1");
}

static void a_long_message_is_cut_not_overrun(void)
{
    struct bp_err err = {0};
    char big[5000];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    bp_fail(&err, BP_EDATA, "%s", big);
    bp_err_prefix(&err, "%s", big);
    CHECK(strlen(err.msg) == sizeof err.msg - 1);
}

static void arena_strings_survive_growth(void)
{
    struct bp_err err = {0};
    struct bp_arena a = {0};
    char *kept[2000], want[32];

    for (int i = 0; i < 2000; i++) {
        kept[i] = bp_arena_printf(&a, &err, "string number %d", i);
        NEED(kept[i] != NULL);
        CHECK(((uintptr_t)kept[i] & 15) == 0);
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(want, sizeof want, "string number %d", i);
        CHECK_STR(kept[i], want);
    }
    bp_arena_release(&a);
    CHECK(a.total_bytes == 0);
}

static void buf_appends_and_terminates(void)
{
    struct bp_err err = {0};
    struct bp_buf b = {0};

    for (int i = 0; i < 1000; i++)
        NEED(bp_buf_printf(&b, &err, "%d,", i % 10) == 0);
    CHECK(b.len == 2000);
    CHECK(strncmp(bp_buf_str(&b, &err), "0,1,2,", 6) == 0);
    CHECK(strlen(bp_buf_str(&b, &err)) == 2000);
    bp_buf_release(&b);
}

static void large_free_blocks_are_dropped_small_ones_kept(void)
{
    struct bp_err err = {0};
    struct bp_block *large, *small, *again;

    NEED(bp_block_new(&large, (size_t)2 << 20, &err) == 0);
    NEED(bp_block_new(&small, 8192, &err) == 0);
    bp_block_unref(large);
    bp_block_unref(small);
    bp_mem_drop_free((size_t)1 << 20);
    NEED(bp_block_new(&again, 8192, &err) == 0);
    CHECK(again == small);
    bp_block_unref(again);
    NEED(bp_block_new(&large, (size_t)2 << 20, &err) == 0);
    memset(large->data, 1, (size_t)2 << 20); /* is whole */
    bp_block_unref(large);
}

static int n_released;

static void count_release(void *ctx)
{
    n_released += *(int *)ctx;
}

static void memory_of_others_is_released_with_its_last_reference(void)
{
    static uint8_t bytes[128] __attribute__((aligned(64)));
    struct bp_err err = {0};
    struct bp_block *b;
    int one = 1;

    NEED(bp_block_over(&b, bytes, 64, count_release, &one, &err) == 0);
    CHECK(b->data == bytes && b->cap_bytes == 64);
    CHECK(bp_block_ref(b) == b);
    bp_block_unref(b);
    CHECK(n_released == 0);
    bp_block_unref(b);
    CHECK(n_released == 1);
}

UNIT_MAIN(T(large_free_blocks_are_dropped_small_ones_kept),
          T(memory_of_others_is_released_with_its_last_reference),
          T(blocks_are_aligned_and_as_large_as_asked), T(a_shared_block_lives_until_the_last_unref),
          T(a_freed_block_is_used_again), T(grow_keeps_the_used_bytes),
          T(an_impossible_size_is_an_error_not_a_crash),
          T(the_first_error_sticks_and_gets_its_place), T(a_long_message_is_cut_not_overrun),
          T(arena_strings_survive_growth), T(buf_appends_and_terminates))
