/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_spill.h"

#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "col/text.h"
#include "op/reduce_order.h"

#define HASH_NAME "hash"
#define BATCH_SHARE 512 /* of the memory limit, for a batch of a run */
#define BATCH_MIN_BYTES ((int64_t)32 << 10)
#define BATCH_MAX_BYTES ((int64_t)512 << 10)
#define BATCH_LEAST_ROWS 8 /* of many aggregates: heads of columns cost too */
#define COLUMN_BYTES 1024  /* of a run's batch: metadata, blocks' heads, the window's tables */
#define TEXT_BYTES 32      /* of a text or a state that is bytes: a guess */
#define READER_BYTES 16384 /* schema, metadata, words: beside a run's batch */
#define WINDOW_COST 4      /* batch as read, as decoded, in the window's table, going out */
#define WINDOW_LEAST_BYTES ((int64_t)4 << 20) /* no window below this is too large */
#define FREE_SHARE 2 /* of the memory that is free, for merging: 1/FREE_SHARE */

/* A run that is being read. */
struct bp_reduce_cursor {
    struct bp_source src;
    struct bp_batch b;
    int64_t at;  /* the first row that is not used */
    bool at_end; /* b is the last batch */
};

void bp_reduce_spill_init(struct bp_reduce_spill *s, struct bp_reduce_plan *plan,
                          struct bp_ctx *ctx)
{
    *s = (struct bp_reduce_spill){.plan = plan, .ctx = ctx};
}

static void close_cursors(struct bp_reduce_spill *s)
{
    for (int i = 0; i < s->n_cursors; i++) {
        bp_batch_release(&s->cursors[i].b);
        bp_source_free(&s->cursors[i].src);
    }
    bp_mem_free(s->cursors);
    s->cursors = NULL;
    s->n_cursors = 0;
    bp_budget_give(&s->ctx->budget, s->taken_bytes);
    s->taken_bytes = 0;
}

void bp_reduce_spill_release(struct bp_reduce_spill *s)
{
    struct bp_reduce_plan *plan = s->plan;
    struct bp_ctx *ctx = s->ctx;

    if (!ctx)
        return;
    close_cursors(s);
    bp_spill_free(s->spill);
    bp_mem_free(s->runs);
    bp_mem_free(s->ids);
    bp_schema_release(&s->schema);
    bp_reduce_spill_init(s, plan, ctx);
}

/* ---- writing a run ---- */

static int64_t n_columns(const struct bp_reduce_plan *plan)
{
    int64_t n = 1 + plan->n_keys;

    for (int i = 0; i < plan->n_aggs; i++)
        n += plan->aggs[i].agg->n_parts;
    return n;
}

static int open_spill(struct bp_reduce_spill *s, struct bp_err *err)
{
    const struct bp_reduce_plan *p = s->plan;

    if (s->spill)
        return 0;
    BP_TRY(bp_schema_add(&s->schema, HASH_NAME, BP_TYPE(BP_UINT64), err));
    for (int i = 0; i < p->n_keys; i++)
        BP_TRY(bp_schema_add(&s->schema, p->keys[i].name, p->keys[i].type, err));
    for (int i = 0; i < p->n_aggs; i++)
        for (int k = 0; k < p->aggs[i].agg->n_parts; k++)
            BP_TRY(bp_schema_add(&s->schema, p->aggs[i].name, p->aggs[i].agg->parts[k].type, err));
    return bp_spill_open(&s->spill, &s->schema, s->ctx, err);
}

static int hash_column(const struct bp_column *keys, int n_keys, int64_t n, struct bp_column *out,
                       struct bp_err *err)
{
    const struct bp_column **ptrs = bp_mem_new((size_t)n_keys + 1, sizeof *ptrs, err);
    int rc = ptrs ? bp_agg_column(out, BP_TYPE(BP_UINT64), n, err) : err->code;

    if (rc == 0) {
        uint64_t *hash = (uint64_t *)(void *)out->own[1]->data;

        for (int i = 0; i < n_keys; i++)
            ptrs[i] = &keys[i];
        if (n_keys)
            rc = bp_key_hash(ptrs, n_keys, n, hash, err);
        else
            memset(hash, 0, (size_t)n * sizeof *hash);
    }
    bp_mem_free(ptrs);
    return rc;
}

int bp_reduce_spill_make(const struct bp_reduce_plan *p, const struct bp_reduce_table *t,
                         const uint32_t *ids, int64_t n, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, (int)n_columns(p), err));
    BP_TRY(bp_reduce_table_columns(t, p, true, ids, n, &out->cols[1], err));
    BP_TRY(hash_column(&out->cols[1], p->n_order, n, &out->cols[0], err));
    out->n_rows = n;
    return 0;
}

