/* SPDX-License-Identifier: Apache-2.0 */
/* bp-reduce with a budget of almost nothing: every few rows go to disk. */
#include "op/op.h"
#include "op_table.h"

static const char *const sets[] = {
    "count(*) AS n, count(x) AS nx, sum(x) AS sx, avg(x) AS ax, min(x) AS lo, max(x) AS hi",
    "sum(y) AS sy, avg(y) AS ay, min(y) AS lo, max(y) AS hi, sum(x) FILTER (WHERE x > 50) AS f",
    "min(t) AS lo, max(t) AS hi, first(t) AS f, last(t) AS l, any_value(t) AS v",
    "stddev(y) AS sd, var_pop(x) AS vp, corr(x, y) AS c, covar_pop(x, y) AS cp",
    "bool_and(x > 3) AS ba, bool_or(x > 98) AS bo, min_by(t, x) AS mb, max_by(x, y) AS xb",
    "bit_and(x) AS ba, bit_or(x) AS bo, bit_xor(x) AS bx, count_if(x > 3) AS ci, mean(x) AS m",
    "string_agg(t, '+') AS s, string_agg(t, '' ORDER BY y DESC, x) AS o, "
    "string_agg(DISTINCT t, '|') AS d, first(t ORDER BY x) AS f, last(x ORDER BY t, y) AS l",
    "approx_count_distinct(t) AS n, approx_count_distinct(y) AS ny, approx_percentile(x, 0.5) AS "
    "p, "
    "approx_quantile(y, 1) AS q",
    "sum(DISTINCT x) AS s, avg(DISTINCT y) AS a, covar_pop(DISTINCT x, y) AS c, "
    "string_agg(DISTINCT t, ',' ORDER BY t DESC) AS o, var_samp(DISTINCT x) AS v",
    "count(DISTINCT t) AS d, mode(x) AS m, median(y) AS md, "
    "percentile_cont(0.25) WITHIN GROUP (ORDER BY y) AS q, "
    "percentile_disc(0.9) WITHIN GROUP (ORDER BY x) AS p",
};
static const char *const keys[] = {"k", "k, j", "j % 7", "k, y", NULL};

/* 600 rows: k text of 97 values and NULL, j int, x int, y float, t text. */
static const char *many_rows(void)
{
    static char text[32768];
    size_t n = 0;

    for (unsigned i = 0, v = 12345; i < 600; i++) {
        v = v * 1103515245u + 12345u;
        if (v >> 16 & 1)
            n += (size_t)snprintf(text + n, sizeof text - n, "key %u,", v >> 8 & 63);
        else
            n += (size_t)snprintf(text + n, sizeof text - n, "%s,", v >> 9 & 1 ? "NULL" : "k");
        n += (size_t)snprintf(text + n, sizeof text - n, "%u,%u,%u.%u,t%u;", v >> 12 & 31,
                              v >> 7 & 127, v >> 5 & 63, v >> 3 & 7, v >> 20 & 255);
    }
    return text;
}

static struct bp_source rows(int batch_rows)
{
    return table("k text, j int, x int, y float8, t text", many_rows(), batch_rows);
}

static struct bp_source reduced(struct bp_source in, enum bp_reduce_form form, const char *k,
                                const char *aggs, struct bp_ctx *ctx)
{
    struct bp_clause kc = {.text = k}, ac = {.text = aggs};
    struct bp_reduce_opts o = {.form = form, .keys = k ? &kc : NULL, .aggs = aggs ? &ac : NULL};
    struct bp_source out = {0};
    struct bp_err err = {0};

    table_must(bp_reduce_open(&out, &in, &o, ctx, &err), &err);
    return out;
}

static char want[1 << 16];

