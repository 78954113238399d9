/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "col/key.h"
#include "op/op.h"
#include "op_table.h"

/* The budget of the sorts; 0: no limit. */
static int64_t mem_bytes;

static const char *sorted_by(struct bp_source in, const char *order, int64_t n, int n_threads)
{
    static char text[2200];
    struct bp_ctx ctx = table_ctx(n_threads, 3);
    struct bp_clause clause = {.text = order};
    struct bp_source s;
    struct bp_err err = {0};
    const char *got;

    ctx.budget.limit_bytes = mem_bytes;
    if (bp_sort_open(&s, &in, &clause, n, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        return text;
    }
    got = drain(&s);
    CHECK(ctx.budget.used_bytes == 0);
    return got;
}

static void rows_come_in_order_whatever_the_batches(void)
{
    for (int n = 1; n < 9; n++) {
        CHECK_STR(sorted_by(table("a int, b text", "3,c;1,a;2,b;5,e;4,d;-7,x;0,y;", n), "a", -1, 1),
                  "-7,x;0,y;1,a;2,b;3,c;4,d;5,e;");
        CHECK_STR(
            sorted_by(table("a int, b text", "3,c;1,a;2,b;5,e;4,d;-7,x;0,y;", n), "b DESC", -1, 2),
            "0,y;-7,x;5,e;4,d;3,c;2,b;1,a;");
    }
}

static void equal_keys_keep_the_order_of_input(void)
{
    const char *rows = "1,a;0,b;1,c;0,d;1,e;0,f;";

    CHECK_STR(sorted_by(table("a int, b text", rows, 2), "a", -1, 1), "0,b;0,d;0,f;1,a;1,c;1,e;");
    CHECK_STR(sorted_by(table("a int, b text", rows, 2), "a DESC", -1, 1),
              "1,a;1,c;1,e;0,b;0,d;0,f;");
}

static void nulls_stand_last_by_default_and_first_where_asked(void)
{
    const char *rows = "2;NULL;1;NULL;3;";

    CHECK_STR(sorted_by(table("a int", rows, 9), "a", -1, 1), "1;2;3;NULL;NULL;");
    CHECK_STR(sorted_by(table("a int", rows, 9), "a DESC", -1, 1), "3;2;1;NULL;NULL;");
    CHECK_STR(sorted_by(table("a int", rows, 9), "a NULLS FIRST", -1, 1), "NULL;NULL;1;2;3;");
    CHECK_STR(sorted_by(table("a int", rows, 9), "a DESC NULLS FIRST", -1, 1), "NULL;NULL;3;2;1;");
    CHECK_STR(sorted_by(table("a text", rows, 9), "a DESC", -1, 1), "3;2;1;NULL;NULL;");
    CHECK_STR(sorted_by(table("a text", rows, 9), "a NULLS FIRST", -1, 1), "NULL;NULL;1;2;3;");
    CHECK_STR(sorted_by(table("a bigint", "9223372036854775807;NULL;-9223372036854775808;", 9), "a",
                        -1, 1),
              "-9223372036854775808;9223372036854775807;NULL;");
    CHECK_STR(sorted_by(table("a bigint", "9223372036854775807;NULL;-9223372036854775808;", 9),
                        "a NULLS FIRST", -1, 1),
              "NULL;-9223372036854775808;9223372036854775807;");
}

static void nan_is_above_all_numbers_and_minus_zero_is_zero(void)
{
    CHECK_STR(
        sorted_by(table("a double precision, i int", "nan,1;inf,2;0,3;-0,4;-inf,5;1e-300,6;", 9),
                  "a", -1, 1),
        "-inf,5;0,3;-0,4;1e-300,6;inf,2;nan,1;");
    CHECK_STR(
        sorted_by(table("a real, i int", "nan,1;inf,2;0,3;-0,4;-inf,5;2.5,6;", 9), "a DESC", -1, 1),
        "nan,1;inf,2;2.5,6;0,3;-0,4;-inf,5;");
}

static void text_sorts_by_bytes_at_any_length(void)
{
    CHECK_STR(
        sorted_by(table("a text", "b;;aa;a;ab;B;abcdefghi;abcdefgh;abcdefghij;", 4), "a", -1, 1),
        ";B;a;aa;ab;abcdefgh;abcdefghi;abcdefghij;b;");
    CHECK_STR(sorted_by(table("a text",
                              "0123456789012345678901234567890123456789b;"
                              "0123456789012345678901234567890123456789a;"
                              "0123456789012345678901234567890123456789;z;"
                              "0123456789012345678901234567890123456789aa;",
                              2),
                        "a DESC", -1, 1),
              "z;0123456789012345678901234567890123456789b;"
              "0123456789012345678901234567890123456789aa;"
              "0123456789012345678901234567890123456789a;"
              "0123456789012345678901234567890123456789;");
    CHECK_STR(sorted_by(table_dict(table("a text, i int", "b,1;a,2;b,3;NULL,4;a,5;", 2)),
                        "a, i DESC", -1, 1),
              "a,5;a,2;b,3;b,1;NULL,4;");
}

static void later_keys_decide_between_equals(void)
{
    CHECK_STR(sorted_by(table("a text, b bigint, c date",
                              "x,5,1;x,-5,2;w,9,3;x,5,0;NULL,1,1;w,9,2;NULL,0,1;", 3),
                        "a, b DESC, c", -1, 1),
              "w,9,2;w,9,3;x,5,0;x,5,1;x,-5,2;NULL,1,1;NULL,0,1;");
}

static void keys_may_be_expressions(void)
{
    CHECK_STR(sorted_by(table("a int, b text", "11,p;2,Q;31,r;NULL,s;12,T;", 2),
                        "a % 10 DESC, lower(b)", -1, 1),
              "2,Q;12,T;11,p;31,r;NULL,s;");
    CHECK_STR(sorted_by(table("a int", "5;-6;1;", 2), "abs(a) DESC", 2, 1), "-6;5;");
    CHECK(strstr(sorted_by(table("a int", "5;", 2), "nope", 2, 1), "nope"));
}

static void an_empty_table_stays_empty(void)
{
    CHECK_STR(sorted_by(table("a int", "", 3), "a", -1, 1), "");
    CHECK_STR(sorted_by(table("a int", "3;2;1;", 3), "a", 0, 1), "");
}

static void the_first_n_are_those_of_the_whole_order(void)
{
    CHECK_STR(sorted_by(table("a int, b text", "3,c;1,a;2,b;1,z;", 2), "a", 3, 1), "1,a;1,z;2,b;");
    CHECK_STR(sorted_by(table("a int", "3;1;", 2), "a", 9, 1), "1;3;");
}

/* Wide tables are kept as rows inside. */
#define WIDE "k int, b boolean, t text, d decimal(20,2), n bigint, i interval, s smallint, u text"
static const char wide_rows[] = "4,1,a long text of some bytes,NULL,9000000000,7,-3,;"
                                "2,0,abcd,-5,NULL,NULL,NULL,NULL;"
                                "3,NULL,abcde,123456789,1,-2,5,x;"
                                "1,1,NULL,0,2,3,NULL,yy;"
                                "5,NULL,,7,-1,0,12,another text of some bytes;";
static const char wide_sorted[] = "1,1,NULL,0,2,3,NULL,yy;"
                                  "2,0,abcd,-5,NULL,NULL,NULL,NULL;"
                                  "3,NULL,abcde,123456789,1,-2,5,x;"
                                  "4,1,a long text of some bytes,NULL,9000000000,7,-3,;"
                                  "5,NULL,,7,-1,0,12,another text of some bytes;";

static void all_columns_of_a_row_stay_together(void)
{
    for (int n = 1; n < 7; n++) {
        CHECK_STR(sorted_by(table(WIDE, wide_rows, n), "k", -1, 1), wide_sorted);
        CHECK_STR(sorted_by(table_dict(table(WIDE, wide_rows, n)), "k", -1, 2), wide_sorted);
        CHECK_STR(sorted_by(table_behind(table_dict(table(WIDE, wide_rows, n)),
                                         table(WIDE, "0,1,plain,NULL,NULL,NULL,NULL,z;", n)),
                            "k", 1, 1),
                  "0,1,plain,NULL,NULL,NULL,NULL,z;");
    }
    CHECK_STR(
        sorted_by(table_behind(table_dict(table("a int, b text, c text, d int", "2,x,yyyyy,4;", 1)),
                               table("a int, b text, c text, d int", "1,plain,z,5;", 1)),
                  "a", -1, 1),
        "1,plain,z,5;2,x,yyyyy,4;");
}

/* ---- larger tables, against the plain comparison ---- */

struct big {
    int64_t n_rows, at, step;
    uint64_t state;
    int form;
};

static uint64_t draw(struct big *b)
{
    b->state = b->state * 6364136223846793005u + 1442695040888963407u;
    return b->state >> 33;
}

static void big_value(struct big *g, int col, struct bp_builder *b, int64_t row)
{
    struct bp_err err = {0};
    char text[64];
    int64_t v;

    switch (col) {
    case 0: /* the key */
        switch (g->form) {
        case 0: v = (int64_t)draw(g) * 1000003; break;
        case 1: v = (int64_t)(draw(g) % 3); break;
        case 2: v = row; break;
        case 3: v = draw(g) % 10000 ? (int64_t)(draw(g) % 1000) : (int64_t)(draw(g) << 30); break;
        default: v = -row / 100; break;
        }
        if (g->form != 2 && draw(g) % 50 == 0)
            table_must(bp_builder_add_null(b, &err), &err);
        else
            table_must(bp_builder_add(b, &v, &err), &err);
        break;
    case 1: /* a text */
        v = snprintf(text, sizeof text, "%s%llu%s", draw(g) % 2 ? "a common prefix " : "",
                     (unsigned long long)draw(g) % 1000, draw(g) % 3 ? "" : " and a tail");
        if (draw(g) % 40 == 0)
            table_must(bp_builder_add_null(b, &err), &err);
        else
            table_must(bp_builder_add_bytes(b, text, (size_t)v, &err), &err);
        break;
    default: table_must(bp_builder_add(b, &row, &err), &err);
    }
}

static int big_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct big *g = self;
    int64_t n = BP_MIN(g->step, g->n_rows - g->at);
    struct bp_builder b[4];

    if (n == 0)
        return BP_DONE;
    BP_TRY(bp_batch_init(out, 4, err));
    for (int c = 0; c < 4; c++) {
        bp_builder_init(&b[c], BP_TYPE(c == 1 ? BP_TEXT : BP_INT64));
        for (int64_t i = 0; i < n; i++)
            big_value(g, c, &b[c], g->at + i);
        BP_TRY(bp_builder_finish(&b[c], &out->cols[c], err));
    }
    out->n_rows = n;
    out->first_row = g->at;
    g->at += n;
    g->step = g->step * 7 % 10007 + 1; /* ragged */
    return 0;
}

