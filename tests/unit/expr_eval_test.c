/* SPDX-License-Identifier: Apache-2.0 */
/* What expressions give; the wide comparison with PostgreSQL is tests/pipe/expr_postgres.py. */
#include "expr_rows.h"

static const char *const cells[] = {
    "1",
    "2",
    "1.5",
    "10.25",
    "abc",
    "2020-01-01",
    "2020-02-03 04:05:06",
    "t",
    "x",
    "2",
    "0",
    "NaN",
    "-3.10",
    NULL,
    NULL,
    NULL,
    "f",
    "y",
    NULL,
    "5",
    "-0",
    "0.00",
    "é",
    "1999-12-31",
    "1969-12-31 23:59:59.5",
    NULL,
    "z",
};
#define SCHEMA                                                                                     \
    "a int, b int, f float8, d decimal(10,2), s text, dt date, ts timestamp, ok boolean, "         \
    "\"user\" text"

#define IS(text, want) CHECK_STR(rows_eval(text), want)

static void three_valued_logic(void)
{
    rows_make(SCHEMA, cells, 3);
    IS("ok and true", "true|false|-");
    IS("ok and false", "false|false|false");
    IS("ok or true", "true|true|true");
    IS("ok or null", "true|-|-");
    IS("not ok", "false|true|-");
    IS("ok is not true", "false|true|true");
    IS("a is distinct from b", "true|true|true");
    CHECK_STR(rows_select("ok or a is null"), "0 2");
    rows_free();
}

static void a_value_nobody_asked_for_cannot_fail(void)
{
    rows_make(SCHEMA, cells, 3);
    IS("case when b = 0 then -1 else a / b end", "0|-1|-");
    IS("b <> 0 and a / b >= 0", "true|false|-");
    IS("b = 0 or a / b >= 0", "true|true|-");
    IS("coalesce(a, 1 / (b - 5))", "! row 3: 1 / (b - 5): division by zero: 1 / 0");
    IS("coalesce(b, 1 / 0)", "2|0|5");
    IS("case when false then 1/0 else 2 end", "2|2|2");
    CHECK_STR(rows_select("b <> 0 and 10 / b = 5"), "0");
    rows_free();
}

static void errors_in_values_name_row_expression_and_value(void)
{
    rows_make(SCHEMA, cells, 3);
    rows.first_row = 1000;
    IS("a / b + 1", "! row 1002: a / b: division by zero: 2 / 0");
    IS("(a + 2147483646) * 1",
       "! row 1002: a + 2147483646: 2 + 2147483646 is out of range for integer");
    IS("s::int", "! row 1001: s::int: 'abc' is not an integer");
    IS("cast(d as smallint) + cast(s as date)", "! row 1001: cast(s as date): 'abc' is not a date");
    rows_free();
}

static void try_gives_null_where_its_argument_fails(void)
{
    rows_make(SCHEMA, cells, 3);
    IS("try(a / b)", "0|-|-");
    IS("try(coalesce(a / b, 7))", "0|-|7");
    IS("coalesce(try(a / b), 7)", "0|7|7");
    IS("try(s::int)", "-|-|-");
    IS("try(try(1 / b) + 1)", "1|-|1");
    IS("case when b = 0 then try(1 / b) else b end", "2|-|5");
    rows_free();
}

static void literals_take_the_type_they_meet(void)
{
    rows_make(SCHEMA, cells, 3);
    IS("ts >= '2020-01-01'", "true|-|false");
    IS("ts >= :day", "true|-|false");
    IS("a = :n", "false|true|-");
    IS("b > '1'", "true|false|true");
    IS("f = 1.5", "true|false|false");
    IS("f = 'NaN'", "false|true|false");
    IS("2147483648 + 0", "2147483648|2147483648|2147483648");
    IS("9223372036854775808 + 1", "9223372036854775809|9223372036854775809|9223372036854775809");
    IS("a + -2147483648", "-2147483647|-2147483646|-");
    IS("- -5", "5|5|5");
    rows_free();
}

static void variables_are_values_and_never_text_of_the_clause(void)
{
    rows_make(SCHEMA, cells, 3);
    IS("s = :evil", "false|-|false");
    CHECK(strstr(rows_eval("a = :evil"), "'1) or (true' is not an integer") != NULL);
    IS("':n' || s", ":nabc|-|:né");
    IS("s::text", "abc|-|é");
    rows_free();
}

static void keywords_that_are_columns_are_columns(void)
{
    rows_make(SCHEMA, cells, 3);
    IS("user", "x|y|z");
    IS("user = 'x'", "true|false|false");
    IS("USER || 'y'", "xy|yy|zy");
    rows_free();
    rows_make("select int, \"from\" int, \"end\" int, \"order\" int, \"limit\" int, \"case\" int, "
              "\"Group\" int, \"left\" int, \"time\" time, current_date date",
              (const char *const[]){"1", "2", "3", "4", "5", "6", "7", "8", "10:00", "2020-02-02"},
              1);
    IS("select + from + end + order", "10");
    IS("limit", "5");
    IS("case when end = 3 then limit end", "5");
    IS("\"case\" + group", "13");
    IS("left + left", "16");
    IS("time > '09:00'", "true");
    IS("current_date + 1", "2020-02-03");
    rows_free();
}

static void names_keep_their_case_and_length(void)
{
#define LONG "a234567890123456789012345678901234567890123456789012345678901234567890"
    rows_make("\"Ab\" int, \"aB\" int, c int, " LONG " int, \"x.csv y\" int",
              (const char *const[]){"1", "2", "3", "4", "5"}, 1);
    IS("Ab", "1");
    IS("aB", "2");
    IS("C", "3");
    IS(LONG, "4");
    IS("\"x.csv y\"", "5");
    CHECK(strstr(rows_eval("AB"), "more than one column") != NULL);
    rows_free();
}

