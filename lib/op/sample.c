/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-sample: rows or keys chosen by a hash, not by chance, so that a sample does
 * not depend on threads, batches or the day. Three forms:
 *
 *     a fraction of the rows    h(place in the input) < fraction * 2^64
 *     a fraction of the keys    h(key hash) < fraction * 2^64: all rows of a key, or
 *                               none, in every table that is sampled by it
 *     N rows                    those N of the input whose h(place) is smallest
 *
 * h is XXH3-64 with the seed, over eight little-endian bytes. A smaller fraction,
 * or a smaller N, of one seed is a part of a larger one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "col/key.h"
#include "op/op.h"
#include "op/partial.h"

#define LEAST_SPARE_ROWS 8192 /* held beyond N before the worst are dropped */

/* Rows that may be of the N, in input order. */
struct chunk {
    struct bp_batch rows;
    uint64_t *hashes; /* of each */
};

struct sample {
    struct bp_source in;
    struct bp_ctx *ctx;
    uint64_t seed, below; /* taken: hash < below, or all */
    bool all;
    int64_t place; /* of the next row of the input */
    struct bp_shareset shares;
    struct bp_share share; /* of the last batch given */
    bool started;
    uint64_t *hashes; /* scratch, as sel */
    int32_t *sel;
    int64_t cap;
    /* keys */
    int *keys;
    const struct bp_column **key_cols;
    int n_keys;
    /* N rows */
    int64_t n_rows, n_held, held_bytes;
    struct chunk *chunks;
    int n_chunks, cap_chunks, given;
    bool taken;
};

static int room(struct sample *s, int64_t n, struct bp_err *err)
{
    void *p;

    if (n <= s->cap)
        return 0;
    p = bp_mem_grow(s->hashes, (size_t)n, sizeof *s->hashes, err);
    if (!p)
        return err->code;
    s->hashes = p;
    p = bp_mem_grow(s->sel, (size_t)n, sizeof *s->sel, err);
    if (!p)
        return err->code;
    s->sel = p;
    s->cap = n;
    return 0;
}

static void hash_words(uint64_t *h, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        h[i] = bp_xxh3_seeded(&h[i], sizeof h[i], seed);
}

static int hash_rows(struct sample *s, const struct bp_batch *in, struct bp_err *err)
{
    BP_TRY(room(s, in->n_rows, err));
    for (int k = 0; k < s->n_keys; k++)
        s->key_cols[k] = &in->cols[s->keys[k]];
    if (s->n_keys)
        BP_TRY(bp_key_hash(s->key_cols, s->n_keys, in->n_rows, s->hashes, err));
    for (int64_t i = 0; !s->n_keys && i < in->n_rows; i++)
        s->hashes[i] = (uint64_t)(s->place + i);
    s->place += in->n_rows;
    hash_words(s->hashes, in->n_rows, s->seed);
    return 0;
}

/* The rows of in that are taken, to out; their hashes stand first in s->hashes. in
 * is emptied where all of it is wanted. */
static int choose(struct sample *s, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    int64_t n = 0;

    BP_TRY(hash_rows(s, in, err));
    for (int64_t i = 0; i < in->n_rows; i++) {
        uint64_t h = s->hashes[i];

        s->sel[n] = (int32_t)i;
        s->hashes[n] = h;
        n += s->all || h < s->below;
    }
    if (n == in->n_rows) {
        bp_batch_move(out, in);
        return 0;
    }
    BP_TRY(bp_batch_gather(out, in, s->sel, n, err));
    out->first_row = in->first_row;
    out->share = in->share;
    return 0;
}

/* A row's place in the table is known only where the table is read from its start to
 * its end. Keys are the same in every share. */
static int check_whole(const struct sample *s, struct bp_err *err)
{
    if (s->n_keys || bp_shareset_whole(&s->shares))
        return 0;
    return bp_fail(
        err, BP_EDATA,
        "the input is only %d of %d shares of a table: a sample of rows is of the whole; "
        "sample whole keys with -k, or sample before the work is shared out",
        s->shares.n_seen, s->shares.n);
}

/* ---- a fraction ---- */

static int fraction_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct sample *s = self;
    struct bp_batch in = {0};
    bool new_share;
    int rc;

    for (;;) {
        rc = bp_source_next(&s->in, &in, err);
        if (rc == BP_DONE && check_whole(s, err) < 0)
            return err->code;
        if (rc)
            return rc;
        new_share =
            in.share.n > 0 && (!s->started || in.share.i != s->share.i || in.share.n != s->share.n);
        s->started = true;
        s->share = in.share;
        rc = s->n_keys ? 0 : bp_shareset_add(&s->shares, in.share, err);
        if (rc == 0)
            rc = choose(s, &in, out, err);
        bp_batch_release(&in);
        if (rc < 0)
            return rc;
        if (out->n_rows || new_share)
            return 0;
        bp_batch_release(out);
    }
}

