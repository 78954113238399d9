/* SPDX-License-Identifier: Apache-2.0 */
/* Rows put off in parts and grouped later, against a table that takes them at once. */
#include "op/reduce_parts.h"

#include <signal.h>
#include <sys/resource.h>

#include "op/reduce_order.h"
#include "op/reduce_work.h"
#include "op_table.h"

#define KEYS "k, t, f"
#define AGGS                                                                                       \
    "count(*) AS n, sum(i) AS s, avg(f) AS a, first(i) AS fi, last(d) AS la, bool_or(b) AS bo, "   \
    "max(w) AS mw, min(y) AS my"
#define COLUMNS                                                                                    \
    "k int, t text, f float8, i bigint, d decimal(9,2), b boolean, w decimal(30,0), y smallint"

static char rows[1 << 20];

static const char *make_rows(int n, bool nulls)
{
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        unsigned v = (unsigned)i * 2654435761u >> 8;

        at += (size_t)snprintf(
            rows + at, sizeof rows - at, "%u,t%u,%s,%d,%d,%u,%d,%s;", v % 300, v % 7,
            nulls && v % 11 == 0 ? "NULL"
            : v % 2              ? "0.5"
                                 : "-1.25",
            i, i % 100 - 50, v % 5 == 0, i * 7 - 900, nulls && v % 3 == 0 ? "NULL" : "12");
    }
    return rows;
}

struct case_of {
    struct bp_ctx ctx;
    struct bp_source in;
    struct bp_reduce_plan plan;
    struct bp_reduce_table table;
    struct bp_parts *parts;
};

static void set_up(struct case_of *c, int n_threads)
{
    struct bp_clause k = {.text = KEYS}, a = {.text = AGGS};
    struct bp_reduce_opts o = {.form = BP_REDUCE_WHOLE, .keys = &k, .aggs = &a};
    struct bp_err err = {0};

    *c = (struct case_of){.ctx = {.n_threads = n_threads, .batch_rows = 16}};
    c->in = table(COLUMNS, "", 1);
    table_must(bp_reduce_plan_init(&c->plan, &c->in.schema, &o, &err), &err);
    table_must(bp_reduce_table_init(&c->table, &c->plan, NULL, &err), &err);
    CHECK(bp_parts_suit(&c->plan, &c->ctx));
    table_must(
        bp_parts_open(&c->parts, &c->plan, bp_groups_own_pack(c->table.groups), &c->ctx, &err),
        &err);
}

static void tear_down(struct case_of *c)
{
    bp_parts_free(c->parts);
    bp_reduce_table_release(&c->table);
    bp_reduce_plan_release(&c->plan);
    bp_source_free(&c->in);
    CHECK(c->ctx.budget.used_bytes == 0);
}

/* The keys are columns 0 to 2; the arguments in order of the aggregates. */
static const int args[] = {3, 2, 3, 4, 5, 6, 7};

static void add(struct case_of *c, int n, bool nulls, uint32_t task, int64_t first_row)
{
    struct bp_source s = table(COLUMNS, make_rows(n, nulls), 37);
    struct bp_err err = {0};
    struct bp_batch b;

    while (bp_source_next(&s, &b, &err) == 0) {
        struct bp_column keys[3], values[BP_COUNT_OF(args)];

        for (int i = 0; i < 3; i++)
            bp_column_ref(&keys[i], &b.cols[i]);
        for (size_t i = 0; i < BP_COUNT_OF(args); i++)
            bp_column_ref(&values[i], &b.cols[args[i]]);
        NEED(bp_parts_room(c->parts, b.n_rows));
        table_must(
            bp_parts_add(c->parts, keys, values, b.n_rows, task, first_row + b.first_row, &err),
            &err);
        bp_batch_release(&b);
    }
    bp_source_free(&s);
}

/* Batches as a source, so that drain() can print them. */
struct batches {
    struct bp_reduce_work *work;
};

static int batches_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    return bp_reduce_work_next(((struct batches *)self)->work, out, err);
}

static void batches_free(void *self)
{
    bp_reduce_work_free(((struct batches *)self)->work);
}

static const struct bp_source_ops batches_ops = {.next = batches_next, .free = batches_free};

static const char *give(struct case_of *c, const struct bp_reduce_table *before)
{
    struct batches b = {0};
    struct bp_source s = {.ops = &batches_ops, .self = &b};
    struct bp_err err = {0};

    table_must(bp_parts_flush(c->parts, &err), &err);
    table_must(bp_reduce_work_open(&b.work, &c->plan, c->parts, before, false, 5, &c->ctx, &err),
               &err);
    table_must(bp_schema_copy(&s.schema, &c->plan.schema, &err), &err);
    return drain(&s);
}

static char want[1 << 19];

/* What bp-reduce gives of text[0..n), each of which is a table of its own task. */
static void expect(const int *n, const bool *nulls, int n_tables)
{
    struct bp_clause k = {.text = KEYS}, a = {.text = AGGS};
    struct bp_reduce_opts o = {.form = BP_REDUCE_WHOLE, .keys = &k, .aggs = &a};
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 100};
    struct bp_source ins[4], in, out = {0};
    struct bp_err err = {0};

    for (int i = 0; i < n_tables; i++)
        ins[i] = table_share(table(COLUMNS, make_rows(n[i], nulls[i]), 50), i, n_tables);
    table_must(bp_union_open(&in, ins, n_tables, &err), &err);
    table_must(bp_reduce_open(&out, &in, &o, &ctx, &err), &err);
    snprintf(want, sizeof want, "%s", drain(&out));
}

