/* SPDX-License-Identifier: Apache-2.0 */
#include "op/range.h"

#include "op/op.h"
#include "op_table.h"

static struct bp_ctx ctx;

static const char *borders(struct bp_source in, const char *order, int parts)
{
    static char text[2200];
    struct bp_clause clause = {.text = order};
    struct bp_err err = {0};
    struct bp_source s;

    ctx = table_ctx(1, 4);
    if (bp_borders_open(&s, &in, &clause, parts, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "error: %s", err.msg);
        return text;
    }
    return drain(&s);
}

/* The partition of each row of rows, "0 1 1 ", by borders given as a table. */
static const char *route(struct bp_source rows, struct bp_source borders_table, const char *order)
{
    static char text[2200];
    struct bp_clause clause = {.text = order};
    struct bp_range *r;
    struct bp_batch b;
    struct bp_err err = {0};
    uint32_t part[64];
    size_t len = 0;

    ctx = table_ctx(1, 4);
    text[0] = '\0';
    if (bp_range_open(&r, &borders_table, &clause, &rows.schema, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "error: %s", err.msg);
        bp_source_free(&rows);
        return text;
    }
    while (bp_source_next(&rows, &b, &err) == 0) {
        const struct bp_stage_router *by = bp_range_router(r);

        table_must(by->route(by->self, &b, part, &err), &err);
        for (int64_t i = 0; i < b.n_rows; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%u ", part[i]);
        bp_batch_release(&b);
    }
    bp_range_free(r);
    bp_source_free(&rows);
    return text;
}

static void borders_begin_parts_of_equal_size(void)
{
    const char *rows = "5,a;1,b;4,c;2,d;3,e;0,f;7,g;6,h;";

    for (int n = 1; n < 9; n++) {
        CHECK_STR(borders(table("k int, t text", rows, n), "k", 4), "2;4;6;");
        CHECK_STR(borders(table("k int, t text", rows, n), "k DESC", 2), "3;");
        CHECK_STR(borders(table("k int, t text", rows, n), "k", 1), "");
        CHECK_STR(borders(table("k int, t text", rows, n), "t, k", 3), "c,4;f,0;");
    }
    CHECK_STR(borders(table("k int", "1;NULL;2;NULL;", 9), "k NULLS FIRST", 4), "NULL;1;2;");
    CHECK_STR(borders(table("k int", "1;NULL;2;NULL;", 9), "k", 4), "2;NULL;NULL;");
}

static void fewer_rows_than_parts_repeat_and_no_rows_give_none(void)
{
    CHECK_STR(borders(table("k int", "1;2;", 9), "k", 5), "1;1;2;2;");
    CHECK_STR(borders(table("k int", "", 9), "k", 5), "");
}

static void borders_are_of_columns_and_of_a_whole_table(void)
{
    CHECK(strstr(borders(table("k int", "1;", 9), "k + 1", 5), "columns"));
    CHECK(
        strstr(borders(table_share(table("k int", "1;", 9), 0, 2), "k", 5), "only 1 of 2 shares"));
}

static void a_border_begins_its_partition(void)
{
    CHECK_STR(route(table("k int", "0;1;2;3;4;9;NULL;", 3), table("k int", "1;3;", 9), "k"),
              "0 1 1 2 2 2 2 ");
    CHECK_STR(route(table("k int", "0;1;2;3;4;9;NULL;", 3), table("k int", "3;1;", 9), "k DESC"),
              "2 2 1 1 0 0 2 ");
    CHECK_STR(route(table("k int", "0;1;NULL;", 3), table("k int", "NULL;1;", 1), "k NULLS FIRST"),
              "1 2 1 ");
    CHECK_STR(route(table("k int", "0;1;NULL;", 3), table("k int", "1;NULL;", 1), "k"), "0 1 2 ");
    CHECK_STR(route(table("k int", "0;1;2;", 3), table("k int", "1;1;1;", 9), "k"), "0 3 3 ");
    CHECK_STR(route(table("k int", "0;1;", 3), table("k int", "", 9), "k"), "0 0 ");
}

/* Words of a first key can be equal where values are not. */
static void values_are_compared_where_words_do_not_tell(void)
{
    CHECK_STR(route(table("t text", "abcdefghi;abcdefgh;abcdefghij;abcdefghj;", 9),
                    table("t text", "abcdefghi;abcdefghj;", 9), "t"),
              "1 0 1 2 ");
    CHECK_STR(route(table_dict(table("t text", "abcdefghi;abcdefgh;abcdefghij;abcdefghj;", 9)),
                    table("t text", "abcdefghj;abcdefghi;", 9), "t DESC"),
              "2 2 1 1 ");
    CHECK_STR(route(table("k bigint", "7;8;9;", 9), table("k bigint", "8;9;", 9), "k"), "0 1 2 ");
    CHECK_STR(route(table("k bigint, t text", "7,x;7,y;7,NULL;8,a;", 9),
                    table("k bigint, t text", "7,y;8,NULL;", 9), "k, t"),
              "0 1 1 1 ");
    CHECK_STR(route(table("d double precision", "nan;-0.0;0;inf;", 9),
                    table("d double precision", "0;nan;", 9), "d"),
              "2 1 1 1 ");
    CHECK_STR(route(table("d decimal(38,2)", "-5;4;5;", 9), table("d decimal(38,2)", "5;", 9), "d"),
              "0 0 1 ");
}

static void the_mark_of_the_borders_says_the_order(void)
{
    CHECK_STR(route(table("k int", "0;1;2;", 3),
                    table_meta(table("k int", "2;1;", 9), BP_MARK_SORTED, "k DESC"), NULL),
              "2 2 1 ");
    CHECK(strstr(route(table("k int", "0;1;2;", 3), table("k int", "2;1;", 9), NULL), "-k"));
}

static void borders_are_cast_and_checked(void)
{
    CHECK_STR(route(table("k smallint", "0;1;2;", 3), table("n int, k bigint", "9,1;9,2;", 9), "k"),
              "0 1 2 ");
    CHECK(strstr(route(table("k int", "0;", 3), table("k int", "2;1;", 9), "k"),
                 "border 1 comes after border 2"));
    CHECK(strstr(route(table("k int", "0;", 3), table("x int", "2;1;", 9), "k"), "k"));
    CHECK(strstr(route(table("k int", "0;", 3), table("k int", "1;", 9), "k + 1"), "bp-map -a"));
}

/* Its name is the same for the same borders, whatever the columns are called. */
static void borders_are_told_apart(void)
{
    const char *orders[] = {"k", "k", "k DESC", "k NULLS FIRST", "k"};
    const char *values[] = {"1;2;", "1;2;", "2;1;", "1;2;", "1;3;"};
    const char *types[] = {"k int", "k bigint", "k int", "k int", "k int"};
    char names[5][17];

    for (int i = 0; i < 5; i++) {
        struct bp_source rows = table(types[i], "", 9), b = table("k int", values[i], 9);
        struct bp_clause clause = {.text = orders[i]};
        struct bp_err err = {0};
        struct bp_range *r;

        ctx = table_ctx(1, 4);
        NEED(bp_range_open(&r, &b, &clause, &rows.schema, &ctx, &err) == 0);
        CHECK(bp_range_parts(r) == 3);
        CHECK_STR(bp_range_keys(r)[0], "k");
        memcpy(names[i], bp_range_router(r)->borders, sizeof names[i]);
        bp_range_free(r);
        bp_source_free(&rows);
    }
    CHECK_STR(names[1], names[0]);
    for (int i = 1; i < 5; i++)
        for (int k = i + 1; k < 5; k++)
            CHECK(strcmp(names[i], names[k]) != 0);
}

UNIT_MAIN(T(borders_begin_parts_of_equal_size),
          T(fewer_rows_than_parts_repeat_and_no_rows_give_none),
          T(borders_are_of_columns_and_of_a_whole_table), T(a_border_begins_its_partition),
          T(values_are_compared_where_words_do_not_tell), T(the_mark_of_the_borders_says_the_order),
          T(borders_are_cast_and_checked), T(borders_are_told_apart))