static int64_t batch_bytes(const struct bp_reduce_spill *s)
{
    int64_t bytes = s->ctx->budget.limit_bytes / BATCH_SHARE;

    return BP_MAX(BP_MIN(bytes, BATCH_MAX_BYTES), BATCH_MIN_BYTES);
}

static int64_t width_bytes(struct bp_type t)
{
    return bp_type_is_bytes(t) ? TEXT_BYTES : BP_MAX((int64_t)bp_type_width_bytes(t), 1);
}

int64_t bp_reduce_spill_batch_rows(const struct bp_reduce_spill *s)
{
    const struct bp_reduce_plan *p = s->plan;
    int64_t row = 8;

    for (int i = 0; i < p->n_keys; i++)
        row += width_bytes(p->keys[i].type);
    for (int i = 0; i < p->n_aggs; i++)
        for (int k = 0; k < p->aggs[i].agg->n_parts; k++)
            row += width_bytes(p->aggs[i].agg->parts[k].type);
    return BP_MAX(BATCH_LEAST_ROWS, BP_MIN(batch_bytes(s) / row, s->ctx->batch_rows));
}

/* All groups in order, behind the run that is being written. A batch that comes out
 * much larger than meant (states differ in size) is cut and saved again. */
static int write_groups(struct bp_reduce_spill *s, const struct bp_reduce_table *t,
                        struct bp_err *err)
{
    int64_t count = bp_groups_count(t->groups), want = batch_bytes(s), bytes;
    int64_t n = bp_reduce_spill_batch_rows(s);
    struct bp_batch b = {0};
    uint32_t *order = NULL;
    int rc;

    BP_GO(bp_reduce_order(t->groups, s->plan->n_order, &order, err));
    for (int64_t from = 0; from < count;) {
        n = BP_MIN(n, BP_MIN(count - from, bp_ctx_batch_rows(s->ctx, &s->schema)));
        BP_GO(bp_reduce_spill_make(s->plan, t, order + from, n, &b, err));
        bytes = bp_batch_size_bytes(&b);
        if (bytes > 4 * want && n > 1) {
            bp_batch_release(&b);
            n = BP_MAX(1, n * want / bytes);
            continue;
        }
        BP_GO(bp_spill_put(s->spill, &b, err));
        bp_batch_release(&b);
        from += n;
        n = BP_MAX(1, BP_MIN(2 * n, n * want / BP_MAX(bytes, 1) + 1));
    }
out:
    bp_batch_release(&b);
    bp_mem_free(order);
    return rc;
}

int bp_reduce_spill_add(struct bp_reduce_spill *s, const struct bp_batch *b, struct bp_err *err)
{
    BP_TRY(open_spill(s, err));
    return bp_spill_put(s->spill, b, err);
}

int bp_reduce_spill_end(struct bp_reduce_spill *s, struct bp_err *err)
{
    if (s->n_runs == s->cap_runs) {
        int cap = s->cap_runs ? s->cap_runs * 2 : 64;
        struct bp_spill_run *p = bp_mem_grow(s->runs, (size_t)cap, sizeof *p, err);

        if (!p)
            return err->code;
        s->runs = p;
        s->cap_runs = cap;
    }
    BP_TRY(open_spill(s, err));
    BP_TRY(bp_spill_end(s->spill, &s->runs[s->n_runs], err));
    s->n_runs++;
    return 0;
}

int bp_reduce_spill_put(struct bp_reduce_spill *s, const struct bp_reduce_table *t,
                        struct bp_err *err)
{
    BP_TRY(open_spill(s, err));
    BP_TRY(write_groups(s, t, err));
    return bp_reduce_spill_end(s, err);
}

/* ---- reading runs ---- */

static int64_t reading_bytes(const struct bp_reduce_plan *plan, const struct bp_spill_run *run)
{
    return WINDOW_COST * run->batch_bytes + READER_BYTES + n_columns(plan) * COLUMN_BYTES;
}

static int64_t free_bytes(const struct bp_reduce_spill *s)
{
    const struct bp_budget *b = &s->ctx->budget;

    if (!b->limit_bytes)
        return INT64_MAX / 2;
    return BP_MAX(0, b->limit_bytes - (int64_t)atomic_load(&b->used_bytes));
}

int64_t bp_reduce_spill_least_bytes(const struct bp_reduce_plan *plan)
{
    const struct bp_spill_run run = {.batch_bytes = BATCH_MIN_BYTES};

    return 2 * reading_bytes(plan, &run);
}