static void parts_give_what_a_table_gives(void)
{
    static const int n[] = {3000, 500, 2000};
    static const bool nulls[] = {false, true, false};

    expect(n, nulls, 3);
    for (int threads = 1; threads <= 3; threads++) {
        struct case_of c;

        set_up(&c, threads);
        for (int i = 0; i < 3; i++)
            add(&c, n[i], nulls[i], (uint32_t)i, i * 10000);
        CHECK_STR(give(&c, NULL), want);
        CHECK(bp_parts_all_rows(c.parts) == 5500);
        tear_down(&c);
    }
}

static void groups_from_before_are_merged(void)
{
    static const int n[] = {2000, 900};
    static const bool nulls[] = {true, true};
    struct bp_err err = {0};
    struct case_of c;

    expect(n, nulls, 2);
    set_up(&c, 2);
    add(&c, n[0], nulls[0], 0, 0);
    table_must(bp_parts_flush(c.parts, &err), &err);
    for (int i = 0; i < BP_PARTS; i++) /* into the table, as when rows repeat */
        table_must(bp_parts_fill(c.parts, i, &c.table, NULL, &err), &err);
    bp_parts_free(c.parts);
    table_must(bp_parts_open(&c.parts, &c.plan, bp_groups_own_pack(c.table.groups), &c.ctx, &err),
               &err);
    add(&c, n[1], nulls[1], 1, 5000);
    CHECK_STR(give(&c, &c.table), want);
    tear_down(&c);
}

/* Some rows go to disk before others come; and all of them do. */
static void rows_on_disk_count_as_others(void)
{
    static const int n[] = {3000, 500, 2000};
    static const bool nulls[] = {false, true, false};
    struct bp_err err = {0};

    expect(n, nulls, 3);
    for (int threads = 1; threads <= 3; threads++)
        for (int all = 0; all < 2; all++) {
            struct case_of c;

            set_up(&c, threads);
            for (int i = 0; i < 3; i++) {
                add(&c, n[i], nulls[i], (uint32_t)i, i * 10000);
                if (i == 2 && !all)
                    continue;
                table_must(bp_parts_flush(c.parts, &err), &err);
                CHECK(bp_parts_on_disk(c.parts) == (i > 0));
                CHECK(bp_parts_put_off(c.parts, &err) == 0);
                CHECK(bp_parts_on_disk(c.parts));
            }
            CHECK_STR(give(&c, NULL), want);
            CHECK(bp_parts_all_rows(c.parts) == 5500);
            CHECK(c.ctx.spilled_bytes > 0 && c.ctx.spilled_bytes % 16384 == 0);
            tear_down(&c);
        }
}

/* Chunks that are saved are had again: rows without end in memory for some. */
static void chunks_are_used_again(void)
{
    struct bp_err err = {0};
    struct case_of c;

    set_up(&c, 2);
    c.ctx.budget.limit_bytes = 17 << 20; /* four slabs: chunks for two rounds */
    for (int i = 0; i < 4; i++) {
        add(&c, 2000, false, 0, i * 2000);
        table_must(bp_parts_flush(c.parts, &err), &err);
        CHECK(bp_parts_put_off(c.parts, &err) == 0);
    }
    table_must(bp_parts_flush(c.parts, &err), &err);
    CHECK(bp_parts_all_rows(c.parts) == 8000);
    tear_down(&c);
}

static void a_full_disk_is_told(void)
{
    struct rlimit old, none = {.rlim_cur = 100 << 10, .rlim_max = RLIM_INFINITY};
    struct bp_err err = {0};
    struct case_of c;

    NEED(getrlimit(RLIMIT_FSIZE, &old) == 0);
    none.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    set_up(&c, 2);
    add(&c, 2000, false, 0, 0);
    table_must(bp_parts_flush(c.parts, &err), &err);
    NEED(setrlimit(RLIMIT_FSIZE, &none) == 0);
    CHECK(bp_parts_put_off(c.parts, &err) == 0);
    CHECK(bp_parts_flush(c.parts, &err) == BP_ESYS);
    NEED(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(strstr(err.msg, "no room in '") && strstr(err.msg, "TMPDIR"));
    tear_down(&c);
}

static void a_small_budget_gives_no_room(void)
{
    struct case_of c;

    set_up(&c, 1);
    c.ctx.budget.limit_bytes = 1 << 20;
    CHECK(!bp_parts_room(c.parts, 10));
    CHECK(c.ctx.budget.used_bytes <= 1 << 20);
    CHECK(!bp_parts_suit(&c.plan, &c.ctx));
    tear_down(&c);
}

/* Their table and its entries, as many as rows may bring. */
static void texts_are_in_the_budget(void)
{
    struct case_of c;
    int64_t before;

    set_up(&c, 1);
    NEED(bp_parts_room(c.parts, 1));
    before = c.ctx.budget.used_bytes;
    NEED(bp_parts_room(c.parts, 100000));
    CHECK(c.ctx.budget.used_bytes - before >= 100000 * 16);
    c.ctx.budget.limit_bytes = c.ctx.budget.used_bytes + 1000;
    CHECK(!bp_parts_room(c.parts, 500000));
    tear_down(&c);
}

UNIT_MAIN(T(parts_give_what_a_table_gives), T(groups_from_before_are_merged),
          T(rows_on_disk_count_as_others), T(chunks_are_used_again), T(a_full_disk_is_told),
          T(a_small_budget_gives_no_room), T(texts_are_in_the_budget))
