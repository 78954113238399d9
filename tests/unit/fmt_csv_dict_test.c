/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is read as a dictionary: where, and that its rows are those of plain text. */
#include "flow/marks.h"
#include "fmt_csv_table.h"

static char want[sizeof csv_out_text];

/* How many rows come before an error is left to the chunks. */
static const char *ending(const char *s)
{
    const char *error = strchr(s, '!');

    return error ? error : s;
}

/* Column k, declared, reads the same as a dictionary as it does plain: in chunks of any size, by
 * one thread and by three, from a file and from a stream. */
static void check_same(struct csv_case t)
{
    int least = strlen(t.text[0]) < 100000 ? 1 : 50000, most = least * 5000;

    t.schema = "n int, k text";
    strcpy(want, csv_read(t));
    t.schema = "n int, k text DICTIONARY";
    for (int chunk = least; chunk < most; chunk = chunk * 9 + 4)
        for (int i = 0; i < 4; i++) {
            t.chunk_bytes = chunk;
            t.n_threads = i & 1 ? 3 : 1;
            t.stream = i & 2;
            CHECK_STR(ending(csv_read(t)), ending(want));
        }
}

static void values_of_every_length_keep_their_bytes(void)
{
    static char text[200000];
    size_t n = (size_t)sprintf(text, "n,k\n");

    for (int i = 0; i < 3000; i++)
        n += (size_t)sprintf(text + n, "%d,%.*s\n", i, i * 7 % 41,
                             "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz" + i % 3);
    check_same((struct csv_case){{text}});
}

static void quotes_nulls_and_empty_texts_are_told_apart(void)
{
    static char text[40000];
    size_t n = (size_t)sprintf(text, "n,k\r\n");
    static const char *const fields[] = {"x",
                                         "",
                                         "\"\"",
                                         "\"a\"\"b\"",
                                         "\"a,b\"",
                                         "\"\"\"\"",
                                         "\"one\ntwo\"",
                                         "NA",
                                         "\"NA\"",
                                         "x\"",
                                         "\"a much longer text, of \"\"words\"\"\"",
                                         "\xc3\xa4\xc3\xb6"};

    for (int i = 0; i < 600; i++) /* field 9 is odd: libcsv reads on from there */
        n += (size_t)sprintf(text + n, "%d,%s\r\n", i, fields[i % (i < 400 ? 9 : 12)]);
    check_same((struct csv_case){{text}});
    check_same((struct csv_case){{text}, .null_text = "NA"});
}

/* Where no quote is near, fields are read by another loop than where there are some. */
static void a_null_is_none_where_the_empty_text_was_seen_before(void)
{
    static char text[60000];
    size_t n = (size_t)sprintf(text, "n,k\n");

    for (int i = 0; i < 4000; i++)
        n += (size_t)sprintf(text + n, "%d,%s\n", i, i < 3 ? "\"\"" : i % 3 ? "" : "x");
    check_same((struct csv_case){{text}});
    CHECK(strstr(want, "2|\n3|x\n4|<>\n5|<>\n6|x\n"));
}

static void errors_are_the_same(void)
{
    check_same((struct csv_case){{"n,k\n1,a\n2,b\nx,a\n"}});
    check_same((struct csv_case){{"n,k\n1,a\n2,\xff\xfe\n"}});
    check_same((struct csv_case){{"n,k\n1,a\n2\n"}});
}

/* ---- the rule ---- */

#define TEXT_BYTES ((size_t)3 << 20)
static char text[TEXT_BYTES + 200];

/* Rows of n, and of k as `value` gives it, of at least `bytes`. */
static void fill(size_t bytes, const char *(*value)(int i))
{
    size_t n = (size_t)sprintf(text, "n,k\n");

    for (int i = 0; n < bytes; i++)
        n += (size_t)sprintf(text + n, "%d,%s\n", i % 1000, value(i));
}

static const char *few(int i)
{
    static char room[40];

    snprintf(room, sizeof room, "station number %d", i * 7 % 4000);
    return room;
}

static const char *own(int i)
{
    static char room[40];

    snprintf(room, sizeof room, "key%d", i);
    return room;
}

/* The columns, and how those that are dictionaries came to it. */
static const char *columns_of(struct csv_case t)
{
    static const char *const kinds[] = {"", " declared", " found"};
    static char out[200];
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 8192};
    struct bp_schema schema = {0};
    struct bp_source src = {0};
    struct bp_input in;
    struct bp_err err = {0};
    bool star = false;
    size_t n = 0;

    if (t.schema)
        CHECK(bp_schema_parse(t.schema, &schema, &star, &err) == 0);
    CHECK(bp_input_from_memory(&in, "a.csv", text, strlen(text), &err) == 0);
    in.is_file = !t.stream;
    CHECK(csv_case_open(&t, t.schema ? &schema : NULL, star, &in, 1, &ctx, &src, &err) == 0);
    for (int i = 0; i < src.schema.n_fields; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s%s", i ? ", " : "",
                              src.schema.fields[i].name, kinds[src.schema.fields[i].dict]);
    bp_source_free(&src);
    bp_schema_release(&schema);
    return out;
}