/* How many runs from `at` on can be merged at once: two at least. */
static int fan_in(const struct bp_reduce_spill *s, int at)
{
    int64_t room = free_bytes(s) / FREE_SHARE;
    int n = 0;

    while (at + n < s->n_runs) {
        room -= reading_bytes(s->plan, &s->runs[at + n]);
        if (room < 0 && n >= 2)
            break;
        n++;
    }
    return n;
}

/* The cursor's next batch; at its end b has no rows. */
static int advance(struct bp_reduce_cursor *c, struct bp_err *err)
{
    int rc;

    bp_batch_release(&c->b);
    c->at = 0;
    while (!c->at_end && c->b.n_rows == 0) {
        bp_batch_release(&c->b);
        rc = bp_source_next(&c->src, &c->b, err);
        if (rc < 0)
            return rc;
        c->at_end = rc == BP_DONE;
    }
    return 0;
}

static int open_cursors(struct bp_reduce_spill *s, int at, int n, struct bp_err *err)
{
    int64_t bytes = 0;

    s->cursors = bp_mem_new((size_t)n, sizeof *s->cursors, err);
    if (!s->cursors)
        return err->code;
    for (; s->n_cursors < n; s->n_cursors++) {
        BP_TRY(bp_spill_source(&s->cursors[s->n_cursors].src, s->spill, &s->runs[at + s->n_cursors],
                               err));
        bytes += reading_bytes(s->plan, &s->runs[at + s->n_cursors]);
    }
    if (bp_budget_take(&s->ctx->budget, bytes))
        s->taken_bytes = bytes;
    for (int i = 0; i < n; i++)
        BP_TRY(advance(&s->cursors[i], err));
    return 0;
}

/* ---- a window ---- */

static uint64_t hash_at(const struct bp_reduce_cursor *c, int64_t row)
{
    return ((const uint64_t *)c->b.cols[0].data)[row];
}

