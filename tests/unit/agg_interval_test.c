/* SPDX-License-Identifier: Apache-2.0 */
/* sum and avg of intervals: wide on the way, checked at the end. */
#include "agg/agg.h"
#include "unit.h"

static struct bp_agg *begin(const char *func)
{
    struct bp_type t = BP_TYPE(BP_INTERVAL);
    struct bp_err err = {0};
    struct bp_agg *a = NULL;

    CHECK(bp_agg_new(&a, func, &t, 1, "x", &err) == 0);
    CHECK(a->kind->ops->grow(a, 1, &err) == 0);
    return a;
}

static int give(struct bp_agg *a, const struct bp_interval *v, int64_t n)
{
    struct bp_column c = {.type = BP_TYPE(BP_INTERVAL), .n_rows = n, .data = v};
    struct bp_agg_rows r = {.cols = &c, .n_rows = n};
    struct bp_err err = {0};

    return a->kind->ops->update(a, &r, &err);
}

/* from's state goes into to. */
static int hand_over(struct bp_agg *from, struct bp_agg *to)
{
    struct bp_column parts[BP_AGG_PARTS_MAX] = {0};
    struct bp_agg_rows r = {.cols = parts, .n_rows = 1};
    struct bp_err err = {0};
    uint32_t id = 0;
    int rc = from->kind->ops->save(from, &id, 1, parts, &err);

    if (rc == 0)
        rc = to->kind->ops->merge(to, &r, &err);
    for (int i = 0; i < from->n_parts; i++)
        bp_column_release(&parts[i]);
    bp_agg_free(from);
    return rc;
}

static int finish(struct bp_agg *a, struct bp_interval *v, bool *is_null)
{
    struct bp_column out = {0};
    struct bp_err err = {0};
    uint32_t id = 0;
    int rc = a->kind->ops->final(a, &id, 1, &out, &err);

    if (rc == 0) {
        *is_null = bp_column_is_null(&out, 0);
        memcpy(v, out.data, sizeof *v);
    }
    bp_column_release(&out);
    bp_agg_free(a);
    return rc;
}

static void a_sum_may_pass_interval_in_a_state_but_not_in_the_result(void)
{
    const struct bp_interval high[3] = {
        {INT32_MAX, 1, INT64_MAX}, {INT32_MAX, 1, INT64_MAX}, {1, 1, 1}};
    const struct bp_interval low[2] = {{-INT32_MAX, 1, -INT64_MAX}, {-INT32_MAX, 1, -INT64_MAX}};
    struct bp_agg *a = begin("sum"), *b = begin("sum"), *total = begin("sum");
    struct bp_interval v;
    bool is_null;

    CHECK(give(a, high, 3) == 0);
    CHECK(give(b, low, 2) == 0);
    CHECK(hand_over(a, total) == 0);
    CHECK(hand_over(b, total) == 0);
    CHECK(finish(total, &v, &is_null) == 0);
    CHECK(!is_null && v.months == 1 && v.days == 5 && v.ns == 1);
    a = begin("sum");
    CHECK(give(a, high, 2) == 0);
    CHECK(finish(a, &v, &is_null) == BP_EDATA);
}

static void nothing_sums_and_averages_to_null(void)
{
    static const char *const funcs[] = {"sum", "avg"};
    struct bp_interval v;
    bool is_null = false;

    for (size_t i = 0; i < BP_COUNT_OF(funcs); i++) {
        struct bp_agg *total = begin(funcs[i]);

        CHECK(hand_over(begin(funcs[i]), total) == 0);
        CHECK(finish(total, &v, &is_null) == 0);
        CHECK(is_null);
    }
}

static void check_avg(const struct bp_interval *v, int64_t n, struct bp_interval want)
{
    struct bp_agg *a = begin("avg"), *total = begin("avg");
    struct bp_interval got = {0};
    bool is_null = true;

    CHECK(give(a, v, n) == 0);
    CHECK(hand_over(a, total) == 0);
    CHECK(finish(total, &got, &is_null) == 0);
    CHECK(!is_null && got.months == want.months && got.days == want.days && got.ns == want.ns);
}

/* The results are PostgreSQL 15's. */
static void rests_of_an_average_go_down_to_days_and_time(void)
{
    const struct bp_interval month[2] = {{1, 0, 0}, {0, 0, 0}};
    const struct bp_interval mixed[3] = {{1, 1, 0}, {0, 1, 1000000}, {1, -7, 0}};
    const struct bp_interval halves[2] = {{0, 0, 1000}, {0, 0, 0}};
    const struct bp_interval huge[2] = {{INT32_MAX, 0, 9000000000000000000},
                                        {INT32_MAX, 0, 9000000000000000000}};

    check_avg(month, 2, (struct bp_interval){0, 15, 0});
    check_avg(mixed, 3, (struct bp_interval){0, 19, -57599999667000});
    check_avg(halves, 2, (struct bp_interval){0, 0, 0});
    check_avg(huge, 2, (struct bp_interval){INT32_MAX, 0, 9000000000000000000});
}

UNIT_MAIN(T(a_sum_may_pass_interval_in_a_state_but_not_in_the_result),
          T(nothing_sums_and_averages_to_null), T(rests_of_an_average_go_down_to_days_and_time))