static void big_free(void *self)
{
    bp_mem_free(self);
}

static const struct bp_source_ops big_ops = {.next = big_next, .free = big_free};

static struct bp_source big(int64_t n_rows, int form)
{
    struct bp_err err = {0};
    struct bp_source s = {.ops = &big_ops};
    struct big *g = bp_mem_new(1, sizeof *g, &err);
    bool star;

    *g = (struct big){.n_rows = n_rows, .step = 5000, .state = 42, .form = form};
    s.self = g;
    table_must(
        bp_schema_parse("k bigint, t text, row bigint, again bigint", &s.schema, &star, &err),
        &err);
    return s;
}

/* keys: pairs of column and direction; nulls last. */
static int compare_keys(const struct bp_batch *a, int64_t ra, const struct bp_batch *b, int64_t rb,
                        const int (*keys)[2], int n_keys)
{
    for (int i = 0; i < n_keys; i++) {
        const struct bp_column *ca = &a->cols[keys[i][0]], *cb = &b->cols[keys[i][0]];
        bool na = bp_column_is_null(ca, ra), nb = bp_column_is_null(cb, rb);
        int c = na || nb ? na - nb : bp_value_compare(ca, ra, cb, rb) * keys[i][1];

        if (c)
            return c;
    }
    /* stable: by the row's number */
    return bp_value_compare(&a->cols[2], ra, &b->cols[2], rb);
}