static void check_set(const char *k, const char *aggs, int64_t limit, int batch_rows)
{
    struct bp_ctx roomy = {.n_threads = 1, .batch_rows = 5};
    struct bp_ctx tight = {.budget.limit_bytes = limit, .n_threads = 1, .batch_rows = 5};
    struct bp_source s = reduced(rows(600), BP_REDUCE_WHOLE, k, aggs, &roomy);

    snprintf(want, sizeof want, "%s", drain(&s));
    s = reduced(rows(batch_rows), BP_REDUCE_WHOLE, k, aggs, &tight);
    CHECK_STR(drain(&s), want);
    CHECK(limit > 1 || atomic_load(&tight.spilled_bytes) > 0);
    CHECK(atomic_load(&tight.budget.used_bytes) == 0);
}

static void every_aggregate_is_the_same_when_its_groups_go_to_disk(void)
{
    for (size_t a = 0; a < BP_COUNT_OF(sets); a++)
        for (size_t k = 0; k < BP_COUNT_OF(keys); k++) {
            check_set(keys[k], sets[a], 1, 7);
            check_set(keys[k], sets[a], 40000, 1);
        }
}

static void so_is_a_final_reduce_of_a_partial_one_that_was_cut(void)
{
    for (size_t a = 0; a < BP_COUNT_OF(sets); a++) {
        struct bp_ctx roomy = {.n_threads = 1, .batch_rows = 5};
        struct bp_ctx tight = {.budget.limit_bytes = 1, .n_threads = 1, .batch_rows = 5};
        struct bp_source s = reduced(rows(600), BP_REDUCE_WHOLE, "k, j", sets[a], &roomy);

        snprintf(want, sizeof want, "%s", drain(&s));
        s = reduced(rows(7), BP_REDUCE_PARTIAL, "k, j", sets[a], &tight);
        s = reduced(s, BP_REDUCE_PARTIAL, NULL, NULL, &tight);
        s = reduced(s, BP_REDUCE_FINAL, NULL, NULL, &tight);
        CHECK_STR(drain(&s), want);
    }
}

static void shares_are_reduced_each_on_its_own(void)
{
    struct bp_ctx ctx = {.budget.limit_bytes = 1, .n_threads = 1, .batch_rows = 4};
    struct bp_source s = table_behind(table_share(rows(9), 0, 2), table_share(rows(5), 1, 2));

    s = reduced(s, BP_REDUCE_PARTIAL, "k", "count(*) AS n, first(t) AS f", &ctx);
    s = reduced(s, BP_REDUCE_FINAL, NULL, NULL, &ctx);
    snprintf(want, sizeof want, "%s", drain(&s));
    s = reduced(table_behind(rows(600), rows(600)), BP_REDUCE_WHOLE, "k",
                "count(*) AS n, first(t) AS f", &(struct bp_ctx){.n_threads = 1, .batch_rows = 4});
    CHECK_STR(drain(&s), want);
}

static void a_state_that_memory_cannot_hold_is_an_error_with_its_key(void)
{
    enum { LONG = 5 << 20 };
    struct bp_ctx ctx = {.budget.limit_bytes = 1 << 20, .n_threads = 1, .batch_rows = 4};
    char *text = malloc(LONG + 100);
    struct bp_source s;
    const char *got;

    memcpy(text, "7,", 2);
    memset(text + 2, 'x', LONG);
    strcpy(text + 2 + LONG, ";8,y;");
    s = reduced(table("k int, t text", text, 1), BP_REDUCE_WHOLE, "k", "max(t) AS m", &ctx);
    got = drain(&s);
    CHECK(strstr(got, "error: the states of 1 groups (one is k = 7) need") != NULL);
    CHECK(strstr(got, "more than --mem 1 MiB") != NULL);
    free(text);
}

UNIT_MAIN(T(every_aggregate_is_the_same_when_its_groups_go_to_disk),
          T(so_is_a_final_reduce_of_a_partial_one_that_was_cut),
          T(shares_are_reduced_each_on_its_own),
          T(a_state_that_memory_cannot_hold_is_an_error_with_its_key))
