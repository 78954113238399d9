/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs stand in a ring in the order of giving. Workers take the oldest that
 * nobody runs; the caller takes the oldest, and runs others until it is finished.
 *
 *        taken ..[ done | done | running | waiting | waiting ].. given
 *                 ^head                   ^next               ^tail
 *
 * They sleep on semaphores, not on condition variables: of several that wait on one of those,
 * glibc before 2.41 may wake none, and all sleep for ever (sourceware.org bug 25847).
 */
#include "sys/pool.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/thread.h"

struct slot {
    void *job;
    bool finished;
};

struct worker {
    struct bp_pool *pool;
    int index;
    pthread_t thread;
};

struct bp_pool {
    const struct bp_pool_ops *ops;
    void *ctx;
    int n_threads, n_slots; /* the last of the threads is the caller, as long as it waits */
    struct slot *slots;
    struct worker *workers;
    int n_started;
    pthread_mutex_t lock;
    sem_t given;    /* jobs that nobody has taken, or ends */
    sem_t finished; /* the oldest is; posted if is_waiting */
    bool is_waiting;
    long long head, next, tail; /* counted without end; slot is % n_slots */
    bool stop;
};

/* At once, not after a while awake: who yields the core stays behind another on it, and an idle
 * core is given to threads only that are woken. */
static void wait_for(sem_t *s)
{
    while (sem_wait(s) < 0 && errno == EINTR)
        ;
}

/* The job that `given` was counted down for; false: none, it is the end. */
static bool run_next(struct bp_pool *p, int worker)
{
    struct slot *s;

    pthread_mutex_lock(&p->lock);
    if (p->stop) {
        pthread_mutex_unlock(&p->lock);
        return false;
    }
    s = &p->slots[p->next++ % p->n_slots];
    pthread_mutex_unlock(&p->lock);
    p->ops->work(p->ctx, worker, s->job);
    pthread_mutex_lock(&p->lock);
    s->finished = true;
    if (p->is_waiting && s == &p->slots[p->head % p->n_slots]) {
        p->is_waiting = false;
        sem_post(&p->finished);
    }
    pthread_mutex_unlock(&p->lock);
    return true;
}

static void *work_on(void *arg)
{
    struct worker *w = arg;

    do
        wait_for(&w->pool->given);
    while (run_next(w->pool, w->index));
    return NULL;
}

int bp_pool_open(struct bp_pool **out, int n_threads, int n_slots, const struct bp_pool_ops *ops,
                 void *ctx, struct bp_err *err)
{
    struct bp_pool *p = bp_mem_new(1, sizeof *p, err);

    if (!p)
        return err->code;
    p->ops = ops;
    p->ctx = ctx;
    p->n_threads = n_threads = BP_MAX(n_threads, 1);
    p->n_slots = n_slots < 1 ? 1 : n_slots;
    pthread_mutex_init(&p->lock, NULL);
    sem_init(&p->given, 0, 0);
    sem_init(&p->finished, 0, 0);
    p->slots = bp_mem_new((size_t)p->n_slots, sizeof *p->slots, err);
    p->workers = p->slots ? bp_mem_new((size_t)n_threads, sizeof *p->workers, err) : NULL;
    if (!p->workers)
        goto fail;
    for (int i = 0; i < n_threads - 1; i++) {
        p->workers[i] = (struct worker){.pool = p, .index = i};
        if (bp_thread_start(&p->workers[i].thread, work_on, &p->workers[i], err) < 0)
            goto fail;
        p->n_started++;
    }
    *out = p;
    return 0;
fail:
    bp_pool_free(p);
    return err->code;
}

bool bp_pool_has_room(const struct bp_pool *p)
{
    return p->tail - p->head < p->n_slots; /* both are moved by the caller only */
}

void bp_pool_give(struct bp_pool *p, void *job)
{
    struct slot *s;

    pthread_mutex_lock(&p->lock);
    s = &p->slots[p->tail++ % p->n_slots];
    s->job = job;
    s->finished = false;
    pthread_mutex_unlock(&p->lock);
    sem_post(&p->given);
}

/* Is the oldest job finished? If it is not, and is to be waited for, its end will be told. */
static bool oldest_is_finished(struct bp_pool *p, bool waits)
{
    bool finished;

    pthread_mutex_lock(&p->lock);
    finished = p->slots[p->head % p->n_slots].finished;
    p->is_waiting = waits && !finished;
    pthread_mutex_unlock(&p->lock);
    return finished;
}

void *bp_pool_take(struct bp_pool *p)
{
    struct slot *s = &p->slots[p->head % p->n_slots];
    void *job;

    if (p->head == p->tail)
        return NULL;
    while (!oldest_is_finished(p, false)) {
        if (sem_trywait(&p->given) == 0)
            (void)run_next(p, p->n_threads - 1);
        else if (!oldest_is_finished(p, true))
            wait_for(&p->finished);
    }
    job = s->job;
    pthread_mutex_lock(&p->lock);
    p->head++;
    pthread_mutex_unlock(&p->lock);
    return job;
}

void bp_pool_free(struct bp_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_started; i++)
        sem_post(&p->given);
    for (int i = 0; i < p->n_started; i++)
        pthread_join(p->workers[i].thread, NULL);
    if (p->slots && p->ops->drop)
        for (long long i = p->head; i < p->tail; i++)
            p->ops->drop(p->ctx, p->slots[i % p->n_slots].job);
    pthread_mutex_destroy(&p->lock);
    sem_destroy(&p->given);
    sem_destroy(&p->finished);
    bp_mem_free(p->slots);
    bp_mem_free(p->workers);
    bp_mem_free(p);
}
