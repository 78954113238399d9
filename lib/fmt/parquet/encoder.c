/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/encoder.h"

#include <errno.h>
#include <semaphore.h>

#include "base/mem.h"

#define TASKS_MOST 32 /* of a batch: so many keep threads busy, and are not too small */

/* A range of columns of one batch. */
struct bp_pq_task {
    struct bp_pq_encoder *encoder;
    struct bp_pq_flight *flight;
    int range;
    int from, to; /* leaves */
    sem_t turn;   /* posted when the range's task of the batch before has ended */
    int64_t pages_bytes, state_bytes; /* of its columns, at its end */
    int worker;                       /* who ran it, */
    int64_t scratch_bytes;            /* and what its scratch has become */
    struct bp_err err;
};

/* ---- in a worker ---- */

static int64_t pages_of(const struct bp_pq_encoded *c)
{
    return (int64_t)(bp_chain_bytes(&c->pages) + c->dict_page.cap);
}

static int encode(struct bp_pq_task *t, struct bp_pq_write_scratch *scratch)
{
    struct bp_pq_flight *f = t->flight;

    t->pages_bytes = t->state_bytes = 0;
    for (int i = t->from; i < t->to; i++) {
        struct bp_pq_writer *w = &t->encoder->writers[i];

        if (f->batch.n_rows)
            BP_TRY(bp_pq_writer_add(w, &f->batch.cols[w->leaf->field], scratch, &t->err));
        if (f->last) {
            BP_TRY(bp_pq_writer_finish(w, scratch, &t->err));
            t->pages_bytes += pages_of(&w->chunk);
            f->chunks[i] = w->chunk;
            w->chunk = (struct bp_pq_encoded){0};
            bp_pq_writer_clear(w);
        }
        t->pages_bytes += pages_of(&w->chunk);
        t->state_bytes += bp_pq_writer_state_bytes(w);
    }
    return 0;
}

static void wait_turn(struct bp_pq_task *t)
{
    while (sem_wait(&t->turn) < 0 && errno == EINTR)
        ;
}

static void work(void *ctx, int worker, void *job)
{
    struct bp_pq_encoder *e = ctx;
    struct bp_pq_task *t = job;
    int64_t place = t->flight - e->flights;

    wait_turn(t); /* tasks of a range start in order, so the one before runs or has ended */
    t->err = (struct bp_err){0};
    if (!e->failed[t->range])
        e->failed[t->range] = encode(t, &e->scratch[worker]) < 0;
    t->worker = worker;
    t->scratch_bytes = bp_pq_write_scratch_bytes(&e->scratch[worker]);
    sem_post(&e->flights[(place + 1) % BP_PQ_FLIGHTS].tasks[t->range].turn);
}

/* ---- the caller ---- */

bool bp_pq_encoder_has_room(const struct bp_pq_encoder *e, int64_t bytes, int64_t most_bytes)
{
    int64_t n = e->given - e->taken;

    return n == 0 || (n < BP_PQ_FLIGHTS && e->flying_bytes + bytes <= most_bytes);
}

void bp_pq_encoder_give(struct bp_pq_encoder *e, struct bp_batch *b, int64_t bytes,
                        int64_t group_rows, bool last)
{
    struct bp_pq_flight *f = &e->flights[e->given++ % BP_PQ_FLIGHTS];

    if (b)
        bp_batch_move(&f->batch, b);
    f->bytes = bytes;
    f->group_rows = group_rows;
    f->last = last;
    e->flying_bytes += bytes;
    for (int i = 0; i < e->n_tasks; i++)
        bp_pool_give(e->pool, &f->tasks[i]);
}

const struct bp_batch *bp_pq_encoder_last(const struct bp_pq_encoder *e)
{
    return e->given == e->taken ? NULL : &e->flights[(e->given - 1) % BP_PQ_FLIGHTS].batch;
}

int bp_pq_encoder_take(struct bp_pq_encoder *e, struct bp_pq_flight **out, struct bp_err *err)
{
    struct bp_pq_flight *f = &e->flights[e->taken % BP_PQ_FLIGHTS];
    int rc = 0;

    *out = NULL;
    if (e->taken == e->given)
        return 0;
    for (int i = 0; i < e->n_tasks; i++) {
        struct bp_pq_task *t = bp_pool_take(e->pool);

        if (t->err.code && rc == 0) {
            *err = t->err;
            rc = err->code;
        }
        e->pages_bytes[i] = t->pages_bytes;
        e->state_bytes[i] = t->state_bytes;
        e->scratch_bytes[t->worker] = t->scratch_bytes;
    }
    bp_batch_release(&f->batch);
    e->flying_bytes -= f->bytes;
    *out = f;
    return rc;
}

void bp_pq_encoder_rest(struct bp_pq_encoder *e, struct bp_pq_flight *f)
{
    for (int i = 0; f->last && i < e->n_leaves; i++)
        bp_pq_encoded_release(&f->chunks[i]);
    for (int i = 0; f->last && i < e->n_tasks; i++)
        e->pages_bytes[i] = 0;
    e->taken++;
}

