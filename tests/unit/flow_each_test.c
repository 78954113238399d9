/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/each.h"
#include "op_table.h"

#define WORTH_ALWAYS 0
#define WORTH_NEVER INT64_MAX

static int bad_value; /* a row with it fails */

/* The first column is taken as it is, after a while that has nothing to do with the order. */
static int take_first(void *ctx, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    const int32_t *v = in->cols[0].data;

    (void)ctx;
    for (int64_t i = 0; i < in->n_rows; i++)
        if (v[i] == bad_value)
            return bp_fail(err, BP_EDATA, "bad %d", v[i]);
    for (volatile int spin = 0; in->n_rows && spin < (v[0] * 7 % 5) * 3000; spin++)
        ;
    bp_batch_move(out, in);
    return 0;
}

/* Rows 0 to n - 1 in batches of two, then what end says. */
struct numbers {
    int at, n, end;
};

static int numbers_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct numbers *s = self;
    struct bp_builder b;

    if (s->at >= s->n)
        return s->end < 0 ? bp_fail(err, s->end, "the input broke") : s->end;
    bp_builder_init(&b, BP_TYPE(BP_INT32));
    for (int i = 0; i < 2; i++) {
        int32_t v = s->at + i;

        BP_TRY(bp_builder_add(&b, &v, err));
    }
    BP_TRY(bp_batch_init(out, 1, err));
    BP_TRY(bp_builder_finish(&b, &out->cols[0], err));
    out->n_rows = 2;
    out->first_row = s->at;
    s->at += 2;
    return 0;
}

static void numbers_free(void *self)
{
    (void)self;
}

static const struct bp_source_ops numbers_ops = {.next = numbers_next, .free = numbers_free};

/* How many rows came, in order; err has what came behind them. */
static int run(int n, int end, int threads, int64_t worth_ns, int stop_after, struct bp_err *err)
{
    struct numbers numbers = {.n = n, .end = end};
    struct bp_source src = {.ops = &numbers_ops, .self = &numbers};
    struct bp_each *e;
    struct bp_batch b = {0};
    int at = 0, rc = 0;

    table_must(bp_each_open(&e, threads, worth_ns, take_first, NULL, err), err);
    while (at < stop_after && (rc = bp_each_next(e, &src, &b, err)) == 0) {
        CHECK(b.first_row == at && *(const int32_t *)b.cols[0].data == at);
        at += (int)b.n_rows;
        bp_batch_release(&b);
    }
    CHECK(at >= stop_after || rc == end || rc == BP_EDATA);
    bp_each_free(e);
    bp_source_free(&src);
    return at;
}

static void batches_come_in_the_order_of_the_source(void)
{
    struct bp_err err = {0};

    bad_value = -1;
    for (int threads = 1; threads <= 4; threads++)
        for (int worth = 0; worth < 2; worth++) {
            CHECK(run(2000, BP_DONE, threads, worth ? WORTH_NEVER : WORTH_ALWAYS, 1 << 20, &err) ==
                  2000);
            CHECK(run(0, BP_DONE, threads, worth ? WORTH_NEVER : WORTH_ALWAYS, 1 << 20, &err) == 0);
        }
}

static void the_first_batch_that_fails_tells_and_those_before_it_are_given(void)
{
    bad_value = 101;
    for (int threads = 1; threads <= 4; threads++) {
        struct bp_err err = {0};

        CHECK(run(110, BP_ESYS, threads, WORTH_ALWAYS, 1 << 20, &err) == 100);
        CHECK_STR(err.msg, "bad 101");
    }
}

static void an_error_of_the_source_comes_behind_what_was_read_before_it(void)
{
    bad_value = -1;
    for (int threads = 1; threads <= 4; threads++) {
        struct bp_err err = {0};

        CHECK(run(100, BP_ESYS, threads, WORTH_ALWAYS, 1 << 20, &err) == 100);
        CHECK_STR(err.msg, "the input broke");
    }
}

static void what_nobody_takes_is_freed(void)
{
    struct bp_err err = {0};

    bad_value = -1;
    for (int threads = 1; threads <= 4; threads++)
        CHECK(run(100, BP_DONE, threads, WORTH_ALWAYS, 20, &err) == 20);
}

static void little_memory_means_few_threads(void)
{
    struct bp_ctx ctx = table_ctx(8, 8192);
    struct bp_source s = table("a int, b text", "1,x;", 1);

    CHECK(bp_each_threads(&ctx, &s.schema, &s.schema) == 8);
    ctx.budget.limit_bytes = 1 << 20;
    CHECK(bp_each_threads(&ctx, &s.schema, &s.schema) == 1);
    bp_source_free(&s);
}

UNIT_MAIN(T(batches_come_in_the_order_of_the_source),
          T(the_first_batch_that_fails_tells_and_those_before_it_are_given),
          T(an_error_of_the_source_comes_behind_what_was_read_before_it),
          T(what_nobody_takes_is_freed), T(little_memory_means_few_threads))
