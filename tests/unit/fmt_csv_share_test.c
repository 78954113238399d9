/* SPDX-License-Identifier: Apache-2.0 */
/* Shares: every record in exactly one, wherever quotes and line ends stand. */
#include "flow/marks.h"
#include "fmt_csv_table.h"

static char want[200000];

/* All shares of n, one behind the other, are the whole. */
static void check_shares(struct csv_case t, int most)
{
    t.n_tasks = 0;
    strcpy(want, csv_read(t));
    CHECK(want[0] != '!');
    for (int n = 1; n <= most; n++) {
        csv_out_len = 0;
        csv_out_text[0] = 0;
        for (t.n_tasks = n, t.task = 0; t.task < n; t.task++)
            csv_read_more(t, true);
        CHECK_STR(csv_out_text, want);
    }
}

static void plain_records_are_in_one_share_each(void)
{
    check_shares((struct csv_case){{"a,b\n1,2\n33,44\n5,6\n77,8\n9,10"}}, 40);
    check_shares((struct csv_case){{"1\n2\n\n4\n"}, .schema = "a int", .no_header = true}, 20);
    check_shares((struct csv_case){{"a\r\n1\r\n2\r\n3\r\n"}}, 25);
}

static void quoted_line_ends_at_borders_are_no_borders(void)
{
    static char text[8000];
    size_t n = (size_t)sprintf(text, "a,b\n");

    for (int i = 0; i < 60; i++)
        n += (size_t)sprintf(text + n, "%d,\"x\n%d\r\n\"\"\n,y\"\n", i, i);
    for (int chunk = 1; chunk < 400; chunk = chunk * 4 + 3)
        check_shares((struct csv_case){{text}, .chunk_bytes = chunk}, 23);
}

static void odd_quotes_and_bare_crs_are_cut_as_libcsv_reads_them(void)
{
    static char text[8000];
    size_t n = (size_t)sprintf(text, "a,b\n");

    for (int i = 0; i < 30; i++)
        n += (size_t)sprintf(text + n,
                             i == 11   ? "%d,u\"\r"
                             : i == 17 ? "%d,\"x\"y\n\"\n"
                                       : "%d,\"\n\"\n",
                             i);
    for (int chunk = 1; chunk < 400; chunk = chunk * 4 + 3)
        check_shares((struct csv_case){{text}, .schema = "a int, b text", .chunk_bytes = chunk},
                     23);
}

static void several_files_are_cut_as_one(void)
{
    check_shares((struct csv_case){{"a,b\n1,2\n3,4\n", "b,a\n6,5\n", "a,b\n7,8\n9,10\n11,12\n"}},
                 30);
}

static void what_cannot_be_cut_goes_whole_to_one_share(void)
{
    check_shares((struct csv_case){{"a,b\n1,2\n3,4\n", "b,a\n6,5\n", "a,b\n7,8\n9,10\n11,12\n"},
                                   .stream = true},
                 30);
}

static void a_share_says_which_it_is_even_if_it_is_empty(void)
{
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 100};
    struct bp_csv_opts o = {.delim = ',', .quote = '"', .task = 6, .n_tasks = 7};
    struct bp_share share;
    struct bp_source src;
    struct bp_input in;
    struct bp_batch b;
    struct bp_err err = {0};

    NEED(bp_input_from_memory(&in, "a.csv", "a\n1\n", 4, &err) == 0);
    NEED(bp_csv_source(&src, &in, 1, &o, &ctx, &err) == 0);
    CHECK(bp_mark_task(&src.schema, &share, &err) == 0 && share.i == 6 && share.n == 7);
    NEED(bp_source_next(&src, &b, &err) == 0);
    CHECK(b.n_rows == 0 && b.n_cols == 1 && b.share.i == 6 && b.share.n == 7);
    bp_batch_release(&b);
    CHECK(bp_source_next(&src, &b, &err) == BP_DONE);
    bp_source_free(&src);
}

UNIT_MAIN(T(plain_records_are_in_one_share_each), T(quoted_line_ends_at_borders_are_no_borders),
          T(odd_quotes_and_bare_crs_are_cut_as_libcsv_reads_them), T(several_files_are_cut_as_one),
          T(what_cannot_be_cut_goes_whole_to_one_share),
          T(a_share_says_which_it_is_even_if_it_is_empty))
