/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op/sample_held.h"

#include "base/hash.h"
#include "op_table.h"

#define N 50000

static struct bp_err err;

/* The i-th of a row of hashes without order; of keys each comes `times` times. */
static uint64_t hash_of(int64_t i, int times)
{
    return bp_mix64((uint64_t)(i / times), 7);
}

/* How many of N hashes are in, once the limit is exact, and whether they are the smallest. */
static int64_t count_in(struct bp_sample_limit *l, int times, bool *smallest)
{
    uint64_t from = 0, greatest_in = 0, least_out = UINT64_MAX, near[N];
    int64_t n_near, n_in = 0, n = 0;

    CHECK(bp_sample_limit_end(l, &from, &n_near, &err) == 0);
    for (int64_t i = 0; i < N && n_near; i++)
        if (hash_of(i, times) >= from && bp_sample_in(l, hash_of(i, times)))
            near[n++] = hash_of(i, times);
    if (n_near && n_near < n) {
        l->below = bp_sample_ith(near, n, n_near);
        l->all = false;
    }
    for (int64_t i = 0; i < N; i += times) {
        uint64_t h = hash_of(i, times);

        if (bp_sample_in(l, h)) {
            n_in++;
            greatest_in = h > greatest_in ? h : greatest_in;
        } else {
            least_out = h < least_out ? h : least_out;
        }
    }
    *smallest = n_in == 0 || greatest_in < least_out;
    return n_in;
}

static void the_n_smallest_hashes_are_in(void)
{
    static const int64_t ns[] = {0, 1, 2, 999, 4096, 24999, N - 1, N, N + 1, INT64_MAX};

    for (int keys = 0; keys < 2; keys++)
        for (size_t k = 0; k < BP_COUNT_OF(ns); k++) {
            struct bp_ctx ctx = table_ctx(1, 4);
            int times = keys ? 5 : 1;
            struct bp_sample_limit l;
            bool smallest;
            int64_t want = ns[k] < N / times ? ns[k] : N / times;

            NEED(bp_sample_limit_open(&l, ns[k], keys, &ctx, &err) == 0);
            for (int64_t i = 0; i < N; i += 100) {
                uint64_t some[100];
                int n = 0;

                for (int64_t j = i; j < i + 100; j++)
                    if (bp_sample_in(&l, hash_of(j, times)))
                        some[n++] = hash_of(j, times);
                NEED(bp_sample_limit_note(&l, some, n, &err) == 0);
            }
            CHECK(count_in(&l, times, &smallest) == want);
            CHECK(smallest);
            bp_sample_limit_release(&l);
            CHECK(atomic_load(&ctx.budget.used_bytes) == 0);
        }
}

static void keys_that_do_not_fit_are_an_error(void)
{
    struct bp_ctx ctx = table_ctx(1, 4);
    struct bp_sample_limit l;
    int rc = 0;

    ctx.budget.limit_bytes = 100000;
    NEED(bp_sample_limit_open(&l, N, true, &ctx, &err) == 0);
    for (int64_t i = 0; i < N && rc == 0; i++) {
        uint64_t h = hash_of(i, 1);

        rc = bp_sample_limit_note(&l, &h, 1, &err);
    }
    CHECK(rc == BP_ENOMEM && strstr(err.msg, "keys do not fit"));
    bp_err_clear(&err);
    bp_sample_limit_release(&l);
}

/* The sample of "g" from 0 to n-1 with --mem of limit_bytes, as text. */
static const char *sample(int n, int64_t n_rows, int batch_rows, const char *keys, int64_t limit,
                          int64_t *spilled)
{
    static char rows[20000], text[20000];
    struct bp_ctx ctx = table_ctx(1, batch_rows);
    struct bp_sample_opts o = {.n_rows = n_rows, .keys = keys, .seed = 3};
    struct bp_source in, s;
    size_t len = 0;

    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(rows + len, sizeof rows - len, "%d,%d;", i, i % 17);
    in = table("g int, k int", rows, batch_rows);
    ctx.budget.limit_bytes = limit;
    if (bp_sample_open(&s, &in, &o, &ctx, &err) < 0)
        return err.msg;
    snprintf(text, sizeof text, "%s", drain(&s));
    *spilled = atomic_load(&ctx.spilled_bytes);
    return text;
}

static void a_sample_is_the_same_from_disk(void)
{
    static const char *const keys[] = {NULL, "k"};
    static char want[20000];
    int64_t spilled;

    for (int k = 0; k < 2; k++)
        for (int64_t n = 0; n < 200; n = 3 * n + 1) {
            snprintf(want, sizeof want, "%s", sample(150, n, 150, keys[k], 0, &spilled));
            CHECK(spilled == 0);
            for (int b = 1; b < 20; b += 6)
                CHECK_STR(sample(150, n, b, keys[k], 0, &spilled), want);
            CHECK_STR(sample(150, n, 1, keys[k], 60000, &spilled), want);
            CHECK(spilled > 0 || n < 100);
        }
}

UNIT_MAIN(T(the_n_smallest_hashes_are_in), T(keys_that_do_not_fit_are_an_error),
          T(a_sample_is_the_same_from_disk))
