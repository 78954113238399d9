/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt_csv_table.h"

static void plain_rows_are_read(void)
{
    CHECK_STR(CSV({"a,b\n1,x\n2,y\n"}), "1|x\n2|y\n");
    CHECK_STR(CSV({"a,b\n1,x\n2,y"}), "1|x\n2|y\n");
    CHECK_STR(CSV({"a\tb\n1\tx,\n"}, .delim = '\t'), "1|x,\n");
}

static void a_bom_and_crlf_are_no_part_of_values(void)
{
    CHECK_STR(CSV({"\xef\xbb\xbf"
                   "a,b\r\n1,x\r\n2,\r\n3,z\n"}),
              "1|x\n2|<>\n3|z\n");
    CHECK_STR(CSV({"\xef\xbb\xbf"
                   "a,b\r\n1,x\r\n2,\r\n3,z\n"},
                  .stream = true),
              "1|x\n2|<>\n3|z\n");
}

static void empty_is_null_and_quoted_empty_is_not(void)
{
    CHECK_STR(CSV({"a,b\n,\"\"\n\"\",\n"}, "a text, b text"), "<>|\n|<>\n");
    CHECK_STR(CSV({"a,b\nNA,\"NA\"\nNAN,\n"}, "a text, b text", .null_text = "NA"),
              "<>|NA\nNAN|<>\n");
}

static void bytea_is_read_in_its_escapes(void)
{
    const char *want = "\\x00ff|1\n\\x6122|2\n<>|3\n\\x|4\n\\x5c01|5\n";
    const char *in = "a,b\n\\x00 Ff,1\n\"a\"\"\",2\n,3\n\"\",4\n\"\\\\\\001\",5\n";

    CHECK_STR(CSV({in}, "a bytea, b int"), want);
    CHECK_STR(CSV({"a,b\n\\x61,1\n\\xf,2\n"}, "a bytea, b int"),
              "! a.csv:3: column a: '\\xf' is not a bytea");
    CHECK_STR(CSV({"a,b\n\\x61,1\n\\1,2\n"}, "a bytea, b int"),
              "! a.csv:3: column a: '\\1' is not a bytea");
}

static void quotes_mean_what_they_mean_to_libcsv(void)
{
    CHECK_STR(CSV({"a,b\n\"x,\"\"y\"\"\",\"1\n2\"\n"}), "x,\"y\"|1\n2\n");
    CHECK_STR(CSV({"a,b\nsay \"hi\",x\n"}), "say \"hi\"|x\n");
    CHECK_STR(CSV({"a,b\n\"x\"y\",z\"\n1,2\n"}), "x\"y|z\"\n1|2\n");
    CHECK_STR(CSV({"a,b\n\"x\"y,z\",w\n"}), "x\"y,z|w\n");
    CHECK_STR(CSV({"a,b\n\"x,y\n"}, .no_quote = true), "\"x|y\n");
}

static void a_bare_cr_ends_a_row(void)
{
    CHECK_STR(CSV({"a,b\r1,x\r2,y\r"}), "1|x\n2|y\n");
    CHECK_STR(CSV({"a,b\n1,x\r2,y\n\"p\rq\",z\n"}, "a text, b text"), "1|x\n2|y\np\rq|z\n");
}

static void an_empty_line_is_a_row_of_one_column_only(void)
{
    CHECK_STR(CSV({"a\n1\n\n3\n\n"}), "1\n<>\n3\n<>\n");
    CHECK_STR(CSV({"a,b\n1,2\n\n\r\n\n"}), "1|2\n");
    CHECK_STR(CSV({"a,b\n1,2\n\n3,4\n"}),
              "! a.csv:3: 0 fields where 2 are expected (the row begins at byte 8)");
}

