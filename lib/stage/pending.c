/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/pending.h"

#include <string.h>

#include "base/mem.h"

#define SMALL_ROWS 1024         /* batches below are put together first, */
#define GATHERED_ROWS 4096      /* until there are so many rows, */
#define SMALL_BYTES (256 << 10) /* or bytes */
#define CHUNK_BYTES (1 << 20)   /* of a batch that flush() gives */
#define CHUNK_ROWS 65536
#define SHORT_RUN_ROWS 12 /* below, rows are picked one by one */
#define COLUMN_OVERHEAD_BYTES 448
#define NO_PART UINT32_MAX /* behind the last run */

struct run { /* rows [from, from of the next run) are of one partition */
    uint32_t part;
    uint32_t from;
};

struct held {
    struct bp_batch batch;
    struct run *runs; /* n_runs, and one more that ends the last */
    int32_t n_runs, next;
};

struct piece { /* a run, or a part of one, on its way out */
    int32_t held;
    int32_t from, n_rows;
};

struct bp_pending {
    int n_cols;
    struct bp_type *types;
    uint32_t n_parts;
    struct held *held;
    int n_held, cap_held;
    int64_t held_bytes, n_rows;
    int64_t *part_rows;       /* rows held, per partition */
    uint32_t *counts;         /* scratch, per partition */
    struct bp_block *idx;     /* scratch, per row of a batch */
    struct bp_block *refs;    /* scratch, per row of a chunk */
    uint64_t *dict_ids;       /* per column: the dictionary counted last */
    struct bp_builder *small; /* per column: small batches put together */
    uint32_t *small_part_of;
    int64_t n_small, small_bytes;
    struct piece *pieces; /* of the partition being flushed */
    int64_t n_pieces, cap_pieces;
    const struct bp_column **srcs; /* scratch, per held batch */
};

static int alloc_parts(struct bp_pending *p, const struct bp_schema *schema, struct bp_err *err)
{
    size_t n_cols = (size_t)schema->n_fields, n_parts = p->n_parts;

    p->types = bp_mem_new(n_cols, sizeof *p->types, err);
    p->part_rows = bp_mem_new(n_parts, sizeof *p->part_rows, err);
    p->counts = bp_mem_new(n_parts, sizeof *p->counts, err);
    p->dict_ids = bp_mem_new(n_cols, sizeof *p->dict_ids, err);
    p->small = bp_mem_new(n_cols, sizeof *p->small, err);
    p->small_part_of = bp_mem_new(SMALL_ROWS + GATHERED_ROWS, sizeof *p->small_part_of, err);
    if (err->code)
        return err->code;
    p->n_cols = schema->n_fields;
    for (int c = 0; c < p->n_cols; c++) {
        p->types[c] = schema->fields[c].type;
        bp_builder_init(&p->small[c], p->types[c]);
    }
    return 0;
}

int bp_pending_open(struct bp_pending **out, const struct bp_schema *schema, uint32_t n_parts,
                    struct bp_err *err)
{
    struct bp_pending *p = bp_mem_new(1, sizeof *p, err);

    if (!p)
        return err->code;
    p->n_parts = n_parts;
    if (alloc_parts(p, schema, err) < 0) {
        bp_pending_free(p);
        return err->code;
    }
    *out = p;
    return 0;
}

int bp_pending_grow(struct bp_pending *p, uint32_t n_parts, struct bp_err *err)
{
    size_t more = n_parts - p->n_parts;
    int64_t *rows = bp_mem_grow(p->part_rows, n_parts, sizeof *rows, err);
    uint32_t *counts;

    if (!rows)
        return err->code;
    p->part_rows = rows;
    counts = bp_mem_grow(p->counts, n_parts, sizeof *counts, err);
    if (!counts)
        return err->code;
    p->counts = counts;
    memset(rows + p->n_parts, 0, more * sizeof *rows);
    p->n_parts = n_parts;
    return 0;
}

static void held_release(struct held *h)
{
    bp_batch_release(&h->batch);
    bp_mem_free(h->runs);
    *h = (struct held){0};
}

