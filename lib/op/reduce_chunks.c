/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_chunks.h"

#include <sys/uio.h>

#include "base/mem.h"
#include "stage/spill.h"
#include "sys/pool.h"
#include "sys/tempfile.h"

#define CHUNK_BYTES ((int64_t)sizeof(struct bp_chunk))
#define SLAB_CHUNKS 256 /* 4 MiB: too little for huge pages, whose first touch may be dear */
#define SLAB_BYTES (SLAB_CHUNKS * CHUNK_BYTES)
#define WRITE_CHUNKS 64 /* at once */
#define READ_CHUNKS 16

_Static_assert(sizeof(struct bp_chunk) == 16384, "chunks fill whole pages of the file");

/* Chunks of a part that stand behind one another in the file. */
struct stretch {
    int64_t from_bytes, n;
};

struct saved {
    struct stretch *stretches;
    int n, cap;
};

/* A list on its way to the file. */
struct save {
    struct bp_chunk *list;
    int64_t from_bytes, n;
    struct bp_err err;
};

struct bp_chunks {
    struct bp_ctx *ctx;
    struct bp_chunk **slabs, *spare;
    int n_slabs, cap_slabs;
    int64_t n_free;      /* spare ones, those of slabs to be made yet, those being saved */
    int64_t taken_bytes; /* of the budget: all slabs, made or not */

    struct bp_tempfile file;
    int64_t end_bytes;   /* of the file */
    struct saved *saved; /* of each part */
    int n_parts;
    struct bp_pool *pool; /* saves; NULL until the first */
};

static void drop_save(void *ctx, void *job)
{
    (void)ctx;
    bp_mem_free(job); /* its chunks are a slab's */
}

int bp_chunks_open(struct bp_chunks **out, int n_parts, struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_chunks *c = bp_mem_new(1, sizeof *c, err);

    *out = NULL;
    if (!c)
        return err->code;
    c->ctx = ctx;
    c->file.fd = -1;
    c->n_parts = n_parts;
    c->saved = bp_mem_new((size_t)n_parts, sizeof *c->saved, err);
    if (!c->saved) {
        bp_chunks_free(c);
        return err->code;
    }
    *out = c;
    return 0;
}

void bp_chunks_free(struct bp_chunks *c)
{
    if (!c)
        return;
    bp_pool_free(c->pool);
    for (int i = 0; i < c->n_slabs; i++)
        bp_mem_free(c->slabs[i]);
    for (int i = 0; c->saved && i < c->n_parts; i++)
        bp_mem_free(c->saved[i].stretches);
    bp_tempfile_close(&c->file);
    bp_budget_give(&c->ctx->budget, c->taken_bytes);
    bp_mem_free(c->slabs);
    bp_mem_free(c->saved);
    bp_mem_free(c);
}

/* ---- memory ---- */

bool bp_chunks_room(struct bp_chunks *c, int64_t n)
{
    int64_t slabs = (n - c->n_free + SLAB_CHUNKS - 1) / SLAB_CHUNKS;

    if (slabs <= 0)
        return true;
    if (!bp_budget_take(&c->ctx->budget, slabs * SLAB_BYTES))
        return false;
    c->taken_bytes += slabs * SLAB_BYTES;
    c->n_free += slabs * SLAB_CHUNKS;
    return true;
}

