/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op/unite.h"
#include "op_table.h"

static struct bp_source joined;

static const char *open_union(struct bp_source a, struct bp_source b)
{
    static char text[2200];
    struct bp_source ins[2] = {a, b};
    struct bp_err err = {0};

    if (bp_union_open(&joined, ins, 2, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        return text;
    }
    return "open";
}

static struct bp_source named(struct bp_source s, const char *name)
{
    struct bp_err err = {0};

    s.name = bp_mem_str(name, &err);
    return s;
}

static void inputs_come_one_after_the_other(void)
{
    CHECK_STR(open_union(table("a int", "1;2;3;", 2), table("a int", "4;5;", 1)), "open");
    CHECK_STR(drain(&joined), "1;2;3;4;5;");
    CHECK_STR(open_union(table("a int", "", 2), table("a int", "4;", 1)), "open");
    CHECK_STR(drain(&joined), "4;");
}

static void a_difference_names_the_column_and_both_inputs(void)
{
    CHECK_STR(open_union(named(table("a int, b int", "", 1), "x.csv"),
                         named(table("a int, b text", "", 1), "y.csv")),
              "inputs differ: column 'b' is integer in x.csv but text in y.csv; give both the same "
              "type (bp-map -a, or -s when reading)");
    CHECK_STR(open_union(named(table("a int", "", 1), "x.csv"),
                         named(table("a int, b text", "", 1), "y.csv")),
              "inputs differ: column 'b' of y.csv is not in x.csv; where files are read, --missing "
              "null makes it NULL there");
    CHECK(strstr(open_union(named(table("a int, c int", "", 1), "x.csv"),
                            named(table("a int, b int", "", 1), "y.csv")),
                 "column 'c' of x.csv is not in y.csv"));
}

static void columns_match_by_name_and_the_wider_type_wins(void)
{
    static const int cols[] = {1};
    struct bp_err err = {0};

    CHECK_STR(
        open_union(table("a int, b smallint", "1,2;", 1), table("b bigint, a int", "3,4;5,6;", 1)),
        "open");
    CHECK(joined.schema.fields[1].type.kind == BP_INT64);
    CHECK_STR(drain(&joined), "1,2;4,3;6,5;");
    CHECK_STR(
        open_union(table("a int, b smallint", "1,2;", 1), table("b bigint, a int", "3,4;5,6;", 1)),
        "open");
    NEED(bp_source_project(&joined, cols, 1, &err) == 0);
    CHECK_STR(drain(&joined), "2;3;5;");
}

static bool widens(const char *a, const char *b, const char *want)
{
    struct bp_schema s = {0};
    struct bp_err err = {0};
    struct bp_type t, back;
    char text[200];
    bool star, ok, same;

    snprintf(text, sizeof text, "a %s, b %s, c %s", a, b, want ? want : "int");
    if (bp_schema_parse(text, &s, &star, &err) < 0)
        return false;
    ok = bp_widen(s.fields[0].type, s.fields[1].type, &t);
    same = bp_widen(s.fields[1].type, s.fields[0].type, &back) == ok &&
           (!ok || bp_type_equal(t, back));
    ok = want ? ok && bp_type_equal(t, s.fields[2].type) : !ok;
    bp_schema_release(&s);
    return ok && same;
}

static void wider_types_hold_all_values_of_both(void)
{
    CHECK(widens("smallint", "bigint", "bigint"));
    CHECK(widens("usmallint", "smallint", "int"));
    CHECK(widens("ubigint", "bigint", "decimal(20,0)"));
    CHECK(widens("utinyint", "uinteger", "uinteger"));
    CHECK(widens("real", "double precision", "double precision"));
    CHECK(widens("smallint", "real", "real"));
    CHECK(widens("int", "real", "double precision"));
    CHECK(widens("bigint", "double precision", NULL));
    CHECK(widens("decimal(10,2)", "decimal(8,4)", "decimal(12,4)"));
    CHECK(widens("decimal(38,0)", "decimal(38,2)", NULL));
    CHECK(widens("int", "decimal(4,2)", "decimal(12,2)"));
    CHECK(widens("timestamp(0)", "timestamp(9)", "timestamp(9)"));
    CHECK(widens("timestamp", "timestamptz", NULL));
    CHECK(widens("date", "timestamp", NULL));
    CHECK(widens("text", "int", NULL));
}

static void only_wanted_columns_come(void)
{
    static const int cols[] = {2, 0}, again[] = {1};
    struct bp_err err = {0};

    for (int twice = 0; twice < 2; twice++) {
        CHECK_STR(open_union(table("a int, b int, c int", "1,2,3;4,5,6;", 1),
                             table("a int, b int, c int", "7,8,9;", 1)),
                  "open");
        NEED(bp_source_project(&joined, cols, 2, &err) == 0);
        if (twice)
            NEED(bp_source_project(&joined, again, 1, &err) == 0);
        CHECK(joined.schema.n_fields == (twice ? 1 : 2));
        CHECK_STR(drain(&joined), twice ? "1;4;7;" : "3,1;6,4;9,7;");
    }
}

static void the_order_mark_goes(void)
{
    open_union(table_meta(table("a int", "1;", 1), BP_MARK_SORTED, "a"), table("a int", "", 1));
    CHECK(!bp_schema_meta(&joined.schema, BP_MARK_SORTED));
    bp_source_free(&joined);
}

static void all_shares_together_are_the_whole_and_some_are_not(void)
{
    open_union(table_share(table("a int", "1;", 1), 0, 2),
               table_share(table("a int", "2;", 1), 1, 2));
    CHECK(!bp_schema_meta(&joined.schema, BP_MARK_TASK));
    bp_source_free(&joined);
    open_union(table_share(table("a int", "1;", 1), 0, 3),
               table_share(table("a int", "2;", 1), 1, 3));
    CHECK(bp_schema_meta(&joined.schema, BP_MARK_TASK));
    bp_source_free(&joined);
    CHECK(strstr(open_union(table_share(table("a int", "1;", 1), 0, 3), table("a int", "2;", 1)),
                 "no share"));
}

UNIT_MAIN(T(inputs_come_one_after_the_other), T(only_wanted_columns_come),
          T(a_difference_names_the_column_and_both_inputs),
          T(columns_match_by_name_and_the_wider_type_wins), T(wider_types_hold_all_values_of_both),
          T(the_order_mark_goes), T(all_shares_together_are_the_whole_and_some_are_not))
