/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sample_held.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define SPARE_ROWS 8192  /* held beyond what was in before it is looked at again */
#define COLUMN_BYTES 256 /* of a column of a chunk, beside its values */
#define HELD_SHARE 3     /* of the memory, at most */
#define HASH_NAME "hash"

void bp_sample_held_init(struct bp_sample_held *h, const struct bp_schema *schema,
                         struct bp_ctx *ctx)
{
    *h = (struct bp_sample_held){.ctx = ctx, .schema = schema, .next_cut = SPARE_ROWS};
}

static void drop_chunks(struct bp_sample_held *h)
{
    for (int i = 0; i < h->n_chunks; i++) {
        bp_batch_release(&h->chunks[i].rows);
        bp_mem_free(h->chunks[i].hashes);
    }
    bp_mem_free(h->chunks);
    bp_budget_give(&h->ctx->budget, h->taken_bytes);
    h->chunks = NULL;
    h->n_chunks = h->cap_chunks = 0;
    h->n_rows = h->taken_bytes = 0;
}

void bp_sample_held_rewind(struct bp_sample_held *h)
{
    bp_source_free(&h->run);
    bp_column_release(&h->run_hashes);
    h->at_run = h->at_chunk = 0;
}

void bp_sample_held_release(struct bp_sample_held *h)
{
    if (!h->ctx)
        return;
    bp_sample_held_rewind(h);
    drop_chunks(h);
    bp_spill_free(h->spill);
    bp_schema_release(&h->spilled);
    bp_mem_free(h->runs);
}

/* ---- in memory ---- */

/* What b costs behind the first n chunks. A cut makes plain text of codes. */
static int64_t chunk_bytes(const struct bp_sample_held *h, int n, const struct bp_batch *b)
{
    int64_t bytes =
        bp_batch_size_bytes(b) + bp_batch_dict_bytes(b, n ? &h->chunks[n - 1].rows : NULL);

    for (int c = 0; c < b->n_cols; c++)
        if (b->cols[c].dict)
            bytes += bp_column_text_bytes(&b->cols[c]);
    return bytes + b->n_rows * (int64_t)sizeof(uint64_t) + b->n_cols * COLUMN_BYTES;
}

/* rows is taken, also on error. */
static int push(struct bp_sample_held *h, struct bp_batch *rows, const uint64_t *hashes,
                struct bp_err *err)
{
    struct bp_sample_chunk *grown;
    uint64_t *copy;
    int rc = 0;

    if (h->n_chunks == h->cap_chunks) {
        int cap = h->cap_chunks ? 2 * h->cap_chunks : 64;

        grown = bp_mem_grow(h->chunks, (size_t)cap, sizeof *grown, err);
        if (!grown)
            BP_GO(err->code);
        h->chunks = grown;
        h->cap_chunks = cap;
    }
    copy = bp_mem_grow(NULL, (size_t)rows->n_rows, sizeof *copy, err);
    if (!copy)
        BP_GO(err->code);
    memcpy(copy, hashes, (size_t)rows->n_rows * sizeof *copy);
    h->n_rows += rows->n_rows;
    h->chunks[h->n_chunks].hashes = copy;
    bp_batch_move(&h->chunks[h->n_chunks++].rows, rows);
out:
    bp_batch_release(rows);
    return rc;
}

/* Rows refs[0, n) of the old chunks become one chunk more of h. */
static int gather(struct bp_sample_held *h, const struct bp_sample_chunk *old, int n_old,
                  const uint64_t *refs, const uint64_t *hashes, int64_t n, struct bp_err *err)
{
    const struct bp_column **srcs = bp_mem_new((size_t)n_old, sizeof(struct bp_column *), err);
    struct bp_batch b = {0};
    int rc;

    if (!srcs)
        return err->code;
    BP_GO(bp_batch_init(&b, h->schema->n_fields, err));
    for (int c = 0; c < b.n_cols; c++) {
        for (int i = 0; i < n_old; i++)
            srcs[i] = &old[i].rows.cols[c];
        BP_GO(bp_column_gather_many(&b.cols[c], srcs, n_old, refs, n, err));
    }
    b.n_rows = n;
    rc = push(h, &b, hashes, err);
out:
    bp_mem_free(srcs);
    bp_batch_release(&b);
    return rc;
}

static int gather_in(struct bp_sample_held *h, const struct bp_sample_chunk *old, int n_old,
                     const struct bp_sample_limit *l, struct bp_err *err)
{
    int64_t cap = BP_MAX(h->ctx->batch_rows, 1), n = 0;
    uint64_t *refs = bp_mem_new((size_t)cap + 1, 2 * sizeof *refs, err), *hashes;
    int rc = 0, first = 0; /* the chunk of refs[0] */

    if (!refs)
        return err->code;
    hashes = refs + cap + 1;
    for (int c = 0; c < n_old && rc == 0; c++)
        for (int64_t i = 0; i < old[c].rows.n_rows && rc == 0; i++) {
            if (!bp_sample_in(l, old[c].hashes[i]))
                continue;
            first = n ? first : c;
            refs[n] = (uint64_t)(c - first) << 32 | (uint64_t)i;
            hashes[n++] = old[c].hashes[i];
            if (n == cap) {
                rc = gather(h, old + first, c - first + 1, refs, hashes, n, err);
                n = 0;
            }
        }
    if (rc == 0 && n)
        rc = gather(h, old + first, n_old - first, refs, hashes, n, err);
    bp_mem_free(refs);
    return rc;
}