static void ragged_rows_are_refused_with_line_byte_and_counts(void)
{
    CHECK_STR(CSV({"a,b\n1,2\n3\n"}),
              "! a.csv:3: 1 field where 2 are expected (the row begins at byte 8)");
    CHECK_STR(CSV({"a,b\n\"1\n1\",2\n3,4,5\n"}, "a text, b text"),
              "! a.csv:4: 3 fields where 2 are expected (the row begins at byte 12)");
    CHECK_STR(CSV({"a,b\n\"1\n1\",2\n3,4,5\n"}, "a text, b text", .stream = true),
              "! a.csv:4: 3 fields where 2 are expected (the row begins at byte 12)");
}

static void bad_bytes_are_refused(void)
{
    CHECK_STR(CSV({"a,b\n1,x\n2,\xff\n"}), "! a.csv:3: column b: byte 0xff is not valid UTF-8 "
                                           "(field 2 of 2, the row begins at byte 8)");
    CHECK_STR(CSV({"a,b\n1,\"x\n2,y\n"}),
              "! a.csv:2: a quote is not closed before the end of the file (field 2 of 2, the row "
              "begins at byte 4)");
}

static void bytes_of_columns_not_asked_for_are_checked_too(void)
{
    static const char *const only_a[] = {"a", NULL};

    CHECK(strstr(CSV({"a,b\n1,\xc3\n"}, .columns = only_a), "not valid UTF-8") != NULL);
    CHECK(strstr(CSV({"a,b\n1,2,3\n"}, .columns = only_a), "3 fields where 2") != NULL);
}

static void a_bad_value_is_named_as_the_manual_says(void)
{
    CHECK_STR(CSV({"total_amount\n1.25\n\"12,5\"\n"}, "total_amount decimal(10,2)"),
              "! a.csv:3: column total_amount: '12,5' is not a decimal(10,2)");
    CHECK_STR(CSV({"n\n1\n40000\n"}, "n smallint"),
              "! a.csv:3: column n: '40000' is out of range for smallint");
    CHECK_STR(CSV({"n\n1\n\"\"\n"}, "n int"), "! a.csv:3: column n: '' is not an integer");
    CHECK_STR(CSV({"a,n\n1,1\n1,\n"}, "a int, n int NOT NULL"),
              "! a.csv:3: column n: an empty field, but it is NOT NULL");
}

static void values_of_all_types_are_read(void)
{
    CHECK_STR(CSV({"a,b,c,d,e,f\n-5, 1.5 ,12.3,2020-02-29,2020-01-01 12:34:56.5,true\n"
                   "2147483647,1e300,-0.01,0001-01-01,1999-12-31,f\n"},
                  "a int, b float8, c decimal(5,2), d date, e timestamp, f boolean"),
              "-5|1.5|12.30|2020-02-29|2020-01-01 12:34:56.5|true\n"
              "2147483647|1e+300|-0.01|0001-01-01|1999-12-31 00:00:00|false\n");
    CHECK_STR(CSV({"a,b,c,d\n127,65535,18446744073709551615,2020-01-01 00:00:00+02\n"},
                  "a tinyint, b usmallint, c ubigint, d timestamptz"),
              "127|65535|18446744073709551615|2019-12-31 22:00:00+00\n");
}

static void text_keeps_its_blanks(void)
{
    CHECK_STR(CSV({"a,b\n x , 7 \n"}, "a text, b int"), " x |7\n");
}

static void a_header_only_is_an_empty_table(void)
{
    CHECK_STR(CSV({"a,b\n"}), "");
    CHECK_STR(CSV({"a,b"}, .show_schema = true), "a text, b text");
}

static void an_empty_file_needs_a_schema(void)
{
    CHECK_STR(CSV({""}), "! a.csv: the file is empty: no columns to take from it (pass -s)");
    CHECK_STR(CSV({""}, "a int"), "");
    CHECK_STR(CSV({""}, "a int", .no_header = true), "");
    CHECK_STR(CSV({""}, "a int", .no_header = true, .stream = true), "");
}