/* ---- N rows ---- */

static void drop_chunks(struct sample *s)
{
    for (int i = 0; i < s->n_chunks; i++) {
        bp_batch_release(&s->chunks[i].rows);
        bp_mem_free(s->chunks[i].hashes);
    }
    bp_mem_free(s->chunks);
    bp_budget_give(&s->ctx->budget, s->held_bytes);
    s->chunks = NULL;
    s->n_chunks = s->cap_chunks = 0;
    s->n_held = s->held_bytes = 0;
}

static int charge(struct sample *s, const struct bp_batch *b, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(b) + b->n_rows * (int64_t)sizeof(uint64_t);

    if (!bp_budget_take(&s->ctx->budget, bytes))
        return bp_fail(err, BP_ENOMEM,
                       "a sample of %lld rows does not fit in the memory given (--mem): take fewer "
                       "rows, or a percentage, which holds nothing",
                       (long long)s->n_rows);
    s->held_bytes += bytes;
    return 0;
}

/* rows is taken, also on error. */
static int hold(struct sample *s, struct bp_batch *rows, const uint64_t *hashes, struct bp_err *err)
{
    struct chunk *grown;
    uint64_t *copy;
    int rc;

    BP_GO(charge(s, rows, err));
    if (s->n_chunks == s->cap_chunks) {
        int cap = s->cap_chunks ? 2 * s->cap_chunks : 64;

        grown = bp_mem_grow(s->chunks, (size_t)cap, sizeof *grown, err);
        if (!grown)
            BP_GO(err->code);
        s->chunks = grown;
        s->cap_chunks = cap;
    }
    copy = bp_mem_grow(NULL, (size_t)rows->n_rows, sizeof *copy, err);
    if (!copy)
        BP_GO(err->code);
    memcpy(copy, hashes, (size_t)rows->n_rows * sizeof *copy);
    s->n_held += rows->n_rows;
    s->chunks[s->n_chunks].hashes = copy;
    bp_batch_move(&s->chunks[s->n_chunks++].rows, rows);
out:
    bp_batch_release(rows);
    return rc;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* The N smallest hashes are those below *out (N < n_held). No two places share a hash:
 * XXH3-64 of eight bytes is one to one. */
static int find_limit(const struct sample *s, uint64_t *out, struct bp_err *err)
{
    uint64_t *all = bp_mem_grow(NULL, (size_t)s->n_held, sizeof *all, err);
    int64_t n = 0;

    if (!all)
        return err->code;
    for (int c = 0; c < s->n_chunks; c++) {
        memcpy(all + n, s->chunks[c].hashes, (size_t)s->chunks[c].rows.n_rows * sizeof *all);
        n += s->chunks[c].rows.n_rows;
    }
    qsort(all, (size_t)n, sizeof *all, by_value);
    *out = all[s->n_rows];
    bp_mem_free(all);
    return 0;
}

/* Rows refs[0, n) of the old chunks become one chunk more of s. */
static int gather(struct sample *s, const struct chunk *old, int n_old, const uint64_t *refs,
                  const uint64_t *hashes, int64_t n, struct bp_err *err)
{
    const struct bp_column **srcs = bp_mem_new((size_t)n_old, sizeof(struct bp_column *), err);
    struct bp_batch b = {0};
    int rc;

    if (!srcs)
        return err->code;
    BP_GO(bp_batch_init(&b, s->in.schema.n_fields, err));
    for (int c = 0; c < b.n_cols; c++) {
        for (int i = 0; i < n_old; i++)
            srcs[i] = &old[i].rows.cols[c];
        BP_GO(bp_column_gather_many(&b.cols[c], srcs, n_old, refs, n, err));
    }
    b.n_rows = n;
    rc = hold(s, &b, hashes, err);
out:
    bp_mem_free(srcs);
    bp_batch_release(&b);
    return rc;
}

static int gather_below(struct sample *s, const struct chunk *old, int n_old, struct bp_err *err)
{
    int64_t cap = BP_MIN(s->n_rows, BP_MAX(s->ctx->batch_rows, LEAST_SPARE_ROWS)), n = 0;
    uint64_t *refs = bp_mem_new((size_t)cap + 1, 2 * sizeof *refs, err), *hashes;
    int rc = 0, first = 0; /* the chunk of refs[0] */

    if (!refs)
        return err->code;
    hashes = refs + cap + 1;
    for (int c = 0; c < n_old && rc == 0; c++)
        for (int64_t i = 0; i < old[c].rows.n_rows && rc == 0; i++) {
            if (old[c].hashes[i] >= s->below)
                continue;
            first = n ? first : c;
            refs[n] = (uint64_t)(c - first) << 32 | (uint64_t)i;
            hashes[n++] = old[c].hashes[i];
            if (n == cap) {
                rc = gather(s, old + first, c - first + 1, refs, hashes, n, err);
                n = 0;
            }
        }
    if (rc == 0 && n)
        rc = gather(s, old + first, n_old - first, refs, hashes, n, err);
    bp_mem_free(refs);
    return rc;
}

/* Drops what cannot be of the N any more; no later row above the limit is held. */
static int cut(struct sample *s, struct bp_err *err)
{
    struct sample old;
    int rc;

    if (s->n_held <= s->n_rows)
        return 0;
    BP_TRY(find_limit(s, &s->below, err));
    s->all = false;
    old = *s;
    s->chunks = NULL;
    s->n_chunks = s->cap_chunks = 0;
    s->n_held = s->held_bytes = 0;
    rc = s->n_rows ? gather_below(s, old.chunks, old.n_chunks, err) : 0;
    drop_chunks(&old);
    return rc;
}

static int take_all(struct sample *s, struct bp_err *err)
{
    struct bp_batch in = {0}, some = {0};
    int rc;

    while ((rc = bp_source_next(&s->in, &in, err)) == 0) {
        rc = bp_shareset_add(&s->shares, in.share, err);
        if (rc == 0)
            rc = choose(s, &in, &some, err);
        bp_batch_release(&in);
        if (rc == 0 && some.n_rows)
            rc = hold(s, &some, s->hashes, err);
        bp_batch_release(&some);
        if (rc == 0 && s->n_held - BP_MAX(s->n_rows, LEAST_SPARE_ROWS) > s->n_rows)
            rc = cut(s, err);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    BP_TRY(check_whole(s, err));
    return cut(s, err);
}

static int count_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct sample *s = self;

    if (!s->taken)
        BP_TRY(take_all(s, err));
    s->taken = true;
    if (s->given == s->n_chunks)
        return BP_DONE;
    bp_batch_move(out, &s->chunks[s->given++].rows);
    out->share = (struct bp_share){0, 0};
    return 0;
}

/* ---- life ---- */

static void sample_free(void *self)
{
    struct sample *s = self;

    bp_source_free(&s->in);
    drop_chunks(s);
    bp_shareset_release(&s->shares);
    bp_mem_free(s->keys);
    bp_mem_free(s->key_cols);
    bp_mem_free(s->hashes);
    bp_mem_free(s->sel);
    bp_mem_free(s);
}

static int open_keys(struct sample *s, const char *keys, struct bp_err *err)
{
    char **names = NULL;
    int n = 0, rc;

    BP_TRY(bp_expr_parse_names(keys, &names, &n, err));
    s->keys = bp_mem_new((size_t)n + 1, sizeof *s->keys, err);
    s->key_cols = s->keys ? bp_mem_new((size_t)n + 1, sizeof *s->key_cols, err) : NULL;
    rc = s->key_cols ? 0 : err->code;
    for (int k = 0; k < n && rc == 0; k++)
        rc = bp_schema_index(&s->in.schema, names[k], &s->keys[k], err);
    s->n_keys = n;
    for (int k = 0; k < n; k++)
        bp_mem_free(names[k]);
    bp_mem_free(names);
    return rc;
}

int bp_sample_open(struct bp_source *out, struct bp_source *in, const struct bp_sample_opts *opts,
                   struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_source_ops fraction = {.next = fraction_next, .free = sample_free};
    static const struct bp_source_ops count = {.next = count_next, .free = sample_free};
    struct sample *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_source){0};
    if (!s) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&s->in, in);
    s->ctx = ctx;
    s->seed = opts->seed;
    s->n_rows = opts->n_rows;
    s->all = opts->n_rows >= 0 || opts->below > UINT64_MAX;
    s->below = s->all ? UINT64_MAX : (uint64_t)opts->below;
    BP_GO(bp_partial_refuse(&s->in.schema, "bp-sample", err));
    if (opts->keys)
        BP_GO(open_keys(s, opts->keys, err));
    BP_GO(bp_schema_copy(&out->schema, &s->in.schema, err));
    if (s->in.name) {
        out->name = bp_mem_str(s->in.name, err);
        BP_GO(out->name ? 0 : err->code);
    }
    out->ops = s->n_rows >= 0 ? &count : &fraction;
    out->self = s;
    return 0;
out:
    sample_free(s);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
