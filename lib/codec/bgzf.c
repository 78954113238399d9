/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip as BGZF: blocks of BLOCK_BYTES, each a member of its own, by ISA-L at its highest level
 * (of four), then the end marker. A block depends on its own bytes only, so the file is the same
 * for any number of threads and whatever the pieces are in which its bytes came. Every reader of
 * gzip takes it; one that knows BGZF can decode it on threads, and sees where it was cut.
 */
#include "codec/bgzf.h"

#include <isa-l.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/pool.h"

#define LEVEL 3
#define BLOCK_BYTES ((size_t)0xff00) /* stored, with head and tail, it has less than 64 KiB */
#define HEAD_BYTES 18
#define TAIL_BYTES 8
#define BODY_BYTES (BP_BGZF_MOST_BYTES - HEAD_BYTES - TAIL_BYTES)
#define JOB_BLOCKS 8 /* for a thread at a time */
#define THREADS_MOST 8

struct coder {
    struct isal_zstream z;
    uint8_t level_buf[ISAL_DEF_LVL3_DEFAULT];
};

struct job {
    struct bp_buf plain, packed;
    struct bp_err err;
};

struct bgzf {
    int n_threads, n_jobs;
    size_t job_bytes;
    struct coder *coders; /* [n_threads] */
    struct job *jobs;     /* [n_jobs], in turn */
    struct bp_pool *pool; /* NULL: one thread, the caller's */
    int now;              /* the job being filled */
};

static void put_u16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put_u32(uint8_t *p, size_t v)
{
    put_u16(p, v & 0xffff);
    put_u16(p + 2, v >> 16);
}

/* p[0, n) deflated to out[0, BODY_BYTES), or stored as it is; the length. */
static size_t deflate_body(struct coder *c, const uint8_t *p, size_t n, uint8_t *out)
{
    struct isal_zstream *z = &c->z;

    isal_deflate_stateless_init(z);
    z->gzip_flag = IGZIP_DEFLATE;
    z->end_of_stream = 1;
    z->level = LEVEL;
    z->level_buf = c->level_buf;
    z->level_buf_size = sizeof c->level_buf;
    z->next_in = (uint8_t *)(uintptr_t)p;
    z->avail_in = (uint32_t)n;
    z->next_out = out;
    z->avail_out = (uint32_t)BODY_BYTES;
    if (isal_deflate_stateless(z) == COMP_OK && z->avail_in == 0)
        return BODY_BYTES - z->avail_out;
    out[0] = 1; /* the last block; stored */
    put_u16(out + 1, n);
    put_u16(out + 3, ~n & 0xffff);
    memcpy(out + 5, p, n);
    return 5 + n;
}

static int put_block(struct coder *c, const uint8_t *p, size_t n, struct bp_buf *out,
                     struct bp_err *err)
{
    uint8_t *head;
    size_t body;

    BP_TRY(bp_buf_reserve(out, BP_BGZF_MOST_BYTES, err));
    head = out->data + out->len;
    body = deflate_body(c, p, n, head + HEAD_BYTES);
    memcpy(head, bp_bgzf_marker, HEAD_BYTES);
    put_u16(head + 16, HEAD_BYTES + body + TAIL_BYTES - 1);
    put_u32(head + HEAD_BYTES + body, crc32_gzip_refl(0, p, n));
    put_u32(head + HEAD_BYTES + body + 4, n);
    out->len += HEAD_BYTES + body + TAIL_BYTES;
    return 0;
}

static void put_blocks(void *ctx, int worker, void *job)
{
    struct bgzf *g = ctx;
    struct job *j = job;

    for (size_t at = 0; at < j->plain.len && !j->err.code; at += BLOCK_BYTES)
        if (put_block(&g->coders[worker], j->plain.data + at,
                      BP_MIN(BLOCK_BYTES, j->plain.len - at), &j->packed, &j->err) < 0)
            return;
}

static const struct bp_pool_ops pool_ops = {.work = put_blocks};

/* The oldest job, to out; *any false: none is under way. */
static int take(struct bgzf *g, struct bp_buf *out, bool *any, struct bp_err *err)
{
    struct job *j = bp_pool_take(g->pool);

    *any = j != NULL;
    if (!j)
        return 0;
    if (j->err.code)
        *err = j->err;
    BP_TRY(j->err.code);
    BP_TRY(bp_buf_append(out, j->packed.data, j->packed.len, err));
    j->plain.len = j->packed.len = 0;
    return 0;
}

/* The job at hand is full, or the last. */
static int hand_over(struct bgzf *g, struct bp_buf *out, struct bp_err *err)
{
    struct job *j = &g->jobs[g->now];
    bool any;

    if (!g->pool) {
        BP_TRY(put_block(g->coders, j->plain.data, j->plain.len, out, err));
        j->plain.len = 0;
        return 0;
    }
    bp_pool_give(g->pool, j);
    if (!bp_pool_has_room(g->pool))
        BP_TRY(take(g, out, &any, err));
    g->now = (g->now + 1) % g->n_jobs;
    return 0;
}

int bp_bgzf_encode(void *self, const void *p, size_t n, bool end, struct bp_buf *out,
                   struct bp_err *err)
{
    struct bgzf *g = self;
    const uint8_t *from = p;
    bool any = g->pool != NULL;

    while (n) {
        struct job *j = &g->jobs[g->now];
        size_t step = BP_MIN(n, g->job_bytes - j->plain.len);

        BP_TRY(bp_buf_append(&j->plain, from, step, err));
        from += step;
        n -= step;
        if (j->plain.len == g->job_bytes)
            BP_TRY(hand_over(g, out, err));
    }
    if (!end)
        return 0;
    if (g->jobs[g->now].plain.len)
        BP_TRY(hand_over(g, out, err));
    while (any)
        BP_TRY(take(g, out, &any, err));
    return bp_buf_append(out, bp_bgzf_marker, sizeof bp_bgzf_marker, err);
}

void bp_bgzf_free(void *self)
{
    struct bgzf *g = self;

    bp_pool_free(g->pool);
    for (int i = 0; g->jobs && i < g->n_jobs; i++) {
        bp_buf_release(&g->jobs[i].plain);
        bp_buf_release(&g->jobs[i].packed);
    }
    bp_mem_free(g->jobs);
    bp_mem_free(g->coders);
    bp_mem_free(g);
}

void *bp_bgzf_open(int n_threads, struct bp_err *err)
{
    struct bgzf *g = bp_mem_new(1, sizeof *g, err);

    if (!g)
        return NULL;
    g->n_threads = BP_MIN(BP_MAX(n_threads, 1), THREADS_MOST);
    g->n_jobs = g->n_threads > 1 ? g->n_threads + 2 : 1;
    g->job_bytes = (g->n_threads > 1 ? JOB_BLOCKS : 1) * BLOCK_BYTES;
    g->coders = bp_mem_new((size_t)g->n_threads, sizeof *g->coders, err);
    g->jobs = g->coders ? bp_mem_new((size_t)g->n_jobs, sizeof *g->jobs, err) : NULL;
    if (!g->jobs)
        goto fail;
    if (g->n_threads > 1 && bp_pool_open(&g->pool, g->n_threads, g->n_jobs, &pool_ops, g, err) < 0)
        goto fail;
    return g;
fail:
    bp_bgzf_free(g);
    return NULL;
}
