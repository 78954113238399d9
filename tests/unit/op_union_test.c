/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
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
              "inputs differ: column 'b' of y.csv is not in x.csv");
    CHECK_STR(open_union(named(table("a int, c int", "", 1), "x.csv"),
                         named(table("a int, b int", "", 1), "y.csv")),
              "inputs differ: column 2 is 'c' in x.csv but 'b' in y.csv");
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
          T(a_difference_names_the_column_and_both_inputs), T(the_order_mark_goes),
          T(all_shares_together_are_the_whole_and_some_are_not))