void bp_pending_free(struct bp_pending *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n_held; i++)
        held_release(&p->held[i]);
    for (int c = 0; c < p->n_cols; c++)
        bp_builder_release(&p->small[c]);
    bp_block_unref(p->idx);
    bp_block_unref(p->refs);
    bp_mem_free(p->held);
    bp_mem_free(p->types);
    bp_mem_free(p->part_rows);
    bp_mem_free(p->counts);
    bp_mem_free(p->dict_ids);
    bp_mem_free(p->small);
    bp_mem_free(p->small_part_of);
    bp_mem_free(p->pieces);
    bp_mem_free(p->srcs);
    bp_mem_free(p);
}

int64_t bp_pending_bytes(const struct bp_pending *p)
{
    return p->held_bytes;
}

/* ---- coming in ---- */

/* Counts the rows of each partition; the number of partitions that have any. */
static int32_t count_parts(struct bp_pending *p, const uint32_t *part_of, int64_t n)
{
    int32_t n_used = 0;

    memset(p->counts, 0, p->n_parts * sizeof *p->counts);
    for (int64_t i = 0; i < n; i++)
        p->counts[part_of[i]]++;
    for (uint32_t k = 0; k < p->n_parts; k++)
        n_used += p->counts[k] != 0;
    return n_used;
}

/* Makes the runs; counts become where each partition's rows begin. */
static int make_runs(struct bp_pending *p, struct held *h, int32_t n_used, struct bp_err *err)
{
    uint32_t at = 0;

    h->runs = bp_mem_new((size_t)n_used + 1, sizeof *h->runs, err);
    if (!h->runs)
        return err->code;
    for (uint32_t k = 0; k < p->n_parts; k++) {
        uint32_t n = p->counts[k];

        p->counts[k] = at;
        if (!n)
            continue;
        h->runs[h->n_runs++] = (struct run){k, at};
        p->part_rows[k] += n;
        at += n;
    }
    h->runs[h->n_runs] = (struct run){NO_PART, at};
    return 0;
}

/* The batch with its rows sorted by partition, stably. */
static int sort_rows(struct bp_pending *p, struct bp_batch *out, const struct bp_batch *in,
                     const uint32_t *part_of, struct bp_err *err)
{
    int32_t *idx;

    BP_TRY(bp_block_grow(&p->idx, 0, (size_t)in->n_rows * sizeof *idx, err));
    idx = (int32_t *)(void *)p->idx->data;
    for (int64_t i = 0; i < in->n_rows; i++)
        idx[p->counts[part_of[i]]++] = (int32_t)i;
    return bp_batch_gather(out, in, idx, in->n_rows, err);
}

/* A dictionary is shared by many batches: it counts when it changes. */
static int64_t size_held(struct bp_pending *p, const struct held *h)
{
    int64_t bytes = bp_batch_size_bytes(&h->batch) + (int64_t)sizeof *h +
                    (int64_t)h->n_runs * (int64_t)sizeof *h->runs +
                    (int64_t)p->n_cols * COLUMN_OVERHEAD_BYTES;

    for (int c = 0; c < p->n_cols; c++) {
        const struct bp_dict *d = h->batch.cols[c].dict;

        if (d && d->id != p->dict_ids[c]) {
            bytes += bp_column_size_bytes(&d->values);
            p->dict_ids[c] = d->id;
        }
    }
    return bytes;
}

static int hold(struct bp_pending *p, struct bp_batch *in, const uint32_t *part_of,
                struct bp_err *err)
{
    int32_t n_used = count_parts(p, part_of, in->n_rows);
    struct held *h;

    if (p->n_held == p->cap_held) {
        int cap = p->cap_held ? p->cap_held * 2 : 64;

        h = bp_mem_grow(p->held, (size_t)cap, sizeof *h, err);
        if (!h)
            return err->code;
        p->held = h;
        p->cap_held = cap;
    }
    h = &p->held[p->n_held];
    memset(h, 0, sizeof *h);
    BP_TRY(make_runs(p, h, n_used, err));
    if (n_used == 1)
        bp_batch_move(&h->batch, in);
    else if (sort_rows(p, &h->batch, in, part_of, err) < 0) {
        held_release(h);
        return err->code;
    }
    p->n_held++;
    p->n_rows += h->batch.n_rows;
    p->held_bytes += size_held(p, h);
    return 0;
}

