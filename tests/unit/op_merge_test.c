/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op_table.h"

static const char *merged(struct bp_source *ins, int n_ins, const char *order, int64_t limit,
                          int64_t batch_rows)
{
    static char text[2200];
    struct bp_ctx ctx = table_ctx(1, batch_rows);
    struct bp_clause clause = {.text = order};
    struct bp_source s;
    struct bp_err err = {0};

    if (bp_merge_open(&s, ins, n_ins, &clause, limit, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        return text;
    }
    return drain(&s);
}

static void sorted_inputs_become_one_sorted_table(void)
{
    for (int rows = 1; rows < 5; rows++)
        for (int out = 1; out < 12; out += 3) {
            struct bp_source ins[] = {table("a int, b text", "1,p;4,q;4,r;9,s;", rows),
                                      table("a int, b text", "", rows),
                                      table("a int, b text", "0,t;4,u;5,v;NULL,w;", rows + 1),
                                      table("a int, b text", "4,x;NULL,y;", rows)};

            CHECK_STR(merged(ins, 4, "a", -1, out),
                      "0,t;1,p;4,q;4,r;4,u;4,x;5,v;9,s;NULL,w;NULL,y;");
        }
}

static void long_stretches_of_one_input_pass_whole(void)
{
    struct bp_source ins[] = {table("a int", "7;8;9;10;11;12;", 3),
                              table("a int", "1;2;3;4;5;6;", 3)};

    CHECK_STR(merged(ins, 2, "a", -1, 4), "1;2;3;4;5;6;7;8;9;10;11;12;");
}

static void several_keys_and_directions_are_obeyed(void)
{
    struct bp_source ins[] = {table("t text, n bigint", "a long text that ends in b,5;a,9;a,1;", 2),
                              table("t text, n bigint", "a long text that ends in a,7;a,2;,3;", 2)};

    CHECK_STR(merged(ins, 2, "t DESC, n DESC", -1, 4),
              "a long text that ends in b,5;a long text that ends in a,7;a,9;a,2;a,1;,3;");
}

static void a_limit_ends_the_merge(void)
{
    struct bp_source ins[] = {table("a int", "1;3;5;", 3), table("a int", "2;4;6;", 3)};
    struct bp_source more[] = {table("a int", "1;3;5;", 3), table("a int", "2;4;6;", 3)};

    CHECK_STR(merged(ins, 2, "a", 4, 3), "1;2;3;4;");
    CHECK_STR(merged(more, 2, "a", 0, 3), "");
}

static void an_input_out_of_order_is_named_with_its_row(void)
{
    for (int rows = 1; rows < 6; rows++) {
        struct bp_source ins[] = {table("a int, b text", "1,x;2,x;", rows),
                                  table("a int, b text", "1,x;2,z;2,y;4,x;", rows)};
        const char *got;

        ins[1].name = bp_mem_str("b.arrow", &(struct bp_err){0});
        got = merged(ins, 2, "a, b", -1, 10);
        CHECK(strstr(got, "b.arrow is not sorted: row 3 "));
    }
}

static void inputs_of_different_columns_are_refused(void)
{
    struct bp_source ins[] = {table("a int", "1;", 1), table("a bigint", "1;", 1)};

    CHECK(strstr(merged(ins, 2, "a", -1, 10), "inputs differ: column 1 is 'a' integer"));
}

static void shares_make_a_table_when_all_are_there(void)
{
    struct bp_source two[] = {table_share(table("a int", "1;4;", 1), 1, 2),
                              table_share(table("a int", "2;3;", 1), 0, 2)};
    struct bp_source one[] = {table_share(table("a int", "1;4;", 1), 1, 3),
                              table_share(table("a int", "2;3;", 1), 0, 3)};
    struct bp_source same[] = {table_share(table("a int", "1;4;", 1), 1, 3),
                               table_share(table("a int", "2;3;", 1), 1, 3)};
    struct bp_ctx ctx = table_ctx(1, 10);
    struct bp_clause clause = {.text = "a"};
    struct bp_err err = {0};
    struct bp_source s;

    CHECK_STR(merged(two, 2, "a", -1, 10), "1;2;3;4;");
    CHECK(strstr(merged(one, 2, "a", -1, 10), "2 of 3 shares"));
    NEED(bp_merge_open(&s, same, 2, &clause, -1, &ctx, &err) == 0);
    CHECK_STR(bp_schema_meta(&s.schema, "bp.task"), "1/3");
    CHECK_STR(bp_schema_meta(&s.schema, "bp.sorted"), "a");
    CHECK_STR(drain(&s), "1;2;3;4;");
}

UNIT_MAIN(T(sorted_inputs_become_one_sorted_table), T(long_stretches_of_one_input_pass_whole),
          T(several_keys_and_directions_are_obeyed), T(a_limit_ends_the_merge),
          T(an_input_out_of_order_is_named_with_its_row),
          T(inputs_of_different_columns_are_refused), T(shares_make_a_table_when_all_are_there))
