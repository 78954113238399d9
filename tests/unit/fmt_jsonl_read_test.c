/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt_jsonl_table.h"

static void values_become_columns_by_key(void)
{
    CHECK_STR(JSONL({"{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}\n"}), "1|x\n2|y\n");
    CHECK_STR(JSONL({" { \"a\" : 1 , \"b\":\t\"x\" } \r\n\n{\"b\":null}"}), "1|x\n<>|<>\n");
    CHECK_STR(JSONL({"\xef\xbb\xbf{\"a\":1}\n"}), "1\n");
    CHECK_STR(JSONL({"{}\n{\"a\":1}\n{}\n"}), "<>\n1\n<>\n");
}

static void types_are_inferred_from_the_union_of_keys(void)
{
    CHECK_STR(JSONL({"{\"b\":true,\"i\":1,\"f\":1}\n{\"f\":1.5,\"d\":\"2020-01-02\",\"n\":null}\n"
                     "{\"ts\":\"2020-01-02T03:04:05\",\"tz\":\"2020-01-02T03:04:05Z\"}\n"
                     "{\"big\":9223372036854775808,\"l\":[1],\"o\":{},\"m\":1}\n{\"m\":\"1\"}\n"},
                    .show_schema = true),
              "b boolean, i bigint, f double precision, d date, n text, ts timestamp, "
              "tz timestamptz, big text, l bigint[], o text, m text");
    CHECK_STR(JSONL({"{\"a\":1}\n", "{\"b\":\"x\"}\n"}), "1|<>\n<>|x\n");
    CHECK_STR(JSONL({""}), "! a: no object to take the columns from: declare them with -s");
    CHECK_STR(JSONL({"{\"i\":1}\n{\"i\":1,\"x\":2}\n"}, .schema = "x decimal(4,2), *"),
              "<>|1\n2.00|1\n");
}

static void numbers_lose_nothing(void)
{
    CHECK_STR(
        JSONL({"{\"d\":123456789012345678901234567890.12,\"i\":9223372036854775807,"
               "\"u\":18446744073709551615,\"f\":0.1,\"t\":1.50}\n"
               "{\"d\":-0.1,\"i\":-9223372036854775808,\"f\":1e-7,\"t\":1e2}\n"
               "{\"d\":\"7\",\"i\":\"8\",\"f\":\"NaN\"}\n"},
              .schema = "d decimal(38,2), i bigint, u ubigint, f double precision, t text"),
        "123456789012345678901234567890.12|9223372036854775807|18446744073709551615|0.1|1.50\n"
        "-0.10|-9223372036854775808|<>|1e-07|1e2\n7.00|8|<>|NaN|<>\n");
}

static void strings_are_unescaped(void)
{
    CHECK_STR(JSONL({"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00fc\\u20ac\\ud83d\\ude00\"}\n"
                     "{\"a\":\"\"}\n{\"\\u0061\":\"a long one, longer than sixteen bytes\"}\n"}),
              "\"\\/\b\f\n\r\tA\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\n\n"
              "a long one, longer than sixteen bytes\n");
    CHECK_STR(
        JSONL({"{\"d\":\"2020\\u002d01-02\",\"x\":\"\\\\x00ff\"}\n"}, .schema = "d date, x bytea"),
        "2020-01-02|\\x00ff\n");
}

static void nested_values_are_text(void)
{
    CHECK_STR(JSONL({"{\"a\":{\"b\":[1, {\"c\":null}]},\"d\":[]}\n{\"a\":\"s\",\"d\":true}\n"}),
              "{\"b\":[1, {\"c\":null}]}|[]\ns|true\n");
    CHECK_STR(JSONL({"{\"a\":[1]}\n"}, .schema = "a int"),
              "! a:1: column a: a nested value is not an integer; a text column takes it as JSON: "
              "'[1]'");
}