/* What the small batches came to, as one. */
static int hold_small(struct bp_pending *p, struct bp_err *err)
{
    struct bp_batch b;
    int rc = 0;

    if (!p->n_small)
        return 0;
    BP_TRY(bp_batch_init(&b, p->n_cols, err));
    for (int c = 0; c < p->n_cols && rc == 0; c++)
        rc = bp_builder_finish(&p->small[c], &b.cols[c], err);
    b.n_rows = p->n_small;
    p->n_small = p->small_bytes = 0;
    if (rc == 0)
        rc = hold(p, &b, p->small_part_of, err);
    bp_batch_release(&b);
    return rc;
}

static int add_small(struct bp_pending *p, const struct bp_batch *in, const uint32_t *part_of,
                     struct bp_err *err)
{
    memcpy(p->small_part_of + p->n_small, part_of, (size_t)in->n_rows * sizeof *part_of);
    for (int c = 0; c < p->n_cols; c++)
        BP_TRY(bp_builder_add_rows(&p->small[c], &in->cols[c], 0, in->n_rows, err));
    p->n_small += in->n_rows;
    p->small_bytes += bp_batch_size_bytes(in);
    return p->n_small < GATHERED_ROWS && p->small_bytes < SMALL_BYTES ? 0 : hold_small(p, err);
}

int bp_pending_add(struct bp_pending *p, struct bp_batch *in, const uint32_t *part_of,
                   struct bp_err *err)
{
    int rc = 0;

    if (in->n_rows > 0 && in->n_rows < SMALL_ROWS && bp_batch_size_bytes(in) < SMALL_BYTES) {
        rc = add_small(p, in, part_of, err);
    } else if (in->n_rows > 0) {
        rc = hold_small(p, err); /* they came first */
        if (rc == 0)
            rc = hold(p, in, part_of, err);
    }
    bp_batch_release(in);
    return rc;
}

/* ---- going out ---- */

static int add_piece(struct bp_pending *p, struct piece x, struct bp_err *err)
{
    if (p->n_pieces == p->cap_pieces) {
        int64_t cap = p->cap_pieces ? p->cap_pieces * 2 : 256;
        struct piece *grown = bp_mem_grow(p->pieces, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        p->pieces = grown;
        p->cap_pieces = cap;
    }
    p->pieces[p->n_pieces++] = x;
    return 0;
}

/* A single piece is shared, ... */
static int slice_piece(const struct bp_pending *p, int c, struct bp_column *out, struct bp_err *err)
{
    const struct piece *x = &p->pieces[0];
    struct bp_column slice;
    int rc;

    BP_TRY(bp_column_slice(&slice, &p->held[x->held].batch.cols[c], x->from, x->n_rows, err));
    rc = bp_column_plain(out, &slice, err);
    bp_column_release(&slice);
    return rc;
}

/* ... pieces that are long on average are copied whole, ... */
static int join_pieces(struct bp_pending *p, int c, int64_t n_rows, struct bp_column *out,
                       struct bp_err *err)
{
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, p->types[c]);
    BP_GO(bp_builder_reserve(&b, n_rows, err));
    for (int64_t i = 0; i < p->n_pieces; i++) {
        const struct piece *x = &p->pieces[i];

        BP_GO(bp_builder_add_rows(&b, &p->held[x->held].batch.cols[c], x->from, x->n_rows, err));
    }
    BP_GO(bp_builder_finish(&b, out, err));
    return 0;
out:
    bp_builder_release(&b);
    return rc;
}

/* ... short ones row by row: refs as bp_column_gather_many() takes them. */
static int make_refs(struct bp_pending *p, int64_t n_rows, struct bp_err *err)
{
    uint64_t *refs;

    BP_TRY(bp_block_grow(&p->refs, 0, (size_t)n_rows * sizeof *refs, err));
    refs = (uint64_t *)(void *)p->refs->data;
    for (int64_t i = 0; i < p->n_pieces; i++) {
        const struct piece *x = &p->pieces[i];

        for (int32_t r = 0; r < x->n_rows; r++)
            *refs++ = (uint64_t)x->held << 32 | (uint32_t)(x->from + r);
    }
    return 0;
}

