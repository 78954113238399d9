/* SPDX-License-Identifier: Apache-2.0 */
/* Shares: every record in exactly one, wherever quotes and line ends stand. */
#include "flow/marks.h"
#include "fmt_csv_table.h"

static char want[200000];

/* All shares of n, one behind the other, are the whole, lines and all. */
static void check_shares(struct csv_case t, int most)
{
    t.line_name = "_line";
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

static void a_record_of_one_byte_at_the_end_is_read_behind_a_bare_cr(void)
{
    for (int chunk = 1; chunk < 20; chunk++) {
        check_shares((struct csv_case){{"a\ntwelve bytes\r]7bytes\rx"}, .chunk_bytes = chunk}, 9);
        check_shares((struct csv_case){{"a\ntwelve bytes\r]7bytes\r\n\n"}, .chunk_bytes = chunk},
                     9);
    }
}

/* ---- borders told from what is around them ---- */

static uint64_t seed;

static unsigned draw(unsigned n) /* below n */
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static char text[200000];

/* Rows of two fields, each one of tokens[0, n), at least `bytes` of them. */
static void fill_text(const char *const *tokens, unsigned n, size_t bytes)
{
    size_t at = (size_t)sprintf(text, "a,b\n");

    while (at < bytes)
        at += (size_t)sprintf(text + at, "%s,%s%s", tokens[draw(n)], tokens[draw(n)],
                              draw(8) ? "\n" : "\r\n");
}

enum outcome { SAME, REFUSED, WRONG };

/* All n shares together against the whole, which is in want. */
static enum outcome try_shares(struct csv_case t, int n)
{
    csv_out_len = 0;
    csv_out_text[0] = 0;
    for (t.n_tasks = n, t.task = 0; t.task < n; t.task++)
        csv_read_more(t, true);
    if (strcmp(csv_out_text, want) == 0)
        return SAME;
    return strstr(csv_out_text, "! ") ? REFUSED : WRONG;
}

static bool read_whole(struct csv_case t)
{
    csv_read(t);
    if (csv_out_len >= sizeof want || strstr(csv_out_text, "! "))
        return false;
    strcpy(want, csv_out_text);
    return true;
}

/* Quotes where they should be, texts shorter than what is looked at: always right. */
static void regular_quotes_are_told_from_around_the_border(void)
{
    static const char *const tokens[] = {"1",
                                         "x y",
                                         "\"q\"",
                                         "\"a,b\"",
                                         "\"two\nlines, of text\n\"",
                                         "\"\"",
                                         "\"\"\"he\"\"\"",
                                         "\"\n\n\"",
                                         "\"x\r\n,\r\n\"",
                                         "\"a \"\"quoted\"\" word\n,\"",
                                         "\",\"",
                                         "plain",
                                         "-17.25"};

    for (unsigned round = 0; round < 12; round++) {
        struct csv_case t = {{text}, .schema = "a text, b text", .border_bytes = 4096};

        seed = round;
        fill_text(tokens, BP_COUNT_OF(tokens), 20000);
        t.chunk_bytes = (int)(round % 3 ? 1000 + round * 37 : 0);
        t.n_threads = 1 + (int)(round % 2);
        NEED(read_whole(t));
        for (int n = 2; n < 70; n += 1 + n / 6)
            CHECK(try_shares(t, n) == SAME);
    }
}

static void rows_without_quotes_are_told_by_their_length(void)
{
    static const char *const tokens[] = {"1", "22", "x y", "", "plain", "-17.25"};
    struct csv_case t = {{text}, .schema = "a text, b text", .border_bytes = 512};

    fill_text(tokens, BP_COUNT_OF(tokens), 20000);
    NEED(read_whole(t));
    for (int n = 2; n < 70; n++)
        CHECK(try_shares(t, n) == SAME);
}

/* Anything that libcsv takes, and windows so small that they tell nothing or the wrong
 * thing: the shares are the whole, or one of them says that they are not. */
static void hostile_quotes_are_right_or_refused(void)
{
    static const char *const tokens[] = {
        "1",    "5\"",           "\"q\"",  "\"a,b\"", "\"x\"y",       "\"\n1,2\n3,4\n\"",
        "\"\"", "\"5\"\",x\n\"", "y\"z\"", "a\"\"",   "\"u,v\nw,x\"", "\" z\" "};
    int n_same = 0, n_refused = 0;

    for (unsigned round = 0; round < 200; round++) {
        struct csv_case t = {{text}, .schema = "a text, b text"};

        seed = round;
        fill_text(tokens + draw(6), 1 + draw(6), 100 + draw(900));
        t.border_bytes = (int)(8u << draw(8));
        t.n_threads = 1 + (int)draw(2);
        if (!read_whole(t))
            continue;
        t.chunk_bytes = (int)draw(3) * 50; /* the fast path goes on behind what was odd */
        CHECK_STR(csv_read(t), want);
        for (int n = 2; n < 30; n += 1 + n / 3) {
            enum outcome o = try_shares(t, n);

            CHECK(o != WRONG);
            n_same += o == SAME;
            n_refused += o == REFUSED;
        }
    }
    CHECK(n_same > 500 && n_refused < n_same / 20);
}

/* Every border of small files, whatever is in them: seen as a whole, so exact. */
static void every_border_of_small_files_is_exact(void)
{
    static const char letters[] = "ab,,\"\"\"\n\n\r";
    int n_read = 0;

    for (unsigned round = 0; round < 200; round++) {
        struct csv_case t = {{text}, .schema = "a text", .no_header = true};
        size_t n = 4 + draw(36);

        seed = round;
        for (size_t i = 0; i < n; i++)
            text[i] = letters[draw(sizeof letters - 1)];
        text[n] = 0;
        t.delim = round % 2 ? ',' : ';';
        t.schema = round % 2 ? "a text, b text" : "a text";
        if (!read_whole(t))
            continue;
        n_read++;
        for (int tasks = 1; tasks <= (int)n + 2; tasks++)
            CHECK(try_shares(t, tasks) == SAME);
    }
    CHECK(n_read > 25);
}

/* A quoted text of rows, longer than what is looked at. */
static void a_text_that_looks_like_rows_is_refused_not_split(void)
{
    struct csv_case t = {{text}, .schema = "a text, b text", .border_bytes = 512};
    size_t at = (size_t)sprintf(text, "a,b\n1,2\n3,\"");
    int n_refused = 0;

    while (at < 20000)
        at += (size_t)sprintf(text + at, "%zu,5\n", at);
    sprintf(text + at, "\"\n6,7\n");
    NEED(read_whole(t));
    for (int n = 2; n < 20; n++) {
        enum outcome o = try_shares(t, n);

        CHECK(o != WRONG);
        n_refused += o == REFUSED;
    }
    CHECK(n_refused > 0);
    t.border_bytes = 0;
    for (int n = 2; n < 20; n++)
        CHECK(try_shares(t, n) == SAME);
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
          T(odd_quotes_and_bare_crs_are_cut_as_libcsv_reads_them),
          T(a_record_of_one_byte_at_the_end_is_read_behind_a_bare_cr),
          T(regular_quotes_are_told_from_around_the_border),
          T(rows_without_quotes_are_told_by_their_length), T(hostile_quotes_are_right_or_refused),
          T(every_border_of_small_files_is_exact),
          T(a_text_that_looks_like_rows_is_refused_not_split), T(several_files_are_cut_as_one),
          T(what_cannot_be_cut_goes_whole_to_one_share),
          T(a_share_says_which_it_is_even_if_it_is_empty))