/* The first row from c->at on whose hash is not below `end`. */
static int64_t rows_below(const struct bp_reduce_cursor *c, uint64_t end)
{
    int64_t lo = c->at, hi = c->b.n_rows, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (hash_at(c, mid) < end)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* What is in the table, and with `more` bytes of states would be, is too much: groups of a
 * window cannot be made fewer, nor their states smaller. */
static int check_window(const struct bp_reduce_spill *s, const struct bp_reduce_table *t,
                        int64_t more, struct bp_err *err)
{
    int64_t bytes = bp_reduce_table_held_bytes(t) + more, limit = s->ctx->budget.limit_bytes;
    struct bp_buf key = {0};
    uint32_t id = 0;

    if (!limit || bytes <= BP_MAX(limit, WINDOW_LEAST_BYTES))
        return 0;
    for (int i = 0; i < s->plan->n_keys; i++) {
        struct bp_column c = {0};

        if (bp_groups_column(t->groups, i, &id, 1, &c, err) < 0 ||
            bp_buf_printf(&key, err, "%s%s = ", i ? ", " : "", s->plan->keys[i].name) < 0 ||
            (bp_column_is_null(&c, 0) ? bp_buf_puts(&key, "NULL", err)
                                      : bp_text_append(&c, 0, &key, err)) < 0) {
            bp_column_release(&c);
            bp_buf_release(&key);
            return err->code;
        }
        bp_column_release(&c);
    }
    bp_fail(err, BP_EDATA,
            "the states of %lld groups (one is %.*s) need %lld MiB at once, more than --mem %lld "
            "MiB: give more memory, or an aggregate with a small state",
            (long long)bp_groups_count(t->groups), key.len ? (int)BP_MIN(key.len, 200) : 18,
            key.len ? (const char *)key.data : "all rows, no keys:", (long long)(bytes >> 20),
            (long long)(limit >> 20));
    bp_buf_release(&key);
    return err->code;
}

/* Of n rows, if all are alike. */
static int64_t slice_bytes(const struct bp_reduce_cursor *c, int64_t n)
{
    return bp_batch_size_bytes(&c->b) / c->b.n_rows * n;
}

/* Rows [c->at, to) into the table. */
static int feed(struct bp_reduce_spill *s, struct bp_reduce_table *t, struct bp_reduce_cursor *c,
                int64_t to, struct bp_err *err)
{
    const struct bp_reduce_plan *p = s->plan;
    int64_t n = to - c->at, n_before = bp_groups_count(t->groups);
    const struct bp_column **keys = NULL;
    struct bp_batch part = {0};
    struct bp_agg_rows rows = {.n_rows = n, .n_before = n_before};
    int col, rc;

    if (n == 0)
        return 0;
    if (n + BP_AGG_AHEAD > s->cap_ids) {
        bp_mem_free(s->ids);
        s->cap_ids = n + BP_AGG_AHEAD;
        s->ids = bp_mem_new((size_t)s->cap_ids, sizeof *s->ids, err);
        if (!s->ids) {
            s->cap_ids = 0;
            return err->code;
        }
    }
    keys = bp_mem_new((size_t)p->n_keys + 1, sizeof *keys, err);
    rc = keys ? bp_batch_slice(&part, &c->b, c->at, n, err) : err->code;
    BP_GO(rc);
    for (int i = 0; i < p->n_keys; i++)
        keys[i] = &part.cols[1 + i];
    BP_GO(bp_groups_find(t->groups, keys, n, s->ids, err));
    BP_GO(check_window(s, t, slice_bytes(c, n), err));
    rows.ids = p->n_keys ? s->ids : NULL;
    col = 1 + p->n_keys;
    for (int i = 0; i < p->n_aggs; i++) {
        struct bp_agg *a = t->aggs[i];

        rows.cols = &part.cols[col];
        BP_GO(a->kind->ops->grow(a, bp_groups_count(t->groups), err));
        BP_GO(a->kind->ops->merge(a, &rows, err));
        col += a->n_parts;
    }
    c->at = to;
out:
    bp_batch_release(&part);
    bp_mem_free(keys);
    return rc;
}

/* The smallest last hash of the batches in memory. *whole: there is none. */
static uint64_t window_end(const struct bp_reduce_spill *s, bool *whole)
{
    uint64_t end = UINT64_MAX;

    *whole = true;
    for (int i = 0; i < s->n_cursors; i++) {
        const struct bp_reduce_cursor *c = &s->cursors[i];

        if (c->b.n_rows == 0)
            continue;
        *whole = false;
        end = BP_MIN(end, hash_at(c, c->b.n_rows - 1));
    }
    return end;
}

static int feed_below(struct bp_reduce_spill *s, struct bp_reduce_table *t, uint64_t end,
                      struct bp_err *err)
{
    for (int i = 0; i < s->n_cursors; i++)
        BP_TRY(feed(s, t, &s->cursors[i], rows_below(&s->cursors[i], end), err));
    return 0;
}

/* The mark's own hash: taken run by run, batch by batch, until all runs are behind it. */
static int feed_equal(struct bp_reduce_spill *s, struct bp_reduce_table *t, uint64_t hash,
                      struct bp_err *err)
{
    for (int i = 0; i < s->n_cursors; i++) {
        struct bp_reduce_cursor *c = &s->cursors[i];

        while (c->b.n_rows && hash_at(c, c->at) == hash) {
            int64_t to = hash == UINT64_MAX ? c->b.n_rows : rows_below(c, hash + 1);

            BP_TRY(feed(s, t, c, to, err));
            if (c->at == c->b.n_rows)
                BP_TRY(advance(c, err));
        }
    }
    return 0;
}

int bp_reduce_spill_window(struct bp_reduce_spill *s, struct bp_reduce_table *t, struct bp_err *err)
{
    bool whole;
    uint64_t end = window_end(s, &whole);

    if (whole)
        return BP_DONE;
    BP_TRY(bp_reduce_table_clear(t, s->plan, err));
    BP_TRY(feed_below(s, t, end, err));
    BP_TRY(feed_equal(s, t, end, err));
    return check_window(s, t, 0, err);
}

/* ---- more runs than memory has batches for ---- */

/* Runs [at, at + n) become one, in their place. */
static int merge_some(struct bp_reduce_spill *s, int at, int n, struct bp_reduce_table *t,
                      struct bp_err *err)
{
    struct bp_spill_run merged;
    int rc;

    BP_TRY(open_cursors(s, at, n, err));
    while ((rc = bp_reduce_spill_window(s, t, err)) == 0)
        BP_TRY(write_groups(s, t, err));
    if (rc < 0)
        return rc;
    close_cursors(s);
    BP_TRY(bp_spill_end(s->spill, &merged, err));
    for (int i = at; i < at + n; i++)
        bp_spill_discard(s->spill, &s->runs[i]);
    s->runs[at] = merged;
    memmove(&s->runs[at + 1], &s->runs[at + n], (size_t)(s->n_runs - at - n) * sizeof *s->runs);
    s->n_runs -= n - 1;
    return 0;
}

int bp_reduce_spill_start(struct bp_reduce_spill *s, struct bp_reduce_table *t, struct bp_err *err)
{
    for (int at = 0, n; (n = fan_in(s, 0)) < s->n_runs; at++) {
        if (at + 1 >= s->n_runs)
            at = 0;
        n = BP_MIN(fan_in(s, at), s->n_runs - n + 1);
        BP_TRY(merge_some(s, at, BP_MAX(n, 2), t, err));
    }
    return open_cursors(s, 0, s->n_runs, err);
}
