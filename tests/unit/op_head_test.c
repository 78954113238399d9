/* SPDX-License-Identifier: Apache-2.0 */
#include "op/op.h"
#include "op_table.h"

static const char *head(struct bp_source in, int64_t n, const char *keys)
{
    static char text[2200];
    struct bp_ctx ctx = table_ctx(1, 4);
    struct bp_err err = {0};
    struct bp_source s;

    if (bp_head_open(&s, &in, n, keys, &ctx, &err) < 0) {
        snprintf(text, sizeof text, "%s", err.msg);
        CHECK(err.code == BP_EUSAGE);
        return text;
    }
    return drain(&s);
}

static void the_first_n_rows_come_whatever_the_batches(void)
{
    for (int n = 1; n < 8; n++) {
        CHECK_STR(head(table("x int", "5;1;7;3;9;2;", n), 4, NULL), "5;1;7;3;");
        CHECK_STR(head(table("x int", "5;1;7;3;9;2;", n), 0, NULL), "");
        CHECK_STR(head(table("x int", "5;1;7;3;9;2;", n), 10, NULL), "5;1;7;3;9;2;");
    }
}

/* A source that fails when it is pulled a third time. */
static int pulls;
static int fragile_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    (void)self;
    if (++pulls > 2)
        return bp_fail(err, BP_EDATA, "pulled too often");
    BP_TRY(bp_batch_init(out, 0, err));
    out->n_rows = 5;
    return 0;
}
static void fragile_free(void *self)
{
    (void)self;
}

static void no_more_is_pulled_once_n_rows_went_out(void)
{
    static const struct bp_source_ops ops = {.next = fragile_next, .free = fragile_free};
    struct bp_source in = {.ops = &ops};

    CHECK_STR(head(in, 10, NULL), "");
    CHECK(pulls == 2);
}

static void with_keys_the_first_n_of_each_run_come(void)
{
    const char *rows = "a,1;a,2;a,3;b,4;a,5;a,6;a,7;NULL,8;NULL,9;NULL,10;,11;";

    for (int n = 1; n < 13; n++) {
        CHECK_STR(head(table("k text, x int", rows, n), 2, "k"),
                  "a,1;a,2;b,4;a,5;a,6;NULL,8;NULL,9;,11;");
        CHECK_STR(head(table_dict(table("k text, x int", rows, n)), 2, "k"),
                  "a,1;a,2;b,4;a,5;a,6;NULL,8;NULL,9;,11;");
    }
    CHECK_STR(head(table("k text, x int", rows, 3), 0, "k"), "");
}

static void keys_of_every_width_make_runs(void)
{
    static const char *const types[] = {"boolean", "tinyint",   "smallint",      "int",  "bigint",
                                        "date",    "timestamp", "decimal(10,2)", "real", "float8"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char columns[60];

        snprintf(columns, sizeof columns, "k %s, x int", types[i]);
        for (int n = 1; n < 8; n++) {
            const char *got = head(table(columns, "0,1;0,2;1,3;1,4;NULL,5;0,6;NULL,7;", n), 1, "k");

            CHECK_STR(got, "0,1;1,3;NULL,5;0,6;NULL,7;");
        }
    }
    CHECK_STR(head(table("k float8, x int", "0,1;-0,2;nan,3;nan,4;", 4), 1, "k"), "0,1;nan,3;");
    CHECK_STR(head(table("a int, b int", "1,1;1,1;1,2;2,2;2,2;", 2), 1, "a, b"), "1,1;1,2;2,2;");
}

static void an_unknown_key_is_refused_with_the_columns(void)
{
    CHECK(strstr(head(table("a int, b int", "1,1;", 2), 1, "c"), "no column 'c'"));
    CHECK(strstr(head(table("a int, b int", "1,1;", 2), -1, NULL), "negative"));
}

UNIT_MAIN(T(the_first_n_rows_come_whatever_the_batches), T(no_more_is_pulled_once_n_rows_went_out),
          T(with_keys_the_first_n_of_each_run_come), T(keys_of_every_width_make_runs),
          T(an_unknown_key_is_refused_with_the_columns))