static void what_is_no_json_is_refused_with_its_place(void)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"{\"a\":01}", "a number that begins with 0 (byte 13 of the file)"},
        {"{\"a\":+1}", "no JSON value (byte 13 of the file)"},
        {"{\"a\":.5}", "no JSON value (byte 13 of the file)"},
        {"{\"a\":1.}", "a number with no digit behind its point (byte 13 of the file)"},
        {"{\"a\":1e}", "a number with no digit in its exponent (byte 13 of the file)"},
        {"{\"a\":NaN}", "no JSON value (byte 13 of the file)"},
        {"{\"a\":nul}", "no JSON value (byte 13 of the file)"},
        {"{\"a\":1,}", "no key (byte 15 of the file)"},
        {"{\"a\":1", "the line ends in the middle of an object (jq -c . puts each on one line) "
                     "(byte 14 of the file)"},
        {"{\"a\"", "no colon behind a key (byte 12 of the file)"},
        {"{\"a\":\"x", "a string that is not closed on its line (byte 15 of the file)"},
        {"{\"a\":\"\\x\"}", "an escape that JSON does not have (byte 14 of the file)"},
        {"{\"a\":\"\\ud800\"}",
         "half of a surrogate pair, which is no character (byte 14 of the file)"},
        {"{\"a\":\"\t\"}",
         "a control character in a string, which wants an escape (byte 14 of the file)"},
        {"{\"a\":\"\xff\"}", "byte 0xff is not valid UTF-8 (byte 14 of the file)"},
        {"{\"a\":1} 2", "more behind the object; each has a line of its own (byte 16 of the file)"},
        {"{\"a\":1,\"a\":2}", "key 'a' twice in one object (byte 18 of the file)"},
        {"{\"a\":[1,2}", "no comma or ] behind a value (byte 17 of the file)"},
        {"{\"a\":{\"b\"}}", "no colon behind a key (byte 17 of the file)"},
        {"[1]", "a JSON array where an object is expected, one on each line (jq -c '.[]' makes "
                "them) (byte 8 of the file)"},
        {"\"a\"", "no JSON object, which begins with { (byte 8 of the file)"},
        {"{\"b\":1}", "key 'b' is not in the schema (end it with * to take all) (byte 9 of the "
                      "file)"},
    };
    char text[200], want[300];
    const char *says;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int stream = 0; stream < 2; stream++) {
            snprintf(text, sizeof text, "{\"a\":1}\n%s\n{\"a\":3}\n", cases[i].line);
            snprintf(want, sizeof want, "! a:2: %s", cases[i].why);
            CHECK_STR(JSONL({text}, .schema = "a text", .stream = stream), want);
            says = JSONL({text}, .schema = "a text", .chunk_bytes = 3, .n_threads = 2,
                         .stream = stream);
            CHECK(strstr(says, want)); /* behind the rows that came before */
        }
}

static void values_that_do_not_fit_are_refused_with_their_place(void)
{
    CHECK_STR(JSONL({"{\"a\":1}\n\n{\"a\":\"x\"}\n"}, .schema = "a int"),
              "! a:3: column a: 'x' is not an integer");
    CHECK_STR(JSONL({"{\"a\":1}\n{\"a\":3000000000}\n"}, .schema = "a int"),
              "! a:2: column a: '3000000000' is out of range for integer");
    CHECK_STR(JSONL({"{\"a\":1}\n{\"a\":\"\"}\n"}, .schema = "a int"),
              "! a:2: column a: '' is not an integer");
    CHECK_STR(JSONL({"{\"a\":1}\n{\"b\":1}\n"}, .schema = "a int NOT NULL, b int"),
              "! a:2: column a: NULL, but it is NOT NULL");
}

static void a_key_or_value_beyond_the_sample_says_what_to_pass(void)
{
    static char text[(10 << 20) + 100];
    size_t n = 0, late = 0;

    /* eight pieces of 1 MiB at even places: 1.1 MiB is between two of them */
    for (; n < (size_t)10 << 20; n += 32) {
        memcpy(text + n, "{\"a\":1}                        \n", 32);
        if (!late && n > 1126400)
            late = n;
    }
    memcpy(text + late, "{\"a\":\"x\"}", 9);
    CHECK(strstr(JSONL({text}), "column a: 'x' is not a bigint; the type bigint was guessed from a "
                                "sample: pass -s 'a text, *'"));
    memcpy(text + late, "{\"b\":12 }", 9);
    CHECK(strstr(JSONL({text}), "key 'b' was not in the sample that the columns were taken from: "
                                "pass -s 'b text, *'"));
}

static void only_wanted_columns_are_judged(void)
{
    static const char *const a[] = {"a", NULL};

    CHECK_STR(JSONL({"{\"a\":1,\"b\":\"x\"}\n"}, .schema = "a int, b int", .columns = a), "1\n");
    CHECK(strstr(JSONL({"{\"a\":1,\"b\":tru}\n"}, .schema = "a int, b int", .columns = a),
                 "no JSON value") != NULL);
}

