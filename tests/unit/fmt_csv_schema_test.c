/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, schemas, inference. */
#include "fmt_csv_table.h"

#define SCHEMA(...) csv_read((struct csv_case){__VA_ARGS__, .show_schema = true})

static const char *const b_a[] = {"b", "A", NULL};
static const char *const order_id[] = {"order id", NULL};
static const char *const nope[] = {"nope", NULL};

static void columns_are_matched_by_name_in_the_schemas_order(void)
{
    CHECK_STR(CSV({"b,A,c\n1,2,3\n"}, "a int, c int, b int"), "2|3|1\n");
    CHECK_STR(SCHEMA({"b,A,c\n1,2,3\n"}, "c text, *"), "c text, b bigint, A bigint");
    CHECK_STR(SCHEMA({"1,2,3\n"}, "x text, *", .no_header = true), "x text, c2 bigint, c3 bigint");
}

static void chosen_columns_come_in_the_order_asked_for(void)
{
    CHECK_STR(CSV({"a,b\n1,2\n"}, .columns = b_a), "2|1\n");
    CHECK_STR(CSV({"a,b\n1,2\n"}, .columns = nope), "! no column 'nope'; there are: a, b");
}

static void a_missing_or_extra_column_is_named(void)
{
    CHECK_STR(CSV({"a,b\n"}, "a int, z int"),
              "! a.csv:1: no column 'z' in the header; there are: a, b");
    CHECK_STR(CSV({"a,b\n"}, "a int"),
              "! a.csv:1: column 'b' is not in the schema (end it with * to take all)");
    CHECK_STR(CSV({"a,b\n1,2\n", "a\n3\n"}),
              "! b.csv:1: no column 'b' in the header; there are: a");
    CHECK_STR(CSV({"1,2\n"}, "a int", .no_header = true),
              "! a.csv:1: 2 fields where the schema has 1 columns");
}

static void every_file_has_its_own_header(void)
{
    CHECK_STR(CSV({"a,b\n1,2\n", "b,a\n3,4\n"}), "1|2\n4|3\n");
    CHECK_STR(CSV({"a,b\n1,2\n", "a\n3\n"}, .missing_null = true), "1|2\n3|<>\n");
}

static void types_are_guessed_by_the_values(void)
{
    CHECK_STR(
        SCHEMA({"a,b,c,d,e,f,g,h\n1,1.5,true,2020-01-01,2020-01-01 10:00:00,2020-01-01 "
                "10:00:00Z,x,\n,2,false,1999-12-31,2020-01-02,2020-01-01 10:00:00+01,,\n"}),
        "a bigint, b double precision, c boolean, d date, e timestamp, f timestamptz, g text, "
        "h text");
    CHECK_STR(SCHEMA({"zip,big,one,f,n\n01001,9223372036854775808,0,1e3,NaN\n1,2,1,.5,1\n"}),
              "zip text, big text, one bigint, f double precision, n text");
    CHECK_STR(SCHEMA({"a,b,c\n 1 , 2020-01-01,NA\n2,2020-01-02 ,3\n"}, .null_text = "NA"),
              "a bigint, b date, c bigint");
    CHECK_STR(SCHEMA({"a,b\n\"1\",\"x\ny\"\r\n\"2\",\"\"\r\n"}), "a bigint, b text");
    CHECK_STR(SCHEMA({"a\n1\n", "a\nx\n"}), "a text");
    CHECK_STR(SCHEMA({"a\n1\n2.5"}, .stream = true), "a double precision");
}

static void a_broken_guess_says_what_to_pass(void)
{
    static char text[9500000];
    size_t n = (size_t)sprintf(text, "order id,v\n");

    while (n < 9400000)
        n += (size_t)sprintf(text + n, "%zu,some words to make it long\n", n);
    sprintf(text + n, "x7,y\n");
    CHECK(strstr(CSV({text}, .columns = order_id, .stream = true),
                 "column order id: 'x7' is not a bigint; the type bigint was guessed from a "
                 "sample: pass -s '\"order id\" text, *'") != NULL);
}

UNIT_MAIN(T(columns_are_matched_by_name_in_the_schemas_order),
          T(chosen_columns_come_in_the_order_asked_for), T(a_missing_or_extra_column_is_named),
          T(every_file_has_its_own_header), T(types_are_guessed_by_the_values),
          T(a_broken_guess_says_what_to_pass))