/* Checks order and number of rows; sums are a fingerprint of which rows. */
static void check_big(int form, const char *order, const int (*keys)[2], int n_keys, int64_t n_rows,
                      int64_t limit, int n_threads)
{
    struct bp_ctx ctx = table_ctx(n_threads, 1000);
    struct bp_clause clause = {.text = order};
    struct bp_source in = big(n_rows, form), s;
    struct bp_err err = {0};
    struct bp_batch b, last = {0};
    int64_t n = 0, sum = 0, bad = 0;
    int rc;

    ctx.budget.limit_bytes = mem_bytes;
    NEED(bp_sort_open(&s, &in, &clause, limit, &ctx, &err) == 0);
    while ((rc = bp_source_next(&s, &b, &err)) == 0) {
        for (int64_t i = 0; i < b.n_rows; i++) {
            const struct bp_batch *prev = i ? &b : &last;

            if (n + i > 0 &&
                compare_keys(prev, i ? i - 1 : last.n_rows - 1, &b, i, keys, n_keys) >= 0)
                bad++;
            sum += ((const int64_t *)b.cols[2].data)[i];
            bad += ((const int64_t *)b.cols[3].data)[i] != ((const int64_t *)b.cols[2].data)[i];
        }
        n += b.n_rows;
        bp_batch_release(&last);
        bp_batch_move(&last, &b);
    }
    CHECK(rc == BP_DONE);
    CHECK(bad == 0);
    CHECK(n == (limit < 0 ? n_rows : BP_MIN(limit, n_rows)));
    if (limit < 0)
        CHECK(sum == n_rows * (n_rows - 1) / 2);
    if (mem_bytes && limit < 0)
        CHECK(ctx.spilled_bytes > n_rows * 24);
    bp_batch_release(&last);
    bp_source_free(&s);
    CHECK(ctx.budget.used_bytes == 0);
}

