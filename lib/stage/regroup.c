/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows wait with the number of their group beside them, sorted by FAN_BITS bits of it:
 * FAN buckets. When memory is full each bucket is written as one run of a temporary
 * file, so that runs are long whatever the number of groups, and what has to be known
 * of them is a few bytes for each 1/FAN of the memory. At the end one bucket after the
 * other is brought back and sorted by group: in memory if it fits there, else by the
 * next bits, as another level of the same kind. A bucket of one group is passed on as
 * it comes. (The way of a hash join that partitions recursively, with numbers for
 * hashes: they are dense, so that the depth is known.)
 */
#include "stage/regroup.h"

#include <string.h>

#include "base/mem.h"
#include "stage/spill.h"

#define FAN_BITS 5
#define FAN (1u << FAN_BITS)
#define PENDING_MAX_BYTES (INT64_C(256) << 20)
#define PENDING_MIN_BYTES (INT64_C(1) << 20)

struct bucket {
    struct bp_spill_run *runs; /* in order of rows */
    int64_t n_runs, cap_runs;
    int64_t bytes; /* of values */
};

struct level {
    struct bp_regroup *g;
    int shift; /* the bits of a group's number, from here on */
    struct bp_pending *pending;
    int64_t taken_bytes;
    struct bp_spill *spill; /* NULL: nothing was written yet */
    struct bucket buckets[FAN];
    int64_t open_bytes; /* of the run that is being written */
    uint32_t open;      /* its bucket; FAN: none */
};

struct bp_regroup {
    struct bp_ctx *ctx;
    struct bp_schema schema, numbered; /* names and types; and one more column, the number */
    struct level *top;
    uint32_t n_groups;
    int64_t limit_bytes;      /* of a level, and of what is sorted in memory */
    struct bp_block *part_of; /* scratch, per row */
    bp_pending_emit emit;     /* of the drain */
    void *arg;
};

static int level_drain(struct level *l, struct bp_err *err);

/* ---- opening ---- */

static void level_free(struct level *l)
{
    if (!l)
        return;
    bp_budget_give(&l->g->ctx->budget, l->taken_bytes);
    bp_pending_free(l->pending);
    bp_spill_free(l->spill);
    for (uint32_t k = 0; k < FAN; k++)
        bp_mem_free(l->buckets[k].runs);
    bp_mem_free(l);
}

static int level_open(struct level **out, struct bp_regroup *g, int shift, struct bp_err *err)
{
    struct level *l = bp_mem_new(1, sizeof *l, err);

    if (!l)
        return err->code;
    l->g = g;
    l->shift = shift;
    l->open = FAN;
    if (bp_pending_open(&l->pending, &g->numbered, FAN, err) < 0) {
        level_free(l);
        return err->code;
    }
    *out = l;
    return 0;
}

static int set_schemas(struct bp_regroup *g, const struct bp_schema *from, struct bp_err *err)
{
    for (int i = 0; i < from->n_fields; i++) {
        BP_TRY(bp_schema_add(&g->schema, from->fields[i].name, from->fields[i].type, err));
        BP_TRY(bp_schema_add(&g->numbered, from->fields[i].name, from->fields[i].type, err));
    }
    return bp_schema_add(&g->numbered, "", BP_TYPE(BP_INT32), err);
}

int bp_regroup_open(struct bp_regroup **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                    int64_t kept_bytes, struct bp_err *err)
{
    struct bp_regroup *g = bp_mem_new(1, sizeof *g, err);
    int64_t limit = ctx->budget.limit_bytes;
    int rc;

    if (!g)
        return err->code;
    g->ctx = ctx;
    g->limit_bytes = PENDING_MAX_BYTES;
    if (limit) /* at the end a bucket stands beside what waits */
        g->limit_bytes =
            BP_MIN(g->limit_bytes,
                   (limit - (int64_t)atomic_load(&ctx->budget.used_bytes) - kept_bytes) / 2);
    g->limit_bytes = BP_MAX(g->limit_bytes, PENDING_MIN_BYTES);
    bp_budget_least(&ctx->budget, 2 * PENDING_MIN_BYTES + 2 * bp_least_batch_bytes(schema));
    BP_GO(set_schemas(g, schema, err));
    BP_GO(level_open(&g->top, g, 0, err));
    *out = g;
    return 0;
out:
    bp_regroup_free(g);
    return rc;
}

void bp_regroup_free(struct bp_regroup *g)
{
    if (!g)
        return;
    level_free(g->top);
    bp_block_unref(g->part_of);
    bp_schema_release(&g->schema);
    bp_schema_release(&g->numbered);
    bp_mem_free(g);
}

/* ---- to the file ---- */

