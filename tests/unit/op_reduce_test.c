/* SPDX-License-Identifier: Apache-2.0 */
#include "col/key.h"
#include "op/op.h"
#include "op_table.h"

static struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 3};

/* A source, or one that gives the error as its only text (in `refused`). */
static char refused[2200];

static bool reduce(struct bp_source *out, struct bp_source in, enum bp_reduce_form form,
                   const char *keys, const char *aggs, bool per_task)
{
    struct bp_clause k = {.text = keys}, a = {.text = aggs};
    struct bp_reduce_opts o = {
        .form = form, .keys = keys ? &k : NULL, .aggs = aggs ? &a : NULL, .per_task = per_task};
    struct bp_err err = {0};

    refused[0] = '\0';
    if (bp_reduce_open(out, &in, &o, &ctx, &err) == 0)
        return true;
    snprintf(refused, sizeof refused, "%s", err.msg);
    return false;
}

static const char *whole(struct bp_source in, const char *keys, const char *aggs)
{
    struct bp_source s;

    return reduce(&s, in, BP_REDUCE_WHOLE, keys, aggs, false) ? drain(&s) : refused;
}

static struct bp_source partial(struct bp_source in, const char *keys, const char *aggs)
{
    struct bp_source s = {0};

    CHECK(reduce(&s, in, BP_REDUCE_PARTIAL, keys, aggs, false));
    return s;
}

static const char * final(struct bp_source in)
{
    struct bp_source s;

    return reduce(&s, in, BP_REDUCE_FINAL, NULL, NULL, false) ? drain(&s) : refused;
}

static const char trips[] = "a,1,10;b,2,20;a,3,30;NULL,4,40;b,NULL,50;NULL,6,NULL;c,7,70;a,1,80;";
static const char trip_cols[] = "k text, x int, y float8";
static const char all_aggs[] =
    "count(*) AS n, count(x) AS nx, sum(x) AS sx, sum(y) AS sy, avg(x) AS ax, avg(y) AS ay, "
    "min(x) AS lo, max(y) AS hi, min(k) AS lk, max(k) AS hk";

static void groups_are_those_of_equal_keys_and_nulls_are_one(void)
{
    char want[400];

    snprintf(want, sizeof want, "%s",
             whole(table(trip_cols, trips, 100), "k", "count(*) AS n, sum(x) AS s, max(y) AS m"));
    CHECK(strstr(want, "a,3,5,80;"));
    CHECK(strstr(want, "b,2,2,50;"));
    CHECK(strstr(want, "c,1,7,70;"));
    CHECK(strstr(want, "NULL,2,10,40;"));
    CHECK(strlen(want) == strlen("a,3,5,80;b,2,2,50;c,1,7,70;NULL,2,10,40;"));
    for (int n = 1; n < 9; n++) {
        CHECK_STR(whole(table(trip_cols, trips, n), "k", "count(*) AS n, sum(x) AS s, max(y) AS m"),
                  want);
        CHECK_STR(whole(table_dict(table(trip_cols, trips, n)), "k",
                        "count(*) AS n, sum(x) AS s, max(y) AS m"),
                  want);
    }
}

static void without_keys_there_is_one_row_also_of_nothing(void)
{
    CHECK_STR(whole(table(trip_cols, trips, 3), NULL, all_aggs),
              "8,7,24,300,3.42857,42.8571,1,80,a,c;");
    CHECK_STR(whole(table(trip_cols, "", 3), NULL, all_aggs),
              "0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL;");
    CHECK_STR(whole(table(trip_cols, "NULL,NULL,NULL;", 3), NULL, all_aggs),
              "1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL;");
    CHECK_STR(final(partial(table(trip_cols, "", 3), NULL, all_aggs)),
              "0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL;");
    CHECK_STR(whole(table(trip_cols, "", 3), "k", all_aggs), "");
}

static void a_group_of_nothing_but_nulls_has_null_sums(void)
{
    const char *got = whole(table("k int, x int, y float8", "1,5,5;2,NULL,NULL;1,NULL,1;", 1), "k",
                            "sum(x) AS a, sum(y) AS b, min(x) AS c, max(y) AS d, avg(y) AS e");

    CHECK(strstr(got, "1,5,6,5,5,3;"));
    CHECK(strstr(got, "2,NULL,NULL,NULL,NULL,NULL;"));
}

