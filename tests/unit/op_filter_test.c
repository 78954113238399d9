/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op_table.h"

static const char *filtered(struct bp_source in, const char *where)
{
    static char text[2200];
    struct bp_ctx ctx = table_ctx(1, 4);
    struct bp_clause clause = {.text = where};
    struct bp_err err = {0};
    struct bp_source s;

    if (bp_filter_open(&s, &in, &clause, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        CHECK(err.code == BP_EUSAGE);
        return text;
    }
    return drain(&s);
}

static void rows_for_which_the_clause_is_true_stay_in_order(void)
{
    const char *rows = "5,a;1,b;7,c;NULL,d;9,e;2,f;";

    for (int n = 1; n < 8; n++)
        CHECK_STR(filtered(table("x int, t text", rows, n), "x > 4"), "5,a;7,c;9,e;");
    CHECK_STR(filtered(table_dict(table("x int, t text", rows, 4)), "x > 4"), "5,a;7,c;9,e;");
    CHECK_STR(filtered(table("x int, t text", rows, 4), "x > 100"), "");
}

static void a_batch_of_which_all_rows_pass_is_handed_on_untouched(void)
{
    struct bp_source in = table("x int", "5;6;7;", 3), s;
    const void *data = ((struct table *)in.self)->batches[0].cols[0].data;
    struct bp_ctx ctx = table_ctx(1, 4);
    struct bp_clause clause = {.text = "x > 4"};
    struct bp_err err = {0};
    struct bp_batch b;

    NEED(bp_filter_open(&s, &in, &clause, &ctx, &err) == 0);
    NEED(bp_source_next(&s, &b, &err) == 0);
    CHECK(b.cols[0].data == data && b.n_rows == 3);
    bp_batch_release(&b);
    bp_source_free(&s);
}

static void marks_stay_and_a_new_share_is_told_even_without_rows(void)
{
    struct bp_source in = table_behind(table_share(table("x int", "1;2;", 1), 0, 2),
                                       table_share(table("x int", "1;9;", 1), 1, 2));
    struct bp_ctx ctx = table_ctx(1, 4);
    struct bp_clause clause = {.text = "x > 4"};
    struct bp_err err = {0};
    struct bp_source s;
    struct bp_batch b;
    int64_t rows[4];
    int share[4], n = 0;

    in = table_meta(in, BP_MARK_SORTED, "x");
    NEED(bp_filter_open(&s, &in, &clause, &ctx, &err) == 0);
    CHECK_STR(bp_schema_meta(&s.schema, BP_MARK_SORTED), "x");
    CHECK_STR(bp_schema_meta(&s.schema, BP_MARK_TASK), "0/2");
    while (n < 4 && bp_source_next(&s, &b, &err) == 0) {
        rows[n] = b.n_rows;
        share[n++] = b.share.i;
        bp_batch_release(&b);
    }
    CHECK(n == 3 && rows[0] == 0 && rows[1] == 0 && rows[2] == 1);
    CHECK(share[0] == 0 && share[1] == 1 && share[2] == 1);
    bp_source_free(&s);
}

static void a_partial_stream_is_refused_with_what_to_do(void)
{
    CHECK(strstr(filtered(table_meta(table("x int", "1;", 1), BP_MARK_PARTIAL, "{}"), "x > 4"),
                 "bp-reduce --final"));
}

UNIT_MAIN(T(rows_for_which_the_clause_is_true_stay_in_order),
          T(a_batch_of_which_all_rows_pass_is_handed_on_untouched),
          T(marks_stay_and_a_new_share_is_told_even_without_rows),
          T(a_partial_stream_is_refused_with_what_to_do))