static int pick_rows(struct bp_pending *p, int c, int64_t n_rows, struct bp_column *out,
                     struct bp_err *err)
{
    struct bp_column picked;
    int rc;

    for (int i = 0; i < p->n_held; i++)
        p->srcs[i] = &p->held[i].batch.cols[c];
    BP_TRY(bp_column_gather_many(&picked, p->srcs, p->n_held,
                                 (const uint64_t *)(const void *)p->refs->data, n_rows, err));
    rc = bp_column_plain(out, &picked, err);
    bp_column_release(&picked);
    return rc;
}

/* The pieces collected so far become a batch. */
static int emit_pieces(struct bp_pending *p, uint32_t part, int64_t n_rows, bp_pending_emit emit,
                       void *arg, struct bp_err *err)
{
    bool is_short = p->n_pieces > 1 && n_rows < p->n_pieces * SHORT_RUN_ROWS;
    struct bp_batch b;
    int rc = 0;

    if (!n_rows)
        return 0;
    BP_TRY(bp_batch_init(&b, p->n_cols, err));
    b.n_rows = n_rows;
    if (is_short)
        rc = make_refs(p, n_rows, err);
    for (int c = 0; c < p->n_cols && rc == 0; c++)
        rc = p->n_pieces == 1 ? slice_piece(p, c, &b.cols[c], err)
             : is_short       ? pick_rows(p, c, n_rows, &b.cols[c], err)
                              : join_pieces(p, c, n_rows, &b.cols[c], err);
    if (rc == 0)
        rc = emit(arg, part, &b, err);
    bp_batch_release(&b);
    p->n_pieces = 0;
    return rc;
}

/* All rows of one partition, in batches of at most chunk rows. */
static int flush_part(struct bp_pending *p, uint32_t part, int64_t chunk, bp_pending_emit emit,
                      void *arg, struct bp_err *err)
{
    int64_t n_rows = 0;

    for (int32_t i = 0; i < p->n_held; i++) {
        struct held *h = &p->held[i];
        int64_t from, to;

        if (h->runs[h->next].part != part)
            continue;
        from = h->runs[h->next].from;
        to = h->runs[h->next + 1].from;
        h->next++;
        while (from < to) {
            int64_t n = BP_MIN(to - from, chunk - n_rows);

            BP_TRY(add_piece(p, (struct piece){i, (int32_t)from, (int32_t)n}, err));
            from += n;
            n_rows += n;
            if (n_rows == chunk) {
                BP_TRY(emit_pieces(p, part, n_rows, emit, arg, err));
                n_rows = 0;
            }
        }
    }
    return emit_pieces(p, part, n_rows, emit, arg, err);
}

static void drop_held(struct bp_pending *p)
{
    for (int i = 0; i < p->n_held; i++)
        held_release(&p->held[i]);
    memset(p->part_rows, 0, p->n_parts * sizeof *p->part_rows);
    memset(p->dict_ids, 0, (size_t)p->n_cols * sizeof *p->dict_ids);
    p->n_held = 0;
    p->n_rows = p->held_bytes = p->n_pieces = 0;
}

int bp_pending_flush(struct bp_pending *p, bp_pending_emit emit, void *arg, struct bp_err *err)
{
    const struct bp_column **srcs;
    int64_t chunk;
    int rc = hold_small(p, err);

    if (rc < 0 || !p->n_rows)
        return rc;
    srcs = bp_mem_grow(p->srcs, (size_t)p->n_held, sizeof *srcs, err);
    if (!srcs)
        return err->code;
    p->srcs = srcs;
    chunk = CHUNK_BYTES / BP_MAX(p->held_bytes / p->n_rows, 1);
    chunk = BP_MAX(BP_MIN(chunk, CHUNK_ROWS), 1);
    for (uint32_t k = 0; k < p->n_parts && rc == 0; k++)
        if (p->part_rows[k])
            rc = flush_part(p, k, chunk, emit, arg, err);
    drop_held(p);
    return rc;
}