static void many_rows_are_in_the_order_of_the_comparison(void)
{
    static const int k[][2] = {{0, 1}}, kd_t[][2] = {{0, -1}, {1, 1}},
                     td_k[][2] = {{1, -1}, {0, 1}};

    for (int form = 0; form < 5; form++)
        for (int threads = 1; threads <= 3; threads += 2) {
            check_big(form, "k", k, 1, 100000, -1, threads);
            check_big(form, "k DESC, t", kd_t, 2, 60000, -1, threads);
            check_big(form, "t DESC, k", td_k, 2, 60000, -1, threads);
        }
}

static void the_first_n_of_many_are_in_order(void)
{
    static const int k[][2] = {{0, 1}}, td_k[][2] = {{1, -1}, {0, 1}};

    for (int form = 0; form < 5; form++) {
        check_big(form, "k", k, 1, 300000, 10, 1);
        check_big(form, "t DESC, k", td_k, 2, 200000, 20000, 2);
    }
}

/* The first N must be the first N of the full sort: same bytes. */
static void top_n_is_the_head_of_the_sort(void)
{
    for (int form = 0; form < 5; form++) {
        struct bp_ctx ctx = table_ctx(2, 4096);
        struct bp_clause clause = {.text = "k, t DESC"};
        struct bp_source in[2] = {big(250000, form), big(250000, form)}, s[2];
        struct bp_batch b[2];
        struct bp_err err = {0};

        NEED(bp_sort_open(&s[0], &in[0], &clause, 4096, &ctx, &err) == 0);
        NEED(bp_sort_open(&s[1], &in[1], &clause, -1, &ctx, &err) == 0);
        NEED(bp_source_next(&s[0], &b[0], &err) == 0 && bp_source_next(&s[1], &b[1], &err) == 0);
        CHECK(b[0].n_rows == 4096 && b[1].n_rows == 4096);
        CHECK(memcmp(b[0].cols[2].data, b[1].cols[2].data, 4096 * 8) == 0);
        for (int i = 0; i < 2; i++) {
            bp_batch_release(&b[i]);
            bp_source_free(&s[i]);
        }
    }
}

/* ---- marks and shares ---- */

static void the_result_says_how_it_is_sorted(void)
{
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_clause clause = {.text = "b DESC, a NULLS FIRST"};
    struct bp_source in = table_meta(table("a int, b text", "1,x;", 3), "bp.sorted", "a"), s;
    struct bp_err err = {0};

    NEED(bp_sort_open(&s, &in, &clause, -1, &ctx, &err) == 0);
    CHECK_STR(bp_schema_meta(&s.schema, "bp.sorted"), "b DESC, a NULLS FIRST");
    bp_source_free(&s);
}