static void filter_counts_only_rows_for_which_it_is_true(void)
{
    const char *got = whole(table("k int, x int", "1,5;1,50;2,7;3,70;", 2), "k",
                            "count(*) AS n, sum(x) FILTER (WHERE x > 9) AS s");

    CHECK(strstr(got, "1,2,50;"));
    CHECK(strstr(got, "2,1,NULL;"));
    CHECK(strstr(got, "3,1,70;"));
}

static void zeros_of_both_signs_and_all_nans_are_one_group(void)
{
    const char *got = whole(table("k float8", "-0;0;nan;-nan;1;", 5), "k", "count(*) AS n");

    CHECK(strstr(got, "0,2;") && !strstr(got, "-0"));
    CHECK(strstr(got, "nan,2;") && !strstr(got, "-nan"));
    CHECK(strstr(whole(table("k real", "-0;0;nan;1;", 5), "k", "count(*) AS n"), "0,2;"));
}

/* ---- order, batches, two stages ---- */

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* n rows "a,b,t,y;" of keys of a few hundred values (half of them far apart). */
static char *random_rows(int n)
{
    struct bp_buf b = {0};
    struct bp_err err = {0};

    for (int i = 0; i < n; i++) {
        long long a = (long long)(next_random() % 40) - 20, wide = a % 3 ? a : a * 1000000007;

        table_must(bp_buf_printf(&b, &err, "%lld,%d,t%d,%g;", wide, (int)(next_random() % 5),
                                 (int)(next_random() % 7), (double)(next_random() % 1000) / 8),
                   &err);
    }
    table_must(bp_buf_str(&b, &err) ? 0 : -1, &err);
    return (char *)b.data;
}

static const char random_cols[] = "a bigint, b int, t text, y float8";

static void finished_groups_come_in_hash_order(void)
{
    static const char *const keys[] = {"a", "b", "t", "a, b", "t, b", "a, b, t"};
    char *rows = random_rows(3000);

    for (size_t i = 0; i < BP_COUNT_OF(keys); i++) {
        struct bp_err err = {0};
        struct bp_source s;
        struct bp_batch b;
        uint64_t last = 0, hash[3];
        int64_t n_rows = 0, sum = 0;

        NEED(reduce(&s, table(random_cols, rows, 500), BP_REDUCE_WHOLE, keys[i], "count(*) AS n",
                    false));
        while (bp_source_next(&s, &b, &err) == 0) {
            const struct bp_column *cols[3];
            int n_keys = b.n_cols - 1;

            NEED(b.n_rows <= 3);
            for (int c = 0; c < n_keys; c++)
                cols[c] = &b.cols[c];
            NEED(bp_key_hash(cols, n_keys, b.n_rows, hash, &err) == 0);
            for (int64_t r = 0; r < b.n_rows; r++) {
                CHECK(n_rows == 0 || hash[r] > last);
                last = hash[r];
                sum += ((const int64_t *)b.cols[n_keys].data)[r];
                n_rows++;
            }
            bp_batch_release(&b);
        }
        CHECK(sum == 3000);
        CHECK(n_rows > 4);
        bp_source_free(&s);
    }
    bp_mem_free(rows);
}

static void two_stages_give_the_bytes_of_one(void)
{
    static const char *const keys[] = {"a", "t", "a, b", "t, b, a", NULL};
    static const char aggs[] =
        "count(*) AS n, sum(y) AS s, avg(y) AS m, min(t) AS lo, max(a) AS hi, "
        "sum(a) AS sa, avg(b) AS ab, max(y) AS my, count(t) AS ct";
    char *rows = random_rows(2000);

    for (size_t i = 0; i < BP_COUNT_OF(keys); i++) {
        struct bp_buf want = {0};
        struct bp_err err = {0};
        struct bp_source p;

        table_must(bp_buf_puts(&want, whole(table(random_cols, rows, 300), keys[i], aggs), &err),
                   &err);
        NEED(want.len > 10 && bp_buf_str(&want, &err));
        CHECK_STR(final(partial(table(random_cols, rows, 7), keys[i], aggs)),
                  (const char *)want.data);
        /* --partial on a partial stream combines */
        p = partial(partial(table(random_cols, rows, 100), keys[i], aggs), NULL, NULL);
        CHECK_STR(final(p), (const char *)want.data);
        bp_buf_release(&want);
    }
    bp_mem_free(rows);
}

/* ---- the partial stream ---- */

