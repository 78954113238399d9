/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op_table.h"

static const char *join_opts(struct bp_source l, struct bp_source r,
                             const struct bp_join_opts *opts, int64_t batch_rows)
{
    static char text[2200];
    struct bp_ctx ctx = table_ctx(2, batch_rows);
    struct bp_source s;
    struct bp_err err = {0};
    const char *got;

    if (bp_join_open(&s, &l, &r, opts, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        return text;
    }
    got = drain(&s);
    CHECK(ctx.budget.used_bytes == 0);
    return got;
}

static const char *join(struct bp_source l, struct bp_source r, enum bp_join_type type,
                        const char *keys, int64_t batch_rows)
{
    struct bp_join_opts opts = {.type = type, .keys = keys};

    return join_opts(l, r, &opts, batch_rows);
}

static void header(struct bp_source l, struct bp_source r, const struct bp_join_opts *opts,
                   char *out, size_t size)
{
    struct bp_ctx ctx = table_ctx(1, 10);
    struct bp_source s;
    struct bp_err err = {0};
    size_t n = 0;

    if (bp_join_open(&s, &l, &r, opts, &ctx, &err) < 0) {
        snprintf(out, size, "%s", err.msg);
        return;
    }
    for (int i = 0; i < s.schema.n_fields; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "," : "", s.schema.fields[i].name);
    bp_source_free(&s);
}

/* left: keys 1 2 2 3 NULL; right: keys 2 9 2 1 NULL */
static struct bp_source left(int rows)
{
    return table("k int, a text", "1,p;2,q;2,r;3,s;NULL,t;", rows);
}
static struct bp_source right(int rows)
{
    return table("k int, b text", "2,u;9,v;2,w;1,x;NULL,y;", rows);
}

static void every_type_gives_its_rows_in_its_order(void)
{
    for (int rows = 1; rows < 7; rows += 2)
        for (int out = 1; out < 9; out += 3) {
            CHECK_STR(join(left(rows), right(rows), BP_JOIN_INNER, "k", out),
                      "1,p,x;2,q,u;2,q,w;2,r,u;2,r,w;");
            CHECK_STR(join(left(rows), right(rows), BP_JOIN_LEFT, "k", out),
                      "1,p,x;2,q,u;2,q,w;2,r,u;2,r,w;3,s,NULL;NULL,t,NULL;");
            CHECK_STR(join(left(rows), right(rows), BP_JOIN_RIGHT, "k", out),
                      "1,p,x;2,q,u;2,q,w;2,r,u;2,r,w;9,NULL,v;NULL,NULL,y;");
            CHECK_STR(join(left(rows), right(rows), BP_JOIN_FULL, "k", out),
                      "1,p,x;2,q,u;2,q,w;2,r,u;2,r,w;3,s,NULL;NULL,t,NULL;9,NULL,v;NULL,NULL,y;");
            CHECK_STR(join(left(rows), right(rows), BP_JOIN_SEMI, "k", out), "1,p;2,q;2,r;");
            CHECK_STR(join(left(rows), right(rows), BP_JOIN_ANTI, "k", out), "3,s;NULL,t;");
        }
}

static void keys_of_two_names_are_both_kept(void)
{
    struct bp_source l = table("a int, x int", "1,5;2,6;", 3);
    struct bp_source r = table("b int, y int", "2,7;3,8;", 3);

    CHECK_STR(join(l, r, BP_JOIN_FULL, "a = b", 3), "1,5,NULL,NULL;2,6,2,7;NULL,NULL,3,8;");
}

static void a_cross_join_pairs_all_rows(void)
{
    for (int out = 1; out < 8; out += 3) {
        CHECK_STR(
            join(table("a int", "1;2;3;", 2), table("b int", "7;8;", 1), BP_JOIN_CROSS, NULL, out),
            "1,7;1,8;2,7;2,8;3,7;3,8;");
        CHECK_STR(
            join(table("a int", "1;2;3;", 2), table("b int", "", 1), BP_JOIN_CROSS, NULL, out), "");
    }
}

static void an_empty_side_is_no_trouble(void)
{
    CHECK_STR(join(left(5), table("k int, b text", "", 3), BP_JOIN_LEFT, "k", 9),
              "1,p,NULL;2,q,NULL;2,r,NULL;3,s,NULL;NULL,t,NULL;");
    CHECK_STR(join(table("k int, a text", "", 3), right(2), BP_JOIN_FULL, "k", 9),
              "2,NULL,u;9,NULL,v;2,NULL,w;1,NULL,x;NULL,NULL,y;");
    CHECK_STR(join(left(5), table("k int, b text", "", 3), BP_JOIN_INNER, "k", 9), "");
    CHECK_STR(join(left(5), table("k int, b text", "NULL,z;", 3), BP_JOIN_ANTI, "k", 2),
              "1,p;2,q;2,r;3,s;NULL,t;");
}

static void numbers_are_compared_by_value(void)
{
    CHECK_STR(join(table("k smallint", "-1;1;300;", 9), table("k bigint, b int", "300,1;-1,2;", 9),
                   BP_JOIN_INNER, "k", 9),
              "-1,2;300,1;");
    CHECK_STR(join(table("k bigint", "-1;5;9223372036854775807;", 9),
                   table("j ubigint", "18446744073709551615;5;9223372036854775807;", 9),
                   BP_JOIN_INNER, "k = j", 9),
              "5,5;9223372036854775807,9223372036854775807;");
    /* 1.50, 2.00, 3.00 against 1.5, 2.0; then against 2 and 3 */
    CHECK_STR(join(table("k decimal(10,2)", "150;200;300;", 9),
                   table("j decimal(5,1)", "15;20;", 9), BP_JOIN_INNER, "k = j", 9),
              "150,15;200,20;");
    CHECK_STR(join(table("k decimal(10,2)", "150;200;300;", 9), table("j int", "2;3;", 9),
                   BP_JOIN_INNER, "k = j", 9),
              "200,2;300,3;");
    CHECK_STR(join(table("k int", "2;3;", 9), table("j decimal(38,2)", "150;300;200;", 9),
                   BP_JOIN_INNER, "k = j", 9),
              "2,200;3,300;");
    CHECK_STR(join(table("k real", "0;-0;nan;0.5;", 9),
                   table("j double precision", "-0;nan;0.5;", 9), BP_JOIN_INNER, "k = j", 9),
              "0,-0;-0,-0;nan,nan;0.5,0.5;");
    /* 2 s and 2.5 s against 2 s and 2500 ms */
    CHECK_STR(join(table("k timestamp(0)", "2;-3;", 9),
                   table("j timestamp(3)", "2000;2500;-3000;", 9), BP_JOIN_INNER, "k = j", 9),
              "2,2000;-3,-3000;");
}

static void one_key_column_holds_both_sides_values(void)
{
    CHECK_STR(join(table("k smallint, i int", "1,1;2,2;", 9),
                   table("k bigint, j int", "2,3;9000000000,4;", 9), BP_JOIN_FULL, "k", 9),
              "1,1,NULL;2,2,3;9000000000,NULL,4;");
    /* 1.5 and 2.0 beside 2 and 3: decimal(11,1) */
    CHECK_STR(join(table("k decimal(5,1), i int", "15,1;20,2;", 9),
                   table("k int, j int", "2,3;3,4;", 9), BP_JOIN_RIGHT, "k", 9),
              "20,2,3;30,NULL,4;");
}

static void keys_of_any_width_meet(void)
{
    const char *l = "1,x,1000000007;1,y,1000000007;-9000000000,x,5;2,,NULL;";
    const char *r = "-9000000000,x,5;1,y,1000000007;1,z,1000000007;2,,NULL;2,,7;";

    CHECK_STR(join(table("a bigint, b text, c bigint", l, 2),
                   table("a bigint, b text, c bigint", r, 2), BP_JOIN_INNER, "a, b, c", 9),
              "1,y,1000000007;-9000000000,x,5;");
    CHECK_STR(join(table_dict(table("a bigint, b text, c bigint", l, 2)),
                   table("a int, b text, c decimal(20,0)", r + 16, 2), BP_JOIN_SEMI, "a, b, c", 9),
              "1,y,1000000007;");
    CHECK_STR(join(table("a text, i int", "aa,1;,2;a,3;NULL,4;", 9),
                   table("a text, j int", ",1;aa,2;", 9), BP_JOIN_LEFT, "a", 9),
              "aa,1,2;,2,1;a,3,NULL;NULL,4,NULL;");
    /* two words of 64 bits */
    CHECK_STR(join(table("a bigint, b bigint", "9223372036854775807,1;1,-9223372036854775807;", 9),
                   table("a bigint, b bigint, c int",
                         "1,-9223372036854775807,7;9223372036854775807,2,8;-1,1,9;", 9),
                   BP_JOIN_INNER, "a, b", 9),
              "1,-9223372036854775807,7;");
    CHECK_STR(join(table("a interval", "3;4;", 9), table("a interval, b int", "4,1;5,2;", 9),
                   BP_JOIN_LEFT, "a", 9),
              "3,NULL;4,1;");
}

static void keys_of_different_classes_are_refused_with_the_cast(void)
{
    const char *got =
        join(table("a text", "1;", 1), table("b int", "1;", 1), BP_JOIN_INNER, "a = b", 9);

    CHECK(strstr(got, "'a' of the left is text, 'b' of the right is integer"));
    CHECK(strstr(got, "b::text AS b"));
    CHECK(strstr(join(left(1), right(1), BP_JOIN_INNER, "nope", 1), "nope"));
    CHECK(strstr(join(left(1), right(1), BP_JOIN_CROSS, "k", 1), "cross"));
    CHECK(strstr(join(left(1), right(1), BP_JOIN_INNER, NULL, 1), "-k"));
}

static void clashing_names_get_a_suffix(void)
{
    struct bp_join_opts opts = {.type = BP_JOIN_INNER, .keys = "k"};
    char got[400];

    header(table("k int, v int, a int", "", 1), table("v int, k int, b int", "", 1), &opts, got,
           sizeof got);
    CHECK_STR(got, "k,v,a,v_r,b");
    opts.suffix_left = "_green";
    opts.suffix_right = "_yellow";
    header(table("k int, v int, a int", "", 1), table("v int, k int, b int", "", 1), &opts, got,
           sizeof got);
    CHECK_STR(got, "k,v_green,a,v_yellow,b");
    opts.suffix_left = opts.suffix_right = NULL;
    header(table("k int, v int, v_r int", "", 1), table("v int, k int", "", 1), &opts, got,
           sizeof got);
    CHECK(strstr(got, "'v_r'"));
    opts.type = BP_JOIN_SEMI;
    header(table("k int, v int", "", 1), table("v int, k int", "", 1), &opts, got, sizeof got);
    CHECK_STR(got, "k,v");
}

static void fill_stands_for_the_missing_sides_numbers_only(void)
{
    struct bp_join_opts opts = {.type = BP_JOIN_FULL, .keys = "k", .fill = "0"};
    const char *l = "1,NULL,p;2,5,q;", *r = "3,150,x;2,NULL,y;";

    for (int out = 1; out < 5; out++)
        CHECK_STR(join_opts(table("k int, n int, a text", l, 1),
                            table("k int, m decimal(9,2), b text", r, 2), &opts, out),
                  "1,NULL,p,0,NULL;2,5,q,NULL,y;3,0,NULL,150,x;");
    opts.keys = "k = j";
    CHECK_STR(join_opts(table("k int, n int", "1,2;", 1),
                        table("j int, m double precision", "3,4;", 2), &opts, 9),
              "1,2,NULL,0;NULL,0,3,4;");
    opts.fill = "0.5";
    CHECK(strstr(
        join_opts(table("k int, n int", "1,2;", 1), table("j int, m real", "3,4;", 2), &opts, 9),
        "--fill 0.5"));
    opts.fill = "0";
    opts.type = BP_JOIN_INNER;
    CHECK(strstr(
        join_opts(table("k int, n int", "1,2;", 1), table("j int, m real", "3,4;", 2), &opts, 9),
        "--fill"));
}

static void an_extra_condition_decides_what_is_a_match(void)
{
    struct bp_clause where = {.text = "x < y"};
    struct bp_join_opts opts = {.keys = "k", .where = &where};
    const char *l = "1,5;1,9;2,0;3,1;", *r = "1,6;1,4;1,8;2,0;4,1;";
    static const char *want[] = {
        [BP_JOIN_INNER] = "1,5,6;1,5,8;",
        [BP_JOIN_LEFT] = "1,5,6;1,5,8;1,9,NULL;2,0,NULL;3,1,NULL;",
        [BP_JOIN_RIGHT] = "1,5,6;1,5,8;1,NULL,4;2,NULL,0;4,NULL,1;",
        [BP_JOIN_FULL] = "1,5,6;1,5,8;1,9,NULL;2,0,NULL;3,1,NULL;1,NULL,4;2,NULL,0;4,NULL,1;",
        [BP_JOIN_SEMI] = "1,5;",
        [BP_JOIN_ANTI] = "1,9;2,0;3,1;",
    };

    for (int type = BP_JOIN_INNER; type <= BP_JOIN_ANTI; type++)
        for (int out = 1; out < 7; out += 2) {
            opts.type = (enum bp_join_type)type;
            CHECK_STR(
                join_opts(table("k int, x int", l, out), table("k int, y int", r, 2), &opts, out),
                want[type]);
        }
    opts.type = BP_JOIN_CROSS;
    opts.keys = NULL;
    CHECK_STR(join_opts(table("x int", "1;3;", 2), table("y int", "2;4;", 2), &opts, 3),
              "1,2;1,4;3,4;");
}

/* 20,000 rows of 300 keys on the right, so several chunks and long chains. */
static void many_rows_give_all_pairs_in_order(void)
{
    struct bp_buf l = {0}, r = {0};
    struct bp_err err = {0};
    struct bp_ctx ctx = table_ctx(1, 1000);
    static const char *const types[] = {"k int, i int", "k bigint, i int", "k text, i int"};

    for (int i = 0; i < 20000; i++)
        table_must(bp_buf_printf(&r, &err, "%lld,%d;", (long long)i % 300 * 1000003, i), &err);
    for (int i = 0; i < 100; i++)
        table_must(bp_buf_printf(&l, &err, "%lld,%d;", (long long)(i % 7) * 1000003, i), &err);
    for (size_t t = 0; t < BP_COUNT_OF(types); t++) {
        struct bp_source ls = table(types[t], bp_buf_str(&l, &err), 30), s;
        struct bp_source rs = table(types[t], bp_buf_str(&r, &err), 777);
        struct bp_join_opts opts = {.type = BP_JOIN_FULL, .keys = "k"};
        struct bp_batch b;
        int64_t n = 0, bad = 0, last_l = -1, last_r = -1;

        NEED(bp_join_open(&s, &ls, &rs, &opts, &ctx, &err) == 0);
        while (bp_source_next(&s, &b, &err) == 0) {
            const int32_t *li = b.cols[1].data, *ri = b.cols[2].data;

            CHECK(b.n_rows <= 1000);
            for (int64_t i = 0; i < b.n_rows; i++) {
                bool missing = bp_column_is_null(&b.cols[1], i);
                int64_t lv = missing ? 100 : li[i];

                bad += lv < last_l || (lv == last_l && ri[i] <= last_r);
                bad += missing ? ri[i] % 300 < 7 : ri[i] % 300 != lv % 7;
                last_l = lv;
                last_r = ri[i];
            }
            n += b.n_rows;
            bp_batch_release(&b);
        }
        CHECK(err.code == 0 && bad == 0);
        /* the first 200 keys come 67 times, the others 66 */
        CHECK(n == 100 * 67 + 20000 - 7 * 67);
        bp_source_free(&s);
    }
    bp_buf_release(&l);
    bp_buf_release(&r);
}

/* ---- shares ---- */

#define PARTED "{\"classes\":[2],\"first\":0,\"keys\":[\"k\"],\"last\":1,\"parts\":4}"

static struct bp_source parted(struct bp_source s, int i, int n)
{
    return table_meta(table_share(s, i, n), "bp.parted", PARTED);
}

static void a_left_share_keeps_its_marks_where_the_right_is_whole(void)
{
    struct bp_ctx ctx = table_ctx(1, 10);
    struct bp_join_opts opts = {.type = BP_JOIN_LEFT, .keys = "k", .broadcast = true};
    struct bp_source l = table_meta(parted(left(2), 1, 2), "bp.sorted", "k"), r = right(9), s;
    struct bp_err err = {0};
    struct bp_batch b;

    NEED(bp_join_open(&s, &l, &r, &opts, &ctx, &err) == 0);
    CHECK_STR(bp_schema_meta(&s.schema, "bp.task"), "1/2");
    CHECK_STR(bp_schema_meta(&s.schema, "bp.sorted"), "k");
    CHECK_STR(bp_schema_meta(&s.schema, "bp.parted"), PARTED);
    NEED(bp_source_next(&s, &b, &err) == 0);
    CHECK(b.share.i == 1 && b.share.n == 2);
    bp_batch_release(&b);
    bp_source_free(&s);
}

static void a_broadcast_side_is_never_a_share(void)
{
    struct bp_join_opts opts = {.type = BP_JOIN_INNER, .keys = "k", .broadcast = true};

    CHECK(strstr(join_opts(left(2), table_share(right(9), 0, 2), &opts, 9), "read whole"));
    /* all shares of it, one after the other, are the whole */
    CHECK_STR(join_opts(left(2),
                        table_behind(table_share(table("k int, b text", "2,u;", 1), 1, 2),
                                     table_share(table("k int, b text", "1,x;", 1), 0, 2)),
                        &opts, 9),
              "1,p,x;2,q,u;2,r,u;");
}

static void unmatched_right_rows_need_all_of_the_left(void)
{
    struct bp_join_opts opts = {.type = BP_JOIN_FULL, .keys = "k"};

    CHECK(strstr(join_opts(table_share(left(2), 0, 2), right(9), &opts, 9), "--per-task"));
    opts.per_task = true;
    CHECK_STR(join_opts(table_share(table("k int, a text", "2,a;", 1), 0, 2),
                        table("k int, b text", "2,b;3,c;", 9), &opts, 9),
              "2,a,b;3,NULL,c;");
}

static void shares_parted_alike_by_the_keys_are_joined(void)
{
    struct bp_join_opts opts = {.type = BP_JOIN_FULL, .keys = "k"};
    struct bp_ctx ctx = table_ctx(1, 10);
    struct bp_source l = parted(left(5), 0, 2), r = parted(right(5), 0, 2), s;
    struct bp_err err = {0};

    CHECK_STR(join_opts(parted(table("k int, a text", "2,a;", 1), 0, 2),
                        parted(table("k int, b text", "2,b;3,c;", 9), 0, 2), &opts, 9),
              "2,a,b;3,NULL,c;");
    CHECK(strstr(join_opts(parted(left(1), 0, 2), parted(right(1), 1, 2), &opts, 9),
                 "share 0 of 2 on the left, share 1 of 2 on the right"));
    CHECK(strstr(join_opts(table_share(left(1), 0, 2), table_share(right(1), 0, 2), &opts, 9),
                 "parted alike"));
    opts.keys = "a = b";
    CHECK(
        strstr(join_opts(parted(left(1), 0, 2), parted(right(1), 0, 2), &opts, 9), "parted alike"));
    opts.keys = "k";
    NEED(bp_join_open(&s, &l, &r, &opts, &ctx, &err) == 0);
    CHECK_STR(bp_schema_meta(&s.schema, "bp.task"), "0/2");
    CHECK_STR(bp_schema_meta(&s.schema, "bp.parted"), PARTED);
    bp_source_free(&s);
}

static void partial_streams_are_refused(void)
{
    CHECK(strstr(join(table_meta(left(1), "bp.partial", "{}"), right(1), BP_JOIN_INNER, "k", 1),
                 "partial"));
    CHECK(strstr(join(left(1), table_meta(right(1), "bp.partial", "{}"), BP_JOIN_INNER, "k", 1),
                 "partial"));
}

UNIT_MAIN(T(every_type_gives_its_rows_in_its_order), T(keys_of_two_names_are_both_kept),
          T(a_cross_join_pairs_all_rows), T(an_empty_side_is_no_trouble),
          T(numbers_are_compared_by_value), T(one_key_column_holds_both_sides_values),
          T(keys_of_any_width_meet), T(keys_of_different_classes_are_refused_with_the_cast),
          T(clashing_names_get_a_suffix), T(fill_stands_for_the_missing_sides_numbers_only),
          T(an_extra_condition_decides_what_is_a_match), T(many_rows_give_all_pairs_in_order),
          T(a_left_share_keeps_its_marks_where_the_right_is_whole),
          T(a_broadcast_side_is_never_a_share), T(unmatched_right_rows_need_all_of_the_left),
          T(shares_parted_alike_by_the_keys_are_joined), T(partial_streams_are_refused))