static void one_share_stays_a_share_and_all_shares_are_a_table(void)
{
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_clause clause = {.text = "a"};
    struct bp_source in = table_share(table("a int", "2;1;", 3), 1, 4), s;
    struct bp_err err = {0};
    struct bp_batch b;

    NEED(bp_sort_open(&s, &in, &clause, -1, &ctx, &err) == 0);
    CHECK_STR(bp_schema_meta(&s.schema, "bp.task"), "1/4");
    NEED(bp_source_next(&s, &b, &err) == 0);
    CHECK(b.share.i == 1 && b.share.n == 4);
    bp_batch_release(&b);
    bp_source_free(&s);

    in = table_behind(table_share(table("a int", "2;1;", 3), 1, 2),
                      table_share(table("a int", "4;0;", 3), 0, 2));
    NEED(bp_sort_open(&s, &in, &clause, -1, &ctx, &err) == 0);
    NEED(bp_source_next(&s, &b, &err) == 0);
    CHECK(b.share.n == 0 && b.n_rows == 4);
    bp_batch_release(&b);
    bp_source_free(&s);

    in = table_behind(table_share(table("a int", "2;1;", 3), 1, 3),
                      table_share(table("a int", "4;0;", 3), 0, 3));
    CHECK(strstr(sorted_by(in, "a", -1, 1), "2 of 3 shares"));
}

static void partial_streams_are_refused(void)
{
    CHECK(strstr(sorted_by(table_meta(table("a int", "1;", 1), "bp.partial", "{}"), "a", -1, 1),
                 "partial"));
}

/* ---- memory ---- */

/* A run for each batch, and two runs merged at a time. */
static void every_order_holds_when_nothing_fits_into_memory(void)
{
    mem_bytes = 1;
    rows_come_in_order_whatever_the_batches();
    equal_keys_keep_the_order_of_input();
    nulls_stand_last_by_default_and_first_where_asked();
    nan_is_above_all_numbers_and_minus_zero_is_zero();
    text_sorts_by_bytes_at_any_length();
    later_keys_decide_between_equals();
    keys_may_be_expressions();
    all_columns_of_a_row_stay_together();
    an_empty_table_stays_empty();
    the_first_n_are_those_of_the_whole_order();
    mem_bytes = 0;
}

/* Budgets with many runs, several passes, few runs. */
static void many_rows_that_are_spilled_are_in_the_order_of_the_comparison(void)
{
    static const int k[][2] = {{0, 1}}, td_k[][2] = {{1, -1}, {0, 1}};
    static const int64_t budgets[] = {1, 400 << 10, 2 << 20};

    for (int form = 0; form < 5; form++)
        for (int i = 0; i < 3; i++) {
            mem_bytes = budgets[i];
            check_big(form, "k", k, 1, 60000, -1, 1 + i);
            check_big(form, "t DESC, k", td_k, 2, 40000, -1, 1 + i);
            check_big(form, "k", k, 1, 100000, 10, 1);
            check_big(form, "t DESC, k", td_k, 2, 60000, 20000, 2);
        }
    mem_bytes = 0;
}

static void no_room_for_what_is_spilled_names_the_directory(void)
{
    setenv("TMPDIR", "/nowhere/at/all", 1);
    mem_bytes = 1;
    CHECK(strstr(sorted_by(table("a int", "2;1;", 1), "a", -1, 1),
                 "error: cannot create a temporary file in '/nowhere/at/all' (TMPDIR)"));
    mem_bytes = 0;
    unsetenv("TMPDIR");
}

UNIT_MAIN(T(rows_come_in_order_whatever_the_batches), T(equal_keys_keep_the_order_of_input),
          T(nulls_stand_last_by_default_and_first_where_asked),
          T(nan_is_above_all_numbers_and_minus_zero_is_zero), T(text_sorts_by_bytes_at_any_length),
          T(later_keys_decide_between_equals), T(keys_may_be_expressions),
          T(all_columns_of_a_row_stay_together), T(an_empty_table_stays_empty),
          T(the_first_n_are_those_of_the_whole_order),
          T(many_rows_are_in_the_order_of_the_comparison), T(the_first_n_of_many_are_in_order),
          T(top_n_is_the_head_of_the_sort), T(the_result_says_how_it_is_sorted),
          T(one_share_stays_a_share_and_all_shares_are_a_table), T(partial_streams_are_refused),
          T(every_order_holds_when_nothing_fits_into_memory),
          T(many_rows_that_are_spilled_are_in_the_order_of_the_comparison),
          T(no_room_for_what_is_spilled_names_the_directory))