static const char *sample(void)
{
    static char text[40000];
    size_t n = 0;

    for (int i = 0; i < 600; i++) {
        if (i % 7 == 3)
            n += (size_t)snprintf(text + n, sizeof text - n, "{\"t\":\"a\\nb %d\"}\r\n\n", i);
        else if (i % 11 == 5)
            n += (size_t)snprintf(text + n, sizeof text - n, "{\"i\":%d,\"l\":[%d,\"]\"]}\n", i, i);
        else
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  "{\"i\":%d, \"t\":\"text %d\", \"f\":%d.25}\n", i, i, i);
    }
    text[n - 1] = 0; /* the last line without LF */
    return text;
}

static void chunks_threads_and_batches_do_not_show(void)
{
    static char want[sizeof csv_out_text];
    const char *text = sample();

    strcpy(want, JSONL({text}));
    NEED(want[0] != '!');
    for (int chunk = 1; chunk < 400; chunk += chunk < 40 ? 1 : 37)
        for (int threads = 1; threads < 4; threads++)
            CHECK(strcmp(want, JSONL({text}, .chunk_bytes = chunk, .n_threads = threads,
                                     .batch_rows = 1 + chunk % 9, .stream = chunk % 2)) == 0);
}

static void every_line_is_in_exactly_one_share(void)
{
    static char want[sizeof csv_out_text];
    const char *text = sample();

    strcpy(want, JSONL({text, text}));
    for (int n = 1; n < 60; n += n < 10 ? 1 : 13) {
        for (int i = 0; i < n; i++)
            jsonl_read_more(
                (struct csv_case){{text, text}, .task = i, .n_tasks = n, .chunk_bytes = 1 + n * 31},
                NULL, i > 0);
        CHECK(strcmp(want, csv_out_text) == 0);
    }
}

static void an_error_in_a_share_counts_lines_from_the_start(void)
{
    static char text[4000];
    size_t n = 0;

    for (int i = 1; i <= 100; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              i == 77 ? "{\"a\":\"x\"}\n" : "{\"a\":%d}\n", i);
    for (int tasks = 1; tasks < 20; tasks++) {
        int said = 0;

        for (int i = 0; i < tasks; i++)
            if (strstr(JSONL({text}, .schema = "a int", .task = i, .n_tasks = tasks,
                             .chunk_bytes = 50),
                       "a:77: column a: 'x'"))
                said++;
        CHECK(said == 1);
    }
}

static void tolerated_lines_are_counted_and_left_out(void)
{
    static const char text[] = "{\"a\":1,\"b\":2}\nnonsense\n{\"a\":\"x\",\"b\":3}\n{\"a\":4}\n"
                               "{\"a\":5,\"b\":\"\xff\"}\n{\"c\":1}\n{\"a\":6,\"b\":[]}\n";
    struct csv_case t = {{text}, .schema = "a int, b int"};

    for (int chunk = 0; chunk < 100; chunk += 9) {
        struct bp_rejects skip = {.skip = true, .max_errors = -1}, null = {.max_errors = -1};

        t.chunk_bytes = chunk;
        t.n_threads = 1 + chunk % 2;
        CHECK_STR(jsonl_read_more(t, &skip, false), "1|2\n4|<>\n");
        CHECK(skip.n_rows == 5 && skip.n_values == 0);
        CHECK_STR(skip.first, "a:2: no JSON object, which begins with { (byte 14 of the file)");
        CHECK_STR(jsonl_read_more(t, &null, false), "1|2\n<>|3\n4|<>\n6|<>\n");
        CHECK(null.n_rows == 3 && null.n_values == 2);
        bp_rejects_free(&skip);
        bp_rejects_free(&null);
    }
}

UNIT_MAIN(T(values_become_columns_by_key), T(types_are_inferred_from_the_union_of_keys),
          T(numbers_lose_nothing), T(strings_are_unescaped), T(nested_values_are_text),
          T(what_is_no_json_is_refused_with_its_place),
          T(values_that_do_not_fit_are_refused_with_their_place),
          T(a_key_or_value_beyond_the_sample_says_what_to_pass), T(only_wanted_columns_are_judged),
          T(chunks_threads_and_batches_do_not_show), T(every_line_is_in_exactly_one_share),
          T(an_error_in_a_share_counts_lines_from_the_start),
          T(tolerated_lines_are_counted_and_left_out))
