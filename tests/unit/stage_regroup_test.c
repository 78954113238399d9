/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>

#include "op_table.h"
#include "stage/regroup.h"

#define SCHEMA "a int, b text"
#define ROWS 400

/* What came out: each group once, its rows in order. */
struct got {
    int64_t n_rows, last_row[70000];
    uint32_t group, n_groups;
    bool seen[70000], wrong;
};

static int take(void *arg, uint32_t group, const struct bp_batch *b, struct bp_err *err)
{
    struct got *g = arg;

    (void)err;
    if (!g->n_rows || group != g->group) {
        g->wrong |= g->seen[group];
        g->seen[group] = true;
        g->group = group;
        g->n_groups++;
    }
    g->wrong |= b->n_cols != 2;
    for (int64_t i = 0; i < b->n_rows; i++) {
        int32_t row = ((const int32_t *)b->cols[0].data)[i];
        size_t n;
        const uint8_t *text = bp_column_bytes(&b->cols[1], i, &n);

        g->wrong |= row < g->last_row[group] || n != 100 || text[0] != (uint8_t)('a' + row % 26);
        g->last_row[group] = row + 1;
    }
    g->n_rows += b->n_rows;
    return 0;
}

static void add(struct bp_regroup *g, int from, uint32_t (*group_of)(int row), uint32_t n_groups)
{
    struct bp_builder a, b;
    struct bp_batch in;
    struct bp_err err = {0};
    uint32_t groups[ROWS];
    char text[100];

    bp_builder_init(&a, BP_TYPE(BP_INT32));
    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    for (int i = 0; i < ROWS; i++) {
        int32_t row = from + i;

        memset(text, 'a' + row % 26, sizeof text);
        groups[i] = group_of(row);
        table_must(bp_builder_add(&a, &row, &err), &err);
        table_must(bp_builder_add_bytes(&b, text, sizeof text, &err), &err);
    }
    table_must(bp_batch_init(&in, 2, &err), &err);
    table_must(bp_builder_finish(&a, &in.cols[0], &err), &err);
    table_must(bp_builder_finish(&b, &in.cols[1], &err), &err);
    in.n_rows = ROWS;
    table_must(bp_regroup_add(g, &in, groups, n_groups, &err), &err);
}

/* rows rows through groups, with a memory limit; 0: none. Does it spill? */
static bool run(struct got *got, int rows, uint32_t (*group_of)(int row), uint32_t n_groups,
                int64_t limit_bytes)
{
    struct bp_ctx ctx = table_ctx(1, 8);
    struct bp_source s = table(SCHEMA, "", 1);
    struct bp_regroup *g = NULL;
    struct bp_err err = {0};
    bool spilled;

    memset(got, 0, sizeof *got);
    ctx.budget.limit_bytes = limit_bytes;
    table_must(bp_regroup_open(&g, &s.schema, &ctx, 0, &err), &err);
    for (int from = 0; from < rows; from += ROWS)
        add(g, from, group_of, n_groups);
    table_must(bp_regroup_drain(g, take, got, &err), &err);
    bp_regroup_free(g);
    bp_source_free(&s);
    spilled = ctx.spilled_bytes > 0;
    CHECK(ctx.budget.used_bytes == 0);
    return spilled;
}

static struct got got;

static uint32_t few(int row)
{
    return (uint32_t)row % 7;
}

static uint32_t many(int row)
{
    return (uint32_t)((int64_t)row * 7919 % 60000);
}

/* nine rows of ten are of one group, which has thirty more in its bucket */
static uint32_t skewed(int row)
{
    return row % 10 ? 5 : (uint32_t)(row / 10 % 1000);
}

static void rows_of_a_group_come_together_in_their_order(void)
{
    CHECK(!run(&got, 20000, few, 7, 0));
    CHECK(got.n_rows == 20000 && got.n_groups == 7 && !got.wrong);
    CHECK(!run(&got, 120000, many, 60000, 0));
    CHECK(got.n_rows == 120000 && got.n_groups == 60000 && !got.wrong);
}

static void so_they_do_from_a_file(void)
{
    CHECK(run(&got, 60000, few, 7, 1 << 20));
    CHECK(got.n_rows == 60000 && got.n_groups == 7 && !got.wrong);
    CHECK(run(&got, 120000, many, 60000, 1 << 20));
    CHECK(got.n_rows == 120000 && got.n_groups == 60000 && !got.wrong);
}

static void a_bucket_of_more_than_memory_is_taken_apart_again(void)
{
    CHECK(run(&got, 120000, skewed, 1000, 1 << 20));
    CHECK(got.n_rows == 120000 && got.n_groups == 1000 && !got.wrong);
}

static void nothing_gives_nothing(void)
{
    CHECK(!run(&got, 0, few, 0, 1 << 20));
    CHECK(got.n_rows == 0 && got.n_groups == 0);
}

UNIT_MAIN(T(rows_of_a_group_come_together_in_their_order), T(so_they_do_from_a_file),
          T(a_bucket_of_more_than_memory_is_taken_apart_again), T(nothing_gives_nothing))
