/* SPDX-License-Identifier: Apache-2.0 */
/* bp-join with a budget of almost nothing: both sides go to disk. */
#include "op/join_stretch.h"
#include "op/op.h"
#include "op_table.h"

static char want[1 << 20], got[1 << 20];

/* Into text: the result of a join under this bound, shares told as "[i/n]" where they change. */
static void join_into(char *text, size_t size, struct bp_source l, struct bp_source r,
                      const struct bp_join_opts *opts, int64_t limit, int64_t batch_rows)
{
    struct bp_ctx ctx = {
        .budget.limit_bytes = limit, .n_threads = 1, .batch_rows = (int)batch_rows};
    struct bp_source s;
    struct bp_err err = {0};

    if (bp_join_open(&s, &l, &r, opts, &ctx, &err) < 0) {
        snprintf(text, size, "%s", err.msg);
        return;
    }
    snprintf(text, size, "%s", drain(&s));
    CHECK(limit != 1 || atomic_load(&ctx.spilled_bytes) > 0);
    CHECK(atomic_load(&ctx.budget.used_bytes) == 0);
}

/* n rows "key,number,note": keys of n_keys values and NULL, every heavy-th row key 1. */
static const char *many_rows(int n, unsigned n_keys, unsigned heavy, unsigned seed)
{
    static char texts[2][1 << 16];
    static int turn;
    char *text = texts[turn ^= 1];
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        seed = seed * 1103515245u + 12345u;
        if (heavy && (seed >> 24) % heavy)
            at += (size_t)snprintf(text + at, sizeof texts[0] - at, "1,");
        else if ((seed >> 8) % 13 == 0)
            at += (size_t)snprintf(text + at, sizeof texts[0] - at, "NULL,");
        else
            at += (size_t)snprintf(text + at, sizeof texts[0] - at, "%u,", (seed >> 8) % n_keys);
        at += (size_t)snprintf(text + at, sizeof texts[0] - at, "%d,%u;", i, (seed >> 16) % 50);
    }
    return text;
}

static void check(const char *left_type, const char *right_type, const char *l, const char *r,
                  struct bp_join_opts *opts, int64_t limit, int batch_rows)
{
    for (int type = BP_JOIN_INNER; type <= BP_JOIN_ANTI; type++) {
        opts->type = (enum bp_join_type)type;
        join_into(want, sizeof want, table(left_type, l, 9), table(right_type, r, 9), opts, 0, 50);
        join_into(got, sizeof got, table(left_type, l, batch_rows),
                  table(right_type, r, batch_rows), opts, limit, 7);
        CHECK_STR(got, want);
    }
}

#define LEFT "k int, a int, x int"
#define RIGHT "k int, b int, y int"

static void every_type_is_the_same_on_disk(void)
{
    struct bp_join_opts opts = {.keys = "k"};
    static const int64_t limits[] = {1, 3000, 20000};

    for (size_t i = 0; i < BP_COUNT_OF(limits); i++) {
        check(LEFT, RIGHT, many_rows(120, 80, 0, 1), many_rows(150, 80, 0, 2), &opts, limits[i], 1);
        check(LEFT, RIGHT, many_rows(120, 80, 0, 1), many_rows(150, 80, 0, 2), &opts, limits[i],
              64);
    }
}

static void keys_of_other_types_meet_there_too(void)
{
    struct bp_join_opts opts = {.keys = "k"};
    const char *l = many_rows(90, 40, 0, 3), *r = many_rows(90, 40, 0, 4);

    check("k text, a int, x int", "k text, b int, y int", l, r, &opts, 1, 5);
    check(LEFT, "k bigint, b int, y int", l, r, &opts, 1, 5);
    check(LEFT, "k float8, b int, y int", l, r, &opts, 1, 5);
    check("k decimal(9,2), a int, x int", RIGHT, l, r, &opts, 1, 5);
    opts.keys = "k, x = y";
    check(LEFT, RIGHT, l, r, &opts, 1, 5);
    opts.keys = "x = y, k";
    check("k text, a int, x int", "k text, b int, y int", l, r, &opts, 1, 5);
}

static void one_key_larger_than_memory_goes_block_by_block(void)
{
    struct bp_clause where = {.text = "x < y AND y < 40"};
    struct bp_join_opts opts = {.keys = "k"};

    for (unsigned heavy = 2; heavy < 12; heavy += 8) {
        opts.where = NULL;
        check(LEFT, RIGHT, many_rows(40, 30, heavy, 5), many_rows(120, 30, heavy, 6), &opts, 1, 3);
        check(LEFT, RIGHT, many_rows(40, 30, heavy, 5), many_rows(120, 30, heavy, 6), &opts, 9000,
              3);
        opts.where = &where;
        check(LEFT, RIGHT, many_rows(40, 30, heavy, 5), many_rows(120, 30, heavy, 6), &opts, 1, 3);
    }
}