static void a_partial_stream_has_flat_states_and_a_mark(void)
{
    static const char *const names[] = {"k", "n~count", "s~sum", "m~avg.sum", "m~avg.n", "lo~min"};
    struct bp_err err = {0};
    struct bp_source s =
        partial(table_meta(table("k int, y float8", "1,2;", 1), BP_MARK_SORTED, "k"), "k",
                "count(*) AS n, sum(y) AS s, avg(y) AS m, min(y) AS lo");
    char **keys = NULL;

    NEED(s.schema.n_fields == 6);
    for (int i = 0; i < 6; i++)
        CHECK_STR(s.schema.fields[i].name, names[i]);
    CHECK(s.schema.fields[2].type.kind == BP_BINARY && s.schema.fields[4].type.kind == BP_INT64);
    CHECK(!bp_schema_meta(&s.schema, BP_MARK_SORTED));
    CHECK(strstr(bp_schema_meta(&s.schema, BP_MARK_PARTIAL),
                 "{\"args\":[],\"func\":\"count\",\"name\":\"n\",\"result\":\"bigint\"}"));
    CHECK(strstr(bp_schema_meta(&s.schema, BP_MARK_PARTIAL), "\"keys\":[\"k\"],\"version\":1}"));
    NEED(bp_partial_keys(&s.schema, &keys, &err) == 0);
    CHECK_STR(keys[0], "k");
    CHECK(!keys[1]);
    bp_mem_free(keys[0]);
    bp_mem_free(keys);
    bp_source_free(&s);
}

static void no_aggregates_leave_the_different_keys(void)
{
    CHECK_STR(whole(table("k int, x int", "1,2;1,3;1,2;", 1), "k", " "), "1;");
    CHECK_STR(final(partial(table("k int, x int", "7,2;7,3;", 1), "x % 1, k", "")), "0,7;");
    CHECK(strstr(whole(table("k int", "1;", 1), NULL, ""), "no aggregates"));
}

static void the_wrong_form_for_an_input_is_refused_with_the_right_one(void)
{
    CHECK(strstr(final(table("k int", "1;", 1)), "--final needs a partial result"));
    CHECK(
        strstr(whole(partial(table("k int", "1;", 1), "k", "count(*) AS n"), "k", "count(*) AS n"),
               "--final"));
    CHECK(strstr(whole(table("k int", "1;", 1), "k", "count(*) AS k"), "two columns"));
    CHECK(
        strstr(whole(table("k int", "1;", 1), "k", "frobnicate(k) AS m"), "there is no aggregate"));
    CHECK(strstr(whole(table("k int", "1;", 1), "k", "first(DISTINCT k) AS m"), "DISTINCT"));
    CHECK(strstr(whole(table("k text", "1;", 1), NULL, "sum(k) AS m"), "there is no sum(text)"));
}

static void a_damaged_mark_or_missing_state_is_refused(void)
{
    struct bp_source p = partial(table("k int, x int", "1,2;", 1), "k", "sum(x) AS s");

    bp_mem_free(p.schema.fields[1].name);
    p.schema.fields[1].name = strdup("other");
    CHECK(strstr(final(p), "no column 's~sum'"));
    CHECK(strstr(final(table_meta(table("k int", "1;", 1), BP_MARK_PARTIAL, "{\"aggs\":")),
                 "damaged"));
    CHECK(strstr(final(table_meta(table("k int", "1;", 1), BP_MARK_PARTIAL,
                                  "{\"aggs\":[],\"keys\":[],\"version\":7}")),
                 "version 7"));
    CHECK(strstr(final(table_meta(table("k int", "1;", 1), BP_MARK_PARTIAL,
                                  "{\"aggs\":[{\"args\":[\"text\"],\"func\":\"sum\",\"name\":\"s\","
                                  "\"result\":\"text\"}],\"keys\":[],\"version\":1}")),
                 "bp.partial"));
}

/* ---- shares ---- */

static const char parted[] =
    "{\"classes\":[2],\"first\":0,\"keys\":[\"k\"],\"last\":3,\"parts\":4}";

