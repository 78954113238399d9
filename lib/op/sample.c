/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-sample: rows or keys chosen by a hash, not by chance, so that a sample does
 * not depend on threads, batches or the day. Four forms:
 *
 *     a fraction of the rows    h(place in the input) < fraction * 2^64
 *     a fraction of the keys    h(key hash) < fraction * 2^64: all rows of a key, or
 *                               none, in every table that is sampled by it
 *     N rows                    those N of the input whose h(place) is smallest
 *     N keys                    all rows of the N whose h(key hash) is smallest
 *
 * h is XXH3-64 with the seed, over eight little-endian bytes. A smaller fraction,
 * or a smaller N, of one seed is a part of a larger one.
 */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "col/key.h"
#include "op/op.h"
#include "op/partial.h"
#include "op/sample_held.h"

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
    /* N rows, N keys */
    int64_t n_rows; /* < 0: a fraction */
    struct bp_sample_limit limit;
    struct bp_sample_held held;
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
 * its end, and so is which N keys there are. A key's hash is the same in every share. */
static int check_whole(const struct sample *s, struct bp_err *err)
{
    if ((s->n_keys && s->n_rows < 0) || bp_shareset_whole(&s->shares))
        return 0;
    if (s->n_keys)
        return bp_fail(
            err, BP_EDATA,
            "the input is only %d of %d shares of a table: N keys are of the whole; take "
            "a percentage of them, or sample before the work is shared out",
            s->shares.n_seen, s->shares.n);
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

/* ---- N rows, N keys ---- */

/* The limit is exact: of rows, after a look at the hashes that are close to it. */
static int find_limit(struct sample *s, struct bp_err *err)
{
    struct bp_sample_limit *l = &s->limit;
    uint64_t *near = NULL, from = 0;
    int64_t n_near = 0, cap = 0, n_in;
    const uint64_t *hashes;
    struct bp_batch b;
    int rc;

    BP_TRY(bp_sample_limit_end(l, &from, &n_in, err));
    if (!n_in)
        return 0;
    while ((rc = bp_sample_held_next(&s->held, &b, &hashes, err)) == 0) {
        if (n_near + b.n_rows > cap) {
            uint64_t *grown = bp_mem_grow(near, (size_t)(2 * cap + b.n_rows), sizeof *near, err);

            near = grown ? grown : near;
            cap = 2 * cap + b.n_rows;
            rc = grown ? 0 : err->code;
        }
        for (int64_t i = 0; i < b.n_rows && rc == 0; i++)
            if (hashes[i] >= from && bp_sample_in(l, hashes[i]))
                near[n_near++] = hashes[i];
        bp_batch_release(&b);
        BP_GO(rc);
    }
    BP_GO(rc < 0 ? rc : 0);
    bp_sample_held_rewind(&s->held);
    if (n_in < n_near) {
        l->below = bp_sample_ith(near, n_near, n_in);
        l->all = false;
    }
out:
    bp_mem_free(near);
    return rc;
}

static int take_batch(struct sample *s, struct bp_batch *in, struct bp_err *err)
{
    struct bp_batch some = {0};

    BP_TRY(bp_shareset_add(&s->shares, in->share, err));
    s->all = s->limit.all;
    s->below = s->limit.below;
    BP_TRY(choose(s, in, &some, err));
    if (some.n_rows && bp_sample_limit_note(&s->limit, s->hashes, some.n_rows, err) == 0)
        return bp_sample_held_add(&s->held, &some, s->hashes, &s->limit, err);
    bp_batch_release(&some);
    return err->code;
}

static int take_all(struct sample *s, struct bp_err *err)
{
    struct bp_batch in = {0};
    int rc;

    while ((rc = bp_source_next(&s->in, &in, err)) == 0) {
        rc = take_batch(s, &in, err);
        bp_batch_release(&in);
        BP_TRY(rc);
    }
    BP_TRY(rc < 0 ? rc : 0);
    BP_TRY(check_whole(s, err));
    return find_limit(s, err);
}

static int count_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct sample *s = self;
    const uint64_t *hashes;
    struct bp_batch b;
    int64_t n = 0;
    int rc;

    if (!s->taken)
        BP_TRY(take_all(s, err));
    s->taken = true;
    for (;;) {
        rc = bp_sample_held_next(&s->held, &b, &hashes, err);
        if (rc)
            return rc;
        rc = room(s, b.n_rows, err);
        for (int64_t i = 0; i < b.n_rows && rc == 0; i++)
            if (bp_sample_in(&s->limit, hashes[i]))
                s->sel[n++] = (int32_t)i;
        if (rc == 0 && n)
            rc = bp_batch_gather(out, &b, s->sel, n, err);
        bp_batch_release(&b);
        if (rc < 0 || n)
            break;
    }
    out->share = (struct bp_share){0, 0};
    return rc;
}

/* ---- life ---- */

static void sample_free(void *self)
{
    struct sample *s = self;

    bp_source_free(&s->in);
    bp_sample_held_release(&s->held);
    bp_sample_limit_release(&s->limit);
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
    if (s->n_rows >= 0) {
        bp_budget_least(&ctx->budget, bp_least_batch_bytes(&s->in.schema));
        bp_sample_held_init(&s->held, &s->in.schema, ctx);
        BP_GO(bp_sample_limit_open(&s->limit, s->n_rows, opts->keys != NULL, ctx, err));
    }
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