/* Text as a dictionary: values once, codes per row. */
static void dictionaries_give_what_plain_text_gives(void)
{
    static const char *const exprs[] = {"s = 'abc'",
                                        "upper(s)",
                                        "s like '%b%'",
                                        "length(s)",
                                        "s || s",
                                        "s is null",
                                        "s in ('abc','b','c','d','e')",
                                        "coalesce(s, 'none')",
                                        "try(s::int)",
                                        "s = \"user\""};
    struct bp_column values = {0}, plain;
    struct bp_dict *dict;
    struct bp_builder b;
    struct bp_err err = {0};
    static const int32_t codes[] = {1, 0, 0};

    rows_make(SCHEMA, cells, 3);
    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    NEED(bp_builder_add_bytes(&b, "é", 2, &err) == 0 &&
         bp_builder_add_bytes(&b, "abc", 3, &err) == 0);
    NEED(bp_builder_finish(&b, &values, &err) == 0);
    NEED(bp_dict_new(&dict, &values, &err) == 0);
    for (size_t i = 0; i < BP_COUNT_OF(exprs); i++) {
        char want[4096];

        snprintf(want, sizeof want, "%s", rows_eval(exprs[i]));
        plain = rows.cols[4];
        rows.cols[4].data = codes;
        rows.cols[4].dict = dict;
        CHECK_STR(rows_eval(exprs[i]), want);
        rows.cols[4] = plain;
    }
    bp_dict_unref(dict);
    rows_free();
}

/* A batch that is longer than a word of bits, with nulls: all ways of selecting agree. */
static void selection_agrees_with_values(void)
{
    static const char *const exprs[] = {"i < 100",
                                        "i >= 0",
                                        "i < 0",
                                        "i % 3 = 1",
                                        "i > 50 and i % 7 < 3",
                                        "i > 50 and 100 / (i - 200) < 0 or i = 200",
                                        "j is null",
                                        "j = i",
                                        "j > 10 and j < 190 and i::text like '%7%'",
                                        "i in (1, 64, 65, 127, 128, 199)",
                                        "not (j = i)"};
    const char *cell[2 * 200];
    static char text[200][12];

    for (int i = 0; i < 200; i++) {
        snprintf(text[i], sizeof text[i], "%d", i);
        cell[2 * i] = text[i];
        cell[2 * i + 1] = i % 5 == 0 ? NULL : text[i];
    }
    rows_make("i int, j bigint", cell, 200);
    for (size_t k = 0; k < BP_COUNT_OF(exprs); k++) {
        char want[4096] = "";
        const char *v = rows_eval(exprs[k]);
        size_t len = 0;

        for (int i = 0; i < 200; i++) {
            if (strncmp(v, "true", 4) == 0)
                len += (size_t)snprintf(want + len, sizeof want - len, len ? " %d" : "%d", i);
            v = strchr(v, '|');
            v = v ? v + 1 : "";
        }
        CHECK_STR(rows_select(exprs[k]), want);
    }
    rows_free();
}

static void days_of_instants_are_rounded_down(void)
{
    static const char *const days[] = {
        "1970-01-01 00:00:00",
        "1969-12-31 23:59:59",
        "1969-12-31 23:59:59.999999999",
        "1969-12-31 23:59:59.999999",
        "2262-04-11 00:00:00",
        "1677-09-21 00:12:44",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "1970-01-02 00:00:00",
        "290000-12-31 23:59:59.999999",
        "290000-01-01 00:00:00",
        "2000-02-29 12:00:00",
        NULL,
        NULL,
        NULL,
    };

    rows_make("us timestamp, s timestamp(0), ns timestamp(9)", days, 5);
    IS("us::date", "1970-01-01|1969-12-31|0001-01-01|290000-12-31|-");
    IS("s::date", "1969-12-31|2262-04-11|9999-12-31|290000-01-01|-");
    IS("ns::date", "1969-12-31|1677-09-21|1970-01-02|2000-02-29|-");
    rows_free();
}

static void short_texts_are_equal_in_every_byte_and_in_length(void)
{
    static const char *const texts[] = {"",          "a",  "ab", "abcdefg", "abcdefgh",
                                        "abcdefghi", NULL, "b",  "ba",      "Abcdefgh"};

    rows_make("s text", texts, 10);
    CHECK_STR(rows_select("s = 'a'"), "1");
    CHECK_STR(rows_select("'ab' = s"), "2");
    CHECK_STR(rows_select("s = 'abcdefg'"), "3");
    CHECK_STR(rows_select("s = 'abcdefgh'"), "4");
    CHECK_STR(rows_select("s = 'abcdefghi'"), "5");
    CHECK_STR(rows_select("s = ''"), "0");
    CHECK_STR(rows_select("s <> 'abcdefgh'"), "0 1 2 3 5 7 8 9");
    rows_free();
}

UNIT_MAIN(T(three_valued_logic), T(a_value_nobody_asked_for_cannot_fail),
          T(errors_in_values_name_row_expression_and_value),
          T(try_gives_null_where_its_argument_fails), T(literals_take_the_type_they_meet),
          T(variables_are_values_and_never_text_of_the_clause),
          T(keywords_that_are_columns_are_columns), T(names_keep_their_case_and_length),
          T(dictionaries_give_what_plain_text_gives), T(selection_agrees_with_values),
          T(days_of_instants_are_rounded_down),
          T(short_texts_are_equal_in_every_byte_and_in_length))