static void an_extra_condition_decides_there_too(void)
{
    struct bp_clause where = {.text = "x < y"};
    struct bp_join_opts opts = {.keys = "k", .where = &where};

    check(LEFT, RIGHT, many_rows(120, 30, 0, 7), many_rows(120, 30, 0, 8), &opts, 1, 10);
}

static void so_do_fill_and_suffixes(void)
{
    struct bp_join_opts opts = {
        .keys = "k", .fill = "0", .suffix_left = "_l", .suffix_right = "_right"};

    for (int type = BP_JOIN_LEFT; type <= BP_JOIN_FULL; type++) {
        opts.type = (enum bp_join_type)type;
        join_into(want, sizeof want, table("k int, v int", "1,2;NULL,7;3,9;", 1),
                  table("k int, v int", "3,4;3,5;8,1;", 1), &opts, 0, 5);
        join_into(got, sizeof got, table("k int, v int", "1,2;NULL,7;3,9;", 1),
                  table("k int, v int", "3,4;3,5;8,1;", 1), &opts, 1, 5);
        CHECK_STR(got, want);
    }
}

static void a_cross_join_goes_block_by_block(void)
{
    struct bp_join_opts opts = {.type = BP_JOIN_CROSS};
    struct bp_clause where = {.text = "(a + b) % 7 = 0"};

    for (int i = 0; i < 2; i++) {
        opts.where = i ? &where : NULL;
        join_into(want, sizeof want, table(LEFT, many_rows(50, 9, 0, 1), 9),
                  table(RIGHT, many_rows(90, 9, 0, 2), 9), &opts, 0, 50);
        join_into(got, sizeof got, table(LEFT, many_rows(50, 9, 0, 1), 4),
                  table(RIGHT, many_rows(90, 9, 0, 2), 4), &opts, 1, 7);
        CHECK_STR(got, want);
    }
}

/* ---- shares ---- */

static struct bp_source three_shares(void)
{
    return table_behind(
        table_share(table("k int, a int", "1,0;2,1;9,2;", 2), 0, 3),
        table_behind(table_share(table("k int, a int", "7,3;", 1), 1, 3),
                     table_share(table("k int, a int", "2,4;2,5;NULL,6;", 2), 2, 3)));
}

/* Every batch as "share: rows" of k and a. */
static void told(struct bp_source *s, struct bp_buf *out)
{
    struct bp_err err = {0};
    struct bp_batch b;
    int last = -1;

    while (bp_source_next(s, &b, &err) == 0) {
        if (b.share.i != last)
            table_must(bp_buf_printf(out, &err, "[%d/%d]", b.share.i, b.share.n), &err);
        last = b.share.i;
        for (int64_t i = 0; i < b.n_rows; i++)
            table_must(bp_buf_printf(out, &err, "%d ", ((const int32_t *)b.cols[1].data)[i]), &err);
        bp_batch_release(&b);
    }
    CHECK(err.code == 0);
}

static void rows_get_their_shares_again(void)
{
    static const char *const wants[] = {
        [BP_JOIN_INNER] = "[0/3]0 1 1 [1/3][2/3]4 4 5 5 ",
        [BP_JOIN_LEFT] = "[0/3]0 1 1 2 [1/3]3 [2/3]4 4 5 5 6 ",
        [BP_JOIN_ANTI] = "[0/3]2 [1/3]3 [2/3]6 ",
    };
    static const enum bp_join_type types[] = {BP_JOIN_INNER, BP_JOIN_LEFT, BP_JOIN_ANTI};

    for (size_t t = 0; t < BP_COUNT_OF(types); t++)
        for (int64_t limit = 0; limit < 2; limit++) {
            struct bp_ctx ctx = {.budget.limit_bytes = limit, .n_threads = 1, .batch_rows = 5};
            struct bp_join_opts opts = {.type = types[t], .keys = "k", .broadcast = true};
            struct bp_source l = three_shares(), r = table("k int, b int", "2,8;1,9;2,7;", 1), s;
            struct bp_err err = {0};
            struct bp_buf text = {0};

            NEED(bp_join_open(&s, &l, &r, &opts, &ctx, &err) == 0);
            told(&s, &text);
            CHECK_STR(bp_buf_str(&text, &err), wants[types[t]]);
            bp_source_free(&s);
            bp_buf_release(&text);
            CHECK(atomic_load(&ctx.budget.used_bytes) == 0);
        }
}

UNIT_MAIN(T(every_type_is_the_same_on_disk), T(keys_of_other_types_meet_there_too),
          T(one_key_larger_than_memory_goes_block_by_block),
          T(an_extra_condition_decides_there_too), T(so_do_fill_and_suffixes),
          T(a_cross_join_goes_block_by_block), T(rows_get_their_shares_again))