/* ---- memory ---- */

int64_t bp_pq_encoder_pages_bytes(const struct bp_pq_encoder *e)
{
    int64_t n = 0;

    for (int i = 0; i < e->n_tasks; i++)
        n += e->pages_bytes[i];
    return n;
}

int64_t bp_pq_encoder_state_bytes(const struct bp_pq_encoder *e)
{
    int64_t n = 0;

    for (int i = 0; i < e->n_tasks; i++)
        n += e->state_bytes[i];
    for (int i = 0; i < e->n_scratch; i++)
        n += e->scratch_bytes[i];
    return n;
}

void bp_pq_encoder_measure(struct bp_pq_encoder *e)
{
    for (int k = 0; k < e->n_tasks; k++) {
        const struct bp_pq_task *t = &e->flights[0].tasks[k];

        e->pages_bytes[k] = e->state_bytes[k] = 0;
        for (int i = t->from; i < t->to; i++) {
            e->pages_bytes[k] += pages_of(&e->writers[i].chunk);
            e->state_bytes[k] += bp_pq_writer_state_bytes(&e->writers[i]);
        }
    }
}

/* ---- its life ---- */

static int open_flight(struct bp_pq_encoder *e, struct bp_pq_flight *f, struct bp_err *err)
{
    f->chunks = bp_mem_new((size_t)e->n_leaves, sizeof *f->chunks, err);
    f->tasks = f->chunks ? bp_mem_new((size_t)e->n_tasks, sizeof *f->tasks, err) : NULL;
    if (!f->tasks)
        return err->code;
    for (int i = 0; i < e->n_tasks; i++) {
        struct bp_pq_task *t = &f->tasks[i];

        t->encoder = e;
        t->flight = f;
        t->range = i;
        t->from = (int)((int64_t)e->n_leaves * i / e->n_tasks);
        t->to = (int)((int64_t)e->n_leaves * (i + 1) / e->n_tasks);
        sem_init(&t->turn, 0, f == e->flights);
    }
    return 0;
}

int bp_pq_encoder_open(struct bp_pq_encoder *e, const struct bp_pq_leaves *leaves,
                       enum bp_pack codec, bool v2, bool dict, int n_threads, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {.work = work};
    size_t n;

    e->n_leaves = leaves->n;
    e->n_tasks = BP_MIN(leaves->n, TASKS_MOST);
    e->n_scratch = n_threads;
    n = (size_t)e->n_tasks;
    e->writers = bp_mem_new((size_t)leaves->n, sizeof *e->writers, err);
    e->scratch = bp_mem_new((size_t)n_threads, sizeof *e->scratch, err);
    e->pages_bytes = bp_mem_new(n, sizeof *e->pages_bytes, err);
    e->state_bytes = bp_mem_new(n, sizeof *e->state_bytes, err);
    e->scratch_bytes = bp_mem_new((size_t)n_threads, sizeof *e->scratch_bytes, err);
    e->failed = bp_mem_new(n, sizeof *e->failed, err);
    if (!e->writers || !e->scratch || !e->pages_bytes || !e->state_bytes || !e->scratch_bytes ||
        !e->failed)
        return err->code;
    for (int i = 0; i < leaves->n; i++)
        bp_pq_writer_open(&e->writers[i], &leaves->items[i], codec, v2, dict);
    for (int i = 0; i < BP_PQ_FLIGHTS; i++)
        BP_TRY(open_flight(e, &e->flights[i], err));
    return bp_pool_open(&e->pool, n_threads, BP_PQ_FLIGHTS * e->n_tasks, &ops, e, err);
}

static void release_flight(struct bp_pq_encoder *e, struct bp_pq_flight *f)
{
    bp_batch_release(&f->batch);
    for (int i = 0; f->chunks && i < e->n_leaves; i++)
        bp_pq_encoded_release(&f->chunks[i]);
    for (int i = 0; f->tasks && i < e->n_tasks; i++)
        if (f->tasks[i].encoder)
            sem_destroy(&f->tasks[i].turn);
    bp_mem_free(f->chunks);
    bp_mem_free(f->tasks);
}

void bp_pq_encoder_release(struct bp_pq_encoder *e)
{
    bp_pool_free(e->pool);
    for (int i = 0; i < BP_PQ_FLIGHTS; i++)
        release_flight(e, &e->flights[i]);
    for (int i = 0; e->writers && i < e->n_leaves; i++)
        bp_pq_writer_release(&e->writers[i]);
    for (int i = 0; e->scratch && i < e->n_scratch; i++)
        bp_pq_write_scratch_release(&e->scratch[i]);
    bp_mem_free(e->writers);
    bp_mem_free(e->scratch);
    bp_mem_free(e->pages_bytes);
    bp_mem_free(e->state_bytes);
    bp_mem_free(e->scratch_bytes);
    bp_mem_free(e->failed);
    *e = (struct bp_pq_encoder){0};
}
