/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ahead: a thread reads the input below into a ring of blocks, the caller
 * takes them. So decoding goes on while the caller works on what came before.
 *
 *      head: the caller's block   tail: the thread's block
 *      tail - head blocks are filled, at most N_BLOCKS
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/input.h"
#include "sys/thread.h"

#define N_BLOCKS 4
#define BLOCK_BYTES ((size_t)256 << 10)

struct block {
    uint8_t *data;
    size_t n; /* 0: the end, or err */
};

struct ahead {
    struct bp_input inner;
    struct block blocks[N_BLOCKS];
    size_t taken; /* of the head block */
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    unsigned head, tail;
    bool started, stop;
    struct bp_err err; /* of the thread: written before its last block is filled */
    pthread_t thread;
};

/* Blocks are filled whole, for fewer hand-overs, but for the last before an error. */
static void fill(struct ahead *a, struct block *b)
{
    size_t got = 1;

    b->n = 0;
    while (b->n < BLOCK_BYTES && got) {
        if (bp_input_read_some(&a->inner, b->data + b->n, BLOCK_BYTES - b->n, &got, &a->err) < 0)
            return;
        b->n += got;
    }
}

static void *run(void *arg)
{
    struct ahead *a = arg;
    bool more = true;

    while (more) {
        struct block *b = &a->blocks[a->tail % N_BLOCKS];

        pthread_mutex_lock(&a->lock);
        while (!a->stop && a->tail - a->head == N_BLOCKS)
            pthread_cond_wait(&a->emptied, &a->lock);
        more = !a->stop;
        pthread_mutex_unlock(&a->lock);
        if (!more)
            break;
        fill(a, b);
        more = b->n == BLOCK_BYTES && !a->err.code;
        pthread_mutex_lock(&a->lock);
        a->tail++;
        if (!more && b->n) { /* the end, or the error, is a block of its own */
            while (!a->stop && a->tail - a->head == N_BLOCKS)
                pthread_cond_wait(&a->emptied, &a->lock);
            if (!a->stop)
                a->blocks[a->tail++ % N_BLOCKS].n = 0;
        }
        pthread_cond_signal(&a->filled);
        pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

static int ahead_read(void *self, void *p, size_t n, size_t *got, struct bp_err *err)
{
    struct ahead *a = self;
    struct block *b = &a->blocks[a->head % N_BLOCKS];

    pthread_mutex_lock(&a->lock);
    while (a->head == a->tail)
        pthread_cond_wait(&a->filled, &a->lock);
    pthread_mutex_unlock(&a->lock);
    *got = BP_MIN(n, b->n - a->taken);
    if (!b->n) { /* stays the head: the end is told again and again */
        if (a->err.code)
            *err = a->err;
        return a->err.code;
    }
    memcpy(p, b->data + a->taken, *got);
    a->taken += *got;
    if (a->taken < b->n)
        return 0;
    a->taken = 0;
    pthread_mutex_lock(&a->lock);
    a->head++;
    pthread_cond_signal(&a->emptied);
    pthread_mutex_unlock(&a->lock);
    return 0;
}

static void ahead_free(void *self)
{
    struct ahead *a = self;

    if (a->started) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_signal(&a->emptied);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    pthread_cond_destroy(&a->filled);
    pthread_cond_destroy(&a->emptied);
    pthread_mutex_destroy(&a->lock);
    bp_input_close(&a->inner);
    for (int i = 0; i < N_BLOCKS; i++)
        bp_mem_free(a->blocks[i].data);
    bp_mem_free(a);
}

static const struct bp_input_ops ahead_ops = {.read = ahead_read, .free = ahead_free};

static struct ahead *ahead_new(struct bp_err *err)
{
    struct ahead *a = bp_mem_new(1, sizeof *a, err);

    if (!a)
        return NULL;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->filled, NULL);
    pthread_cond_init(&a->emptied, NULL);
    a->inner.fd = -1;
    for (int i = 0; i < N_BLOCKS; i++) {
        a->blocks[i].data = bp_mem_new(BLOCK_BYTES, 1, err);
        if (!a->blocks[i].data) {
            ahead_free(a);
            return NULL;
        }
    }
    return a;
}

int bp_input_read_ahead(struct bp_input *in, int n_threads, struct bp_err *err)
{
    struct ahead *a;
    char *name;

    if (!in->ops || in->is_file || in->size_bytes < 0)
        return 0;
    if (in->ops->threads && !bp_mem_is_tight())
        in->ops->threads(in->self, n_threads);
    a = ahead_new(err);
    name = a ? bp_mem_str(in->name, err) : NULL;
    if (!name) {
        if (a)
            ahead_free(a);
        return err->code;
    }
    bp_input_move(&a->inner, in);
    *in = (struct bp_input){.name = name,
                            .fd = -1,
                            .size_bytes = a->inner.size_bytes,
                            .mtime_ns = a->inner.mtime_ns,
                            .is_named = a->inner.is_named,
                            .pos_bytes = a->inner.pos_bytes,
                            .ops = &ahead_ops,
                            .self = a};
    memcpy(in->version, a->inner.version, sizeof in->version);
    BP_TRY(bp_thread_start(&a->thread, run, a, err));
    a->started = true;
    return 0;
}