#define COLUMNS(...) columns_of((struct csv_case){{text}, __VA_ARGS__})

static void text_of_few_values_is_a_dictionary(void)
{
    fill(TEXT_BYTES, few);
    for (int stream = 0; stream < 2; stream++) {
        CHECK_STR(COLUMNS(.stream = stream), "n, k found");
        CHECK_STR(COLUMNS("k text, *", .stream = stream), "k found, n");
        CHECK_STR(COLUMNS("k text, n int", .stream = stream), "k found, n");
        CHECK_STR(COLUMNS("n text, k text", .stream = stream), "n found, k found");
        CHECK_STR(COLUMNS("n int, k text DICTIONARY", .stream = stream), "n, k declared");
    }
    CHECK_STR(COLUMNS("n text, k text", .no_header = true), "n found, k found");
}

static void text_of_many_values_stays_plain(void)
{
    fill(TEXT_BYTES, own);
    CHECK_STR(COLUMNS(NULL), "n, k");
    CHECK_STR(COLUMNS("n int, k text", .stream = true), "n, k");
    CHECK_STR(COLUMNS("n int, k text DICTIONARY"), "n, k declared");
}

/* Each a hundred times, and then never again. */
static const char *session(int i)
{
    static char room[40];

    snprintf(room, sizeof room, "session%d", i / 1000 * 10 + i % 10);
    return room;
}

static void text_whose_values_come_and_go_stays_plain(void)
{
    fill(TEXT_BYTES, session);
    CHECK_STR(COLUMNS(NULL), "n, k");
    CHECK_STR(COLUMNS("n int, k text", .stream = true), "n, k");
}

/* Beside 10 and 9,007 there is room for another 7,000, not for 9,013. */
static void those_with_the_fewest_values_come_first(void)
{
    size_t n = (size_t)sprintf(text, "b,a,c\n");

    for (int i = 0; n < TEXT_BYTES; i++)
        n += (size_t)sprintf(text + n, "b%d,a%d,c%d\n", i * 7 % 9013, i % 10, i * 11 % 9007);
    CHECK_STR(COLUMNS(NULL), "b, a found, c found");
    CHECK_STR(COLUMNS("b text, a text, c text", .stream = true), "b, a found, c found");
}

static void a_small_input_tells_nothing(void)
{
    fill((1 << 20) - 100, few);
    CHECK_STR(COLUMNS(NULL), "n, k");
    CHECK_STR(COLUMNS("n int, k text", .stream = true), "n, k");
}

/* All shares have the schema of the whole. */
static void shares_decide_alike(void)
{
    struct csv_case t = {{text}, .schema = "n int, k text", .n_tasks = 50};

    fill(TEXT_BYTES, few);
    for (t.task = 0; t.task < 50; t.task += 7)
        CHECK_STR(columns_of(t), "n, k found");
}

/* Few at first, then each row its own: dictionaries begin anew, and rows keep their values. */
static const char *later_own(int i)
{
    return i < 60000 ? few(i) : own(i);
}

static void a_dictionary_that_grows_too_large_begins_anew(void)
{
    fill(TEXT_BYTES, later_own);
    CHECK_STR(COLUMNS("n int, k text"), "n, k"); /* the sample is of all of the file */
    CHECK_STR(COLUMNS("n int, k text", .stream = true), "n, k found");
    check_same((struct csv_case){{text}});
}

static void codes_count_values_in_the_order_of_rows(void)
{
    struct bp_ctx ctx = {.n_threads = 3, .batch_rows = 777};
    struct bp_csv_opts o = {.delim = ',', .quote = '"', .chunk_bytes = 1000};
    struct bp_source src;
    struct bp_input in;
    struct bp_err err = {0};
    struct bp_batch b;
    int32_t most = -1;

    fill(TEXT_BYTES, few);
    NEED(bp_input_from_memory(&in, "a.csv", text, strlen(text), &err) == 0);
    NEED(bp_csv_source(&src, &in, 1, &o, &ctx, &err) == 0);
    while (bp_source_next(&src, &b, &err) == 0) {
        const int32_t *codes = b.cols[1].data;

        NEED(b.cols[1].dict != NULL && b.cols[0].dict == NULL);
        for (int64_t i = 0; i < b.n_rows; i++) {
            CHECK(codes[i] >= 0 && codes[i] <= most + 1);
            most = BP_MAX(most, codes[i]);
        }
        bp_batch_release(&b);
    }
    CHECK(!err.code && most == 3999);
    bp_source_free(&src);
}

UNIT_MAIN(T(values_of_every_length_keep_their_bytes),
          T(quotes_nulls_and_empty_texts_are_told_apart),
          T(a_null_is_none_where_the_empty_text_was_seen_before), T(errors_are_the_same),
          T(text_of_few_values_is_a_dictionary), T(text_of_many_values_stays_plain),
          T(text_whose_values_come_and_go_stays_plain), T(those_with_the_fewest_values_come_first),
          T(a_small_input_tells_nothing), T(shares_decide_alike),
          T(a_dictionary_that_grows_too_large_begins_anew),
          T(codes_count_values_in_the_order_of_rows))
