/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op_table.h"

static struct bp_source mapped;

/* The names of the output, then its rows; marks are looked at in `mapped` before. */
static const char *open_map(struct bp_source in, enum bp_map_form form, const char *list)
{
    static char text[2200];
    struct bp_ctx ctx = table_ctx(1, 4);
    struct bp_clause clause = {.text = list};
    struct bp_err err = {0};

    if (bp_map_open(&mapped, &in, form, &clause, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        return text;
    }
    text[0] = '\0';
    for (int i = 0; i < mapped.schema.n_fields; i++) {
        strcat(text, i ? " " : "");
        strcat(text, mapped.schema.fields[i].name);
    }
    return text;
}

static const char *mark(const char *key)
{
    static char text[400];
    const char *v = bp_schema_meta(&mapped.schema, key);

    snprintf(text, sizeof text, "%s", v ? v : "none");
    return text;
}

static void a_select_list_picks_computes_and_names(void)
{
    CHECK_STR(open_map(table("a int, b text", "1,x;2,y;3,NULL;", 2), BP_MAP_SELECT,
                       "b, a * 10 AS c, a AS d"),
              "b c d");
    CHECK_STR(drain(&mapped), "x,10,1;y,20,2;NULL,30,3;");
}

static void a_plain_column_is_shared_not_copied(void)
{
    struct bp_source in = table("a int, b text", "1,x;2,y;", 2);
    const void *data = ((struct table *)in.self)->batches[0].cols[1].data;
    struct bp_err err = {0};
    struct bp_batch b;

    open_map(in, BP_MAP_SELECT, "b");
    NEED(bp_source_next(&mapped, &b, &err) == 0);
    CHECK(b.cols[0].data == data);
    bp_batch_release(&b);
    bp_source_free(&mapped);
}

static void added_columns_overwrite_in_place_or_append_and_see_those_before(void)
{
    CHECK_STR(open_map(table("a int, b int", "1,7;2,8;", 1), BP_MAP_ADD,
                       "a * 10 AS a, a * 2 AS c, c AS b"),
              "a b c");
    CHECK_STR(drain(&mapped), "10,20,20;20,40,40;");
}

static void columns_are_dropped_and_renamed(void)
{
    CHECK_STR(open_map(table("a int, b int, c int", "1,2,3;", 1), BP_MAP_DROP, "b"), "a c");
    CHECK_STR(drain(&mapped), "1,3;");
    CHECK_STR(open_map(table("a int, b int, c int", "1,2,3;", 1), BP_MAP_RENAME, "a AS b, b AS a"),
              "b a c");
    CHECK_STR(drain(&mapped), "1,2,3;");
    CHECK(strstr(open_map(table("a int, b int", "1,2;", 1), BP_MAP_RENAME, "a AS b"),
                 "two columns would be named 'b'"));
    CHECK(strstr(open_map(table("a int, b int", "1,2;", 1), BP_MAP_DROP, "x"), "no column 'x'"));
}

static void the_order_mark_keeps_the_items_whose_columns_stay(void)
{
    static const char order[] = "a DESC, b NULLS FIRST, c";
    const char *cols = "a int, b int, c int", *rows = "1,2,3;";

    open_map(table_meta(table(cols, rows, 1), BP_MARK_SORTED, order), BP_MAP_SELECT, "b AS x, a");
    CHECK_STR(mark(BP_MARK_SORTED), "a DESC, x NULLS FIRST");
    bp_source_free(&mapped);
    open_map(table_meta(table(cols, rows, 1), BP_MARK_SORTED, order), BP_MAP_DROP, "b");
    CHECK_STR(mark(BP_MARK_SORTED), "a DESC");
    bp_source_free(&mapped);
    open_map(table_meta(table(cols, rows, 1), BP_MARK_SORTED, order), BP_MAP_RENAME,
             "a AS b, b AS d");
    CHECK_STR(mark(BP_MARK_SORTED), "b DESC, d NULLS FIRST, c");
    bp_source_free(&mapped);
    open_map(table_meta(table(cols, rows, 1), BP_MARK_SORTED, order), BP_MAP_ADD, "a * 2 AS a");
    CHECK_STR(mark(BP_MARK_SORTED), "none");
    bp_source_free(&mapped);
}

static void the_partition_mark_stays_only_while_all_its_keys_do(void)
{
    static const char parted[] =
        "{\"classes\":[2,2],\"first\":0,\"keys\":[\"a\",\"b\"],\"last\":3,\"parts\":4}";
    const char *cols = "a int, b int, c int", *rows = "1,2,3;";

    open_map(table_meta(table(cols, rows, 1), BP_MARK_PARTED, parted), BP_MAP_RENAME, "b AS x");
    CHECK(strstr(mark(BP_MARK_PARTED), "[\"a\",\"x\"]"));
    bp_source_free(&mapped);
    open_map(table_meta(table(cols, rows, 1), BP_MARK_PARTED, parted), BP_MAP_DROP, "b");
    CHECK_STR(mark(BP_MARK_PARTED), "none");
    bp_source_free(&mapped);
    open_map(table_meta(table(cols, rows, 1), BP_MARK_PARTED, parted), BP_MAP_ADD, "a * 2 AS a");
    CHECK_STR(mark(BP_MARK_PARTED), "none");
    bp_source_free(&mapped);
}

static void a_partial_stream_is_refused(void)
{
    CHECK(strstr(
        open_map(table_meta(table("x int", "1;", 1), BP_MARK_PARTIAL, "{}"), BP_MAP_SELECT, "x"),
        "bp-reduce --final"));
}

/* Batches of the same twelve rows: the first are computed plainly, those behind them once for
 * each value (map_repeat.h), whatever turns out to be faster for the rest. */
#define TWELVE_ROWS "1,ab;2,ab;3,NULL;4,c;5,ab;6,ab;7,ab;8,ab;9,ab;10,c;11,ab;12,ab;"
#define REPEATED 8

static const char *repeated(const char *rows, const char *last)
{
    static char text[2200];

    text[0] = '\0';
    for (int i = 0; i < REPEATED - (last != NULL); i++)
        strcat(text, rows);
    return last ? strcat(text, last) : text;
}

static void values_computed_once_for_many_rows_are_those_of_each_row(void)
{
    struct {
        enum bp_map_form form;
        const char *list, *want;
    } tests[] = {
        {BP_MAP_SELECT, "upper(b) AS u, coalesce(length(b), 9) AS n",
         "AB,2;AB,2;NULL,9;C,1;AB,2;AB,2;AB,2;AB,2;AB,2;C,1;AB,2;AB,2;"},
        {BP_MAP_ADD, "upper(b) AS b, b || 'x' AS c, a * length(c) AS a, b = 'C' AS d, c AS e",
         "3,AB,ABx,0,ABx;6,AB,ABx,0,ABx;NULL,NULL,NULL,NULL,NULL;8,C,Cx,1,Cx;15,AB,ABx,0,ABx;18,AB,"
         "ABx,0,ABx;21,AB,ABx,0,ABx;24,AB,ABx,0,ABx;27,AB,ABx,0,ABx;20,C,Cx,1,Cx;33,AB,ABx,0,ABx;"
         "36,AB,ABx,0,ABx;"},
        {BP_MAP_ADD, "5 AS a, upper(b) || a::text AS t, length(b) * a AS n",
         "5,ab,AB5,10;5,ab,AB5,10;5,NULL,NULL,NULL;5,c,C5,5;5,ab,AB5,10;5,ab,AB5,10;5,ab,AB5,10;"
         "5,ab,AB5,10;5,ab,AB5,10;5,c,C5,5;5,ab,AB5,10;5,ab,AB5,10;"},
        {BP_MAP_ADD, "a::text AS b, lower(b) AS c, left(b, 1) AS d",
         "1,1,1,1;2,2,2,2;3,3,3,3;4,4,4,4;5,5,5,5;6,6,6,6;7,7,7,7;8,8,8,8;9,9,9,9;10,10,10,1;11,11,"
         "11,1;12,12,12,1;"},
    };

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        open_map(table("a int, b text", repeated(TWELVE_ROWS, NULL), 12), tests[i].form,
                 tests[i].list);
        CHECK_STR(drain(&mapped), repeated(tests[i].want, NULL));
    }
}

