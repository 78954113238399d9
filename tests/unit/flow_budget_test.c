/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"
#include "unit.h"

#define MIB (INT64_C(1) << 20)

static void a_take_that_is_refused_takes_nothing(void)
{
    struct bp_budget b = {.limit_bytes = 100};

    CHECK(bp_budget_take(&b, 60));
    CHECK(!bp_budget_take(&b, 41));
    CHECK(bp_budget_take(&b, 40));
    bp_budget_give(&b, 100);
    CHECK(b.used_bytes == 0);
    CHECK(b.peak_bytes == 100);
}

/* What a process of limit n keeps for itself: 4 MiB and an eighth, as lib/tool has it. */
static int check(int64_t limit, int64_t least, struct bp_err *err)
{
    struct bp_budget b = {.limit_bytes = limit};

    *err = (struct bp_err){0};
    CHECK(bp_budget_take(&b, 4 * MIB + limit / 8));
    bp_budget_least(&b, least / 2);
    bp_budget_least(&b, least - least / 2);
    return bp_budget_check(&b, 8, err);
}

static void a_limit_below_the_least_is_refused_with_one_that_is_enough(void)
{
    struct bp_err err;

    CHECK(check(16 * MIB, 10 * MIB, &err) == 0);
    for (int64_t least = 11; least < 300; least++) {
        int enough;

        CHECK(check(16 * MIB, least * MIB, &err) == BP_EUSAGE);
        NEED(sscanf(err.msg, "16 MiB of memory (--mem) are too few: this needs %dM", &enough) == 1);
        CHECK(check(enough * MIB, least * MIB, &err) == 0);
        CHECK(check((enough - 2) * MIB, least * MIB, &err) == BP_EUSAGE);
    }
}

static void without_a_limit_everything_is_enough(void)
{
    struct bp_budget b = {0};
    struct bp_err err = {0};

    bp_budget_least(&b, INT64_C(1) << 50);
    CHECK(bp_budget_check(&b, 8, &err) == 0);
    CHECK(bp_budget_take(&b, INT64_C(1) << 50));
}

static void batches_of_wide_rows_are_shorter_where_memory_is_little(void)
{
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 8192};
    struct bp_schema s = {0};
    struct bp_err err = {0};

    for (int i = 0; i < 100; i++)
        NEED(bp_schema_add(&s, "c", BP_TYPE(BP_INT64), &err) == 0);
    CHECK(bp_ctx_batch_rows(&ctx, &s) == 8192);
    ctx.budget.limit_bytes = 1024 * MIB;
    CHECK(bp_ctx_batch_rows(&ctx, &s) == 8192);
    ctx.budget.limit_bytes = 16 * MIB;
    CHECK(bp_ctx_batch_rows(&ctx, &s) == 16 * MIB / 32 / 800);
    CHECK(bp_least_batch_bytes(&s) >= 256 * 800);
    ctx.budget.limit_bytes = 1;
    CHECK(bp_ctx_batch_rows(&ctx, &s) == 256);
    ctx.batch_rows = 3;
    CHECK(bp_ctx_batch_rows(&ctx, &s) == 3);
    bp_schema_release(&s);
}

UNIT_MAIN(T(a_take_that_is_refused_takes_nothing),
          T(a_limit_below_the_least_is_refused_with_one_that_is_enough),
          T(without_a_limit_everything_is_enough),
          T(batches_of_wide_rows_are_shorter_where_memory_is_little))