static void a_share_is_refused_unless_its_groups_are_whole(void)
{
    struct bp_source s;

    CHECK_STR(whole(table_share(table("k int, x int", "1,2;1,3;", 1), 2, 8), "k", "sum(x) AS s"),
              "error: the input is only share 2 of 8: its groups may have rows elsewhere; use "
              "--partial | bp-shuffle, or --per-task");
    NEED(reduce(&s, table_share(table("k int, x int", "1,2;1,3;", 1), 2, 8), BP_REDUCE_WHOLE, "k",
                "sum(x) AS s", true));
    CHECK_STR(bp_schema_meta(&s.schema, BP_MARK_TASK), "2/8");
    CHECK_STR(drain(&s), "1,5;");
    NEED(reduce(
        &s,
        table_meta(table_share(table("k int, x int", "1,2;1,3;", 1), 2, 8), BP_MARK_PARTED, parted),
        BP_REDUCE_WHOLE, "k AS z", "sum(x) AS s", false));
    CHECK_STR(bp_schema_meta(&s.schema, BP_MARK_TASK), "2/8");
    CHECK(strstr(bp_schema_meta(&s.schema, BP_MARK_PARTED), "[\"z\"]"));
    CHECK_STR(drain(&s), "1,5;");
    CHECK(strstr(whole(table_meta(table_share(table("k int, x int", "1,2;", 1), 2, 8),
                                  BP_MARK_PARTED, parted),
                       "x", "count(*) AS n"),
                 "only share 2 of 8"));
}

static void all_shares_together_are_the_whole(void)
{
    struct bp_source in = table_behind(table_share(table("k int, x int", "1,2;1,3;", 1), 0, 2),
                                       table_share(table("k int, x int", "1,5;", 1), 1, 2)),
                     s;

    NEED(reduce(&s, in, BP_REDUCE_WHOLE, "k", "sum(x) AS s", false));
    CHECK(!bp_schema_meta(&s.schema, BP_MARK_TASK));
    CHECK_STR(drain(&s), "1,10;");
}

static void partial_results_keep_shares_apart_and_final_unites_them(void)
{
    struct bp_source in = table_behind(table_share(table("k int, x int", "1,2;1,3;", 1), 0, 2),
                                       table_share(table("k int, x int", "1,5;", 1), 1, 2)),
                     s;

    NEED(reduce(&s, in, BP_REDUCE_PARTIAL, "k", "sum(x) AS s", false));
    CHECK(bp_schema_meta(&s.schema, BP_MARK_TASK) != NULL);
    CHECK_STR(drain(&s), "1,5;1,5;");
    in = table_behind(table_share(table("k int, x int", "1,2;1,3;", 1), 0, 2),
                      table_share(table("k int, x int", "1,5;", 1), 1, 2));
    CHECK_STR(final(partial(in, "k", "sum(x) AS s")), "1,10;");
}

static void a_share_without_rows_is_told_by_an_empty_batch(void)
{
    struct bp_source in = table_share(table("k int, x int", "1,2;", 1), 1, 2), s;
    struct bp_batch *b = &((struct table *)in.self)->batches[0];
    struct bp_err err = {0};
    struct bp_batch out;

    b->n_rows = 0;
    for (int c = 0; c < 2; c++)
        b->cols[c].n_rows = 0;
    NEED(reduce(&s, in, BP_REDUCE_PARTIAL, "k", "sum(x) AS s", false));
    NEED(bp_source_next(&s, &out, &err) == 0);
    CHECK(out.n_rows == 0 && out.share.i == 1 && out.share.n == 2);
    bp_batch_release(&out);
    CHECK(bp_source_next(&s, &out, &err) == BP_DONE);
    bp_source_free(&s);
}

static void the_budget_is_given_back(void)
{
    char *rows = random_rows(500);

    whole(table(random_cols, rows, 100), "a, t", "sum(y) AS s");
    CHECK(ctx.budget.used_bytes == 0);
    CHECK(ctx.budget.peak_bytes > 0);
    bp_mem_free(rows);
}

UNIT_MAIN(T(groups_are_those_of_equal_keys_and_nulls_are_one),
          T(without_keys_there_is_one_row_also_of_nothing),
          T(a_group_of_nothing_but_nulls_has_null_sums),
          T(filter_counts_only_rows_for_which_it_is_true),
          T(zeros_of_both_signs_and_all_nans_are_one_group), T(finished_groups_come_in_hash_order),
          T(two_stages_give_the_bytes_of_one), T(a_partial_stream_has_flat_states_and_a_mark),
          T(no_aggregates_leave_the_different_keys),
          T(the_wrong_form_for_an_input_is_refused_with_the_right_one),
          T(a_damaged_mark_or_missing_state_is_refused),
          T(a_share_is_refused_unless_its_groups_are_whole), T(all_shares_together_are_the_whole),
          T(partial_results_keep_shares_apart_and_final_unites_them),
          T(a_share_without_rows_is_told_by_an_empty_batch), T(the_budget_is_given_back))
