/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a merge: each run has one batch read, decoded and in use, about twice
 * its values' bytes, and what its reader needs; then there is the output, and the
 * batches that were used up while it was put together.
 */
#include "op/sort_runs.h"

#include <string.h>

#include "flow/recut.h"

#define BATCH_MIN_BYTES ((int64_t)32 << 10)
#define BATCH_MAX_BYTES ((int64_t)512 << 10)
#define BATCH_SHARE 512    /* of the memory limit, for a batch of a run */
#define READER_BYTES 16384 /* schema, metadata, words: beside a run's batch */
#define COLUMN_BYTES 1024  /* of a run's batch: blocks' heads */
#define OUTPUT_SHARE 16    /* of the free memory, for a batch of output */

void bp_sort_runs_init(struct bp_sort_runs *r, const struct bp_schema *schema,
                       const struct bp_sort_keys *keys, struct bp_ctx *ctx)
{
    *r = (struct bp_sort_runs){.schema = schema, .keys = keys, .ctx = ctx};
}

static void close_merger(struct bp_sort_runs *r)
{
    bp_merger_release(&r->merger);
    for (int i = 0; i < r->n_ins; i++)
        bp_source_free(&r->ins[i]);
    bp_mem_free(r->ins);
    r->ins = NULL;
    r->n_ins = 0;
    bp_budget_give(&r->ctx->budget, r->taken_bytes);
    r->taken_bytes = 0;
}

void bp_sort_runs_release(struct bp_sort_runs *r)
{
    if (!r->ctx)
        return;
    close_merger(r);
    bp_spill_free(r->spill);
    bp_mem_free(r->runs);
    memset(r, 0, sizeof *r);
}

/* ---- writing ---- */

int64_t bp_sort_runs_batch_rows(const struct bp_sort_runs *r, int64_t row_bytes)
{
    int64_t bytes = r->ctx->budget.limit_bytes / BATCH_SHARE;

    bytes = BP_MAX(BP_MIN(bytes, BATCH_MAX_BYTES), BATCH_MIN_BYTES);
    return BP_MAX(1, BP_MIN(bytes / BP_MAX(row_bytes, 1), r->ctx->batch_rows));
}

int bp_sort_runs_put(struct bp_sort_runs *r, const struct bp_batch *in, struct bp_err *err)
{
    if (!r->spill)
        BP_TRY(bp_spill_open(&r->spill, r->schema, r->ctx, err));
    return bp_spill_put(r->spill, in, err);
}

int bp_sort_runs_end(struct bp_sort_runs *r, struct bp_err *err)
{
    if (r->n == r->cap) {
        int want = r->cap ? r->cap * 2 : 64;
        struct bp_spill_run *bigger = bp_mem_grow(r->runs, (size_t)want, sizeof *bigger, err);

        if (!bigger)
            return err->code;
        r->runs = bigger;
        r->cap = want;
    }
    BP_TRY(bp_spill_end(r->spill, &r->runs[r->n], err));
    r->n++;
    return 0;
}

/* ---- merging ---- */

static int64_t free_bytes(const struct bp_sort_runs *r)
{
    const struct bp_budget *b = &r->ctx->budget;

    if (!b->limit_bytes)
        return INT64_MAX / 2;
    return BP_MAX(0, b->limit_bytes - (int64_t)atomic_load(&b->used_bytes));
}

/* What merging this run costs. */
static int64_t reading_bytes(const struct bp_spill_run *run)
{
    return 2 * run->batch_bytes + READER_BYTES;
}

int64_t bp_sort_runs_least_bytes(const struct bp_schema *schema)
{
    const struct bp_spill_run run = {.batch_bytes = BATCH_MIN_BYTES};

    return 2 * (reading_bytes(&run) + schema->n_fields * COLUMN_BYTES);
}

/* How many of the runs from `at` on can be merged at once: two at least, or it would
 * never end. */
static int fan_in(const struct bp_sort_runs *r, int at)
{
    int64_t room = free_bytes(r);
    int n = 0;

    room -= room / OUTPUT_SHARE * 4;
    while (at + n < r->n) {
        room -= reading_bytes(&r->runs[at + n]);
        if (room < 0 && n >= 2)
            break;
        n++;
    }
    return n;
}

static int64_t run_row_bytes(const struct bp_spill_run *run)
{
    return run->n_rows ? run->value_bytes / run->n_rows + 1 : 1;
}

static int open_merger(struct bp_sort_runs *r, int at, int n, int64_t rows, struct bp_err *err)
{
    int64_t bytes = 0;

    r->ins = bp_mem_new((size_t)n, sizeof *r->ins, err);
    if (!r->ins)
        return err->code;
    for (; r->n_ins < n; r->n_ins++) {
        BP_TRY(bp_spill_source(&r->ins[r->n_ins], r->spill, &r->runs[at + r->n_ins], err));
        bytes += reading_bytes(&r->runs[at + r->n_ins]);
    }
    if (bp_budget_take(&r->ctx->budget, bytes))
        r->taken_bytes = bytes;
    return bp_merger_open(&r->merger, r->ins, n, r->keys, false, rows, err);
}

/* Runs [at, at + n) become one, in their place. */
static int merge_some(struct bp_sort_runs *r, int at, int n, int64_t limit, struct bp_err *err)
{
    int64_t left = limit >= 0 ? limit : INT64_MAX;
    struct bp_batch b;
    int rc;

    BP_TRY(open_merger(r, at, n, bp_sort_runs_batch_rows(r, run_row_bytes(&r->runs[at])), err));
    while (left > 0 && (rc = bp_merger_next(&r->merger, &b, err)) != BP_DONE) {
        if (rc == 0)
            rc = bp_spill_put(r->spill, &b, err);
        left -= b.n_rows;
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    close_merger(r);
    for (int i = at; i < at + n; i++)
        bp_spill_discard(r->spill, &r->runs[i]);
    BP_TRY(bp_spill_end(r->spill, &r->runs[at], err));
    memmove(&r->runs[at + 1], &r->runs[at + n], (size_t)(r->n - at - n) * sizeof *r->runs);
    r->n -= n - 1;
    return 0;
}

int bp_sort_runs_start(struct bp_sort_runs *r, int64_t limit, struct bp_err *err)
{
    int64_t rows, whole = bp_recut_rows(r->schema);

    for (int at = 0, n; (n = fan_in(r, 0)) < r->n;) {
        if (at + 1 >= r->n)
            at = 0;
        n = BP_MIN(fan_in(r, at), r->n - n + 1);
        BP_TRY(merge_some(r, at, BP_MAX(n, 2), limit, err));
        at++;
    }
    rows = free_bytes(r) / OUTPUT_SHARE / run_row_bytes(&r->runs[0]);
    rows = BP_MIN(rows, whole ? BP_MIN(whole, r->ctx->batch_rows) : r->ctx->batch_rows);
    return open_merger(r, 0, r->n, BP_MAX(1, rows), err);
}

int bp_sort_runs_next(struct bp_sort_runs *r, struct bp_batch *out, struct bp_err *err)
{
    return bp_merger_next(&r->merger, out, err);
}
