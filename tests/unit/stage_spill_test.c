/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/resource.h>

#include "op_table.h"
#include "stage/spill.h"

#define SCHEMA "a int, b text"

/* Puts the rows of s, batch by batch, as a run. */
static void put_run(struct bp_spill *p, struct bp_source s, struct bp_spill_run *run)
{
    struct bp_err err = {0};
    struct bp_batch b;

    while (bp_source_next(&s, &b, &err) == 0) {
        table_must(bp_spill_put(p, &b, &err), &err);
        bp_batch_release(&b);
    }
    table_must(bp_spill_end(p, run, &err), &err);
    bp_source_free(&s);
}

static struct bp_spill *open_spill(struct bp_ctx *ctx)
{
    struct bp_source s = table(SCHEMA, "", 1);
    struct bp_spill *p = NULL;
    struct bp_err err = {0};

    unsetenv("TMPDIR");
    table_must(bp_schema_set_meta(&s.schema, "bp.task", "0/2", &err), &err);
    table_must(bp_spill_open(&p, &s.schema, ctx, &err), &err);
    bp_source_free(&s);
    return p;
}

static struct bp_source read_run(struct bp_spill *p, const struct bp_spill_run *run)
{
    struct bp_source s;
    struct bp_err err = {0};

    table_must(bp_spill_source(&s, p, run, &err), &err);
    return s;
}

static void runs_come_back_in_any_order_and_at_the_same_time(void)
{
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_spill *p = open_spill(&ctx);
    struct bp_spill_run runs[3];
    struct bp_source first, s;
    struct bp_batch b;
    struct bp_err err = {0};

    put_run(p, table(SCHEMA, "1,x;NULL,yy;3,NULL;", 2), &runs[0]);
    put_run(p, table(SCHEMA, "", 2), &runs[1]);
    put_run(p, table_dict(table(SCHEMA, "4,d;5,e;", 1)), &runs[2]);
    CHECK(runs[0].n_rows == 3 && runs[1].n_rows == 0 && runs[2].n_rows == 2);
    CHECK(runs[0].batch_bytes == 2 * 4 + 2 * 4 + 3);
    CHECK(runs[2].value_bytes == 2 * 4 + 2 * 4 + 2); /* plain, as they come back */
    CHECK(runs[2].to == ctx.spilled_bytes);

    first = read_run(p, &runs[0]);
    NEED(bp_source_next(&first, &b, &err) == 0);
    CHECK(b.n_rows == 2 && b.share.n == 0); /* marks do not travel */
    bp_batch_release(&b);
    s = read_run(p, &runs[2]);
    CHECK_STR(drain(&s), "4,d;5,e;");
    s = read_run(p, &runs[1]);
    CHECK_STR(drain(&s), "");
    CHECK_STR(drain(&first), "3,NULL;");
    s = read_run(p, &runs[0]);
    CHECK_STR(drain(&s), "1,x;NULL,yy;3,NULL;");
    bp_spill_discard(p, &runs[0]);
    s = read_run(p, &runs[2]);
    CHECK_STR(drain(&s), "4,d;5,e;");
    bp_spill_free(p);
}

static void a_run_that_is_not_whole_is_an_error(void)
{
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_spill *p = open_spill(&ctx);
    struct bp_spill_run run;
    struct bp_source s;

    put_run(p, table(SCHEMA, "1,x;2,y;", 1), &run);
    run.to -= 8; /* the end mark */
    s = read_run(p, &run);
    CHECK(strstr(drain(&s), "error: "));
    bp_spill_free(p);
}

static void a_full_disk_names_the_directory_and_what_was_needed(void)
{
    struct rlimit old, tiny;
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_spill *p = open_spill(&ctx);
    struct bp_source s = table(SCHEMA, "1,x;2,y;3,z;", 3);
    struct bp_err err = {0};
    struct bp_batch b;
    int rc = 0;

    signal(SIGXFSZ, SIG_IGN);
    NEED(getrlimit(RLIMIT_FSIZE, &old) == 0);
    tiny = old;
    tiny.rlim_cur = 4096;
    NEED(bp_source_next(&s, &b, &err) == 0);
    NEED(setrlimit(RLIMIT_FSIZE, &tiny) == 0);
    for (int i = 0; i < 100 && rc == 0; i++)
        rc = bp_spill_put(p, &b, &err);
    NEED(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(rc == BP_ESYS);
    CHECK(strstr(err.msg, "no room in '/tmp'"));
    CHECK(strstr(err.msg, "27 more bytes were needed"));
    CHECK(strstr(err.msg, "MiB are free"));
    bp_batch_release(&b);
    bp_source_free(&s);
    bp_spill_free(p);
}

#define NUMBERS "a int, b bigint, c decimal(30, 2), d date, e timestamp, f float8, g text, h bool"

/* Numbers that need more bytes from batch to batch, and fewer again. */
static void numbers_stand_in_the_bytes_they_need(void)
{
    static const char rows[] = "1,-1,100,18262,5,0.5,x,1;NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL;"
                               "127,-128,-128,127,127,1.5,y,0;128,-129,40000,-1,1,2,z,1;"
                               "2147483647,9223372036854775807,-9223372036854775807,-2147483648,"
                               "-9223372036854775807,-3,,0;1,2,3,4,5,6,seven,1;";
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_source s = table(NUMBERS, "", 1), same;
    struct bp_spill_run runs[3];
    struct bp_spill *p = NULL;
    struct bp_err err = {0};

    table_must(bp_spill_open(&p, &s.schema, &ctx, &err), &err);
    bp_source_free(&s);
    for (int step = 1; step <= 3; step++)
        put_run(p, table(NUMBERS, rows, step), &runs[step - 1]);
    CHECK(runs[0].n_streams > 2);
    for (int i = 0; i < 3; i++) {
        s = read_run(p, &runs[i]);
        same = table(NUMBERS, "", 1);
        for (int c = 0; c < 8; c++)
            CHECK(bp_type_equal(s.schema.fields[c].type, same.schema.fields[c].type));
        bp_source_free(&same);
        CHECK_STR(drain(&s), rows);
    }
    bp_spill_free(p);
}

/* A thousand rows of 32 bytes whose values need five. */
static void few_bytes_are_written(void)
{
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_source s = table("a decimal(20, 2), b bigint, c timestamp", "", 1);
    struct bp_spill_run run;
    struct bp_spill *p = NULL;
    struct bp_err err = {0};
    struct bp_buf rows = {0};

    table_must(bp_spill_open(&p, &s.schema, &ctx, &err), &err);
    bp_source_free(&s);
    for (int i = 0; i < 1000; i++)
        table_must(bp_buf_printf(&rows, &err, "%d,%d,1;", i, -i), &err);
    NEED(bp_buf_str(&rows, &err) != NULL);
    put_run(p, table("a decimal(20, 2), b bigint, c timestamp", (char *)rows.data, 1000), &run);
    CHECK(run.value_bytes == 32000);
    CHECK(run.to - run.from < 8000);
    bp_buf_release(&rows);
    bp_spill_free(p);
}

UNIT_MAIN(T(runs_come_back_in_any_order_and_at_the_same_time),
          T(a_run_that_is_not_whole_is_an_error),
          T(a_full_disk_names_the_directory_and_what_was_needed),
          T(numbers_stand_in_the_bytes_they_need), T(few_bytes_are_written))