static int end_run(struct level *l, struct bp_err *err)
{
    struct bucket *b = &l->buckets[l->open];

    if (l->open == FAN)
        return 0;
    if (b->n_runs == b->cap_runs) {
        int64_t cap = b->cap_runs ? b->cap_runs * 2 : 4;
        struct bp_spill_run *grown = bp_mem_grow(b->runs, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        b->runs = grown;
        b->cap_runs = cap;
    }
    BP_TRY(bp_spill_end(l->spill, &b->runs[b->n_runs], err));
    b->n_runs++;
    b->bytes += l->open_bytes;
    l->open = FAN;
    return 0;
}

static int write_rows(void *arg, uint32_t part, const struct bp_batch *b, struct bp_err *err)
{
    struct level *l = arg;

    if (part != l->open) {
        BP_TRY(end_run(l, err));
        l->open = part;
        l->open_bytes = 0;
    }
    l->open_bytes += bp_batch_size_bytes(b);
    return bp_spill_put(l->spill, b, err);
}

static void give_back(struct level *l)
{
    bp_budget_give(&l->g->ctx->budget, l->taken_bytes);
    l->taken_bytes = 0;
}

static int spill(struct level *l, struct bp_err *err)
{
    if (!l->spill)
        BP_TRY(bp_spill_open(&l->spill, &l->g->numbered, l->g->ctx, err));
    BP_TRY(bp_pending_flush(l->pending, write_rows, l, err));
    give_back(l);
    return end_run(l, err);
}

/* ---- coming in ---- */

/* One batch is taken whatever the budget says. */
static int make_room(struct level *l, int64_t bytes, struct bp_err *err)
{
    struct bp_budget *budget = &l->g->ctx->budget;

    if (bp_pending_bytes(l->pending) + bytes > l->g->limit_bytes ||
        !bp_budget_take(budget, bytes)) {
        BP_TRY(spill(l, err));
        if (!bp_budget_take(budget, bytes))
            return 0;
    }
    l->taken_bytes += bytes;
    return 0;
}

/* b has the numbers in its last column, and is taken. */
static int level_add(struct level *l, struct bp_batch *b, struct bp_err *err)
{
    const uint32_t *number = b->cols[b->n_cols - 1].data;
    uint32_t *part_of;
    int rc;

    BP_GO(bp_block_grow(&l->g->part_of, 0, (size_t)b->n_rows * sizeof *part_of, err));
    part_of = (uint32_t *)(void *)l->g->part_of->data;
    for (int64_t i = 0; i < b->n_rows; i++)
        part_of[i] = number[i] >> l->shift & (FAN - 1);
    BP_GO(make_room(l, bp_batch_size_bytes(b), err));
    return bp_pending_add(l->pending, b, part_of, err);
out:
    bp_batch_release(b);
    return rc;
}

static int add_numbers(struct bp_batch *out, const struct bp_batch *in, const uint32_t *group_of,
                       struct bp_err *err)
{
    struct bp_column *number;
    struct bp_block *block = NULL;

    BP_TRY(bp_batch_init(out, in->n_cols + 1, err));
    if (bp_block_grow(&block, 0, (size_t)in->n_rows * sizeof *group_of, err) < 0) {
        bp_batch_release(out);
        return err->code;
    }
    memcpy(block->data, group_of, (size_t)in->n_rows * sizeof *group_of);
    for (int c = 0; c < in->n_cols; c++)
        bp_column_ref(&out->cols[c], &in->cols[c]);
    number = &out->cols[in->n_cols];
    number->type = BP_TYPE(BP_INT32);
    number->n_rows = in->n_rows;
    number->data = block->data;
    number->own[1] = block;
    out->n_rows = in->n_rows;
    return 0;
}

int bp_regroup_add(struct bp_regroup *g, struct bp_batch *in, const uint32_t *group_of,
                   uint32_t n_groups, struct bp_err *err)
{
    struct bp_batch b;
    int rc = add_numbers(&b, in, group_of, err);

    bp_batch_release(in);
    BP_TRY(rc);
    g->n_groups = BP_MAX(g->n_groups, n_groups);
    return level_add(g->top, &b, err);
}

int bp_regroup_yield(struct bp_regroup *g, struct bp_err *err)
{
    return bp_pending_bytes(g->top->pending) ? spill(g->top, err) : 0;
}

/* ---- coming out ---- */

/* A bucket on its way: sorted by group in memory, or passed on. Its rows stand beside an
 * empty level, or beside one that was all in memory: half of the room is theirs. */
struct leaf {
    struct level *l;
    uint32_t bucket;            /* FAN: none yet */
    uint32_t low;               /* the bits that the numbers of its groups share */
    struct bp_pending *pending; /* NULL: it is of one group */
    struct bp_block *local;     /* scratch, per row: which of its groups */
};

static uint32_t groups_of_bucket(const struct level *l)
{
    int bits = l->shift + (int)FAN_BITS;

    return bits > 31 || !l->g->n_groups ? 1 : ((l->g->n_groups - 1) >> bits) + 1;
}

/* The number of the group of the first row. */
static uint32_t first_number(const struct bp_batch *b)
{
    return *(const uint32_t *)b->cols[b->n_cols - 1].data;
}

static int emit_local(void *arg, uint32_t part, const struct bp_batch *b, struct bp_err *err)
{
    struct leaf *f = arg;
    struct bp_regroup *g = f->l->g;

    return g->emit(g->arg, part << (f->l->shift + (int)FAN_BITS) | f->low, b, err);
}

static int leaf_end(struct leaf *f, struct bp_err *err)
{
    int rc = f->pending ? bp_pending_flush(f->pending, emit_local, f, err) : 0;

    bp_pending_free(f->pending);
    f->pending = NULL;
    f->bucket = FAN;
    return rc;
}

static int leaf_begin(struct leaf *f, uint32_t bucket, uint32_t number, struct bp_err *err)
{
    uint32_t n = groups_of_bucket(f->l);

    BP_TRY(leaf_end(f, err));
    f->bucket = bucket;
    if (n == 1)
        return 0;
    f->low = number & ((1u << (f->l->shift + (int)FAN_BITS)) - 1);
    return bp_pending_open(&f->pending, &f->l->g->schema, n, err);
}

/* Rows to the groups of the bucket; b is taken. */
static int sort_in_memory(struct leaf *f, struct bp_batch *b, const uint32_t *number,
                          struct bp_err *err)
{
    uint32_t *local;

    if (bp_block_grow(&f->local, 0, (size_t)b->n_rows * sizeof *local, err) < 0) {
        bp_batch_release(b);
        return err->code;
    }
    local = (uint32_t *)(void *)f->local->data;
    for (int64_t i = 0; i < b->n_rows; i++)
        local[i] = number[i] >> (f->l->shift + (int)FAN_BITS);
    return bp_pending_add(f->pending, b, local, err);
}

static int leaf_rows(void *arg, uint32_t bucket, const struct bp_batch *b, struct bp_err *err)
{
    struct leaf *f = arg;
    struct bp_regroup *g = f->l->g;
    struct bp_batch bare;
    int rc;

    if (b->n_rows == 0)
        return 0;
    if (bucket != f->bucket)
        BP_TRY(leaf_begin(f, bucket, first_number(b), err));
    BP_TRY(bp_batch_init(&bare, b->n_cols - 1, err));
    for (int c = 0; c < bare.n_cols; c++)
        bp_column_ref(&bare.cols[c], &b->cols[c]);
    bare.n_rows = b->n_rows;
    if (f->pending)
        return sort_in_memory(f, &bare, b->cols[b->n_cols - 1].data, err);
    rc = g->emit(g->arg, first_number(b), &bare, err);
    bp_batch_release(&bare);
    return rc;
}

/* One bucket back from the file: to f, or, taken apart, to below. */
static int read_bucket(struct level *l, uint32_t k, struct leaf *f, struct level *below,
                       struct bp_err *err)
{
    struct bucket *b = &l->buckets[k];
    int rc = 0;

    for (int64_t i = 0; i < b->n_runs && rc == 0; i++) {
        struct bp_source src;
        struct bp_batch rows;

        BP_TRY(bp_spill_source(&src, l->spill, &b->runs[i], err));
        while (rc == 0 && (rc = bp_source_next(&src, &rows, err)) == 0) {
            if (below) {
                rc = level_add(below, &rows, err);
            } else {
                rc = leaf_rows(f, k, &rows, err);
                bp_batch_release(&rows);
            }
        }
        bp_source_free(&src);
        rc = rc == BP_DONE ? 0 : rc;
        bp_spill_discard(l->spill, &b->runs[i]);
    }
    return rc;
}

static int drain_bucket(struct level *l, uint32_t k, struct leaf *f, struct bp_err *err)
{
    struct level *below = NULL;
    int rc;

    if (groups_of_bucket(l) == 1 || l->buckets[k].bytes <= l->g->limit_bytes) {
        BP_TRY(read_bucket(l, k, f, NULL, err));
        return leaf_end(f, err);
    }
    BP_TRY(level_open(&below, l->g, l->shift + (int)FAN_BITS, err));
    rc = read_bucket(l, k, NULL, below, err);
    if (rc == 0)
        rc = level_drain(below, err);
    level_free(below);
    return rc;
}

static int level_drain(struct level *l, struct bp_err *err)
{
    struct leaf f = {.l = l, .bucket = FAN};
    int rc = 0;

    if (!l->spill) {
        rc = bp_pending_flush(l->pending, leaf_rows, &f, err);
        if (rc == 0)
            rc = leaf_end(&f, err);
        give_back(l);
    } else {
        rc = spill(l, err);
        bp_pending_free(l->pending);
        l->pending = NULL;
        for (uint32_t k = 0; k < FAN && rc == 0; k++)
            rc = drain_bucket(l, k, &f, err);
    }
    bp_pending_free(f.pending);
    bp_block_unref(f.local);
    return rc;
}

int bp_regroup_drain(struct bp_regroup *g, bp_pending_emit emit, void *arg, struct bp_err *err)
{
    g->emit = emit;
    g->arg = arg;
    return level_drain(g->top, err);
}
