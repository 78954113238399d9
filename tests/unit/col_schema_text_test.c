/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of schemas (schema.h). */
#include "col/schema.h"
#include "unit.h"

static void print(const struct bp_schema *s, bool multiline, char *text, size_t size)
{
    struct bp_buf buf = {0};
    struct bp_err err = {0};
    const char *str;

    CHECK(bp_schema_print(s, multiline, &buf, &err) == 0);
    str = bp_buf_str(&buf, &err);
    snprintf(text, size, "%s", str ? str : "");
    bp_buf_release(&buf);
}

static const struct {
    const char *text, *printed;
    bool star;
} read_as[] = {
    {"a int", "a integer", false},
    {"a int, b text NOT NULL", "a integer, b text NOT NULL", false},
    {"a int,*", "a integer", true},
    {" * ", "", true},
    {"\n\ta int -- the first, really\n,b/* x /* y */ */text", "a integer, b text", false},
    {"\"b c\" decimal(10,2) null", "\"b c\" decimal(10,2)", false},
    {"\"say \"\"hi\"\"\" int, \"\" int", "\"say \"\"hi\"\"\" integer, \"\" integer", false},
    {"user text, select int, date date, not bool not null",
     "\"user\" text, \"select\" integer, date date, \"not\" boolean NOT NULL", false},
    {"PULocationID int, pulocationid int", "PULocationID integer, pulocationid integer", false},
    {"2020 int, 1st_day date, \xC3\xA4rger real",
     "\"2020\" integer, \"1st_day\" date, \xC3\xA4rger real", false},
    {"vendor text dictionary not null", "vendor text DICTIONARY NOT NULL", false},
    {"vendor text not null dictionary", "vendor text DICTIONARY NOT NULL", false},
    {"t timestamp(3) with time zone, u double precision not null",
     "t timestamptz(3), u double precision NOT NULL", false},
};

static void lists_are_read_and_printed_in_one_form(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(read_as); i++) {
        struct bp_schema s = {0}, again = {0};
        struct bp_err err = {0};
        char text[512];
        bool star = !read_as[i].star;

        CHECK(bp_schema_parse(read_as[i].text, &s, &star, &err) == 0);
        CHECK_STR(err.msg, "");
        CHECK(star == read_as[i].star);
        print(&s, false, text, sizeof text);
        CHECK_STR(text, read_as[i].printed);
        if (s.n_fields > 0) {
            print(&s, true, text, sizeof text);
            CHECK(bp_schema_parse(text, &again, &star, &err) == 0);
            CHECK(bp_schema_equal(&s, &again));
        }
        bp_schema_release(&s);
        bp_schema_release(&again);
    }
}

static void options_reach_the_field(void)
{
    struct bp_schema s = {0};
    struct bp_err err = {0};
    char text[64];
    bool star = true;

    NEED(bp_schema_parse("a text dictionary, b text not null", &s, &star, &err) == 0);
    CHECK(s.n_fields == 2 && !star);
    CHECK(s.fields[0].dict && s.fields[0].nullable);
    CHECK(!s.fields[1].dict && !s.fields[1].nullable);
    print(&s, true, text, sizeof text);
    CHECK_STR(text, "a text DICTIONARY,\nb text NOT NULL\n");
    bp_schema_release(&s);
}

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "schema: no columns; give them as 'a int, b text'"},
    {" -- nothing\n", "schema: no columns; give them as 'a int, b text'"},
    {"a", "schema, line 1: column 'a' has no type\n  a\n   ^"},
    {"a, b int", "schema, line 1: column 'a' has no type\n  a, b int\n   ^"},
    {"a int,", "schema, line 1: a column name is missing\n  a int,\n        ^"},
    {"a int b int", "schema, line 1: expected ',' or the end here (a column is a name, a type, and "
                    "NOT NULL, NULL or DICTIONARY)\n  a int b int\n        ^"},
    {"a int;", "schema, line 1: give the list of columns only, without ';'\n  a int;\n       ^"},
    {"(a int)", "schema, line 1: give the list of columns only, without brackets\n  (a int)\n  ^"},
    {"*, a int", "schema, line 1: '*' (the other columns) stands at the end\n  *, a int\n   ^"},
    {"a int,\n\tb c d,\ne int", "schema, line 2: column 'b': unknown type 'c'; there are boolean, "
                                "tinyint to bigint, utinyint to ubigint, real, double precision, "
                                "decimal(p,s), date, time, timestamp, timestamptz, interval, text, "
                                "bytea\n  \tb c d,\n  \t  ^"},
    {"\xC3\xA4 varchar(3)", "schema, line 1: column '\xC3\xA4': varchar(n): lengths are not kept "
                            "or checked; use text\n  \xC3\xA4 varchar(3)\n            ^"},
    {"a int, b int, a text", "schema, line 1: column 'a' stands twice\n  a int, b int, a text\n"
                             "                ^"},
    {"a int not", "schema, line 1: NULL is missing behind NOT\n  a int not\n           ^"},
    {"a int null not null",
     "schema, line 1: the column is declared NULL already\n  a int null not null\n             ^"},
    {"a int dictionary",
     "schema, line 1: only text can be a DICTIONARY\n  a int dictionary\n        ^"},
    {"\"a int", "schema, line 1: the quoted name does not end\n  \"a int\n  ^"},
    {"a /* int", "schema, line 1: the comment does not end\n  a /* int\n    ^"},
};

static void errors_show_the_place(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(refused); i++) {
        struct bp_schema s;
        struct bp_err err = {0};
        bool star = false;

        CHECK(bp_schema_parse(refused[i].text, &s, &star, &err) == BP_EUSAGE);
        CHECK_STR(err.msg, refused[i].message);
        CHECK(s.fields == NULL && s.n_fields == 0);
    }
}

static void a_long_line_is_cut_around_the_place(void)
{
    char text[4000] = "";
    struct bp_schema s;
    struct bp_err err = {0};
    bool star;
    const char *line, *caret;

    for (int i = 0; i < 200; i++)
        sprintf(text + strlen(text), "c%03d int, ", i);
    strcpy(strstr(text, "c150"), "\xE2\x82\xAC\xE2\x82\xAC oops, more int");
    NEED(bp_schema_parse(text, &s, &star, &err) == BP_EUSAGE);
    line = strchr(err.msg, '\n');
    NEED(line);
    caret = strrchr(err.msg, '\n');
    CHECK(strlen(err.msg) < 600);
    CHECK(strstr(line, "\xE2\x82\xAC oops, more int\n"));
    /* one column for each character, not for each byte: the two signs have three */
    CHECK((size_t)(strchr(caret, '^') - caret) == (size_t)(strstr(line, "oops") - line) - 4);
}

static void two_thousand_columns_are_read(void)
{
    static char text[40000];
    struct bp_schema s;
    struct bp_err err = {0};
    bool star;
    size_t len = 0;

    for (int i = 0; i < 2000; i++)
        len += (size_t)sprintf(text + len, "%scol_%d int", i ? ", " : "", i);
    NEED(bp_schema_parse(text, &s, &star, &err) == 0);
    CHECK(s.n_fields == 2000);
    CHECK_STR(s.fields[1999].name, "col_1999");
    bp_schema_release(&s);
}

UNIT_MAIN(T(lists_are_read_and_printed_in_one_form), T(options_reach_the_field),
          T(errors_show_the_place), T(a_long_line_is_cut_around_the_place),
          T(two_thousand_columns_are_read))