static void an_error_in_a_value_names_the_first_row_that_has_it(void)
{
    open_map(table("a int, b text",
                   repeated("0,10;0,11;0,10;0,10;0,10;0,10;0,10;0,10;", "0,10;0,10;0,x;0,x;"), 8),
             BP_MAP_SELECT, "b::int AS n");
    CHECK(strstr(drain(&mapped), "row 59") != NULL);
    open_map(table("a int, b text",
                   "0,1;0,1;0,1;0,1;"
                   "0,1;0,1;0,1;0,1;"
                   "0,1;0,1;0,x;0,x;",
                   4),
             BP_MAP_SELECT, "b::int AS n");
    CHECK_STR(drain(&mapped), "error: row 11: b::int: 'x' is not an integer");
}

UNIT_MAIN(T(a_select_list_picks_computes_and_names), T(a_plain_column_is_shared_not_copied),
          T(added_columns_overwrite_in_place_or_append_and_see_those_before),
          T(columns_are_dropped_and_renamed), T(the_order_mark_keeps_the_items_whose_columns_stay),
          T(the_partition_mark_stays_only_while_all_its_keys_do), T(a_partial_stream_is_refused),
          T(values_computed_once_for_many_rows_are_those_of_each_row),
          T(an_error_in_a_value_names_the_first_row_that_has_it))