static int new_slab(struct bp_chunks *c, struct bp_err *err)
{
    struct bp_chunk *slab;

    if (c->n_slabs == c->cap_slabs) {
        int cap = c->cap_slabs ? c->cap_slabs * 2 : 16;
        struct bp_chunk **grown = bp_mem_grow(c->slabs, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        c->slabs = grown;
        c->cap_slabs = cap;
    }
    slab = bp_mem_grow(NULL, SLAB_CHUNKS, sizeof *slab, err);
    if (!slab)
        return err->code;
    c->slabs[c->n_slabs++] = slab;
    for (int i = SLAB_CHUNKS - 1; i >= 0; i--) {
        slab[i].next = c->spare;
        c->spare = &slab[i];
    }
    return 0;
}

/* The oldest save ends; its chunks are spare ones. BP_DONE: there is none. */
static int end_save(struct bp_chunks *c, struct bp_err *err)
{
    struct save *s = c->pool ? bp_pool_take(c->pool) : NULL;
    int rc;

    if (!s)
        return BP_DONE;
    rc = s->err.code;
    if (rc < 0)
        *err = s->err;
    for (struct bp_chunk *k = s->list, *next; k; k = next) {
        next = k->next;
        k->next = c->spare;
        c->spare = k;
    }
    drop_save(c, s);
    return rc;
}

struct bp_chunk *bp_chunks_new(struct bp_chunks *c, struct bp_err *err)
{
    struct bp_chunk *k;

    while (!c->spare) {
        bool unmade = c->n_slabs * SLAB_BYTES < c->taken_bytes;
        int rc = unmade ? new_slab(c, err) : end_save(c, err);

        if (rc == BP_DONE)
            rc = new_slab(c, err); /* more than was asked for */
        if (rc < 0)
            return NULL;
    }
    k = c->spare;
    c->spare = k->next;
    c->n_free--;
    return k;
}

/* ---- to disk ---- */

/* On a worker. */
static void save_list(void *ctx, int worker, void *job)
{
    const struct bp_chunks *c = ctx;
    struct save *s = job;
    struct iovec iov[WRITE_CHUNKS];
    struct bp_chunk *k = s->list;
    int64_t at = s->from_bytes;
    int n;

    (void)worker;
    while (k) {
        for (n = 0; k && n < WRITE_CHUNKS; k = k->next, n++)
            iov[n] = (struct iovec){.iov_base = k, .iov_len = sizeof *k};
        if (bp_tempfile_write_at(&c->file, iov, n, at, &s->err) < 0) {
            bp_spill_failed(&c->file, at, n * CHUNK_BYTES, &s->err);
            return;
        }
        at += n * CHUNK_BYTES;
        atomic_fetch_add(&c->ctx->spilled_bytes, n * CHUNK_BYTES);
    }
}

static int start_saving(struct bp_chunks *c, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {save_list, drop_save};

    if (c->pool)
        return 0;
    BP_TRY(bp_tempfile_open(&c->file, err));
    return bp_pool_open(&c->pool, c->ctx->n_threads, c->n_parts, &ops, c, err);
}

/* Behind what the part has there, where the file's end is there, too. */
static int add_stretch(struct bp_chunks *c, int part, int64_t n, struct bp_err *err)
{
    struct saved *s = &c->saved[part];

    if (s->n == s->cap) {
        int cap = s->cap ? s->cap * 2 : 4;
        struct stretch *grown = bp_mem_grow(s->stretches, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        s->stretches = grown;
        s->cap = cap;
    }
    s->stretches[s->n++] = (struct stretch){c->end_bytes, n};
    return 0;
}

int bp_chunks_save(struct bp_chunks *c, int part, struct bp_chunk *list, struct bp_err *err)
{
    struct save *s;

    if (!list)
        return 0;
    BP_TRY(start_saving(c, err));
    s = bp_mem_new(1, sizeof *s, err);
    if (!s)
        return err->code;
    s->list = list;
    s->from_bytes = c->end_bytes;
    for (const struct bp_chunk *k = list; k; k = k->next)
        s->n++;
    if (add_stretch(c, part, s->n, err) < 0) {
        drop_save(c, s);
        return err->code;
    }
    c->end_bytes += s->n * CHUNK_BYTES;
    c->n_free += s->n;
    while (!bp_pool_has_room(c->pool))
        if (end_save(c, err) < 0) {
            drop_save(c, s);
            return err->code;
        }
    bp_pool_give(c->pool, s);
    return 0;
}

int bp_chunks_wait(struct bp_chunks *c, struct bp_err *err)
{
    int rc;

    while ((rc = end_save(c, err)) == 0)
        ;
    return rc < 0 ? rc : 0;
}

bool bp_chunks_any_saved(const struct bp_chunks *c)
{
    return c->end_bytes > 0;
}

/* ---- from disk ---- */

int bp_chunks_read(const struct bp_chunks *c, int part,
                   int (*take)(void *self, const struct bp_chunk *chunk, struct bp_err *err),
                   void *self, struct bp_err *err)
{
    const struct saved *s = &c->saved[part];
    struct bp_chunk *some;
    int rc = 0;

    if (!s->n)
        return 0;
    some = bp_mem_grow(NULL, READ_CHUNKS, sizeof *some, err);
    if (!some)
        return err->code;
    for (int i = 0; i < s->n; i++) {
        const struct stretch *t = &s->stretches[i];

        for (int64_t at = 0, n; at < t->n; at += n) {
            n = BP_MIN(t->n - at, READ_CHUNKS);
            BP_GO(bp_tempfile_read_at(&c->file, some, (size_t)(n * CHUNK_BYTES),
                                      t->from_bytes + at * CHUNK_BYTES, err));
            for (int64_t k = 0; k < n; k++)
                BP_GO(take(self, &some[k], err));
        }
    }
out:
    bp_mem_free(some);
    return rc;
}

void bp_chunks_discard(const struct bp_chunks *c, int part)
{
    const struct saved *s = &c->saved[part];

    for (int i = 0; i < s->n; i++)
        bp_tempfile_discard(&c->file, s->stretches[i].from_bytes,
                            s->stretches[i].from_bytes + s->stretches[i].n * CHUNK_BYTES);
}
