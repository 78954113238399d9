/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that collide under the partition hash. XXH3 multiplies eight bytes of input,
 * less eight of a published secret, with the next eight: where the input is the
 * secret, whatever follows does not count.
 */
#include "col/key.h"
#include "op/op.h"
#include "op_table.h"

#define SAME "fifteen bytes..\xde\xd4\x6d\xe9\x83\x90\x97\xdb"
#define N 700

static char text[N * 80], want[N * 80];

static int number(int i) /* all of 0..N-1, out of order */
{
    return i * 303 % N;
}

static void all_have_one_hash(void)
{
    struct bp_source s;
    struct bp_batch b;
    struct bp_err err = {0};
    uint64_t hash[N];
    size_t n = 0;

    for (int i = 0; i < N; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, SAME "%08d;", number(i));
    s = table("k bytea", text, N);
    NEED(bp_source_next(&s, &b, &err) == 0);
    NEED(bp_key_hash((const struct bp_column *const[]){&b.cols[0]}, 1, N, hash, &err) == 0);
    for (int i = 1; i < N; i++)
        CHECK(hash[i] == hash[0]);
    bp_batch_release(&b);
    bp_source_free(&s);
}

static const char *reduce(const char *columns, const char *keys, int64_t limit)
{
    struct bp_ctx ctx = {.budget.limit_bytes = limit, .n_threads = 1, .batch_rows = 5};
    struct bp_source in = table(columns, text, 11), out = {0};
    struct bp_clause k = {.text = keys}, a = {.text = "count(*) AS n"};
    struct bp_reduce_opts o = {.form = BP_REDUCE_WHOLE, .keys = &k, .aggs = &a};
    struct bp_err err = {0};

    table_must(bp_reduce_open(&out, &in, &o, &ctx, &err), &err);
    return drain(&out);
}

static void they_come_in_the_order_of_their_bytes(void)
{
    size_t n = 0, w = 0;

    for (int i = 0; i < N; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, SAME "%08d;", number(i));
        w += (size_t)snprintf(want + w, sizeof want - w, SAME "%08d,1;", i);
    }
    CHECK_STR(reduce("k bytea", "k", 0), want);
    CHECK_STR(reduce("k bytea", "k", 1), want);
}

/* Of two columns the first is the same, the second decides; then the first does. */
static void column_by_column(void)
{
    size_t n = 0, w = 0;

    for (int i = 0; i < N; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "7," SAME "%08d;", number(i));
        w += (size_t)snprintf(want + w, sizeof want - w, "7," SAME "%08d,1;", i);
    }
    CHECK_STR(reduce("j int, k bytea", "j, k", 0), want);
    n = w = 0;
    for (int i = 0; i < N; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, SAME "%08d," SAME "%08d;", number(i) / 8,
                              number(i) % 8);
        w += (size_t)snprintf(want + w, sizeof want - w, SAME "%08d," SAME "%08d,1;", i / 8, i % 8);
    }
    CHECK_STR(reduce("j bytea, k bytea", "j, k", 0), want);
    CHECK_STR(reduce("j bytea, k bytea", "j, k", 1), want);
}

UNIT_MAIN(T(all_have_one_hash), T(they_come_in_the_order_of_their_bytes), T(column_by_column))