static void a_bad_header_is_refused(void)
{
    CHECK_STR(CSV({"a,b,a\n"}), "! a.csv:1: the header has two columns named 'a'");
    CHECK_STR(CSV({"a,,c\n"}), "! a.csv:1: the header has no name for column 2 of 3");
}

static void two_thousand_columns_are_read(void)
{
    static char text[64000];
    size_t n = 0;

    for (int row = 0; row < 4; row++)
        for (int c = 0; c < 2000; c++)
            n += (size_t)sprintf(text + n, "%s%d%s", row ? "" : "c", c, c < 1999 ? "," : "\n");
    CSV({text}, .chunk_bytes = 5000);
    CHECK(strncmp(csv_out_text, "0|1|2|", 6) == 0);
    CHECK(strcmp(csv_out_text + csv_out_len - 10, "1998|1999\n") == 0);
}

/* All ways of reading give the same, odd rows and quoted line ends among them. */
static void chunks_threads_streams_and_builds_agree(void)
{
    static const char *const builds[] = {"portable", "avx2", "avx512"};
    static char text[60000], want[200000];
    size_t n = (size_t)sprintf(text, "id,name,amount\n");

    for (int i = 0; i < 700; i++)
        n += (size_t)sprintf(text + n, i % 7 ? "%d,\"a%cb\"\"%d\",%d.5\r\n" : "%d,x%c%d,%d\n", i,
                             i % 7 ? '\n' : '_', i, i * 3);
    for (int odd = 0; odd < 2; odd++) {
        if (odd)
            sprintf(text + n, "701,od\"d,1\n702,\"x\"y\",2\n703,z,3\n");
        strcpy(want, CSV({text}));
        CHECK(want[0] == '0');
        for (int b = 0; b < 3; b++) {
            setenv("BP_SIMD", builds[b], 1);
            for (int chunk = 1; chunk < 3000; chunk = chunk * 5 + 2)
                for (int k = 0; k < 4; k++)
                    CHECK_STR(CSV({text}, .chunk_bytes = chunk, .n_threads = 1 + (k & 1) * 2,
                                  .stream = k & 2, .batch_rows = chunk),
                              want);
        }
        unsetenv("BP_SIMD");
    }
}

static void the_next_file_begins_anew_behind_an_odd_one(void)
{
    static const char first[] = "a\nx\ry\n\"a text that goes on to the\nend of the file\"\n";
    static char next[400] = "a\n", want[2000];

    for (int i = 0; i < 30; i++)
        sprintf(next + strlen(next), "row%03d\n", i);
    strcpy(want, CSV({first, next}));
    for (int chunk = 1; chunk < 60; chunk++)
        for (int threads = 1; threads < 4; threads += 2)
            CHECK_STR(CSV({first, next}, .chunk_bytes = chunk, .n_threads = threads), want);
}

static void a_source_can_be_left_early(void)
{
    struct bp_ctx ctx = {.n_threads = 3, .batch_rows = 10};
    struct bp_csv_opts o = {.delim = ',', .quote = '"', .chunk_bytes = 50};
    static char text[40000] = "a,b\n";
    struct bp_source src;
    struct bp_input in;
    struct bp_batch b;
    struct bp_err err = {0};

    for (int i = 0; i < 3000; i++)
        strcat(text + 4 * (size_t)i, "1,2\n");
    NEED(bp_input_from_memory(&in, "a.csv", text, strlen(text), &err) == 0);
    NEED(bp_csv_source(&src, &in, 1, &o, &ctx, &err) == 0);
    CHECK(bp_source_next(&src, &b, &err) == 0);
    bp_batch_release(&b);
    bp_source_free(&src);
}