/* Drops what is out. */
static int cut(struct bp_sample_held *h, const struct bp_sample_limit *l, struct bp_err *err)
{
    struct bp_sample_held old = *h;
    int rc;

    h->chunks = NULL;
    h->n_chunks = h->cap_chunks = 0;
    h->n_rows = h->taken_bytes = 0;
    rc = gather_in(h, old.chunks, old.n_chunks, l, err);
    drop_chunks(&old);
    for (int i = 0; i < h->n_chunks; i++) {
        int64_t bytes = chunk_bytes(h, i, &h->chunks[i].rows);

        h->taken_bytes += bp_budget_take(&h->ctx->budget, bytes) ? bytes : 0;
    }
    h->next_cut = 2 * h->n_rows + SPARE_ROWS;
    return rc;
}

/* ---- on disk ---- */

static int open_spill(struct bp_sample_held *h, struct bp_err *err)
{
    char name[64] = HASH_NAME;

    BP_TRY(bp_schema_copy(&h->spilled, h->schema, err));
    for (int i = 0; bp_schema_find(&h->spilled, name) >= 0; i++)
        snprintf(name, sizeof name, "%s %d", HASH_NAME, i);
    BP_TRY(bp_schema_add(&h->spilled, name, BP_TYPE(BP_UINT64), err));
    return bp_spill_open(&h->spill, &h->spilled, h->ctx, err);
}

static int put_chunk(struct bp_sample_held *h, struct bp_sample_chunk *c, struct bp_err *err)
{
    struct bp_batch b = {0};
    int n = h->schema->n_fields, rc;

    BP_GO(bp_batch_init(&b, n + 1, err));
    for (int i = 0; i < n; i++)
        bp_column_ref(&b.cols[i], &c->rows.cols[i]);
    b.cols[n] =
        (struct bp_column){.type = BP_TYPE(BP_UINT64), .n_rows = c->rows.n_rows, .data = c->hashes};
    b.n_rows = c->rows.n_rows;
    rc = bp_spill_put(h->spill, &b, err);
out:
    bp_batch_release(&b);
    return rc;
}

/* All chunks become a run. */
static int spill_chunks(struct bp_sample_held *h, struct bp_err *err)
{
    struct bp_spill_run *grown;

    if (!h->n_chunks)
        return 0;
    if (!h->spill)
        BP_TRY(open_spill(h, err));
    grown = bp_mem_grow(h->runs, (size_t)h->n_runs + 1, sizeof *grown, err);
    if (!grown)
        return err->code;
    h->runs = grown;
    for (int i = 0; i < h->n_chunks; i++)
        BP_TRY(put_chunk(h, &h->chunks[i], err));
    BP_TRY(bp_spill_end(h->spill, &h->runs[h->n_runs], err));
    h->n_runs++;
    drop_chunks(h);
    h->next_cut = SPARE_ROWS;
    return 0;
}

/* No more than a share of the memory: a cut copies what is in beside what was held. */
static bool take(struct bp_sample_held *h, const struct bp_batch *rows)
{
    int64_t limit = h->ctx->budget.limit_bytes, bytes = chunk_bytes(h, h->n_chunks, rows);

    if (h->n_chunks && limit && h->taken_bytes + bytes > limit / HELD_SHARE)
        return false;
    if (!bp_budget_take(&h->ctx->budget, bytes))
        return false;
    h->taken_bytes += bytes;
    return true;
}

/* A batch is held whatever the budget says. */
static int make_room(struct bp_sample_held *h, const struct bp_batch *rows,
                     const struct bp_sample_limit *l, struct bp_err *err)
{
    bool ok = take(h, rows);

    if (!ok && h->n_rows > h->next_cut / 2) {
        BP_TRY(cut(h, l, err));
        ok = take(h, rows);
    }
    if (!ok) {
        BP_TRY(spill_chunks(h, err));
        (void)take(h, rows);
    }
    return 0;
}

int bp_sample_held_add(struct bp_sample_held *h, struct bp_batch *rows, const uint64_t *hashes,
                       const struct bp_sample_limit *l, struct bp_err *err)
{
    int rc = h->n_rows > h->next_cut ? cut(h, l, err) : 0;

    if (rc == 0)
        rc = make_room(h, rows, l, err);
    if (rc == 0)
        return push(h, rows, hashes, err);
    bp_batch_release(rows);
    return rc;
}

/* ---- reading ---- */

static int next_of_run(struct bp_sample_held *h, struct bp_batch *out, struct bp_err *err)
{
    int rc = h->run.ops ? 0 : bp_spill_source(&h->run, h->spill, &h->runs[h->at_run], err);

    BP_TRY(rc);
    rc = bp_source_next(&h->run, out, err);
    if (rc == BP_DONE) {
        bp_source_free(&h->run);
        h->at_run++;
        return BP_DONE;
    }
    BP_TRY(rc);
    h->run_hashes = out->cols[--out->n_cols];
    return 0;
}

int bp_sample_held_next(struct bp_sample_held *h, struct bp_batch *out, const uint64_t **hashes,
                        struct bp_err *err)
{
    bp_column_release(&h->run_hashes);
    while (h->at_run < h->n_runs) {
        int rc = next_of_run(h, out, err);

        *hashes = h->run_hashes.data;
        if (rc != BP_DONE)
            return rc;
    }
    if (h->at_chunk == h->n_chunks)
        return BP_DONE;
    *hashes = h->chunks[h->at_chunk].hashes;
    return bp_batch_ref(out, &h->chunks[h->at_chunk++].rows, err);
}