static void a_projection_decodes_the_columns_asked_for(void)
{
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 10};
    struct bp_csv_opts o = {.delim = ',', .quote = '"'};
    const int cols[] = {2, 0};
    struct bp_source src;
    struct bp_input in;
    struct bp_err err = {0};

    NEED(bp_input_from_memory(&in, "a.csv", "a,b,c\n1,2,3\n", 12, &err) == 0);
    NEED(bp_csv_source(&src, &in, 1, &o, &ctx, &err) == 0);
    NEED(bp_source_project(&src, cols, 2, &err) == 0);
    csv_out_len = 0;
    CHECK(csv_pull(&src, false, &err) == BP_DONE);
    CHECK_STR(csv_out_text, "3|1\n");
    bp_source_free(&src);
}

/* Records of all kinds; want: the line that each begins in. plain: nothing for the slow path. */
static void make_lines(char *text, char *want, int n, bool plain, bool crlf)
{
    static const char *const fields[] = {"x",      "\"q\"", "\"a\nb\"", "\"\r\n\"\"\r\n\"",
                                         "\"\r\"", ""};
    static const int more[] = {0, 0, 1, 2, 1, 0};
    int line = 3;

    text += sprintf(text, "a,\"b\r\nc\"%s", crlf ? "\r\n" : "\n");
    for (int i = 0; i < n; i++) {
        int k = (i * 7 + i / 5) % 6;
        bool odd = !plain && i % 23 == 22;

        text += sprintf(text, "%d,%s%s", i, odd ? "o\"dd" : fields[k],
                        i == n - 1              ? ""
                        : !plain && i % 31 == 9 ? "\r"
                        : crlf                  ? "\r\n"
                                                : "\n");
        want += sprintf(want, "%d\n", line);
        line += 1 + (odd ? 0 : more[k]);
    }
}

static void lines_are_counted_as_they_stand_in_the_file(void)
{
    static const char *const none[] = {NULL};
    static char text[20000], want[4000];

    for (int kind = 0; kind < 4; kind++) {
        make_lines(text, want, 150, kind & 1, kind & 2);
        for (int chunk = 1; chunk < 3000; chunk = chunk * 2 + 1)
            for (int threads = 1; threads < 4; threads += 2)
                for (int stream = 0; stream < 2; stream++)
                    CHECK_STR(CSV({text}, .columns = none, .line_name = "_line",
                                  .chunk_bytes = chunk, .n_threads = threads, .stream = stream != 0,
                                  .batch_rows = 1 + chunk % 9),
                              want);
    }
    CHECK_STR(CSV({"a\n1\n\n2\n", "a\n3\n"}, .line_name = "_line"), "1|2\n<>|3\n2|4\n3|2\n");
    CHECK_STR(CSV({"1\n2"}, .schema = "a int", .no_header = true, .line_name = "n"), "1|1\n2|2\n");
    CHECK_STR(CSV({"n,a\nx,1\n"}, .line_name = "n"), "x|1\n");
    CHECK_STR(CSV({"n\nx\n"}, .line_name = "l", .show_schema = true), "n text, l bigint");
}

UNIT_MAIN(T(plain_rows_are_read), T(a_bom_and_crlf_are_no_part_of_values),
          T(empty_is_null_and_quoted_empty_is_not), T(bytea_is_read_in_its_escapes),
          T(quotes_mean_what_they_mean_to_libcsv), T(a_bare_cr_ends_a_row),
          T(an_empty_line_is_a_row_of_one_column_only),
          T(ragged_rows_are_refused_with_line_byte_and_counts), T(bad_bytes_are_refused),
          T(bytes_of_columns_not_asked_for_are_checked_too),
          T(a_bad_value_is_named_as_the_manual_says), T(values_of_all_types_are_read),
          T(text_keeps_its_blanks), T(a_header_only_is_an_empty_table),
          T(an_empty_file_needs_a_schema), T(a_bad_header_is_refused),
          T(two_thousand_columns_are_read), T(chunks_threads_streams_and_builds_agree),
          T(the_next_file_begins_anew_behind_an_odd_one), T(a_source_can_be_left_early),
          T(a_projection_decodes_the_columns_asked_for),
          T(lines_are_counted_as_they_stand_in_the_file))
